// Subscription items by themselves: each call is a change of their subscription.
import type Stripe from "stripe";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { type ListParameters, listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { updateSubscription } from "./subscription.ts";
import type { UpdateParams } from "./subscription-update.ts";

type ItemParams = Stripe.SubscriptionUpdateParams.Item;
type Create = Stripe.SubscriptionItemCreateParams;
type Update = Stripe.SubscriptionItemUpdateParams;
type Delete = Stripe.SubscriptionItemDeleteParams;

function subscriptionOf(tx: Transaction, item: string): Stripe.Subscription {
  const found = tx.all("subscription").find(({ items }) => items.data.some(({ id }) => id === item));
  if (found === undefined) throw noSuch("subscription_item", item);
  return found;
}

function itemOf(tx: Transaction, id: string): Stripe.SubscriptionItem {
  const item = subscriptionOf(tx, id).items.data.find((each) => each.id === id);
  if (item === undefined) throw noSuch("subscription_item", id);
  return item;
}

/** What is of the update as a whole, and what is of the item. */
function split({ payment_behavior, proration_behavior, proration_date, off_session, ...item }: Update & Delete): {
  how: UpdateParams;
  item: ItemParams;
} {
  const { expand: _expand, ...rest } = item;
  const how = { payment_behavior, proration_behavior, proration_date, off_session };
  const said = Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined));
  return { how: said, item: rest };
}

function createItem(tx: Transaction, { subscription, ...params }: Create): Stripe.SubscriptionItem {
  const before = tx.get("subscription", subscription, "subscription");
  const { how, item } = split(params);
  const after = updateSubscription(tx, subscription, { ...how, items: [item] });
  const made = after.items.data.find(({ id }) => !before.items.data.some((old) => old.id === id));
  if (made === undefined) throw invalidRequest("The item waits for the payment of its invoice.", { status: 402 });
  return made;
}

function updateItem(tx: Transaction, params: Update, id: string): Stripe.SubscriptionItem {
  const { how, item } = split(params);
  updateSubscription(tx, subscriptionOf(tx, id).id, { ...how, items: [{ ...item, id }] });
  return itemOf(tx, id);
}

function deleteItem(tx: Transaction, params: Delete, id: string): object {
  const { how } = split(params);
  updateSubscription(tx, subscriptionOf(tx, id).id, { ...how, items: [{ id, deleted: true }] });
  return { id, object: "subscription_item", deleted: true };
}

export const subscriptionItemRoutes: Route[] = [
  route<Create>()("POST /v1/subscription_items", createItem),
  route<Stripe.SubscriptionItemListParams & ListParameters>()("GET /v1/subscription_items", (tx, params) => {
    const { items } = tx.get("subscription", params.subscription, "subscription");
    return listOf(items.data.toReversed(), "/v1/subscription_items", params);
  }),
  route<object>()("GET /v1/subscription_items/*", (tx, _, id) => itemOf(tx, id)),
  route<Update>()("POST /v1/subscription_items/*", updateItem),
  route<Delete>()("DELETE /v1/subscription_items/*", deleteItem),
];
