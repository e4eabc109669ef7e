// The webhook addresses: one receiver behind three paths, an exact answer, and what happens under load, on stop and behind a proxy.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openDoor, signature } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";
import { publicError } from "../src/base/errors.ts";
import type { Delivery } from "../src/inbox/receive.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

let door: Door;
let stopping = false;
beforeAll(async () => {
  door = await openDoor("embedded", { deps: { stopping: () => stopping } });
});
afterAll(async () => door.close());

const body = (id?: string): string =>
  JSON.stringify(event("invoice.paid", newInvoice(), id === undefined ? {} : { id }));

describe("an event", () => {
  it.each(["/stripe/webhook", "/account/stripe-webhook", "/api/webhooks/stripe"])(
    "gets in at %s, with and without a slash",
    async (path) => {
      for (const address of [path, `${path}/`, `${path}/?source=x`]) {
        const before = await door.storedEvents();
        const answer = await door.webhook(body(), {}, address);
        expect([answer.status, answer.text]).toEqual([200, '{"status":"success"}']);
        expect(answer.headers.get("content-type")).toBe("application/json");
        expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
        expect(await door.storedEvents()).toBe(before + 1);
      }
    },
  );

  it("that was stored already is a success, and stays one row", async () => {
    const sent = body("evt_door_duplicate");
    expect((await door.webhook(sent)).status).toBe(200);
    const before = await door.storedEvents();
    expect((await door.webhook(sent)).text).toBe('{"status":"success"}');
    expect(await door.storedEvents()).toBe(before);
  });

  it("that asks first with Expect: 100-continue gets in", async () => {
    const sent = body();
    const head = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${Buffer.byteLength(sent)}\r\nStripe-Signature: ${signature(sent)}\r\n\r\n`;
    expect(await door.raw([head, sent], { until: /success/ })).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/,
    );
  });

  it("that asks first and is too large is refused without its body", async () => {
    const head = "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n";
    expect(await door.raw(head, { until: /too_large/ })).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("in many pieces gets in, and the connection serves the next one", async () => {
    const sent = body();
    const head = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(sent)}\r\nStripe-Signature: ${signature(sent)}\r\n\r\n`;
    const pieces = Array.from(head + sent + head + sent);
    const text = await door.raw(pieces, { until: /success[^]*success/ });
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s is 405 and says what is allowed", async (method) => {
  const answer = await door.call(method, "/stripe/webhook/");
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  if (method !== "HEAD") expect(answer.json.code).toBe("method_not_allowed");
});

it("while the process stops the answer is 503 with Retry-After, and the connection closes", async () => {
  stopping = true;
  const answer = await door.webhook(body());
  stopping = false;
  expect([answer.status, answer.json.code]).toEqual([503, "stopping"]);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.headers.get("connection")).toBe("close");
});

it("without a connection (inject) a webhook comes the same way", async () => {
  const sent = body();
  const answer = await door.api.inject({
    method: "POST",
    url: "/stripe/webhook/",
    payload: sent,
    headers: { "content-type": "application/json", "stripe-signature": signature(sent) },
  });
  expect([answer.statusCode, answer.body]).toEqual([200, '{"status":"success"}']);
});

it("a refusal is one line of the log with its code, and is counted", async () => {
  door.lines.length = 0;
  door.refused.length = 0;
  await door.webhook(body(), { "stripe-signature": "t=1,v1=00" });
  expect(door.refused).toEqual(["signature_mismatch"]);
  expect(door.lines.map(({ message, outcome, code }) => [message, outcome, code])).toEqual([
    ["event.received", "refused", "signature_mismatch"],
  ]);
});

describe("what the receiver says", () => {
  const answers: (() => Promise<boolean>)[] = [];
  const deliveries: Delivery[] = [];
  let stubbed: Door;
  beforeAll(async () => {
    const receive = async (delivery: Delivery): Promise<boolean> => {
      deliveries.push(delivery);
      return (answers.shift() ?? (async () => true))();
    };
    stubbed = await openDoor("embedded", {
      deps: { receiver: { receive, waiting: () => 0, idle: async () => undefined } },
    });
  });
  afterAll(async () => stubbed.close());

  it("is passed on when it is public: 503 with Retry-After", async () => {
    answers.push(() => Promise.reject(publicError("overloaded", { retryAfter: 7 })));
    const answer = await stubbed.webhook("{}");
    expect([answer.status, answer.json.code, answer.headers.get("retry-after")]).toEqual([503, "overloaded", "7"]);
  });

  it("is kept to ourselves when it is not", async () => {
    answers.push(() => Promise.reject(new Error("the secret cause")));
    const answer = await stubbed.webhook("{}");
    expect([answer.status, answer.json.code]).toEqual([500, "internal"]);
    expect(answer.text).not.toContain("secret cause");
  });

  it("comes from this machine only without a proxy in between", async () => {
    for (const headers of [
      {},
      { "x-forwarded-for": "1.2.3.4" },
      { forwarded: "for=1.2.3.4" },
      { "x-real-ip": "1.2.3.4" },
    ]) {
      await stubbed.webhook("{}", headers);
    }
    expect(deliveries.slice(-4).map(({ fromLoopback }) => fromLoopback)).toEqual([true, false, false, false]);
  });

  it("gets the bytes as they came", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0a, 0xc3, 0x28]);
    await stubbed.webhook(bytes);
    expect(deliveries.at(-1)?.body.equals(bytes)).toBe(true);
  });
});
