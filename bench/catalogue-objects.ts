// Products and prices as Stripe's webhooks carry them, the same in every API version. Pure.
import type { StripeObject } from "./objects.ts";

export function productObject(id: string, created: number, active: boolean): StripeObject {
  return {
    ...{ id, object: "product", active, attributes: [], created, default_price: null },
    ...{ description: "Everything that a growing team needs, billed by the month.", images: [], livemode: true },
    ...{ marketing_features: [], metadata: { tier: "growth" }, name: "Growth", package_dimensions: null },
    ...{ shippable: null, statement_descriptor: null, tax_code: "txcd_10103001", type: "service", unit_label: null },
    ...{ updated: created, url: null },
  };
}

export function priceObject(id: string, product: string, created: number, amount: number): StripeObject {
  return {
    ...{ id, object: "price", active: true, billing_scheme: "per_unit", created, currency: "usd" },
    ...{ custom_unit_amount: null, livemode: true, lookup_key: null, metadata: {}, nickname: null, product },
    recurring: { interval: "month", interval_count: 1, meter: null, trial_period_days: null, usage_type: "licensed" },
    ...{ tax_behavior: "exclusive", tiers_mode: null, transform_quantity: null, type: "recurring" },
    ...{ unit_amount: amount, unit_amount_decimal: String(amount) },
  };
}
