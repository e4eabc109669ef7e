// Payment methods and setup intents of the sandbox, as the official SDK sees them, with their events in order.
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
let stripe: Stripe;
const now = 1_800_000_000;

beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now, tickMs: 3_600_000 });
  stripe = sandbox.stripe;
});
afterAll(() => sandbox.close());

/** The types of the events that `work` raised, in their order. */
async function raised(work: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await work();
  return sandbox
    .events()
    .slice(before)
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

const USD = { amount: 2000, currency: "usd" } as const;
const pay = (payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ ...USD, payment_method, confirm: true, ...more });

describe("a payment method", () => {
  it("is attached, changed and detached, with the customer's default following", async () => {
    const customer = await stripe.customers.create({});
    const types = await raised(async () => {
      const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
      await stripe.paymentMethods.attach(method.id, { customer: customer.id });
      await stripe.paymentMethods.update(method.id, { card: { exp_month: 5 }, metadata: { a: "b" } });
      await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
      expect(await stripe.customers.retrievePaymentMethod(customer.id, method.id)).toMatchObject({
        card: { exp_month: 5 },
      });
      expect(await stripe.paymentMethods.detach(method.id)).toMatchObject({ customer: null });
      expect(await refused(stripe.paymentMethods.detach(method.id))).toMatchObject({ statusCode: 400 });
      expect(await refused(stripe.paymentMethods.attach(method.id, { customer: customer.id }))).toMatchObject({
        statusCode: 400,
      });
    });
    expect(types).toEqual([
      "payment_method.attached",
      "payment_method.updated",
      "customer.updated",
      "payment_method.detached",
      "customer.updated",
    ]);
    expect(sandbox.events("payment_method.detached").at(-1)?.data.previous_attributes).toEqual({
      customer: customer.id,
    });
  });

  it.each([
    [{ number: "4242424242424241", exp_month: 12, exp_year: 2090 }, "incorrect_number", "number"],
    [{ number: "4242424242424242", exp_month: 13, exp_year: 2040 }, "invalid_expiry_month", "exp_month"],
    [{ number: "4242424242424242", exp_month: 12, exp_year: 1999 }, "invalid_expiry_year", "exp_year"],
    [{ number: "4242424242424242", exp_month: 12, exp_year: 2040, cvc: "1" }, "invalid_cvc", "cvc"],
  ])("of a wrong card %j is refused", async (card, code, param) => {
    expect(await refused(stripe.paymentMethods.create({ type: "card", card }))).toMatchObject({
      statusCode: 402,
      code,
      param,
    });
  });

  it("of a card that is not for tests is declined when it is used", async () => {
    const method = await stripe.paymentMethods.create({
      type: "card",
      card: { number: "4539578763621486", exp_month: 12, exp_year: 2040 },
    });
    expect(await refused(pay(method.id))).toMatchObject({ code: "card_declined", decline_code: "test_mode_live_card" });
  });

  it("can be made of a token, which serves once", async () => {
    const token = await stripe.tokens.create({
      card: { number: "4242424242424242", exp_month: "12", exp_year: "2040", cvc: "123" },
    });
    const customer = await stripe.customers.create({});
    const method = await stripe.paymentMethods.create({ type: "card", card: { token: token.id } });
    expect(await stripe.tokens.retrieve(token.id)).toMatchObject({ used: true });
    expect(await refused(stripe.paymentMethods.create({ type: "card", card: { token: token.id } }))).toMatchObject({
      code: "token_already_used",
    });
    expect(await stripe.paymentMethods.attach(method.id, { customer: customer.id })).toMatchObject({
      customer: customer.id,
    });
    expect((await stripe.paymentMethods.list({ customer: customer.id, type: "card" })).data).toHaveLength(1);
    expect(
      await refused(stripe.paymentMethods.attach("pm_card_chargeDeclined", { customer: customer.id })),
    ).toMatchObject({ code: "card_declined" });
  });

  it("may be of any type that Stripe has", async () => {
    for (const type of [
      "bacs_debit",
      "ideal",
      "klarna",
      "link",
      "paypal",
      "us_bank_account",
      "customer_balance",
    ] as const) {
      const part = {
        bacs_debit: { account_number: "00012345", sort_code: "108800" },
        us_bank_account: { account_number: "000123456789", routing_number: "110000000" },
      };
      const params = { type, [type]: Reflect.get(part, type) ?? {}, billing_details: { name: "A" } };
      expect(await stripe.paymentMethods.create(params)).toMatchObject({ type });
    }
  });

  it("that redirects goes on when the buyer comes back", async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: "eur",
      payment_method_data: { type: "ideal", ideal: {} },
      confirm: true,
      return_url: "https://example.com/back",
    });
    expect(intent.next_action?.type).toBe("redirect_to_url");
    await sandbox.call("POST", `/3ds/${intent.id}`, "result=complete");
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: "succeeded" });
  });
});

describe("a setup intent", () => {
  it("saves a method, and lists its attempts", async () => {
    const customer = await stripe.customers.create({});
    const types = await raised(async () => {
      const setup = await stripe.setupIntents.create({
        customer: customer.id,
        payment_method: "pm_card_visa",
        confirm: true,
        expand: ["latest_attempt"],
      });
      expect(setup).toMatchObject({ status: "succeeded", latest_attempt: { status: "succeeded" } });
      expect((await stripe.setupAttempts.list({ setup_intent: setup.id })).data).toHaveLength(1);
    });
    expect(types).toEqual(["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]);
  });

  it("of a bad card fails, and can be tried again", async () => {
    let error: Stripe.errors.StripeError | undefined;
    const types = await raised(async () => {
      error = await refused(stripe.setupIntents.create({ payment_method: "pm_card_chargeDeclined", confirm: true }));
    });
    expect(types).toEqual(["setup_intent.created", "setup_intent.setup_failed"]);
    expect(error).toMatchObject({
      statusCode: 402,
      code: "card_declined",
      setup_intent: { status: "requires_payment_method" },
    });
    const id = error?.setup_intent?.id ?? "";
    expect(await stripe.setupIntents.confirm(id, { payment_method: "pm_card_visa" })).toMatchObject({
      status: "succeeded",
    });
    expect(await refused(stripe.setupIntents.cancel(id))).toMatchObject({ code: "setup_intent_unexpected_state" });
  });

  it("waits for 3-D Secure, and is canceled", async () => {
    const types = await raised(async () => {
      const waiting = await stripe.setupIntents.create({
        payment_method: "pm_card_authenticationRequired",
        confirm: true,
      });
      expect(waiting).toMatchObject({ status: "requires_action" });
      await stripe.setupIntents.update(waiting.id, { metadata: { a: "b" } });
      await stripe.setupIntents.cancel(waiting.id, { cancellation_reason: "requested_by_customer" });
    });
    expect(types).toEqual(["setup_intent.created", "setup_intent.requires_action", "setup_intent.canceled"]);
  });
});

describe("every event so far", () => {
  it("carries an object with the fields that Stripe's types say", () => {
    const problems = sandbox
      .events()
      .flatMap((event) => shapeProblems(event.data.object).map((problem) => `${event.type}: ${problem}`));
    expect([...new Set(problems)]).toEqual([]);
  });
});
