// Schedules at work: their phases begin and end by themselves, and they end with their subscriptions.
import type Stripe from "stripe";
import type { DueWork } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { DAY } from "./billing-cycle.ts";
import { changedItemsOf, newItemsOf, paramsOfPhase } from "./schedule-phases.ts";
import { cancelSubscription, createSubscription, updateSubscription } from "./subscription.ts";
import { hasEnded, saveSubscription } from "./subscription-save.ts";

type Schedule = Stripe.SubscriptionSchedule;
type Phase = Schedule["phases"][number];

/** Stripe's reference says seven days; the fixture of its own CLI expects the event nine days before. */
const EXPIRING_NOTICE = 9 * DAY;

export function phaseAt(phases: readonly Phase[], now: number): Phase | undefined {
  return phases.find(({ start_date, end_date }) => start_date <= now && now < end_date);
}

/** The present phase begins, and with it the subscription. A schedule that begins in the past is backdated. */
export function beginSchedule(tx: Transaction, id: string, { announced = true }: { announced?: boolean } = {}): void {
  const before = tx.get("subscription_schedule", id);
  const phase = phaseAt(before.phases, tx.now);
  const start = before.phases[0]?.start_date ?? tx.now;
  if (phase === undefined) {
    finish(tx, before);
    return;
  }
  const { start_date, end_date } = phase;
  const begun: Schedule = { ...before, current_phase: { start_date, end_date }, status: "active" };
  tx.put("subscription_schedule", begun);
  const subscription = createSubscription(
    tx,
    {
      ...paramsOfPhase(begun, phase),
      customer: idOf(before.customer) ?? "",
      items: newItemsOf(phase),
      ...(start < tx.now ? { backdate_start_date: start } : {}),
      ...(phase.trial_end !== null && phase.trial_end > tx.now ? { trial_end: phase.trial_end } : {}),
    },
    { deferred: true, schedule: id },
  );
  const after = { ...begun, subscription: subscription.id };
  tx.put("subscription_schedule", after);
  if (announced) tx.raise("subscription_schedule.updated", after, before);
}

/** Makes the subscription what the phase says. */
export function applyPhase(
  tx: Transaction,
  id: string,
  phase: Phase,
  prorations: Phase["proration_behavior"] = phase.proration_behavior,
): void {
  const schedule = tx.get("subscription_schedule", id);
  const subscription = tx.find("subscription", idOf(schedule.subscription) ?? "");
  if (subscription === undefined || hasEnded(subscription)) return;
  const { customer: _customer, ...terms } = paramsOfPhase(schedule, phase);
  const trials = phase.trial_end !== null && phase.trial_end > tx.now && phase.trial_end !== subscription.trial_end;
  updateSubscription(tx, subscription.id, {
    ...(terms as unknown as Stripe.SubscriptionUpdateParams),
    items: changedItemsOf(phase, subscription),
    proration_behavior: prorations,
    ...(trials ? { trial_end: phase.trial_end ?? "now" } : {}),
    ...(phase.billing_cycle_anchor === "phase_start" && phase.start_date === tx.now
      ? { billing_cycle_anchor: { type: "now" } }
      : {}),
  });
}

/** The next phase, or the end. */
function proceed(tx: Transaction, schedule: Schedule): void {
  const phase = phaseAt(schedule.phases, tx.now);
  if (phase === undefined) {
    finish(tx, schedule);
    return;
  }
  const { start_date, end_date } = phase;
  const after = { ...schedule, current_phase: { start_date, end_date } };
  tx.put("subscription_schedule", after);
  applyPhase(tx, schedule.id, phase);
  tx.raise("subscription_schedule.updated", tx.get("subscription_schedule", schedule.id), schedule);
}

/** All phases are over: the subscription goes on alone, or ends too. */
function finish(tx: Transaction, schedule: Schedule): void {
  const after: Schedule = { ...schedule, completed_at: tx.now, current_phase: null, status: "completed" };
  tx.put("subscription_schedule", after);
  const subscription = tx.find("subscription", idOf(schedule.subscription) ?? "");
  if (subscription !== undefined && !hasEnded(subscription)) {
    if (schedule.end_behavior === "cancel") cancelSubscription(tx, subscription.id);
    else saveSubscription(tx, { ...subscription, schedule: null });
  }
  tx.raise("subscription_schedule.completed", after);
}

/** Its subscription has ended: so has the schedule. Aborted is the word when nobody paid. */
export function hearSubscription(tx: Transaction, subscription: Stripe.Subscription): void {
  const schedule = tx.find("subscription_schedule", idOf(subscription.schedule) ?? "");
  if (!hasEnded(subscription) || (schedule?.status !== "active" && schedule?.status !== "not_started")) return;
  const after: Schedule = { ...schedule, canceled_at: tx.now, current_phase: null, status: "canceled" };
  tx.put("subscription_schedule", after);
  const unpaid = subscription.cancellation_details?.reason === "payment_failed";
  tx.raise(unpaid ? "subscription_schedule.aborted" : "subscription_schedule.canceled", after);
}

function expiringAt(tx: Transaction, { id, status, phases }: Schedule): number {
  const end = phases.at(-1)?.end_date;
  const told = tx.find("_extra", id)?.expiring_told;
  return status !== "active" || end === undefined || told === end ? Infinity : end - EXPIRING_NOTICE;
}

function tellExpiring(tx: Transaction, schedule: Schedule): void {
  const expiring_told = schedule.phases.at(-1)?.end_date;
  tx.put("_extra", { id: schedule.id, object: "schedule_notes", created: tx.now, expiring_told });
  tx.raise("subscription_schedule.expiring", schedule);
}

function nextOf({ status, phases, current_phase }: Schedule): number {
  if (status === "not_started") return phases[0]?.start_date ?? Infinity;
  return status === "active" ? (current_phase?.end_date ?? Infinity) : Infinity;
}

/** Before the subscriptions' own due work: a cycle that begins with a phase is billed as the phase says. */
export const schedulesDue: DueWork = {
  next: (tx, clock) => {
    const moments = onClock(tx, clock).map((each) => Math.min(nextOf(each), expiringAt(tx, each)));
    const first = moments.reduce((one, other) => Math.min(one, other), Infinity);
    return first === Infinity ? undefined : first;
  },
  run: (tx, clock) => {
    for (const { id } of onClock(tx, clock)) {
      const schedule = tx.get("subscription_schedule", id);
      if (expiringAt(tx, schedule) <= tx.now) tellExpiring(tx, schedule);
      if (nextOf(schedule) > tx.now) continue;
      if (schedule.status === "not_started") beginSchedule(tx, id);
      else proceed(tx, schedule);
    }
  },
};

function onClock(tx: Transaction, clock: string | null): Schedule[] {
  return tx.where("subscription_schedule", ({ status, test_clock }) => {
    return idOf(test_clock) === clock && (status === "not_started" || status === "active");
  });
}
