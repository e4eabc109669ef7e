// Discounts in every API version: one `discount` with its coupon, a list of `discounts`, and since 2025-09-30 `source.coupon`. Pure.
import { array, at, firstIn, firstOf, isObject, type Read, reference, type StripeObject } from "./read-values.ts";

/** Of a discount object. One that has neither place is of a shape that we do not know. */
export function discountCoupon(discount: StripeObject): Read<string> {
  if (!("coupon" in discount) && !("source" in discount)) return undefined;
  return firstOf(reference(discount.coupon), reference(at(discount, "source", "coupon")));
}

/**
 * The coupon of the first discount on a customer, subscription or invoice.
 *
 * null also where the discounts are mere ids, as in webhooks of new versions: only a fetched, expanded object tells then.
 */
export function couponOf(object: StripeObject): Read<string> {
  const several = array(object.discounts);
  return firstIn([
    couponBehind(object.discount),
    several === undefined ? undefined : null,
    ...(several ?? []).map(couponBehind),
  ]);
}

function couponBehind(discount: unknown): Read<string> {
  if (isObject(discount)) return discountCoupon(discount);
  return discount === undefined || reference(discount) !== undefined ? null : undefined;
}

/** The discount itself; shapes before 2020-08-27 give it no id. */
export function discountOf(object: StripeObject): Read<string> {
  const single = object.discount;
  const own = isObject(single) && single.id === undefined ? null : reference(single);
  return firstIn([own, ...(array(object.discounts) ?? []).map(reference)]);
}
