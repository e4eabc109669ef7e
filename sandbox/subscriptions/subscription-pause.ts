// Pausing and resuming: the status `paused`, in which nothing is billed and no period passes.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { Period } from "./billing-cycle.ts";
import { addProrations, collect, draftFor } from "./subscription-invoice.ts";
import { itemList, periodFrom } from "./subscription-item.ts";
import { creditFor, openingLines, usageLines } from "./subscription-lines.ts";
import { note } from "./subscription-notes.ts";
import { quietly, saveSubscription } from "./subscription-save.ts";

const PAUSED = ["customer.subscription.updated", "customer.subscription.paused"];
const RESUMED = ["customer.subscription.updated", "customer.subscription.resumed"];

/** Why it is paused, in Stripe's words. */
export function pausedFor(tx: Transaction, type: string): Pick<Stripe.Subscription, "status" | "status_details"> {
  const paused = { subscription: { type }, transitioned_at: tx.now, type: "subscription" };
  return { status: "paused", status_details: { paused } };
}

export function pauseSubscription(
  world: Transaction,
  id: string,
  params: Stripe.SubscriptionPauseParams = {},
): Stripe.Subscription {
  const before = world.get("subscription", id);
  const tx = world.atTimeOf(before.customer);
  if (before.schedule !== null) {
    throw invalidRequest("You cannot pause a subscription that is managed by a subscription schedule.");
  }
  if (before.status !== "active" && before.status !== "trialing" && before.status !== "past_due") {
    throw invalidRequest(`You cannot pause a subscription with the status \`${before.status}\`.`);
  }
  const { unused_time_from: from, outstanding_usage_through: through } = params.bill_for ?? {};
  const credited = from?.type !== "none" && before.status !== "trialing";
  const items = before.items.data;
  if (credited) {
    const wholePeriods = from?.type === "item_current_period_start";
    addProrations(
      tx,
      before,
      items.flatMap((item) => creditFor(tx, before, item, wholePeriods ? item.current_period_start : tx.now)),
    );
  }
  if (params.invoicing_behavior === "invoice") {
    const lines = through?.type === "none" ? [] : usageLines(tx, before, items, tx.now);
    const invoice = draftFor(tx, before, { reason: "subscription_update", lines });
    collect(tx, before, invoice.id, { behavior: "unpaid" });
  }
  return saveSubscription(tx, { ...tx.get("subscription", id), ...pausedFor(tx, "pause_requested") }, PAUSED);
}

/** Paused because the trial ended and there is nothing to charge. */
export function pauseAfterTrial(tx: Transaction, id: string): Stripe.Subscription {
  const subscription = tx.get("subscription", id);
  const paused = pausedFor(tx, "trial_end_without_payment_method");
  const trial_end = Math.min(subscription.trial_end ?? tx.now, tx.now);
  return saveSubscription(tx, { ...subscription, ...paused, trial_end }, PAUSED);
}

export function resumeSubscription(
  world: Transaction,
  id: string,
  params: Stripe.SubscriptionResumeParams = {},
): Stripe.Subscription {
  const before = world.get("subscription", id);
  const tx = world.atTimeOf(before.customer);
  if (before.status !== "paused") {
    throw invalidRequest("Only subscriptions with the status `paused` can be resumed.");
  }
  const unchanged = wordOf(params.billing_cycle_anchor) === "unchanged";
  const anchor = unchanged ? before.billing_cycle_anchor : tx.now;
  const items = before.items.data.map((item) => inPeriod(item, periodFrom(anchor, item.price, tx.now)));
  const renewed = { ...before, billing_cycle_anchor: anchor, items: itemList(id, items) };
  const owed = quietly(tx, id, () => {
    saveSubscription(tx, renewed);
    const lines = openingLines(tx, renewed, items, params.proration_behavior !== "none");
    const invoice = draftFor(tx, renewed, { reason: "subscription_update", lines });
    return collect(tx, renewed, invoice.id, { behavior: "unpaid" }).status === "open";
  });
  const { latest_invoice } = tx.get("subscription", id);
  const resumed = { ...renewed, latest_invoice };
  // What is told is the whole step from what it was before.
  tx.put("subscription", before);
  if (owed && params.payment_behavior === "resume_on_payment_success") {
    note(tx, id, { resuming: idOf(latest_invoice) });
    return saveSubscription(tx, resumed);
  }
  return saveResumed(tx, resumed, owed ? "past_due" : "active");
}

/** Goes on in that status. Raises customer.subscription.resumed. */
export function saveResumed(
  tx: Transaction,
  subscription: Stripe.Subscription,
  status: Stripe.Subscription.Status,
): Stripe.Subscription {
  note(tx, subscription.id, { resuming: null });
  const { status_details: _paused, ...rest } = subscription;
  return saveSubscription(tx, { ...rest, status }, RESUMED);
}

/** Older callers send the word alone. */
export function wordOf(anchor: { type: string } | string | undefined): string | undefined {
  return typeof anchor === "object" ? anchor.type : anchor;
}

export function inPeriod(item: Stripe.SubscriptionItem, { start, end }: Period): Stripe.SubscriptionItem {
  return { ...item, current_period_start: start, current_period_end: end };
}
