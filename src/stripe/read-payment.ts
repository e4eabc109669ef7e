// Payment intents, charges, checkout sessions and what they were paid with, in every API version. Pure.
import {
  at,
  firstOf,
  isObject,
  listed,
  type Read,
  reference,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "./read-values.ts";

/** Renamed on 2019-02-11. */
const RENAMED_STATUS: Readonly<Record<string, string>> = {
  requires_source: "requires_payment_method",
  requires_source_action: "requires_action",
};

export function intentStatus(intent: StripeObject): string | undefined {
  const status = word(intent.status);
  return typeof status === "string"
    ? Object.hasOwn(RENAMED_STATUS, status)
      ? RENAMED_STATUS[status]
      : status
    : undefined;
}

/** Before 2022-11-15: the newest of the listed `charges`. */
export function latestCharge(intent: StripeObject): Read<string> {
  return firstOf(reference(intent.latest_charge), reference(listed(intent.charges)[0]));
}

/** As `latestCharge`, required of a payment that took money: only by its charge are its refunds and disputes found. */
export function paidCharge(intent: StripeObject): Read<string> {
  const charge = latestCharge(intent);
  const tookMoney = intent.status === "succeeded" && typeof intent.amount === "number" && intent.amount > 0;
  return tookMoney ? required(charge) : charge;
}

/**
 * What a failed attempt is known by: its charge. One that failed before a charge was made, by the charge before it, the
 * payment method and the codes: alike failures in a row cannot be told apart.
 */
export function failedAttempt(intent: StripeObject): string | null {
  const error = errorOf(intent, "last_payment_error") ?? errorOf(intent, "last_setup_error");
  if (error === null) return null;
  const charge = reference(error.charge);
  if (typeof charge === "string") return charge;
  const method = firstOf(reference(error.payment_method), reference(error.source));
  const parts = [latestCharge(intent), method, text(error.code), text(error.decline_code)];
  return parts.filter((part) => typeof part === "string").join(":") || "unknown";
}

function errorOf(intent: StripeObject, field: string): StripeObject | null {
  const error = intent[field];
  return isObject(error) ? error : null;
}

/**
 * The invoice that it pays. Since 2025-03-31 only `payment_details.order_reference` names it; on payments of others it is
 * whatever they wrote there.
 */
export function intentInvoice(intent: StripeObject): Read<string> {
  const ordered = text(at(intent, "payment_details", "order_reference"));
  const named = typeof ordered === "string" && /^in_[0-9A-Za-z]+$/.test(ordered) ? ordered : null;
  return firstOf(reference(intent.invoice), named);
}

/** The method on the intent; a failed confirmation takes it off and leaves it in the error. */
export function intentPaymentMethod(intent: StripeObject): Read<string> {
  return firstOf(reference(intent.payment_method), reference(intent.source));
}

/** succeeded, pending or failed. Charges before 2015 say only whether they are `paid`. */
export function chargeStatus(charge: StripeObject): string | undefined {
  const status = word(charge.status);
  if (status !== null) return status === "paid" ? "succeeded" : status;
  return typeof charge.paid === "boolean" ? (charge.paid ? "succeeded" : "failed") : undefined;
}

export function chargePaymentMethod(charge: StripeObject): Read<string> {
  return firstOf(reference(charge.payment_method), reference(charge.source), reference(charge.card));
}

/** The card, wherever this version keeps it: payment_method_details, a legacy `source` (a card, or a source with a card), or `card`. */
export function chargeCard(charge: StripeObject): StripeObject {
  const places = [
    at(charge, "payment_method_details", "card"),
    at(charge, "source", "card"),
    charge.source,
    charge.card,
  ];
  return places.filter(isObject).find((place) => place.last4 !== undefined) ?? {};
}

/** open, complete or expired. Sessions before late 2021 lack it: then the event's name or the payment tells. */
export function sessionStatus(session: StripeObject, eventType?: string): Read<string> {
  const status = word(session.status);
  if (status !== null) return status;
  if (eventType === "checkout.session.expired") return "expired";
  const completed =
    eventType === "checkout.session.completed" || eventType?.startsWith("checkout.session.async_payment_") === true;
  return completed || session.payment_status === "paid" ? "complete" : null;
}

/** paid, unpaid or no_payment_required. Older than `status`, so it is there wherever that is. */
export function sessionPaymentStatus(session: StripeObject): Read<string> {
  const status = word(session.payment_status);
  return typeof session.status === "string" ? required(status) : status;
}

/** When evidence is due. Oldest shapes have it on the dispute itself. */
export function disputeDueBy(dispute: StripeObject): Read<number> {
  return firstOf(deadline(at(dispute, "evidence_details", "due_by")), deadline(dispute.evidence_due_by));
}

/** Stripe: "Will be 0 if the customer's bank … doesn't allow a response". */
function deadline(value: unknown): Read<number> {
  return value === 0 ? null : time(value);
}

/** What the invoice payment was made with. Source: the `payment` hash of 2025-03-31 and later. */
export function paymentReference(
  payment: StripeObject,
  kind: "payment_intent" | "charge" | "payment_record",
): Read<string> {
  return reference(at(payment, "payment", kind));
}

/** The typed details of a payment method or source: `card`, `sepa_debit`, … by its own `type`. */
export function typedDetails(method: StripeObject): StripeObject {
  const type = method.type;
  const details = typeof type === "string" && Object.hasOwn(method, type) ? method[type] : undefined;
  return isObject(details) ? details : {};
}
