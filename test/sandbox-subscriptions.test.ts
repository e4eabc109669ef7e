// Subscriptions of the sandbox, driven by Stripe's SDK: how they begin, are paid, change and end.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { idOf } from "../sandbox/core/kinds.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

const DAY = 86_400;
const nameOf = (reference: string | { id: string } | null): string => idOf(reference) ?? "";
let sandbox: OpenSandbox;
let gold: Stripe.Price;
let silver: Stripe.Price;
let yearly: Stripe.Price;

beforeAll(async () => {
  sandbox = await openSandbox();
  const { prices, products } = sandbox.stripe;
  const product = await products.create({ name: "Gold" });
  const monthly = { interval: "month" } as const;
  gold = await prices.create({ product: product.id, currency: "usd", unit_amount: 3000, recurring: monthly });
  silver = await prices.create({ product: product.id, currency: "usd", unit_amount: 1000, recurring: monthly });
  yearly = await prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 30_000,
    recurring: { interval: "year" },
  });
});
afterAll(() => sandbox.close());

async function customerWith(card: string | undefined, clock?: string): Promise<string> {
  const customer = await sandbox.stripe.customers.create({
    ...(card === undefined ? {} : { payment_method: card, invoice_settings: { default_payment_method: card } }),
    ...(clock === undefined ? {} : { test_clock: clock }),
  });
  return customer.id;
}

async function subscribe(
  customer: string,
  params: Omit<Stripe.SubscriptionCreateParams, "customer"> = {},
): Promise<Stripe.Subscription> {
  return sandbox.stripe.subscriptions.create({ customer, items: [{ price: gold.id }], ...params });
}

async function clockAt(text: string): Promise<string> {
  const clock = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: Date.parse(text) / 1000 });
  return clock.id;
}

async function advance(clock: string, text: string | number): Promise<void> {
  const frozen_time = typeof text === "number" ? text : Date.parse(text) / 1000;
  await sandbox.stripe.testHelpers.testClocks.advance(clock, { frozen_time });
  const after = await sandbox.stripe.testHelpers.testClocks.retrieve(clock);
  expect(after).toMatchObject({ status: "ready", frozen_time });
}

const read = (id: string): Promise<Stripe.Subscription> => sandbox.stripe.subscriptions.retrieve(id);
const invoicesOf = async (subscription: string): Promise<Stripe.Invoice[]> =>
  (await sandbox.stripe.invoices.list({ subscription, limit: 100 })).data;
/** The types of the events whose object is of this subscription, the oldest first. */
const eventsOf = (id: string, type: string): Stripe.Event[] =>
  sandbox.events(type).filter(({ data }) => JSON.stringify(data.object).includes(id));

describe("a new subscription", () => {
  it("is active once its first invoice is paid, and says so in one event", async () => {
    const subscription = await subscribe(await customerWith("pm_card_visa"));
    expect(subscription.status).toBe("active");
    const [item] = subscription.items.data;
    expect(item?.current_period_start).toBe(subscription.start_date);
    const [invoice] = await invoicesOf(subscription.id);
    expect(invoice).toMatchObject({ id: subscription.latest_invoice, status: "paid", amount_paid: 3000 });
    expect(eventsOf(subscription.id, "customer.subscription.created")).toHaveLength(1);
    expect(eventsOf(subscription.id, "customer.subscription.updated")).toHaveLength(0);
  });

  it("is incomplete when the card is declined, and active when another card pays", async () => {
    const customer = await customerWith("pm_card_chargeCustomerFail");
    const subscription = await subscribe(customer);
    expect(subscription.status).toBe("incomplete");
    await sandbox.stripe.invoices.pay(nameOf(subscription.latest_invoice), { payment_method: "pm_card_visa" });
    expect((await read(subscription.id)).status).toBe("active");
    const [updated] = eventsOf(subscription.id, "customer.subscription.updated");
    expect(updated?.data.previous_attributes).toEqual({ status: "incomplete" });
  });

  it("is not made at all with error_if_incomplete", async () => {
    const customer = await customerWith("pm_card_chargeCustomerFail");
    const failed = subscribe(customer, { payment_behavior: "error_if_incomplete" });
    await expect(failed).rejects.toMatchObject({ statusCode: 402, type: "StripeCardError", code: "card_declined" });
    expect((await sandbox.stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
  });

  it("waits for the customer with default_incomplete", async () => {
    const subscription = await subscribe(await customerWith(undefined), {
      payment_behavior: "default_incomplete",
      payment_settings: { save_default_payment_method: "on_subscription" },
      expand: ["latest_invoice.confirmation_secret"],
    });
    expect(subscription.status).toBe("incomplete");
    const secret = (subscription.latest_invoice as Stripe.Invoice).confirmation_secret?.client_secret ?? "";
    await sandbox.stripe.paymentIntents.confirm(secret.split("_secret_")[0] ?? "", { payment_method: "pm_card_visa" });
    const after = await read(subscription.id);
    expect(after.status).toBe("active");
    expect(after.default_payment_method).toMatch(/^pm_/);
  });

  it("needs something to charge", async () => {
    const failed = subscribe(await customerWith(undefined));
    await expect(failed).rejects.toMatchObject({ statusCode: 400, code: "resource_missing" });
  });

  it("in a trial costs nothing, asks for a card, and tells three days before the end", async () => {
    const subscription = await subscribe(await customerWith(undefined), { trial_period_days: 2 });
    expect(subscription).toMatchObject({ status: "trialing", pending_setup_intent: expect.stringMatching(/^seti_/) });
    expect(eventsOf(subscription.id, "customer.subscription.trial_will_end")).toHaveLength(1);
    const [invoice] = await invoicesOf(subscription.id);
    expect(invoice).toMatchObject({ status: "paid", total: 0 });
  });

  it("that is sent is active with a draft to be paid later", async () => {
    const sent = { collection_method: "send_invoice", days_until_due: 10 } as const;
    const subscription = await subscribe(await customerWith(undefined), sent);
    expect(subscription.status).toBe("active");
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({
      status: "draft",
      collection_method: "send_invoice",
    });
  });

  it("takes a coupon, more items and things that are billed once", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 50, duration: "forever" });
    const product = nameOf(gold.product);
    const subscription = await subscribe(await customerWith("pm_card_visa"), {
      items: [{ price: gold.id, quantity: 2 }, { price: silver.id }],
      discounts: [{ coupon: coupon.id }],
      add_invoice_items: [{ price_data: { currency: "usd", product, unit_amount: 500 } }],
    });
    const [invoice] = await invoicesOf(subscription.id);
    expect(invoice).toMatchObject({ subtotal: 7500, total: 3750, status: "paid" });
    expect(subscription.discounts).toHaveLength(1);
  });

  it("with a later anchor pays for the part of the month until then", async () => {
    const clock = await clockAt("2027-03-01T00:00:00Z");
    const customer = await customerWith("pm_card_visa", clock);
    const anchor = Date.parse("2027-03-16T12:00:00Z") / 1000;
    const subscription = await subscribe(customer, { billing_cycle_anchor: anchor });
    expect(subscription.items.data[0]?.current_period_end).toBe(anchor);
    const cycle = anchor - Date.parse("2027-02-16T12:00:00Z") / 1000;
    const share = (anchor - Date.parse("2027-03-01T00:00:00Z") / 1000) / cycle;
    expect((await invoicesOf(subscription.id))[0]?.total).toBe(Math.round(3000 * share));
  });

  it("expires when nobody pays within 23 hours", async () => {
    const clock = await clockAt("2027-01-10T00:00:00Z");
    const customer = await customerWith("pm_card_chargeCustomerFail", clock);
    const subscription = await subscribe(customer);
    await advance(clock, "2027-01-10T22:59:59Z");
    expect((await read(subscription.id)).status).toBe("incomplete");
    await advance(clock, "2027-01-10T23:00:00Z");
    expect((await read(subscription.id)).status).toBe("incomplete_expired");
    expect((await invoicesOf(subscription.id))[0]?.status).toBe("void");
  });
});

describe("time", () => {
  it("renews at the end of the month, by a draft that is paid an hour later", async () => {
    const clock = await clockAt("2027-01-31T10:00:00Z");
    const subscription = await subscribe(await customerWith("pm_card_visa", clock));
    await advance(clock, "2027-02-28T10:00:00Z");
    const renewed = await read(subscription.id);
    const end = Date.parse("2027-03-31T10:00:00Z") / 1000;
    expect(renewed.items.data[0]).toMatchObject({ current_period_end: end });
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({
      status: "draft",
      billing_reason: "subscription_cycle",
    });
    const [updated] = eventsOf(subscription.id, "customer.subscription.updated");
    expect(Object.keys(updated?.data.previous_attributes ?? {}).sort()).toEqual(["items", "latest_invoice"]);
    expect(eventsOf(subscription.id, "invoice.upcoming")).toHaveLength(1);
    await advance(clock, "2027-02-28T12:00:00Z");
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({ status: "paid", amount_paid: 3000 });
    expect((await read(subscription.id)).status).toBe("active");
  });

  it("ends a trial with the first paid period", async () => {
    const clock = await clockAt("2027-01-01T00:00:00Z");
    const subscription = await subscribe(await customerWith("pm_card_visa", clock), { trial_period_days: 14 });
    await advance(clock, "2027-01-12T00:00:00Z");
    expect(eventsOf(subscription.id, "customer.subscription.trial_will_end")).toHaveLength(1);
    await advance(clock, "2027-01-15T02:00:00Z");
    expect((await read(subscription.id)).status).toBe("active");
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({ status: "paid", amount_paid: 3000 });
  });

  it.each([
    ["pause", "paused"],
    ["cancel", "canceled"],
  ] as const)("ends a trial without a card as told: %s", async (missing_payment_method, status) => {
    const clock = await clockAt("2027-01-01T00:00:00Z");
    const trial_settings = { end_behavior: { missing_payment_method } };
    const subscription = await subscribe(await customerWith(undefined, clock), {
      trial_period_days: 7,
      trial_settings,
    });
    await advance(clock, "2027-01-08T00:00:00Z");
    expect((await read(subscription.id)).status).toBe(status);
  });

  it("makes it past due when the card stops working, and cancels it after the last retry", async () => {
    const clock = await clockAt("2027-01-01T00:00:00Z");
    const customer = await customerWith("pm_card_visa", clock);
    const subscription = await subscribe(customer);
    const broken = await sandbox.stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer });
    await sandbox.stripe.customers.update(customer, { invoice_settings: { default_payment_method: broken.id } });
    await advance(clock, "2027-02-01T02:00:00Z");
    expect((await read(subscription.id)).status).toBe("past_due");
    await advance(clock, "2027-02-25T00:00:00Z");
    const ended = await read(subscription.id);
    expect(ended).toMatchObject({ status: "canceled", cancellation_details: { reason: "payment_failed" } });
    expect(eventsOf(subscription.id, "customer.subscription.deleted")).toHaveLength(1);
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({ status: "open", attempt_count: 4 });
  });

  it("cancels at the period's end as asked", async () => {
    const clock = await clockAt("2027-01-01T00:00:00Z");
    const subscription = await subscribe(await customerWith("pm_card_visa", clock));
    const asked = await sandbox.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
    expect(asked).toMatchObject({ status: "active", cancel_at: Date.parse("2027-02-01T00:00:00Z") / 1000 });
    await advance(clock, "2027-02-01T00:00:00Z");
    expect(await read(subscription.id)).toMatchObject({ status: "canceled" });
    expect(await invoicesOf(subscription.id)).toHaveLength(1);
  });

  it("leaves invoices aside while collection is paused, and goes on when that ends", async () => {
    const clock = await clockAt("2027-01-01T00:00:00Z");
    const subscription = await subscribe(await customerWith("pm_card_visa", clock));
    const resumes_at = Date.parse("2027-02-15T00:00:00Z") / 1000;
    await sandbox.stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: "void", resumes_at } });
    await advance(clock, "2027-02-01T03:00:00Z");
    expect((await invoicesOf(subscription.id))[0]?.status).toBe("void");
    await advance(clock, "2027-02-16T00:00:00Z");
    expect(await read(subscription.id)).toMatchObject({ status: "active", pause_collection: null });
  });
});

describe("a change", () => {
  const halfway = "2027-04-16T00:00:00Z";

  async function halfAMonth(): Promise<Stripe.Subscription> {
    const clock = await clockAt("2027-04-01T00:00:00Z");
    const subscription = await subscribe(await customerWith("pm_card_visa", clock));
    await advance(clock, halfway);
    return subscription;
  }

  const change = (subscription: Stripe.Subscription, params: Stripe.SubscriptionUpdateParams) => {
    const id = subscription.items.data[0]?.id ?? "";
    return sandbox.stripe.subscriptions.update(subscription.id, { ...params, items: [{ id, ...params.items?.[0] }] });
  };

  it("of the price in the middle of a month leaves a credit and a debit for the next invoice", async () => {
    const subscription = await halfAMonth();
    await change(subscription, { items: [{ price: silver.id, quantity: 2 }] });
    const customer = nameOf(subscription.customer);
    const items = await sandbox.stripe.invoiceItems.list({ customer, pending: true });
    expect(items.data.map(({ amount, proration }) => [amount, proration])).toEqual([
      [1000, true],
      [-1500, true],
    ]);
    expect(items.data[1]?.description).toBe("Unused time on Gold after 16 Apr 2027");
    expect(await invoicesOf(subscription.id)).toHaveLength(1);
  });

  it("is billed at once with always_invoice", async () => {
    const subscription = await halfAMonth();
    const after = await change(subscription, { items: [{ quantity: 3 }], proration_behavior: "always_invoice" });
    const [invoice] = await invoicesOf(subscription.id);
    expect(invoice).toMatchObject({ status: "paid", total: 3000, billing_reason: "subscription_update" });
    expect(after.latest_invoice).toBe(invoice?.id);
  });

  it("leaves nothing with none", async () => {
    const subscription = await halfAMonth();
    await change(subscription, { items: [{ quantity: 3 }], proration_behavior: "none" });
    const { data } = await sandbox.stripe.invoiceItems.list({ customer: nameOf(subscription.customer), pending: true });
    expect(data).toEqual([]);
  });

  it("to a yearly price begins a new year now, less what is left of the month", async () => {
    const subscription = await halfAMonth();
    const after = await change(subscription, { items: [{ price: yearly.id }] });
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({ status: "paid", total: 28_500 });
    const end = Date.parse("2028-04-16T00:00:00Z") / 1000;
    expect(after.items.data[0]?.current_period_end).toBe(end);
  });

  it("that is not paid for waits, with pending_if_incomplete", async () => {
    const subscription = await halfAMonth();
    const customer = nameOf(subscription.customer);
    const broken = await sandbox.stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer });
    await sandbox.stripe.customers.update(customer, { invoice_settings: { default_payment_method: broken.id } });
    const how = { proration_behavior: "always_invoice", payment_behavior: "pending_if_incomplete" } as const;
    const waiting = await change(subscription, { items: [{ quantity: 5 }], ...how });
    expect(waiting.status).toBe("active");
    expect(waiting.items.data[0]?.quantity).toBe(1);
    expect(waiting.pending_update?.subscription_items?.[0]?.quantity).toBe(5);
    await sandbox.stripe.invoices.pay(nameOf(waiting.latest_invoice), { payment_method: "pm_card_visa" });
    const after = await read(subscription.id);
    expect(after.pending_update).toBeNull();
    expect(after.items.data[0]?.quantity).toBe(5);
    expect(eventsOf(subscription.id, "customer.subscription.pending_update_applied")).toHaveLength(1);
  });

  it("of metadata and of an ended subscription keep to Stripe's rules", async () => {
    const subscription = await halfAMonth();
    const { subscriptions } = sandbox.stripe;
    const tagged = await subscriptions.update(subscription.id, { metadata: { team: "7" } });
    expect(tagged.metadata).toEqual({ team: "7" });
    const ended = await subscriptions.cancel(subscription.id, { invoice_now: true, prorate: true });
    expect(ended).toMatchObject({ status: "canceled", cancellation_details: { reason: "cancellation_requested" } });
    await expect(subscriptions.update(subscription.id, { description: "x" })).rejects.toMatchObject({
      code: "invalid_canceled_subscription_fields",
    });
    await expect(subscriptions.cancel(subscription.id)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("adds and removes items one by one", async () => {
    const subscription = await halfAMonth();
    const { subscriptionItems } = sandbox.stripe;
    const item = await subscriptionItems.create({ subscription: subscription.id, price: silver.id, quantity: 4 });
    expect(item).toMatchObject({ quantity: 4, subscription: subscription.id });
    await subscriptionItems.update(item.id, { quantity: 5 });
    expect((await subscriptionItems.list({ subscription: subscription.id })).data).toHaveLength(2);
    expect(await subscriptionItems.del(item.id)).toMatchObject({ deleted: true });
    await expect(subscriptionItems.retrieve(item.id)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("pauses with a credit and resumes with a new period", async () => {
    const subscription = await halfAMonth();
    const paused = await sandbox.stripe.subscriptions.pause(subscription.id);
    expect(paused.status).toBe("paused");
    expect(paused.status_details?.paused.subscription.type).toBe("pause_requested");
    const resumed = await sandbox.stripe.subscriptions.resume(subscription.id);
    expect(resumed.status).toBe("active");
    expect((await invoicesOf(subscription.id))[0]).toMatchObject({ status: "paid", total: 1500 });
    expect(eventsOf(subscription.id, "customer.subscription.resumed")).toHaveLength(1);
  });
});

describe("finding them", () => {
  it("lists by status and price, and searches by metadata", async () => {
    const customer = await customerWith("pm_card_visa");
    const one = await subscribe(customer, { metadata: { team: "search-me" } });
    const two = await subscribe(customer, { items: [{ price: silver.id }] });
    await sandbox.stripe.subscriptions.cancel(two.id);
    const list = async (params: Stripe.SubscriptionListParams) =>
      (await sandbox.stripe.subscriptions.list({ customer, ...params })).data.map(({ id }) => id);
    expect(await list({})).toEqual([one.id]);
    expect(await list({ status: "all" })).toEqual([two.id, one.id]);
    expect(await list({ status: "ended" })).toEqual([two.id]);
    expect(await list({ status: "all", price: silver.id })).toEqual([two.id]);
    const found = await sandbox.stripe.subscriptions.search({ query: "metadata['team']:'search-me'" });
    expect(found.data.map(({ id }) => id)).toEqual([one.id]);
  });

  it("needs known prices, of one currency, that recur", async () => {
    const customer = await customerWith("pm_card_visa");
    const once = await sandbox.stripe.prices.create({ product: nameOf(gold.product), currency: "usd", unit_amount: 1 });
    await expect(subscribe(customer, { items: [{ price: once.id }] })).rejects.toMatchObject({
      param: "items[0][price]",
    });
    await expect(subscribe(customer, { items: [{ price: "price_no" }] })).rejects.toMatchObject({
      statusCode: 400,
      code: "resource_missing",
      param: "items[0][price]",
    });
    await expect(subscribe("cus_no")).rejects.toMatchObject({ statusCode: 400, param: "customer" });
    await expect(read("sub_no")).rejects.toMatchObject({ statusCode: 404, message: "No such subscription: 'sub_no'" });
    const soon = Math.floor(Date.now() / 1000) + 60 * DAY;
    await expect(subscribe(customer, { billing_cycle_anchor: soon })).rejects.toMatchObject({
      param: "billing_cycle_anchor",
    });
  });
});
