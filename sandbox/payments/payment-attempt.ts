// Confirming a payment intent: one attempt to charge its payment method, and how the attempt ends.
import type Stripe from "stripe";

import { cardError, invalidRequest, type Decline, StripeFailure, type StripeErrorBody } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { DEBITS } from "./bank-part.ts";
import { makeCharge, moveMoney, type ChargeDraft } from "./charge.ts";
import { declineFor } from "./declines.ts";
import { openDispute } from "./dispute.ts";
import { attachQuietly, behaviorOf, resolvePaymentMethod, setBehavior, spend } from "./instrument.ts";
import { mandateFor } from "./mandate.ts";
import { authenticationAction, bankTransferAction, microdepositAction } from "./next-action.ts";
import { keepNotes, methodOf, notesOf, saveIntent, shippingOf, unexpectedState } from "./payment-intent-draft.ts";
import { schedule } from "./schedule.ts";

/** Debits of Stripe's test accounts settle quickly, the delayed ones after three minutes. */
const SETTLES_AFTER = 3;
const SETTLES_LATE_AFTER = 180;

export interface Confirmation {
  payment_method?: string | undefined;
  payment_method_data?: object | undefined;
  payment_method_types?: string[] | undefined;
  payment_method_options?: object | undefined;
  source?: string | undefined;
  off_session?: boolean | string | undefined;
  return_url?: string | undefined;
  mandate?: string | undefined;
  mandate_data?: object | "" | null | undefined;
  receipt_email?: string | null | undefined;
  setup_future_usage?: string | null | undefined;
  shipping?: object | "" | null | undefined;
  capture_method?: string | undefined;
  error_on_requires_action?: boolean | undefined;
  use_stripe_sdk?: boolean | undefined;
}

/**
 * One attempt. Never throws for a decline: see `status` and `last_payment_error`.
 * @throws StripeFailure 400 the intent's state does not allow it, it has no payment method, or the method does not fit
 */
export function confirmPaymentIntent(world: Transaction, id: string, given: Confirmation = {}): Stripe.PaymentIntent {
  const old = world.get("payment_intent", id);
  const tx = world.atTimeOf(old.customer);
  refuseState(old);
  const types = given.payment_method_types ?? old.payment_method_types;
  const named = methodOf(tx, given, idOf(old.customer), types, old);
  const reference = named?.id ?? idOf(old.payment_method);
  if (reference === null) throw unexpectedState(old, missingMethod(old));
  const method = named ?? resolvePaymentMethod(tx, reference);
  const notes = notesOf(tx, id);
  const isAuthenticated = notes.authenticated === true && idOf(old.payment_method) === method.id;
  keepNotes(tx, id, {
    return_url: given.return_url ?? notes.return_url,
    off_session: given.off_session !== undefined && given.off_session !== false,
    mandate_data: given.mandate_data ?? notes.mandate_data,
    mandate: given.mandate,
    authenticated: isAuthenticated,
  });
  const confirmed = tx.put("payment_intent", {
    ...old,
    ...confirmedFields(given),
    payment_method: method.id,
    payment_method_types: types,
    last_payment_error: null,
    next_action: null,
  });
  return attempt(tx, confirmed, method, given.error_on_requires_action === true);
}

function missingMethod({ customer }: Stripe.PaymentIntent): string {
  const missing = "You cannot confirm this PaymentIntent because it's missing a payment method.";
  const owner = idOf(customer);
  return owner === null
    ? `${missing} You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.`
    : `${missing} To confirm the PaymentIntent with ${owner}, specify a payment method attached to this customer along with the customer ID.`;
}

function confirmedFields(given: Confirmation): Partial<Stripe.PaymentIntent> {
  const fields: Record<string, unknown> = {};
  if (given.receipt_email !== undefined) fields.receipt_email = given.receipt_email || null;
  if (given.setup_future_usage !== undefined) fields.setup_future_usage = given.setup_future_usage || null;
  if (given.capture_method !== undefined) fields.capture_method = given.capture_method;
  if (given.shipping !== undefined) fields.shipping = shippingOf(given.shipping);
  return fields;
}

function refuseState(intent: Stripe.PaymentIntent): void {
  if (intent.status === "succeeded" || intent.status === "requires_capture") {
    throw unexpectedState(
      intent,
      "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
    );
  }
  if (intent.status === "canceled" || intent.status === "processing") {
    throw unexpectedState(
      intent,
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`,
    );
  }
}

function attempt(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  refusesAction: boolean,
): Stripe.PaymentIntent {
  const [kind = "", detail = ""] = behaviorOf(tx, method.id).split(":");
  const { off_session: offSession = false, authenticated = false, return_url: returnUrl } = notesOf(tx, intent.id);
  if (kind.startsWith("unverified")) {
    return act(tx, intent, microdepositAction(tx, intent.id));
  }
  if (kind === "transfers") return act(tx, intent, bankTransferAction(tx, intent));
  if (DEBITS.has(method.type)) return debit(tx, intent, method);
  if (method.type === "card" && !authenticated && needsAuthentication(intent, kind, offSession)) {
    if (offSession || refusesAction) return fail(tx, intent, method, declineFor("authentication_required"));
    return act(tx, intent, authenticationAction(tx, intent.id, returnUrl));
  }
  if (kind === "redirects" && !authenticated) {
    if (returnUrl === undefined) {
      throw invalidRequest(
        "You must provide a `return_url` when confirming using automatic_payment_methods or with a payment method that redirects.",
        { param: "return_url" },
      );
    }
    return act(tx, intent, authenticationAction(tx, intent.id, returnUrl));
  }
  if (kind === "declines" || kind === "declines_charges" || kind === "authenticates_then_declines") {
    return fail(tx, intent, method, declineFor(detail));
  }
  return succeed(tx, intent, method);
}

function needsAuthentication(intent: Stripe.PaymentIntent, kind: string, offSession: boolean): boolean {
  const asked = intent.payment_method_options?.card?.request_three_d_secure;
  if (!offSession && (asked === "any" || asked === "challenge")) return !kind.startsWith("declines");
  switch (kind) {
    case "authenticates_always":
    case "authenticates_until_set_up":
      return true;
    case "authenticates_on_session":
      return !offSession;
    // Off session these decline without asking.
    case "authenticates_then_declines":
      return !offSession;
    default:
      return false;
  }
}

function act(tx: Transaction, intent: Stripe.PaymentIntent, action: object): Stripe.PaymentIntent {
  const next = { ...intent, status: "requires_action", next_action: action } as Stripe.PaymentIntent;
  return saveIntent(tx, next, "payment_intent.requires_action");
}

function draftOf(tx: Transaction, intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod): ChargeDraft {
  return {
    amount: intent.amount,
    currency: intent.currency,
    customer: idOf(intent.customer),
    method,
    capture: capturesNow(intent, method.type),
    authenticated: notesOf(tx, intent.id).authenticated === true,
    description: intent.description,
    metadata: intent.metadata,
    payment_intent: intent.id,
    application_fee_amount: intent.application_fee_amount,
    transfer_data: intent.transfer_data
      ? { destination: idOf(intent.transfer_data.destination) ?? "", amount: intent.transfer_data.amount }
      : null,
    on_behalf_of: idOf(intent.on_behalf_of),
    transfer_group: intent.transfer_group,
    receipt_email: intent.receipt_email,
    shipping: intent.shipping,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
  };
}

function capturesNow(intent: Stripe.PaymentIntent, type: string): boolean {
  return (
    intent.capture_method !== "manual" &&
    !(type === "card" && intent.payment_method_options?.card?.capture_method === "manual")
  );
}

/** A failed charge, unless the reason is found before the card is charged. */
function fail(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  decline: Decline,
): Stripe.PaymentIntent {
  const charge = makeCharge(tx, { ...draftOf(tx, intent, method), decline });
  tx.raise("charge.failed", charge);
  return endFailed(tx, { ...intent, latest_charge: charge.id }, method, {
    ...decline,
    type: "card_error",
    charge: charge.id,
  });
}

export function endFailed(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  body: StripeErrorBody,
): Stripe.PaymentIntent {
  keepNotes(tx, intent.id, { authenticated: false });
  const { body: error } = new StripeFailure(402, { ...body, payment_method: method });
  const next = {
    ...intent,
    status: "requires_payment_method",
    payment_method: null,
    next_action: null,
    last_payment_error: error,
  } as unknown as Stripe.PaymentIntent;
  return saveIntent(tx, next, "payment_intent.payment_failed");
}

/** What the API ends with after an attempt that failed. */
export function cardErrorOf(intent: Stripe.PaymentIntent): StripeFailure {
  const { type = "card_error", ...body } = (intent.last_payment_error ?? {}) as Partial<StripeErrorBody>;
  const { code = "card_declined", message = "Your card was declined." } = body;
  const failure = cardError({ code, message }, { ...body, payment_intent: intent });
  return new StripeFailure(type === "card_error" ? 402 : 400, { ...failure.body, type }, { keeps: true });
}

/** The money is there, or reserved until it is captured. */
export function succeed(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
): Stripe.PaymentIntent {
  const used = keepForLater(tx, intent, method);
  const draft = draftOf(tx, intent, used);
  let charge = makeCharge(tx, draft);
  const waits = draft.capture && intent.capture_method === "automatic_async";
  if (draft.capture && !waits) charge = moveMoney(tx, charge);
  tx.raise("charge.succeeded", charge);
  if (!draft.capture) {
    const reserved = {
      ...intent,
      status: "requires_capture",
      amount_capturable: intent.amount,
      latest_charge: charge.id,
    };
    return saveIntent(tx, reserved, "payment_intent.amount_capturable_updated");
  }
  const paid = { ...intent, status: "succeeded", amount_received: intent.amount, latest_charge: charge.id };
  saveIntent(tx, paid, "payment_intent.succeeded");
  finishCharge(tx, charge, waits);
  return tx.get("payment_intent", intent.id);
}

/** After the payment: its money moves when that comes later, and a test card's dispute begins. */
export function finishCharge(tx: Transaction, charge: Stripe.Charge, waits: boolean): void {
  const [kind = "", reason = ""] = behaviorOf(tx, charge.payment_method ?? "").split(":");
  const disputes = kind === "disputed" || kind === "inquired" || kind === "settles_disputed";
  if (waits) {
    const moved = moveMoney(tx, charge);
    tx.put("charge", { ...moved, disputed: disputes });
    tx.raise("charge.updated", tx.get("charge", charge.id), charge);
  }
  if (disputes) openDispute(tx, charge.id, kind === "inquired" ? "inquiry" : "chargeback", reason || "fraudulent");
  if (kind === "warned") tx.raise("radar.early_fraud_warning.created", fraudWarning(tx, charge, reason));
}

function fraudWarning(tx: Transaction, charge: Stripe.Charge, reason: string): object {
  return {
    id: `issfr_${tx.world.random.text(24)}`,
    object: "radar.early_fraud_warning",
    actionable: true,
    charge: charge.id,
    created: tx.now,
    fraud_type: reason,
    livemode: tx.scope.livemode,
    payment_intent: idOf(charge.payment_intent),
  };
}

/** With setup_future_usage the method is saved with the customer; without a customer it is used up. */
function keepForLater(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
): Stripe.PaymentMethod {
  const customer = idOf(intent.customer);
  const options = intent.payment_method_options as Record<string, { setup_future_usage?: string } | undefined> | null;
  const usage = options?.[method.type]?.setup_future_usage ?? intent.setup_future_usage;
  const isKept = Boolean(usage) && usage !== "none";
  if (customer !== null && isKept) {
    if (usage === "off_session" && behaviorOf(tx, method.id) === "authenticates_until_set_up") {
      setBehavior(tx, method.id, "authenticates_on_session");
    }
    return attachQuietly(tx, method, customer);
  }
  // One that is to be kept may get its customer later: Checkout makes it after the payment.
  const isLoose = !isKept && idOf(method.customer) === null && tx.find("payment_method", method.id) !== undefined;
  if (isLoose) spend(tx, method.id);
  return method;
}

/** A debit: the bank says later whether it pays. */
function debit(tx: Transaction, intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod): Stripe.PaymentIntent {
  const [kind = ""] = behaviorOf(tx, method.id).split(":");
  const isReused = intent.setup_future_usage !== null || idOf(method.customer) !== null;
  const { amount, currency } = intent;
  const { mandate_data: acceptance } = notesOf(tx, intent.id);
  const mandate = mandateFor(tx, method, acceptance, isReused ? undefined : { amount, currency });
  const used = keepForLater(tx, intent, method);
  const charge = makeCharge(tx, { ...draftOf(tx, intent, used), pending: true, mandate: mandate?.id ?? null });
  tx.raise("charge.pending", charge);
  const waiting = { ...intent, status: "processing", latest_charge: charge.id } as Stripe.PaymentIntent;
  if (kind !== "never_settles")
    schedule(tx, "settle", intent.id, kind.endsWith("late") ? SETTLES_LATE_AFTER : SETTLES_AFTER);
  return saveIntent(tx, waiting, "payment_intent.processing");
}

/**
 * The customer has passed or failed 3-D Secure, or has come back from a bank's page.
 * @throws StripeFailure 400 the intent does not wait for that
 */
export function authenticatePayment(world: Transaction, id: string, passed: boolean): Stripe.PaymentIntent {
  const intent = world.get("payment_intent", id);
  const tx = world.atTimeOf(intent.customer);
  const reference = idOf(intent.payment_method);
  if (intent.status !== "requires_action" || reference === null) {
    throw unexpectedState(intent, `This PaymentIntent does not wait for an action: its status is ${intent.status}.`);
  }
  const method = resolvePaymentMethod(tx, reference);
  if (!passed) {
    return endFailed(tx, intent, method, {
      type: "invalid_request_error",
      code: "payment_intent_authentication_failure",
      message:
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    });
  }
  keepNotes(tx, id, { authenticated: true, off_session: false });
  const ready = { ...intent, next_action: null };
  if (intent.confirmation_method === "manual") {
    return saveIntent(tx, { ...ready, status: "requires_confirmation" });
  }
  return attempt(tx, ready, method, false);
}

/**
 * The two small deposits were told right: 32 and 45, or the code SM11AA.
 * @throws StripeFailure 400 they were not
 */
export function verifyMicrodeposits(
  tx: Transaction,
  id: string,
  given: { amounts?: number[] | undefined; descriptor_code?: string | undefined },
): Stripe.PaymentIntent {
  const intent = tx.get("payment_intent", id);
  if (intent.next_action?.type !== "verify_with_microdeposits") {
    throw unexpectedState(intent, "This PaymentIntent does not wait for microdeposits to be verified.");
  }
  checkMicrodeposits(given);
  const method = resolvePaymentMethod(tx, idOf(intent.payment_method) ?? "");
  setBehavior(tx, method.id, behaviorOf(tx, method.id).replace("unverified ", ""));
  return attempt(tx, { ...intent, next_action: null }, method, false);
}

export function checkMicrodeposits(given: {
  amounts?: number[] | undefined;
  descriptor_code?: string | undefined;
}): void {
  const isRight =
    given.descriptor_code === "SM11AA" || given.amounts?.join() === "32,45" || given.amounts?.join() === "45,32";
  if (isRight) return;
  throw invalidRequest("The microdeposit amounts or descriptor code you provided do not match.", {
    code:
      given.amounts === undefined
        ? "payment_method_microdeposit_verification_descriptor_code_mismatch"
        : "payment_method_microdeposit_verification_amounts_mismatch",
  });
}
