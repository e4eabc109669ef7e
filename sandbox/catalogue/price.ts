// Prices: how much a product costs, once or again and again. A recurring price is a plan too: plan-face.ts.
import type Stripe from "stripe";
import { blank, blankPart } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { amountOf, currencyOf, given, named, notNegative, onlyOne } from "./given.ts";
import { planOf } from "./plan-face.ts";
import { changeOptions, currencyOptionsFrom, customAmount, keepOptions, tiersFrom } from "./price-options.ts";
import { createProduct } from "./product.ts";
import { search, type SearchParameters } from "./search.ts";

/** Stripe's longest period between two payments: three years. */
const LONGEST: Readonly<Record<string, number>> = { day: 1095, week: 156, month: 36, year: 3 };

export function createPrice(tx: Transaction, params: Stripe.PriceCreateParams): Stripe.Price {
  onlyOne(params, "product", "product_data");
  if (params.product !== undefined) tx.get("product", params.product, "product");
  else if (params.product_data === undefined) {
    throw invalidRequest("You must specify either `product` or `product_data` when creating a price.");
  }
  const checked = newPrice(tx, { ...params, product: params.product ?? "" });
  claimLookupKey(tx, params, checked.id);
  // After the checks, so that a refused price leaves no product.
  const product = params.product ?? createProduct(tx, params.product_data ?? { name: "" }).id;
  return keepNewPrice(tx, { ...checked, product }, params);
}

/** What a price may be made of inside another object: `price_data` of a session's line, an invoice item, … */
export interface InlinePrice {
  currency: string;
  product?: string;
  product_data?: Stripe.ProductCreateParams;
  recurring?: Stripe.PriceCreateParams.Recurring;
  tax_behavior?: Stripe.PriceCreateParams.TaxBehavior;
  unit_amount?: number;
  unit_amount_decimal?: NonNullable<Stripe.PriceCreateParams["unit_amount_decimal"]>;
}

/** The price that a `price_data` makes: inactive, so that it is used once. `param`: where it stood. */
export function createInlinePrice(tx: Transaction, data: InlinePrice, param = "price_data"): Stripe.Price {
  const { product_data, ...rest } = data;
  if (data.product === undefined && product_data === undefined) {
    throw invalidRequest(`You must specify either \`product\` or \`product_data\` when creating a price.`, { param });
  }
  if (data.product !== undefined) tx.get("product", data.product, `${param}[product]`);
  const product =
    data.product ?? createProduct(tx, { ...product_data, name: product_data?.name ?? "", active: false }).id;
  return createPrice(tx, { ...rest, product, active: false });
}

/** The price that a parameter names, which must be for sale. */
export function usablePrice(tx: Transaction, id: string, param = "price"): Stripe.Price {
  const price = tx.get("price", id, param);
  if (price.active) return price;
  throw invalidRequest("The price specified is inactive. This field only accepts active prices.", { param });
}

/** Checked and complete, and not kept yet. */
export function newPrice(
  tx: Transaction,
  params: Stripe.PriceCreateParams & { product: string; id?: string },
): Stripe.Price {
  const tiered = params.billing_scheme === "tiered";
  checkAmounts(params, tiered);
  const recurring = params.recurring === undefined ? null : recurringOf(tx, params.recurring);
  if (tiered && recurring === null) {
    const message = "Prices with `type=one_time` are not supported with tiered billing.";
    throw invalidRequest(message, { param: "interval" });
  }
  return blank("price", {
    id: params.id ?? tx.newId("price"),
    active: params.active ?? true,
    billing_scheme: params.billing_scheme ?? "per_unit",
    created: tx.now,
    currency: currencyOf(params.currency),
    custom_unit_amount: customAmount(params.custom_unit_amount),
    livemode: tx.scope.livemode,
    lookup_key: given(params.lookup_key),
    metadata: mergeMetadata({}, params.metadata),
    nickname: given(params.nickname),
    product: params.product,
    recurring,
    tax_behavior: params.tax_behavior ?? "unspecified",
    tiers_mode: params.tiers_mode ?? null,
    transform_quantity: params.transform_quantity ?? null,
    type: recurring === null ? "one_time" : "recurring",
    ...amountOf(params.unit_amount, params.unit_amount_decimal),
  }) as unknown as Stripe.Price;
}

function checkAmounts(params: Stripe.PriceCreateParams, tiered: boolean): void {
  onlyOne(params, "unit_amount", "unit_amount_decimal");
  notNegative(params.unit_amount, "unit_amount");
  const hasAmount = params.unit_amount !== undefined || params.unit_amount_decimal !== undefined;
  if (tiered) {
    if (hasAmount)
      throw invalidRequest("Prices with `billing_scheme=tiered` cannot have a `unit_amount`.", {
        param: "unit_amount",
      });
    if (params.tiers === undefined)
      throw invalidRequest("Prices with `billing_scheme=tiered` require `tiers` to be set.", { param: "tiers" });
    if (params.tiers_mode === undefined) {
      throw invalidRequest("Prices with `billing_scheme=tiered` require `tiers_mode` to be set.", {
        param: "tiers_mode",
      });
    }
  } else if (params.tiers !== undefined) {
    throw invalidRequest("`tiers` can only be set when `billing_scheme=tiered`.", { param: "tiers" });
  } else if (!hasAmount && params.custom_unit_amount === undefined) {
    throw invalidRequest("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.");
  }
}

function recurringOf(tx: Transaction, params: Stripe.PriceCreateParams.Recurring): Stripe.Price.Recurring {
  const { interval, interval_count = 1, meter, trial_period_days, usage_type = "licensed" } = params;
  if (interval_count < 1 || interval_count > (LONGEST[interval] ?? 0)) {
    const message = `Invalid interval count: it must be between 1 and ${LONGEST[interval] ?? 0} for the interval ${interval}.`;
    throw invalidRequest(message, { param: "recurring[interval_count]" });
  }
  if (meter !== undefined) tx.get("billing.meter", meter, "recurring[meter]");
  else if (usage_type === "metered") {
    const message = "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.";
    throw invalidRequest(message, { param: "recurring[meter]" });
  }
  return blankPart("price.recurring", {
    interval,
    interval_count,
    meter: meter ?? null,
    trial_period_days: trial_period_days ?? null,
    usage_type,
  }) as unknown as Stripe.Price.Recurring;
}

type Options = Pick<Partial<Stripe.PriceCreateParams>, "tiers" | "currency_options">;

/** Keeps a new price, its plan and what it shows only when asked; raises their events. */
export function keepNewPrice(tx: Transaction, price: Stripe.Price, { tiers, currency_options }: Options): Stripe.Price {
  const options = currencyOptionsFrom(currency_options);
  if (tiers !== undefined || Object.keys(options).length > 0) {
    keepOptions(tx, price, { tiers: tiers === undefined ? null : tiersFrom(tiers), currency_options: options });
  }
  tx.put("price", price);
  const plan = planOf(price);
  if (plan !== undefined) {
    tx.put("plan", plan);
    tx.raise("plan.created", plan);
  }
  tx.raise("price.created", price);
  return price;
}

/** Keeps a changed price and its plan; each raises its event when it differs. */
export function changePrice(tx: Transaction, after: Stripe.Price): Stripe.Price {
  const before = tx.get("price", after.id);
  if (equal(before, after)) return before;
  const plan = planOf(after);
  if (plan !== undefined) tx.change("plan", plan, "plan.updated");
  return tx.change("price", after, "price.updated");
}

export function updatePrice(tx: Transaction, id: string, params: Stripe.PriceUpdateParams): Stripe.Price {
  const old = named(tx, "price", id, "price");
  if (params.active === false && old.active) refuseDefault(tx, old);
  if (
    params.tax_behavior !== undefined &&
    old.tax_behavior !== "unspecified" &&
    old.tax_behavior !== params.tax_behavior
  ) {
    const message = "The `tax_behavior` of a price cannot be changed once it is `inclusive` or `exclusive`.";
    throw invalidRequest(message, { param: "tax_behavior" });
  }
  claimLookupKey(tx, params, id);
  changeOptions(tx, old, params.currency_options);
  return changePrice(tx, {
    ...old,
    active: params.active ?? old.active,
    lookup_key: given(params.lookup_key, old.lookup_key),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    nickname: given(params.nickname, old.nickname),
    tax_behavior: params.tax_behavior ?? old.tax_behavior,
  });
}

function refuseDefault(tx: Transaction, price: Stripe.Price): void {
  const product = tx.find("product", idOf(price.product) ?? "");
  if (idOf(product?.default_price) === price.id) {
    throw invalidRequest("This price cannot be archived because it is the default price of its product.");
  }
}

/** A lookup key has one price, also an inactive one; with `transfer_lookup_key` it moves. */
function claimLookupKey(
  tx: Transaction,
  { lookup_key, transfer_lookup_key }: Pick<Partial<Stripe.PriceCreateParams>, "lookup_key" | "transfer_lookup_key">,
  price: string,
): void {
  if (lookup_key === undefined || lookup_key === "") return;
  const [holder] = tx.where("price", (other) => other.lookup_key === lookup_key && other.id !== price);
  if (holder === undefined) return;
  if (transfer_lookup_key !== true) {
    throw invalidRequest(`A price (\`${holder.id}\`) already uses that lookup key.`, { param: "lookup_key" });
  }
  changePrice(tx, { ...holder, lookup_key: null });
}

export function listPrices(tx: Transaction, params: Stripe.PriceListParams): object {
  const { active, currency, lookup_keys, product, recurring, type } = params;
  if (product !== undefined) tx.get("product", product, "product");
  const prices = tx.where(
    "price",
    (price) =>
      (active === undefined || price.active === active) &&
      (currency === undefined || price.currency === currency.toLowerCase()) &&
      (lookup_keys === undefined || (price.lookup_key !== null && lookup_keys.includes(price.lookup_key))) &&
      (product === undefined || idOf(price.product) === product) &&
      (type === undefined || price.type === type) &&
      (recurring === undefined || recurs(price, recurring)),
  );
  return listOf(prices, "/v1/prices", params);
}

function recurs(
  { recurring }: Stripe.Price,
  { interval, meter, usage_type }: Stripe.PriceListParams.Recurring,
): boolean {
  return (
    recurring !== null &&
    (interval === undefined || recurring.interval === interval) &&
    (meter === undefined || recurring.meter === meter) &&
    (usage_type === undefined || recurring.usage_type === usage_type)
  );
}

export function searchPrices(tx: Transaction, params: SearchParameters): object {
  return search(tx.all("price"), params, {
    resource: "prices",
    url: "/v1/prices/search",
    fields: {
      active: { as: "token", read: ({ active }) => active },
      created: { as: "number", read: ({ created }) => created },
      currency: { as: "token", read: ({ currency }) => currency },
      lookup_key: { as: "text", read: ({ lookup_key }) => lookup_key },
      product: { as: "token", read: ({ product }) => idOf(product) },
      type: { as: "token", read: ({ type }) => type },
    },
  });
}
