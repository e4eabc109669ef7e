// The old face of a recurring price: the plan with the same id, kept beside it.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { idOf } from "../core/kinds.ts";

/** The plan that a recurring price also is; undefined for one that is paid once. */
export function planOf(price: Stripe.Price): Stripe.Plan | undefined {
  const { recurring } = price;
  if (recurring === null) return undefined;
  return blank("plan", {
    id: price.id,
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: recurring.interval,
    interval_count: recurring.interval_count,
    livemode: price.livemode,
    metadata: price.metadata,
    meter: recurring.meter,
    nickname: price.nickname,
    product: idOf(price.product),
    tiers_mode: price.tiers_mode,
    transform_usage: price.transform_quantity,
    trial_period_days: recurring.trial_period_days,
    usage_type: recurring.usage_type,
  }) as unknown as Stripe.Plan;
}
