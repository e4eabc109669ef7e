// The sandbox's door on the wire: who may call, what a form may say, cursors, keys that are used again, and its control.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { decodeForm } from "../sandbox/door/form.ts";
import { openSandbox, type OpenSandbox, type RawAnswer } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const errorOf = ({ status, json }: RawAnswer): Record<string, unknown> => {
  return { status, ...(json as unknown as { error?: object }).error };
};

describe("a form", () => {
  it.each([
    ["a=1&a=2", { a: "2" }],
    ["a[]=1&a[]=2", { a: ["1", "2"] }],
    ["a[1]=y&a[0]=x", { a: ["x", "y"] }],
    ["a[7]=x", { a: { 7: "x" } }],
    [
      "a[][b]=1&a[][c]=2&a[][b]=3&a[][c]=4",
      {
        a: [
          { b: "1", c: "2" },
          { b: "3", c: "4" },
        ],
      },
    ],
    ["a[][b][]=1&a[][b][]=2", { a: [{ b: ["1", "2"] }] }],
    ["a[b][c]=1&a[b][d]=2", { a: { b: { c: "1", d: "2" } } }],
    ["a+b=c%20d%F0%9F%92%B8", { "a b": "c d💸" }],
    ["a=b=c&d", { a: "b=c", d: "" }],
    ["a[b=1", { "a[b": "1" }],
  ])("%s is read as Stripe reads it", (text, expected) => {
    expect(decodeForm(text)).toEqual(expected);
  });

  it.each(["a=%E0%A4%A", "a=1&a[b]=2", "a[b]=1&a[]=2"])("%s is refused", (text) => {
    expect(() => decodeForm(text)).toThrow(/Invalid/);
  });

  it.each([
    ["application/json", '{"name":"Jane"}'],
    ["multipart/form-data; boundary=x", "--x\r\n\r\n--x--"],
  ])("on /v1 is no %s", async (type, body) => {
    const answer = await sandbox.call("POST", "/v1/customers", body, { "content-type": type });
    expect(errorOf(answer)).toMatchObject({ status: 400, type: "invalid_request_error" });
    expect(answer.text).toContain("application/x-www-form-urlencoded");
  });

  it("that is too large is answered 413, and the connection stays whole", async () => {
    const answer = await sandbox.call("POST", "/v1/customers", `name=${"x".repeat(3 * 1024 * 1024)}`);
    expect(answer.status).toBe(413);
  });

  it("may give metadata numbers for names", async () => {
    const { json } = await sandbox.call("POST", "/v1/customers", "metadata[0]=a&metadata[1]=b");
    expect((json as unknown as Stripe.Customer).metadata).toEqual({ 0: "a", 1: "b" });
  });
});

describe("an address", () => {
  it.each(["/v1/customers/", "/v1//customers"])("with an empty id (%s) names nothing, and is no list", async (path) => {
    expect(errorOf(await sandbox.call("GET", path))).toMatchObject({ status: 404, type: "invalid_request_error" });
  });

  it.each(["2099-01-01", "2021-13-45", "new"])("asked in version %s is refused", async (version) => {
    const answer = await sandbox.call("GET", "/v1/customers", "", { "stripe-version": version });
    expect(errorOf(answer)).toMatchObject({ status: 400, message: `Invalid Stripe API version: ${version}` });
  });
});

describe("who calls by another name", () => {
  it.each([
    ["/v1/customers", "rebound.example.com"],
    ["/v1/customers", "rebound.example.com:12111"],
    ["/_sandbox/status", "rebound.example.com"],
    ["/_sandbox/status", "stripe-sandbox"],
  ])("%s as %s is refused", async (path, host) => {
    expect((await sandbox.call("GET", path, "", { host })).status).toBe(403);
  });

  it.each(["localhost:1", "127.0.0.1", "[::1]:5", "stripe", "sandbox.localhost", "10.0.0.7:80"])(
    "the API as %s is answered",
    async (host) => {
      expect((await sandbox.call("GET", "/v1/customers", "", { host })).status).toBe(200);
    },
  );

  it.each(["x-forwarded-for", "forwarded", "via", "origin"])("control with %s is refused", async (name) => {
    expect((await sandbox.call("GET", "/_sandbox/status", "", { [name]: "127.0.0.1" })).status).toBe(403);
  });

  it("finds addresses that work when the sandbox listens on all of them", async () => {
    const open = await openSandbox({ host: "0.0.0.0" });
    expect(open.url).toBe(`http://127.0.0.1:${open.port}`);
    await open.close();
  });
});

describe("a cursor", () => {
  it("that the filters leave out stands where it would be, and an unknown one is told by its kind", async () => {
    const { stripe } = sandbox;
    const [first, other, last] = [
      await stripe.customers.create({ email: "a@example.com" }),
      await stripe.customers.create({ email: "b@example.com" }),
      await stripe.customers.create({ email: "a@example.com" }),
    ];
    const filter = { email: "a@example.com" };
    const after = await stripe.customers.list({ ...filter, starting_after: other.id });
    expect(after.data.map(({ id }) => id)).toEqual([first.id]);
    const before = await stripe.customers.list({ ...filter, ending_before: other.id });
    expect(before.data.map(({ id }) => id)).toEqual([last.id]);
    const none = await sandbox.call("GET", "/v1/subscriptions?status=canceled&starting_after=sub_none");
    expect(errorOf(none)).toMatchObject({ status: 400, message: "No such subscription: 'sub_none'" });
    const wrong = await sandbox.call("GET", `/v1/subscriptions?starting_after=${first.id}`);
    expect(errorOf(wrong)).toMatchObject({ status: 400, code: "resource_missing", param: "starting_after" });
  });
});

describe("an idempotency key", () => {
  it("of a call whose parameters were refused at work may be used with better ones", async () => {
    const key = { "idempotency-key": "wire-1" };
    const bad = await sandbox.call("POST", "/v1/payment_intents", "currency=usd&amount=500&customer=cus_none", key);
    const good = await sandbox.call("POST", "/v1/payment_intents", "currency=usd&amount=500", key);
    expect([bad.status, good.status, good.headers["idempotent-replayed"]]).toEqual([400, 200, undefined]);
  });

  it("of a call that failed for the object's state gives that failure again, and names the first call", async () => {
    const intent = await sandbox.stripe.paymentIntents.create({ amount: 500, currency: "usd" });
    const key = { "idempotency-key": "wire-2" };
    const path = `/v1/payment_intents/${intent.id}/capture`;
    const [first, second] = [await sandbox.call("POST", path, "", key), await sandbox.call("POST", path, "", key)];
    expect([first.status, second.text, second.headers["idempotent-replayed"]]).toEqual([400, first.text, "true"]);
    expect(second.headers["original-request"]).toBe(first.headers["request-id"]);
    expect(second.headers["request-id"]).not.toBe(first.headers["request-id"]);
  });

  it("that is empty is none", async () => {
    const key = { "idempotency-key": "" };
    const one = await sandbox.call("POST", "/v1/customers", "name=One", key);
    const other = await sandbox.call("POST", "/v1/customers", "name=Other", key);
    expect([one.status, other.status]).toEqual([200, 200]);
  });
});

describe("a seeded sandbox with a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "billhook-sandbox-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("gives no id twice over a restart, and keeps its clock as far ahead as it was set", async () => {
    const first = await openSandbox({ folder, seed: 7 });
    const ids = [(await first.stripe.customers.create({})).id];
    const answer = await first.call("POST", "/_sandbox/clock/advance", "seconds=86400");
    const { now } = answer.json as unknown as { now: number };
    await first.close();
    const second = await openSandbox({ folder, seed: 7 });
    ids.push((await second.stripe.customers.create({})).id);
    expect((await second.stripe.customers.list()).data.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(second.world.now()).toBeGreaterThanOrEqual(now);
    await second.close();
  });
});
