// Payments in the sandbox that end otherwise than hoped: refusals in Stripe's own words, holds that expire, browsers' keys.
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
let stripe: Stripe;
let now = 1_800_000_000;

beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now, tickMs: 3_600_000 });
  stripe = sandbox.stripe;
});
afterAll(() => sandbox.close());

/** The types of the events that `work` raised, in their order. */
async function raised(work: () => Promise<unknown> | undefined): Promise<string[]> {
  const before = new Set(sandbox.events().map(({ id }) => id));
  await work();
  return sandbox
    .events()
    .filter(({ id }) => !before.has(id))
    .map(({ type }) => type);
}

async function refused(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error("Stripe's error was expected", { cause: error });
  return error;
}

const later = (seconds: number): undefined => {
  now += seconds;
  sandbox.tick();
};

const USD = { amount: 2000, currency: "usd" } as const;
const pay = (payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ ...USD, payment_method, confirm: true, ...more });

const hold = () => pay("pm_card_visa", { capture_method: "manual" });

describe("held money", () => {
  it("that nobody captures in a week goes back, and its payment intent is canceled", async () => {
    const held = await hold();
    expect(await raised(() => later(7 * 24 * 3600 - 1))).not.toContain("charge.expired");
    expect(await raised(() => later(1))).toEqual([
      "refund.created",
      "charge.refunded",
      "charge.expired",
      "payment_intent.canceled",
    ]);
    expect(await stripe.paymentIntents.retrieve(held.id)).toMatchObject({
      status: "canceled",
      cancellation_reason: "automatic",
      amount_capturable: 0,
    });
  });

  it("that was captured or released in time does not expire", async () => {
    const captured = await hold();
    await stripe.paymentIntents.capture(captured.id);
    const released = await hold();
    await stripe.paymentIntents.cancel(released.id);
    expect(await raised(() => later(8 * 24 * 3600))).not.toContain("charge.expired");
    expect(await stripe.paymentIntents.retrieve(captured.id)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    [-1, undefined, "amount_to_capture", "Invalid non-negative integer"],
    [0, "parameter_invalid_integer", "amount", "greater than or equal to 1"],
    [2001, "amount_too_large", "amount_to_capture", "greater than the amount you can capture"],
  ])("is not captured for %d", async (amount_to_capture, code, param, message) => {
    const held = await hold();
    const error = await refused(stripe.paymentIntents.capture(held.id, { amount_to_capture }));
    expect(error).toMatchObject({ statusCode: 400, param, payment_intent: { id: held.id } });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(await stripe.paymentIntents.retrieve(held.id)).toMatchObject({ status: "requires_capture" });
  });

  it("is captured and released through its payment intent, not its charge", async () => {
    const { id, latest_charge: charge } = await hold();
    const reference = typeof charge === "string" ? charge : "";
    const capture = await refused(stripe.charges.capture(reference));
    expect(capture).toMatchObject({ statusCode: 400 });
    expect(capture.message).toContain(`created by a PaymentIntent (${id}). You must capture the PaymentIntent`);
    const refund = await refused(stripe.refunds.create({ charge: reference }));
    expect(refund.message).toContain(`created by a PaymentIntent (${id}). You must cancel the PaymentIntent`);
  });
});

describe("a refusal", () => {
  it("of more than is left names both amounts", async () => {
    const { id } = await pay("pm_card_visa");
    await stripe.refunds.create({ payment_intent: id, amount: 500 });
    const error = await refused(stripe.refunds.create({ payment_intent: id, amount: 1501 }));
    expect(error).toMatchObject({
      statusCode: 400,
      param: "amount",
      message: "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)",
    });
  });

  it.each([
    [
      "a payment intent",
      () => stripe.paymentIntents.retrieve("pi_none"),
      "intent",
      "No such payment_intent: 'pi_none'",
    ],
    ["a setup intent", () => stripe.setupIntents.confirm("seti_none"), "intent", "No such setupintent: 'seti_none'"],
    ["a payment method", () => stripe.paymentMethods.retrieve("pm_none"), "payment_method", "No such PaymentMethod: "],
    ["a charge", () => stripe.charges.retrieve("ch_none"), "id", "No such charge: 'ch_none'"],
    ["a dispute", () => stripe.disputes.close("du_none"), "dispute", "No such dispute: 'du_none'"],
    ["a payout", () => stripe.payouts.cancel("po_none"), "payout", "No such payout: 'po_none'"],
  ])("of %s that is not there names it as Stripe does", async (_, call, param, message) => {
    const error = await refused(call());
    expect(error).toMatchObject({ statusCode: 404, code: "resource_missing", param });
    expect(error.message).toContain(message);
  });

  it("of another customer's method says whose it is not, with the payment intent", async () => {
    const [mine, theirs] = [await stripe.customers.create({}), await stripe.customers.create({})];
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: theirs.id });
    const intent = await stripe.paymentIntents.create({ ...USD, customer: mine.id });
    const error = await refused(stripe.paymentIntents.confirm(intent.id, { payment_method: method.id }));
    expect(error).toMatchObject({ statusCode: 400, param: "payment_method", payment_intent: { id: intent.id } });
    expect(error.message).toContain(`does not belong to the Customer you supplied ${mine.id}`);
    const missing = await refused(stripe.paymentIntents.confirm(intent.id));
    expect(missing.message).toContain(`To confirm the PaymentIntent with ${mine.id}`);
  });

  it("of a changed amount after the end names the parameter", async () => {
    const { id } = await pay("pm_card_visa");
    expect(await refused(stripe.paymentIntents.update(id, { amount: 1 }))).toMatchObject({
      code: "payment_intent_unexpected_state",
      param: "amount",
    });
  });

  it("of a setup intent's microdeposits that nobody sent says in what state it is", async () => {
    const intent = await stripe.setupIntents.create({});
    expect(await refused(stripe.setupIntents.verifyMicrodeposits(intent.id, { amounts: [32, 45] }))).toMatchObject({
      code: "intent_invalid_state",
      setup_intent: { id: intent.id },
    });
    await stripe.setupIntents.cancel(intent.id);
    expect((await refused(stripe.setupIntents.cancel(intent.id))).message).toContain("already canceled");
  });
});

describe("a browser's key", () => {
  it("opens and confirms an intent with its client secret, and with no other", async () => {
    const browser = sandbox.client({ key: "pk_test_sandbox_of_the_tests" });
    const { id, client_secret: secret } = await stripe.paymentIntents.create(USD);
    const client_secret = secret ?? "";
    expect(await browser.paymentIntents.retrieve(id, { client_secret })).toMatchObject({ id });
    expect(await refused(browser.paymentIntents.retrieve(id, { client_secret: `${id}_secret_x` }))).toMatchObject({
      statusCode: 400,
      param: "client_secret",
    });
    const confirm = (given: string) =>
      browser.paymentIntents.confirm(id, { client_secret: given, payment_method: "pm_card_visa" } as object);
    expect(await refused(confirm("wrong"))).toMatchObject({ statusCode: 400, param: "client_secret" });
    expect(await confirm(client_secret)).toMatchObject({ status: "succeeded" });
  });
});

describe("a customer who pays an invoice's payment intent", () => {
  it("and is declined hears of the invoice's failure each time, also when the status stays", async () => {
    const customer = await stripe.customers.create({});
    const product = await stripe.products.create({
      name: "Plan",
      default_price_data: { unit_amount: 1000, currency: "usd", recurring: { interval: "month" } },
    });
    const price = typeof product.default_price === "string" ? product.default_price : "";
    const { latest_invoice: invoice } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price }],
      payment_behavior: "default_incomplete",
    });
    const payments = await stripe.invoicePayments.list({ invoice: typeof invoice === "string" ? invoice : "" });
    const intent = payments.data[0]?.payment.payment_intent;
    const confirm = (payment_method: string) =>
      stripe.paymentIntents.confirm(typeof intent === "string" ? intent : "", { payment_method });
    for (const attempt of [1, 2]) {
      const types = await raised(() => refused(confirm("pm_card_chargeDeclined")));
      expect(types, `attempt ${attempt}`).toContain("invoice.payment_failed");
    }
    expect(await raised(() => confirm("pm_card_visa"))).toContain("invoice.paid");
  });
});

describe("a connected account", () => {
  it("that has left is no destination", async () => {
    const { id: destination } = await stripe.accounts.create({ type: "standard" });
    expect(await pay("pm_card_visa", { transfer_data: { destination } })).toMatchObject({ status: "succeeded" });
    const form = `client_id=ca_SandboxPlatform00000000000000000&stripe_user_id=${destination}`;
    expect(await sandbox.call("POST", "/oauth/deauthorize", form)).toMatchObject({ status: 200 });
    expect(await refused(pay("pm_card_visa", { transfer_data: { destination } }))).toMatchObject({
      code: "resource_missing",
      param: "transfer_data[destination]",
    });
  });

  it("is sent no more of a charge than was charged", async () => {
    const { id: destination } = await stripe.accounts.create({ type: "standard" });
    const { latest_charge: charge } = await pay("pm_card_visa");
    const source_transaction = typeof charge === "string" ? charge : "";
    const send = (amount: number) =>
      stripe.transfers.create({ amount, currency: "usd", destination, source_transaction });
    await send(1500);
    expect(await refused(send(501))).toMatchObject({ statusCode: 400, param: "amount" });
    expect(await send(500)).toMatchObject({ source_transaction });
  });
});
