// Discounts: a coupon at work, for a customer, a subscription, an invoice or one of its lines.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { redeemCoupon } from "./coupon.ts";
import { monthsAfter } from "./given.ts";
import { redeemCode } from "./promotion-code.ts";

export interface NewDiscount {
  /** Found good by `redeemable`. With a promotion code it is that code's. */
  coupon?: string | Stripe.Coupon | null | undefined;
  promotion_code?: string | null | undefined;
  customer: string | null;
  subscription?: string | null | undefined;
  subscription_item?: string | null | undefined;
  invoice?: string | null | undefined;
  invoice_item?: string | null | undefined;
  checkout_session?: string | null | undefined;
  /** Unix seconds; now when left out. */
  start?: number | undefined;
}

/**
 * Redeems the coupon (or the code) and keeps the discount; raises customer.discount.created when a customer or a
 * subscription has it, which for one invoice or line nobody hears of.
 */
export function createDiscount(tx: Transaction, wanted: NewDiscount): Stripe.Discount {
  const discount = newDiscount(tx, wanted);
  const ofOneBill = discount.invoice !== null || discount.invoice_item !== null;
  if (discount.customer !== null && !ofOneBill) tx.raise("customer.discount.created", discount);
  return discount;
}

/** The same without the event. */
export function newDiscount(tx: Transaction, wanted: NewDiscount): Stripe.Discount {
  const coupon = couponFor(tx, wanted);
  const start = wanted.start ?? tx.now;
  const months = coupon.duration === "repeating" ? coupon.duration_in_months : null;
  const discount = blank("discount", {
    id: tx.newId("discount"),
    checkout_session: wanted.checkout_session ?? null,
    customer: wanted.customer,
    end: months === null ? null : monthsAfter(start, months),
    invoice: wanted.invoice ?? null,
    invoice_item: wanted.invoice_item ?? null,
    promotion_code: wanted.promotion_code ?? null,
    source: { coupon: coupon.id, type: "coupon" },
    start,
    subscription: wanted.subscription ?? null,
    subscription_item: wanted.subscription_item ?? null,
  }) as unknown as Stripe.Discount;
  tx.put("discount", discount);
  if (typeof wanted.promotion_code === "string") redeemCode(tx, wanted.promotion_code);
  else redeemCoupon(tx, coupon.id);
  return discount;
}

function couponFor(tx: Transaction, { coupon, promotion_code }: NewDiscount): Stripe.Coupon {
  if (typeof promotion_code === "string") {
    const code = tx.get("promotion_code", promotion_code, "promotion_code");
    return tx.get("coupon", idOf(code.promotion.coupon) ?? "", "promotion_code");
  }
  return tx.get("coupon", idOf(coupon) ?? "", "coupon");
}

/** Takes the discount away, and raises customer.discount.deleted. Returns what the API answers. */
export function endDiscount(tx: Transaction, discount: Stripe.Discount): Stripe.DeletedDiscount {
  tx.remove("discount", discount.id);
  tx.raise("customer.discount.deleted", discount);
  const { end: _end, deleted: _deleted, ...rest } = discount;
  return { ...rest, deleted: true };
}
