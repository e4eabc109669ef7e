// Subscriptions in every API version: since 2025-03-31 the period stands on the items, and discounts are a list. Pure.
import {
  array,
  at,
  boolean,
  firstOf,
  integer,
  isObject,
  listed,
  type Read,
  reference,
  required,
  type StripeObject,
  time,
  word,
} from "./read-values.ts";

export function subscriptionItems(subscription: StripeObject): readonly StripeObject[] {
  return listed(subscription.items);
}

/** `id` where something stands for items that cannot be told apart by id; `has_more` where the list goes on elsewhere. */
export function unreadItems(subscription: StripeObject): string[] {
  const { items } = subscription;
  if (items === null || items === undefined) return [];
  const data = array(isObject(items) ? items.data : items);
  const known = data?.every((item) => isObject(item) && typeof reference(item.id) === "string") === true;
  return [...(known ? [] : ["id"]), ...(isObject(items) && items.has_more === true ? ["has_more"] : [])];
}

/** With flexible billing items may differ: the period runs from the earliest start … */
export function periodStart(subscription: StripeObject): number | undefined {
  return periodEdge(subscription, "current_period_start", Math.min);
}

/** … to the latest end. */
export function periodEnd(subscription: StripeObject): number | undefined {
  return periodEdge(subscription, "current_period_end", Math.max);
}

function periodEdge(
  subscription: StripeObject,
  field: string,
  pick: (a: number, b: number) => number,
): number | undefined {
  const own = time(subscription[field]);
  if (own !== null) return own;
  const edges = subscriptionItems(subscription).map((item) => time(item[field]));
  const read = edges.filter((edge) => typeof edge === "number");
  return read.length === 0 || read.length < edges.length ? undefined : read.reduce((a, b) => pick(a, b));
}

/** With flexible billing a cancellation in the customer portal sets only `cancel_at` (stripe-node#2470). */
export function isCancelScheduled(subscription: StripeObject): boolean | undefined {
  const atPeriodEnd = boolean(subscription.cancel_at_period_end);
  const cancelAt = time(subscription.cancel_at);
  if (atPeriodEnd === true || typeof cancelAt === "number") return true;
  return atPeriodEnd === undefined || cancelAt === undefined ? undefined : false;
}

/** Of a subscription item: its price, or its plan in shapes from before prices. Of a subscription: its only plan. */
export function itemPrice(item: StripeObject): Read<string> {
  return firstOf(reference(item.price), reference(item.plan));
}

export function itemProduct(item: StripeObject): Read<string> {
  return firstOf(reference(at(item, "price", "product")), reference(at(item, "plan", "product")));
}

export function itemUnitAmount(item: StripeObject): Read<number> {
  return firstOf(integer(at(item, "price", "unit_amount")), integer(at(item, "plan", "amount")));
}

export function itemCurrency(item: StripeObject): Read<string> {
  return firstOf(word(at(item, "price", "currency")), word(at(item, "plan", "currency")));
}

export function itemInterval(item: StripeObject): Read<string> {
  return firstOf(word(at(item, "price", "recurring", "interval")), word(at(item, "plan", "interval")));
}

export function itemIntervalCount(item: StripeObject): Read<number> {
  return firstOf(
    integer(at(item, "price", "recurring", "interval_count")),
    integer(at(item, "plan", "interval_count")),
  );
}

/** The first item, or the subscription itself, whose `plan` says the same in shapes without items. */
function leadingItem(subscription: StripeObject): StripeObject {
  return subscriptionItems(subscription)[0] ?? subscription;
}

export function subscriptionPrice(subscription: StripeObject): string | undefined {
  return required(itemPrice(leadingItem(subscription)));
}

export function subscriptionProduct(subscription: StripeObject): Read<string> {
  return itemProduct(leadingItem(subscription));
}

/** null for metered prices. */
export function subscriptionQuantity(subscription: StripeObject): Read<number> {
  return integer(leadingItem(subscription).quantity);
}

export function subscriptionCurrency(subscription: StripeObject): Read<string> {
  return firstOf(word(subscription.currency), itemCurrency(leadingItem(subscription)));
}

/** Whom a subscription or invoice bills. With Accounts v2 only the customer account may be named; one of the two must be. */
export function billedParty(object: StripeObject) {
  const account = reference(object.customer_account);
  const customer = reference(object.customer);
  return {
    customer_id: typeof account === "string" ? customer : required(customer),
    customer_account_id: account,
  };
}

/** Renamed from `billing` on 2019-10-17; invoices too. */
export function collectionMethod(object: StripeObject): Read<string> {
  return firstOf(word(object.collection_method), word(object.billing));
}

/** Oldest shapes have `start`. */
export function subscriptionStart(subscription: StripeObject): Read<number> {
  return firstOf(time(subscription.start_date), time(subscription.start));
}
