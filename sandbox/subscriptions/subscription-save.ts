// The only way in which a subscription is saved: its events and hooks go with it.
import type Stripe from "stripe";
import { hooks } from "../core/hooks.ts";
import type { Transaction } from "../core/transaction.ts";
import { note, notesOf } from "./subscription-notes.ts";

const UPDATED = "customer.subscription.updated";

/** Keeps it, raises `types` (the update, unless said) when something differs, and tells the rooms of another status. */
export function saveSubscription(
  tx: Transaction,
  after: Stripe.Subscription,
  types: readonly string[] = [UPDATED],
): Stripe.Subscription {
  const before = tx.find("subscription", after.id);
  tx.put("subscription", after);
  const { announced, muted } = notesOf(tx, after.id);
  if (announced && !muted && before !== undefined) {
    for (const type of types) {
      if (type === UPDATED) tx.raise(type, after, before);
      else tx.raise(type, after);
    }
  }
  if (before?.status !== after.status) for (const hear of hooks.subscriptionMoved) hear(tx, after, before);
  return tx.get("subscription", after.id);
}

/** Several changes of one subscription that its listeners hear of as one update, after all that they led to. */
export function asOneUpdate(tx: Transaction, id: string, act: () => void): Stripe.Subscription {
  const before = tx.get("subscription", id);
  if (notesOf(tx, id).muted) {
    act();
    return tx.get("subscription", id);
  }
  quietly(tx, id, act);
  const after = tx.get("subscription", id);
  if (after.status === "canceled") tx.raise("customer.subscription.deleted", after);
  else if (notesOf(tx, id).announced) tx.raise(UPDATED, after, before);
  if (after.status === "paused" && before.status !== "paused") tx.raise("customer.subscription.paused", after);
  return after;
}

/** What is done without a word: whoever calls tells what came of it. */
export function quietly<T>(tx: Transaction, id: string, act: () => T): T {
  note(tx, id, { muted: true });
  try {
    return act();
  } finally {
    note(tx, id, { muted: false });
  }
}

/** Has come to its end: nothing renews, bills or revives it. */
export function hasEnded({ status }: Pick<Stripe.Subscription, "status">): boolean {
  return status === "canceled" || status === "incomplete_expired";
}
