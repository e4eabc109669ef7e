// Where one room hears of another's changes, in the same transaction. registry.ts fills the lists; the order is theirs.
import type Stripe from "stripe";
import type { Transaction } from "./transaction.ts";

export interface Hooks {
  /** A payment intent was saved with another status, or one more attempt failed (also from outside its API: 3-D Secure passed, a debit settled). */
  paymentIntentMoved: ((
    tx: Transaction,
    intent: Stripe.PaymentIntent,
    before: Stripe.PaymentIntent | undefined,
  ) => void)[];
  setupIntentMoved: ((tx: Transaction, intent: Stripe.SetupIntent, before: Stripe.SetupIntent | undefined) => void)[];
  /** An invoice was saved with another status, or one more payment attempt failed. */
  invoiceMoved: ((tx: Transaction, invoice: Stripe.Invoice, before: Stripe.Invoice | undefined) => void)[];
  /** A subscription was saved with another status. */
  subscriptionMoved: ((
    tx: Transaction,
    subscription: Stripe.Subscription,
    before: Stripe.Subscription | undefined,
  ) => void)[];
  /** An event was raised: queue its deliveries, and say to how many endpoints it goes. */
  eventRaised: ((tx: Transaction, event: Stripe.Event) => number)[];
  /** Time has passed on a clock (`null`: the real one) up to `to`: do what has fallen due. Called again for each step. */
  due: DueWork[];
}

/** Work that falls due by itself. */
export interface DueWork {
  /** The earliest moment at which something of this clock is due, or undefined. Unix seconds. */
  next: (tx: Transaction, clock: string | null) => number | undefined;
  /** Does all that is due at `tx.now`, at least one thing. */
  run: (tx: Transaction, clock: string | null) => void;
}

export const hooks: Hooks = {
  paymentIntentMoved: [],
  setupIntentMoved: [],
  invoiceMoved: [],
  subscriptionMoved: [],
  eventRaised: [],
  due: [],
};
