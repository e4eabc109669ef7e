// What the sandbox remembers of a subscription and never shows: which notices were sent, and what waits for a payment.
import type Stripe from "stripe";
import type { Transaction } from "../core/transaction.ts";

export interface SubscriptionNotes {
  /** `customer.subscription.created` was raised; before, no change of it is told. */
  announced: boolean;
  /** Several changes are under way that are told as one. */
  muted: boolean;
  /** The trial end that `trial_will_end` was raised for. */
  trial_notice: number | null;
  /** The period end that `invoice.upcoming` was raised for. */
  upcoming_notice: number | null;
  /** The invoice whose payment resumes a paused subscription. */
  resuming: string | null;
  /** The subscription as it will be once this invoice is paid. */
  pending: { invoice: string; after: Partial<Stripe.Subscription> } | null;
}

const NOTHING_YET: SubscriptionNotes = {
  announced: true,
  muted: false,
  trial_notice: null,
  upcoming_notice: null,
  resuming: null,
  pending: null,
};

export function notesOf(tx: Transaction, subscription: string): SubscriptionNotes {
  return { ...NOTHING_YET, ...(tx.find("_extra", subscription) as Partial<SubscriptionNotes> | undefined) };
}

export function note(tx: Transaction, subscription: string, changed: Partial<SubscriptionNotes>): void {
  const known = { ...notesOf(tx, subscription), ...changed };
  tx.put("_extra", { ...known, id: subscription, object: "_extra", created: tx.now });
}
