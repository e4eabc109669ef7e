// Schedules, quotes and test clocks of the sandbox, driven by Stripe's SDK; and that each event has Stripe's shape.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { idOf } from "../sandbox/core/kinds.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

const nameOf = (reference: string | { id: string } | null): string => idOf(reference) ?? "";
let sandbox: OpenSandbox;
let gold: Stripe.Price;
let silver: Stripe.Price;
let setup: Stripe.Price;

beforeAll(async () => {
  sandbox = await openSandbox();
  const { prices, products } = sandbox.stripe;
  const product = (await products.create({ name: "Gold" })).id;
  const recurring = { interval: "month" } as const;
  gold = await prices.create({ product, currency: "usd", unit_amount: 3000, recurring });
  silver = await prices.create({ product, currency: "usd", unit_amount: 1000, recurring });
  setup = await prices.create({ product, currency: "usd", unit_amount: 700 });
});
afterAll(() => sandbox.close());

const at = (text: string): number => Date.parse(text) / 1000;

async function onClock(text: string): Promise<{ clock: string; customer: string }> {
  const { id: clock } = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: at(text) });
  const customer = await sandbox.stripe.customers.create({
    test_clock: clock,
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  return { clock, customer: customer.id };
}

const advance = (clock: string, text: string): Promise<Stripe.TestHelpers.TestClock> =>
  sandbox.stripe.testHelpers.testClocks.advance(clock, { frozen_time: at(text) });

const schedules = () => sandbox.stripe.subscriptionSchedules;

describe("a schedule", () => {
  const phase = (price: Stripe.Price, months: number, quantity = 1) => ({
    items: [{ price: price.id, quantity }],
    duration: { interval: "month", interval_count: months } as const,
  });

  it("goes from phase to phase, each billed as it says, and completes", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const schedule = await schedules().create({
      customer,
      start_date: "now",
      end_behavior: "release",
      phases: [phase(gold, 1), phase(silver, 1, 2)],
    });
    expect(schedule).toMatchObject({ status: "active", current_phase: { end_date: at("2027-02-01T00:00:00Z") } });
    const subscription = nameOf(schedule.subscription);
    await advance(clock, "2027-02-01T02:00:00Z");
    const turned = await sandbox.stripe.subscriptions.retrieve(subscription);
    expect(turned.items.data.map(({ price, quantity }) => [price.id, quantity])).toEqual([[silver.id, 2]]);
    const invoices = await sandbox.stripe.invoices.list({ subscription });
    expect(invoices.data.map(({ total, status }) => [total, status])).toEqual([
      [2000, "paid"],
      [3000, "paid"],
    ]);
    await advance(clock, "2027-03-01T02:00:00Z");
    expect(await schedules().retrieve(schedule.id)).toMatchObject({ status: "completed" });
    const released = await sandbox.stripe.subscriptions.retrieve(subscription);
    expect(released).toMatchObject({ status: "active", schedule: null });
  });

  it("begins when its time has come, and ends its subscription with end_behavior cancel", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const schedule = await schedules().create({
      customer,
      start_date: at("2027-01-10T00:00:00Z"),
      end_behavior: "cancel",
      phases: [phase(gold, 1)],
    });
    expect(schedule).toMatchObject({ status: "not_started", subscription: null });
    await advance(clock, "2027-01-11T00:00:00Z");
    const begun = await schedules().retrieve(schedule.id);
    expect(begun.status).toBe("active");
    await advance(clock, "2027-02-10T00:00:00Z");
    const ended = await sandbox.stripe.subscriptions.retrieve(nameOf(begun.subscription));
    expect(ended.status).toBe("canceled");
    expect(await schedules().retrieve(schedule.id)).toMatchObject({ status: "completed" });
    expect(sandbox.events("subscription_schedule.expiring").length).toBeGreaterThan(0);
  });

  it("takes over a subscription, changes it, and lets it go", async () => {
    const { customer } = await onClock("2027-01-01T00:00:00Z");
    const subscription = await sandbox.stripe.subscriptions.create({ customer, items: [{ price: gold.id }] });
    const schedule = await schedules().create({ from_subscription: subscription.id });
    const [first] = schedule.phases;
    await expect(
      sandbox.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }),
    ).rejects.toMatchObject({ statusCode: 400, param: "cancel_at_period_end" });
    const { start_date, end_date } = first ?? { start_date: 0, end_date: 0 };
    const changed = await schedules().update(schedule.id, {
      phases: [{ start_date, end_date, items: [{ price: gold.id, quantity: 3 }] }, phase(silver, 2)],
    });
    expect(changed.phases).toHaveLength(2);
    const after = await sandbox.stripe.subscriptions.retrieve(subscription.id);
    expect(after.items.data[0]?.quantity).toBe(3);
    const released = await schedules().release(schedule.id);
    expect(released).toMatchObject({ status: "released", released_subscription: subscription.id, subscription: null });
    await expect(schedules().cancel(schedule.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  it("is cancelled with its subscription", async () => {
    const { customer } = await onClock("2027-01-01T00:00:00Z");
    const schedule = await schedules().create({ customer, phases: [phase(gold, 3)] });
    await sandbox.stripe.subscriptions.cancel(nameOf(schedule.subscription));
    expect(await schedules().retrieve(schedule.id)).toMatchObject({ status: "canceled" });
    expect((await schedules().list({ customer })).data).toHaveLength(1);
  });
});

describe("a quote", () => {
  it("becomes a subscription, with what is billed once beside it", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const { quotes } = sandbox.stripe;
    const quote = await quotes.create({ customer, line_items: [{ price: gold.id, quantity: 2 }, { price: setup.id }] });
    expect(quote).toMatchObject({
      status: "draft",
      amount_total: 6700,
      computed: { recurring: { amount_total: 6000 } },
    });
    expect((await quotes.listLineItems(quote.id)).data.map(({ amount_total }) => amount_total)).toEqual([6000, 700]);
    await expect(quotes.accept(quote.id)).rejects.toMatchObject({ statusCode: 400 });
    expect(await quotes.finalizeQuote(quote.id)).toMatchObject({ status: "open" });
    const accepted = await quotes.accept(quote.id);
    expect(accepted.status).toBe("accepted");
    const subscription = await sandbox.stripe.subscriptions.retrieve(nameOf(accepted.subscription));
    expect(subscription.status).toBe("active");
    await advance(clock, "2027-01-01T02:00:00Z");
    const invoice = await sandbox.stripe.invoices.retrieve(nameOf(subscription.latest_invoice));
    expect(invoice).toMatchObject({ status: "paid", total: 6700 });
  });

  it("of things billed once becomes an invoice; one that is cancelled or expires becomes nothing", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const { quotes } = sandbox.stripe;
    const once = await quotes.create({ customer, line_items: [{ price: setup.id }] });
    await quotes.finalizeQuote(once.id);
    expect(await quotes.accept(once.id)).toMatchObject({ subscription: null, invoice: expect.stringMatching(/^in_/) });
    const given = await quotes.create({ customer, line_items: [{ price: gold.id }] });
    expect(await quotes.cancel(given.id)).toMatchObject({ status: "canceled" });
    const forgotten = await quotes.create({ customer, line_items: [{ price: gold.id }] });
    await quotes.finalizeQuote(forgotten.id);
    await advance(clock, "2027-02-01T00:00:00Z");
    expect(await quotes.retrieve(forgotten.id)).toMatchObject({ status: "canceled" });
    expect((await quotes.list({ customer, status: "canceled" })).data).toHaveLength(2);
  });
});

describe("a test clock", () => {
  it("goes forward only, and two intervals at most", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    await sandbox.stripe.subscriptions.create({ customer, items: [{ price: gold.id }] });
    const wrong = { statusCode: 400, param: "frozen_time" };
    await expect(advance(clock, "2026-12-31T00:00:00Z")).rejects.toMatchObject(wrong);
    await expect(advance(clock, "2027-03-01T00:00:01Z")).rejects.toMatchObject(wrong);
    const advancing = await advance(clock, "2027-03-01T00:00:00Z");
    expect(advancing.status).toBe("advancing");
    const renewals = await sandbox.stripe.invoices.list({ customer });
    expect(renewals.data).toHaveLength(3);
  });

  it("takes its customers with it when it is deleted", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const { testClocks } = sandbox.stripe.testHelpers;
    expect((await testClocks.list({ limit: 1 })).data[0]?.id).toBe(clock);
    expect(await testClocks.del(clock)).toMatchObject({ deleted: true });
    await expect(testClocks.retrieve(clock)).rejects.toMatchObject({ statusCode: 404 });
    await expect(sandbox.stripe.customers.retrieve(customer)).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe("a meter", () => {
  it("counts, sums up by day, and is put away", async () => {
    const customer = (await sandbox.stripe.customers.create({})).id;
    const { meters, meterEvents } = sandbox.stripe.billing;
    const meter = await meters.create({
      display_name: "M",
      event_name: "m",
      default_aggregation: { formula: "count" },
    });
    const now = Math.floor(Date.now() / 1000);
    const payload = { stripe_customer_id: customer };
    await meterEvents.create({ event_name: "m", payload, identifier: "one", timestamp: now - 60 });
    await expect(meterEvents.create({ event_name: "m", payload, identifier: "one" })).rejects.toMatchObject({
      statusCode: 400,
    });
    await meterEvents.create({ event_name: "m", payload });
    const range = { customer, start_time: now - 3600, end_time: now + 3600 };
    const summaries = await meters.listEventSummaries(meter.id, range);
    expect(summaries.data.map(({ aggregated_value }) => aggregated_value)).toEqual([2]);
    expect(await meters.update(meter.id, { display_name: "N" })).toMatchObject({ display_name: "N" });
    expect(await meters.deactivate(meter.id)).toMatchObject({ status: "inactive" });
    await expect(meterEvents.create({ event_name: "m", payload })).rejects.toMatchObject({ statusCode: 400 });
    expect((await meters.list({ status: "inactive" })).data).toHaveLength(1);
  });

  it("is billed when the period is over", async () => {
    const { clock, customer } = await onClock("2027-01-01T00:00:00Z");
    const { meters, meterEvents } = sandbox.stripe.billing;
    const meter = await meters.create({
      display_name: "Calls",
      event_name: "calls",
      default_aggregation: { formula: "sum" },
    });
    const price = await sandbox.stripe.prices.create({
      product: nameOf(gold.product),
      currency: "usd",
      unit_amount: 10,
      recurring: { interval: "month", usage_type: "metered", meter: meter.id },
    });
    const subscription = await sandbox.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
    expect(subscription.status).toBe("active");
    const payload = { stripe_customer_id: customer, value: "70" };
    await meterEvents.create({ event_name: "calls", payload });
    await advance(clock, "2027-02-01T02:00:00Z");
    const invoices = await sandbox.stripe.invoices.list({ subscription: subscription.id });
    expect(invoices.data[0]).toMatchObject({ status: "paid", total: 700 });
  });
});

describe("events", () => {
  it("of all this have the shapes of Stripe's types", () => {
    const wrong = sandbox
      .events()
      .flatMap(({ type, data }) => shapeProblems(data.object).map((problem) => [type, problem]));
    expect(wrong).toEqual([]);
  });
});
