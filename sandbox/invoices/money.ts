// Exact sums in the smallest unit of a currency: prices, tiers and percentages, each rounded once. Pure.
import type Stripe from "stripe";

/** Prices have up to twelve places behind the point, says Stripe's reference of `unit_amount_decimal`. */
const PLACES = 12;
const ONE = 10n ** BigInt(PLACES);
/** Percentages have up to four. */
const PERCENT_STEP = 10_000;

/** Half a unit is rounded up, away from zero. */
export function rounded(numerator: bigint, denominator: bigint): number {
  const sign = numerator < 0n ? -1n : 1n;
  return Number((sign * (2n * sign * numerator + denominator)) / (2n * denominator));
}

/** "12.5" → 12.5 × 10^12 */
function scaled(text: string): bigint {
  const [, sign = "", whole = "0", fraction = ""] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  const digits = BigInt((whole || "0") + fraction.padEnd(PLACES, "0").slice(0, PLACES));
  return sign === "-" ? -digits : digits;
}

/** What a percentage is of an amount, rounded. */
export function percentOf(amount: number, percent: number): number {
  return rounded(BigInt(amount) * BigInt(Math.round(percent * PERCENT_STEP)), BigInt(100 * PERCENT_STEP));
}

/** The tax that is inside an amount: `percent` of it, where all its inclusive taxes together are `all` percent. */
export function percentInside(amount: number, percent: number, all: number): number {
  const [one, sum] = [percent, all].map((each) => BigInt(Math.round(each * PERCENT_STEP)));
  return rounded(BigInt(amount) * (one ?? 0n), BigInt(100 * PERCENT_STEP) + (sum ?? 0n));
}

/** So much of `amount` as `part` is of `whole`, rounded. */
export function shareOf(amount: number, part: number, whole: number): number {
  return whole === 0 ? 0 : rounded(BigInt(amount) * BigInt(part), BigInt(whole));
}

/** A unit price times a quantity, rounded. `unit` as Stripe writes decimals. */
export function times(unit: string, quantity: number | string): number {
  return rounded(scaled(unit) * scaled(String(quantity)), ONE * ONE);
}

interface Terms {
  unit_amount: number | null;
  unit_amount_decimal: Stripe.Decimal | string | null;
  tiers?: Stripe.Price.Tier[] | undefined;
}

/** The unit price in that currency, as decimal text; null where tiers or the buyer decide. */
export function unitPriceOf(price: Stripe.Price, currency: string = price.currency): string | null {
  const { unit_amount_decimal, unit_amount } = termsIn(price, currency);
  if (unit_amount_decimal !== null) return String(unit_amount_decimal);
  return unit_amount === null ? null : String(unit_amount);
}

function termsIn(price: Stripe.Price, currency: string): Terms {
  return (currency === price.currency ? undefined : price.currency_options?.[currency]) ?? price;
}

/** What so many units of a price cost. `tiers`: where the price itself does not carry them. */
export function priceTotal(
  price: Stripe.Price,
  quantity: number | string,
  { currency = price.currency, tiers }: { currency?: string; tiers?: Stripe.Price.Tier[] | undefined } = {},
): number {
  const terms = termsIn(price, currency);
  if (price.billing_scheme === "tiered") {
    return tieredTotal(terms.tiers ?? tiers ?? [], price.tiers_mode ?? "graduated", Number(quantity));
  }
  return times(unitPriceOf(price, currency) ?? "0", packagesOf(price, quantity));
}

/** A price for every ten units bills packages of ten. */
function packagesOf(price: Stripe.Price, quantity: number | string): number | string {
  if (price.transform_quantity === null) return quantity;
  const { divide_by, round } = price.transform_quantity;
  const packages = Number(quantity) / divide_by;
  return round === "up" ? Math.ceil(packages) : Math.floor(packages);
}

function tieredTotal(tiers: readonly Stripe.Price.Tier[], mode: string, quantity: number): number {
  if (mode === "volume") {
    const tier = tiers.find(({ up_to }) => up_to === null || quantity <= up_to) ?? tiers.at(-1);
    return tier === undefined ? 0 : tierTotal(tier, quantity);
  }
  let [below, sum] = [0, 0];
  for (const tier of tiers) {
    const units = Math.min(quantity, tier.up_to ?? Infinity) - below;
    if (units <= 0 && !(quantity === 0 && below === 0)) break;
    sum += tierTotal(tier, Math.max(units, 0));
    below = tier.up_to ?? Infinity;
  }
  return sum;
}

function tierTotal(tier: Stripe.Price.Tier, units: number): number {
  const unit = String(tier.unit_amount_decimal ?? tier.unit_amount ?? 0);
  const flat = String(tier.flat_amount_decimal ?? tier.flat_amount ?? 0);
  return times(unit, units) + times(flat, 1);
}

/** Decimals are text on the wire, whatever the types of the package say. */
export function decimal(value: string | number): Stripe.Decimal {
  return String(value) as unknown as Stripe.Decimal;
}
