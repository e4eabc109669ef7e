// What a price shows only when asked: its tiers and its amounts in other currencies. Kept in `_extra`.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import type { Transaction } from "../core/transaction.ts";
import { amountOf, currencyKey, currencyOf, notNegative, type Amount } from "./given.ts";

type TierParam = Stripe.PriceCreateParams.Tier;
type OptionParam = Stripe.PriceCreateParams.CurrencyOptions;
export type CurrencyOptions = Record<string, Stripe.Price.CurrencyOptions>;

/** A price's id may be a plan's, which whoever creates it may choose: other kinds have such ids too. */
const keyOf = (price: string): string => `price:${price}`;

interface Options {
  tiers: Stripe.Price.Tier[] | null;
  currency_options: CurrencyOptions;
}

export function keepOptions(tx: Transaction, price: Stripe.Price, options: Options): void {
  tx.put("_extra", { id: keyOf(price.id), object: "price", created: price.created, ...options });
}

function optionsOf(tx: Transaction, price: string): Options {
  const kept = tx.find("_extra", keyOf(price)) as Partial<Options> | undefined;
  return { tiers: kept?.tiers ?? null, currency_options: kept?.currency_options ?? {} };
}

/** Lowest first; the last has `up_to: null`. null for a price that is not tiered. */
export function tiersOf(tx: Transaction, price: { id: string }): Stripe.Price.Tier[] | null {
  return optionsOf(tx, price.id).tiers;
}

/** With the price's own currency. */
export function currencyOptionsOf(tx: Transaction, price: Stripe.Price): CurrencyOptions {
  const { unit_amount, unit_amount_decimal, custom_unit_amount, tax_behavior } = price;
  const own = { custom_unit_amount, tax_behavior, unit_amount, unit_amount_decimal };
  return { [price.currency]: own, ...optionsOf(tx, price.id).currency_options };
}

/** What one unit costs in a currency; undefined when the price is not offered in it. */
export function unitAmountIn(tx: Transaction, price: Stripe.Price, currency: string): Amount | undefined {
  const option = currencyOptionsOf(tx, price)[currency.toLowerCase()];
  if (option === undefined) return undefined;
  const { unit_amount, unit_amount_decimal } = option;
  return { unit_amount, unit_amount_decimal: unit_amount_decimal === null ? null : String(unit_amount_decimal) };
}

export function tiersFrom(params: readonly TierParam[], param = "tiers"): Stripe.Price.Tier[] {
  const tiers = params.map((tier, place) => {
    notNegative(tier.unit_amount, `${param}[${place}][unit_amount]`);
    notNegative(tier.flat_amount, `${param}[${place}][flat_amount]`);
    const flat = amountOf(tier.flat_amount, tier.flat_amount_decimal);
    return {
      flat_amount: flat.unit_amount,
      flat_amount_decimal: flat.unit_amount_decimal,
      ...amountOf(tier.unit_amount, tier.unit_amount_decimal),
      up_to: tier.up_to === "inf" ? null : tier.up_to,
    };
  });
  const bounds = tiers.map(({ up_to }) => up_to ?? Infinity);
  if (bounds.at(-1) !== Infinity) {
    throw invalidRequest("The last tier in `tiers` must be a fallback tier with an `up_to` value of `inf`.", { param });
  }
  if (bounds.some((bound, place) => bound <= (bounds[place - 1] ?? 0))) {
    throw invalidRequest("Each tier's `up_to` must be greater than that of the tier before it.", { param });
  }
  return tiers as unknown as Stripe.Price.Tier[];
}

/** `''` for a currency takes it away. */
export function currencyOptionsFrom(
  params: Readonly<Record<string, OptionParam | "">> | "" | null | undefined,
  old: CurrencyOptions = {},
): CurrencyOptions {
  if (params === "" || params === null) return {};
  const options = { ...old };
  for (const [code, option] of Object.entries(params ?? {})) {
    const currency = currencyKey(code, `currency_options[${code}]`);
    if (option === "") Reflect.deleteProperty(options, currency);
    else options[currency] = optionFrom(option, `currency_options[${code}]`);
  }
  return options;
}

function optionFrom(option: OptionParam, param: string): Stripe.Price.CurrencyOptions {
  notNegative(option.unit_amount, `${param}[unit_amount]`);
  const tiers = option.tiers === undefined ? {} : { tiers: tiersFrom(option.tiers, `${param}[tiers]`) };
  return {
    custom_unit_amount: customAmount(option.custom_unit_amount),
    tax_behavior: option.tax_behavior ?? "unspecified",
    ...tiers,
    ...amountOf(option.unit_amount, option.unit_amount_decimal),
  } as unknown as Stripe.Price.CurrencyOptions;
}

export function customAmount(
  params: Stripe.PriceCreateParams.CustomUnitAmount | undefined,
): Stripe.Price.CustomUnitAmount | null {
  if (params?.enabled !== true) return null;
  return { maximum: params.maximum ?? null, minimum: params.minimum ?? null, preset: params.preset ?? null };
}

/** The price's options after an update of its `currency_options`. */
export function changeOptions(
  tx: Transaction,
  price: Stripe.Price,
  params: Stripe.PriceUpdateParams["currency_options"],
): void {
  if (params === undefined) return;
  const { tiers, currency_options } = optionsOf(tx, price.id);
  const options = currencyOptionsFrom(params, currency_options);
  Reflect.deleteProperty(options, currencyOf(price.currency));
  keepOptions(tx, price, { tiers, currency_options: options });
}

includable("price", "tiers", (tx, price) => tiersOf(tx, price) ?? undefined);
includable("price", "currency_options", currencyOptionsOf);
includable("plan", "tiers", (tx, plan) => tiersOf(tx, plan) ?? undefined);
