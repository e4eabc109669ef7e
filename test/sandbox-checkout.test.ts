// Checkout sessions of the sandbox, driven by the official SDK over HTTP: prices, payment, events, and what is refused.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

const START = 1_800_000_000;
const SHOP = {
  success_url: "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
  cancel_url: "https://shop.example/cart",
};

let sandbox: OpenSandbox;
let now = START;

beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now, tickMs: 3_600_000 });
});
afterAll(() => sandbox.close());

type CreateParams = Stripe.Checkout.SessionCreateParams;

async function price(unit_amount: number, more: Partial<Stripe.PriceCreateParams> = {}): Promise<string> {
  const made = await sandbox.stripe.prices.create({
    unit_amount,
    currency: "usd",
    product_data: { name: "Credits" },
    ...more,
  });
  return made.id;
}

const monthly = (amount: number) => price(amount, { recurring: { interval: "month" } });

async function session(params: CreateParams): Promise<Stripe.Checkout.Session> {
  return sandbox.stripe.checkout.sessions.create({ ...SHOP, ...params });
}

/** As Stripe's own page does, and the CLI. */
function confirm(id: string, payment_method?: string, amount?: number) {
  const form = new URLSearchParams({
    ...(payment_method === undefined ? {} : { payment_method }),
    ...(amount === undefined ? {} : { expected_amount: String(amount) }),
  });
  return sandbox.call("POST", `/v1/payment_pages/${id}/confirm`, form.toString());
}

/** The types of the events that an action raises, in their order. */
async function raisedBy(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await act();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

async function tick(): Promise<void> {
  sandbox.tick();
  await Promise.resolve();
}

const read = (id: string) => sandbox.stripe.checkout.sessions.retrieve(id);
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => {
      const { statusCode, code, param, message } = error as Stripe.errors.StripeError;
      return { statusCode, code, param, message };
    },
  );

describe("payment mode", () => {
  test("a new session is open, unpaid, priced, and has no payment intent yet", async () => {
    const one = await session({
      mode: "payment",
      client_reference_id: "user_1",
      metadata: { pack: "small" },
      line_items: [
        { price: await price(1500), quantity: 2 },
        { price_data: { currency: "usd", unit_amount: 250, product_data: { name: "Fee" } }, quantity: 1 },
      ],
    });
    expect(one).toMatchObject({
      amount_subtotal: 3250,
      amount_total: 3250,
      client_reference_id: "user_1",
      currency: "usd",
      customer: null,
      customer_creation: "if_required",
      expires_at: START + 86_400,
      metadata: { pack: "small" },
      mode: "payment",
      payment_intent: null,
      payment_status: "unpaid",
      status: "open",
      url: `${sandbox.url}/c/pay/${one.id}`,
    });
    expect(one.id).toMatch(/^cs_test_/);
    const lines = await sandbox.stripe.checkout.sessions.listLineItems(one.id);
    expect(lines.data.map((line) => [line.description, line.quantity, line.amount_total])).toEqual([
      ["Credits", 2, 3000],
      ["Fee", 1, 250],
    ]);
    const expanded = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["line_items"] });
    expect(expanded.line_items?.data.map(({ id }) => id)).toEqual(lines.data.map(({ id }) => id));
    expect(one).not.toHaveProperty("line_items");
  });

  test("paying completes it: payment intent, charge, then checkout.session.completed with who bought", async () => {
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(1500), quantity: 2 }],
      payment_intent_data: { metadata: { order: "7" }, description: "Order 7" },
    });
    const method = await sandbox.stripe.paymentMethods.create({
      type: "card",
      card: { token: "tok_visa" },
      billing_details: { email: "jenny@example.com", name: "Jenny Rosen" },
    });
    const types = await raisedBy(async () => expect((await confirm(one.id, method.id, 3000)).status).toBe(200));
    expect(types).toEqual(
      expect.arrayContaining(["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]),
    );
    expect(types.indexOf("payment_intent.succeeded")).toBeLessThan(types.indexOf("checkout.session.completed"));
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["payment_intent"] });
    expect(done).toMatchObject({
      status: "complete",
      payment_status: "paid",
      url: null,
      customer: null,
      customer_details: { email: "jenny@example.com", name: "Jenny Rosen" },
      payment_intent: { amount: 3000, status: "succeeded", description: "Order 7", metadata: { order: "7" } },
    });
    const [event] = sandbox.events("checkout.session.completed").slice(-1);
    expect(event?.data.object).toMatchObject({ id: one.id, payment_status: "paid" });
    const found = await sandbox.stripe.checkout.sessions.list({
      payment_intent: (done.payment_intent as Stripe.PaymentIntent).id,
    });
    expect(found.data.map(({ id }) => id)).toEqual([one.id]);
  });

  test("a declined card leaves the session open, and the next card pays the same payment intent", async () => {
    const one = await session({ mode: "payment", line_items: [{ price: await price(900), quantity: 1 }] });
    const refused = await confirm(one.id, "pm_card_visa_chargeDeclinedInsufficientFunds");
    expect(refused.status).toBe(402);
    expect(refused.json).toMatchObject({ error: { type: "card_error", decline_code: "insufficient_funds" } });
    const open = await read(one.id);
    expect(open).toMatchObject({ status: "open", payment_status: "unpaid" });
    expect(open.payment_intent).toMatch(/^pi_/);
    expect((await confirm(one.id, "pm_card_visa")).status).toBe(200);
    expect(await read(one.id)).toMatchObject({
      status: "complete",
      payment_status: "paid",
      payment_intent: open.payment_intent,
    });
  });

  test("another amount than the buyer saw is refused, and nothing is charged", async () => {
    const one = await session({ mode: "payment", line_items: [{ price: await price(900), quantity: 1 }] });
    const types = await raisedBy(async () => expect((await confirm(one.id, "pm_card_visa", 901)).status).toBe(400));
    expect(types).toEqual([]);
  });

  test("a delayed debit completes unpaid, and its outcome comes later as an event of the session", async () => {
    const outcomes = [];
    for (const iban of ["AT611904300234573201", "IT60X0542811101000000123456"]) {
      const one = await session({
        mode: "payment",
        allowed_payment_method_types: ["sepa_debit"],
        line_items: [{ price: await price(1500, { currency: "eur" }), quantity: 2 }],
        payment_intent_data: { setup_future_usage: "off_session" },
      });
      const method = await sandbox.stripe.paymentMethods.create({
        type: "sepa_debit",
        sepa_debit: { iban },
        billing_details: { email: "stripe@example.com", name: "Jenny Rosen" },
      });
      expect((await confirm(one.id, method.id, 3000)).status).toBe(200);
      expect(await read(one.id)).toMatchObject({ status: "complete", payment_status: "unpaid" });
      now += 600;
      const types = await raisedBy(tick);
      outcomes.push([types.find((type) => type.startsWith("checkout.")), (await read(one.id)).payment_status]);
    }
    expect(outcomes).toEqual([
      ["checkout.session.async_payment_succeeded", "paid"],
      ["checkout.session.async_payment_failed", "unpaid"],
    ]);
  });

  test("a coupon for all of it asks for no payment and no card", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 100, duration: "once" });
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(900), quantity: 1 }],
      discounts: [{ coupon: coupon.id }],
    });
    expect(one).toMatchObject({ amount_total: 0, total_details: { amount_discount: 900 } });
    expect((await confirm(one.id)).status).toBe(200);
    expect(await read(one.id)).toMatchObject({
      status: "complete",
      payment_status: "no_payment_required",
      payment_intent: null,
    });
    expect((await sandbox.stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1);
  });

  test("taxes and shipping are part of the total", async () => {
    const rate = await sandbox.stripe.taxRates.create({ display_name: "VAT", percentage: 20, inclusive: false });
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(1000), quantity: 3, tax_rates: [rate.id] }],
      shipping_options: [
        {
          shipping_rate_data: {
            display_name: "Post",
            fixed_amount: { amount: 500, currency: "usd" },
            type: "fixed_amount",
          },
        },
      ],
    });
    expect(one).toMatchObject({
      amount_subtotal: 3000,
      amount_total: 4100,
      total_details: { amount_discount: 0, amount_shipping: 500, amount_tax: 600 },
    });
  });

  test("an invoice is made on request, and it is paid by the payment that was made", async () => {
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(1200), quantity: 1 }],
      invoice_creation: { enabled: true, invoice_data: { metadata: { order: "9" } } },
    });
    expect((await confirm(one.id, "pm_card_visa")).status).toBe(200);
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["invoice"] });
    expect(done.customer).toMatch(/^cus_/);
    expect(done.invoice).toMatchObject({ status: "paid", total: 1200, amount_paid: 1200, metadata: { order: "9" } });
    const payments = await sandbox.stripe.invoicePayments.list({ invoice: (done.invoice as Stripe.Invoice).id });
    expect(
      payments.data.filter(({ status }) => status === "paid").map(({ payment }) => payment.payment_intent),
    ).toEqual([done.payment_intent]);
  });
});

describe("subscription mode", () => {
  test("the subscription is made after the payment, active, with the invoice that the payment paid", async () => {
    const one = await session({
      mode: "subscription",
      line_items: [{ price: await monthly(2000), quantity: 1 }],
      subscription_data: { metadata: { plan: "pro" } },
    });
    expect(one).toMatchObject({ subscription: null, invoice: null, customer_creation: "always", amount_total: 2000 });
    expect((await confirm(one.id, "pm_card_chargeDeclined")).status).toBe(402);
    expect(sandbox.objects("subscription")).toEqual([]);
    const types = await raisedBy(async () => expect((await confirm(one.id, "pm_card_visa")).status).toBe(200));
    expect(types).toEqual(
      expect.arrayContaining(["customer.subscription.created", "invoice.paid", "checkout.session.completed"]),
    );
    expect(types.indexOf("payment_intent.succeeded")).toBeLessThan(types.indexOf("customer.subscription.created"));
    expect(types).not.toContain("customer.subscription.updated");
    expect(sandbox.events("customer.subscription.created").map(({ data }) => data.object)).toMatchObject([
      { status: "active" },
    ]);
    expect(types.filter((type) => type.startsWith("payment_intent."))).toEqual(["payment_intent.succeeded"]);
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["subscription", "invoice"] });
    expect(done).toMatchObject({
      status: "complete",
      payment_status: "paid",
      payment_intent: null,
      subscription: { status: "active", metadata: { plan: "pro" } },
      invoice: { status: "paid", total: 2000, billing_reason: "subscription_create" },
    });
    const charges = await sandbox.stripe.charges.list({ customer: done.customer as string });
    expect(charges.data.filter(({ paid }) => paid).map(({ amount }) => amount)).toEqual([2000]);
    const subscription = done.subscription as Stripe.Subscription;
    expect(subscription.default_payment_method).toMatch(/^pm_/);
  });

  test("a trial asks for a card, charges nothing, and the subscription is trialing", async () => {
    const one = await session({
      mode: "subscription",
      customer_email: "trial@example.com",
      line_items: [{ price: await monthly(2000), quantity: 1 }],
      subscription_data: { trial_period_days: 14 },
    });
    expect(one.amount_total).toBe(0);
    expect((await confirm(one.id)).json).toMatchObject({
      error: { code: "parameter_missing", param: "payment_method" },
    });
    expect((await confirm(one.id, "pm_card_visa")).status).toBe(200);
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["subscription", "customer"] });
    expect(done).toMatchObject({
      payment_status: "no_payment_required",
      subscription: { status: "trialing" },
      customer: { email: "trial@example.com" },
    });
  });

  test("a delayed debit starts it at once, and the invoice is paid when the money arrives", async () => {
    const recurring = await price(3000, { currency: "eur", recurring: { interval: "month" } });
    const one = await session({ mode: "subscription", line_items: [{ price: recurring, quantity: 1 }] });
    const method = await sandbox.stripe.paymentMethods.create({
      type: "sepa_debit",
      sepa_debit: { iban: "AT611904300234573201" },
      billing_details: { email: "stripe@example.com", name: "Jenny Rosen" },
    });
    expect((await confirm(one.id, method.id)).status).toBe(200);
    const waiting = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["subscription", "invoice"] });
    expect(waiting).toMatchObject({
      payment_status: "unpaid",
      subscription: { status: "active" },
      invoice: { status: "open", total: 3000 },
    });
    now += 600;
    const types = await raisedBy(tick);
    expect(types).toEqual(expect.arrayContaining(["invoice.paid", "checkout.session.async_payment_succeeded"]));
    expect(await read(one.id)).toMatchObject({ payment_status: "paid" });
  });

  test("a one-time price beside the recurring one is on the first invoice", async () => {
    const one = await session({
      mode: "subscription",
      line_items: [
        { price: await monthly(2000), quantity: 2 },
        { price: await price(700), quantity: 1 },
      ],
    });
    expect((await confirm(one.id, "pm_card_visa", 4700)).status).toBe(200);
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["invoice"] });
    expect(done.invoice).toMatchObject({ total: 4700, amount_paid: 4700, status: "paid" });
  });
});

describe("setup mode", () => {
  test("the setup intent is there at once, and the card is the customer's at the end", async () => {
    const customer = await sandbox.stripe.customers.create({ email: "save@example.com" });
    const one = await session({ mode: "setup", currency: "usd", customer: customer.id });
    expect(one).toMatchObject({ payment_status: "no_payment_required", amount_total: null });
    expect(one.setup_intent).toMatch(/^seti_/);
    expect((await confirm(one.id, "pm_card_visa")).status).toBe(200);
    expect(await read(one.id)).toMatchObject({ status: "complete", payment_status: "no_payment_required" });
    const saved = await sandbox.stripe.customers.listPaymentMethods(customer.id);
    expect(saved.data.map(({ type }) => type)).toEqual(["card"]);
  });
});

describe("the end without a payment", () => {
  test("expiring raises the event once, and a second time is refused", async () => {
    const one = await session({ mode: "payment", line_items: [{ price: await price(900), quantity: 1 }] });
    expect(await raisedBy(() => sandbox.stripe.checkout.sessions.expire(one.id))).toEqual(["checkout.session.expired"]);
    expect(await read(one.id)).toMatchObject({ status: "expired", url: null });
    expect(await codeOf(sandbox.stripe.checkout.sessions.expire(one.id))).toMatchObject({ statusCode: 400 });
    expect((await confirm(one.id, "pm_card_visa")).status).toBe(400);
  });

  test("a session expires by itself at its time, and can be recovered when it was asked for", async () => {
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(900), quantity: 1 }],
      expires_at: now + 1800,
      after_expiration: { recovery: { enabled: true } },
    });
    now += 1801;
    const types = await raisedBy(tick);
    expect(types).toContain("checkout.session.expired");
    const expired = await read(one.id);
    expect(expired.after_expiration?.recovery?.url).toBe(`${sandbox.url}/r/${one.id}`);
    const page = await sandbox.call("GET", `/r/${one.id}`);
    expect(page.status).toBe(303);
    const next = await read(String(page.headers.location).replace("/c/pay/", ""));
    expect(next).toMatchObject({ status: "open", recovered_from: one.id, amount_total: 900 });
  });
});
