// Parameters that the newest types no longer have, and that Stripe still takes from older callers such as its CLI.
import type { TypeNode } from "./shapes.ts";

const TEXT = "string";
/** An empty coupon takes the discount away. */
const COUPON = { coupon: { emptyable: TEXT }, promotion_code: { emptyable: TEXT } } as const;
/** What Stripe's scripts in browsers confirm with. */
const SECRET = { client_secret: TEXT } as const;
const METHOD_TYPES = { payment_method_types: { array: TEXT } } as const;
/** A word alone until 2026. */
const ANCHOR = { "billing_cycle_anchor=now": TEXT, "billing_cycle_anchor=unchanged": TEXT } as const;
const PHASES = { "phases.iterations": "number", "phases.coupon": TEXT } as const;

/** By route, then by path (`items.price`); `path=word` is one more word that an enum or an object takes. */
export const LEGACY_PARAMETERS: Readonly<Record<string, Readonly<Record<string, TypeNode>>>> = {
  "POST /v1/accounts/*/reject": { "reason=fraud": TEXT },
  "POST /v1/checkout/sessions": METHOD_TYPES,
  "POST /v1/customers": COUPON,
  "POST /v1/customers/*": COUPON,
  "POST /v1/invoices/create_preview": {
    "subscription_details.billing_cycle_anchor=now": TEXT,
    "subscription_details.billing_cycle_anchor=unchanged": TEXT,
  },
  "POST /v1/payment_intents": {
    ...METHOD_TYPES,
    source: TEXT,
    // The CLI's fixture of payment_intent.partially_funded says it so.
    "payment_method_options.customer_balance.bank_transfer.type=jp_bank_account": TEXT,
  },
  "POST /v1/payment_intents/*": { ...METHOD_TYPES, source: TEXT },
  "POST /v1/payment_intents/*/confirm": { ...METHOD_TYPES, source: TEXT, ...SECRET },
  "POST /v1/promotion_codes": { coupon: TEXT },
  "POST /v1/setup_intents": METHOD_TYPES,
  "POST /v1/setup_intents/*": METHOD_TYPES,
  "POST /v1/setup_intents/*/confirm": SECRET,
  "POST /v1/subscription_schedules": PHASES,
  "POST /v1/subscription_schedules/*": PHASES,
  "POST /v1/subscriptions": { ...COUPON, prorate: "boolean" },
  "POST /v1/subscriptions/*/resume": ANCHOR,
  "POST /v1/subscriptions/*": { ...COUPON, ...ANCHOR, prorate: "boolean" },
};

/** Parameters that the newest types require, and the older ones that stand for them. */
export const REPLACED_PARAMETERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "POST /v1/promotion_codes": { promotion: "coupon" },
};
