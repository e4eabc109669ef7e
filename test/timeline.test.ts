// One customer's story: everything that happened, newest first, effects above their causes, in pages that neither lose nor repeat.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Wire } from "./support/api-door.ts";
import { at, EMAIL, type ListPage, openScene, type Scene } from "./support/operator-scene.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
    await scene.door.pipe.database.query({
      text: `insert into mails (id, tenant_id, cause, template, recipient, status)
             values ('mail_01kac0000000000000000000aa', null, 'a test', 'verify_address', $1, 'kept'),
                    ('mail_01kac0000000000000000000ab', 'ten_other', 'another test', 'verify_address', $1, 'kept')`,
      values: [EMAIL],
    });
  });
  afterAll(async () => scene.close());

  const story = (query = ""): Promise<ListPage> => scene.list(`customers/cus_op/timeline/${query}`);
  const named = (items: readonly Wire[]): string[] => items.map(({ kind: one, id }) => `${String(one)} ${String(id)}`);

  it("tells of what names the customer, and of the refunds, disputes and invoice payments that do not", async () => {
    const { data } = await story("?limit=100&kinds=stripe_event");
    expect(data.map(({ id }) => id).sort()).toEqual([
      ...[
        "evt_op_ch",
        "evt_op_customer",
        "evt_op_dp",
        "evt_op_draft",
        "evt_op_inpay",
        "evt_op_paid",
        "evt_op_pi",
        "evt_op_re",
        "evt_op_sub",
      ],
    ]);
    const times = data.map(({ at }) => String(at));
    expect(times).toEqual(times.toSorted().toReversed());
    expect(data.find(({ id }) => id === "evt_op_paid")).toMatchObject({
      ...{ title: "invoice.paid", status: "paid", outcome: "processed", currency: "usd", object_id: "in_op" },
      ...{ tenant_id: scene.door.pipe.platformTenant, stripe_account: null, livemode: false },
      links: [
        { kind: "stripe_event", id: "evt_op_paid" },
        { kind: "invoice", id: "in_op" },
      ],
    });
  });

  it("what a tenant was told stands directly above the Stripe event that caused it", async () => {
    const { data } = await story("?limit=100");
    const paid = data.findIndex(({ id }) => id === "evt_op_paid");
    const above = data.slice(0, paid).toReversed();
    const told = above.slice(
      0,
      above.findIndex(({ kind: one }) => one === "stripe_event"),
    );
    expect(told.map(({ title }) => title)).toContain("invoice.paid");
    expect(told.every(({ kind: one }) => one === "event")).toBe(true);
  });

  it("pages of any size tell the same story", async () => {
    const { data: whole } = await story("?limit=100");
    expect(new Set(named(whole)).size).toBe(whole.length);
    for (const limit of [1, 2, 3, 7]) {
      const seen: Wire[] = [];
      let cursor = "";
      for (let page = 0; page < 100; page += 1) {
        const { data, next_cursor: next, has_more: more } = await story(`?limit=${String(limit)}${cursor}`);
        expect(data.length).toBeLessThanOrEqual(limit);
        seen.push(...data);
        if (!more || next === null) break;
        cursor = `&cursor=${next}`;
      }
      expect([limit, named(seen)]).toEqual([limit, named(whole)]);
    }
  });

  it("tells of mails to the customer's address, of the tenant or of nobody's", async () => {
    const { data } = await story("?kinds=mail");
    expect(named(data)).toEqual(["mail mail_01kac0000000000000000000aa"]);
  });

  it("an account's story has its credits, what was told of them, and their deliveries", async () => {
    const { door } = scene;
    const tenant = await registerTenant(door);
    const post = (path: string, body: object, key: string) =>
      send(door, "POST", path, {
        ...{ token: tenant.access, body },
        headers: { "billhook-mode": "test", "idempotency-key": key },
      });
    await post("/api/v1/webhook-endpoints/", { url: "https://hooks.timeline.example/in" }, "e");
    const { json } = await post("/api/v1/accounts/", { email: "story@timeline.example" }, "a");
    const id = String(json.id);
    await post(`/api/v1/accounts/${id}/credits/grant/`, { amount: 50, reason: "gift" }, "g");
    await post(`/api/v1/accounts/${id}/credits/spend/`, { amount: 20, reason: "use" }, "s");
    const { data } = await scene.list(`customers/${id}/timeline/`);
    expect(data.map(({ kind: one, title, credits }) => [one, one === "delivery" ? "" : title, credits])).toEqual(
      expect.arrayContaining([
        ["credit_entry", "spend", -20],
        ["credit_entry", "grant", 50],
        ["event", "credit.granted", null],
        ["delivery", "", null],
      ]),
    );
    expect(data[0]).toMatchObject({ title: "spend", balance_after: 30, account_id: id, tenant_id: tenant.id });
    const kinds = data.map(({ kind: one }) => one);
    expect(kinds.indexOf("delivery")).toBeLessThan(kinds.indexOf("event"));
  });

  it("tells of a customer that only its objects have named", async () => {
    const invoice = newInvoice({ id: "in_named", customer: "cus_named", ...PAID });
    const sent = event("invoice.paid", invoice, at(40, "evt_named"));
    await scene.door.webhook(JSON.stringify(sent));
    await scene.door.pipe.drain();
    const path = "customers/cus_named/timeline/";
    expect((await scene.list(`${path}?kinds=stripe_event`)).data).toMatchObject([
      { id: "evt_named", tenant_id: scene.door.pipe.platformTenant, stripe_account: null, livemode: false },
    ]);
    for (const scope of ["livemode=true", "account=acct_other"])
      expect([scope, (await scene.door.admin("GET", `${path}?${scope}`)).status]).toEqual([scope, 404]);
  });

  it("refuses what is no customer, no kind and no cursor", async () => {
    const status = async (path: string) => (await scene.door.admin("GET", `customers/${path}`)).status;
    expect(await status("cus_nobody/timeline/")).toBe(404);
    expect(await status("acc_00000000000000000000000000/timeline/")).toBe(404);
    expect(await status("cus_op/timeline/?account=acct_other")).toBe(404);
    expect(await status("cus_op/timeline/?kinds=mail,nonsense")).toBe(400);
    const forged = (values: unknown[]) => Buffer.from(JSON.stringify(values)).toString("base64url");
    for (const cursor of [
      "x",
      forged([1, 2]),
      forged(["9".repeat(15), "mail", "x", "x"]),
      forged(["1", "moon", "x", "x"]),
    ])
      expect(await status(`cus_op/timeline/?cursor=${cursor}`)).toBe(400);
  });
});
