// What an update means for billing: the items and periods after it, what is credited and debited, and what is billed now.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import type { DraftLine } from "../invoices/invoice-line.ts";
import { changedItems, changesInterval, type ItemChange, type ItemChanges } from "./subscription-item-changes.ts";
import { fullAmount, itemList, periodFrom } from "./subscription-item.ts";
import { creditFor, debitFor, openingLines, type Proration, trialLines } from "./subscription-lines.ts";
import { inPeriod, wordOf } from "./subscription-pause.ts";
import { checkedTrialEnd } from "./subscription-times.ts";
import type { UpdateParams } from "./subscription-update.ts";

export interface BillingStep {
  changed: Partial<Stripe.Subscription>;
  prorations: Proration[];
  lines: DraftLine[];
  /** `pending`: only if something waits to be billed. */
  invoice: "now" | "pending" | "later";
  endsTrial: boolean;
}

type Subscription = Stripe.Subscription;

function unbilled(changed: Partial<Subscription>): BillingStep {
  return { changed, prorations: [], lines: [], invoice: "later", endsTrial: false };
}

export function billingStep(tx: Transaction, subscription: Subscription, params: UpdateParams): BillingStep {
  const { trial_end } = params;
  checkProrationDate(tx, subscription, params.proration_date);
  const changes = changedItems(tx, subscription, params.items);
  const trialing = subscription.status === "trialing";
  if (trial_end === "now" && trialing) return trialEnds(tx, subscription, changes);
  if (typeof trial_end === "number") return trialMoves(tx, subscription, changes, params, trial_end);
  const items = itemList(subscription.id, changes.items);
  if (trialing || subscription.status === "paused") return unbilled({ items });
  if (restarts(tx, subscription, changes.changes, params)) return newCycle(tx, subscription, changes, params);
  const at = params.proration_date ?? tx.now;
  const prorates = behaviorOf(params) !== "none";
  return {
    changed: { items },
    prorations: prorates ? changes.changes.flatMap((change) => prorationsOf(tx, subscription, change, at)) : [],
    lines: [],
    invoice: behaviorOf(params) === "always_invoice" ? "pending" : "later",
    endsTrial: false,
  };
}

/** It lies in the present period: what is over cannot cost another amount. */
function checkProrationDate(tx: Transaction, { items }: Subscription, date: number | undefined): void {
  if (date === undefined) return;
  const start = Math.min(...items.data.map(({ current_period_start }) => current_period_start));
  const end = Math.max(...items.data.map(({ current_period_end }) => current_period_end), tx.now);
  if (date >= start && date <= end) return;
  const message = "The proration date must be within the subscription's current period.";
  throw invalidRequest(message, { param: "proration_date" });
}

function behaviorOf({ proration_behavior, prorate }: UpdateParams): string {
  return proration_behavior ?? (prorate === false ? "none" : "create_prorations");
}

/** Credit for the old, debit for the new, from the same second. */
function prorationsOf(
  tx: Transaction,
  subscription: Subscription,
  { before, after }: ItemChange,
  at: number,
): Proration[] {
  return [
    ...(before === undefined ? [] : creditFor(tx, subscription, before, at)),
    ...(after === undefined ? [] : debitFor(tx, subscription, after, at)),
  ];
}

/** A new cycle begins when asked for, with another rhythm, and in classic billing between free and paid. */
function restarts(
  tx: Transaction,
  subscription: Subscription,
  changes: readonly ItemChange[],
  { billing_cycle_anchor: anchor }: UpdateParams,
): boolean {
  if (wordOf(anchor) === "now" || changes.some(changesInterval)) return true;
  if (subscription.billing_mode.type !== "classic") return false;
  const isFree = (item: Stripe.SubscriptionItem) => fullAmount(tx, item, subscription.currency) === 0;
  return changes.some(({ before, after }) => {
    return before !== undefined && after !== undefined && isFree(before) !== isFree(after);
  });
}

function newCycle(
  tx: Transaction,
  subscription: Subscription,
  { items: after }: ItemChanges,
  params: UpdateParams,
): BillingStep {
  const at = params.proration_date ?? tx.now;
  const old = subscription.items.data;
  const prorates = behaviorOf(params) !== "none";
  const items = after.map((item) => inPeriod(item, periodFrom(tx.now, item.price, tx.now)));
  const changed = { billing_cycle_anchor: tx.now, items: itemList(subscription.id, items) };
  return {
    changed,
    prorations: prorates ? old.flatMap((item) => creditFor(tx, subscription, item, at)) : [],
    lines: openingLines(tx, { ...subscription, ...changed }, items),
    invoice: "now",
    endsTrial: false,
  };
}

/** The trial is over before its time: the first paid period begins. */
function trialEnds(tx: Transaction, subscription: Subscription, { items: after }: ItemChanges): BillingStep {
  const items = after.map((item) => inPeriod(item, periodFrom(tx.now, item.price, tx.now)));
  const changed: Partial<Subscription> = {
    billing_cycle_anchor: tx.now,
    items: itemList(subscription.id, items),
    status: "active",
    trial_end: tx.now,
  };
  const lines = openingLines(tx, { ...subscription, ...changed }, items);
  return { changed, prorations: [], lines, invoice: "now", endsTrial: true };
}

/** A trial that ends at another time, or begins in the middle of a paid period, which is then credited. */
function trialMoves(
  tx: Transaction,
  subscription: Subscription,
  { items: after }: ItemChanges,
  params: UpdateParams,
  wanted: number,
): BillingStep {
  const trial_end = checkedTrialEnd(tx.now, wanted);
  const trialing = subscription.status === "trialing";
  const items = after.map((item) => {
    return inPeriod(item, { start: trialing ? item.current_period_start : tx.now, end: trial_end });
  });
  const changed: Partial<Subscription> = {
    billing_cycle_anchor: trial_end,
    items: itemList(subscription.id, items),
    status: "trialing",
    trial_end,
    trial_start: trialing ? subscription.trial_start : tx.now,
  };
  if (trialing) return unbilled(changed);
  const credited = behaviorOf(params) !== "none";
  const old = subscription.items.data;
  const prorations = credited ? old.flatMap((item) => creditFor(tx, subscription, item, tx.now)) : [];
  return { changed, prorations, lines: trialLines(tx, subscription, items), invoice: "now", endsTrial: false };
}
