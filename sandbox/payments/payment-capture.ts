// Payment intents that hold money: captured, wholly or in part, or canceled.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { moveMoney } from "./charge.ts";
import { finishCharge } from "./payment-attempt.ts";
import { saveIntent, unexpectedState } from "./payment-intent-draft.ts";
import { makeRefund } from "./refund.ts";
import { defineTask, unschedule } from "./schedule.ts";

export interface Capture {
  amount_to_capture?: number | undefined;
  application_fee_amount?: number | undefined;
  metadata?: Stripe.PaymentIntentCaptureParams["metadata"];
  statement_descriptor?: string | undefined;
  statement_descriptor_suffix?: string | undefined;
  transfer_data?: { amount?: number } | undefined;
}

/** @throws StripeFailure 400 nothing is held, or less than that */
export function capturePaymentIntent(world: Transaction, id: string, given: Capture = {}): Stripe.PaymentIntent {
  const intent = world.get("payment_intent", id);
  const tx = world.atTimeOf(intent.customer);
  if (intent.status !== "requires_capture") {
    const message =
      intent.status === "succeeded"
        ? "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized amount has been released."
        : `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`;
    throw unexpectedState(intent, message);
  }
  const amount = given.amount_to_capture ?? intent.amount_capturable;
  refuseAmount(intent, amount);
  const charge = captureCharge(tx, idOf(intent.latest_charge) ?? "", { ...given, amount });
  const captured = {
    ...intent,
    status: "succeeded",
    amount_capturable: 0,
    amount_received: amount,
    application_fee_amount: given.application_fee_amount ?? intent.application_fee_amount,
    metadata: mergeMetadata(intent.metadata, given.metadata),
    statement_descriptor: given.statement_descriptor ?? intent.statement_descriptor,
    statement_descriptor_suffix: given.statement_descriptor_suffix ?? intent.statement_descriptor_suffix,
  } as const;
  saveIntent(tx, captured, "payment_intent.succeeded");
  finishCharge(tx, charge, false);
  return tx.get("payment_intent", id);
}

function refuseAmount(intent: Stripe.PaymentIntent, amount: number): void {
  if (amount >= 1 && amount <= intent.amount_capturable) return;
  const param = "amount_to_capture";
  const failure =
    amount < 0
      ? invalidRequest("Invalid non-negative integer", { param })
      : amount < 1
        ? // Stripe's own answer to zero names another parameter.
          invalidRequest("This value must be greater than or equal to 1.", {
            param: "amount",
            code: "parameter_invalid_integer",
          })
        : invalidRequest(
            "The payment could not be captured because the requested capture amount is greater than the amount you can capture for this charge.",
            { param, code: "amount_too_large" },
          );
  failure.body.payment_intent = intent;
  throw failure;
}

/** Takes what was reserved; what is left over is released. Raises charge.captured. */
export function captureCharge(
  tx: Transaction,
  id: string,
  given: {
    amount: number;
    application_fee_amount?: number | undefined;
    transfer_data?: { amount?: number } | undefined;
  },
): Stripe.Charge {
  const charge = tx.get("charge", id);
  unschedule(tx, "hold_expires", id);
  const { amount } = given;
  const data = charge.transfer_data;
  const before = tx.put("charge", {
    ...charge,
    amount_captured: amount,
    application_fee_amount: given.application_fee_amount ?? charge.application_fee_amount,
    captured: true,
    transfer_data: data === null ? null : { ...data, amount: given.transfer_data?.amount ?? data.amount },
  });
  const moved = moveMoney(tx, before);
  // The part that is not taken shows as a refund that moved no money.
  const rest = charge.amount - amount;
  const captured = tx.put("charge", { ...moved, amount_refunded: rest, refunded: false });
  tx.raise("charge.captured", captured);
  return captured;
}

const CANCELABLE = new Set(["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"]);

/** @throws StripeFailure 400 it has ended already */
export function cancelPaymentIntent(
  world: Transaction,
  id: string,
  given: { cancellation_reason?: string | undefined } = {},
): Stripe.PaymentIntent {
  const intent = world.get("payment_intent", id);
  const tx = world.atTimeOf(intent.customer);
  if (!CANCELABLE.has(intent.status)) {
    throw unexpectedState(
      intent,
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.`,
    );
  }
  const charge = idOf(intent.latest_charge);
  if (intent.status === "requires_capture" && charge !== null) release(tx, charge);
  const canceled = {
    ...intent,
    status: "canceled",
    amount_capturable: 0,
    canceled_at: tx.now,
    cancellation_reason: given.cancellation_reason ?? null,
    next_action: null,
  } as Stripe.PaymentIntent;
  return saveIntent(tx, canceled, "payment_intent.canceled");
}

/** Reserved money goes back: a refund of all of it, that moves nothing on the balance. */
function release(tx: Transaction, id: string, reason?: string): void {
  unschedule(tx, "hold_expires", id);
  const charge = tx.get("charge", id);
  makeRefund(tx, charge, { amount: charge.amount, reason });
}

/** Nobody captured it in time: the charge expires, and its payment intent is canceled. */
function expireHold(world: Transaction, id: string): void {
  const charge = world.find("charge", id);
  if (charge === undefined || charge.captured || charge.refunded) return;
  const tx = world.atTimeOf(charge.customer);
  release(tx, id, "expired_uncaptured_charge");
  tx.raise("charge.expired", tx.get("charge", id));
  const intent = tx.find("payment_intent", idOf(charge.payment_intent) ?? "");
  if (intent?.status !== "requires_capture") return;
  const canceled = {
    ...intent,
    status: "canceled",
    amount_capturable: 0,
    canceled_at: tx.now,
    cancellation_reason: "automatic",
  } as const;
  saveIntent(tx, canceled, "payment_intent.canceled");
}

export function openHolds(): void {
  defineTask("hold_expires", expireHold);
}
