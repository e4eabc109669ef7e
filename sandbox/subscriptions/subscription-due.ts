// The due work of subscriptions: on each clock, what falls due next, and doing it.
import type Stripe from "stripe";
import type { DueWork } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { type Occasion, occasionsOf } from "./renewal.ts";

/** More than this at one moment is a subscription that does not move on. */
const MOST_AT_ONCE = 100;

export const subscriptionsDue: DueWork = {
  next: (tx, clock) => {
    const moments = onClock(tx, clock).flatMap((subscription) => occasionsOf(tx, subscription).map(({ at }) => at));
    return moments.length === 0 ? undefined : moments.reduce((one, other) => Math.min(one, other));
  },
  run: (tx, clock) => {
    for (const { id } of onClock(tx, clock)) runAll(tx, id);
  },
};

function onClock(tx: Transaction, clock: string | null): Stripe.Subscription[] {
  return tx.where("subscription", (subscription) => idOf(subscription.test_clock) === clock);
}

function runAll(tx: Transaction, id: string): void {
  for (let count = 0; count < MOST_AT_ONCE; count += 1) {
    const subscription = tx.find("subscription", id);
    const occasion = subscription === undefined ? undefined : earliest(tx, subscription);
    if (subscription === undefined || occasion === undefined) return;
    occasion.act(tx, subscription);
  }
  throw new Error(`${id}: more than ${MOST_AT_ONCE} things at ${tx.now}`);
}

function earliest(tx: Transaction, subscription: Stripe.Subscription): Occasion | undefined {
  const due = occasionsOf(tx, subscription).filter(({ at }) => at <= tx.now);
  return due.reduce<Occasion | undefined>(
    (first, each) => (first !== undefined && first.at <= each.at ? first : each),
    undefined,
  );
}
