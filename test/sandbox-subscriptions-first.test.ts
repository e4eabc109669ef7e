// The first invoice of a subscription: who tries it again, where its money goes; and what subscriptions refuse.
import type Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

const DAY = 86_400;
const START = Date.UTC(2026, 3, 1) / 1000;

let sandbox: OpenSandbox;
let price: Stripe.Price;
beforeAll(async () => {
  sandbox = await openSandbox();
  price = await monthly(1000);
});
afterAll(() => sandbox.close());

const monthly = (unit_amount: number): Promise<Stripe.Price> =>
  sandbox.stripe.prices.create({
    currency: "usd",
    unit_amount,
    recurring: { interval: "month" },
    product_data: { name: "Gold" },
  });

async function onClock(card: string): Promise<{ customer: string; advance: (days: number) => Promise<unknown> }> {
  const { testClocks } = sandbox.stripe.testHelpers;
  const clock = await testClocks.create({ frozen_time: START });
  const { id } = await sandbox.stripe.customers.create({
    test_clock: clock.id,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  });
  return {
    customer: id,
    advance: (days) => testClocks.advance(clock.id, { frozen_time: START + days * DAY }),
  };
}

test("the draft that a schedule begins with is tried again like a renewal, and ends the subscription at last", async () => {
  const { customer, advance } = await onClock("pm_card_chargeCustomerFail");
  const schedule = await sandbox.stripe.subscriptionSchedules.create({
    customer,
    start_date: "now",
    phases: [{ items: [{ price: price.id }], duration: { interval: "month", interval_count: 6 } }],
  });
  const of = schedule.subscription as string;
  const now = () => sandbox.stripe.subscriptions.retrieve(of, { expand: ["latest_invoice"] });
  expect(await now()).toMatchObject({ status: "active", latest_invoice: { status: "draft", auto_advance: true } });
  await advance(1);
  const late = await now();
  expect(late).toMatchObject({ status: "past_due", latest_invoice: { status: "open", attempt_count: 1 } });
  expect((late.latest_invoice as Stripe.Invoice).next_payment_attempt).toBe(START + 3600 + 3 * DAY);
  await advance(20);
  expect(await now()).toMatchObject({
    status: "canceled",
    cancellation_details: { reason: "payment_failed" },
    latest_invoice: { status: "open", attempt_count: 4, auto_advance: false },
  });
});

test("an incomplete subscription's invoice is left to the customer: nothing tries it until it expires", async () => {
  const { customer, advance } = await onClock("pm_card_visa");
  const { id, latest_invoice } = await sandbox.stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    payment_behavior: "default_incomplete",
    expand: ["latest_invoice"],
  });
  expect(latest_invoice).toMatchObject({ auto_advance: false, next_payment_attempt: null, attempt_count: 0 });
  await advance(0.9);
  expect(await sandbox.stripe.subscriptions.retrieve(id)).toMatchObject({ status: "incomplete" });
  await advance(1);
  expect(await sandbox.stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] })).toMatchObject({
    status: "incomplete_expired",
    latest_invoice: { status: "void", attempt_count: 0 },
  });
});

test("transfer_data.amount_percent sends its share of each invoice to the connected account", async () => {
  const account = await sandbox.stripe.accounts.create({
    country: "US",
    capabilities: { transfers: { requested: true }, card_payments: { requested: true } },
  });
  const { customer, advance } = await onClock("pm_card_visa");
  const { id } = await sandbox.stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    transfer_data: { destination: account.id, amount_percent: 25 },
  });
  await advance(32);
  const { data } = await sandbox.stripe.invoices.list({ subscription: id });
  expect(data).toHaveLength(2);
  const intents = (await sandbox.stripe.paymentIntents.list({ customer })).data;
  expect(intents.map(({ transfer_data }) => transfer_data)).toEqual([
    { amount: 250, destination: account.id },
    { amount: 250, destination: account.id },
  ]);
});

test("what cannot be billed together, less than nothing, and a proration in another period are refused", async () => {
  const { customer } = await onClock("pm_card_visa");
  const yearly = await sandbox.stripe.prices.create({
    currency: "usd",
    unit_amount: 9000,
    recurring: { interval: "year" },
    product_data: { name: "Gold, yearly" },
  });
  const create = (params: object) => sandbox.stripe.subscriptions.create({ customer, items: [], ...params });
  const one = { price: price.id };
  await expect(create({ items: [one, one] })).rejects.toMatchObject({ statusCode: 400, param: "items" });
  await expect(create({ items: [{ ...one, quantity: -1 }] })).rejects.toMatchObject({
    code: "parameter_invalid_integer",
    param: "items[0][quantity]",
  });
  const mixed = { items: [one, { price: yearly.id }] };
  await expect(create({ ...mixed, billing_mode: { type: "classic" } })).rejects.toMatchObject({ param: "items" });
  const { id, items } = await create(mixed);
  const change = { items: [{ id: items.data[0]?.id ?? "", quantity: 2 }], proration_date: START - 90 * DAY };
  await expect(sandbox.stripe.subscriptions.update(id, change)).rejects.toMatchObject({ param: "proration_date" });
  await expect(sandbox.stripe.invoiceItems.create({ customer, amount: 5, currency: "xxx" })).rejects.toMatchObject({
    param: "currency",
  });
});

test("the word alone still begins a new cycle, as callers before 2026 send it", async () => {
  const { customer, advance } = await onClock("pm_card_visa");
  const { id } = await sandbox.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  await advance(10);
  const answer = await sandbox.call("POST", `/v1/subscriptions/${id}`, "billing_cycle_anchor=now");
  expect(answer).toMatchObject({ status: 200, json: { billing_cycle_anchor: START + 10 * DAY } });
});

test("an accepted quote hands its tax rates, fee and destination on to the subscription", async () => {
  const { customer } = await onClock("pm_card_visa");
  const account = await sandbox.stripe.accounts.create({
    country: "US",
    capabilities: { transfers: { requested: true }, card_payments: { requested: true } },
  });
  const rate = await sandbox.stripe.taxRates.create({ display_name: "VAT", percentage: 20, inclusive: false });
  const draft = await sandbox.stripe.quotes.create({
    customer,
    line_items: [{ price: price.id, quantity: 1 }],
    default_tax_rates: [rate.id],
    transfer_data: { destination: account.id, amount_percent: 50 },
  });
  await sandbox.stripe.quotes.finalizeQuote(draft.id);
  const { subscription } = await sandbox.stripe.quotes.accept(draft.id);
  expect(
    await sandbox.stripe.subscriptions.retrieve(subscription as string, { expand: ["latest_invoice"] }),
  ).toMatchObject({
    default_tax_rates: [{ id: rate.id }],
    transfer_data: { destination: account.id, amount_percent: 50 },
    latest_invoice: { status: "draft", total: 1200 },
  });
});
