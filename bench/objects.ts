// Stripe objects as webhooks carry them, in an old shape (2020-08-27) and a new one (2026-10-28.endive), for the bench's events. Pure.

import { priceObject } from "./catalogue-objects.ts";
import type { Chance } from "./chance.ts";

export type StripeObject = Record<string, unknown>;
export type Shape = "old" | "new";

export const API_VERSION: Record<Shape, string> = { old: "2020-08-27", new: "2026-10-28.endive" };

const NAMES = ["Ada Byron", "Grace Hopper", "Zoë Müller", "José Núñez", "王小明", "Ola Nordmann", "Priya Rao"] as const;
const MONTH = 30 * 86_400;

/** Whom a life is about, and what its objects have in common. */
export interface Party {
  shape: Shape;
  customer: string;
  paymentMethod: string;
  name: string;
  email: string;
  last4: string;
  price: string;
  product: string;
  amount: number;
  created: number;
}

export function party(
  chance: Chance,
  shape: Shape,
  created: number,
  catalogue: { price: string; product: string },
): Party {
  const customer = chance.id("cus", 14);
  return {
    shape,
    customer,
    paymentMethod: chance.id("pm"),
    name: chance.pick(NAMES),
    email: `${customer.slice(4).toLowerCase()}@example.com`,
    last4: String(1000 + chance.below(9000)),
    ...catalogue,
    amount: 900 + 100 * chance.below(200),
    created,
  };
}

const address = {
  city: "Berlin",
  country: "DE",
  line1: "Karl-Marx-Allee 1",
  line2: null,
  postal_code: "10178",
  state: null,
};

export function customerObject(who: Party, defaultMethod: string | null): StripeObject {
  return {
    ...{ id: who.customer, object: "customer", address, balance: 0, created: who.created, currency: "usd" },
    ...(who.shape === "new" ? { customer_account: null } : {}),
    ...{ default_source: null, delinquent: false, description: null, discount: null, email: who.email },
    invoice_prefix: who.customer.slice(-8).toUpperCase(),
    invoice_settings: {
      ...{ custom_fields: null, default_payment_method: defaultMethod, footer: null, rendering_options: null },
    },
    ...{ livemode: true, metadata: { plan: "growth", source: "signup" }, name: who.name, next_invoice_sequence: 1 },
    ...{ phone: null, preferred_locales: ["en"], shipping: shipping(who), tax_exempt: "none", test_clock: null },
  };
}

const card = (who: Party): StripeObject => ({
  ...{ brand: "visa", checks: { address_line1_check: null, address_postal_code_check: "pass", cvc_check: "pass" } },
  ...{ country: "US", display_brand: "visa", exp_month: 8, exp_year: 2031, fingerprint: "Xt5EWLLDS7FJjR1c" },
  ...{ funding: "credit", last4: who.last4, networks: { available: ["visa"], preferred: null }, wallet: null },
});

const shipping = (who: Party): StripeObject => ({
  address,
  carrier: null,
  name: who.name,
  phone: null,
  tracking_number: null,
});

const billing = (who: Party): StripeObject => ({
  address,
  email: who.email,
  name: who.name,
  phone: null,
  tax_id: null,
});

export function paymentMethodObject(who: Party): StripeObject {
  return {
    ...{ id: who.paymentMethod, object: "payment_method", allow_redisplay: "always", billing_details: billing(who) },
    ...{ card: { ...card(who), generated_from: null, three_d_secure_usage: { supported: true } } },
    ...{ created: who.created, customer: who.customer, livemode: true, metadata: {}, type: "card" },
  };
}

export function setupIntentObject(who: Party, id: string, created: number, status: string): StripeObject {
  return {
    ...{ id, object: "setup_intent", application: null, automatic_payment_methods: null, cancellation_reason: null },
    ...{ client_secret: `${id}_secret_${id.slice(5, 25)}`, created, customer: who.customer, description: null },
    ...{ flow_directions: null, last_setup_error: null, latest_attempt: null, livemode: true, mandate: null },
    ...{ metadata: {}, next_action: null, on_behalf_of: null, payment_method: who.paymentMethod },
    payment_method_options: { card: { mandate_options: null, network: null, request_three_d_secure: "automatic" } },
    ...{ payment_method_types: ["card"], single_use_mandate: null, status, usage: "off_session" },
  };
}

export interface SubscriptionState {
  id: string;
  item: string;
  created: number;
  periodStart: number;
  status: string;
  latestInvoice: string;
  endedAt: number | null;
}

export function subscriptionObject(who: Party, state: SubscriptionState): StripeObject {
  const period = { current_period_end: state.periodStart + MONTH, current_period_start: state.periodStart };
  const old = who.shape === "old";
  const plan = {
    ...{ id: who.price, object: "plan", active: true, amount: who.amount, amount_decimal: String(who.amount) },
    ...{ billing_scheme: "per_unit", created: who.created, currency: "usd", interval: "month", interval_count: 1 },
    ...{ livemode: true, metadata: {}, nickname: null, product: who.product, tiers_mode: null, transform_usage: null },
    ...{ trial_period_days: null, usage_type: "licensed" },
  };
  const item = {
    ...{ id: state.item, object: "subscription_item", billing_thresholds: null, created: state.created },
    ...(old ? {} : period),
    ...{ discounts: [], metadata: {}, plan, price: priceObject(who.price, who.product, who.created, who.amount) },
    ...{ quantity: 1, subscription: state.id, tax_rates: [] },
  };
  return {
    ...{ id: state.id, object: "subscription", application: null, application_fee_percent: null },
    ...{ automatic_tax: { enabled: false, liability: null }, billing_cycle_anchor: state.created },
    ...{ billing_thresholds: null, cancel_at: null, cancel_at_period_end: false, canceled_at: state.endedAt },
    ...(old ? period : { billing_mode: { type: "flexible" } }),
    ...{ collection_method: "charge_automatically", created: state.created, currency: "usd", customer: who.customer },
    ...{ days_until_due: null, default_payment_method: who.paymentMethod, default_source: null, default_tax_rates: [] },
    ...{ description: null, ...(old ? { discount: null } : {}), discounts: [], ended_at: state.endedAt },
    items: {
      ...{ object: "list", data: [item], has_more: false, total_count: 1 },
      url: `/v1/subscription_items?subscription=${state.id}`,
    },
    ...{ latest_invoice: state.latestInvoice, livemode: true, metadata: { team: "blue" } },
    ...{ next_pending_invoice_item_invoice: null, on_behalf_of: null, pause_collection: null },
    ...{ pending_setup_intent: null, pending_update: null, plan, quantity: 1, schedule: null },
    ...{ start_date: state.created, status: state.status, test_clock: null, transfer_data: null },
    ...{ trial_end: null, trial_start: null },
  };
}

export interface InvoiceState {
  id: string;
  line: string;
  subscription: string;
  item: string;
  intent: string;
  charge: string;
  created: number;
  status: "draft" | "open" | "paid";
  attempts: number;
  reason: string;
  paidAt: number | null;
}

function invoiceLine(who: Party, state: InvoiceState, id: string, amount: number): StripeObject {
  const old = who.shape === "old";
  return {
    ...{ id, object: "line_item", amount, currency: "usd" },
    ...{ description: "1 × Growth (per month)", discount_amounts: [], discountable: true, discounts: [] },
    ...{ livemode: true, metadata: { team: "blue" }, period: { end: state.created + MONTH, start: state.created } },
    ...(old
      ? {
          price: priceObject(who.price, who.product, who.created, who.amount),
          ...{ proration: false, quantity: 1, subscription: state.subscription, subscription_item: state.item },
          ...{ tax_amounts: [], tax_rates: [], type: "subscription" },
        }
      : {
          invoice: state.id,
          parent: {
            ...{ invoice_item_details: null, type: "subscription_item_details" },
            subscription_item_details: {
              ...{ invoice_item: null, proration: false, subscription: state.subscription },
              subscription_item: state.item,
            },
          },
          pricing: {
            ...{ price_details: { price: who.price, product: who.product }, type: "price_details" },
            unit_amount_decimal: String(amount),
          },
          ...{ quantity: 1, subtotal: amount, taxes: [] },
        }),
  };
}

export function invoiceObject(who: Party, state: InvoiceState): StripeObject {
  const old = who.shape === "old";
  const paid = state.status === "paid";
  const number = state.status === "draft" ? null : `${who.customer.slice(-8).toUpperCase()}-0001`;
  const seats = 300;
  const lines = [
    invoiceLine(who, state, state.line, who.amount - seats),
    invoiceLine(who, state, `${state.line}s`, seats),
  ];
  const hosted = number === null ? null : `https://invoice.stripe.com/i/acct_1BenchPlatform/live_${state.id}`;
  return {
    ...{ id: state.id, object: "invoice", account_country: "US", account_name: "Acme, Inc.", account_tax_ids: null },
    ...{ amount_due: who.amount, amount_paid: paid ? who.amount : 0, amount_remaining: paid ? 0 : who.amount },
    ...{ amount_shipping: 0, application: null, attempt_count: state.attempts, attempted: state.attempts > 0 },
    ...{ auto_advance: !paid, automatic_tax: { enabled: false, status: null }, billing_reason: state.reason },
    ...(old ? { application_fee_amount: null, charge: paid ? state.charge : null } : {}),
    ...{ collection_method: "charge_automatically", created: state.created, currency: "usd", custom_fields: null },
    ...{ customer: who.customer, customer_address: address, customer_email: who.email, customer_name: who.name },
    ...{ customer_phone: null, customer_shipping: null, customer_tax_exempt: "none", customer_tax_ids: [] },
    ...{ default_payment_method: null, default_source: null, default_tax_rates: [], description: null },
    ...{ ...(old ? { discount: null } : {}), discounts: [], due_date: null, effective_at: state.created },
    ...{ ending_balance: paid ? 0 : null, footer: null, from_invoice: null, hosted_invoice_url: hosted },
    ...{ invoice_pdf: hosted === null ? null : `${hosted}/pdf`, last_finalization_error: null, latest_revision: null },
    lines: {
      ...{ object: "list", data: lines, has_more: false, total_count: lines.length },
      url: `/v1/invoices/${state.id}/lines`,
    },
    ...{ livemode: true, metadata: {}, next_payment_attempt: null, number, on_behalf_of: null },
    ...(old
      ? {
          ...{ paid, paid_out_of_band: false, payment_intent: state.status === "draft" ? null : state.intent },
          ...{ quote: null, subscription: state.subscription, tax: null, total_tax_amounts: [], transfer_data: null },
        }
      : {
          parent: {
            ...{ quote_details: null, type: "subscription_details" },
            subscription_details: { metadata: { team: "blue" }, subscription: state.subscription },
          },
          total_taxes: [],
        }),
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    ...{ period_end: state.created, period_start: state.created, post_payment_credit_notes_amount: 0 },
    ...{ pre_payment_credit_notes_amount: 0, receipt_number: null, starting_balance: 0, statement_descriptor: null },
    ...{ status: state.status },
    status_transitions: {
      ...{ finalized_at: number === null ? null : state.created, marked_uncollectible_at: null },
      ...{ paid_at: state.paidAt, voided_at: null },
    },
    ...{ subtotal: who.amount, subtotal_excluding_tax: who.amount, test_clock: null, total: who.amount },
    ...{ total_discount_amounts: [], total_excluding_tax: who.amount, webhooks_delivered_at: state.created },
  };
}

export interface IntentState {
  id: string;
  invoice: string | null;
  charge: string | null;
  created: number;
  status: string;
  error: StripeObject | null;
}

export function paymentIntentObject(who: Party, state: IntentState): StripeObject {
  const old = who.shape === "old";
  const received = state.status === "succeeded" ? who.amount : 0;
  return {
    ...{ id: state.id, object: "payment_intent", amount: who.amount, amount_capturable: 0 },
    ...{ amount_details: { tip: {} }, amount_received: received, application: null, application_fee_amount: null },
    ...{ automatic_payment_methods: null, canceled_at: null, cancellation_reason: null, capture_method: "automatic" },
    ...(old
      ? {
          charges: {
            ...{ object: "list", data: [], has_more: false, total_count: 0 },
            url: `/v1/charges?payment_intent=${state.id}`,
          },
          invoice: state.invoice,
        }
      : { latest_charge: state.charge }),
    ...{ client_secret: `${state.id}_secret_${state.id.slice(3, 23)}`, confirmation_method: "automatic" },
    ...{ created: state.created, currency: "usd", customer: who.customer, description: "Subscription creation" },
    ...{
      last_payment_error: state.error,
      livemode: true,
      metadata: { order: state.id.slice(-8), channel: "web", campaign: "autumn", version: "2026.11.3" },
      next_action: null,
    },
    ...{ on_behalf_of: null, payment_method: state.status === "requires_payment_method" ? null : who.paymentMethod },
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: "automatic" },
    },
    ...{ payment_method_types: ["card"], processing: null, receipt_email: who.email, review: null },
    ...{ setup_future_usage: "off_session", shipping: shipping(who), source: null, statement_descriptor: null },
    ...{ statement_descriptor_suffix: null, status: state.status, transfer_data: null, transfer_group: null },
  };
}

export interface ChargeState {
  id: string;
  intent: string;
  invoice: string | null;
  created: number;
  failed: boolean;
  refunded: number;
  balance: string | null;
  disputed: boolean;
}

export function chargeObject(who: Party, state: ChargeState): StripeObject {
  const { id, failed, refunded } = state;
  return {
    ...{ id, object: "charge", amount: who.amount, amount_captured: failed ? 0 : who.amount },
    ...{ amount_refunded: refunded, application: null, application_fee: null, application_fee_amount: null },
    ...{ balance_transaction: state.balance, billing_details: billing(who) },
    ...{ calculated_statement_descriptor: "ACME", captured: !failed, created: state.created, currency: "usd" },
    ...{ customer: who.customer, description: "Subscription creation", destination: null, dispute: null },
    ...{ disputed: state.disputed, failure_balance_transaction: null },
    ...{ failure_code: failed ? "card_declined" : null, failure_message: failed ? "Your card was declined." : null },
    ...{ fraud_details: {}, ...(who.shape === "old" ? { invoice: state.invoice } : {}), livemode: true, metadata: {} },
    ...{ on_behalf_of: null, order: null },
    outcome: {
      ...{ advice_code: null, network_status: failed ? "declined_by_network" : "approved_by_network" },
      ...{ reason: failed ? "generic_decline" : null, risk_level: "normal", risk_score: 12 },
      seller_message: failed ? "The bank did not return any further details." : "Payment complete.",
      type: failed ? "issuer_declined" : "authorized",
    },
    ...{ paid: !failed, payment_intent: state.intent, payment_method: who.paymentMethod },
    payment_method_details: {
      card: {
        ...card(who),
        amount_authorized: who.amount,
        authorization_code: null,
        installments: null,
        mandate: null,
      },
      type: "card",
    },
    ...{ radar_options: {}, receipt_email: who.email, receipt_number: null },
    receipt_url: failed ? null : `https://pay.stripe.com/receipts/payment/${id}`,
    ...{
      refunded: refunded === who.amount,
      review: null,
      shipping: shipping(who),
      source: null,
      source_transfer: null,
    },
    ...{ statement_descriptor: null, statement_descriptor_suffix: null, status: failed ? "failed" : "succeeded" },
    ...{ transfer_data: null, transfer_group: null },
  };
}

export function refundObject(
  who: Party,
  id: string,
  charge: ChargeState,
  created: number,
  status: string,
): StripeObject {
  return {
    ...{ id, object: "refund", amount: charge.refunded, balance_transaction: null, charge: charge.id, created },
    ...{ currency: "usd", destination_details: { card: { reference: "7712345678", type: "refund" }, type: "card" } },
    ...{ metadata: { agent: who.customer.slice(-4) }, payment_intent: charge.intent, reason: "requested_by_customer" },
    ...{ receipt_number: null, source_transfer_reversal: null, status, transfer_reversal: null },
  };
}

export function disputeObject(
  who: Party,
  id: string,
  charge: ChargeState,
  created: number,
  status: string,
): StripeObject {
  return {
    ...{ id, object: "dispute", amount: who.amount, balance_transactions: [], charge: charge.id, created },
    ...{ currency: "usd", evidence: { customer_email_address: who.email, customer_name: who.name } },
    ...{
      evidence_details: { due_by: created + 14 * 86_400, has_evidence: false, past_due: false, submission_count: 0 },
    },
    ...{ is_charge_refundable: false, livemode: true, metadata: {}, payment_intent: charge.intent },
    ...{ payment_method_details: { card: { brand: "visa", network_reason_code: "10.4" }, type: "card" } },
    ...{ reason: "fraudulent", status },
  };
}
