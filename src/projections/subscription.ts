// Our copy of Stripe subscriptions and their items. Projection of tables subscriptions, subscription_items.
import { couponOf, discountOf } from "../stripe/read-discount.ts";
import {
  billedParty,
  collectionMethod,
  isCancelScheduled,
  itemCurrency,
  itemInterval,
  itemIntervalCount,
  itemPrice,
  itemProduct,
  itemUnitAmount,
  periodEnd,
  periodStart,
  subscriptionCurrency,
  subscriptionItems,
  subscriptionPrice,
  subscriptionProduct,
  subscriptionQuantity,
  subscriptionStart,
  unreadItems,
} from "../stripe/read-subscription.ts";
import {
  at,
  boolean,
  decimal,
  firstOf,
  hash,
  integer,
  reference,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import { type ChildTable, type Fact, fact, projection } from "./projection.ts";
import type { Observation } from "./observation.ts";

const items = {
  table: "subscription_items",
  parentColumn: "subscription_id",
  columns: {
    price_id: "text",
    product_id: "text",
    quantity: "bigint",
    unit_amount: "bigint",
    currency: "text",
    interval: "text",
    interval_count: "bigint",
    current_period_start: "time",
    current_period_end: "time",
    metadata: "json",
  },
  unread: unreadItems,
  rows: (subscription) =>
    subscriptionItems(subscription).flatMap((item) => {
      const id = reference(item.id);
      if (typeof id !== "string") return [];
      return {
        id,
        price_id: required(itemPrice(item)),
        product_id: itemProduct(item),
        quantity: integer(item.quantity),
        unit_amount: itemUnitAmount(item),
        currency: itemCurrency(item),
        interval: itemInterval(item),
        interval_count: itemIntervalCount(item),
        current_period_start: firstOf(time(item.current_period_start), time(subscription.current_period_start)),
        current_period_end: firstOf(time(item.current_period_end), time(subscription.current_period_end)),
        metadata: hash(item.metadata),
      };
    }),
} as const satisfies ChildTable;

export const subscription = projection({
  objects: ["subscription"],
  table: "subscriptions",
  columns: {
    stripe_created: "time",
    status: "text",
    customer_id: "text",
    customer_account_id: "text",
    price_id: "text",
    product_id: "text",
    quantity: "bigint",
    currency: "text",
    current_period_start: "time",
    current_period_end: "time",
    trial_start: "time",
    trial_end: "time",
    cancel_at: "time",
    cancel_at_period_end: "boolean",
    cancel_scheduled: "boolean",
    canceled_at: "time",
    cancellation_reason: "text",
    ended_at: "time",
    start_date: "time",
    pause_behavior: "text",
    pause_resumes_at: "time",
    collection_method: "text",
    days_until_due: "bigint",
    latest_invoice_id: "text",
    default_payment_method_id: "text",
    default_source_id: "text",
    pending_setup_intent_id: "text",
    schedule_id: "text",
    coupon_id: "text",
    discount_id: "text",
    application_fee_percent: "decimal",
    on_behalf_of: "text",
    transfer_destination: "text",
    metadata: "json",
  },
  terminal: (object) => object.status === "canceled" || object.status === "incomplete_expired",
  row: (object) => ({
    stripe_created: required(firstOf(time(object.created), subscriptionStart(object))),
    status: required(word(object.status)),
    ...parties(object),
    price_id: subscriptionPrice(object),
    product_id: subscriptionProduct(object),
    quantity: subscriptionQuantity(object),
    currency: subscriptionCurrency(object),
    ...times(object),
    cancel_at_period_end: boolean(object.cancel_at_period_end),
    cancel_scheduled: isCancelScheduled(object),
    cancellation_reason: word(at(object, "cancellation_details", "reason")),
    pause_behavior: text(at(object, "pause_collection", "behavior")),
    collection_method: collectionMethod(object),
    days_until_due: integer(object.days_until_due),
    latest_invoice_id: reference(object.latest_invoice),
    default_payment_method_id: reference(object.default_payment_method),
    default_source_id: reference(object.default_source),
    pending_setup_intent_id: reference(object.pending_setup_intent),
    schedule_id: reference(object.schedule),
    coupon_id: couponOf(object),
    discount_id: discountOf(object),
    application_fee_percent: decimal(object.application_fee_percent),
    metadata: hash(object.metadata),
  }),
  children: [items],
  facts,
  updated: "subscription.updated",
  tracked: [
    "status",
    "price_id",
    "quantity",
    "current_period_start",
    "current_period_end",
    "trial_end",
    "cancel_scheduled",
    "cancel_at",
    "canceled_at",
    "ended_at",
    "pause_behavior",
    "latest_invoice_id",
    "default_payment_method_id",
    "coupon_id",
    "metadata",
  ],
  alsoTold: ["pause_resumes_at", "collection_method", "days_until_due"],
});

function parties(object: StripeObject) {
  return {
    ...billedParty(object),
    on_behalf_of: reference(object.on_behalf_of),
    transfer_destination: reference(at(object, "transfer_data", "destination")),
  };
}

function times(object: StripeObject) {
  return {
    current_period_start: periodStart(object),
    current_period_end: periodEnd(object),
    trial_start: time(object.trial_start),
    trial_end: time(object.trial_end),
    cancel_at: time(object.cancel_at),
    canceled_at: time(object.canceled_at),
    ended_at: time(object.ended_at),
    start_date: subscriptionStart(object),
    pause_resumes_at: time(at(object, "pause_collection", "resumes_at")),
  };
}

/** As Stripe tells of it: three days before. A subscription that was fetched, as thin events are, says it only so. */
function isTrialEnding(object: StripeObject, created: number): boolean {
  const ends = object.status === "trialing" ? time(object.trial_end) : null;
  return typeof ends === "number" && ends > created && ends - created <= TRIAL_NOTICE;
}

const TRIAL_NOTICE = 3 * 86_400;

function facts(object: StripeObject, { type, objectId, created }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = object.status;
  const invoice = reference(object.latest_invoice) ?? "";
  return [
    type === "customer.subscription.created" && fact("subscription.created", objectId),
    status === "canceled" && fact("subscription.canceled", objectId),
    status === "incomplete_expired" && fact("subscription.expired", objectId),
    status === "past_due" && fact("subscription.past_due", objectId, invoice),
    status === "unpaid" && fact("subscription.unpaid", objectId, invoice),
    (type === "customer.subscription.trial_will_end" || isTrialEnding(object, created)) &&
      fact("subscription.trial_will_end", objectId, time(object.trial_end) ?? ""),
    // May be paused and resumed again and again, with nothing in the object that counts it.
    type === "customer.subscription.paused" && fact("subscription.paused", objectId, created),
    type === "customer.subscription.resumed" && fact("subscription.resumed", objectId, created),
  ];
}
