// Promotion codes: what a customer types to get a coupon; and what redeeming a coupon or a code checks.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { redeemCoupon, validNow } from "./coupon.ts";
import { currencyKey, inFuture, named } from "./given.ts";

export { createDiscount, endDiscount, newDiscount } from "./discount.ts";

const CODE = /^[a-zA-Z0-9\-_]+$/;
const FIVE_YEARS = 5 * 366 * 86_400;

/** `coupon` is the parameter of versions before 2025-09-30. */
type CreateParams = Partial<Pick<Stripe.PromotionCodeCreateParams, "promotion">> &
  Omit<Stripe.PromotionCodeCreateParams, "promotion"> & { coupon?: string };

export function createPromotionCode(tx: Transaction, params: CreateParams): Stripe.PromotionCode {
  const coupon = couponParam(tx, params);
  const code = params.code ?? mintCode(tx);
  const active = params.active ?? true;
  if (!CODE.test(code)) {
    const message = `This value must match the regex pattern. (/\\A[a-zA-Z0-9\\-_]+\\z/ does not match for the value ${code}).`;
    throw invalidRequest(message, { param: "code" });
  }
  if (active) refuseTaken(tx, code, params.customer ?? null, undefined);
  if (params.customer !== undefined) tx.get("customer", params.customer, "customer");
  inFuture(tx, params.expires_at, "expires_at");
  if ((params.expires_at ?? 0) > tx.now + FIVE_YEARS) {
    const message = "Invalid timestamp: can be no more than five years in the future.";
    throw invalidRequest(message, { param: "expires_at" });
  }
  const promotionCode = blank("promotion_code", {
    id: tx.newId("promotion_code"),
    active,
    code,
    created: tx.now,
    customer: params.customer ?? null,
    expires_at: params.expires_at ?? null,
    livemode: tx.scope.livemode,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    promotion: { coupon, type: "coupon" },
    restrictions: restrictionsOf(params.restrictions),
    times_redeemed: 0,
  }) as unknown as Stripe.PromotionCode;
  tx.put("promotion_code", promotionCode);
  tx.raise("promotion_code.created", promotionCode);
  return promotionCode;
}

function couponParam(tx: Transaction, { coupon, promotion }: CreateParams): string {
  if (promotion === undefined) {
    if (coupon === undefined) throw parameterMissing("promotion");
    return tx.get("coupon", coupon, "coupon").id;
  }
  if (promotion.coupon === undefined) {
    throw invalidRequest("You must pass promotion.coupon when passing promotion", { param: "promotion.coupon" });
  }
  return tx.get("coupon", promotion.coupon, "promotion[coupon]").id;
}

function mintCode(tx: Transaction): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return Array.from({ length: 8 }, () => letters.charAt(tx.world.random.integer(letters.length))).join("");
}

/** Among active codes a code is one customer's or everyone's, once. Case does not count. */
function refuseTaken(tx: Transaction, code: string, customer: string | null, self: string | undefined): void {
  const wanted = code.toLowerCase();
  const taken = tx.all("promotion_code").some((other) => {
    const same = other.code.toLowerCase() === wanted && idOf(other.customer) === customer;
    return same && other.id !== self && activeNow(tx, other).active;
  });
  if (taken) throw invalidRequest(`An active promotion code with \`code: ${code}\` already exists.`);
}

function restrictionsOf(
  params: Stripe.PromotionCodeCreateParams["restrictions"] = {},
): Stripe.PromotionCode.Restrictions {
  const { currency_options, first_time_transaction = false, minimum_amount, minimum_amount_currency } = params;
  if (minimum_amount !== undefined && minimum_amount_currency === undefined) {
    const message = "You must pass restrictions[minimum_amount_currency] when passing restrictions[minimum_amount]";
    throw invalidRequest(message, { param: "restrictions[minimum_amount_currency]" });
  }
  return {
    ...(currency_options === undefined ? {} : { currency_options: minimumsOf(currency_options) }),
    first_time_transaction,
    minimum_amount: minimum_amount ?? null,
    minimum_amount_currency: minimum_amount_currency ?? null,
  };
}

type Minimums = Record<string, Stripe.PromotionCode.Restrictions.CurrencyOptions>;

function minimumsOf(params: Readonly<Record<string, { minimum_amount?: number }>>, old: Minimums = {}): Minimums {
  const added = Object.entries(params).map(([code, { minimum_amount = 0 }]) => {
    return [currencyKey(code, "restrictions[currency_options]"), { minimum_amount }] as const;
  });
  return { ...old, ...Object.fromEntries(added) };
}

/** `active` as of now: a code ends by itself, with its uses or with its coupon. */
export function activeNow(tx: Transaction, promotionCode: Stripe.PromotionCode): Stripe.PromotionCode {
  const { active, expires_at, promotion } = promotionCode;
  if (!active) return promotionCode;
  const coupon = tx.find("coupon", idOf(promotion.coupon) ?? "");
  const over = expires_at !== null && expires_at < tx.now;
  return over || coupon === undefined || !validNow(tx, coupon).valid
    ? { ...promotionCode, active: false }
    : promotionCode;
}

export function retrievePromotionCode(tx: Transaction, id: string): Stripe.PromotionCode {
  return activeNow(tx, named(tx, "promotion_code", id, "promotion_code"));
}

export function updatePromotionCode(
  tx: Transaction,
  id: string,
  params: Stripe.PromotionCodeUpdateParams,
): Stripe.PromotionCode {
  const old = retrievePromotionCode(tx, id);
  if (params.active === true && !old.active) refuseActivation(tx, old);
  const minimums = params.restrictions?.currency_options;
  const { restrictions } = old;
  const after = {
    ...old,
    active: params.active ?? old.active,
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    restrictions:
      minimums === undefined
        ? restrictions
        : { ...restrictions, currency_options: minimumsOf(minimums, restrictions.currency_options) },
  };
  return equal(old, after) ? old : tx.change("promotion_code", after, "promotion_code.updated");
}

function refuseActivation(tx: Transaction, code: Stripe.PromotionCode): void {
  const usedUp = code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions;
  if (usedUp || !activeNow(tx, { ...code, active: true }).active) {
    throw invalidRequest(
      "This promotion code cannot be activated: it has expired, it is used up, or its coupon is invalid.",
      {
        param: "active",
      },
    );
  }
  refuseTaken(tx, code.code, idOf(code.customer), code.id);
}

export function listPromotionCodes(tx: Transaction, params: Stripe.PromotionCodeListParams): object {
  const { active, code, coupon, customer } = params;
  if (coupon !== undefined) tx.get("coupon", coupon, "coupon");
  const codes = tx
    .all("promotion_code")
    .map((each) => activeNow(tx, each))
    .filter(
      (each) =>
        (active === undefined || each.active === active) &&
        (code === undefined || each.code.toLowerCase() === code.toLowerCase()) &&
        (coupon === undefined || idOf(each.promotion.coupon) === coupon) &&
        (customer === undefined || idOf(each.customer) === customer),
    );
  return listOf(codes, "/v1/promotion_codes", params);
}

/** What somebody wants to redeem: a coupon's id or a promotion code's id; `amount` where a code has a minimum. */
export interface Redemption {
  coupon?: string | null | undefined;
  promotion_code?: string | null | undefined;
  amount?: number | undefined;
  currency?: string | undefined;
}

/**
 * The coupon that may be redeemed now, for that customer. `at`: what stands before the parameters' names in an error,
 * such as "discounts[0]".
 * @throws StripeFailure 400: no such coupon or code (resource_missing), expired (coupon_expired), used up, not for them
 */
export function redeemable(tx: Transaction, wanted: Redemption, customer: string | null, at = ""): Stripe.Coupon {
  const param = (name: string) => (at === "" ? name : `${at}[${name}]`);
  const { coupon, promotion_code } = wanted;
  if (typeof promotion_code === "string" && promotion_code !== "") {
    const code = tx.find("promotion_code", promotion_code);
    if (code === undefined) throw noSuch("promotion_code", promotion_code, param("promotion_code"));
    checkCode(tx, code, wanted, customer, param("promotion_code"));
    return goodCoupon(tx, idOf(code.promotion.coupon) ?? "", param("promotion_code"));
  }
  return goodCoupon(tx, coupon ?? "", param("coupon"));
}

function goodCoupon(tx: Transaction, id: string, param: string): Stripe.Coupon {
  const coupon = tx.find("coupon", id);
  if (coupon === undefined) throw noSuch("coupon", id, param);
  if (!validNow(tx, coupon).valid) {
    const usedUp = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
    const message = usedUp ? `Coupon ${id} is used up and cannot be applied.` : `Coupon expired: ${id}`;
    throw invalidRequest(message, { param, code: "coupon_expired" });
  }
  return coupon;
}

function checkCode(
  tx: Transaction,
  code: Stripe.PromotionCode,
  { amount, currency }: Redemption,
  customer: string | null,
  param: string,
): void {
  if (!activeNow(tx, code).active) {
    throw invalidRequest(`The promotion code \`${code.code}\` is expired or inactive.`, {
      param,
      code: "coupon_expired",
    });
  }
  const owner = idOf(code.customer);
  if (owner !== null && owner !== customer) {
    throw invalidRequest("This promotion code cannot be redeemed by this customer.", { param });
  }
  const { restrictions } = code;
  if (restrictions.first_time_transaction && customer !== null && hasBought(tx, customer)) {
    const message = "This promotion code cannot be redeemed because the associated customer has prior transactions.";
    throw invalidRequest(message, { param });
  }
  const minimum = minimumIn(restrictions, currency);
  if (amount !== undefined && minimum !== undefined && amount < minimum) {
    throw invalidRequest("This promotion code cannot be redeemed because the order is below its minimum amount.", {
      param,
    });
  }
}

function minimumIn(
  { currency_options, minimum_amount, minimum_amount_currency }: Stripe.PromotionCode.Restrictions,
  currency: string | undefined,
): number | undefined {
  if (currency === undefined) return undefined;
  if (currency === minimum_amount_currency) return minimum_amount ?? undefined;
  return currency_options?.[currency]?.minimum_amount;
}

/** An open invoice counts, although it is not paid. */
function hasBought(tx: Transaction, customer: string): boolean {
  const hasCharge = tx
    .all("charge")
    .some((charge) => idOf(charge.customer) === customer && charge.status === "succeeded");
  const counts = (status: string | null) => status !== null && ["open", "paid", "uncollectible"].includes(status);
  return (
    hasCharge || tx.all("invoice").some((invoice) => idOf(invoice.customer) === customer && counts(invoice.status))
  );
}

/** One more redemption of the code and of its coupon. */
export function redeemCode(tx: Transaction, id: string): void {
  const code = tx.get("promotion_code", id, "promotion_code");
  redeemCoupon(tx, idOf(code.promotion.coupon) ?? "");
  const times_redeemed = code.times_redeemed + 1;
  const active = code.active && (code.max_redemptions === null || times_redeemed < code.max_redemptions);
  tx.change("promotion_code", { ...code, times_redeemed, active }, "promotion_code.updated");
}
