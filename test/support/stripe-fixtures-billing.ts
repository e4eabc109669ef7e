// Customers, subscriptions, invoices and the catalogue, in the shapes of 2020-08-27 (old) and 2026-10-28 (new). Written by hand.
import type { StripeObject } from "../../src/projections/observation.ts";
import { BEGIN, build, DAY, list, type Overrides } from "./stripe-fixtures.ts";

const PERIOD = { start: BEGIN, end: BEGIN + 30 * DAY };

export function oldCustomer(overrides: Overrides = {}): StripeObject {
  return build({ ...CUSTOMER, sources: list("/v1/customers/cus_1/sources"), account_balance: undefined }, overrides);
}

export function newCustomer(overrides: Overrides = {}): StripeObject {
  return build({ ...CUSTOMER, customer_account: null, invoice_credit_balance: {} }, overrides);
}

const CUSTOMER: StripeObject = {
  id: "cus_1",
  object: "customer",
  address: null,
  balance: 0,
  created: BEGIN,
  currency: "usd",
  default_source: null,
  delinquent: false,
  description: null,
  discount: null,
  email: "Ada@example.com",
  invoice_prefix: "0A1B2C3D",
  invoice_settings: { custom_fields: null, default_payment_method: "pm_1", footer: null },
  livemode: false,
  metadata: { account: "7" },
  name: "Ada",
  phone: null,
  preferred_locales: [],
  shipping: null,
  tax_exempt: "none",
};

export function price(overrides: Overrides = {}): StripeObject {
  return build(
    {
      id: "price_1",
      object: "price",
      active: true,
      billing_scheme: "per_unit",
      created: BEGIN - DAY,
      currency: "usd",
      livemode: false,
      lookup_key: null,
      metadata: {},
      nickname: null,
      product: "prod_1",
      recurring: { interval: "month", interval_count: 1, trial_period_days: null, usage_type: "licensed" },
      tax_behavior: "unspecified",
      tiers_mode: null,
      transform_quantity: null,
      type: "recurring",
      unit_amount: 1500,
      unit_amount_decimal: "1500",
    },
    overrides,
  );
}

export function oldPrice(overrides: Overrides = {}): StripeObject {
  const recurring = {
    aggregate_usage: null,
    interval: "month",
    interval_count: 1,
    trial_period_days: null,
    usage_type: "licensed",
  };
  return price({ recurring, ...overrides });
}

export function newPrice(overrides: Overrides = {}): StripeObject {
  const recurring = {
    interval: "month",
    interval_count: 1,
    meter: null,
    trial_period_days: null,
    usage_type: "licensed",
  };
  return price({ recurring, custom_unit_amount: null, ...overrides });
}

export function oldPlan(overrides: Overrides = {}): StripeObject {
  return build({ ...PLAN, aggregate_usage: null }, overrides);
}

export function newPlan(overrides: Overrides = {}): StripeObject {
  return build({ ...PLAN, meter: null }, overrides);
}

const PLAN: StripeObject = {
  id: "price_1",
  object: "plan",
  active: true,
  amount: 1500,
  amount_decimal: "1500",
  billing_scheme: "per_unit",
  created: BEGIN - DAY,
  currency: "usd",
  interval: "month",
  interval_count: 1,
  livemode: false,
  metadata: {},
  nickname: null,
  product: "prod_1",
  tiers_mode: null,
  transform_usage: null,
  trial_period_days: null,
  usage_type: "licensed",
};

export function oldProduct(overrides: Overrides = {}): StripeObject {
  return build({ ...PRODUCT, attributes: [], type: "service" }, overrides);
}

export function newProduct(overrides: Overrides = {}): StripeObject {
  return build(
    { ...PRODUCT, default_price: null, marketing_features: [], tax_details: null, type: "service" },
    overrides,
  );
}

const PRODUCT: StripeObject = {
  id: "prod_1",
  object: "product",
  active: true,
  created: BEGIN - DAY,
  description: "All of it",
  images: [],
  livemode: false,
  metadata: {},
  name: "Everything",
  package_dimensions: null,
  shippable: null,
  statement_descriptor: null,
  tax_code: null,
  unit_label: null,
  updated: BEGIN - DAY,
  url: null,
};

const ITEM: StripeObject = {
  id: "si_1",
  object: "subscription_item",
  billing_thresholds: null,
  created: BEGIN,
  metadata: {},
  quantity: 2,
  subscription: "sub_1",
  tax_rates: [],
};

export function oldSubscription(overrides: Overrides = {}): StripeObject {
  const item = { ...ITEM, plan: oldPlan(), price: oldPrice() };
  return build(
    {
      ...SUBSCRIPTION,
      current_period_end: PERIOD.end,
      current_period_start: PERIOD.start,
      discount: null,
      items: list("/v1/subscription_items?subscription=sub_1", item),
      plan: oldPlan(),
      quantity: 2,
    },
    overrides,
  );
}

export function newSubscription(overrides: Overrides = {}): StripeObject {
  const item = {
    ...ITEM,
    current_period_end: PERIOD.end,
    current_period_start: PERIOD.start,
    discounts: [],
    plan: newPlan(),
    price: newPrice(),
  };
  return build(
    {
      ...SUBSCRIPTION,
      billing_mode: { type: "flexible" },
      cancellation_details: { comment: null, feedback: null, reason: null },
      currency: "usd",
      customer_account: null,
      discounts: [],
      items: list("/v1/subscription_items?subscription=sub_1", item),
      on_behalf_of: null,
    },
    overrides,
  );
}

const SUBSCRIPTION: StripeObject = {
  id: "sub_1",
  object: "subscription",
  application_fee_percent: 12.5,
  billing_cycle_anchor: BEGIN,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  collection_method: "charge_automatically",
  created: BEGIN,
  customer: "cus_1",
  days_until_due: null,
  default_payment_method: "pm_1",
  default_source: null,
  default_tax_rates: [],
  ended_at: null,
  latest_invoice: "in_1",
  livemode: false,
  metadata: { seat: "window" },
  pause_collection: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  start_date: BEGIN,
  status: "active",
  transfer_data: null,
  trial_end: null,
  trial_start: null,
};

export function oldInvoice(overrides: Overrides = {}): StripeObject {
  const line = {
    ...LINE,
    plan: oldPlan(),
    price: oldPrice(),
    proration: false,
    subscription: "sub_1",
    subscription_item: "si_1",
    type: "subscription",
  };
  const paid = overrides.status === "paid";
  return build(
    {
      ...INVOICE,
      charge: "ch_1",
      discount: null,
      lines: list("/v1/invoices/in_1/lines", line),
      paid,
      paid_out_of_band: false,
      payment_intent: "pi_1",
      subscription: "sub_1",
      subscription_details: { metadata: {} },
      tax: 100,
      total_tax_amounts: [{ amount: 100, inclusive: false, tax_rate: "txr_1" }],
      application_fee_amount: null,
      transfer_data: null,
    },
    overrides,
  );
}

export function newInvoice(overrides: Overrides = {}): StripeObject {
  const line = {
    ...LINE,
    parent: {
      invoice_item_details: null,
      subscription_item_details: { proration: false, subscription: "sub_1", subscription_item: "si_1" },
      type: "subscription_item_details",
    },
    pricing: {
      price_details: { price: "price_1", product: "prod_1" },
      type: "price_details",
      unit_amount_decimal: "1500",
    },
    taxes: [],
  };
  return build(
    {
      ...INVOICE,
      amount_overpaid: 0,
      customer_account: null,
      lines: list("/v1/invoices/in_1/lines", line),
      parent: {
        quote_details: null,
        subscription_details: { metadata: {}, subscription: "sub_1" },
        type: "subscription_details",
      },
      total_taxes: [{ amount: 100, tax_behavior: "exclusive", type: "tax_rate_details" }],
    },
    overrides,
  );
}

const LINE: StripeObject = {
  id: "il_1",
  object: "line_item",
  amount: 3000,
  currency: "usd",
  description: "2 × Everything",
  discount_amounts: [],
  discounts: [],
  livemode: false,
  metadata: {},
  period: PERIOD,
  quantity: 2,
};

const INVOICE: StripeObject = {
  id: "in_1",
  object: "invoice",
  account_country: "US",
  amount_due: 3100,
  amount_paid: 0,
  amount_remaining: 3100,
  attempt_count: 0,
  attempted: false,
  auto_advance: true,
  billing_reason: "subscription_cycle",
  collection_method: "charge_automatically",
  created: BEGIN,
  currency: "usd",
  customer: "cus_1",
  customer_email: "Ada@example.com",
  customer_name: "Ada",
  default_payment_method: null,
  description: null,
  discounts: [],
  due_date: null,
  hosted_invoice_url: "https://invoice.stripe.com/i/acct_1/test_1",
  invoice_pdf: "https://pay.stripe.com/invoice/acct_1/test_1/pdf",
  livemode: false,
  metadata: {},
  next_payment_attempt: BEGIN + 3600,
  number: "0A1B2C3D-0001",
  on_behalf_of: null,
  period_end: PERIOD.end,
  period_start: PERIOD.start,
  status: "open",
  status_transitions: { finalized_at: BEGIN + 60, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  subtotal: 3000,
  total: 3100,
  total_discount_amounts: [],
};

/** What a paid invoice says, in either shape. */
export const PAID: Overrides = {
  status: "paid",
  amount_paid: 3100,
  amount_remaining: 0,
  attempt_count: 1,
  attempted: true,
  next_payment_attempt: null,
  status_transitions: {
    finalized_at: BEGIN + 60,
    marked_uncollectible_at: null,
    paid_at: BEGIN + 120,
    voided_at: null,
  },
};

/** Exists in new shapes only. */
export function invoicePayment(overrides: Overrides = {}): StripeObject {
  return build(
    {
      id: "inpay_1",
      object: "invoice_payment",
      amount_paid: 3100,
      amount_requested: 3100,
      created: BEGIN + 60,
      currency: "usd",
      invoice: "in_1",
      is_default: true,
      livemode: false,
      payment: { payment_intent: "pi_1", type: "payment_intent" },
      status: "paid",
      status_transitions: { canceled_at: null, paid_at: BEGIN + 120 },
    },
    overrides,
  );
}
