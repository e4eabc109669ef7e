// Discounts of subscriptions and their items: given by coupon, by promotion code or by an earlier discount; and ended.
import type Stripe from "stripe";
import { createDiscount, endDiscount, redeemable } from "../catalogue/promotion-code.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

export interface DiscountInput {
  coupon?: string;
  discount?: string;
  promotion_code?: string;
}

/** Before lists of discounts there was one `coupon` or `promotion_code`; an empty one takes the discounts away. */
export interface LegacyDiscount {
  coupon?: string;
  promotion_code?: string;
}

interface Owner {
  customer: string;
  subscription: string;
  subscription_item?: string;
}

/** What the call says of discounts; undefined when it says nothing. */
export function discountsGiven(
  discounts: Stripe.Emptyable<readonly DiscountInput[]> | undefined,
  { coupon, promotion_code }: LegacyDiscount = {},
): readonly DiscountInput[] | undefined {
  if (discounts !== undefined) return discounts === "" || discounts === null ? [] : discounts;
  if (coupon !== undefined) return coupon === "" ? [] : [{ coupon }];
  if (promotion_code !== undefined) return promotion_code === "" ? [] : [{ promotion_code }];
  return undefined;
}

/** The ids of the discounts that the owner has afterwards. Discounts that are not named again end. */
export function changedDiscounts(
  tx: Transaction,
  old: readonly (string | Stripe.Discount)[],
  inputs: readonly DiscountInput[] | undefined,
  owner: Owner,
): string[] {
  const before = old.flatMap((discount) => idOf(discount) ?? []);
  if (inputs === undefined) return before;
  const after = inputs.map(({ coupon, discount, promotion_code }, place) => {
    if (discount !== undefined) return tx.get("discount", discount, `discounts[${place}][discount]`).id;
    redeemable(tx, { coupon, promotion_code }, owner.customer, `discounts[${place}]`);
    return createDiscount(tx, { coupon, promotion_code, ...owner }).id;
  });
  for (const id of before) if (!after.includes(id)) remove(tx, id);
  return after;
}

function remove(tx: Transaction, id: string): void {
  const discount = tx.find("discount", id);
  if (discount !== undefined) endDiscount(tx, discount);
}

/** Those whose months are not over yet. Those that are over are ended. */
export function lastingDiscounts(tx: Transaction, discounts: readonly (string | Stripe.Discount)[]): string[] {
  return discounts.flatMap((each) => {
    const id = idOf(each) ?? "";
    const discount = tx.find("discount", id);
    if (discount === undefined) return [];
    if (discount.end === null || discount.end > tx.now) return [id];
    endDiscount(tx, discount);
    return [];
  });
}
