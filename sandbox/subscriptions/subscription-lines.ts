// What a subscription's items cost: lines for whole periods, for parts of them, for trials and for usage.
import type Stripe from "stripe";
import { couponOf } from "../catalogue/coupon.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { DraftLine } from "../invoices/invoice-line.ts";
import { percentOf, unitPriceOf } from "../invoices/money.ts";
import type { Period } from "./billing-cycle.ts";
import { usageOf } from "./meter.ts";
import { prorationDescription, remainingAmount } from "./proration.ts";
import { cycleOf, fullAmount, isMetered, periodOf, productName, recurrenceOf } from "./subscription-item.ts";

type Item = Stripe.SubscriptionItem;

/** The lines that open the items' present periods. Where the first period is short, a part of the price. */
export function openingLines(
  tx: Transaction,
  subscription: Stripe.Subscription,
  items: readonly Item[],
  prorate = true,
): DraftLine[] {
  const { billing_cycle_anchor: anchor, currency } = subscription;
  return items.flatMap((item): DraftLine[] => {
    if (isMetered(item.price)) return [];
    const line = lineOf(subscription, item);
    const cycle = cycleOf(anchor, item);
    if (cycle.start === item.current_period_start)
      return [{ ...line, description: itemDescription(tx, item, currency) }];
    const amount = remainingAmount(fullAmount(tx, item, currency), cycle, item.current_period_start);
    const name = productName(tx, item.price);
    const description = prorationDescription("Remaining", name, item.quantity ?? 1, item.current_period_start);
    return [{ ...line, amount: prorate ? amount : 0, description, proration: true, discountable: true }];
  });
}

/** A trial costs nothing, and says so on the invoice. */
export function trialLines(tx: Transaction, subscription: Stripe.Subscription, items: readonly Item[]): DraftLine[] {
  return items.map((item) => ({
    ...lineOf(subscription, item),
    amount: 0,
    description: `Trial period for ${productName(tx, item.price)}`,
  }));
}

/** What metered items have used in a period that is over. */
export function usageLines(
  tx: Transaction,
  subscription: Stripe.Subscription,
  items: readonly Item[],
  periodEnd = Infinity,
): DraftLine[] {
  return items
    .filter(({ price }) => isMetered(price))
    .map((item) => {
      const period = { start: item.current_period_start, end: Math.min(item.current_period_end, periodEnd) };
      const quantity = usageOf(tx, item.price.recurring?.meter ?? null, idOf(subscription.customer) ?? "", period);
      const description = itemDescription(tx, { ...item, quantity }, subscription.currency);
      return { ...lineOf(subscription, item), quantity, period, description };
    });
}

function lineOf(subscription: Stripe.Subscription, item: Item): DraftLine {
  return {
    price: item.price,
    quantity: item.quantity ?? 0,
    period: periodOf(item),
    subscription: subscription.id,
    subscription_item: item.id,
    discounts: item.discounts.flatMap((discount) => idOf(discount) ?? []),
    tax_rates: item.tax_rates === null || item.tax_rates.length === 0 ? null : item.tax_rates.map(({ id }) => id),
    metadata: { ...item.metadata },
  };
}

/** "2 × Gold (at $15.00 / month)" */
function itemDescription(tx: Transaction, { price, quantity = 1 }: Item, currency: string): string {
  const named = `${quantity} × ${productName(tx, price)}`;
  const unit = unitPriceOf(price, currency);
  if (unit === null || price.billing_scheme === "tiered") return named;
  const { interval, interval_count } = recurrenceOf(price);
  const every = interval_count === 1 ? `/ ${interval}` : `every ${interval_count} ${interval}s`;
  return `${named} (at ${amountText(Number(unit), currency)} ${every})`;
}

function amountText(amount: number, currency: string): string {
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** One change of what an item costs in the middle of its period. */
export interface Proration {
  item: Item;
  amount: number;
  period: Period;
  description: string;
}

/** Gives back what is left of the item's period at `at`. */
export function creditFor(tx: Transaction, subscription: Stripe.Subscription, item: Item, at: number): Proration[] {
  return proration(tx, subscription, item, at, -1);
}

/** Bills what is left of the item's period at `at`. */
export function debitFor(tx: Transaction, subscription: Stripe.Subscription, item: Item, at: number): Proration[] {
  return proration(tx, subscription, item, at, 1);
}

function proration(
  tx: Transaction,
  subscription: Stripe.Subscription,
  item: Item,
  at: number,
  sign: 1 | -1,
): Proration[] {
  if (isMetered(item.price) || at >= item.current_period_end) return [];
  const { billing_cycle_anchor: anchor, currency } = subscription;
  const whole = lessDiscounts(tx, subscription, fullAmount(tx, item, currency));
  const from = Math.max(at, item.current_period_start);
  const amount = sign * remainingAmount(whole, cycleOf(anchor, item), from);
  const kind = sign === 1 ? "Remaining" : "Unused";
  return [
    {
      item,
      amount,
      period: { start: from, end: item.current_period_end },
      description: prorationDescription(kind, productName(tx, item.price), item.quantity ?? 1, at),
    },
  ];
}

/** Prorations have the subscription's percentages taken off already; they are not discounted again on the invoice. */
function lessDiscounts(tx: Transaction, { discounts }: Stripe.Subscription, amount: number): number {
  return discounts.reduce((rest, discount) => {
    const found = tx.find("discount", idOf(discount) ?? "");
    const percent = found === undefined ? null : couponOf(tx, found).percent_off;
    return percent === null ? rest : rest - percentOf(rest, percent);
  }, amount);
}
