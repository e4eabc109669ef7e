// Shipping rates: what delivery costs and how long it takes. Stripe raises no events for them.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { parameterMissing } from "../core/errors.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { currencyKey, currencyOf, given, named, notNegative } from "./given.ts";

type Options = Record<string, Stripe.ShippingRate.FixedAmount.CurrencyOptions>;
type OptionParams = Readonly<Record<string, { amount?: number; tax_behavior?: string }>>;

export function createShippingRate(tx: Transaction, params: Stripe.ShippingRateCreateParams): Stripe.ShippingRate {
  const { fixed_amount } = params;
  if (fixed_amount === undefined) throw parameterMissing("fixed_amount");
  notNegative(fixed_amount.amount, "fixed_amount[amount]");
  const rate = blank("shipping_rate", {
    id: tx.newId("shipping_rate"),
    active: true,
    created: tx.now,
    delivery_estimate: estimateOf(params.delivery_estimate),
    display_name: params.display_name,
    fixed_amount: {
      amount: fixed_amount.amount,
      currency: currencyOf(fixed_amount.currency, "fixed_amount[currency]"),
      ...(fixed_amount.currency_options === undefined
        ? {}
        : { currency_options: optionsOf(fixed_amount.currency_options) }),
    },
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, params.metadata),
    tax_behavior: params.tax_behavior ?? "unspecified",
    tax_code: given(params.tax_code),
    type: "fixed_amount",
  }) as unknown as Stripe.ShippingRate;
  return tx.put("shipping_rate", rate);
}

function estimateOf(
  params: Stripe.ShippingRateCreateParams.DeliveryEstimate | undefined,
): Stripe.ShippingRate.DeliveryEstimate | null {
  return params === undefined ? null : { maximum: params.maximum ?? null, minimum: params.minimum ?? null };
}

function optionsOf(params: OptionParams, old: Options = {}): Options {
  const options = { ...old };
  for (const [code, { amount, tax_behavior }] of Object.entries(params)) {
    const currency = currencyKey(code, "fixed_amount[currency_options]");
    const before = options[currency];
    options[currency] = {
      amount: amount ?? before?.amount ?? 0,
      tax_behavior: tax_behavior ?? before?.tax_behavior ?? "unspecified",
    };
  }
  return options;
}

export function updateShippingRate(
  tx: Transaction,
  id: string,
  params: Stripe.ShippingRateUpdateParams,
): Stripe.ShippingRate {
  const old = named(tx, "shipping_rate", id, "shipping_rate_token");
  const added = params.fixed_amount?.currency_options;
  const fixed = old.fixed_amount;
  return tx.put("shipping_rate", {
    ...old,
    active: params.active ?? old.active,
    ...(fixed === undefined || added === undefined
      ? {}
      : { fixed_amount: { ...fixed, currency_options: optionsOf(added, fixed.currency_options) } }),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    tax_behavior: params.tax_behavior ?? old.tax_behavior,
  });
}

export function listShippingRates(tx: Transaction, params: Stripe.ShippingRateListParams): object {
  const { active, currency } = params;
  const rates = tx.where(
    "shipping_rate",
    (rate) =>
      (active === undefined || rate.active === active) &&
      (currency === undefined || rate.fixed_amount?.currency === currency.toLowerCase()),
  );
  return listOf(rates, "/v1/shipping_rates", params);
}
