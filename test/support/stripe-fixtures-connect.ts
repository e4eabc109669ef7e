// Connected accounts, their capabilities and payouts, in old and new shapes. Written by hand.
import type { StripeObject } from "../../src/projections/observation.ts";
import { BEGIN, build, DAY, type Overrides } from "./stripe-fixtures.ts";

export function oldAccount(overrides: Overrides = {}): StripeObject {
  return build({ ...ACCOUNT, requirements: REQUIREMENTS }, overrides);
}

export function newAccount(overrides: Overrides = {}): StripeObject {
  return build(
    {
      ...ACCOUNT,
      controller: { stripe_dashboard: { type: "full" }, type: "application" },
      requirements: { ...REQUIREMENTS, alternatives: [] },
    },
    overrides,
  );
}

const REQUIREMENTS: StripeObject = {
  current_deadline: BEGIN + 7 * DAY,
  currently_due: ["external_account"],
  disabled_reason: null,
  errors: [],
  eventually_due: ["external_account"],
  past_due: [],
  pending_verification: [],
};

const ACCOUNT: StripeObject = {
  id: "acct_1",
  object: "account",
  business_profile: { name: "Ada's shop", url: null },
  business_type: "company",
  capabilities: { card_payments: "active", transfers: "active" },
  charges_enabled: true,
  country: "US",
  created: BEGIN,
  default_currency: "usd",
  details_submitted: true,
  email: "shop@example.com",
  metadata: {},
  payouts_enabled: true,
  type: "standard",
};

export function oldCapability(overrides: Overrides = {}): StripeObject {
  const requirements = { ...REQUIREMENTS, errors: undefined };
  return build({ ...CAPABILITY, requirements: build(requirements, {}) }, overrides);
}

export function newCapability(overrides: Overrides = {}): StripeObject {
  const requirements = { ...REQUIREMENTS, alternatives: [] };
  return build({ ...CAPABILITY, requirements, future_requirements: { currently_due: [] } }, overrides);
}

const CAPABILITY: StripeObject = {
  id: "card_payments",
  object: "capability",
  account: "acct_1",
  requested: true,
  requested_at: BEGIN,
  status: "active",
};

/** The object of account.application.* events. */
export function application(overrides: Overrides = {}): StripeObject {
  return build({ id: "ca_1", object: "application", name: "Our platform" }, overrides);
}

export function oldPayout(overrides: Overrides = {}): StripeObject {
  return build(PAYOUT, overrides);
}

export function newPayout(overrides: Overrides = {}): StripeObject {
  return build(
    { ...PAYOUT, application_fee: null, payout_method: null, reconciliation_status: "completed", trace_id: null },
    overrides,
  );
}

const PAYOUT: StripeObject = {
  id: "po_1",
  object: "payout",
  amount: 2500,
  arrival_date: BEGIN + 2 * DAY,
  automatic: true,
  balance_transaction: "txn_9",
  created: BEGIN,
  currency: "usd",
  description: "STRIPE PAYOUT",
  destination: "ba_1",
  failure_balance_transaction: null,
  failure_code: null,
  failure_message: null,
  livemode: false,
  metadata: {},
  method: "standard",
  original_payout: null,
  reversed_by: null,
  source_type: "card",
  statement_descriptor: null,
  status: "paid",
  type: "bank_account",
};
