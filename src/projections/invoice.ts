// Our copy of Stripe invoices. Projection of table invoices.
import { couponOf } from "../stripe/read-discount.ts";
import {
  invoiceAmountPaid,
  invoiceAmountRemaining,
  invoiceApplicationFee,
  invoiceAutoAdvance,
  invoiceCharge,
  invoiceCreated,
  invoiceDiscountAmount,
  invoiceFinalizedAt,
  invoicePaidAt,
  invoicePaidOutOfBand,
  invoicePaymentIntent,
  invoicePrice,
  invoiceStatus,
  invoiceSubscription,
  invoiceSubscriptionMetadata,
  invoiceTax,
  linePeriodEnd,
  linePeriodStart,
} from "../stripe/read-invoice.ts";
import { billedParty, collectionMethod } from "../stripe/read-subscription.ts";
import {
  at,
  boolean,
  email,
  hash,
  integer,
  reference,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import type { Observation } from "./observation.ts";
import { type Fact, fact, projection } from "./projection.ts";

/** An invoice never goes back in this. What we do not know stands with `open`. */
const STATUS_RANK: Readonly<Record<string, number>> = { draft: 0, open: 1, uncollectible: 2, paid: 3, void: 3 };

export const invoice = projection({
  objects: ["invoice"],
  table: "invoices",
  tombstone: true,
  columns: {
    stripe_created: "time",
    status: "text",
    paid: "boolean",
    number: "text",
    currency: "text",
    subtotal: "bigint",
    total: "bigint",
    tax: "bigint",
    discount_amount: "bigint",
    amount_due: "bigint",
    amount_paid: "bigint",
    amount_remaining: "bigint",
    billing_reason: "text",
    collection_method: "text",
    auto_advance: "boolean",
    attempted: "boolean",
    attempt_count: "bigint",
    next_payment_attempt: "time",
    customer_id: "text",
    customer_account_id: "text",
    customer_email: "text",
    customer_name: "text",
    subscription_id: "text",
    subscription_metadata: "json",
    price_id: "text",
    coupon_id: "text",
    payment_intent_id: "text",
    charge_id: "text",
    default_payment_method_id: "text",
    paid_out_of_band: "boolean",
    due_date: "time",
    period_start: "time",
    period_end: "time",
    line_period_start: "time",
    line_period_end: "time",
    finalized_at: "time",
    paid_at: "time",
    voided_at: "time",
    marked_uncollectible_at: "time",
    hosted_invoice_url: "text",
    invoice_pdf: "text",
    application_fee_amount: "bigint",
    on_behalf_of: "text",
    transfer_destination: "text",
    description: "text",
    metadata: "json",
  },
  // Uncollectible is not the end: it may still be paid or voided.
  terminal: (object) => ["paid", "void"].includes(invoiceStatus(object) ?? ""),
  rank: (object) => [
    STATUS_RANK[invoiceStatus(object) ?? ""] ?? 1,
    integer(object.attempt_count) ?? 0,
    invoiceAmountPaid(object) ?? 0,
  ],
  keeps: ["subscription_id", "payment_intent_id", "charge_id"],
  row: (object) => ({
    stripe_created: required(invoiceCreated(object)),
    ...progress(object),
    ...amounts(object),
    ...links(object),
    number: text(object.number),
    billing_reason: word(object.billing_reason),
    collection_method: collectionMethod(object),
    customer_email: email(object.customer_email),
    customer_name: text(object.customer_name),
    due_date: time(object.due_date),
    period_start: time(object.period_start),
    period_end: time(object.period_end),
    line_period_start: linePeriodStart(object),
    line_period_end: linePeriodEnd(object),
    hosted_invoice_url: text(object.hosted_invoice_url),
    invoice_pdf: text(object.invoice_pdf),
    description: text(object.description),
    metadata: hash(object.metadata),
  }),
  facts,
  updated: "invoice.updated",
  tracked: [
    "status",
    "number",
    "total",
    "amount_due",
    "amount_paid",
    "amount_remaining",
    "attempt_count",
    "next_payment_attempt",
    "due_date",
    "paid_at",
    "customer_email",
    "auto_advance",
    "metadata",
  ],
});

function progress(object: StripeObject) {
  const status = invoiceStatus(object);
  return {
    status,
    // Never from the `paid` field: it is gone since 2025-03-31, and was true for invoices paid out of band.
    paid: status === undefined ? undefined : status === "paid",
    paid_out_of_band: invoicePaidOutOfBand(object),
    auto_advance: invoiceAutoAdvance(object),
    attempted: boolean(object.attempted),
    attempt_count: integer(object.attempt_count),
    next_payment_attempt: time(object.next_payment_attempt),
    finalized_at: invoiceFinalizedAt(object),
    paid_at: invoicePaidAt(object),
    voided_at: time(at(object, "status_transitions", "voided_at")),
    marked_uncollectible_at: time(at(object, "status_transitions", "marked_uncollectible_at")),
  };
}

function amounts(object: StripeObject) {
  return {
    currency: required(word(object.currency)),
    subtotal: integer(object.subtotal),
    total: required(integer(object.total)),
    tax: invoiceTax(object),
    discount_amount: invoiceDiscountAmount(object),
    amount_due: required(integer(object.amount_due)),
    amount_paid: invoiceAmountPaid(object),
    amount_remaining: invoiceAmountRemaining(object),
    application_fee_amount: invoiceApplicationFee(object),
  };
}

function links(object: StripeObject) {
  return {
    ...billedParty(object),
    subscription_id: invoiceSubscription(object),
    subscription_metadata: invoiceSubscriptionMetadata(object),
    price_id: invoicePrice(object),
    coupon_id: couponOf(object),
    payment_intent_id: invoicePaymentIntent(object),
    charge_id: invoiceCharge(object),
    default_payment_method_id: reference(object.default_payment_method),
    on_behalf_of: reference(object.on_behalf_of),
    transfer_destination: reference(at(object, "transfer_data", "destination")),
  };
}

const FINALIZED = ["open", "paid", "uncollectible", "void"];

function facts(object: StripeObject, { source, type, objectId, created }: Observation): (Fact | false)[] {
  if (objectId === null) return type === "invoice.upcoming" ? [upcoming(object)] : [];
  const status = invoiceStatus(object) ?? "";
  const attempt = integer(object.attempt_count) ?? 0;
  // What a thin event named was fetched later: once it is paid, its last attempt is not the one that failed.
  const over = source === "pull" && (status === "paid" || status === "void");
  return [
    type === "invoice.created" && fact("invoice.created", objectId),
    FINALIZED.includes(status) && fact("invoice.finalized", objectId),
    status === "paid" && fact("invoice.paid", objectId),
    status === "void" && fact("invoice.voided", objectId),
    status === "uncollectible" && fact("invoice.marked_uncollectible", objectId),
    // Only the event says so: an open invoice with an attempt may also have a payment under way.
    type === "invoice.payment_failed" && !over && fact("invoice.payment_failed", objectId, attempt),
    type === "invoice.payment_action_required" && !over && fact("invoice.payment_action_required", objectId, attempt),
    type === "invoice.sent" && fact("invoice.sent", objectId, created),
    type === "invoice.deleted" && fact("invoice.deleted", objectId),
  ];
}

/** The coming invoice has no id; it is the one of its subscription and period. */
function upcoming(object: StripeObject): Fact {
  const owner = invoiceSubscription(object) ?? reference(object.customer) ?? "";
  return fact("invoice.upcoming", owner, time(object.period_end) ?? "");
}
