// How payments end that wait for a bank: debits that settle or fail, bank transfers that arrive.
import type Stripe from "stripe";

import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { moveMoney } from "./charge.ts";
import { bankFailure } from "./declines.ts";
import { behaviorOf, resolvePaymentMethod } from "./instrument.ts";
import { endFailed, finishCharge, succeed } from "./payment-attempt.ts";
import { saveIntent } from "./payment-intent-draft.ts";
import { defineTask, unschedule } from "./schedule.ts";

/**
 * The answer of the bank for a payment that is processing, or the money of a bank transfer arriving. Nothing happens
 * when the intent waits for neither.
 */
export function settle(
  world: Transaction,
  id: string,
  succeeded: boolean,
  reason = "generic_decline",
): Stripe.PaymentIntent {
  const intent = world.get("payment_intent", id);
  const tx = world.atTimeOf(intent.customer);
  const reference = idOf(intent.payment_method);
  const isTransfer =
    intent.status === "requires_action" && intent.next_action?.type === "display_bank_transfer_instructions";
  if (reference === null || (intent.status !== "processing" && !isTransfer)) return intent;
  const method = resolvePaymentMethod(tx, reference);
  if (isTransfer) return succeeded ? succeed(tx, { ...intent, next_action: null }, method) : intent;
  unschedule(tx, "settle", id);
  const charge = tx.get("charge", idOf(intent.latest_charge) ?? "");
  if (!succeeded) return settledBadly(tx, intent, method, charge, reason);
  const paid = tx.put("charge", {
    ...charge,
    status: "succeeded",
    paid: true,
    captured: true,
    amount_captured: charge.amount,
    receipt_url: `${tx.world.origin}/receipts/${charge.id}`,
  });
  const moved = moveMoney(tx, paid);
  tx.raise("charge.succeeded", moved);
  saveIntent(tx, { ...intent, status: "succeeded", amount_received: intent.amount }, "payment_intent.succeeded");
  finishCharge(tx, moved, false);
  return tx.get("payment_intent", id);
}

function settledBadly(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  charge: Stripe.Charge,
  reason: string,
): Stripe.PaymentIntent {
  const { code, message } = bankFailure(reason);
  const lost = tx.put("charge", {
    ...charge,
    status: "failed",
    paid: false,
    failure_code: code,
    failure_message: message,
  });
  tx.raise("charge.failed", lost);
  return endFailed(tx, intent, method, {
    type: "card_error",
    code: "payment_intent_payment_attempt_failed",
    decline_code: code,
    message,
    charge: charge.id,
  });
}

/** What the test account's number says. */
function settleByItself(tx: Transaction, id: string): void {
  const method = idOf(tx.get("payment_intent", id).payment_method);
  const [kind = "", reason] = behaviorOf(tx, method ?? "").split(":");
  settle(tx, id, !kind.startsWith("settling_fails"), reason);
}

export function openSettling(): void {
  defineTask("settle", settleByItself);
}
