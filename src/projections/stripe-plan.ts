// Our copy of Stripe's plans, the prices of before 2020. Projection of table stripe_plans.
import {
  boolean,
  decimal,
  firstOf,
  hash,
  integer,
  reference,
  required,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import { projection } from "./projection.ts";

// No tombstone: whoever creates a plan may choose its id, and use it again.
export const stripePlan = projection({
  objects: ["plan"],
  table: "stripe_plans",
  columns: {
    stripe_created: "time",
    product_id: "text",
    active: "boolean",
    currency: "text",
    amount: "bigint",
    amount_decimal: "decimal",
    interval: "text",
    interval_count: "bigint",
    usage_type: "text",
    meter_id: "text",
    trial_period_days: "bigint",
    billing_scheme: "text",
    tiers_mode: "text",
    nickname: "text",
    metadata: "json",
  },
  row: (object) => ({
    stripe_created: required(time(object.created)),
    // Before 2018-02-05 a plan had a name and no product.
    product_id: reference(object.product),
    active: boolean(object.active),
    currency: required(word(object.currency)),
    // null for tiered plans
    amount: integer(object.amount),
    amount_decimal: decimal(object.amount_decimal),
    interval: required(word(object.interval)),
    interval_count: integer(object.interval_count),
    usage_type: text(object.usage_type),
    meter_id: reference(object.meter),
    trial_period_days: integer(object.trial_period_days),
    billing_scheme: text(object.billing_scheme),
    tiers_mode: text(object.tiers_mode),
    nickname: firstOf(text(object.nickname), text(object.name)),
    metadata: hash(object.metadata),
  }),
  tracked: ["active", "amount", "nickname", "metadata"],
});
