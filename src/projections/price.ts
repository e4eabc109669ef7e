// Our copy of Stripe prices. Projection of table prices.
import { at, boolean, decimal, hash, integer, reference, required, text, time, word } from "../stripe/read-values.ts";
import { projection } from "./projection.ts";

// No tombstone: a plan's id is chosen by whoever creates it, and is also its price's.
export const price = projection({
  objects: ["price"],
  table: "prices",
  columns: {
    stripe_created: "time",
    product_id: "text",
    active: "boolean",
    type: "text",
    currency: "text",
    unit_amount: "bigint",
    unit_amount_decimal: "decimal",
    interval: "text",
    interval_count: "bigint",
    usage_type: "text",
    meter_id: "text",
    trial_period_days: "bigint",
    billing_scheme: "text",
    tiers_mode: "text",
    tax_behavior: "text",
    nickname: "text",
    lookup_key: "text",
    metadata: "json",
  },
  row: (object) => ({
    stripe_created: required(time(object.created)),
    product_id: required(reference(object.product)),
    active: required(boolean(object.active)),
    type: required(word(object.type)),
    currency: required(word(object.currency)),
    // null for tiered prices and for amounts below a minor unit
    unit_amount: integer(object.unit_amount),
    unit_amount_decimal: decimal(object.unit_amount_decimal),
    interval: word(at(object, "recurring", "interval")),
    interval_count: integer(at(object, "recurring", "interval_count")),
    usage_type: text(at(object, "recurring", "usage_type")),
    meter_id: reference(at(object, "recurring", "meter")),
    trial_period_days: integer(at(object, "recurring", "trial_period_days")),
    billing_scheme: text(object.billing_scheme),
    tiers_mode: text(object.tiers_mode),
    tax_behavior: text(object.tax_behavior),
    nickname: text(object.nickname),
    lookup_key: text(object.lookup_key),
    metadata: hash(object.metadata),
  }),
  tracked: ["active", "unit_amount", "nickname", "lookup_key", "metadata"],
});
