// One example of each object that events tell of: what the reference shows. Pure; checked against the schemas by a test.
import type { EventObject, EventObjectName } from "./event-objects.ts";

const DAY_1 = "2026-11-21T09:30:00.000Z";
const DAY_2 = "2026-12-21T09:30:00.000Z";
const CARD = { brand: "visa", last4: "4242", exp_month: 4, exp_year: 2030, funding: "credit", country: "US" };

const customer: EventObject<"customer"> = {
  ...{ id: "cus_TQx1", object: "customer", email: "ada@example.com", name: "Ada Byron", phone: null },
  ...{ description: null, currency: "usd", balance: 0, delinquent: false, default_payment_method_id: "pm_1SVx" },
  ...{ coupon_id: null, tax_exempt: "none", metadata: { plan: "team" }, created_at: DAY_1 },
};

const subscription: EventObject<"subscription"> = {
  ...{ id: "sub_1SVx", object: "subscription", status: "active", customer_id: "cus_TQx1", price_id: "price_1SVx" },
  ...{ product_id: "prod_TQx1", quantity: 1, currency: "usd", current_period_start: DAY_1 },
  ...{ current_period_end: DAY_2, trial_start: null, trial_end: null, start_date: DAY_1, cancel_at: null },
  ...{ cancel_at_period_end: false, cancel_scheduled: false, canceled_at: null, cancellation_reason: null },
  ...{ ended_at: null, pause_behavior: null, pause_resumes_at: null, collection_method: "charge_automatically" },
  ...{ days_until_due: null, latest_invoice_id: "in_1SVx", default_payment_method_id: "pm_1SVx", coupon_id: null },
  ...{ metadata: {}, created_at: DAY_1 },
};

const invoice: EventObject<"invoice"> = {
  ...{ id: "in_1SVx", object: "invoice", status: "open", paid: false, number: "A1B2-0001", currency: "usd" },
  ...{ subtotal: 2000, total: 2000, tax: null, discount_amount: 0, amount_due: 2000, amount_paid: 0 },
  ...{ amount_remaining: 2000, billing_reason: "subscription_cycle", collection_method: "charge_automatically" },
  ...{ auto_advance: true, attempted: true, attempt_count: 1, next_payment_attempt: "2026-11-24T09:30:00.000Z" },
  ...{ customer_id: "cus_TQx1", customer_email: "ada@example.com", customer_name: "Ada Byron" },
  ...{ subscription_id: "sub_1SVx", price_id: "price_1SVx", coupon_id: null, payment_intent_id: "pi_3SVx" },
  ...{ charge_id: null, paid_out_of_band: false, due_date: null, period_start: DAY_1, period_end: DAY_1 },
  ...{ line_period_start: DAY_1, line_period_end: DAY_2 },
  ...{ finalized_at: DAY_1, paid_at: null, voided_at: null, marked_uncollectible_at: null },
  ...{ hosted_invoice_url: "https://invoice.stripe.com/i/1", invoice_pdf: "https://pay.stripe.com/invoice/1/pdf" },
  ...{ application_fee_amount: null, description: null, metadata: {}, created_at: DAY_1 },
};

const payment: EventObject<"payment"> = {
  ...{ id: "pi_3SVx", object: "payment", status: "succeeded", currency: "usd", amount: 2000, amount_received: 2000 },
  ...{ application_fee_amount: null, customer_id: "cus_TQx1", payment_method_id: "pm_1SVx" },
  ...{ latest_charge_id: "ch_3SVx", invoice_id: null, last_payment_error_code: null },
  ...{ last_payment_error_decline_code: null, last_payment_error_message: null, canceled_at: null },
  ...{ cancellation_reason: null, receipt_email: null, description: null, metadata: {}, created_at: DAY_1 },
};

const charge: EventObject<"charge"> = {
  ...{ id: "ch_3SVx", object: "charge", status: "succeeded", currency: "usd", amount: 2000, amount_captured: 2000 },
  ...{ amount_refunded: 0, captured: true, refunded: false, disputed: false, customer_id: "cus_TQx1" },
  ...{ invoice_id: null, failure_code: null, failure_message: null, payment_method_type: "card" },
  ...{ card_brand: "visa", card_last4: "4242", receipt_url: "https://pay.stripe.com/receipts/1" },
  ...{ description: null, metadata: {}, created_at: DAY_1 },
};

const refund: EventObject<"refund"> = {
  ...{ id: "re_3SVx", object: "refund", status: "succeeded", currency: "usd", amount: 500, charge_id: "ch_3SVx" },
  ...{ payment_intent_id: "pi_3SVx", customer_id: null, reason: "requested_by_customer", failure_reason: null },
  ...{ description: null, metadata: {}, created_at: DAY_1 },
};

const dispute: EventObject<"dispute"> = {
  ...{ id: "du_1SVx", object: "dispute", status: "needs_response", reason: "fraudulent", currency: "usd" },
  ...{ amount: 2000, charge_id: "ch_3SVx", payment_intent_id: "pi_3SVx", evidence_due_by: DAY_2 },
  ...{ has_evidence: false, submission_count: 0, network_reason_code: "10.4", metadata: {}, created_at: DAY_1 },
};

const checkoutSession: EventObject<"checkout_session"> = {
  ...{ id: "cs_live_a1", object: "checkout_session", status: "complete", payment_status: "paid", mode: "payment" },
  ...{ currency: "usd", amount_subtotal: 2000, amount_total: 2000, client_reference_id: null },
  ...{ customer_id: "cus_TQx1", customer_email: "ada@example.com", customer_name: "Ada Byron" },
  ...{ payment_intent_id: "pi_3SVx", setup_intent_id: null, subscription_id: null, invoice_id: null },
  ...{ expires_at: "2026-11-22T09:30:00.000Z", metadata: {}, created_at: DAY_1 },
};

const paymentMethod: EventObject<"payment_method"> = {
  ...{ id: "pm_1SVx", object: "payment_method", type: "card", customer_id: "cus_TQx1", ...CARD },
  ...{ metadata: {}, created_at: DAY_1 },
};

const setupIntent: EventObject<"setup_intent"> = {
  ...{ id: "seti_1SVx", object: "setup_intent", status: "succeeded", usage: "off_session", customer_id: "cus_TQx1" },
  ...{ payment_method_id: "pm_1SVx", last_setup_error_code: null, last_setup_error_message: null },
  ...{ cancellation_reason: null, description: null, metadata: {}, created_at: DAY_1 },
};

const payout: EventObject<"payout"> = {
  ...{ id: "po_1SVx", object: "payout", status: "paid", currency: "usd", amount: 100_000, arrival_date: DAY_2 },
  ...{ type: "bank_account", method: "standard", automatic: true, failure_code: null, failure_message: null },
  ...{ description: "STRIPE PAYOUT", metadata: {}, created_at: DAY_1 },
};

const connectedAccount: EventObject<"connected_account"> = {
  ...{ id: "acct_1SVx", object: "connected_account", type: "standard", country: "US", default_currency: "usd" },
  ...{ email: "owner@example.com", business_type: "company", business_name: "Example", charges_enabled: true },
  ...{ payouts_enabled: true, details_submitted: true, disabled_reason: null, current_deadline: null },
  ...{ currently_due: [], past_due: [], capabilities: { card_payments: "active" }, created_at: DAY_1 },
};

const connection: EventObject<"connection"> = {
  ...{ id: "acct_1SVx", object: "connection", status: "active", previous_status: "pending", method: "account_link" },
  ...{ connected_at: DAY_1, disconnected_at: null, disconnected_reason: null },
};

const creditEntry: EventObject<"credit_entry"> = {
  ...{ id: "crd_06a1b2c3d4e5f6g7h8j9k0mnpq", object: "credit_entry", account_id: "acc_06a1b2c3d4e5f6g7h8j9k0mnpq" },
  ...{ kind: "purchase", amount: 1000, balance_after: 1250, reason: "purchase of credits", reference: null },
  ...{ purchase_id: "pur_06a1b2c3d4e5f6g7h8j9k0mnpq", expires_at: null, created_at: DAY_1 },
};

const creditBalance: EventObject<"credit_balance"> = {
  ...{ id: "acc_06a1b2c3d4e5f6g7h8j9k0mnpq", object: "credit_balance", balance: 40, low_threshold: 50 },
  entry_id: "crd_06a1b2c3d4e5f6g7h8j9k0mnpq",
};

const creditTopUp: EventObject<"credit_top_up"> = {
  ...{ id: "pur_06a1b2c3d4e5f6g7h8j9k0mnpq", object: "credit_top_up", account_id: "acc_06a1b2c3d4e5f6g7h8j9k0mnpq" },
  reason: "Your card was declined.",
};

const apiKey: EventObject<"api_key"> = {
  ...{ id: "key_06a1b2c3d4e5f6g7h8j9k0mnpq", object: "api_key", type: "live_secret", last4: "3456" },
  ...{ expires_at: null, revoked_at: null, revoked_reason: null },
};

export const EVENT_EXAMPLES: { readonly [Name in EventObjectName]: EventObject<Name> } = {
  ...{ customer, subscription, invoice, payment, charge, refund, dispute, checkout_session: checkoutSession },
  ...{ payment_method: paymentMethod, setup_intent: setupIntent, payout, connected_account: connectedAccount },
  ...{ connection, credit_entry: creditEntry, credit_balance: creditBalance, credit_top_up: creditTopUp },
  api_key: apiKey,
};
