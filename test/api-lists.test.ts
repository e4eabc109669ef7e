// The operator's lists: filters, search, pages, and rows with the seed's columns; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { at, CONNECTED, customer, EMAIL, idsOf, openScene } from "./support/operator-scene.ts";
import type { Scene } from "./support/operator-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCharge, newDispute, newPaymentIntent, newRefund } from "./support/stripe-fixtures-payments.ts";

const forged = (values: readonly unknown[]): string => Buffer.from(JSON.stringify(values)).toString("base64url");

describe.each(BOTH)("on the %s database, the operator", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(async () => scene.close());

  it.each([
    ["type=invoice.paid", ["evt_op_paid", "evt_op_unrouted"]],
    ["type=invoice.*", ["evt_op_draft", "evt_op_paid", "evt_op_strange", "evt_op_unrouted"]],
    ["type=invoice_payment.paid", ["evt_op_inpay"]],
    ["type=invoice.created,customer.*", ["evt_op_customer", "evt_op_draft", "evt_op_strange", "evt_op_sub"]],
    ["type=customer_*", []],
    ["status=ignored", ["evt_op_ignored"]],
    ["status=unrouted", ["evt_op_unrouted"]],
    [`status=unrouted&account=${CONNECTED}&since=${BEGIN}&text=in_op_connected`, ["evt_op_unrouted"]],
    [`status=unrouted&account=${CONNECTED}&since=${BEGIN}&until=${BEGIN + 99}`, ["evt_op_unrouted"]],
    ["status=unrouted&account=platform", []],
    [`status=unrouted&until=${BEGIN + 9}`, []],
    ["status=processed&type=coupon.*", []],
    ["status=failed", []],
    ["status=pending", []],
    [`account=${CONNECTED}`, ["evt_op_unrouted"]],
    ["account=platform&type=invoice.paid", ["evt_op_paid"]],
    ["object_id=in_op", ["evt_op_draft", "evt_op_paid"]],
    ["customer=cus_op&type=invoice.*,charge.*", ["evt_op_ch", "evt_op_draft", "evt_op_paid"]],
    ["livemode=true", []],
    [`since=${BEGIN + 8}`, ["evt_op_ignored", "evt_op_strange", "evt_op_unrouted"]],
    [`since=${new Date((BEGIN + 9) * 1000).toISOString()}&until=${BEGIN + 10}`, ["evt_op_unrouted"]],
    ["text=evt_op_paid", ["evt_op_paid"]],
    ["text=in_op", ["evt_op_draft", "evt_op_paid"]],
    [`text=${CONNECTED}`, ["evt_op_unrouted"]],
    [`text=${encodeURIComponent(EMAIL.toLowerCase())}&type=customer.created`, ["evt_op_customer"]],
    [`text=${encodeURIComponent(EMAIL.toUpperCase())}&type=customer.created`, ["evt_op_customer"]],
    ["text=%25", []],
  ])("filters events by %s", async (query, expected) => {
    expect(idsOf(await scene.list(`stripe-events/?limit=100&${query}`))).toEqual(expected);
  });

  it("pages through events and through rows without loss or repetition, also within one second and without a time", async () => {
    const more = Array.from({ length: 7 }, (_, index) =>
      event(
        "customer.created",
        customer(`cus_page_${index}`, { created: index < 3 ? null : BEGIN }),
        at(20, `evt_page_${index}`),
      ),
    );
    for (const one of more) await scene.door.webhook(JSON.stringify(one));
    await scene.door.pipe.drain();
    for (const [path, all] of [
      ["stripe-events/?since=1700000020&", 7],
      ["customers/?", 8],
    ] as const) {
      const seen: string[] = [];
      let cursor = "";
      for (let page = 0; page < 10; page++) {
        const { data, next_cursor, has_more } = await scene.list(`${path}limit=2${cursor}`);
        seen.push(...data.map(({ id }) => id));
        expect(has_more).toBe(next_cursor !== null);
        if (next_cursor === null) break;
        cursor = `&cursor=${next_cursor}`;
      }
      expect([seen.length, new Set(seen).size]).toEqual([all, all]);
    }
    const top = await scene.list("customers/?limit=3");
    expect(top.data.map(({ created_at }) => created_at)).toEqual([null, null, null]);
  });

  it("refuses queries that mean nothing", async () => {
    const bad = [
      "limit=0",
      "limit=101",
      "limit=ten",
      "cursor=x",
      "cursor=WzEsMl0",
      "since=yesterday",
      "since=2026-01-31T00:00:00",
      "until=1e99",
      "status=done",
      "livemode=1",
      "type=",
      "type=a b",
      "type=a,,b",
      "type=inv*ice.paid",
      "account=a|b",
      "object_id=%00",
      "text=%00",
      "text=",
      "limit=1&limit=2",
    ];
    for (const query of bad) {
      const { status, json } = await scene.door.admin("GET", `stripe-events/?${query}`);
      expect([query, status, json.code, json.param]).toEqual([query, 400, "invalid_request", query.split("=")[0]]);
    }
    for (const path of [
      "customers/?status=active",
      "invoices/?status=Paid!",
      "invoices/?cursor=eyJ9",
      `billing-log/?cursor=${forged([1, "a\u0000b"])}`,
      ...[-1, 1.5, 253_370_764_800, 1e12, Number.MAX_SAFE_INTEGER, 1e300].flatMap((seconds) => [
        `stripe-events/?cursor=${forged([seconds, "evt_1"])}`,
        `billing-log/?cursor=${forged([seconds, "evt_1"])}`,
        `customers/?cursor=${forged([seconds, "cus_1", "", false])}`,
      ]),
    ]) {
      expect([path, (await scene.door.admin("GET", path)).status]).toEqual([path, 400]);
    }
  });

  it("sees invoices with the seed's columns, in old and new shapes", async () => {
    const invoice = await scene.get("invoices/in_op/");
    expect(invoice).toMatchObject({
      id: "in_op",
      stripe_invoice_id: "in_op",
      customer_email: EMAIL,
      status: "paid",
      amount: invoice.amount_due,
      customer_id: "cus_op",
      payment_intent_id: "pi_op",
      livemode: false,
      account: null,
      tenant_id: scene.door.pipe.platformTenant,
      order_ambiguous: false,
      unread_fields: [],
      data: { id: "in_op", object: "invoice" },
    });
    expect(invoice.created_at).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect((await scene.door.admin("GET", "invoices/in_nobody/")).status).toBe(404);
    expect((await scene.door.admin("GET", "invoices/in_op/?livemode=true")).status).toBe(404);
  });

  it("finds rows that could not be read", async () => {
    const flagged = await scene.list("invoices/?flagged=true");
    expect(idsOf(flagged)).toEqual(["in_op_strange"]);
    expect(flagged.data[0]?.unread_fields).toContain("amount_due");
    expect((await scene.get("overview/")).rows_with_unread_fields).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ["customers/?text=cus_op", ["cus_op"]],
    ["subscriptions/?text=sub_op", ["sub_op"]],
    ["subscriptions/?text=cus_op&status=active,trialing", ["sub_op"]],
    [`subscriptions/?text=${encodeURIComponent(EMAIL.toUpperCase())}`, ["sub_op"]],
    [`invoices/?text=${encodeURIComponent(EMAIL)}`, ["in_op"]],
    ["invoices/?text=in_op&status=paid", ["in_op"]],
    ["invoices/?customer=cus_op", ["in_op"]],
    ["payments/?customer=cus_op", ["pi_op"]],
    [`payments/?text=${encodeURIComponent(EMAIL)}`, ["pi_op"]],
    ["refunds/?customer=cus_op", ["re_op"]],
    [`refunds/?text=${encodeURIComponent(EMAIL)}`, ["re_op"]],
    ["disputes/?customer=cus_op", ["dp_op"]],
    ["disputes/?text=dp_op", ["dp_op"]],
    ["disputes/?until=2001-01-01", []],
  ])("searches %s", async (path, expected) => {
    expect(idsOf(await scene.list(path))).toEqual(expected);
  });

  it("sees whose a subscription, payment, refund or dispute is", async () => {
    for (const list of ["subscriptions", "payments", "refunds", "disputes"]) {
      const { data } = await scene.list(`${list}/`);
      expect(data.map(({ customer_id }) => customer_id)).toEqual(["cus_op"]);
      expect(data[0]?.customer_email).toMatch(/@/);
    }
    expect((await scene.list("subscriptions/")).data[0]).toMatchObject({
      user: EMAIL,
      plan_id: expect.stringMatching(/^price_/) as string,
    });
  });

  it("finds a payment by the address that its receipt went to", async () => {
    const paid = newPaymentIntent({ id: "pi_receipt", customer: null, receipt_email: "Guest@example.com" });
    const sent = event("payment_intent.succeeded", paid, { ...at(30, "evt_op_receipt"), created: BEGIN - 30 });
    await scene.door.webhook(JSON.stringify(sent));
    await scene.door.pipe.drain();
    expect(idsOf(await scene.list("payments/?text=gUEST%40example.com"))).toEqual(["pi_receipt"]);
  });

  it("finds a refund or dispute as whose it is shown: its own customer's, else its charge's, else its payment's", async () => {
    const whose = { named: "own", both: "own", charged: "charge", intended: "intent", early: "intent" };
    const refund = (name: keyof typeof whose, more: object) =>
      event("refund.created", newRefund({ id: `re_${name}`, ...more }), at(31, `evt_op_${name}`));
    const charged = { charge: "ch_whose", payment_intent: "pi_whose" };
    const made = [
      ...["own", "charge", "intent"].map((name) =>
        event(
          "customer.created",
          customer(`cus_${name}`, { email: `${name}@whose.example` }),
          at(31, `evt_op_cus_${name}`),
        ),
      ),
      event("charge.succeeded", newCharge({ id: "ch_whose", customer: "cus_charge" }), at(31, "evt_op_ch_whose")),
      event("charge.succeeded", newCharge({ id: "ch_guest", customer: null }), at(31, "evt_op_ch_guest")),
      event(
        "payment_intent.succeeded",
        newPaymentIntent({ id: "pi_whose", customer: "cus_intent" }),
        at(31, "evt_op_pi_whose"),
      ),
      refund("named", { charge: null, payment_intent: null, customer: "cus_own" }),
      refund("both", { ...charged, customer: "cus_own" }),
      refund("charged", charged),
      refund("intended", { charge: null, payment_intent: "pi_whose" }),
      refund("early", { charge: "ch_not_come", payment_intent: "pi_whose" }),
      event("charge.dispute.created", newDispute({ id: "dp_charged", ...charged }), at(31, "evt_op_dp_charged")),
      event(
        "charge.dispute.created",
        newDispute({ id: "dp_guest", charge: "ch_guest", payment_intent: "pi_whose" }),
        at(31, "evt_op_dp_guest"),
      ),
    ];
    for (const one of made) await scene.door.webhook(JSON.stringify(one));
    await scene.door.pipe.drain();
    for (const [id, name] of Object.entries(whose))
      expect(await scene.get(`refunds/re_${id}/`)).toMatchObject({
        customer_id: `cus_${name}`,
        customer_email: `${name}@whose.example`,
      });
    const found = {
      own: [["re_both", "re_named"], []],
      charge: [["re_charged"], ["dp_charged"]],
      intent: [["re_early", "re_intended"], ["dp_guest"]],
    };
    for (const [name, [refunds, disputes]] of Object.entries(found))
      for (const query of [`customer=cus_${name}`, `text=cus_${name}`, `text=${name}%40whose.example`]) {
        expect([query, idsOf(await scene.list(`refunds/?${query}`))]).toEqual([query, refunds]);
        expect([query, idsOf(await scene.list(`disputes/?${query}`))]).toEqual([query, disputes]);
      }
  });
});
