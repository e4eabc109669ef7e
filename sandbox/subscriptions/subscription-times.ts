// When a new subscription begins, when its trial ends, and from which moment its billing cycles are counted.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import { configuredAnchor, cycleAt, cycleStart, DAY, type Period } from "./billing-cycle.ts";
import { periodFrom, recurrenceOf } from "./subscription-item.ts";

export interface SubscriptionTimes {
  start_date: number;
  billing_cycle_anchor: number;
  trial_start: number | null;
  trial_end: number | null;
}

type Input = Pick<
  Stripe.SubscriptionCreateParams,
  | "backdate_start_date"
  | "billing_cycle_anchor"
  | "billing_cycle_anchor_config"
  | "trial_end"
  | "trial_from_plan"
  | "trial_period_days"
>;

/** Two years: Stripe takes no longer trial. */
const LONGEST_TRIAL = 730 * DAY;

export function firstTimes(now: number, input: Input, prices: readonly Stripe.Price[]): SubscriptionTimes {
  const trial_end = trialEnd(now, input, prices);
  const start_date = input.backdate_start_date ?? now;
  if (start_date > now) {
    throw invalidRequest("`backdate_start_date` must be in the past.", { param: "backdate_start_date" });
  }
  const first = trial_end ?? (input.backdate_start_date === undefined ? now : start_date);
  const anchor = anchorOf(now, input) ?? first;
  checkAnchor(anchor, trial_end ?? now, input, prices);
  return { start_date, billing_cycle_anchor: anchor, trial_start: trial_end === null ? null : now, trial_end };
}

function trialEnd(now: number, input: Input, prices: readonly Stripe.Price[]): number | null {
  const { trial_end, trial_period_days, trial_from_plan } = input;
  if (trial_end !== undefined && trial_period_days !== undefined) {
    const message = "You may only specify one of these parameters: trial_end, trial_period_days.";
    throw invalidRequest(message, { param: "trial_end" });
  }
  if (trial_end === "now") return null;
  if (trial_end !== undefined) return checkedTrialEnd(now, trial_end);
  const fromPlan = trial_from_plan === true ? prices.map(({ recurring }) => recurring?.trial_period_days ?? 0) : [];
  const days = trial_period_days ?? Math.max(0, ...fromPlan);
  if (days === 0) return null;
  if (days < 0 || days > 730) {
    const message = "The maximum number of trial period days is 730 (2 years).";
    throw invalidRequest(message, { param: "trial_period_days" });
  }
  return now + days * DAY;
}

export function checkedTrialEnd(now: number, end: number): number {
  if (end <= now) {
    const message = "Invalid timestamp: must be an integer Unix timestamp in the future.";
    throw invalidRequest(message, { param: "trial_end" });
  }
  if (end > now + LONGEST_TRIAL) {
    throw invalidRequest("Invalid timestamp: can be no more than two years in the future.", { param: "trial_end" });
  }
  return end;
}

function anchorOf(now: number, input: Input): number | undefined {
  const { billing_cycle_anchor: anchor, billing_cycle_anchor_config: config } = input;
  if (anchor !== undefined && config !== undefined) {
    const message = "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.";
    throw invalidRequest(message, { param: "billing_cycle_anchor" });
  }
  return config === undefined ? anchor : configuredAnchor(config, now);
}

/** The anchor may lie ahead, but not behind the date on which the first period ends by itself. */
function checkAnchor(anchor: number, from: number, input: Input, prices: readonly Stripe.Price[]): void {
  if (input.billing_cycle_anchor === undefined) return;
  if (anchor < from && input.backdate_start_date === undefined) {
    const message = "Invalid timestamp: must be an integer Unix timestamp in the future.";
    throw invalidRequest(message, { param: "billing_cycle_anchor" });
  }
  for (const price of prices) {
    const natural = cycleStart(from, recurrenceOf(price), 1);
    if (anchor <= natural) continue;
    const message = `billing_cycle_anchor cannot be later than next natural billing date (${natural}) for plan`;
    throw invalidRequest(message, { param: "billing_cycle_anchor" });
  }
}

/** The first period of an item: the trial; or from the start, or the cycle's own start after it, to the next cycle. */
export function firstPeriod(now: number, times: SubscriptionTimes, price: Stripe.Price): Period {
  if (times.trial_end !== null) return { start: now, end: times.trial_end };
  const { billing_cycle_anchor: anchor, start_date } = times;
  if (start_date >= now) return periodFrom(anchor, price, now);
  const cycle = cycleAt(anchor, recurrenceOf(price), now);
  return { start: Math.max(start_date, cycle.start), end: cycle.end };
}
