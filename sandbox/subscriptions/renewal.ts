// What time does to a subscription: it renews, its trial ends, it is given up, it is cancelled as asked.
import type Stripe from "stripe";
import type { Transaction } from "../core/transaction.ts";
import { finalizeInvoice, markUncollectible, upcomingInvoice, voidInvoice } from "../invoices/invoice.ts";
import { DAY, HOUR } from "./billing-cycle.ts";
import { endSubscription, expireIncomplete, finalInvoice } from "./subscription-cancel.ts";
import { lastingDiscounts } from "./subscription-discount.ts";
import { draftFor } from "./subscription-invoice.ts";
import { itemList, periodFrom } from "./subscription-item.ts";
import { openingLines, usageLines } from "./subscription-lines.ts";
import { note, notesOf } from "./subscription-notes.ts";
import { inPeriod } from "./subscription-pause.ts";
import { expirePending } from "./subscription-payments.ts";
import { asOneUpdate, hasEnded, quietly, saveSubscription } from "./subscription-save.ts";
import { noticeTrialEnd, TRIAL_NOTICE } from "./subscription.ts";
import { endUnpaidTrial } from "./subscription-update.ts";
import { idOf } from "../core/kinds.ts";

type Subscription = Stripe.Subscription;

/** The first payment must come within 23 hours. */
const FIRST_PAYMENT = 23 * HOUR;
/** Stripe's default for `invoice.upcoming`. */
const UPCOMING_NOTICE = 7 * DAY;

export interface Occasion {
  at: number;
  act: (tx: Transaction, subscription: Subscription) => void;
}

/** All that will happen to the subscription by itself, as it is now. Of one moment, the first listed comes first. */
export function occasionsOf(tx: Transaction, subscription: Subscription): Occasion[] {
  if (hasEnded(subscription)) return [];
  const { status, created, cancel_at, pause_collection, pending_update } = subscription;
  const renews = status === "active" || status === "past_due" || status === "unpaid";
  const occasions: Occasion[] = [];
  const add = (at: number | null | undefined, act: Occasion["act"]) => {
    if (at !== null && at !== undefined) occasions.push({ at, act });
  };
  if (status === "incomplete") add(created + FIRST_PAYMENT, (at, { id }) => expireIncomplete(at, id));
  add(cancel_at, cancelAsAsked);
  add(pending_update?.expires_at, (at, { id }) => expirePending(at, id));
  add(pause_collection?.resumes_at, (at, paused) => saveSubscription(at, { ...paused, pause_collection: null }));
  if (status === "trialing") {
    add(trialNotice(tx, subscription), noticeTrialEnd);
    add(subscription.trial_end, endTrial);
  }
  if (renews) add(nextRenewal(subscription), renew);
  if (status === "trialing" || status === "active") add(upcomingNotice(tx, subscription), sayUpcoming);
  if (status === "active")
    add(overdueAt(tx, subscription), (at, late) => saveSubscription(at, { ...late, status: "past_due" }));
  return occasions;
}

function nextRenewal({ items }: Subscription): number {
  return Math.min(...items.data.map(({ current_period_end }) => current_period_end));
}

function trialNotice(tx: Transaction, { id, trial_end }: Subscription): number | null {
  if (trial_end === null || notesOf(tx, id).trial_notice === trial_end) return null;
  return trial_end - TRIAL_NOTICE;
}

function upcomingNotice(tx: Transaction, subscription: Subscription): number | null {
  const end = nextRenewal(subscription);
  const start = Math.min(...subscription.items.data.map(({ current_period_start }) => current_period_start));
  const told = notesOf(tx, subscription.id).upcoming_notice === end;
  if (told || end - start <= UPCOMING_NOTICE || (subscription.cancel_at ?? Infinity) <= end) return null;
  return end - UPCOMING_NOTICE;
}

function sayUpcoming(tx: Transaction, subscription: Subscription): void {
  note(tx, subscription.id, { upcoming_notice: nextRenewal(subscription) });
  tx.raise("invoice.upcoming", upcomingInvoice(tx, subscription));
}

/** An invoice that was sent is not paid when it should be. */
function overdueAt(tx: Transaction, { collection_method, latest_invoice }: Subscription): number | null {
  if (collection_method !== "send_invoice") return null;
  const invoice = tx.find("invoice", idOf(latest_invoice) ?? "");
  return invoice?.status === "open" ? invoice.due_date : null;
}

/** What was used and what waits to be billed is billed before. */
function cancelAsAsked(tx: Transaction, subscription: Subscription): void {
  if (subscription.status === "active" || subscription.status === "past_due") {
    quietly(tx, subscription.id, () => finalInvoice(tx, subscription, "subscription_cycle"));
  }
  if (hasEnded(tx.get("subscription", subscription.id))) return;
  endSubscription(tx, subscription.id, { reason: "cancellation_requested" });
}

function endTrial(tx: Transaction, subscription: Subscription): void {
  if (endUnpaidTrial(tx, subscription)) return;
  asOneUpdate(tx, subscription.id, () => cycle(tx, { ...subscription, status: "active" }));
}

function renew(tx: Transaction, subscription: Subscription): void {
  asOneUpdate(tx, subscription.id, () => cycle(tx, subscription));
}

/** The items whose period is over go on to the next; an invoice for them is drafted. Stripe finalizes it an hour later. */
function cycle(tx: Transaction, subscription: Subscription): void {
  const { id, billing_cycle_anchor: anchor, status } = subscription;
  const over = subscription.items.data.filter(({ current_period_end }) => current_period_end <= tx.now);
  const renewed = over.map((item) => inPeriod(item, periodFrom(anchor, item.price, item.current_period_end)));
  const items = subscription.items.data.map((item) => renewed.find((after) => after.id === item.id) ?? item);
  const discounts = lastingDiscounts(tx, subscription.discounts);
  const after = saveSubscription(tx, { ...subscription, items: itemList(id, items), discounts });
  const [first] = over;
  const invoice = draftFor(tx, after, {
    reason: "subscription_cycle",
    lines: [...usageLines(tx, after, over), ...openingLines(tx, after, renewed)],
    period: { start: first?.current_period_start ?? tx.now, end: first?.current_period_end ?? tx.now },
    // Unpaid subscriptions go on with drafts, which nobody is asked to pay.
    auto_advance: status !== "unpaid" && subscription.pause_collection === null,
  });
  if (subscription.pause_collection !== null) setAside(tx, invoice.id, subscription.pause_collection.behavior);
}

/** While collection is paused. */
function setAside(tx: Transaction, invoice: string, behavior: string): void {
  if (behavior === "keep_as_draft") return;
  if (finalizeInvoice(tx, invoice).status !== "open") return;
  if (behavior === "void") voidInvoice(tx, invoice);
  else markUncollectible(tx, invoice);
}
