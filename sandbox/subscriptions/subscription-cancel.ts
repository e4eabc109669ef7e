// How subscriptions end: at once, at the end they were given, unpaid, or never begun.
import type Stripe from "stripe";
import { noSuch } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { voidInvoice } from "../invoices/invoice.ts";
import {
  addProrations,
  collect,
  customerOf,
  draftFor,
  hasPendingItems,
  openInvoicesOf,
  stopCollecting,
} from "./subscription-invoice.ts";
import { creditFor, usageLines } from "./subscription-lines.ts";
import { note, notesOf } from "./subscription-notes.ts";
import { hasEnded, quietly, saveSubscription } from "./subscription-save.ts";

type Details = Stripe.Subscription.CancellationDetails;

interface DetailsInput {
  comment?: Stripe.Emptyable<string>;
  feedback?: Stripe.Emptyable<string>;
  feedback_option?: string;
}

/** Ends it now. Raises customer.subscription.deleted. */
export function cancelSubscription(
  world: Transaction,
  id: string,
  params: Stripe.SubscriptionCancelParams = {},
): Stripe.Subscription {
  const subscription = world.get("subscription", id);
  if (hasEnded(subscription)) throw noSuch("subscription", id);
  const tx = world.atTimeOf(subscription.customer);
  if (params.prorate === true && subscription.status !== "trialing" && subscription.status !== "incomplete") {
    const items = subscription.items.data;
    addProrations(
      tx,
      subscription,
      items.flatMap((item) => creditFor(tx, subscription, item, tx.now)),
    );
  }
  // Its last invoice is no news of its own: what is told is the end.
  if (params.invoice_now === true) quietly(tx, id, () => finalInvoice(tx, subscription, "subscription_update"));
  const details = changedDetails(subscription.cancellation_details, params.cancellation_details);
  return endSubscription(tx, id, { ...details, reason: "cancellation_requested" });
}

/** What has been used and what waits to be billed. Nothing is made when there is nothing. */
export function finalInvoice(
  tx: Transaction,
  subscription: Stripe.Subscription,
  reason: Stripe.Invoice.BillingReason,
): void {
  const lines = usageLines(tx, subscription, subscription.items.data, tx.now).filter(({ quantity }) => quantity !== 0);
  if (lines.length === 0 && !hasPendingItems(tx, subscription)) return;
  const invoice = draftFor(tx, subscription, { reason, lines });
  collect(tx, subscription, invoice.id, { behavior: "unpaid" });
}

/** canceled, for that reason. Nothing is collected any more. */
export function endSubscription(tx: Transaction, id: string, details: Partial<Details>): Stripe.Subscription {
  const before = tx.get("subscription", id);
  dropPending(tx, before);
  const cancellation_details = { ...emptyDetails(before), ...details };
  const { status_details: _paused, ...rest } = tx.get("subscription", id);
  saveSubscription(
    tx,
    {
      ...rest,
      cancellation_details,
      canceled_at: before.canceled_at ?? tx.now,
      ended_at: tx.now,
      pause_collection: null,
      pending_update: null,
      status: "canceled",
    },
    ["customer.subscription.deleted"],
  );
  closeInvoices(tx, before);
  return tx.get("subscription", id);
}

/** The first payment did not come within 23 hours. */
export function expireIncomplete(tx: Transaction, id: string): Stripe.Subscription {
  const before = tx.get("subscription", id);
  const ended = { ended_at: tx.now, canceled_at: before.canceled_at ?? tx.now };
  const after = saveSubscription(tx, { ...before, ...ended, status: "incomplete_expired" });
  closeInvoices(tx, before);
  return after;
}

function closeInvoices(tx: Transaction, subscription: Stripe.Subscription): void {
  if (subscription.status !== "incomplete") stopCollecting(tx, subscription);
  else for (const { id, status } of openInvoicesOf(tx, subscription)) if (status === "open") voidInvoice(tx, id);
}

/** A change that waited for a payment will not come. */
export function dropPending(tx: Transaction, subscription: Stripe.Subscription): void {
  const { pending } = notesOf(tx, subscription.id);
  if (pending === null) return;
  note(tx, subscription.id, { pending: null });
  if (tx.find("invoice", pending.invoice)?.status === "open") voidInvoice(tx, pending.invoice);
}

function emptyDetails({ cancellation_details: details }: Stripe.Subscription): Details {
  return details ?? { comment: null, feedback: null, feedback_option: null, reason: null };
}

/** Said by whoever cancels: a comment, and one of Stripe's kinds of feedback. */
export function changedDetails(old: Details | null, input: DetailsInput = {}): Details {
  const { comment = null, feedback = null, feedback_option = null, reason = null } = old ?? {};
  return {
    comment: input.comment === undefined ? comment : input.comment || null,
    feedback: input.feedback === undefined ? feedback : input.feedback || null,
    feedback_option: input.feedback_option ?? feedback_option,
    reason,
  };
}

/** All that a customer has, when it is deleted. */
export function cancelAllOf(tx: Transaction, customer: string): void {
  for (const subscription of tx.where("subscription", (each) => customerOf(each) === customer && !hasEnded(each))) {
    cancelSubscription(tx, subscription.id);
  }
}
