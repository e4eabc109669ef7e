// Payments in the sandbox: intents, as the official SDK sees them, with their events in order.
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
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
async function raised(work: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await work();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

/** The id of a reference that was not expanded. */
function named(reference: string | { id: string } | null | undefined): string {
  return typeof reference === "string" ? reference : (reference?.id ?? "");
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

const later = (seconds: number): void => {
  now += seconds;
  sandbox.tick();
};

describe("a payment intent", () => {
  it("takes the money of a good card, and says so in Stripe's order", async () => {
    let intent: Stripe.PaymentIntent | undefined;
    const types = await raised(async () => {
      intent = await pay("pm_card_visa", { expand: ["latest_charge.balance_transaction"] });
    });
    expect(types).toEqual(["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated"]);
    const charge = intent?.latest_charge as Stripe.Charge;
    expect(intent).toMatchObject({ status: "succeeded", amount_received: 2000, last_payment_error: null });
    expect(charge).toMatchObject({
      paid: true,
      captured: true,
      payment_method_details: { card: { brand: "visa", last4: "4242" } },
    });
    expect(charge.balance_transaction).toMatchObject({ amount: 2000, fee: 88, net: 1912, status: "pending" });
    const [update] = sandbox.events("charge.updated").slice(-1);
    expect(update?.data.previous_attributes).toMatchObject({ balance_transaction: null });
  });

  it.each([
    ["pm_card_visa_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"],
    ["pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", undefined],
    ["pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"],
    ["pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"],
    ["pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"],
    ["pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"],
    ["pm_card_chargeCustomerFail", "card_declined", "generic_decline"],
  ])("of %s is refused with %s, keeps the failed charge and stays open", async (method, code, declineCode) => {
    let error: Stripe.errors.StripeError | undefined;
    const types = await raised(async () => {
      error = await refused(pay(method));
    });
    expect(types).toEqual(["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]);
    expect(error).toMatchObject({ type: "StripeCardError", statusCode: 402, code });
    expect(error?.decline_code || undefined).toBe(declineCode);
    const intent = await stripe.paymentIntents.retrieve(error?.payment_intent?.id ?? "");
    expect(intent).toMatchObject({
      status: "requires_payment_method",
      payment_method: null,
      last_payment_error: { code, charge: error?.charge },
    });
    expect(await stripe.charges.retrieve(error?.charge ?? "")).toMatchObject({
      status: "failed",
      paid: false,
      failure_code: code,
    });
    expect(await stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa" })).toMatchObject({
      status: "succeeded",
    });
  });

  it("waits for 3-D Secure, by redirect when it has an address to come back to", async () => {
    const types = await raised(async () => {
      const intent = await pay("pm_card_authenticationRequired", { return_url: "https://example.com/back" });
      expect(intent.next_action?.redirect_to_url).toMatchObject({
        return_url: "https://example.com/back",
        url: `${sandbox.url}/3ds/${intent.id}`,
      });
      expect((await sandbox.call("GET", `/3ds/${intent.id}`)).status).toBe(200);
      await sandbox.call("POST", `/3ds/${intent.id}`, "result=complete");
      expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: "succeeded", next_action: null });
    });
    expect(types.slice(0, 4)).toEqual([
      "payment_intent.created",
      "payment_intent.requires_action",
      "charge.succeeded",
      "payment_intent.succeeded",
    ]);
    expect(await pay("pm_card_threeDSecure2Required")).toMatchObject({
      status: "requires_action",
      next_action: { type: "use_stripe_sdk" },
    });
  });

  it("asks for a new method after 3-D Secure failed", async () => {
    const intent = await pay("pm_card_threeDSecure2Required", { return_url: "https://example.com/back" });
    await sandbox.call("POST", `/3ds/${intent.id}`, "result=fail");
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "payment_intent_authentication_failure" },
    });
  });

  it("is confirmed once more by the server after 3-D Secure, when it is confirmed by hand", async () => {
    const intent = await pay("pm_card_threeDSecure2Required", {
      return_url: "https://example.com/back",
      confirmation_method: "manual",
    });
    await sandbox.call("POST", `/3ds/${intent.id}`, "result=complete");
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: "requires_confirmation" });
    expect(await stripe.paymentIntents.confirm(intent.id)).toMatchObject({ status: "succeeded" });
  });

  it("without the customer there is declined when the card asks for 3-D Secure, unless the card was set up", async () => {
    const customer = await stripe.customers.create({});
    const method = await stripe.paymentMethods.attach("pm_card_authenticationRequiredOnSetup", {
      customer: customer.id,
    });
    const terms = { customer: customer.id, off_session: true };
    expect(await refused(pay(method.id, terms))).toMatchObject({
      code: "authentication_required",
      decline_code: "authentication_required",
    });
    const setup = await stripe.setupIntents.create({
      customer: customer.id,
      payment_method: method.id,
      confirm: true,
      return_url: "https://example.com/",
    });
    expect(setup.status).toBe("requires_action");
    await sandbox.call("POST", `/3ds/${setup.id}`, "result=complete");
    expect(await pay(method.id, terms)).toMatchObject({ status: "succeeded" });
    expect(await pay("pm_card_authenticationRequiredSetupForOffSession", { off_session: true })).toMatchObject({
      status: "succeeded",
    });
    expect(await refused(pay("pm_card_authenticationRequired", { off_session: true }))).toMatchObject({
      code: "authentication_required",
    });
  });

  it("holds money until it is captured, in part or not at all", async () => {
    const held = await pay("pm_card_visa", { capture_method: "manual" });
    expect(held).toMatchObject({ status: "requires_capture", amount_capturable: 2000, amount_received: 0 });
    expect(await refused(stripe.paymentIntents.capture(held.id, { amount_to_capture: 2001 }))).toMatchObject({
      code: "amount_too_large",
      param: "amount_to_capture",
    });
    const types = await raised(async () => {
      expect(await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 })).toMatchObject({
        status: "succeeded",
        amount_received: 1500,
      });
    });
    expect(types).toEqual(["charge.captured", "payment_intent.succeeded"]);
    expect(await refused(stripe.paymentIntents.capture(held.id))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });

    const released = await pay("pm_card_visa", { capture_method: "manual" });
    const canceling = await raised(() =>
      stripe.paymentIntents.cancel(released.id, { cancellation_reason: "duplicate" }),
    );
    expect(canceling).toEqual(["refund.created", "charge.refunded", "payment_intent.canceled"]);
    expect(await refused(stripe.paymentIntents.cancel(released.id))).toMatchObject({
      code: "payment_intent_unexpected_state",
      statusCode: 400,
    });
  });

  it("of a debit is processing until the bank has answered", async () => {
    const debit = async (iban: string) => {
      const method = await stripe.paymentMethods.create({
        type: "sepa_debit",
        sepa_debit: { iban },
        billing_details: { name: "Bob", email: "bob@example.com" },
      });
      return stripe.paymentIntents.create({
        amount: 1000,
        currency: "eur",
        payment_method: method.id,
        confirm: true,
        mandate_data: { customer_acceptance: { type: "offline" } },
      });
    };
    let good: Stripe.PaymentIntent | undefined;
    const types = await raised(async () => {
      good = await debit("AT611904300234573201");
      expect(good.status).toBe("processing");
      later(5);
    });
    expect(types).toEqual([
      "payment_intent.created",
      "charge.pending",
      "payment_intent.processing",
      "charge.succeeded",
      "payment_intent.succeeded",
    ]);
    const bad = await debit("AT861904300235473202");
    expect((await raised(async () => later(5))).sort()).toEqual(["charge.failed", "payment_intent.payment_failed"]);
    expect(await stripe.paymentIntents.retrieve(bad.id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "payment_intent_payment_attempt_failed" },
    });
    const slow = await debit("AT321904300235473204");
    later(5);
    expect(await stripe.paymentIntents.retrieve(slow.id)).toMatchObject({ status: "processing" });
    later(200);
    expect(await stripe.paymentIntents.retrieve(slow.id)).toMatchObject({ status: "succeeded" });
  });

  it("of a typed-in US account waits for its microdeposits", async () => {
    const method = await stripe.paymentMethods.create({
      type: "us_bank_account",
      us_bank_account: {
        account_number: "000123456789",
        routing_number: "110000000",
        account_holder_type: "individual",
      },
      billing_details: { name: "Bob" },
    });
    const intent = await pay(method.id);
    expect(intent.next_action?.type).toBe("verify_with_microdeposits");
    expect(await refused(stripe.paymentIntents.verifyMicrodeposits(intent.id, { amounts: [1, 2] }))).toMatchObject({
      statusCode: 400,
    });
    expect(await stripe.paymentIntents.verifyMicrodeposits(intent.id, { amounts: [32, 45] })).toMatchObject({
      status: "processing",
    });
    expect(await pay("pm_usBankAccount_success")).toMatchObject({ status: "processing" });
    later(10);
  });

  it("saves the method when it is told to, and uses it up when not", async () => {
    const customer = await stripe.customers.create({});
    const saved = await pay("pm_card_visa", { customer: customer.id, setup_future_usage: "off_session" });
    const listed = await stripe.customers.listPaymentMethods(customer.id, {});
    expect(listed.data.map(({ id }) => id)).toEqual([saved.payment_method]);
    const loose = await pay("pm_card_visa");
    expect((await refused(pay(named(loose.payment_method)))).message).toContain("may not be used again");
    const others = await refused(pay(named(saved.payment_method)));
    expect(others).toMatchObject({ statusCode: 400, code: "parameter_missing" });
    expect(others.message).toContain(`belongs to the Customer ${customer.id}`);
  });

  it.each([
    ["too small an amount", { amount: 49, currency: "usd" }, "amount_too_small", "amount"],
    ["too large an amount", { amount: 100_000_000, currency: "usd" }, "amount_too_large", "amount"],
    ["no money", { amount: 0, currency: "usd" }, "parameter_invalid_integer", "amount"],
    ["a currency that there is not", { amount: 100, currency: "zzz" }, undefined, "currency"],
    ["an unknown customer", { ...USD, customer: "cus_none" }, "resource_missing", "customer"],
    ["an unknown method", { ...USD, payment_method: "pm_none" }, "resource_missing", "payment_method"],
    ["a fee for nobody", { ...USD, application_fee_amount: 10 }, undefined, "application_fee_amount"],
    [
      "an unknown destination",
      { ...USD, transfer_data: { destination: "acct_none" } },
      "resource_missing",
      "transfer_data[destination]",
    ],
    ["confirming words without confirming", { ...USD, off_session: true }, undefined, "off_session"],
  ])("with %s is refused as Stripe does", async (_, params, code, param) => {
    const error = await refused(stripe.paymentIntents.create(params));
    expect(error).toMatchObject({ statusCode: 400, type: "StripeInvalidRequestError", param });
    expect(error.code).toBe(code);
  });

  it("cannot be confirmed without a method, nor when it has ended", async () => {
    const intent = await stripe.paymentIntents.create(USD);
    expect(intent).toMatchObject({ status: "requires_payment_method", automatic_payment_methods: { enabled: true } });
    expect(await refused(stripe.paymentIntents.confirm(intent.id))).toMatchObject({
      code: "payment_intent_unexpected_state",
      payment_intent: { id: intent.id },
    });
    const updated = await stripe.paymentIntents.update(intent.id, {
      amount: 2500,
      payment_method: "pm_card_mastercard",
      metadata: { order: "7" },
    });
    expect(updated).toMatchObject({ status: "requires_confirmation", amount: 2500, metadata: { order: "7" } });
    await stripe.paymentIntents.confirm(intent.id);
    expect(await refused(stripe.paymentIntents.confirm(intent.id))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(await refused(stripe.paymentIntents.update(intent.id, { amount: 1 }))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(await refused(stripe.paymentIntents.retrieve("pi_none"))).toMatchObject({
      statusCode: 404,
      code: "resource_missing",
      param: "intent",
    });
    const found = await stripe.paymentIntents.search({ query: "metadata['order']:'7'" });
    expect(found.data.map(({ id }) => id)).toEqual([intent.id]);
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
