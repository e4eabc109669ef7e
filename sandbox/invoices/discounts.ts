// Discounts that a call puts on an invoice, on one of its lines or on an invoice item.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { createDiscount } from "../catalogue/discount.ts";
import { redeemable } from "../catalogue/promotion-code.ts";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";

export type DiscountParameters = Stripe.Emptyable<{ coupon?: string; discount?: string; promotion_code?: string }[]>;

/** The ids of the discounts: those named, and new ones for coupons and codes. An empty text means none. */
export function discountsFrom(
  tx: Transaction,
  wanted: DiscountParameters,
  owner: { customer: string | null; invoice?: string; invoice_item?: string },
  param = "discounts",
): string[] {
  return (given(wanted) ?? []).map(({ coupon, discount, promotion_code }, at) => {
    if (discount !== undefined) return tx.get("discount", discount, `${param}[${at}][discount]`).id;
    if (coupon === undefined && promotion_code === undefined) {
      throw invalidRequest("You must specify one of `coupon`, `discount` or `promotion_code`.", {
        param: `${param}[${at}]`,
      });
    }
    const good = redeemable(tx, { coupon, promotion_code }, owner.customer, `${param}[${at}]`);
    return createDiscount(tx, { coupon: good, promotion_code, ...owner }).id;
  });
}
