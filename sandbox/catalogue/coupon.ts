// Coupons: percentages or amounts off. What a redeemed one means stays known after it was deleted.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { currencyKey, currencyOf, given, inFuture, named, notNegative } from "./given.ts";

type CurrencyOptions = Record<string, Stripe.Coupon.CurrencyOptions>;

interface Kept {
  products: string[] | null;
  currency_options: CurrencyOptions;
  /** The coupon as it was when it was deleted. */
  deleted: Stripe.Coupon | null;
}

/** Whoever creates a coupon chooses its id: other kinds may have it too. */
const keyOf = (coupon: string): string => `coupon:${coupon}`;

function keep(tx: Transaction, coupon: Stripe.Coupon, kept: Kept): void {
  tx.put("_extra", { id: keyOf(coupon.id), object: "coupon", created: coupon.created, ...kept });
}

function keptOf(tx: Transaction, coupon: string): Kept {
  const kept = tx.find("_extra", keyOf(coupon)) as Partial<Kept> | undefined;
  const { products = null, currency_options = {}, deleted = null } = kept ?? {};
  return { products, currency_options, deleted };
}

/** The ids of the products that it applies to; null: to all. */
export function appliesTo(tx: Transaction, coupon: { id: string }): string[] | null {
  return keptOf(tx, coupon.id).products;
}

/** What an amount-off coupon takes off in a currency; undefined when it has no amount in it. */
export function amountOffIn(tx: Transaction, coupon: Stripe.Coupon, currency: string): number | undefined {
  if (coupon.currency === currency) return coupon.amount_off ?? undefined;
  return keptOf(tx, coupon.id).currency_options[currency]?.amount_off;
}

/** The coupon of a discount, which may have been deleted since. */
export function couponOf(tx: Transaction, discount: Pick<Stripe.Discount, "source">): Stripe.Coupon {
  const { coupon } = discount.source;
  if (coupon !== null && typeof coupon === "object") return coupon;
  const found = knownCoupon(tx, coupon ?? "");
  if (found === null) throw noSuch("coupon", coupon ?? "", "coupon");
  return found;
}

/** As it is, or as it was when it was deleted. */
export function knownCoupon(tx: Transaction, id: string): Stripe.Coupon | null {
  return tx.find("coupon", id) ?? keptOf(tx, id).deleted;
}

/** `valid` as of now: a coupon ends by itself. */
export function validNow(tx: Transaction, coupon: Stripe.Coupon): Stripe.Coupon {
  const over = coupon.redeem_by !== null && coupon.redeem_by < tx.now;
  return over && coupon.valid ? { ...coupon, valid: false } : coupon;
}

export function createCoupon(tx: Transaction, params: Stripe.CouponCreateParams): Stripe.Coupon {
  checkTerms(tx, params);
  const id = params.id ?? tx.world.random.text(8);
  if (tx.find("coupon", id) !== undefined) {
    throw invalidRequest("Coupon already exists.", { code: "resource_already_exists" });
  }
  const coupon = blank("coupon", {
    id,
    amount_off: params.amount_off ?? null,
    created: tx.now,
    currency: params.amount_off === undefined ? null : currencyOf(params.currency ?? ""),
    duration: params.duration ?? "once",
    duration_in_months: params.duration_in_months ?? null,
    livemode: tx.scope.livemode,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    name: given(params.name),
    percent_off: params.percent_off ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  }) as unknown as Stripe.Coupon;
  const products = params.applies_to?.products ?? null;
  for (const [place, product] of (products ?? []).entries())
    tx.get("product", product, `applies_to[products][${place}]`);
  tx.put("coupon", coupon);
  keep(tx, coupon, { products, currency_options: optionsFrom(params.currency_options), deleted: null });
  tx.raise("coupon.created", coupon);
  return coupon;
}

function checkTerms(tx: Transaction, params: Stripe.CouponCreateParams): void {
  const { amount_off, currency, currency_options, duration, duration_in_months, percent_off } = params;
  if (percent_off === undefined && amount_off === undefined) {
    throw invalidRequest("Must provide percent_off or amount_off.", { code: "parameter_missing" });
  }
  if (percent_off !== undefined && amount_off !== undefined) {
    throw invalidRequest("Received both percent_off and amount_off parameters. Please pass in only one.");
  }
  if (percent_off !== undefined && currency_options !== undefined) {
    const message = "You may only specify one of these parameters: currency_options, percent_off.";
    throw invalidRequest(message, { param: "currency_options" });
  }
  if (amount_off !== undefined && currency === undefined) {
    throw invalidRequest("You must pass currency when passing amount_off", { param: "currency" });
  }
  checkPercent(percent_off);
  notNegative(amount_off, "amount_off");
  if (duration === "repeating" && duration_in_months === undefined) {
    const message = "The duration_in_months param must be set when creating a coupon with a repeating duration";
    throw invalidRequest(message, { param: "duration" });
  }
  if (duration !== "repeating" && duration_in_months !== undefined) {
    const message = "You may not set the duration_in_months param unless the duration is repeating";
    throw invalidRequest(message, { param: "duration_in_months" });
  }
  inFuture(tx, params.redeem_by, "redeem_by");
}

function checkPercent(percent: number | undefined): void {
  if (percent === undefined || (percent >= 0.01 && percent <= 100)) return;
  const shown = Number.isInteger(percent) ? percent.toFixed(1) : String(percent);
  const bound = percent < 0.01 ? "greater than or equal to 0.01" : "less than or equal to 100";
  throw invalidRequest(`This value must be ${bound} (it currently is '${shown}').`, { param: "percent_off" });
}

function optionsFrom(
  params: Stripe.CouponCreateParams["currency_options"],
  old: CurrencyOptions = {},
): CurrencyOptions {
  const added = Object.entries(params ?? {}).map(([code, { amount_off }]) => {
    notNegative(amount_off, `currency_options[${code}][amount_off]`);
    return [currencyKey(code, `currency_options[${code}]`), { amount_off }] as const;
  });
  return { ...old, ...Object.fromEntries(added) };
}

export function updateCoupon(tx: Transaction, id: string, params: Stripe.CouponUpdateParams): Stripe.Coupon {
  const old = named(tx, "coupon", id, "coupon");
  const kept = keptOf(tx, id);
  if (params.currency_options !== undefined) {
    keep(tx, old, { ...kept, currency_options: optionsFrom(params.currency_options, kept.currency_options) });
  }
  const after = {
    ...old,
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    name: given(params.name, old.name),
  };
  return equal(old, after) ? old : tx.change("coupon", after, "coupon.updated");
}

/** Discounts that it gave go on. */
export function deleteCoupon(tx: Transaction, id: string): object {
  const coupon = named(tx, "coupon", id, "coupon");
  keep(tx, coupon, { ...keptOf(tx, id), deleted: coupon });
  tx.remove("coupon", id);
  tx.raise("coupon.deleted", { ...coupon, valid: false });
  return { id, object: "coupon", deleted: true };
}

export function listCoupons(tx: Transaction, params: Stripe.CouponListParams): object {
  const coupons = tx.all("coupon").map((coupon) => validNow(tx, coupon));
  return listOf(coupons, "/v1/coupons", params);
}

/** One more redemption, for which the coupon must be good. */
export function redeemCoupon(tx: Transaction, id: string): void {
  const coupon = tx.get("coupon", id, "coupon");
  const times_redeemed = coupon.times_redeemed + 1;
  const valid = coupon.valid && (coupon.max_redemptions === null || times_redeemed < coupon.max_redemptions);
  tx.change("coupon", { ...coupon, times_redeemed, valid }, "coupon.updated");
}

includable("coupon", "applies_to", (tx, coupon) => ({ products: appliesTo(tx, coupon) ?? [] }));
includable("coupon", "currency_options", (tx, coupon) => {
  const own = coupon.currency === null ? {} : { [coupon.currency]: { amount_off: coupon.amount_off ?? 0 } };
  return { ...own, ...keptOf(tx, coupon.id).currency_options };
});
