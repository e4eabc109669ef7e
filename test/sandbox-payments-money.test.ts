// The money of the sandbox's payments: refunds, disputes, balance, payouts, transfers and fees, through the official SDK.
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

async function raised(work: () => Promise<unknown> | undefined): Promise<string[]> {
  const before = new Set(sandbox.events().map(({ id }) => id));
  await work();
  return sandbox
    .events()
    .filter(({ id }) => !before.has(id))
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

const pay = (payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}, client = stripe) =>
  client.paymentIntents.create({ amount: 2000, currency: "usd", payment_method, confirm: true, ...more });

const later = (seconds: number): undefined => {
  now += seconds;
  sandbox.tick();
};

const available = async (client = stripe): Promise<number> =>
  (await client.balance.retrieve()).available.find(({ currency }) => currency === "usd")?.amount ?? 0;

describe("a refund", () => {
  it("gives back some, then the rest, then nothing", async () => {
    const intent = await pay("pm_card_visa");
    const types = await raised(() => stripe.refunds.create({ payment_intent: intent.id, amount: 500 }));
    expect(types).toEqual(["refund.created", "charge.refunded"]);
    expect(sandbox.events("charge.refunded").at(-1)?.data.previous_attributes).toMatchObject({ amount_refunded: 0 });
    const tooMuch = await refused(stripe.refunds.create({ payment_intent: intent.id, amount: 1501 }));
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    const rest = await stripe.refunds.create({ charge: named(intent.latest_charge), reason: "requested_by_customer" });
    expect(rest).toMatchObject({ amount: 1500, status: "succeeded", payment_intent: intent.id });
    expect(await refused(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      code: "charge_already_refunded",
    });
    const charge = await stripe.charges.retrieve(named(intent.latest_charge), { expand: ["refunds"] });
    expect(charge).toMatchObject({ refunded: true, amount_refunded: 2000 });
    expect(charge.refunds?.data).toHaveLength(2);
    expect(await raised(() => stripe.refunds.update(rest.id, { metadata: { order: "1" } }))).toEqual([
      "refund.updated",
      "charge.refund.updated",
    ]);
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data).toHaveLength(2);
    expect(await refused(stripe.refunds.cancel(rest.id))).toMatchObject({ statusCode: 400 });
  });

  it("can fail after it succeeded: the charge is unrefunded", async () => {
    const intent = await pay("pm_card_refundFail");
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    expect(refund.status).toBe("succeeded");
    const types = await raised(() => later(10));
    expect(types).toEqual(expect.arrayContaining(["refund.updated", "charge.refund.updated", "refund.failed"]));
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: "failed",
      failure_reason: "expired_or_canceled_card",
    });
    expect(await stripe.charges.retrieve(named(intent.latest_charge))).toMatchObject({
      amount_refunded: 0,
      refunded: false,
    });
  });

  it("can be pending first", async () => {
    const intent = await pay("pm_card_pendingRefund");
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    expect(refund.status).toBe("pending");
    expect(await raised(() => later(10))).toEqual(["refund.updated", "charge.refund.updated"]);
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: "succeeded" });
  });

  it("needs something to refund", async () => {
    expect((await refused(stripe.refunds.create({}))).message).toContain("payment_intent or charge");
    expect(await refused(stripe.refunds.create({ charge: "ch_none" }))).toMatchObject({
      code: "resource_missing",
      statusCode: 404,
    });
    const open = await stripe.paymentIntents.create({ amount: 500, currency: "usd" });
    expect(await refused(stripe.refunds.create({ payment_intent: open.id }))).toMatchObject({ statusCode: 400 });
  });
});

describe("a dispute", () => {
  const disputeOf = async (method: string): Promise<Stripe.Dispute> => {
    const intent = await pay(method);
    const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
    if (dispute === undefined) throw new Error("no dispute");
    return dispute;
  };
  const answer = (id: string, text: string) => stripe.disputes.update(id, { evidence: { uncategorized_text: text } });

  it("takes the money, and gives it back when the evidence wins", async () => {
    let dispute: Stripe.Dispute | undefined;
    const types = await raised(async () => {
      dispute = await disputeOf("pm_card_createDispute");
    });
    expect(types.slice(-3)).toEqual(["charge.updated", "charge.dispute.created", "charge.dispute.funds_withdrawn"]);
    expect(dispute).toMatchObject({ status: "needs_response", reason: "fraudulent", is_charge_refundable: false });
    expect(dispute?.balance_transactions[0]).toMatchObject({ amount: -2000, fee: 1500, reporting_category: "dispute" });
    expect(await refused(stripe.refunds.create({ charge: named(dispute?.charge) }))).toMatchObject({
      code: "charge_disputed",
    });
    const winning = await raised(() => answer(dispute?.id ?? "", "winning_evidence"));
    expect(winning.filter((type) => type.startsWith("charge.dispute"))).toEqual([
      "charge.dispute.updated",
      "charge.dispute.funds_reinstated",
      "charge.dispute.closed",
    ]);
    expect(await stripe.disputes.retrieve(dispute?.id ?? "")).toMatchObject({
      status: "won",
      is_charge_refundable: true,
      evidence_details: { submission_count: 1 },
    });
    expect(sandbox.events("charge.dispute.closed").at(-1)?.data.previous_attributes).toMatchObject({
      status: "under_review",
    });
    expect(await stripe.refunds.create({ charge: named(dispute?.charge), amount: 100 })).toMatchObject({ amount: 100 });
  });

  it("is lost with losing evidence, or when it is given up", async () => {
    expect(
      await answer((await disputeOf("pm_card_createDisputeProductNotReceived")).id, "losing_evidence"),
    ).toMatchObject({ status: "lost", reason: "product_not_received" });
    const given = await disputeOf("pm_card_createDispute");
    expect(await stripe.disputes.close(given.id)).toMatchObject({ status: "lost" });
    expect(await refused(stripe.disputes.close(given.id))).toMatchObject({
      statusCode: 400,
      message: "This dispute is already closed",
    });
  });

  it("that is an inquiry takes no money until it is escalated", async () => {
    const inquiry = await disputeOf("pm_card_createDisputeInquiry");
    expect(inquiry).toMatchObject({
      status: "warning_needs_response",
      balance_transactions: [],
      is_charge_refundable: true,
    });
    expect(await answer(inquiry.id, "escalate_inquiry_evidence")).toMatchObject({ status: "needs_response" });
    expect((await stripe.disputes.retrieve(inquiry.id)).balance_transactions).toHaveLength(1);
    expect(await stripe.disputes.close((await disputeOf("pm_card_createDisputeInquiry")).id)).toMatchObject({
      status: "warning_closed",
    });
  });
});

describe("the balance", () => {
  it("has a card's money two days later, or at once with the card that bypasses the wait", async () => {
    const before = await available();
    await pay("pm_card_visa");
    expect(await available()).toBe(before);
    const types = await raised(() => later(2 * 86_400 + 1));
    expect(types).toContain("balance.available");
    const after = await available();
    expect(after).toBeGreaterThan(before);
    expect(await raised(() => pay("pm_card_bypassPending"))).toContain("balance.available");
    expect(await available()).toBe(after + 2000);
    const charges = await stripe.balanceTransactions.list({ type: "charge", limit: 1 });
    expect(await stripe.balanceTransactions.retrieve(charges.data[0]?.id ?? "")).toMatchObject({
      status: "available",
      net: 2000,
    });
  });

  it("pays out, cancels and reverses what is there, and no more", async () => {
    await pay("pm_card_bypassPending");
    expect(await refused(stripe.payouts.create({ amount: 99_999_999, currency: "usd" }))).toMatchObject({
      code: "balance_insufficient",
      statusCode: 400,
    });
    const start = await available();
    const canceled = await stripe.payouts.create({ amount: 500, currency: "usd" });
    expect(canceled.status).toBe("pending");
    expect(await stripe.payouts.cancel(canceled.id)).toMatchObject({ status: "canceled" });
    expect(await available()).toBe(start);
    const payout = await stripe.payouts.create({ amount: 700, currency: "usd", metadata: { a: "b" } });
    await stripe.payouts.update(payout.id, { metadata: { a: "c" } });
    expect(await raised(() => later(15))).toEqual(expect.arrayContaining(["payout.updated", "payout.paid"]));
    expect(await stripe.payouts.retrieve(payout.id)).toMatchObject({ status: "paid", metadata: { a: "c" } });
    const reversal = await stripe.payouts.reverse(payout.id);
    expect(reversal).toMatchObject({ amount: -700, original_payout: payout.id });
    later(15);
    expect(await available()).toBe(start);
    expect((await stripe.payouts.list({ status: "paid" })).data.map(({ id }) => id)).toContain(payout.id);
  });

  it("is topped up", async () => {
    const start = await available();
    const topup = await stripe.topups.create({ amount: 3000, currency: "usd", description: "more" });
    const canceled = await stripe.topups.create({ amount: 3000, currency: "usd" });
    await stripe.topups.cancel(canceled.id);
    expect(await raised(() => later(15))).toEqual(expect.arrayContaining(["topup.succeeded"]));
    expect(await stripe.topups.retrieve(topup.id)).toMatchObject({ status: "succeeded" });
    expect(await available()).toBe(start + 3000);
  });
});

describe("a connected account", () => {
  const connect = async (): Promise<string> => (await stripe.accounts.create({})).id;

  it("is sent money, and some of it is taken back", async () => {
    await pay("pm_card_bypassPending");
    const destination = await connect();
    expect(
      await refused(stripe.transfers.create({ amount: 100, currency: "usd", destination: "acct_none" })),
    ).toMatchObject({ code: "resource_missing", param: "destination" });
    expect(await refused(stripe.transfers.create({ amount: 90_000_000, currency: "usd", destination }))).toMatchObject({
      code: "balance_insufficient",
    });
    const transfer = await stripe.transfers.create({ amount: 1000, currency: "usd", destination });
    expect(await available(sandbox.client({ account: destination }))).toBe(1000);
    const types = await raised(async () => {
      await stripe.transfers.update(transfer.id, { metadata: { foo: "bar" } });
      const reversal = await stripe.transfers.createReversal(transfer.id, { amount: 100 });
      expect(await stripe.transfers.retrieveReversal(transfer.id, reversal.id)).toMatchObject({ amount: 100 });
    });
    expect(types.filter((type) => type.startsWith("transfer."))).toEqual(["transfer.updated", "transfer.reversed"]);
    expect(await stripe.transfers.retrieve(transfer.id)).toMatchObject({ amount_reversed: 100, reversed: false });
    expect(await refused(stripe.transfers.createReversal(transfer.id, { amount: 901 }))).toMatchObject({
      statusCode: 400,
    });
    expect(await available(sandbox.client({ account: destination }))).toBe(900);
  });

  it("gets a destination charge less the platform's fee, and gives both back on a refund", async () => {
    const destination = await connect();
    const there = sandbox.client({ account: destination });
    let intent: Stripe.PaymentIntent | undefined;
    const types = await raised(async () => {
      intent = await pay("pm_card_visa", {
        application_fee_amount: 300,
        transfer_data: { destination },
        on_behalf_of: destination,
      });
    });
    // The connected account's own balance.available stands apart: each account has its own events.
    expect(types.filter((type) => type !== "balance.available")).toEqual([
      "payment_intent.created",
      "charge.succeeded",
      "payment_intent.succeeded",
      "transfer.created",
      "application_fee.created",
      "charge.updated",
    ]);
    expect(await available(there)).toBe(1700);
    const charge = await stripe.charges.retrieve(named(intent?.latest_charge), {
      expand: ["transfer", "application_fee"],
    });
    expect(charge).toMatchObject({
      transfer: { amount: 2000, destination },
      application_fee: { amount: 300, account: destination },
    });
    await stripe.refunds.create({ charge: charge.id, reverse_transfer: true, refund_application_fee: true });
    expect(await stripe.applicationFees.retrieve((charge.application_fee as Stripe.ApplicationFee).id)).toMatchObject({
      refunded: true,
    });
    expect(await available(there)).toBe(0);
  });

  it("charges directly, and the platform gets its fee", async () => {
    const account = await connect();
    const there = sandbox.client({ account });
    const intent = await pay("pm_card_visa", { application_fee_amount: 200 }, there);
    const charge = await there.charges.retrieve(named(intent.latest_charge), { expand: ["balance_transaction"] });
    expect(
      (charge.balance_transaction as Stripe.BalanceTransaction).fee_details.map(({ type, amount }) => [type, amount]),
    ).toEqual([
      ["application_fee", 200],
      ["stripe_fee", 88],
    ]);
    const fees = await stripe.applicationFees.list({ charge: charge.id });
    expect(fees.data).toMatchObject([{ amount: 200, account, charge: charge.id }]);
    const fee = fees.data[0]?.id ?? "";
    const types = await raised(() => stripe.applicationFees.createRefund(fee, { amount: 50 }));
    expect(types).toContain("application_fee.refunded");
    expect((await stripe.applicationFees.listRefunds(fee)).data).toHaveLength(1);
    expect(await refused(stripe.charges.retrieve(charge.id))).toMatchObject({
      statusCode: 404,
      code: "resource_missing",
    });
  });
});

describe("an older caller's charge", () => {
  it("takes a token, a customer's card or a source", async () => {
    const charge = await stripe.charges.create({
      amount: 1000,
      currency: "usd",
      source: "tok_visa",
      description: "old",
    });
    expect(charge).toMatchObject({
      status: "succeeded",
      source: { object: "card", last4: "4242" },
      payment_intent: null,
    });
    const customer = await stripe.customers.create({ source: "tok_mastercard" });
    expect(await stripe.charges.create({ amount: 1000, currency: "usd", customer: customer.id })).toMatchObject({
      customer: customer.id,
    });
    const source = await stripe.sources.create({ type: "card", token: "tok_visa" });
    expect(await stripe.charges.create({ amount: 1000, currency: "usd", source: source.id })).toMatchObject({
      status: "succeeded",
    });
    expect(await stripe.charges.update(charge.id, { metadata: { a: "b" } })).toMatchObject({ metadata: { a: "b" } });
    expect(await refused(stripe.charges.create({ amount: 1000, currency: "usd" }))).toMatchObject({ statusCode: 400 });
  });

  it("is declined with its charge's id", async () => {
    const error = await refused(
      stripe.charges.create({ amount: 1000, currency: "usd", source: "tok_chargeDeclinedInsufficientFunds" }),
    );
    expect(error).toMatchObject({ statusCode: 402, code: "card_declined", decline_code: "insufficient_funds" });
    expect(await stripe.charges.retrieve(error.charge ?? "")).toMatchObject({ status: "failed" });
  });

  it("is captured later", async () => {
    const held = await stripe.charges.create({ amount: 1000, currency: "usd", source: "tok_visa", capture: false });
    expect(held.captured).toBe(false);
    expect(await stripe.charges.capture(held.id, { amount: 600 })).toMatchObject({
      captured: true,
      amount_captured: 600,
      amount_refunded: 400,
    });
    expect(await refused(stripe.charges.capture(held.id))).toMatchObject({ code: "charge_already_captured" });
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
