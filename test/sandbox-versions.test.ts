// Older API versions: hand-written objects step by step, and the official SDK pinned to 2020-08-27 against the whole sandbox.
import type Stripe from "stripe";
import { afterEach, describe, expect, it } from "vitest";

import { World } from "../sandbox/core/world.ts";
import { renderEvent } from "../sandbox/versions/render-event.ts";
import { olderTargets, render } from "../sandbox/versions/render.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

const OLD = "2020-08-27";

type Fields = Record<string, unknown>;

const world = new World({ seed: 1 });
const shown = (object: object, version: string): Fields =>
  world.run((tx) => render(tx, structuredClone(object), version)) as Fields;

const COUPON = { id: "half", object: "coupon", percent_off: 50 };
const DISCOUNT = {
  id: "di_1",
  object: "discount",
  customer: "cus_1",
  customer_account: null,
  source: { type: "coupon", coupon: COUPON },
  start: 1,
};
const item = (start: number, end: number): Fields => ({
  id: `si_${start}`,
  object: "subscription_item",
  current_period_start: start,
  current_period_end: end,
  plan: { id: "plan_1", object: "plan", usage_type: "licensed", meter: null },
  quantity: 3,
});
const SUBSCRIPTION = {
  id: "sub_1",
  object: "subscription",
  discounts: [DISCOUNT],
  items: { object: "list", data: [item(10, 40), item(20, 50)], has_more: false, url: "/" },
  metadata: { object: "discount", source: "shop" },
  start_date: 10,
  status_details: {},
};
const TAX = {
  amount: 19,
  tax_behavior: "exclusive",
  tax_rate_details: { tax_rate: "txr_1" },
  taxability_reason: "not_available",
  taxable_amount: 100,
  type: "tax_rate_details",
};
const LINE = {
  id: "il_1",
  object: "line_item",
  amount: 100,
  invoice: "in_1",
  parent: {
    type: "subscription_item_details",
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: null,
      proration: false,
      proration_details: null,
      subscription: "sub_1",
      subscription_item: "si_1",
    },
  },
  pricing: { type: "price_details", price_details: { price: "price_1", product: "prod_1" }, unit_amount_decimal: "50" },
  quantity: 2,
  subscription: "sub_1",
  taxes: [TAX],
};
const INVOICE = {
  id: "in_1",
  object: "invoice",
  amount_due: 119,
  amount_paid_off_stripe: 119,
  attempted: true,
  discounts: [],
  lines: { object: "list", data: [LINE], has_more: false, url: "/" },
  parent: {
    type: "subscription_details",
    quote_details: null,
    subscription_details: { metadata: { plan: "a" }, subscription: "sub_1" },
  },
  rendering: null,
  status: "paid",
  total_taxes: [TAX],
};

describe("an object in an older version", () => {
  it("is the stored one itself in the newest version, and in one that nothing has changed since", () => {
    world.run((tx) => {
      for (const version of ["2026-10-28.endive", "2026-09-30.endive"]) {
        expect(render(tx, INVOICE, version)).toBe(INVOICE);
      }
      const list = { object: "list", data: [{ id: "re_1", object: "refund" }] };
      expect(render(tx, list, "2022-11-15")).toBe(list);
    });
  });

  it("has its subscription's period on the subscription before basil, from the earliest start to the latest end", () => {
    const basil = shown(SUBSCRIPTION, "2025-06-30.basil");
    expect(basil).toMatchObject({ items: { data: [item(10, 40), item(20, 50)] } });
    expect(basil).not.toHaveProperty("current_period_end");
    const older = shown(SUBSCRIPTION, "2025-02-24.acacia");
    expect(older).toMatchObject({ current_period_start: 10, current_period_end: 50, plan: null, quantity: null });
    const items = older.items as { data: Fields[] };
    expect(items.data.map((each) => "current_period_end" in each)).toEqual([false, false]);
    expect(items.data[0]?.plan).toMatchObject({ aggregate_usage: null });
    const one = { ...SUBSCRIPTION, items: { ...SUBSCRIPTION.items, data: [item(10, 40)] } };
    expect(shown(one, OLD)).toMatchObject({ plan: { id: "plan_1" }, quantity: 3 });
  });

  it("has the whole coupon in its discount before clover, and one discount besides the many before basil", () => {
    const [dahlia] = shown(SUBSCRIPTION, "2026-03-25.dahlia").discounts as Fields[];
    expect(dahlia).toEqual(DISCOUNT);
    const older = { id: "di_1", object: "discount", customer: "cus_1", coupon: COUPON, start: 1 };
    const basil = shown(SUBSCRIPTION, "2025-08-27.basil");
    expect(basil.discounts).toEqual([older]);
    expect(basil).not.toHaveProperty("discount");
    expect(shown(SUBSCRIPTION, OLD)).toMatchObject({ discount: older, discounts: [older] });
    expect(shown(SUBSCRIPTION, "2020-03-02").discount).not.toHaveProperty("id");
  });

  it("has an invoice's links in both places in acacia, in the older one alone before, in the newer one alone since", () => {
    const places = (version: string): string[] => {
      const invoice = shown(INVOICE, version);
      const { data } = invoice.lines as { data: Fields[] };
      const line = data[0] ?? {};
      const old = ["subscription", "tax", "paid", "payment_intent", "total_tax_amounts"].every(
        (name) => name in invoice,
      );
      const oldLine = ["price", "plan", "type", "proration", "tax_amounts"].every((name) => name in line);
      const isNew = "parent" in invoice && "total_taxes" in invoice && "pricing" in line && "taxes" in line;
      expect(oldLine).toBe(old);
      return [...(old ? ["older"] : []), ...(isNew ? ["newer"] : [])];
    };
    expect(places("2025-03-31.basil")).toEqual(["newer"]);
    expect(places("2024-12-18.acacia")).toEqual(["older", "newer"]);
    expect(places("2024-06-20")).toEqual(["older"]);
    const old = shown(INVOICE, OLD);
    const tax = { amount: 19, inclusive: false, tax_rate: "txr_1", taxability_reason: null, taxable_amount: 100 };
    expect(old).toMatchObject({
      paid: true,
      paid_out_of_band: true,
      subscription: "sub_1",
      subscription_details: { metadata: { plan: "a" } },
      tax: 19,
      total_tax_amounts: [tax],
    });
    const { data } = old.lines as { data: Fields[] };
    expect(data).toMatchObject([
      {
        subscription_item: "si_1",
        proration: false,
        tax_amounts: [tax],
        type: "subscription",
        unit_amount_excluding_tax: "50",
      },
    ]);
  });

  it("has Checkout's older names before dahlia, and its older fields for the address before 2022-08-01", () => {
    const session = {
      id: "cs_1",
      object: "checkout.session",
      collected_information: { shipping_details: { name: "Ada" } },
      shipping_cost: null,
      ui_mode: "hosted_page",
    };
    expect(shown(session, "2026-03-25.dahlia")).toEqual(session);
    expect(shown(session, "2026-02-25.clover")).toMatchObject({ ui_mode: "hosted" });
    expect(shown(session, "2023-08-16")).toMatchObject({ shipping_details: { name: "Ada" } });
    expect(shown(session, OLD)).toMatchObject({ shipping: { name: "Ada" }, shipping_rate: null });
  });

  it("keeps what is the caller's own, what is left of deleted objects, and events, as they are", () => {
    expect(shown(SUBSCRIPTION, OLD).metadata).toEqual(SUBSCRIPTION.metadata);
    for (const object of [
      { id: "di_1", object: "discount", deleted: true },
      { id: "evt_1", object: "event", api_version: "2026-10-28.endive", data: { object: SUBSCRIPTION } },
    ]) {
      expect(shown(object, OLD)).toEqual(object);
    }
  });

  it("says what the ids of its older fields stand for", () => {
    expect(olderTargets("invoice", ["payment_intent"])).toEqual(["payment_intent"]);
    expect(olderTargets("invoice", ["total_tax_amounts", "tax_rate"])).toEqual(["tax_rate"]);
    expect(olderTargets("charge", ["invoice"])).toEqual(["invoice"]);
    expect(olderTargets("invoice", ["number"])).toEqual([]);
  });
});

describe("the SDK of 2020-08-27", () => {
  let sandbox: OpenSandbox;
  afterEach(() => sandbox.close());

  async function subscribed(): Promise<{ old: Stripe; customer: string; subscription: Stripe.Subscription }> {
    sandbox = await openSandbox();
    const old = sandbox.client({ apiVersion: OLD });
    const price = await old.prices.create({
      currency: "usd",
      unit_amount: 1500,
      recurring: { interval: "month" },
      product_data: { name: "Seat" },
    });
    await old.coupons.create({ id: "tenth", percent_off: 10, duration: "forever" });
    const customer = await old.customers.create({
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const subscription = await old.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 2 }],
      discounts: [{ coupon: "tenth" }],
      expand: ["latest_invoice.payment_intent", "latest_invoice.charge.invoice"],
    });
    return { old, customer: customer.id, subscription };
  }

  it("reads and expands the fields that it knows, in answers and in lists", async () => {
    const { old, customer, subscription } = await subscribed();
    expect(subscription).toMatchObject({
      current_period_start: subscription.created,
      discount: { coupon: { id: "tenth", percent_off: 10 } },
      latest_invoice: {
        charge: { object: "charge", invoice: { object: "invoice", paid: true, subscription: subscription.id } },
        lines: {
          data: [{ price: { object: "price", unit_amount: 1500 }, plan: { amount: 1500 }, type: "subscription" }],
        },
        paid: true,
        payment_intent: { object: "payment_intent", charges: { data: [{ paid: true, refunds: { data: [] } }] } },
        subscription: subscription.id,
        total: 2700,
      },
    });
    const { data } = await old.invoices.list({ customer, expand: ["data.payment_intent", "data.subscription"] });
    expect(data).toMatchObject([
      { payment_intent: { status: "succeeded" }, subscription: { id: subscription.id, status: "active" } },
    ]);
    const [intent] = (await old.paymentIntents.list({ customer, expand: ["data.invoice"] })).data;
    expect(intent).toMatchObject({ invoice: { id: data[0]?.id, object: "invoice" } });
    expect(intent).not.toHaveProperty("latest_charge");
    const code = await old.promotionCodes.create({ promotion: { type: "coupon", coupon: "tenth" }, code: "TEN" });
    expect(code).toMatchObject({ coupon: { id: "tenth" } });
    await expect(old.invoices.retrieve(data[0]?.id ?? "", { expand: ["number"] })).rejects.toMatchObject({
      message: "This property cannot be expanded (number).",
    });
    await expect(sandbox.stripe.invoices.list({ customer, expand: ["data.charge"] })).rejects.toMatchObject({
      message: "This property cannot be expanded (data.charge).",
    });
  });

  it("gets events that say what was known when they were raised, however late they are sent", async () => {
    const { old, subscription } = await subscribed();
    const [charge] = (await old.charges.list()).data;
    await old.refunds.create({ charge: charge?.id ?? "", amount: 200 });
    const objectOf = (type: string): unknown =>
      sandbox.world.run((tx) => sandbox.events(type).map((event) => renderEvent(tx, event, OLD)))[0]?.data.object;
    expect(objectOf("invoice.created")).toMatchObject({ paid: false, payment_intent: null, charge: null });
    expect(objectOf("invoice.finalized")).toMatchObject({ paid: false, charge: null });
    expect(objectOf("invoice.paid")).toMatchObject({ paid: true, charge: charge?.id, subscription: subscription.id });
    expect(objectOf("payment_intent.created")).toMatchObject({ charges: { data: [], total_count: 0 } });
    expect(objectOf("payment_intent.succeeded")).toMatchObject({
      charges: { data: [{ id: charge?.id, amount_refunded: 0, refunds: { data: [] } }] },
    });
    expect(objectOf("charge.succeeded")).toMatchObject({ refunds: { data: [] } });
    expect(objectOf("charge.refunded")).toMatchObject({ amount_refunded: 200, refunds: { data: [{ amount: 200 }] } });
  });

  it("gets changes in the words of its version", async () => {
    sandbox = await openSandbox();
    const start = Math.floor(Date.UTC(2026, 0, 15) / 1000);
    const clock = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: start });
    const { id: customer } = await sandbox.stripe.customers.create({
      test_clock: clock.id,
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const { id: price } = await sandbox.stripe.prices.create({
      currency: "usd",
      unit_amount: 900,
      recurring: { interval: "month" },
      product_data: { name: "Seat" },
    });
    const { items, latest_invoice } = await sandbox.stripe.subscriptions.create({ customer, items: [{ price }] });
    await sandbox.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + 32 * 86_400 });
    const [renewed] = sandbox.events("customer.subscription.updated");
    const changed = (event: Stripe.Event | undefined): unknown =>
      event === undefined ? undefined : sandbox.world.run((tx) => renderEvent(tx, event, OLD)).data.previous_attributes;
    expect(renewed?.data.previous_attributes).toHaveProperty("items");
    expect(changed(renewed)).toEqual({
      current_period_start: start,
      current_period_end: items.data[0]?.current_period_end,
      latest_invoice,
    });
    const paid = sandbox
      .events("invoice.updated")
      .findLast(({ data }) => (data.object as Stripe.Invoice).status === "paid");
    expect(changed(paid)).toMatchObject({ charge: null, paid: false, status: "open" });
    expect(changed(paid)).not.toHaveProperty("payment_intent");
  });
});
