// What each observation says happened, what its row has of old shapes, and how each kind is ordered.
import { describe, expect, it } from "vitest";

import { BEGIN, event, type EventOptions, observed } from "../../test/support/stripe-fixtures.ts";
import { newInvoice, newSubscription, oldInvoice, PAID } from "../../test/support/stripe-fixtures-billing.ts";
import { application } from "../../test/support/stripe-fixtures-connect.ts";
import * as payments from "../../test/support/stripe-fixtures-payments.ts";
import type { StripeObject } from "./observation.ts";
import { projectionOf } from "./registry.ts";

function factsOf(type: string, object: StripeObject, options: EventOptions = {}): string[] {
  const observation = observed(event(type, object, options));
  const facts = projectionOf(observation.objectType).facts?.(observation.object, observation) ?? [];
  return facts
    .filter((one) => one !== false && one !== null && one !== undefined)
    .map((one) => `${one.type} ${one.naturalKey}`);
}

describe("facts", () => {
  it("of a paid invoice are the same from every event and shape that says so", () => {
    const facts = ["invoice.finalized in_1", "invoice.paid in_1"];
    expect(factsOf("invoice.paid", oldInvoice(PAID))).toEqual(facts);
    expect(factsOf("invoice.payment_succeeded", newInvoice(PAID))).toEqual(facts);
    expect(factsOf("invoice.updated", newInvoice(PAID))).toEqual(facts);
    expect(factsOf("invoice.retrieved", newInvoice(PAID))).toEqual(facts);
  });

  it("of a failed payment are one per attempt", () => {
    expect(factsOf("invoice.payment_failed", oldInvoice({ attempt_count: 2 }))).toContain(
      "invoice.payment_failed in_1:2",
    );
    expect(factsOf("invoice.updated", oldInvoice({ attempt_count: 2, attempted: true }))).toEqual([
      "invoice.finalized in_1",
    ]);
    const failed = factsOf("payment_intent.payment_failed", payments.oldPaymentIntent(payments.declined("ch_8")));
    expect(failed).toEqual(["payment.failed pi_1:ch_8"]);
    expect(factsOf("payment_intent.payment_failed", payments.newPaymentIntent(payments.declined("ch_8")))).toEqual(
      failed,
    );
    const early = {
      status: "requires_payment_method",
      latest_charge: null,
      last_payment_error: { code: "c", payment_method: "pm_2" },
    };
    expect(factsOf("payment_intent.payment_failed", payments.newPaymentIntent(early))).toEqual([
      "payment.failed pi_1:pm_2:c",
    ]);
    const later = { ...early, latest_charge: "ch_1" };
    expect(factsOf("payment_intent.payment_failed", payments.newPaymentIntent(later))).toEqual([
      "payment.failed pi_1:ch_1:pm_2:c",
    ]);
    expect(factsOf("payment_intent.created", payments.newPaymentIntent({ status: "requires_payment_method" }))).toEqual(
      [],
    );
  });

  it("of a coming invoice name its subscription and period, for it has no id", () => {
    const upcoming = { id: undefined, status: "draft" };
    const facts = [`invoice.upcoming sub_1:${BEGIN + 30 * 86_400}`];
    expect(factsOf("invoice.upcoming", oldInvoice(upcoming))).toEqual(facts);
    expect(factsOf("invoice.upcoming", newInvoice(upcoming))).toEqual(facts);
  });

  it("of refunds and disputes are one per status", () => {
    expect(factsOf("refund.failed", payments.oldRefund({ status: "failed" }))).toEqual([
      "refund.updated re_1:failed",
      "refund.failed re_1",
    ]);
    expect(factsOf("charge.refund.updated", payments.oldRefund())).toEqual(["refund.updated re_1:succeeded"]);
    expect(factsOf("charge.dispute.closed", payments.newDispute({ status: "won" }))).toEqual([
      "dispute.updated dp_1:won",
      "dispute.closed dp_1:won",
    ]);
  });

  it("of a checkout session are one per payment status", () => {
    const unpaid = payments.newCheckoutSession({ payment_status: "unpaid" });
    expect(factsOf("checkout.session.completed", unpaid)).toEqual(["checkout.session.completed cs_test_1:unpaid"]);
    // Before late 2021 a session had no status: the event's name tells.
    const old = payments.oldCheckoutSession({ status: undefined, payment_status: "unpaid" });
    expect(factsOf("checkout.session.completed", old)).toEqual(["checkout.session.completed cs_test_1:unpaid"]);
    expect(factsOf("checkout.session.expired", old)).toEqual(["checkout.session.expired cs_test_1"]);
  });

  it("of a subscription name what makes them one", () => {
    expect(factsOf("customer.subscription.updated", newSubscription({ status: "past_due" }))).toEqual([
      "subscription.past_due sub_1:in_1",
    ]);
    expect(factsOf("customer.subscription.deleted", newSubscription({ status: "canceled" }))).toEqual([
      "subscription.canceled sub_1",
    ]);
    expect(factsOf("customer.subscription.trial_will_end", newSubscription({ trial_end: 5 }))).toEqual([
      "subscription.trial_will_end sub_1:5",
    ]);
  });

  it("of a connected account that left name the account and the event", () => {
    expect(factsOf("account.application.deauthorized", application(), { account: "acct_9", id: "evt_left" })).toEqual([
      "connected_account.deauthorized acct_9:evt_left",
    ]);
  });
});

describe("the row", () => {
  const rowOf = (type: string, object: StripeObject) => {
    const observation = observed(event(type, object));
    return projectionOf(observation.objectType).row(object, observation);
  };

  it("of an invoice has what was called otherwise before 2019-03-14", () => {
    const old = oldInvoice({
      ...{ created: undefined, date: BEGIN, status_transitions: undefined, finalized_at: BEGIN + 60 },
      ...{ application_fee_amount: undefined, application_fee: 300 },
    });
    const fields = { stripe_created: BEGIN, finalized_at: BEGIN + 60, application_fee_amount: 300 };
    expect(rowOf("invoice.finalized", old)).toMatchObject(fields);
    expect(rowOf("invoice.finalized", newInvoice({ application_fee_amount: 300 }))).toMatchObject(fields);
  });

  it("of a dispute that its bank takes no answer to has no deadline", () => {
    const evidence_details = { due_by: 0, has_evidence: false, past_due: false, submission_count: 0 };
    const closed = payments.newDispute({ evidence_details });
    expect(rowOf("charge.dispute.created", closed)).toMatchObject({ evidence_due_by: null });
  });
});

describe("order", () => {
  const terminal = (object: StripeObject) => projectionOf(String(object.object)).terminal?.(object) ?? false;
  const rank = (object: StripeObject) => projectionOf(String(object.object)).rank?.(object);

  it("lets nothing follow what is final, and something what is not", () => {
    expect([PAID, { status: "void" }].map((state) => terminal(newInvoice(state)))).toEqual([true, true]);
    expect([{ status: "uncollectible" }, { status: "open" }].map((state) => terminal(newInvoice(state)))).toEqual([
      false,
      false,
    ]);
    const session = payments.newCheckoutSession;
    expect(
      [{}, { payment_status: "no_payment_required" }, { status: "expired" }].map((state) => terminal(session(state))),
    ).toEqual([true, true, true]);
    expect(terminal(session({ payment_status: "unpaid" }))).toBe(false);
    expect(terminal(session({ status: "open", payment_status: "no_payment_required" }))).toBe(false);
    expect([{ status: "succeeded" }, { status: "failed" }].map((state) => terminal(payments.newRefund(state)))).toEqual(
      [false, true],
    );
    expect(terminal(payments.newDispute({ status: "lost" }))).toBe(false);
    expect(terminal(newSubscription({ status: "incomplete_expired" }))).toBe(true);
    expect(terminal(payments.newPaymentIntent({ status: "requires_payment_method" }))).toBe(false);
  });

  it("ranks only what never goes back", () => {
    expect(rank(newInvoice(PAID))).toEqual([3, 1, 3100]);
    expect(rank(payments.newRefund({ status: "failed" }))).toEqual([2]);
    expect(rank(payments.newPaymentIntent())).toBeUndefined();
    expect(rank(newSubscription())).toBeUndefined();
  });

  it("ends for ever only kinds whose ids Stripe makes", () => {
    const ends = ["customer", "invoice", "source", "product", "price", "plan", "coupon"].filter(
      (kind) => projectionOf(kind).tombstone === true,
    );
    expect(ends).toEqual(["customer", "invoice", "source"]);
  });
});
