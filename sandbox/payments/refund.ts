// Refunds: money given back, at once or later, wholly or in part, and what happens when the card's bank refuses it.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkPositive, signed } from "./amount-rules.ts";
import { refundFee } from "./application-fee.ts";
import { book } from "./balance.ts";
import { fresh } from "./fresh.ts";
import { behaviorOf } from "./instrument.ts";
import { defineTask, schedule } from "./schedule.ts";
import { reverseTransfer } from "./transfer.ts";

/** A refund that is to fail, or to end later, does so after these seconds. */
const ENDS_AFTER = 5;

/** @throws StripeFailure 400 nothing is left, more than is left, the charge failed or is disputed */
export function createRefund(world: Transaction, params: Stripe.RefundCreateParams): Stripe.Refund {
  const charge = chargeOf(world, params);
  const tx = world.atTimeOf(charge.customer);
  const left = charge.amount - charge.amount_refunded;
  const intent = idOf(charge.payment_intent);
  if (charge.status === "failed" && intent !== null) {
    throw invalidRequest(`This PaymentIntent (${intent}) does not have a successful charge to refund.`);
  }
  if (charge.status === "succeeded" && !charge.captured && intent !== null) {
    throw invalidRequest(
      `This uncaptured Charge was created by a PaymentIntent (${intent}). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method`,
    );
  }
  if (charge.status !== "succeeded") {
    throw invalidRequest(`Charge ${charge.id} has not succeeded: a ${charge.status} charge cannot be refunded.`, {
      code: charge.status === "pending" ? "charge_not_refundable" : "charge_invalid_parameter",
      param: "charge",
    });
  }
  if (charge.disputed && isChargedBack(tx, charge.id)) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: "charge_disputed",
    });
  }
  if (charge.refunded || left === 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, { code: "charge_already_refunded" });
  }
  const amount = params.amount ?? left;
  checkPositive(amount, "amount");
  if (amount > left) {
    throw invalidRequest(
      `Refund amount (${signed(amount, charge.currency)}) is greater than unrefunded amount on charge (${signed(left, charge.currency)})`,
      { param: "amount" },
    );
  }
  if (!charge.captured && amount < charge.amount) {
    throw invalidRequest(
      "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than the original amount.",
      { param: "amount" },
    );
  }
  return makeRefund(tx, charge, { ...params, amount });
}

function chargeOf(tx: Transaction, { charge, payment_intent: id }: Stripe.RefundCreateParams): Stripe.Charge {
  // Stripe answers 404 here, as if the id stood in the path.
  if (charge !== undefined) return tx.get("charge", charge);
  if (id === undefined) {
    throw invalidRequest("One of the following params should be provided for this request: payment_intent or charge.");
  }
  const intent = tx.get("payment_intent", id, "payment_intent");
  const latest = idOf(intent.latest_charge);
  const found = latest === null ? undefined : tx.find("charge", latest);
  if (found?.status !== "succeeded") {
    throw invalidRequest(`This PaymentIntent (${id}) does not have a successful charge to refund.`, {
      param: "payment_intent",
    });
  }
  return found;
}

function isChargedBack(tx: Transaction, charge: string): boolean {
  return tx.all("dispute").some((dispute) => dispute.charge === charge && !dispute.is_charge_refundable);
}

interface RefundTerms {
  amount: number;
  reason?: string | undefined;
  metadata?: Stripe.RefundCreateParams["metadata"];
  instructions_email?: string | undefined;
  refund_application_fee?: boolean | undefined;
  reverse_transfer?: boolean | undefined;
}

/** Raises refund.created and charge.refunded. Checks nothing. */
export function makeRefund(tx: Transaction, charge: Stripe.Charge, terms: RefundTerms): Stripe.Refund {
  const { amount } = terms;
  const type = charge.payment_method_details?.type ?? "card";
  const behavior = behaviorOf(tx, charge.payment_method ?? "");
  const id = `${type === "card" ? "re" : "pyr"}_${tx.world.random.text(24)}`;
  const needsAction = type === "customer_balance";
  const pends = charge.captured && (behavior === "refunds_pend" || (type !== "card" && !needsAction));
  const booked = charge.captured
    ? book(tx, {
        type: type === "card" ? "refund" : "payment_refund",
        amount: -amount,
        currency: charge.currency,
        source: id,
        description: charge.description === null ? "REFUND FOR CHARGE" : `REFUND FOR CHARGE (${charge.description})`,
        reporting: "refund",
      })
    : undefined;
  const made = fresh(tx, "refund", {
    id,
    amount,
    balance_transaction: booked?.id ?? null,
    charge: charge.id,
    currency: charge.currency,
    customer: idOf(charge.customer),
    destination_details: destinationOf(tx, type, charge.captured, pends),
    instructions_email: terms.instructions_email,
    metadata: mergeMetadata({}, terms.metadata),
    payment_intent: idOf(charge.payment_intent),
    payment_method: charge.payment_method,
    pending_reason: pends ? "processing" : undefined,
    reason: terms.reason ?? null,
    status: needsAction ? "requires_action" : pends ? "pending" : "succeeded",
    ...(needsAction ? { next_action: emailAction(tx, terms.instructions_email) } : {}),
  });
  const { livemode: _livemode, ...rest } = made as Stripe.Refund & { livemode: boolean };
  tx.put("refund", rest);
  const refund = giveBackWithin(tx, charge, id, terms);
  tx.raise("refund.created", refund);
  const total = charge.amount_refunded + amount;
  tx.change(
    "charge",
    { ...tx.get("charge", charge.id), amount_refunded: total, refunded: total === charge.amount },
    "charge.refunded",
  );
  if (pends) schedule(tx, "refund_succeeds", id, ENDS_AFTER);
  if (behavior === "refunds_fail" && charge.captured) schedule(tx, "refund_fails", id, ENDS_AFTER);
  return refund;
}

function emailAction(tx: Transaction, email: string | undefined): object {
  const sent = { email_sent_at: tx.now, email_sent_to: email ?? "customer@example.com" };
  return { type: "display_details", display_details: { email_sent: sent, expires_at: tx.now + 45 * 24 * 3600 } };
}

function destinationOf(tx: Transaction, type: string, captured: boolean, pends: boolean): object | undefined {
  if (type !== "card") return undefined;
  if (!captured) return { type: "card", card: { type: "reversal" } };
  if (pends)
    return {
      type: "card",
      card: { reference_status: "pending", reference_type: "acquirer_reference_number", type: "pending" },
    };
  const reference = String(10_000_000_000 + tx.world.random.integer(2 ** 30));
  return {
    type: "card",
    card: { reference, reference_status: "available", reference_type: "acquirer_reference_number", type: "refund" },
  };
}

/** The connected account's share, and the platform's fee, when they were asked for. */
function giveBackWithin(tx: Transaction, charge: Stripe.Charge, id: string, terms: RefundTerms): Stripe.Refund {
  const share = terms.amount / charge.amount;
  const transfer = idOf(charge.transfer);
  if (terms.reverse_transfer === true) {
    if (transfer === null) {
      throw invalidRequest("Cannot reverse transfer on a charge that has no transfer.", { param: "reverse_transfer" });
    }
    const { amount, amount_reversed: reversed } = tx.get("transfer", transfer);
    const back = Math.min(amount - reversed, Math.round(amount * share));
    const reversal = reverseTransfer(tx, transfer, { amount: back, source_refund: id });
    tx.put("refund", { ...tx.get("refund", id), transfer_reversal: reversal.id });
  }
  const fee = idOf(charge.application_fee);
  if (terms.refund_application_fee === true) {
    if (fee === null) {
      throw invalidRequest("Cannot refund the application fee of a charge that has none.", {
        param: "refund_application_fee",
      });
    }
    refundFee(tx, fee, Math.round((charge.application_fee_amount ?? 0) * share));
  }
  return tx.get("refund", id);
}

/** The bank refuses the refund: the money comes back to the account. */
function failRefund(world: Transaction, id: string): void {
  const refund = world.get("refund", id);
  const tx = world.atTimeOf(refund.customer);
  const booked = book(tx, {
    type: "refund_failure",
    amount: refund.amount,
    currency: refund.currency,
    source: id,
    description: "REFUND FAILURE",
    available: true,
  });
  const failed = tx.put("refund", {
    ...refund,
    status: "failed",
    failure_reason: "expired_or_canceled_card",
    failure_balance_transaction: booked.id,
  });
  unrefund(tx, failed);
  tx.raise("refund.updated", failed, refund);
  tx.raise("charge.refund.updated", failed, refund);
  tx.raise("refund.failed", failed);
}

function unrefund(tx: Transaction, refund: Stripe.Refund): void {
  const charge = tx.find("charge", idOf(refund.charge) ?? "");
  if (charge === undefined) return;
  const left = Math.max(0, charge.amount_refunded - refund.amount);
  tx.change("charge", { ...charge, amount_refunded: left, refunded: false }, "charge.updated");
}

function succeedRefund(world: Transaction, id: string): void {
  const { pending_reason: _reason, ...refund } = world.get("refund", id);
  const tx = world.atTimeOf(refund.customer);
  const type = refund.destination_details?.type;
  const details = type === "card" ? { destination_details: destinationOf(tx, "card", true, false) } : {};
  changeRefund(tx, { ...refund, ...details, status: "succeeded" } as Stripe.Refund);
}

/** Both names of the event: the older one is for charges' refunds alone. */
function changeRefund(tx: Transaction, after: Stripe.Refund): Stripe.Refund {
  const before = tx.get("refund", after.id);
  tx.put("refund", after);
  tx.raise("refund.updated", after, before);
  if (after.charge !== null) tx.raise("charge.refund.updated", after, before);
  return after;
}

/** @throws StripeFailure 400 it does not wait for the customer */
function endWaiting(tx: Transaction, id: string, status: "canceled" | "failed"): Stripe.Refund {
  const { next_action: _action, ...refund } = tx.get("refund", id);
  if (refund.status !== "requires_action") {
    throw invalidRequest(
      `You cannot cancel this refund because it has a status of ${refund.status ?? "unknown"}. Only refunds with status \`requires_action\` may be canceled.`,
    );
  }
  const after = { ...refund, status, ...(status === "failed" ? { failure_reason: "expired_or_canceled_card" } : {}) };
  book(tx, { type: "refund_failure", amount: refund.amount, currency: refund.currency, source: id, available: true });
  unrefund(tx, refund);
  const changed = changeRefund(tx, after);
  if (status === "failed") tx.raise("refund.failed", changed);
  return changed;
}

export function openRefunds(): void {
  defineTask("refund_fails", failRefund);
  defineTask("refund_succeeds", succeedRefund);
  includable("charge", "refunds", (tx, charge) => refundList(tx, charge.id));
}

function refundList(tx: Transaction, charge: string) {
  const refunds = tx.where("refund", (refund) => refund.charge === charge).reverse();
  return innerList(refunds, `/v1/charges/${charge}/refunds`);
}

export const refundRoutes: Route[] = [
  route<Stripe.RefundCreateParams>()("POST /v1/refunds", (tx, p) => createRefund(tx, p)),
  route<Stripe.RefundListParams>()("GET /v1/refunds", (tx, p) => {
    const chosen = tx.where(
      "refund",
      (each) =>
        (p.charge === undefined || each.charge === p.charge) &&
        (p.payment_intent === undefined || each.payment_intent === p.payment_intent),
    );
    return listOf(chosen, "/v1/refunds", p as ListParameters);
  }),
  route<object>()("GET /v1/refunds/*", (tx, _p, id) => tx.get("refund", id)),
  route<Stripe.RefundUpdateParams>()("POST /v1/refunds/*", (tx, p, id) => {
    const old = tx.get("refund", id);
    return changeRefund(tx, { ...old, metadata: mergeMetadata(old.metadata, p.metadata) });
  }),
  route<object>()("POST /v1/refunds/*/cancel", (tx, _p, id) => endWaiting(tx, id, "canceled")),
  route<object>()("POST /v1/test_helpers/refunds/*/expire", (tx, _p, id) => endWaiting(tx, id, "failed")),
  // As older libraries ask for a charge's refunds.
  route<Stripe.RefundListParams>()("GET /v1/charges/*/refunds", (tx, p, id) => {
    tx.get("charge", id);
    const chosen = tx.where("refund", (refund) => refund.charge === id);
    return listOf(chosen, `/v1/charges/${id}/refunds`, p as ListParameters);
  }),
];
