// What an update makes of a subscription's items: changed, added and taken away, each with what it was before.
import type Stripe from "stripe";
import { invalidRequest, noSuch } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { changedDiscounts, discountsGiven } from "./subscription-discount.ts";
import { customerOf } from "./subscription-invoice.ts";
import { changedItem, newItem, periodFrom, periodOf, recurrenceOf, recurringPrice } from "./subscription-item.ts";

type Item = Stripe.SubscriptionItem;
type Input = Stripe.SubscriptionUpdateParams.Item;

export interface ItemChange {
  before: Item | undefined;
  after: Item | undefined;
}

export interface ItemChanges {
  items: Item[];
  /** Those whose price or quantity is another. */
  changes: ItemChange[];
}

export function changedItems(
  tx: Transaction,
  subscription: Stripe.Subscription,
  inputs: readonly Input[] = [],
): ItemChanges {
  let items = [...subscription.items.data];
  const changes: ItemChange[] = [];
  for (const [place, input] of inputs.entries()) {
    const change = changeOf(tx, subscription, items, input, `items[${place}]`);
    const { before, after } = change;
    if (before === undefined) items = after === undefined ? items : [...items, after];
    else items = items.flatMap((item) => (item.id === before.id ? (after ?? []) : item));
    if (before?.price.id !== after?.price.id || before?.quantity !== after?.quantity) changes.push(change);
  }
  if (items.length === 0)
    throw invalidRequest("A subscription must have at least one active plan.", { param: "items" });
  checkTogether(items, subscription.billing_mode.type);
  return { items, changes };
}

function changeOf(
  tx: Transaction,
  subscription: Stripe.Subscription,
  items: readonly Item[],
  input: Input,
  param: string,
): ItemChange {
  if (input.id === undefined) return { before: undefined, after: added(tx, subscription, input, param) };
  const before = items.find(({ id }) => id === input.id);
  if (before === undefined) throw noSuch("subscription_item", input.id, `${param}[id]`);
  if (input.deleted === true) return { before, after: undefined };
  const after = changedItem(tx, before, input, param);
  return { before, after: { ...after, discounts: discountsOf(tx, subscription, after, input) } };
}

/** A new item shares the trial, or is in the cycle that the anchor gives its price. */
function added(tx: Transaction, subscription: Stripe.Subscription, input: Input, param: string): Item {
  if (input.deleted === true)
    throw invalidRequest("An item can only be deleted by its `id`.", { param: `${param}[id]` });
  const price = recurringPrice(tx, input, param);
  const { trial_end, status, billing_cycle_anchor: anchor } = subscription;
  const inTrial = status === "trialing" && trial_end !== null;
  // At the turn of a period the new item turns with the others.
  const turning = subscription.items.data.find(({ current_period_end }) => current_period_end <= tx.now);
  const own = turning === undefined ? periodFrom(anchor, price, tx.now) : periodOf(turning);
  const period = inTrial ? { start: tx.now, end: trial_end } : own;
  const item = newItem(tx, subscription.id, input, price, period);
  return { ...item, discounts: discountsOf(tx, subscription, item, input) };
}

function discountsOf(tx: Transaction, subscription: Stripe.Subscription, item: Item, input: Input): string[] {
  const owner = { customer: customerOf(subscription), subscription: subscription.id, subscription_item: item.id };
  return changedDiscounts(tx, item.discounts, discountsGiven(input.discounts), owner);
}

/** Which items may stand beside each other. Only flexible billing mixes intervals. */
export function checkTogether(items: readonly Item[], mode: string): void {
  const prices = items.map(({ price }) => price.id);
  const double = prices.find((price, place) => prices.indexOf(price) !== place);
  if (double !== undefined) {
    const message = `Cannot add multiple subscription items with the same plan: ${double}`;
    throw invalidRequest(message, { param: "items" });
  }
  const rhythms = new Set(
    items.map(({ price: { recurring } }) => `${recurring?.interval} ${recurring?.interval_count}`),
  );
  if (mode === "flexible" || rhythms.size <= 1) return;
  const message =
    "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`. If you meant " +
    "to update an existing subscription item instead of creating a new one, make sure to include the subscription item " +
    "ID in your request.";
  throw invalidRequest(message, { param: "items" });
}

/** A price that is billed in another rhythm begins a new cycle now. */
export function changesInterval({ before, after }: ItemChange): boolean {
  if (before === undefined || after === undefined) return false;
  const [old, now] = [recurrenceOf(before.price), recurrenceOf(after.price)];
  return old.interval !== now.interval || old.interval_count !== now.interval_count;
}
