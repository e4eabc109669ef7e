// Subscription schedules: made, changed, cancelled and released.
import type Stripe from "stripe";
import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { type PhaseInput, phaseFromSubscription, phasesFrom } from "./schedule-phases.ts";
import { applyPhase, beginSchedule, phaseAt } from "./schedule-run.ts";
import { cancelSubscription } from "./subscription.ts";
import { hasEnded, saveSubscription } from "./subscription-save.ts";

type Schedule = Stripe.SubscriptionSchedule;
type CreateParams = Omit<Stripe.SubscriptionScheduleCreateParams, "phases"> & { phases?: PhaseInput[] };
type UpdateParams = Omit<Stripe.SubscriptionScheduleUpdateParams, "phases"> & { phases?: PhaseInput[] };

/** Raises subscription_schedule.created, after all that beginning its first phase raises. */
export function createSchedule(world: Transaction, params: CreateParams): Schedule {
  if (params.from_subscription !== undefined) return fromSubscription(world, params.from_subscription, params);
  const { customer, phases: inputs = [] } = params;
  if (customer === undefined) throw parameterMissing("customer");
  if (inputs.length === 0) throw parameterMissing("phases");
  world.get("customer", customer, "customer");
  const tx = world.atTimeOf(customer);
  const start = params.start_date === undefined || params.start_date === "now" ? tx.now : params.start_date;
  const schedule = newSchedule(tx, params, { customer, phases: phasesFrom(tx, inputs, start) });
  tx.put("subscription_schedule", schedule);
  if (start <= tx.now) beginSchedule(tx, schedule.id, { announced: false });
  tx.raise("subscription_schedule.created", tx.get("subscription_schedule", schedule.id));
  return tx.get("subscription_schedule", schedule.id);
}

function fromSubscription(world: Transaction, id: string, params: CreateParams): Schedule {
  const other = Object.keys(params).find(
    (name) => !["from_subscription", "metadata", "billing_mode", "expand"].includes(name),
  );
  if (other !== undefined) {
    const message = `You cannot set \`${other}\` if \`from_subscription\` is set.`;
    throw invalidRequest(message, { param: other });
  }
  const subscription = world.get("subscription", id, "from_subscription");
  if (subscription.schedule !== null || hasEnded(subscription)) {
    const why = hasEnded(subscription) ? "it has ended" : "it is already attached to a schedule";
    const message = `You cannot migrate the subscription ${id} to a schedule: ${why}.`;
    throw invalidRequest(message, { param: "from_subscription" });
  }
  const tx = world.atTimeOf(subscription.customer);
  const phase = phaseFromSubscription(subscription);
  const { start_date, end_date } = phase;
  const made = newSchedule(tx, params, { customer: idOf(subscription.customer) ?? "", phases: [phase] });
  const current_phase = { start_date, end_date };
  const schedule: Schedule = { ...made, current_phase, status: "active", subscription: id };
  tx.put("subscription_schedule", schedule);
  saveSubscription(tx, { ...subscription, schedule: schedule.id });
  tx.raise("subscription_schedule.created", schedule);
  return schedule;
}

function newSchedule(
  tx: Transaction,
  params: CreateParams,
  { customer, phases }: { customer: string; phases: Schedule["phases"] },
): Schedule {
  const type = params.billing_mode?.type ?? "flexible";
  const proration_discounts = params.billing_mode?.flexible?.proration_discounts ?? "included";
  return blank("subscription_schedule", {
    id: tx.newId("subscription_schedule"),
    billing_mode: { flexible: type === "flexible" ? { proration_discounts } : null, type },
    created: tx.now,
    customer,
    default_settings: settingsAfter(undefined, params.default_settings),
    end_behavior: params.end_behavior ?? "release",
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, params.metadata),
    phases,
    status: "not_started",
    test_clock: tx.clockOf(customer),
  }) as unknown as Schedule;
}

function settingsAfter(
  old: Schedule["default_settings"] | undefined,
  given: Stripe.SubscriptionScheduleUpdateParams.DefaultSettings = {},
): Schedule["default_settings"] {
  const unset = (value: unknown) => (value === "" ? null : value);
  const chosen = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, unset(value)]));
  const place = "subscription_schedule.default_settings";
  const invoice_settings = blankPart(`${place}.invoice_settings`, {
    issuer: { type: "self" },
    ...old?.invoice_settings,
    ...given.invoice_settings,
  });
  return blankPart(place, {
    billing_cycle_anchor: "automatic",
    collection_method: "charge_automatically",
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    ...old,
    ...chosen,
    invoice_settings,
  }) as unknown as Schedule["default_settings"];
}

/** Raises subscription_schedule.updated. Another present phase changes the subscription now. */
export function updateSchedule(world: Transaction, id: string, params: UpdateParams): Schedule {
  const before = world.get("subscription_schedule", id);
  const tx = world.atTimeOf(before.customer);
  refuseOver(before, "update");
  const phases =
    params.phases === undefined ? before.phases : phasesFrom(tx, params.phases, before.phases[0]?.start_date ?? tx.now);
  const current = phaseAt(phases, tx.now);
  if (before.status === "active" && current === undefined) {
    throw invalidRequest("The schedule's phases must include the present one.", { param: "phases" });
  }
  const { start_date, end_date } = current ?? { start_date: 0, end_date: 0 };
  tx.put("subscription_schedule", {
    ...before,
    current_phase: before.status === "active" ? { start_date, end_date } : before.current_phase,
    default_settings: settingsAfter(before.default_settings, params.default_settings),
    end_behavior: params.end_behavior ?? before.end_behavior,
    metadata: mergeMetadata(before.metadata, params.metadata),
    phases,
  });
  if (params.phases !== undefined && before.status === "active" && current !== undefined) {
    applyPhase(tx, id, current, params.proration_behavior);
  }
  const after = tx.get("subscription_schedule", id);
  tx.raise("subscription_schedule.updated", after, before);
  return after;
}

function refuseOver({ status }: Schedule, verb: string): void {
  if (status === "not_started" || status === "active") return;
  throw invalidRequest(
    `You cannot ${verb} a subscription schedule that is currently in the \`${status}\` status. It must be in the \`not_started\` or \`active\` status.`,
  );
}

/** Ends the schedule and its subscription. Of one that has not begun, Stripe's CLI expects to hear that it is aborted. */
export function cancelSchedule(
  world: Transaction,
  id: string,
  { invoice_now = true, prorate = true }: Stripe.SubscriptionScheduleCancelParams = {},
): Schedule {
  const before = world.get("subscription_schedule", id);
  const tx = world.atTimeOf(before.customer);
  refuseOver(before, "cancel");
  const after: Schedule = { ...before, canceled_at: tx.now, current_phase: null, status: "canceled" };
  tx.put("subscription_schedule", after);
  const subscription = tx.find("subscription", idOf(before.subscription) ?? "");
  if (subscription !== undefined && !hasEnded(subscription)) {
    cancelSubscription(tx, subscription.id, { invoice_now, prorate });
  }
  if (before.status === "not_started") tx.raise("subscription_schedule.aborted", after);
  tx.raise("subscription_schedule.canceled", after);
  return after;
}

/** Leaves the subscription as it is, on its own. */
export function releaseSchedule(
  world: Transaction,
  id: string,
  { preserve_cancel_date = false }: Stripe.SubscriptionScheduleReleaseParams = {},
): Schedule {
  const before = world.get("subscription_schedule", id);
  const tx = world.atTimeOf(before.customer);
  refuseOver(before, "release");
  const released = idOf(before.subscription);
  const after: Schedule = {
    ...before,
    current_phase: null,
    released_at: tx.now,
    released_subscription: released,
    status: "released",
    subscription: null,
  };
  tx.put("subscription_schedule", after);
  const subscription = released === null ? undefined : tx.find("subscription", released);
  if (subscription !== undefined) {
    const uncancelled = preserve_cancel_date ? {} : { cancel_at: null, canceled_at: null, cancel_at_period_end: false };
    saveSubscription(tx, { ...subscription, ...(hasEnded(subscription) ? {} : uncancelled), schedule: null });
  }
  tx.raise("subscription_schedule.released", after);
  return after;
}
