// What `billhook send` prepares: events from files, fresh ones, orders, and the secret of each.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import { Secret } from "../base/secret.ts";
import { secretOf } from "./deliver-events.ts";
import { readEventFiles } from "./event-files.ts";
import type { EventToSend } from "./event-files.ts";
import { freshEvents } from "./fresh-events.ts";
import { shuffled } from "./shuffle.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-send-"));
afterAll(() => rmSync(folder, { recursive: true }));

const event = (id: string, more: object = {}) => ({
  id,
  object: "event",
  type: "invoice.paid",
  created: 1_700_000_000,
  livemode: false,
  data: { object: { id: "in_1", object: "invoice" } },
  ...more,
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const failureOf = async (path: string): Promise<string> =>
  readEventFiles([path]).then(
    () => "no failure",
    (error: unknown) => (error instanceof Error ? error.message : "no error"),
  );

describe("events are read from", () => {
  it("a file that is one event, byte for byte", async () => {
    const text = `  ${JSON.stringify(event("evt_1"), null, 3)}\n`;
    expect(await readEventFiles([file("one.json", text)])).toMatchObject([{ id: "evt_1", body: text, account: "" }]);
  });

  it.each([
    ["an array", JSON.stringify([event("evt_1"), event("evt_2")])],
    ["a list as Stripe's API answers it", JSON.stringify({ object: "list", data: [event("evt_1"), event("evt_2")] })],
    ["lines", `${JSON.stringify(event("evt_1"))}\r\n\n${JSON.stringify(event("evt_2"))}\n`],
  ])("%s", async (_, text) => {
    expect((await readEventFiles([file("several.json", text)])).map(({ id }) => id)).toEqual(["evt_1", "evt_2"]);
  });

  it.each([
    ["indented", JSON.stringify(event("evt_1"), null, 2)],
    ["with lines", `${JSON.stringify(event("evt_1"))}\n${JSON.stringify(event("evt_2"))}\n`],
    ["that is a list", JSON.stringify([event("evt_1")])],
  ])("a file %s behind a byte order mark, which is not sent", async (_, text) => {
    const [first] = await readEventFiles([file("marked.json", `\ufeff${text}`)]);
    expect([first?.id, first?.body.startsWith("{")]).toEqual(["evt_1", true]);
  });

  it("a folder whose subfolder is named as an event file is", async () => {
    const parent = mkdtempSync(join(folder, "parent-"));
    mkdirSync(join(parent, "archive.json"));
    for (const name of ["archive.json/b.json", "c.json"])
      writeFileSync(join(parent, name), JSON.stringify(event(`evt_${name.at(-6) ?? ""}`)));
    symlinkSync(join(parent, "c.json"), join(parent, "link.json"));
    expect((await readEventFiles([parent])).map(({ id }) => id)).toEqual(["evt_b", "evt_c", "evt_c"]);
  });

  it("the repository's example, in the order of the files' names", async () => {
    const types = (await readEventFiles(["examples/first-invoice"])).map(({ type }) => type);
    expect(types).toEqual([
      "customer.created",
      "invoice.created",
      "invoice.finalized",
      "invoice.payment_failed",
      "invoice.paid",
    ]);
  });
});

describe("a file that cannot be sent is named with the reason", () => {
  it.each([
    ["broken.json", "{", "the body is not JSON"],
    ["empty.json", " \n", "it is empty"],
    ["other.json", "{}", "`object` is neither"],
    ["lines.ndjson", `${JSON.stringify(event("evt_1"))}\n{"object":"event"}\n`, "line 2: `id`"],
    ["none.json", "[]", "it holds no event"],
    ["none-listed.json", '{"object":"list","data":[]}', "it holds no event"],
    ["list.json", JSON.stringify([event("evt_1"), 7]), "event 2: the body is not a JSON object"],
  ])("%s", async (name, text, reason) => {
    const path = file(name, text);
    const failure = await failureOf(path);
    expect(failure).toContain(path);
    expect(failure).toContain(reason);
    expect(failure).toContain("Nothing was sent");
  });

  it("a path that is not there, and a folder without events", async () => {
    expect(await failureOf(join(folder, "nowhere"))).toContain("cannot be read");
    expect(await failureOf(mkdtempSync(join(folder, "empty-")))).toContain("no .json");
  });
});

describe("fresh events", () => {
  const asEvents = (list: object[]): EventToSend[] =>
    list.map((body) => {
      const { id, type } = body as { id: string; type: string };
      return { id, type, account: "", body: JSON.stringify(body), file: "" };
    });

  it("keep telling of the same objects under new ids, and end now", () => {
    const customer = event("evt_0", { created: 1_699_999_990, data: { object: { id: "cus_1", object: "customer" } } });
    const invoice = event("evt_1", {
      account: "acct_1",
      data: {
        object: {
          id: "in_1",
          object: "invoice",
          customer: "cus_1",
          charge: "ch_unknown",
          lines: [{ invoice: "in_1" }],
        },
      },
    });
    const fresh = freshEvents(asEvents([customer, invoice]), "new", 1_800_000_000).map(({ body }) => JSON.parse(body));
    expect(fresh[0]).toMatchObject({ id: "evt_0_new", created: 1_799_999_990, data: { object: { id: "cus_1_new" } } });
    expect(fresh[1]).toMatchObject({ id: "evt_1_new", created: 1_800_000_000, account: "acct_1", object: "event" });
    expect(fresh[1].data.object).toEqual({
      id: "in_1_new",
      object: "invoice",
      customer: "cus_1_new",
      charge: "ch_unknown",
      lines: [{ invoice: "in_1_new" }],
    });
  });

  it("may be more than a call takes arguments", () => {
    const [first = ""] = asEvents([event("evt_0")]).map(({ body }) => body);
    const many = Array.from({ length: 150_000 }, (_, index) => ({
      ...{ id: `evt_${index}`, type: "invoice.paid", account: "", file: "" },
      body: first,
    }));
    expect(JSON.parse(freshEvents(many, "new", 1_800_000_000).at(-1)?.body ?? "")).toMatchObject({
      created: 1_800_000_000,
    });
  });

  it("leave the ids of accounts as they are, and write a thin event's time as it was written", () => {
    const account = event("evt_0", { account: "acct_1", data: { object: { id: "acct_1", object: "account" } } });
    const thin = {
      id: "evt_1",
      object: "v2.core.event",
      type: "v1.invoice.paid",
      created: "2023-11-14T22:13:20.000Z",
      related_object: { id: "in_1", type: "invoice", url: "/v1/invoices/in_1" },
    };
    const fresh = freshEvents(asEvents([account, thin]), "new", 1_700_000_100).map(({ body }) => JSON.parse(body));
    expect(fresh[0].data.object.id).toBe("acct_1");
    expect(fresh[1]).toMatchObject({ created: "2023-11-14T22:15:00.000Z", related_object: { id: "in_1_new" } });
  });
});

describe("a shuffle", () => {
  it("keeps every item, and its seed repeats it", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), fc.nat(), (items, seed) => {
        const once = shuffled(items, seed);
        expect([...once].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
        expect(shuffled(items, seed)).toEqual(once);
      }),
    );
  });

  it("differs from seed to seed", () => {
    const items = Array.from({ length: 10 }, (_, index) => index);
    const orders = new Set(Array.from({ length: 100 }, (_, seed) => shuffled(items, seed).join()));
    expect(orders.size).toBeGreaterThan(95);
  });
});

it("an event is signed with the secret of the endpoint that it comes to", () => {
  const secrets = [
    { secret: new Secret("whsec_connect_secret"), variable: "STRIPE_CONNECT_WEBHOOK_SECRET" },
    { secret: new Secret("whsec_platform_secret"), variable: "STRIPE_WEBHOOK_SECRET" },
  ];
  const sent = (account: string): EventToSend => ({ id: "evt_1", type: "t", account, body: "", file: "" });
  expect(secretOf(sent("acct_1"), secrets)?.reveal()).toBe("whsec_connect_secret");
  expect(secretOf(sent(""), secrets)?.reveal()).toBe("whsec_platform_secret");
  expect(secretOf(sent("acct_1"), secrets.slice(1))?.reveal()).toBe("whsec_platform_secret");
  expect(secretOf(sent(""), [])).toBeUndefined();
});
