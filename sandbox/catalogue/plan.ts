// Plans: the API of recurring prices before there were prices. Each is the price with its id.
import type Stripe from "stripe";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { given, named } from "./given.ts";
import { changePrice, keepNewPrice, newPrice } from "./price.ts";
import { createProduct } from "./product.ts";

export { planOf } from "./plan-face.ts";

export function createPlan(tx: Transaction, params: Stripe.PlanCreateParams): Stripe.Plan {
  if (params.id !== undefined && tx.find("price", params.id) !== undefined) {
    throw invalidRequest("Plan already exists.", { code: "resource_already_exists" });
  }
  if (params.product === undefined) throw parameterMissing("product");
  if (typeof params.product === "string") tx.get("product", params.product, "product");
  const price = newPrice(tx, pricedAs(params, typeof params.product === "string" ? params.product : ""));
  const product =
    typeof params.product === "string" ? params.product : createProduct(tx, { ...params.product, type: "service" }).id;
  keepNewPrice(tx, { ...price, product }, params.tiers === undefined ? {} : { tiers: params.tiers });
  return tx.get("plan", price.id);
}

function pricedAs(params: Stripe.PlanCreateParams, product: string): Parameters<typeof newPrice>[1] {
  const { id, active, amount, amount_decimal, billing_scheme, currency, nickname, tiers, tiers_mode } = params;
  const { interval, interval_count, meter, trial_period_days, usage_type } = params;
  const recurring: Stripe.PriceCreateParams.Recurring = { interval };
  if (interval_count !== undefined) recurring.interval_count = interval_count;
  if (meter !== undefined) recurring.meter = meter;
  if (trial_period_days !== undefined) recurring.trial_period_days = trial_period_days;
  if (usage_type !== undefined) recurring.usage_type = usage_type;
  return {
    currency,
    product,
    recurring,
    metadata: mergeMetadata({}, params.metadata),
    ...(id === undefined ? {} : { id }),
    ...(active === undefined ? {} : { active }),
    ...(amount === undefined ? {} : { unit_amount: amount }),
    ...(amount_decimal === undefined ? {} : { unit_amount_decimal: amount_decimal }),
    ...(billing_scheme === undefined ? {} : { billing_scheme }),
    ...(nickname === undefined ? {} : { nickname }),
    ...(tiers === undefined ? {} : { tiers }),
    ...(tiers_mode === undefined ? {} : { tiers_mode }),
    ...(params.transform_usage === undefined ? {} : { transform_quantity: params.transform_usage }),
  };
}

export function updatePlan(tx: Transaction, id: string, params: Stripe.PlanUpdateParams): Stripe.Plan {
  named(tx, "plan", id, "plan");
  const price = tx.get("price", id);
  if (params.product !== undefined) tx.get("product", params.product, "product");
  const { recurring } = price;
  changePrice(tx, {
    ...price,
    active: params.active ?? price.active,
    metadata: mergeMetadata(price.metadata, params.metadata ?? {}),
    nickname: given(params.nickname, price.nickname),
    product: params.product ?? idOf(price.product) ?? "",
    recurring: recurring && {
      ...recurring,
      trial_period_days: params.trial_period_days ?? recurring.trial_period_days,
    },
  });
  return tx.get("plan", id);
}

/** Subscriptions to it go on. */
export function deletePlan(tx: Transaction, id: string): object {
  const plan = named(tx, "plan", id, "plan");
  const price = tx.get("price", id);
  tx.remove("plan", id);
  tx.remove("price", id);
  tx.raise("plan.deleted", { ...plan, active: false });
  tx.raise("price.deleted", { ...price, active: false });
  return { id, object: "plan", deleted: true };
}

export function listPlans(tx: Transaction, params: Stripe.PlanListParams): object {
  const { active, product } = params;
  if (product !== undefined) tx.get("product", product, "product");
  const plans = tx.where(
    "plan",
    (plan) =>
      (active === undefined || plan.active === active) && (product === undefined || idOf(plan.product) === product),
  );
  return listOf(plans, "/v1/plans", params);
}
