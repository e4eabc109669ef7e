// Items of subscriptions: which price, how many, and the period that each is in.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { idOf } from "../core/kinds.ts";
import { planOf } from "../catalogue/plan-face.ts";
import { createInlinePrice, usablePrice } from "../catalogue/price.ts";
import { checkQuantity, lineAmount } from "../invoices/invoice-line.ts";
import { cycleAt, type Period, type Recurrence } from "./billing-cycle.ts";

/** What create, update, schedules and quotes say of one item. */
export interface ItemInput {
  id?: string;
  price?: string;
  plan?: string;
  price_data?: Stripe.SubscriptionCreateParams.Item.PriceData;
  quantity?: number;
  metadata?: Stripe.Emptyable<Stripe.MetadataParam>;
  tax_rates?: Stripe.Emptyable<string[]>;
  billing_thresholds?: Stripe.Emptyable<Stripe.SubscriptionCreateParams.Item.BillingThresholds>;
}

/** The recurring price that the input names, made when it is described instead. `param`: where the input stands. */
export function recurringPrice(tx: Transaction, input: ItemInput, param: string): Stripe.Price {
  checkQuantity(input.quantity, `${param}[quantity]`);
  const price = priceOf(tx, input, param);
  if (price.type !== "recurring" || price.recurring === null) {
    throw invalidRequest(
      "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
      { param: `${param}[price]` },
    );
  }
  return price;
}

export function priceOf(tx: Transaction, input: ItemInput, param: string): Stripe.Price {
  if (input.price_data !== undefined) {
    return createInlinePrice(tx, input.price_data, `${param}[price_data]`);
  }
  const name = input.price === undefined && input.plan !== undefined ? "plan" : "price";
  const id = input.price ?? input.plan;
  if (id === undefined) throw parameterMissing(`${param}[price]`);
  if (name === "plan" && tx.find("price", id) === undefined) throw noSuch("plan", id, `${param}[plan]`);
  return usablePrice(tx, id, `${param}[${name}]`);
}

/** A new item, in the given period. */
export function newItem(
  tx: Transaction,
  subscription: string,
  input: ItemInput,
  price: Stripe.Price,
  period: Period,
): Stripe.SubscriptionItem {
  return blank("subscription_item", {
    id: tx.newId("subscription_item"),
    created: tx.now,
    subscription,
    current_period_start: period.start,
    current_period_end: period.end,
    metadata: mergeMetadata({}, input.metadata),
    price,
    plan: planOf(price),
    quantity: isMetered(price) ? undefined : (input.quantity ?? 1),
    tax_rates: taxRates(tx, input.tax_rates),
    billing_thresholds: input.billing_thresholds === "" ? null : input.billing_thresholds,
    discounts: [],
  }) as unknown as Stripe.SubscriptionItem;
}

/** The item after an update that may name another price, quantity, metadata and rates. Its period stays. */
export function changedItem(
  tx: Transaction,
  item: Stripe.SubscriptionItem,
  input: ItemInput,
  param: string,
): Stripe.SubscriptionItem {
  checkQuantity(input.quantity, `${param}[quantity]`);
  const named = input.price ?? input.plan ?? (input.price_data === undefined ? undefined : "");
  const price = named === undefined || named === item.price.id ? item.price : recurringPrice(tx, input, param);
  const { quantity: old = 1, ...rest } = item;
  return {
    ...rest,
    price,
    plan: price === item.price ? item.plan : (planOf(price) ?? item.plan),
    ...(isMetered(price) ? {} : { quantity: input.quantity ?? old }),
    metadata: input.metadata === undefined ? item.metadata : mergeMetadata(item.metadata, input.metadata),
    tax_rates: input.tax_rates === undefined ? item.tax_rates : taxRates(tx, input.tax_rates),
  };
}

export function taxRates(tx: Transaction, ids: Stripe.Emptyable<string[]> | undefined): Stripe.TaxRate[] {
  if (ids === undefined || ids === "" || ids === null) return [];
  return ids.map((id, place) => tx.get("tax_rate", id, `tax_rates[${place}]`));
}

export function recurrenceOf(price: Stripe.Price): Recurrence {
  if (price.recurring === null) throw new Error(`${price.id} does not recur`);
  return price.recurring;
}

export function isMetered(price: Stripe.Price): boolean {
  return price.recurring?.usage_type === "metered";
}

/** What one full period of the item costs, before discounts and taxes. Metered items are billed after their period. */
export function fullAmount(tx: Transaction, item: Stripe.SubscriptionItem, currency: string): number {
  const { price, quantity = 1 } = item;
  return isMetered(price) ? 0 : lineAmount(tx, { price, quantity, period: periodOf(item) }, currency);
}

/** The period of an item that begins at `from`: to the next whole cycle of the anchor. */
export function periodFrom(anchor: number, price: Stripe.Price, from: number): Period {
  return { start: from, end: cycleAt(anchor, recurrenceOf(price), from).end };
}

/** The whole cycle that the item's period is the last part of. */
export function cycleOf(anchor: number, { price, current_period_start }: Stripe.SubscriptionItem): Period {
  return cycleAt(anchor, recurrenceOf(price), current_period_start);
}

export function productName(tx: Transaction, price: Stripe.Price): string {
  const product = idOf(price.product);
  return (product === null ? undefined : tx.find("product", product)?.name) ?? price.nickname ?? "Subscription";
}

/** A list inside a subscription. Stripe cuts at ten; here all twenty that may be there are shown. */
export function itemList(subscription: string, data: Stripe.SubscriptionItem[]): Stripe.Subscription["items"] {
  const url = `/v1/subscription_items?subscription=${subscription}`;
  return { object: "list", data, has_more: false, url };
}

export function periodOf({ current_period_start, current_period_end }: Stripe.SubscriptionItem): Period {
  return { start: current_period_start, end: current_period_end };
}
