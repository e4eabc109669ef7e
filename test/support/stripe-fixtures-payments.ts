// Payments and what they are made with: intents, charges, refunds, disputes, checkout sessions, methods. Old and new shapes, written by hand.
import type { StripeObject } from "../../src/projections/observation.ts";
import { BEGIN, build, DAY, list, type Overrides } from "./stripe-fixtures.ts";

export function oldPaymentIntent(overrides: Overrides = {}): StripeObject {
  const charges = list("/v1/charges?payment_intent=pi_1", oldCharge());
  return build({ ...PAYMENT_INTENT, charges, invoice: "in_1", source: null, ...succeeded(overrides) }, overrides);
}

export function newPaymentIntent(overrides: Overrides = {}): StripeObject {
  const fields = { latest_charge: "ch_1", customer_account: null, automatic_payment_methods: null, processing: null };
  return build({ ...PAYMENT_INTENT, ...fields, ...succeeded(overrides) }, overrides);
}

function succeeded(overrides: Overrides): Overrides {
  return (overrides.status ?? "succeeded") === "succeeded" ? { amount_received: 3100 } : {};
}

const PAYMENT_INTENT: StripeObject = {
  id: "pi_1",
  object: "payment_intent",
  amount: 3100,
  amount_capturable: 0,
  amount_received: 0,
  application_fee_amount: 310,
  canceled_at: null,
  cancellation_reason: null,
  capture_method: "automatic",
  confirmation_method: "automatic",
  created: BEGIN + 60,
  currency: "usd",
  customer: "cus_1",
  description: null,
  last_payment_error: null,
  livemode: false,
  metadata: { order: "42" },
  next_action: null,
  on_behalf_of: null,
  payment_method: "pm_1",
  payment_method_types: ["card"],
  receipt_email: null,
  setup_future_usage: null,
  status: "succeeded",
  transfer_data: { destination: "acct_2" },
};

/** What an intent says after a declined card, in either shape. */
export function declined(charge: string): Overrides {
  const error = {
    charge,
    code: "card_declined",
    decline_code: "insufficient_funds",
    message: "Your card has insufficient funds.",
  };
  return {
    status: "requires_payment_method",
    payment_method: null,
    last_payment_error: { ...error, type: "card_error", payment_method: { id: "pm_1", object: "payment_method" } },
  };
}

export function oldCharge(overrides: Overrides = {}): StripeObject {
  const refunds = list("/v1/charges/ch_1/refunds");
  return build({ ...CHARGE, application_fee: null, dispute: null, invoice: "in_1", refunds, source: null }, overrides);
}

export function newCharge(overrides: Overrides = {}): StripeObject {
  return build({ ...CHARGE, failure_balance_transaction: null, radar_options: {} }, overrides);
}

const CHARGE: StripeObject = {
  id: "ch_1",
  object: "charge",
  amount: 3100,
  amount_captured: 3100,
  amount_refunded: 0,
  application_fee_amount: 310,
  balance_transaction: "txn_1",
  billing_details: { address: {}, email: "Ada@example.com", name: "Ada", phone: null },
  captured: true,
  created: BEGIN + 100,
  currency: "usd",
  customer: "cus_1",
  description: null,
  disputed: false,
  failure_code: null,
  failure_message: null,
  livemode: false,
  metadata: {},
  on_behalf_of: null,
  outcome: { network_status: "approved_by_network", reason: null, risk_level: "normal", type: "authorized" },
  paid: true,
  payment_intent: "pi_1",
  payment_method: "pm_1",
  payment_method_details: { card: { brand: "visa", exp_month: 4, exp_year: 2030, last4: "4242" }, type: "card" },
  receipt_email: null,
  receipt_url: "https://pay.stripe.com/receipts/1",
  refunded: false,
  status: "succeeded",
  transfer_data: { amount: null, destination: "acct_2" },
};

export function oldRefund(overrides: Overrides = {}): StripeObject {
  return build(REFUND, overrides);
}

export function newRefund(overrides: Overrides = {}): StripeObject {
  return build({ ...REFUND, destination_details: { card: { type: "refund" }, type: "card" } }, overrides);
}

const REFUND: StripeObject = {
  id: "re_1",
  object: "refund",
  amount: 1000,
  balance_transaction: "txn_2",
  charge: "ch_1",
  created: BEGIN + DAY,
  currency: "usd",
  metadata: {},
  payment_intent: "pi_1",
  reason: "requested_by_customer",
  receipt_number: null,
  source_transfer_reversal: null,
  status: "succeeded",
  transfer_reversal: null,
};

export function oldDispute(overrides: Overrides = {}): StripeObject {
  return build(DISPUTE, overrides);
}

export function newDispute(overrides: Overrides = {}): StripeObject {
  const details = { card: { brand: "visa", network_reason_code: "10.4" }, type: "card" };
  return build({ ...DISPUTE, enhanced_eligibility_types: [], payment_method_details: details }, overrides);
}

const DISPUTE: StripeObject = {
  id: "dp_1",
  object: "dispute",
  amount: 3100,
  balance_transactions: [],
  charge: "ch_1",
  created: BEGIN + 2 * DAY,
  currency: "usd",
  evidence: {},
  evidence_details: { due_by: BEGIN + 9 * DAY, has_evidence: false, past_due: false, submission_count: 0 },
  is_charge_refundable: false,
  livemode: false,
  metadata: {},
  payment_intent: "pi_1",
  reason: "fraudulent",
  status: "needs_response",
};

export function oldCheckoutSession(overrides: Overrides = {}): StripeObject {
  return build({ ...CHECKOUT_SESSION, shipping: null }, overrides);
}

export function newCheckoutSession(overrides: Overrides = {}): StripeObject {
  const fields = { customer_account: null, invoice: null, collected_information: null, ui_mode: "hosted_page" };
  return build({ ...CHECKOUT_SESSION, ...fields }, overrides);
}

const CHECKOUT_SESSION: StripeObject = {
  id: "cs_test_1",
  object: "checkout.session",
  after_expiration: null,
  amount_subtotal: 3000,
  amount_total: 3100,
  client_reference_id: "account-7",
  created: BEGIN,
  currency: "usd",
  customer: "cus_1",
  customer_details: { email: "Ada@example.com", name: "Ada", phone: null, tax_exempt: "none", tax_ids: [] },
  customer_email: null,
  expires_at: BEGIN + DAY,
  livemode: false,
  metadata: { pack: "pack_1" },
  mode: "payment",
  payment_intent: "pi_1",
  payment_link: null,
  payment_status: "paid",
  recovered_from: null,
  setup_intent: null,
  status: "complete",
  subscription: null,
  success_url: "https://example.com/thanks",
};

export function oldSetupIntent(overrides: Overrides = {}): StripeObject {
  return build({ ...SETUP_INTENT }, overrides);
}

export function newSetupIntent(overrides: Overrides = {}): StripeObject {
  return build(
    { ...SETUP_INTENT, automatic_payment_methods: { enabled: true }, customer_account: null, flow_directions: null },
    overrides,
  );
}

const SETUP_INTENT: StripeObject = {
  id: "seti_1",
  object: "setup_intent",
  application: null,
  cancellation_reason: null,
  created: BEGIN,
  customer: "cus_1",
  description: null,
  last_setup_error: null,
  latest_attempt: "setatt_1",
  livemode: false,
  mandate: null,
  metadata: {},
  next_action: null,
  on_behalf_of: null,
  payment_method: "pm_1",
  payment_method_types: ["card"],
  status: "succeeded",
  usage: "off_session",
};

export function oldPaymentMethod(overrides: Overrides = {}): StripeObject {
  return build(PAYMENT_METHOD, overrides);
}

export function newPaymentMethod(overrides: Overrides = {}): StripeObject {
  return build({ ...PAYMENT_METHOD, allow_redisplay: "unspecified", customer_account: null }, overrides);
}

const PAYMENT_METHOD: StripeObject = {
  id: "pm_1",
  object: "payment_method",
  billing_details: { address: {}, email: "Ada@example.com", name: "Ada", phone: null },
  card: {
    brand: "visa",
    country: "US",
    exp_month: 4,
    exp_year: 2030,
    fingerprint: "F1",
    funding: "credit",
    last4: "4242",
  },
  created: BEGIN,
  customer: "cus_1",
  livemode: false,
  metadata: {},
  type: "card",
};

/** A legacy card. */
export function oldCard(overrides: Overrides = {}): StripeObject {
  return build(CARD, overrides);
}

export function newCard(overrides: Overrides = {}): StripeObject {
  return build({ ...CARD, regulated_status: "unregulated", allow_redisplay: "unspecified" }, overrides);
}

const CARD: StripeObject = {
  id: "card_1",
  object: "card",
  brand: "Visa",
  country: "US",
  customer: "cus_1",
  cvc_check: "pass",
  exp_month: 4,
  exp_year: 2030,
  fingerprint: "F1",
  funding: "credit",
  last4: "4242",
  metadata: {},
  name: "Ada",
  tokenization_method: null,
};
