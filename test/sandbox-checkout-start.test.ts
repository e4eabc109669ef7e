// Checkout sessions whose subscription begins in the middle of a billing cycle: what is due now, and what is refused.
import type Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

const DAY = 86_400;

let sandbox: OpenSandbox;
let price: Stripe.Price;
beforeAll(async () => {
  sandbox = await openSandbox();
  price = await sandbox.stripe.prices.create({
    currency: "usd",
    unit_amount: 30_000,
    recurring: { interval: "day", interval_count: 30 },
    product_data: { name: "Gold" },
  });
});
afterAll(() => sandbox.close());

type Data = Stripe.Checkout.SessionCreateParams.SubscriptionData;

const session = (subscription_data: Data): Promise<Stripe.Checkout.Session> =>
  sandbox.stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: "https://shop.example/done",
    subscription_data,
  });

const inDays = (days: number): number => Math.floor(Date.now() / 1000) + days * DAY;

async function paid(id: string): Promise<Stripe.Checkout.Session> {
  const method = await sandbox.stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" } });
  const answer = await sandbox.call("POST", `/v1/payment_pages/${id}/confirm`, `payment_method=${method.id}`);
  expect(answer.status).toBe(200);
  return sandbox.stripe.checkout.sessions.retrieve(id, { expand: ["invoice", "subscription"] });
}

test("only the part until the anchor is due, and the invoice says the same", async () => {
  const anchor = inDays(10);
  const { id, amount_total } = await session({ billing_cycle_anchor: anchor });
  // A third of the period, but for the seconds that have passed.
  expect(Math.abs((amount_total ?? 0) - 10_000)).toBeLessThan(5);
  const done = await paid(id);
  const invoice = done.invoice as Stripe.Invoice;
  expect(invoice).toMatchObject({ status: "paid", total: done.amount_total, amount_overpaid: 0, attempt_count: 0 });
  expect(done.subscription).toMatchObject({ status: "active", billing_cycle_anchor: anchor });
});

test("without proration nothing is due until the anchor", async () => {
  const { id, amount_total } = await session({ billing_cycle_anchor: inDays(10), proration_behavior: "none" });
  expect(amount_total).toBe(0);
  expect(await paid(id)).toMatchObject({ payment_status: "no_payment_required", invoice: { total: 0 } });
});

test("an anchor in the past or too far, and a trial that is too short, are refused when the session is made", async () => {
  for (const [data, param] of [
    [{ billing_cycle_anchor: inDays(-1) }, "subscription_data[billing_cycle_anchor]"],
    [{ billing_cycle_anchor: inDays(90) }, "subscription_data[billing_cycle_anchor]"],
    [{ trial_end: inDays(1) }, "subscription_data[trial_end]"],
  ] as const) {
    await expect(session(data)).rejects.toMatchObject({ statusCode: 400, param });
  }
});

test("a debit that fails later makes the subscription past due, and its invoice is tried again", async () => {
  const euro = await sandbox.stripe.prices.create({
    currency: "eur",
    unit_amount: 2500,
    recurring: { interval: "month" },
    product_data: { name: "Gold" },
  });
  const { id, url } = await sandbox.stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [{ price: euro.id, quantity: 1 }],
    success_url: "https://shop.example/done",
  });
  const form = new URLSearchParams({ email: "buyer@example.com", debit: "fails" });
  expect((await sandbox.call("POST", new URL(url ?? "").pathname, form.toString())).status).toBe(303);
  const expand = ["invoice", "subscription"];
  const before = await sandbox.stripe.checkout.sessions.retrieve(id, { expand });
  expect(before).toMatchObject({
    payment_status: "unpaid",
    invoice: { status: "open", next_payment_attempt: null },
    subscription: { status: "active" },
  });
  const failed = () => sandbox.events("checkout.session.async_payment_failed");
  await expect.poll(() => failed().length, { timeout: 8000 }).toBe(1);
  const after = await sandbox.stripe.checkout.sessions.retrieve(id, { expand });
  expect(after).toMatchObject({
    payment_status: "unpaid",
    invoice: { status: "open", attempt_count: 1 },
    subscription: { status: "past_due" },
  });
  const next = (after.invoice as Stripe.Invoice).next_payment_attempt ?? 0;
  expect(Math.abs(next - inDays(3))).toBeLessThan(15);
});
