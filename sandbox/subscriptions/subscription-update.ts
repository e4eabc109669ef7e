// Changes of subscriptions: their terms, their items with what they cost for the rest of the period, their trial and end.
import type Stripe from "stripe";
import { blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { DAY } from "./billing-cycle.ts";
import { noticeTrialEnd } from "./subscription.ts";
import { changedDetails, endSubscription } from "./subscription-cancel.ts";
import { cancelTimes } from "./subscription-cancel-times.ts";
import { changedDiscounts, discountsGiven, type LegacyDiscount } from "./subscription-discount.ts";
import {
  addInvoiceItems,
  addProrations,
  canPay,
  collect,
  customerOf,
  draftFor,
  hasPendingItems,
} from "./subscription-invoice.ts";
import { itemList } from "./subscription-item.ts";
import { note } from "./subscription-notes.ts";
import { pauseAfterTrial } from "./subscription-pause.ts";
import { asOneUpdate, hasEnded, saveSubscription } from "./subscription-save.ts";
import { changedTerms } from "./subscription-terms.ts";
import { type BillingStep, billingStep } from "./subscription-step.ts";

export type UpdateParams = Stripe.SubscriptionUpdateParams & LegacyDiscount & { prorate?: boolean };

/** A change that waits for its payment is given up after so long. Stripe: 23 hours. */
const PENDING_SECONDS = DAY - 3600;

export function updateSubscription(world: Transaction, id: string, params: UpdateParams): Stripe.Subscription {
  const before = world.get("subscription", id);
  const tx = world.atTimeOf(before.customer);
  if (hasEnded(before)) return updateEnded(tx, before, params);
  refuseManaged(before, params);
  const after = asOneUpdate(tx, id, () => {
    saveSubscription(tx, termsAfter(tx, before, params));
    addInvoiceItems(tx, before, params.add_invoice_items);
    if (endsTrialUnpaid(tx, id, params)) return;
    perform(tx, id, billingStep(tx, tx.get("subscription", id), params), params);
  });
  if (after.trial_end !== before.trial_end && (after.status === "trialing" || params.trial_end === "now")) {
    noticeTrialEnd(tx, after);
  }
  return tx.get("subscription", id);
}

/** What is over keeps its texts alone. */
function updateEnded(tx: Transaction, before: Stripe.Subscription, params: UpdateParams): Stripe.Subscription {
  const other = Object.keys(params).find((name) => !["metadata", "cancellation_details", "expand"].includes(name));
  if (other !== undefined) {
    const message = "A canceled subscription can only update its cancellation_details and metadata.";
    throw invalidRequest(message, { param: other, code: "invalid_canceled_subscription_fields" });
  }
  return saveSubscription(tx, {
    ...before,
    metadata: mergeMetadata(before.metadata, params.metadata),
    cancellation_details: changedDetails(before.cancellation_details, params.cancellation_details),
  });
}

/** What a schedule decides is not changed beside it. */
function refuseManaged({ schedule }: Stripe.Subscription, params: UpdateParams): void {
  const param = (["cancel_at", "cancel_at_period_end"] as const).find((name) => params[name] !== undefined);
  if (schedule === null || param === undefined) return;
  const message =
    `The subscription is managed by the subscription schedule \`${typeof schedule === "string" ? schedule : schedule.id}\`, ` +
    "and updating any cancelation behavior directly is not allowed. Please update the schedule instead.";
  throw invalidRequest(message, { param });
}

function termsAfter(tx: Transaction, before: Stripe.Subscription, params: UpdateParams): Stripe.Subscription {
  const owner = { customer: customerOf(before), subscription: before.id };
  const cancelled = cancelTimes(tx.now, before, params);
  const after: Stripe.Subscription = {
    ...before,
    ...changedTerms(tx, before, params, owner.customer),
    ...cancelled,
    discounts: changedDiscounts(tx, before.discounts, discountsGiven(params.discounts, params), owner),
    pause_collection: pauseOf(before, params.pause_collection),
  };
  const reason = after.cancel_at === null ? null : "cancellation_requested";
  const details = changedDetails(before.cancellation_details, params.cancellation_details);
  return { ...after, cancellation_details: { ...details, reason } };
}

function pauseOf(
  before: Stripe.Subscription,
  pause: UpdateParams["pause_collection"],
): Stripe.Subscription.PauseCollection | null {
  if (pause === undefined) return before.pause_collection;
  return pause === "" || pause === null ? null : { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null };
}

/** The trial ends now with nothing to charge: pauses or ends the subscription, when its settings say so. */
function endsTrialUnpaid(tx: Transaction, id: string, params: UpdateParams): boolean {
  const subscription = tx.get("subscription", id);
  if (params.trial_end !== "now" || subscription.status !== "trialing") return false;
  return endUnpaidTrial(tx, subscription);
}

export function endUnpaidTrial(tx: Transaction, subscription: Stripe.Subscription): boolean {
  if (subscription.collection_method === "send_invoice" || canPay(tx, subscription)) return false;
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (behavior === "pause") pauseAfterTrial(tx, subscription.id);
  else if (behavior === "cancel") endSubscription(tx, subscription.id, { reason: "payment_failed" });
  else return false;
  return true;
}

/** Bills what the step costs, and takes it; or leaves it pending until it is paid. */
function perform(tx: Transaction, id: string, step: BillingStep, params: UpdateParams): void {
  const before = tx.get("subscription", id);
  addProrations(tx, before, step.prorations);
  const invoiced = step.invoice === "now" || (step.invoice === "pending" && hasPendingItems(tx, before));
  const waits = invoiced && params.payment_behavior === "pending_if_incomplete";
  const subscription = waits ? before : saveSubscription(tx, { ...before, ...step.changed });
  if (!invoiced) return;
  const draft = draftFor(
    tx,
    { ...subscription, ...step.changed },
    { reason: "subscription_update", lines: step.lines },
  );
  if (waits) note(tx, id, { pending: { invoice: draft.id, after: step.changed } });
  const behavior = step.endsTrial && !canPay(tx, subscription) ? "unpaid" : params.payment_behavior;
  const invoice = collect(tx, subscription, draft.id, { behavior, off_session: params.off_session });
  if (waits && invoice.status === "open") leavePending(tx, id, step);
  const after = tx.get("subscription", id);
  const owed = behavior === "default_incomplete" && invoice.status === "open" && after.status === "active";
  if (owed) saveSubscription(tx, { ...after, status: "past_due" });
}

function leavePending(tx: Transaction, id: string, { changed }: BillingStep): void {
  const pending_update = blankPart("subscription.pending_update", {
    billing_cycle_anchor: changed.billing_cycle_anchor ?? null,
    expires_at: tx.now + PENDING_SECONDS,
    subscription_items: changed.items?.data ?? null,
    trial_end: changed.trial_end ?? null,
  }) as unknown as Stripe.Subscription.PendingUpdate;
  saveSubscription(tx, { ...tx.get("subscription", id), pending_update });
}

/** The discounts of a subscription end now. */
export function deleteDiscount(tx: Transaction, id: string): Stripe.DeletedDiscount {
  const before = tx.get("subscription", id);
  const [first] = before.discounts;
  const discount = tx.find("discount", typeof first === "string" ? first : (first?.id ?? ""));
  if (discount === undefined)
    throw invalidRequest(`No active discount for subscription: ${id}`, { code: "resource_missing", status: 404 });
  changedDiscounts(tx, before.discounts, [], { customer: customerOf(before), subscription: id });
  saveSubscription(tx, { ...before, discounts: [] });
  const { end: _end, ...rest } = discount;
  return { ...rest, deleted: true };
}

/** From classic to flexible billing. */
export function migrateSubscription(
  world: Transaction,
  id: string,
  { billing_mode }: Stripe.SubscriptionMigrateParams,
): Stripe.Subscription {
  const before = world.get("subscription", id);
  const tx = world.atTimeOf(before.customer);
  const proration_discounts = billing_mode.flexible?.proration_discounts ?? "included";
  const mode = { flexible: { proration_discounts }, type: "flexible", updated_at: tx.now } as const;
  return saveSubscription(tx, { ...before, billing_mode: mode, items: itemList(id, before.items.data) });
}
