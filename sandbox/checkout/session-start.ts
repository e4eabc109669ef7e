// When the subscription of a checkout session will begin, and what its first period is: checked when the session is made.
import type Stripe from "stripe";
import { invalidRequest, StripeFailure } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { configuredAnchor, DAY } from "../subscriptions/billing-cycle.ts";
import { firstTimes } from "../subscriptions/subscription-times.ts";
import type { SessionDraft, SessionParameters } from "./session-draft.ts";
import type { Pricing } from "./session-lines.ts";

/** Checkout's own limit, longer than that of the API. */
const SHORTEST_TRIAL = 2 * DAY;

/** @throws StripeFailure 400 for times that the subscription could not begin with */
export function checkStart(tx: Transaction, p: SessionParameters, prices: readonly Stripe.Price[]): void {
  const data = p.subscription_data;
  if (data === undefined) return;
  if (data.trial_end !== undefined && data.trial_end < tx.now + SHORTEST_TRIAL) {
    const message = "The `trial_end` date has to be at least 2 days in the future.";
    throw invalidRequest(message, { param: "subscription_data[trial_end]" });
  }
  try {
    firstTimes(
      tx.now,
      data,
      prices.filter(({ recurring }) => recurring !== null),
    );
  } catch (error) {
    if (!(error instanceof StripeFailure) || error.body.param === undefined) throw error;
    throw new StripeFailure(error.status, { ...error.body, param: `subscription_data[${error.body.param}]` });
  }
}

/** The anchor that the caller named; null when the first period is a whole one. */
export function anchorOf(tx: Transaction, { given, trial }: SessionDraft): Pricing["anchor"] {
  const {
    billing_cycle_anchor,
    billing_cycle_anchor_config: config,
    proration_behavior,
  } = given.subscription_data ?? {};
  const at = config === undefined ? billing_cycle_anchor : configuredAnchor(config, tx.now);
  // With a trial the part between its end and the anchor is billed then, not now.
  return at === undefined || trial ? null : { at, prorated: proration_behavior !== "none" };
}
