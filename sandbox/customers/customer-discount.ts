// The discount that a customer has on everything, kept inside the customer as Stripe shows it.
import type Stripe from "stripe";
import { endDiscount, newDiscount } from "../catalogue/discount.ts";
import { redeemable } from "../catalogue/promotion-code.ts";
import { noSuch } from "../core/errors.ts";
import type { DueWork } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

/** Parameters of older versions; '' takes the discount away. */
export interface DiscountParams {
  coupon?: string | null;
  promotion_code?: string | null;
}

/** The customer's discount now; null when there is none, or it is over. */
export function discountOf(tx: Transaction, customer: string | { id: string } | null): Stripe.Discount | null {
  const discount = tx.find("customer", idOf(customer) ?? "")?.discount ?? null;
  return discount !== null && discount.end !== null && discount.end <= tx.atTimeOf(customer).now ? null : discount;
}

/**
 * The customer's discount after a call, kept with its coupon redeemed. Raises nothing: `raiseDiscount` does, once the
 * customer is kept. undefined: the call says nothing of it.
 */
export function discountFrom(
  tx: Transaction,
  customer: string,
  { coupon, promotion_code }: DiscountParams,
): Stripe.Discount | null | undefined {
  if (coupon === undefined && promotion_code === undefined) return undefined;
  const wanted = {
    coupon: coupon === "" ? null : coupon,
    promotion_code: promotion_code === "" ? null : promotion_code,
  };
  if (!wanted.coupon && !wanted.promotion_code) return null;
  const found = redeemable(tx, wanted, customer);
  return newDiscount(tx, { ...wanted, coupon: found, customer });
}

/** Tells that a customer got a discount, has another, or has none any more. */
export function raiseDiscount(tx: Transaction, before: Stripe.Discount | null, after: Stripe.Discount | null): void {
  if (before === null && after !== null) tx.raise("customer.discount.created", after);
  else if (before !== null && after !== null) {
    tx.remove("discount", before.id);
    tx.raise("customer.discount.updated", after, before);
  } else if (before !== null) endDiscount(tx, before);
}

/** Takes the customer's discount away: asked for, or because a coupon that counts once was used. */
export function deleteCustomerDiscount(tx: Transaction, customer: string): Stripe.DeletedDiscount {
  const owner = tx.get("customer", customer);
  const discount = owner.discount ?? null;
  if (discount === null) throw noSuch("discount", customer);
  return removeDiscount(tx.atTimeOf(customer), owner, discount);
}

function removeDiscount(tx: Transaction, owner: Stripe.Customer, discount: Stripe.Discount): Stripe.DeletedDiscount {
  const deleted = endDiscount(tx, discount);
  tx.change("customer", { ...owner, discount: null }, "customer.updated");
  return deleted;
}

/** Discounts whose months are over leave their customers. */
export const discountsEnd: DueWork = {
  next: (tx, clock) => {
    const ends = discounted(tx, clock).map(({ end }) => end);
    return ends.length === 0 ? undefined : Math.min(...ends);
  },
  run: (tx, clock) => {
    for (const { owner, discount, end } of discounted(tx, clock))
      if (end <= tx.now) removeDiscount(tx, owner, discount);
  },
};

interface Discounted {
  owner: Stripe.Customer;
  discount: Stripe.Discount;
  /** Unix seconds. */
  end: number;
}

function discounted(tx: Transaction, clock: string | null): Discounted[] {
  return tx.all("customer").flatMap((owner) => {
    const { discount = null } = owner;
    const end = discount?.end ?? null;
    if (discount === null || end === null || idOf(owner.test_clock) !== clock) return [];
    return [{ owner, discount, end }];
  });
}
