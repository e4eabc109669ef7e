// What 2025-03-31.basil changed in subscriptions, payments, checkout and prices; invoices have a file of their own.
import type Stripe from "stripe";

import { idOf } from "../core/kinds.ts";
import { paymentOfIntent } from "../invoices/invoice-payment.ts";
import type { Known, Reference } from "./known.ts";
import { change, type VersionChange, without } from "./version-change.ts";

const BASIL = "2025-03-31.basil";

export const basilChanges: readonly VersionChange[] = [
  change(BASIL, "subscription", (subscription: Stripe.Subscription, known) => ({
    ...subscription,
    ...periodOf(subscription),
    ...onlyItemOf(subscription),
    discount: firstDiscount(known, subscription.discounts),
  })),
  change(BASIL, "subscription_item", (item) => without(item, "current_period_start", "current_period_end")),
  change(
    BASIL,
    "subscription_schedule",
    (schedule: Stripe.SubscriptionSchedule, known) => ({
      ...schedule,
      phases: schedule.phases.map((phase) => ({ ...phase, coupon: couponOfPhase(known, phase) })),
    }),
    { "phases.coupon": ["coupon"] },
  ),
  change(
    BASIL,
    "charge",
    (charge: Stripe.Charge, known) => ({ ...charge, invoice: invoiceOf(known, charge.payment_intent) }),
    { invoice: ["invoice"] },
  ),
  change(
    BASIL,
    "payment_intent",
    (intent: Stripe.PaymentIntent, known) => ({ ...intent, invoice: invoiceOf(known, intent.id) }),
    { invoice: ["invoice"] },
  ),
  change(BASIL, "checkout.session", (session: Stripe.Checkout.Session) => ({
    ...session,
    shipping_details: session.collected_information?.shipping_details ?? null,
  })),
  change(BASIL, "plan", (plan: Stripe.Plan) => ({ ...plan, aggregate_usage: aggregation(plan) })),
  change(BASIL, "price", (price: Stripe.Price) => {
    const { recurring } = price;
    return recurring === null
      ? price
      : { ...price, recurring: { aggregate_usage: aggregation(recurring), ...recurring } };
  }),
];

/** From the earliest start of its items to their latest end. */
function periodOf({ items, start_date }: Stripe.Subscription): object {
  const starts = items.data.map(({ current_period_start }) => current_period_start);
  const ends = items.data.map(({ current_period_end }) => current_period_end);
  return {
    current_period_end: ends.length === 0 ? start_date : Math.max(...ends),
    current_period_start: starts.length === 0 ? start_date : Math.min(...starts),
  };
}

/** A subscription to one price also has its plan and quantity itself; to several, neither. */
function onlyItemOf({ items: { data } }: Stripe.Subscription): object {
  const [only] = data.length === 1 ? data : [];
  return { plan: only?.plan ?? null, quantity: only?.quantity ?? null };
}

/** Older shapes have one discount, and have it whole. */
export function firstDiscount(known: Known, discounts: readonly Reference[]): object | null {
  const [first] = discounts;
  if (first === null || first === undefined) return null;
  return typeof first === "object" ? first : (known.find("discount", first) ?? null);
}

/** The invoice that the payment intent is for. */
function invoiceOf({ tx }: Known, intent: Reference): string | null {
  return idOf(paymentOfIntent(tx, idOf(intent) ?? "")?.invoice);
}

/** Without a meter, metered prices added usage up; others have nothing to add. */
function aggregation({ usage_type, meter }: { usage_type: string; meter: string | null }): string | null {
  return usage_type === "metered" && meter === null ? "sum" : null;
}

function couponOfPhase(known: Known, { discounts }: Stripe.SubscriptionSchedule.Phase): string | null {
  const [first] = discounts;
  if (first === undefined) return null;
  // Its discount has taken an older step already: the coupon is where clover's predecessor had it.
  const discount = known.find("discount", first.discount) as { coupon?: { id: string } } | undefined;
  const code = known.find("promotion_code", first.promotion_code) as { coupon?: { id: string } } | undefined;
  return idOf(first.coupon) ?? discount?.coupon?.id ?? code?.coupon?.id ?? null;
}
