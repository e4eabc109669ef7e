// Subscriptions: how one begins.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { hooks } from "../core/hooks.ts";
import type { Transaction } from "../core/transaction.ts";
import type { DraftLine } from "../invoices/invoice-line.ts";
import { paymentIntentOf } from "../invoices/invoice-payment.ts";
import { createSetupIntent } from "../payments/setup-intent.ts";
import { cycleAt, DAY } from "./billing-cycle.ts";
import { cancelTimes } from "./subscription-cancel-times.ts";
import { changedDiscounts, discountsGiven, type LegacyDiscount } from "./subscription-discount.ts";
import { addInvoiceItems, canPay, collect, draftFor } from "./subscription-invoice.ts";
import {
  cycleOf,
  fullAmount,
  type ItemInput,
  itemList,
  newItem,
  recurrenceOf,
  recurringPrice,
} from "./subscription-item.ts";
import { checkTogether } from "./subscription-item-changes.ts";
import { openingLines, trialLines } from "./subscription-lines.ts";
import { note } from "./subscription-notes.ts";
import { trust } from "./subscription-payments.ts";
import { saveSubscription } from "./subscription-save.ts";
import { changedTerms, FIRST_TERMS } from "./subscription-terms.ts";
import { firstPeriod, firstTimes, type SubscriptionTimes } from "./subscription-times.ts";

export { cancelSubscription } from "./subscription-cancel.ts";
export { pauseSubscription, resumeSubscription } from "./subscription-pause.ts";
export { updateSubscription } from "./subscription-update.ts";

type CreateParams = Stripe.SubscriptionCreateParams & LegacyDiscount;

/** How schedules and quotes begin one: active at once, its first invoice a draft that is collected an hour later. */
export interface Beginning {
  deferred?: boolean;
  schedule?: string;
}

/** `trial_will_end` comes this long before the end of the trial; at once for a shorter one. */
export const TRIAL_NOTICE = 3 * DAY;
const MOST_ITEMS = 20;

/**
 * Makes the subscription, its first invoice, and the first attempt to pay it. Raises customer.subscription.created with
 * what came of that.
 */
export function createSubscription(world: Transaction, params: CreateParams, how: Beginning = {}): Stripe.Subscription {
  const { customer } = params;
  if (customer === undefined) throw parameterMissing("customer");
  const owner = world.get("customer", customer, "customer") as Stripe.Customer | Stripe.DeletedCustomer;
  if (owner.deleted === true)
    throw invalidRequest(`No such customer: '${customer}'`, { param: "customer", code: "resource_missing" });
  if (params.payment_behavior === "pending_if_incomplete") {
    const message = "`pending_if_incomplete` can only be used when a subscription is updated.";
    throw invalidRequest(message, { param: "payment_behavior" });
  }
  const tx = world.atTimeOf(customer);
  const subscription = begin(tx, customer, params, how);
  addInvoiceItems(tx, subscription, params.add_invoice_items);
  startBilling(tx, subscription.id, params, how);
  return announce(tx, subscription.id);
}

/** The subscription before any invoice: incomplete, or trialing. */
function begin(tx: Transaction, customer: string, params: CreateParams, how: Beginning): Stripe.Subscription {
  const inputs = params.items ?? [];
  if (inputs.length === 0) throw parameterMissing("items");
  if (inputs.length > MOST_ITEMS) {
    throw invalidRequest(`A subscription can have at most ${MOST_ITEMS} items.`, { param: "items" });
  }
  const prices = inputs.map((input, place) => recurringPrice(tx, input as ItemInput, `items[${place}]`));
  const times = firstTimes(tx.now, params, prices);
  const id = tx.newId("subscription");
  const items = inputs.map((input, place) => itemOf(tx, { customer, subscription: id }, input, prices[place], times));
  checkTogether(items, params.billing_mode?.type ?? "flexible");
  const subscription = blank("subscription", {
    ...changedTerms(tx, FIRST_TERMS, params, customer),
    ...times,
    ...modeOf(params.billing_mode),
    billing_cycle_anchor_config: anchorConfig(params.billing_cycle_anchor_config),
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    created: tx.now,
    currency: currencyOf(prices, params.currency),
    customer,
    discounts: changedDiscounts(tx, [], discountsGiven(params.discounts, params), { customer, subscription: id }),
    id,
    items: itemList(id, items),
    livemode: tx.scope.livemode,
    schedule: how.schedule ?? null,
    status: times.trial_end !== null ? "trialing" : how.deferred === true ? "active" : "incomplete",
    test_clock: tx.clockOf(customer),
  }) as unknown as Stripe.Subscription;
  note(tx, id, { announced: false });
  tx.put("subscription", { ...subscription, ...cancelTimes(tx.now, subscription, params) });
  return tx.get("subscription", id);
}

function itemOf(
  tx: Transaction,
  owner: { customer: string; subscription: string },
  input: Stripe.SubscriptionCreateParams.Item,
  price: Stripe.Price | undefined,
  times: SubscriptionTimes,
): Stripe.SubscriptionItem {
  if (price === undefined) throw new Error("each item has its price");
  const item = newItem(tx, owner.subscription, input, price, firstPeriod(tx.now, times, price));
  const discounts = discountsGiven(input.discounts);
  return { ...item, discounts: changedDiscounts(tx, [], discounts, { ...owner, subscription_item: item.id }) };
}

function modeOf(mode: Stripe.SubscriptionCreateParams["billing_mode"]): Pick<Stripe.Subscription, "billing_mode"> {
  const type = mode?.type ?? "flexible";
  const proration_discounts = mode?.flexible?.proration_discounts ?? "included";
  return { billing_mode: { flexible: type === "flexible" ? { proration_discounts } : null, type } };
}

function anchorConfig(
  config: Stripe.SubscriptionCreateParams["billing_cycle_anchor_config"],
): Stripe.Subscription.BillingCycleAnchorConfig | null {
  return config === undefined ? null : { hour: null, minute: null, month: null, second: null, ...config };
}

/** One currency for all: the one asked for, where each price has it, else that of the first price. */
function currencyOf(prices: readonly Stripe.Price[], wanted: string | undefined): string {
  const currency = wanted?.toLowerCase() ?? prices[0]?.currency ?? "usd";
  const other = prices.find((price) => price.currency !== currency && price.currency_options?.[currency] === undefined);
  if (other === undefined) return currency;
  const message = `The price specified only supports \`${other.currency}\`. This doesn't match the expected currency: \`${currency}\`.`;
  throw invalidRequest(message, { param: wanted === undefined ? "items" : "currency" });
}

/** The first invoice, and the first attempt to collect it. */
function startBilling(tx: Transaction, id: string, params: CreateParams, { deferred = false }: Beginning): void {
  const subscription = tx.get("subscription", id);
  const sent = subscription.collection_method === "send_invoice";
  if (sent && subscription.status === "incomplete") saveSubscription(tx, { ...subscription, status: "active" });
  const lines = firstLines(tx, subscription, params.proration_behavior !== "none");
  // Stripe does not try an incomplete subscription's invoice again by itself: it waits for the customer.
  const auto_advance = tx.get("subscription", id).status !== "incomplete";
  const invoice = draftFor(tx, subscription, { reason: "subscription_create", lines, auto_advance });
  if (deferred && invoice.total > 0) return;
  const collected = collect(tx, subscription, invoice.id, {
    behavior: params.payment_behavior ?? "allow_incomplete",
    off_session: params.off_session,
  });
  const intent = collected.status === "open" ? paymentIntentOf(tx, collected.id) : null;
  const after = tx.get("subscription", id);
  // A debit on its way is trusted until it fails.
  const trusted = intent !== null && tx.find("payment_intent", intent)?.status === "processing";
  if (trusted && after.status === "incomplete") trust(tx, id);
  else if (collected.amount_due === 0 && !sent) askForMethod(tx, after);
}

function firstLines(tx: Transaction, subscription: Stripe.Subscription, prorate: boolean): DraftLine[] {
  const items = subscription.items.data;
  if (subscription.trial_end !== null) return trialLines(tx, subscription, items);
  const before = prorate ? items.flatMap((item) => backdatedLine(tx, subscription, item)) : [];
  return [...before, ...openingLines(tx, subscription, items, prorate)];
}

/** What lies between a start in the past and the present period, in one line. */
function backdatedLine(tx: Transaction, subscription: Stripe.Subscription, item: Stripe.SubscriptionItem): DraftLine[] {
  const { start_date, billing_cycle_anchor: anchor, currency } = subscription;
  const end = cycleOf(anchor, item).start;
  if (end <= start_date) return [];
  let amount = 0;
  for (let at = start_date; at < end;) {
    const cycle = cycleAt(anchor, recurrenceOf(item.price), at);
    const share = (cycle.end - at) / (cycle.end - cycle.start);
    amount += Math.round(fullAmount(tx, item, currency) * share);
    at = cycle.end;
  }
  const { price, quantity = 0 } = item;
  const period = { start: start_date, end };
  return [
    { amount, price, quantity, period, proration: true, subscription: subscription.id, subscription_item: item.id },
  ];
}

/** Nothing is to be paid now: a setup intent asks for what later invoices will be charged to. */
function askForMethod(tx: Transaction, subscription: Stripe.Subscription): void {
  if (canPay(tx, subscription) || typeof subscription.customer !== "string") return;
  const intent = createSetupIntent(tx, { customer: subscription.customer, usage: "off_session" });
  saveSubscription(tx, { ...subscription, pending_setup_intent: intent.id });
}

function announce(tx: Transaction, id: string): Stripe.Subscription {
  const subscription = tx.get("subscription", id);
  note(tx, id, { announced: true });
  tx.raise("customer.subscription.created", subscription);
  if (subscription.status === "trialing") noticeTrialEnd(tx, subscription);
  for (const hear of hooks.subscriptionMoved) hear(tx, subscription, undefined);
  return tx.get("subscription", id);
}

/** Raises trial_will_end when the trial ends within three days, once for each end. */
export function noticeTrialEnd(tx: Transaction, subscription: Stripe.Subscription): void {
  const { trial_end, id } = subscription;
  if (trial_end === null || trial_end - TRIAL_NOTICE > tx.now) return;
  note(tx, id, { trial_notice: trial_end });
  tx.raise("customer.subscription.trial_will_end", subscription);
}
