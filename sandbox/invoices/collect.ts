// Collecting: attempts to pay an invoice, what comes of them, and when the next one is.
import type Stripe from "stripe";
import { adjustBalance, defaultPaymentMethod } from "../customers/customer.ts";
import { invalidRequest, StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { confirmPaymentIntent } from "../payments/payment-intent.ts";
import { finalizeInvoice } from "./finalize.ts";
import { cancelPayment, paymentIntentOf, paymentOfIntent, payPayment } from "./invoice-payment.ts";
import { cancelOpenPayments } from "./close.ts";
import { saveInvoice, tellMoved } from "./record.ts";

export interface PayOptions {
  payment_method?: string | undefined;
  source?: string | undefined;
  /** true unless said. */
  off_session?: boolean | undefined;
  paid_out_of_band?: boolean | undefined;
  /** A retry that fell due by itself counts; a try by hand counts only when it is the first. */
  attempt?: "automatic" | "manual" | undefined;
}

/** Days until the next automatic attempt, after the first, second and third failed one. */
const RETRY_DAYS = [3, 5, 7];
const DAY = 86_400;

/** Payment intents in the middle of an attempt of ours: what they come to is read when the attempt is over. */
const ATTEMPTED = new Set<string>();

/**
 * One attempt; a draft is finalized first. A decline does not throw: the invoice stays open, and its payment intent
 * says why.
 * @throws StripeFailure 400: paid or void already, or there is nothing to pay with
 */
export function payInvoice(world: Transaction, id: string, options: PayOptions = {}): Stripe.Invoice {
  const given = world.get("invoice", id);
  const tx = world.atTimeOf(given.customer);
  const { attempt = "manual" } = options;
  const invoice = given.status === "draft" ? finalizeInvoice(tx, id) : given;
  if (given.status === "draft" && invoice.status === "paid") return invoice;
  checkPayable(invoice);
  if (options.paid_out_of_band === true) return payOutOfBand(tx, invoice);
  const method = options.payment_method ?? options.source ?? paymentMethodOf(tx, invoice);
  const intent = paymentIntentOf(tx, id);
  if (method === null && attempt === "manual") {
    const message =
      "This customer has no attached payment source or default payment method. Please consider adding a default " +
      "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.";
    throw invalidRequest(message, { code: "resource_missing" });
  }
  if (method === null || intent === null) return attemptFailed(tx, invoice, attempt);
  const confirmed = chargeOnce(tx, intent, method, options);
  return confirmed === undefined ? attemptFailed(tx, invoice, attempt) : readAttempt(tx, id, confirmed, attempt);
}

/** undefined: an automatic attempt found the payment method unusable. */
function chargeOnce(
  tx: Transaction,
  intent: string,
  method: string,
  options: PayOptions,
): Stripe.PaymentIntent | undefined {
  ATTEMPTED.add(intent);
  try {
    const off_session = options.off_session ?? true;
    const confirmed = confirmPaymentIntent(tx, intent, { payment_method: method, off_session });
    const asksCustomer = confirmed.last_payment_error?.code === "authentication_required";
    // Unlike a payment intent by itself, an invoice waits for the customer to authenticate.
    return asksCustomer ? confirmPaymentIntent(tx, intent, { payment_method: method, off_session: false }) : confirmed;
  } catch (error) {
    if (options.attempt === "automatic" && error instanceof StripeFailure) return undefined;
    throw error;
  } finally {
    ATTEMPTED.delete(intent);
  }
}

function checkPayable({ status }: Stripe.Invoice): void {
  if (status === "paid") throw invalidRequest("Invoice is already paid");
  if (status === "void") throw invalidRequest("This invoice is voided and can no longer be paid.");
}

/** The invoice's own, else its subscription's, else the customer's. */
export function paymentMethodOf(tx: Transaction, invoice: Stripe.Invoice): string | null {
  const subscription = tx.find("subscription", idOf(invoice.parent?.subscription_details?.subscription) ?? "");
  const customer = idOf(invoice.customer);
  return (
    idOf(invoice.default_payment_method) ??
    idOf(invoice.default_source) ??
    idOf(subscription?.default_payment_method) ??
    idOf(subscription?.default_source) ??
    (customer === null ? null : defaultPaymentMethod(tx, customer))
  );
}

function readAttempt(
  tx: Transaction,
  id: string,
  intent: Stripe.PaymentIntent,
  attempt: "automatic" | "manual",
): Stripe.Invoice {
  const invoice = tx.get("invoice", id);
  switch (intent.status) {
    case "succeeded":
      return paymentArrived(tx, intent, attempt);
    case "requires_action":
      return attemptFailed(tx, invoice, attempt, "invoice.payment_action_required");
    case "processing":
      // The money is on its way: the next attempt waits for what comes of this one.
      saveInvoice(tx, { ...counted(invoice, attempt), next_payment_attempt: null }, "invoice.updated");
      return tx.get("invoice", id);
    default:
      return attemptFailed(tx, invoice, attempt);
  }
}

/** Any attempt counts as the first; after it only automatic ones count. */
function counted(invoice: Stripe.Invoice, attempt: "automatic" | "manual"): Stripe.Invoice {
  const isCounted = attempt === "automatic" || invoice.attempt_count === 0;
  return { ...invoice, attempted: true, attempt_count: invoice.attempt_count + (isCounted ? 1 : 0) };
}

/** Raises invoice.updated, the given type, invoice.payment_failed. */
function attemptFailed(
  tx: Transaction,
  before: Stripe.Invoice,
  attempt: "automatic" | "manual" | "late",
  ...types: string[]
): Stripe.Invoice {
  // A payment that was under way before the invoice was there has not been counted.
  const attempt_count = Math.max(before.attempt_count, 1);
  const after = attempt === "late" ? { ...before, attempted: true, attempt_count } : counted(before, attempt);
  const isNew = attempt === "late" || after.attempt_count !== before.attempt_count;
  const next_payment_attempt = isNew ? nextAttempt(tx, after) : before.next_payment_attempt;
  saveInvoice(tx, { ...after, next_payment_attempt }, "invoice.updated", ...types, "invoice.payment_failed");
  if (attempt !== "manual") setDelinquent(tx, before, true);
  return tellMoved(tx, before.id, before);
}

/** A subscription that began without anything to charge: its first invoice waits open, and ends nothing. */
export function waitsForMethod(tx: Transaction, invoice: Stripe.Invoice): boolean {
  return invoice.billing_reason === "subscription_create" && paymentMethodOf(tx, invoice) === null;
}

/** Unix seconds; null when Stripe does not try again. */
function nextAttempt(tx: Transaction, invoice: Stripe.Invoice): number | null {
  const isAutomatic = invoice.auto_advance === true && invoice.collection_method === "charge_automatically";
  if (!isAutomatic || invoice.status !== "open" || waitsForMethod(tx, invoice)) return null;
  const days = RETRY_DAYS[invoice.attempt_count - 1];
  return days === undefined ? null : tx.now + days * DAY;
}

/** Stripe: paying an invoice clears it; an automatic failure and a passed due date set it. */
export function setDelinquent(tx: Transaction, { customer: reference }: Stripe.Invoice, delinquent: boolean): void {
  const customer = tx.find("customer", idOf(reference) ?? "");
  if (customer === undefined || "deleted" in customer || (customer.delinquent ?? false) === delinquent) return;
  tx.change("customer", { ...customer, delinquent }, "customer.updated");
}

/**
 * Money of a payment intent has arrived: all or a part of what is due. Raises invoice.updated, then invoice.paid,
 * invoice.payment_succeeded and invoice_payment.paid.
 */
export function paymentArrived(
  tx: Transaction,
  intent: Stripe.PaymentIntent,
  attempt: "automatic" | "manual" | "late" = "manual",
): Stripe.Invoice {
  const payment = paymentOfIntent(tx, intent.id);
  if (payment === undefined) throw new Error(`${intent.id} is for no invoice`);
  const before = tx.get("invoice", idOf(payment.invoice) ?? "");
  if (payment.status === "paid") return before;
  const amount = intent.amount_received;
  const paid = payPayment(tx, payment, amount);
  const invoice = attempt === "late" ? { ...before, attempted: true } : counted(before, attempt);
  const isOpen = before.status === "open" || before.status === "uncollectible";
  const over = isOpen ? Math.max(0, amount - before.amount_remaining) : amount;
  const received = {
    ...invoice,
    amount_paid: invoice.amount_paid + amount - over,
    amount_remaining: invoice.amount_remaining - amount + over,
    amount_overpaid: invoice.amount_overpaid + over,
  };
  if (isOpen && received.amount_remaining === 0) {
    saveInvoice(tx, settled(tx, received), "invoice.updated", "invoice.paid", "invoice.payment_succeeded");
  } else saveInvoice(tx, received, "invoice.updated");
  tx.raise("invoice_payment.paid", paid);
  if (over > 0) creditOverpayment(tx, received, over);
  setDelinquent(tx, before, false);
  return tellMoved(tx, before.id, before);
}

/** Stripe credits to the customer what was paid too much. */
function creditOverpayment(tx: Transaction, invoice: Stripe.Invoice, over: number): void {
  tx.raise("invoice.overpaid", tx.get("invoice", invoice.id));
  const customer = idOf(invoice.customer);
  if (customer !== null)
    adjustBalance(tx, customer, -over, { type: "adjustment", currency: invoice.currency, invoice: invoice.id });
}

/** The invoice as it is once nothing remains to be paid. */
export function settled(tx: Transaction, invoice: Stripe.Invoice): Stripe.Invoice {
  return {
    ...invoice,
    status: "paid",
    auto_advance: false,
    next_payment_attempt: null,
    receipt_number: invoice.customer_email === null ? null : receiptNumber(tx),
    status_transitions: { ...invoice.status_transitions, paid_at: tx.now },
  };
}

function receiptNumber(tx: Transaction): string {
  const four = (): string => String(tx.world.random.integer(10_000)).padStart(4, "0");
  return `${four()}-${four()}`;
}

/** No money moves, and invoice.payment_succeeded is not raised. */
function payOutOfBand(tx: Transaction, before: Stripe.Invoice): Stripe.Invoice {
  cancelOpenPayments(tx, before.id);
  const remaining = before.amount_remaining;
  const paid = {
    ...settled(tx, before),
    attempted: true,
    amount_paid: before.amount_paid + remaining,
    amount_paid_off_stripe: (before.amount_paid_off_stripe ?? 0) + remaining,
    amount_remaining: 0,
  };
  saveInvoice(tx, paid, "invoice.updated", "invoice.paid");
  setDelinquent(tx, before, false);
  return tellMoved(tx, before.id, before);
}

/** Hears what comes of payment intents outside our attempts: 3-D Secure, a settled debit, a customer who pays a page. */
export function hearPaymentIntent(
  world: Transaction,
  intent: Stripe.PaymentIntent,
  before: Stripe.PaymentIntent | undefined,
): void {
  const payment = ATTEMPTED.has(intent.id) ? undefined : paymentOfIntent(world, intent.id);
  if (payment === undefined || before === undefined) return;
  const invoice = world.get("invoice", idOf(payment.invoice) ?? "");
  const tx = world.atTimeOf(invoice.customer);
  if (intent.status === "canceled") cancelPayment(tx, payment);
  else if (intent.status === "succeeded") paymentArrived(tx, intent, invoice.attempted ? "late" : "manual");
  else if (invoice.status !== "open") return;
  else if (intent.status === "requires_action" || intent.status === "processing")
    readAttempt(tx, invoice.id, intent, "manual");
  else if (intent.status === "requires_payment_method" && intent.last_payment_error !== null) {
    const wasCounted = before.status === "processing" || before.status === "requires_action";
    attemptFailed(tx, invoice, wasCounted ? "late" : "manual");
  }
}
