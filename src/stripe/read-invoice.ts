// Invoices in every API version: old shapes carry subscription, charge and payment intent, new ones (2025-03-31 on) `parent` and `payments`. Pure.
import {
  array,
  at,
  boolean,
  firstIn,
  firstOf,
  integer,
  isObject,
  listed,
  type Read,
  reference,
  required,
  type StripeObject,
  hash,
  time,
  word,
} from "./read-values.ts";

/**
 * draft, open, paid, uncollectible or void.
 *
 * Before 2018-11-08 an invoice had `paid`, `closed` and `forgiven` instead; `closed` only stopped collection, it voided nothing.
 */
export function invoiceStatus(invoice: StripeObject): string | undefined {
  const status = word(invoice.status);
  if (status !== null) return status;
  if (typeof invoice.closed !== "boolean") return undefined;
  if (invoice.paid === true) return "paid";
  if (invoice.forgiven === true) return "uncollectible";
  return invoice.attempted === true ? "open" : "draft";
}

export function invoiceAmountPaid(invoice: StripeObject): number | undefined {
  const paid = integer(invoice.amount_paid);
  if (paid !== null || typeof invoice.closed !== "boolean") return required(paid);
  return invoice.paid === true ? required(integer(invoice.amount_due)) : 0;
}

/** Stripe: "the difference between amount_due and amount_paid". Older shapes leave it to the reader. */
export function invoiceAmountRemaining(invoice: StripeObject): number | undefined {
  const remaining = integer(invoice.amount_remaining);
  if (remaining !== null) return remaining;
  const due = integer(invoice.amount_due);
  const paid = invoiceAmountPaid(invoice);
  return typeof due === "number" && paid !== undefined ? due - paid : undefined;
}

/** Required where the invoice says that a subscription made it. */
export function invoiceSubscription(invoice: StripeObject): Read<string> {
  const lines = listed(invoice.lines);
  const read = firstIn([
    reference(invoice.subscription),
    reference(at(invoice, "parent", "subscription_details", "subscription")),
    ...lines.map((line) => reference(at(line, "parent", "subscription_item_details", "subscription"))),
    // An invoice item's line names a subscription that it only waits for.
    ...lines.map((line) => (line.type === "invoiceitem" ? null : reference(line.subscription))),
  ]);
  return read === null && isForSubscription(invoice) ? undefined : read;
}

function isForSubscription(invoice: StripeObject): boolean {
  const reason = invoice.billing_reason;
  return (
    (typeof reason === "string" && reason.startsWith("subscription")) ||
    at(invoice, "parent", "type") === "subscription_details"
  );
}

/** The subscription's metadata as it was when the invoice was finalized. */
export function invoiceSubscriptionMetadata(invoice: StripeObject): Read<StripeObject> {
  return firstOf(
    hash(at(invoice, "subscription_details", "metadata")),
    hash(at(invoice, "parent", "subscription_details", "metadata")),
  );
}

/** Payments are listed only where they were asked for, so never in a webhook; the default one first. */
function paymentsOf(invoice: StripeObject): readonly StripeObject[] {
  const payments = listed(invoice.payments);
  return [
    ...payments.filter((payment) => payment.is_default === true),
    ...payments.filter((payment) => payment.is_default !== true),
  ];
}

export function invoicePaymentIntent(invoice: StripeObject): Read<string> {
  return firstIn([
    reference(invoice.payment_intent),
    ...paymentsOf(invoice).map((payment) => reference(at(payment, "payment", "payment_intent"))),
  ]);
}

export function invoiceCharge(invoice: StripeObject): Read<string> {
  const intents = [
    invoice.payment_intent,
    ...paymentsOf(invoice).map((payment) => at(payment, "payment", "payment_intent")),
  ];
  return firstIn([
    reference(invoice.charge),
    ...paymentsOf(invoice).map((payment) => reference(at(payment, "payment", "charge"))),
    ...intents.filter(isObject).map((intent) => reference(intent.latest_charge)),
  ]);
}

/** Old: `tax`, null without tax. New: the sum of `total_taxes`. */
export function invoiceTax(invoice: StripeObject): Read<number> {
  return firstOf(integer(invoice.tax), sumOf(invoice.total_taxes, "amount"));
}

export function invoiceDiscountAmount(invoice: StripeObject): Read<number> {
  return sumOf(invoice.total_discount_amounts, "amount");
}

function sumOf(value: unknown, field: string): Read<number> {
  const items = array(value);
  if (items === undefined || items === null || items.length === 0) return items === undefined ? undefined : null;
  let sum = 0;
  for (const item of items) {
    const amount = isObject(item) ? integer(item[field]) : undefined;
    if (typeof amount !== "number") return undefined;
    sum += amount;
  }
  return integer(sum);
}

/**
 * Paid outside Stripe, wholly or in part. null where a new shape leaves the amount out, unless its payments are in it: in those
 * of webhooks and lists they are not.
 */
export function invoicePaidOutOfBand(invoice: StripeObject): Read<boolean> {
  const offStripe = integer(invoice.amount_paid_off_stripe);
  return firstOf(
    boolean(invoice.paid_out_of_band),
    typeof offStripe === "number" ? offStripe > 0 : offStripe,
    hasRecordedPayment(invoice),
  );
}

/** A payment record is of a payment made elsewhere. null where none of those listed is one and there may be more. */
function hasRecordedPayment(invoice: StripeObject): Read<boolean> {
  const types = listed(invoice.payments)
    .filter(({ status }) => (status ?? "paid") === "paid")
    .map((payment) => word(at(payment, "payment", "type")));
  if (types.includes("payment_record")) return true;
  if (types.includes(undefined)) return undefined;
  const whole = types.length > 0 && at(invoice, "payments", "has_more") !== true;
  return whole && types.every((type) => type === "payment_intent" || type === "charge") ? false : null;
}

/** Moved into status_transitions on 2019-03-14. */
export function invoiceFinalizedAt(invoice: StripeObject): Read<number> {
  return firstOf(time(at(invoice, "status_transitions", "finalized_at")), time(invoice.finalized_at));
}

/** Renamed from `application_fee` on 2019-03-14. */
export function invoiceApplicationFee(invoice: StripeObject): Read<number> {
  return firstOf(integer(invoice.application_fee_amount), integer(invoice.application_fee));
}

/** The time of payment. Shapes before 2019-03-14 have no status_transitions. */
export function invoicePaidAt(invoice: StripeObject): Read<number> {
  return time(at(invoice, "status_transitions", "paid_at"));
}

/** Renamed from `date` on 2019-03-14. */
export function invoiceCreated(invoice: StripeObject): Read<number> {
  return firstOf(time(invoice.created), time(invoice.date));
}

/** Before 2018-11-08: open for collection unless `closed`. */
export function invoiceAutoAdvance(invoice: StripeObject): Read<boolean> {
  const read = boolean(invoice.auto_advance);
  return read === null && typeof invoice.closed === "boolean" ? !invoice.closed : read;
}

/** Old: price.id, or plan.id before prices existed. New: pricing.price_details.price. */
export function linePrice(line: StripeObject): Read<string> {
  return firstOf(reference(line.price), reference(at(line, "pricing", "price_details", "price")), reference(line.plan));
}

export function lineIsProration(line: StripeObject): boolean {
  return (
    line.proration === true ||
    at(line, "parent", "subscription_item_details", "proration") === true ||
    at(line, "parent", "invoice_item_details", "proration") === true
  );
}

/**
 * The time that its lines are for, from the earliest start … Its own `period_start` is that of the time in which items were
 * gathered. Usage is for time past.
 */
export function linePeriodStart(invoice: StripeObject): Read<number> {
  return linePeriodEdge(invoice, "start", Math.min);
}

/** … to the latest end. */
export function linePeriodEnd(invoice: StripeObject): Read<number> {
  return linePeriodEdge(invoice, "end", Math.max);
}

/** Prorations and moments count where there is nothing else. null where a webhook brings the first ten lines of more: prorations come first. */
function linePeriodEdge(
  invoice: StripeObject,
  edge: "start" | "end",
  pick: (a: number, b: number) => number,
): Read<number> {
  if (at(invoice, "lines", "has_more") === true) return null;
  const lines = listed(invoice.lines);
  const whole = lines.filter((line) => !lineIsProration(line));
  const some = whole.length > 0 ? whole : lines;
  const lasting = some.filter((line) => at(line, "period", "start") !== at(line, "period", "end"));
  const edges = (lasting.length > 0 ? lasting : some).map((line) => time(at(line, "period", edge)));
  if (edges.includes(undefined)) return undefined;
  const known = edges.filter((one) => typeof one === "number");
  return known.length === 0 ? null : known.reduce((a, b) => pick(a, b));
}

/** The price of the first line that is no proration: what the invoice is for. */
export function invoicePrice(invoice: StripeObject): Read<string> {
  const lines = listed(invoice.lines);
  return firstIn([...lines.filter((line) => !lineIsProration(line)).map(linePrice)]);
}
