// What an event's `data.object` may be: our own flat objects, whatever API version Stripe speaks. Pure.
//
// Names are those of our tables and API. Amounts are integer minor units beside their `currency`, times ISO 8601 in UTC.
// A field is never taken away or given another meaning within an EVENT_API_VERSION; new ones may come.
import { z } from "zod";

/** What events say today: every body carries it as `api_version`. */
export const EVENT_API_VERSION = "2026-11-21";

const text = z.string().nullable();
const money = z.int().nullable();
const count = z.int().nullable();
const flag = z.boolean().nullable();
const time = z.iso.datetime().nullable();
const list = z.array(z.unknown()).nullable();
const hash = z.record(z.string(), z.unknown()).nullable();

const shaped = <Name extends string, Fields extends z.ZodRawShape>(object: Name, fields: Fields) =>
  z.strictObject({ id: z.string(), object: z.literal(object), ...fields });

const customer = shaped("customer", {
  ...{ email: text, name: text, phone: text, description: text, currency: text, balance: money, delinquent: flag },
  ...{ default_payment_method_id: text, coupon_id: text, tax_exempt: text, metadata: hash, created_at: time },
});

const subscription = shaped("subscription", {
  ...{ status: text, customer_id: text, price_id: text, product_id: text, quantity: count, currency: text },
  ...{ current_period_start: time, current_period_end: time, trial_start: time, trial_end: time, start_date: time },
  ...{ cancel_at: time, cancel_at_period_end: flag, cancel_scheduled: flag, canceled_at: time },
  ...{ cancellation_reason: text, ended_at: time, pause_behavior: text, pause_resumes_at: time },
  ...{ collection_method: text, days_until_due: count, latest_invoice_id: text, default_payment_method_id: text },
  ...{ coupon_id: text, metadata: hash, created_at: time },
});

const invoice = z.strictObject({
  // A coming invoice has none yet.
  id: z.string().nullable(),
  object: z.literal("invoice"),
  ...{ status: text, paid: flag, number: text, currency: text, subtotal: money, total: money, tax: money },
  ...{ discount_amount: money, amount_due: money, amount_paid: money, amount_remaining: money },
  ...{ billing_reason: text, collection_method: text, auto_advance: flag, attempted: flag, attempt_count: count },
  ...{ next_payment_attempt: time, customer_id: text, customer_email: text, customer_name: text },
  ...{ subscription_id: text, price_id: text, coupon_id: text, payment_intent_id: text, charge_id: text },
  ...{ paid_out_of_band: flag, due_date: time, period_start: time, period_end: time },
  ...{ line_period_start: time, line_period_end: time, finalized_at: time },
  ...{ paid_at: time, voided_at: time, marked_uncollectible_at: time, hosted_invoice_url: text, invoice_pdf: text },
  ...{ application_fee_amount: money, description: text, metadata: hash, created_at: time },
});

const payment = shaped("payment", {
  ...{ status: text, currency: text, amount: money, amount_received: money, application_fee_amount: money },
  ...{ customer_id: text, payment_method_id: text, latest_charge_id: text, invoice_id: text },
  ...{ last_payment_error_code: text, last_payment_error_decline_code: text, last_payment_error_message: text },
  ...{ canceled_at: time, cancellation_reason: text, receipt_email: text, description: text, metadata: hash },
  created_at: time,
});

const charge = shaped("charge", {
  ...{ status: text, currency: text, amount: money, amount_captured: money, amount_refunded: money },
  ...{ captured: flag, refunded: flag, disputed: flag, customer_id: text, invoice_id: text, failure_code: text },
  ...{ failure_message: text, payment_method_type: text, card_brand: text, card_last4: text, receipt_url: text },
  ...{ description: text, metadata: hash, created_at: time },
});

const refund = shaped("refund", {
  ...{ status: text, currency: text, amount: money, charge_id: text, payment_intent_id: text, customer_id: text },
  ...{ reason: text, failure_reason: text, description: text, metadata: hash, created_at: time },
});

const dispute = shaped("dispute", {
  ...{ status: text, reason: text, currency: text, amount: money, charge_id: text, payment_intent_id: text },
  ...{ evidence_due_by: time, has_evidence: flag, submission_count: count, network_reason_code: text },
  ...{ metadata: hash, created_at: time },
});

const checkoutSession = shaped("checkout_session", {
  ...{ status: text, payment_status: text, mode: text, currency: text, amount_subtotal: money, amount_total: money },
  ...{ client_reference_id: text, customer_id: text, customer_email: text, customer_name: text },
  ...{ payment_intent_id: text, setup_intent_id: text, subscription_id: text, invoice_id: text, expires_at: time },
  ...{ metadata: hash, created_at: time },
});

const paymentMethod = shaped("payment_method", {
  ...{ type: text, customer_id: text, brand: text, last4: text, exp_month: count, exp_year: count, funding: text },
  ...{ country: text, metadata: hash, created_at: time },
});

const setupIntent = shaped("setup_intent", {
  ...{ status: text, usage: text, customer_id: text, payment_method_id: text, last_setup_error_code: text },
  ...{ last_setup_error_message: text, cancellation_reason: text, description: text, metadata: hash },
  created_at: time,
});

const payout = shaped("payout", {
  ...{ status: text, currency: text, amount: money, arrival_date: time, type: text, method: text, automatic: flag },
  ...{ failure_code: text, failure_message: text, description: text, metadata: hash, created_at: time },
});

const connectedAccount = shaped("connected_account", {
  ...{ type: text, country: text, default_currency: text, email: text, business_type: text, business_name: text },
  ...{ charges_enabled: flag, payouts_enabled: flag, details_submitted: flag, disabled_reason: text },
  ...{ current_deadline: time, currently_due: list, past_due: list, capabilities: hash, created_at: time },
});

/** Its id is the Stripe account's: a tenant has one connection in each mode. */
const connection = shaped("connection", {
  status: z.enum(["pending", "active", "restricted", "disconnected"]),
  previous_status: z.enum(["pending", "active", "restricted", "disconnected"]).nullable(),
  ...{ method: z.string(), connected_at: time, disconnected_at: time, disconnected_reason: text },
});

const creditEntry = shaped("credit_entry", {
  account_id: z.string(),
  kind: z.enum(["purchase", "grant", "reversal", "restoral", "expiry"]),
  // Below zero for what is taken.
  amount: z.int(),
  balance_after: z.int(),
  ...{ reason: z.string(), reference: text, purchase_id: text, expires_at: time, created_at: z.iso.datetime() },
});

/** Its id is the account's. */
const creditBalance = shaped("credit_balance", {
  ...{ balance: z.int(), low_threshold: z.int(), entry_id: z.string() },
});

/** Its id is that of the purchase that did not come about. */
const creditTopUp = shaped("credit_top_up", { account_id: z.string(), reason: z.string() });

const apiKey = shaped("api_key", {
  type: z.enum(["live_public", "live_secret", "test_public", "test_secret"]),
  ...{ last4: z.string(), expires_at: time, revoked_at: time, revoked_reason: text },
});

/** By the `object` that each says of itself. */
export const EVENT_OBJECTS = {
  ...{ customer, subscription, invoice, payment, charge, refund, dispute, checkout_session: checkoutSession },
  ...{ payment_method: paymentMethod, setup_intent: setupIntent, payout, connected_account: connectedAccount },
  ...{ connection, credit_entry: creditEntry, credit_balance: creditBalance, credit_top_up: creditTopUp },
  api_key: apiKey,
} as const;

export type EventObjectName = keyof typeof EVENT_OBJECTS;
export type EventObject<Name extends EventObjectName> = z.output<(typeof EVENT_OBJECTS)[Name]>;

/** The fields of an object in the order in which they are told. */
export function fieldsOf(name: EventObjectName): readonly string[] {
  return Object.keys(EVENT_OBJECTS[name].shape);
}
