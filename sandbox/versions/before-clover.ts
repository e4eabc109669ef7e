// What 2025-09-30.clover changed: coupons moved into a discount's `source` and a promotion code's `promotion`.
import type Stripe from "stripe";

import { knownCoupon } from "../catalogue/coupon.ts";
import type { Known } from "./known.ts";
import { change, type Fields, type VersionChange, without } from "./version-change.ts";

const CLOVER = "2025-09-30.clover";

/** Came while clover was the newest version; 2025-08-27.basil has it nowhere. */
const WITH_CUSTOMER_ACCOUNT = [
  "billing_portal.session",
  "cash_balance",
  "checkout.session",
  "credit_note",
  "customer",
  "customer_balance_transaction",
  "customer_cash_balance_transaction",
  "discount",
  "invoice",
  "invoiceitem",
  "payment_intent",
  "payment_method",
  "promotion_code",
  "quote",
  "refund",
  "setup_attempt",
  "setup_intent",
  "subscription",
  "subscription_schedule",
  "tax_id",
];

export const cloverChanges: readonly VersionChange[] = [
  change(CLOVER, WITH_CUSTOMER_ACCOUNT, withoutAccount),
  change(CLOVER, "discount", (discount: Stripe.Discount, known) => {
    const { source, ...rest } = discount;
    const coupon = source.coupon === null ? null : couponIn(known, source.coupon);
    return { ...rest, coupon };
  }),
  change(CLOVER, "promotion_code", (code: Stripe.PromotionCode, known) => {
    const { promotion, ...rest } = code;
    return { ...rest, coupon: promotion.coupon === null ? null : couponIn(known, promotion.coupon) };
  }),
];

function withoutAccount(object: Fields): Fields {
  const { owner } = object;
  const older = "customer_account" in object ? without(object, "customer_account") : object;
  // A tax id names its owner in a part of its own.
  return typeof owner === "object" && owner !== null ? { ...older, owner: without(owner, "customer_account") } : older;
}

/** Whole, as older shapes have it; one that is deleted stays in what it gave. */
function couponIn(known: Known, coupon: string | Stripe.Coupon): Stripe.Coupon | null {
  if (typeof coupon === "object") return coupon;
  return known.find("coupon", coupon) ?? knownCoupon(known.tx, coupon);
}
