// What comes of a subscription's invoices: the first payment activates it, a failed one makes it past due, the last ends it.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { waitsForMethod } from "../invoices/collect.ts";
import { paymentIntentOf, paymentOfIntent } from "../invoices/invoice-payment.ts";
import { dropPending, endSubscription, expireIncomplete } from "./subscription-cancel.ts";
import { note, notesOf } from "./subscription-notes.ts";
import { saveResumed } from "./subscription-pause.ts";
import { hasEnded, saveSubscription } from "./subscription-save.ts";

/** Heard when an invoice has another status, or one more attempt failed. */
export function hearInvoice(world: Transaction, invoice: Stripe.Invoice, before: Stripe.Invoice | undefined): void {
  const id = idOf(invoice.parent?.subscription_details?.subscription);
  const subscription = id === null ? undefined : world.find("subscription", id);
  if (subscription === undefined || hasEnded(subscription)) return;
  const tx = world.atTimeOf(subscription.customer);
  const moved = invoice.status !== before?.status;
  if (moved && invoice.status === "paid") invoicePaid(tx, subscription, invoice);
  else if (moved && invoice.status === "uncollectible") forgiven(tx, subscription, invoice);
  else if (moved && invoice.status === "void") voided(tx, subscription, invoice);
  else if (invoice.status === "open" && invoice.attempted) attemptFailed(tx, subscription, invoice);
}

function invoicePaid(tx: Transaction, subscription: Stripe.Subscription, invoice: Stripe.Invoice): void {
  const { pending, resuming } = notesOf(tx, subscription.id);
  const kept = keepMethod(tx, subscription, invoice);
  if (pending?.invoice === invoice.id) applyPending(tx, kept);
  else if (resuming === invoice.id) saveResumed(tx, kept, "active");
  else if (kept.status === "incomplete") saveSubscription(tx, { ...kept, status: "active" });
  else if (isLatest(kept, invoice) && isBehind(kept)) saveSubscription(tx, { ...kept, status: "active" });
  else if (kept !== subscription) saveSubscription(tx, kept);
}

function isBehind({ status }: Stripe.Subscription): boolean {
  return status === "past_due" || status === "unpaid";
}

function isLatest({ latest_invoice }: Stripe.Subscription, { id }: Stripe.Invoice): boolean {
  return idOf(latest_invoice) === id;
}

/** `save_default_payment_method: on_subscription`: what paid is what pays from now on. */
function keepMethod(tx: Transaction, subscription: Stripe.Subscription, invoice: Stripe.Invoice): Stripe.Subscription {
  if (subscription.payment_settings?.save_default_payment_method !== "on_subscription") return subscription;
  const intent = paymentIntentOf(tx, invoice.id);
  const method = intent === null ? null : idOf(tx.find("payment_intent", intent)?.payment_method);
  const same = method === null || method === idOf(subscription.default_payment_method);
  return same ? subscription : { ...subscription, default_payment_method: method };
}

/** The change that waited for this payment. */
function applyPending(tx: Transaction, subscription: Stripe.Subscription): void {
  const { pending } = notesOf(tx, subscription.id);
  if (pending === null) return;
  note(tx, subscription.id, { pending: null });
  const after = { ...subscription, ...pending.after, pending_update: null };
  saveSubscription(tx, after, ["customer.subscription.updated", "customer.subscription.pending_update_applied"]);
}

/** Written off: a subscription that was behind is in good standing again. */
function forgiven(tx: Transaction, subscription: Stripe.Subscription, invoice: Stripe.Invoice): void {
  const { resuming } = notesOf(tx, subscription.id);
  if (resuming === invoice.id) saveResumed(tx, subscription, "active");
  else if (isLatest(subscription, invoice) && (isBehind(subscription) || subscription.status === "incomplete")) {
    saveSubscription(tx, { ...subscription, status: "active" });
  }
}

function voided(tx: Transaction, subscription: Stripe.Subscription, invoice: Stripe.Invoice): void {
  const { pending, resuming } = notesOf(tx, subscription.id);
  if (resuming === invoice.id) note(tx, subscription.id, { resuming: null });
  else if (pending?.invoice === invoice.id) expirePending(tx, subscription.id);
  else if (subscription.status === "incomplete") expireIncomplete(tx, subscription.id);
  else if (isLatest(subscription, invoice) && isBehind(subscription)) {
    saveSubscription(tx, { ...subscription, status: "active" });
  }
}

/** The change that waited for a payment is given up. */
export function expirePending(tx: Transaction, id: string): void {
  dropPending(tx, tx.get("subscription", id));
  const after = { ...tx.get("subscription", id), pending_update: null };
  saveSubscription(tx, after, ["customer.subscription.updated", "customer.subscription.pending_update_expired"]);
}

/** Stripe's default: past due while it tries again, cancelled after the last try. */
function attemptFailed(tx: Transaction, subscription: Stripe.Subscription, invoice: Stripe.Invoice): void {
  if (notesOf(tx, subscription.id).pending?.invoice === invoice.id) return;
  if (subscription.status === "active") saveSubscription(tx, { ...subscription, status: "past_due" });
  const retried = invoice.auto_advance === true && invoice.collection_method === "charge_automatically";
  const over = retried && invoice.next_payment_attempt === null && !waitsForMethod(tx, invoice);
  if (over && tx.get("subscription", subscription.id).status === "past_due" && !isAsking(tx, invoice)) {
    endSubscription(tx, subscription.id, { reason: "payment_failed" });
  }
}

/** The customer may still pass 3-D Secure: that is no refusal. */
function isAsking(tx: Transaction, invoice: Stripe.Invoice): boolean {
  const intent = paymentIntentOf(tx, invoice.id);
  return (
    intent !== null && tx.find("payment_intent", intent)?.status === "requires_action" && invoice.attempt_count <= 1
  );
}

/** A debit on its way is trusted: the subscription begins before the money arrives. */
export function hearPaymentIntent(world: Transaction, intent: Stripe.PaymentIntent): void {
  if (intent.status !== "processing") return;
  const invoice = world.find("invoice", idOf(paymentOfIntent(world, intent.id)?.invoice) ?? "");
  const subscription = world.find("subscription", idOf(invoice?.parent?.subscription_details?.subscription) ?? "");
  if (subscription?.status === "incomplete") trust(world.atTimeOf(subscription.customer), subscription.id);
}

/** Active before the money is there; when it does not come, the invoice is tried again like any other. */
export function trust(tx: Transaction, id: string): void {
  const subscription = tx.get("subscription", id);
  const invoice = tx.find("invoice", idOf(subscription.latest_invoice) ?? "");
  if (invoice?.status === "open") tx.put("invoice", { ...invoice, auto_advance: true });
  saveSubscription(tx, { ...subscription, status: "active" });
}
