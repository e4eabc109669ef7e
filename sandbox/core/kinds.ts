// What the sandbox keeps: each kind of object, its type, and the prefix of its ids.
import type Stripe from "stripe";

/** By the `object` that Stripe gives it. Names with an underscore in front are the sandbox's own and never on the wire. */
export interface Kinds {
  account: Stripe.Account;
  application_fee: Stripe.ApplicationFee;
  balance_transaction: Stripe.BalanceTransaction;
  bank_account: Stripe.BankAccount;
  "billing.meter": Stripe.Billing.Meter;
  "billing_portal.configuration": Stripe.BillingPortal.Configuration;
  "billing_portal.session": Stripe.BillingPortal.Session;
  capability: Stripe.Capability;
  card: Stripe.Card;
  charge: Stripe.Charge;
  "checkout.session": Stripe.Checkout.Session;
  coupon: Stripe.Coupon;
  credit_note: Stripe.CreditNote;
  customer: Stripe.Customer;
  customer_balance_transaction: Stripe.CustomerBalanceTransaction;
  customer_cash_balance_transaction: Stripe.CustomerCashBalanceTransaction;
  discount: Stripe.Discount;
  dispute: Stripe.Dispute;
  event: Stripe.Event;
  fee_refund: Stripe.FeeRefund;
  "identity.verification_session": Stripe.Identity.VerificationSession;
  invoice: Stripe.Invoice;
  invoice_payment: Stripe.InvoicePayment;
  invoiceitem: Stripe.InvoiceItem;
  "issuing.authorization": Stripe.Issuing.Authorization;
  "issuing.card": Stripe.Issuing.Card;
  "issuing.cardholder": Stripe.Issuing.Cardholder;
  "issuing.transaction": Stripe.Issuing.Transaction;
  mandate: Stripe.Mandate;
  payment_intent: Stripe.PaymentIntent;
  payment_link: Stripe.PaymentLink;
  payment_method: Stripe.PaymentMethod;
  payout: Stripe.Payout;
  person: Stripe.Person;
  plan: Stripe.Plan;
  price: Stripe.Price;
  product: Stripe.Product;
  promotion_code: Stripe.PromotionCode;
  quote: Stripe.Quote;
  refund: Stripe.Refund;
  "reporting.report_run": Stripe.Reporting.ReportRun;
  setup_attempt: Stripe.SetupAttempt;
  setup_intent: Stripe.SetupIntent;
  shipping_rate: Stripe.ShippingRate;
  source: Stripe.Source;
  subscription: Stripe.Subscription;
  subscription_item: Stripe.SubscriptionItem;
  subscription_schedule: Stripe.SubscriptionSchedule;
  tax_id: Stripe.TaxId;
  tax_rate: Stripe.TaxRate;
  "test_helpers.test_clock": Stripe.TestHelpers.TestClock;
  token: Stripe.Token;
  topup: Stripe.Topup;
  transfer: Stripe.Transfer;
  transfer_reversal: Stripe.TransferReversal;
  webhook_endpoint: Stripe.WebhookEndpoint;
  /** A link to a hosted page of Connect: onboarding, the Express dashboard; keyed by the secret part of its address. */
  _account_link: Own & AccountLink;
  _authorization_code: Own & { account: string; client_id: string; scope: string; redirect_uri: string; used: boolean };
  /** How an account stands to the platform; in the platform's scope, keyed by the account's id. */
  _connection: Own & Connection;
  _delivery: Own & Delivery;
  /** Work of payments that falls due on the real clock, at `at` in unix seconds. */
  _due: Own & { at: number; task: string; target: string };
  /** Where events are sent, with its secrets: stands beside a webhook endpoint (`we_…`) or an event destination (`ed_…`). */
  _destination: Own & Destination;
  /** A token that OAuth gave for an account; in the platform's scope, keyed by the token. */
  _grant: Own & { account: string; use: "access" | "refresh"; scope: string };
  /** What a payment method or a source does when it is charged; keyed by its id. */
  _instrument: Own & { behavior: string; number: string; cvc_fails?: boolean };
  /** The answer that an idempotency key has; keyed by the key. */
  _idempotency: Own & { fingerprint: string; status: number; body: string; request?: string | undefined };
  /** What belongs to an object and is not on the wire (a session's line items, an invoice's draft); keyed by its id. */
  _extra: Own & Record<string, unknown>;
}

export type Kind = keyof Kinds;

interface Own {
  id: string;
  object: string;
  created: number;
}

export interface AccountLink {
  account: string;
  type: string;
  refresh_url: string;
  return_url: string;
  expires_at: number;
  /** Drawn at the first visit: the forms of that visit carry it, and nothing else opens the link again. */
  session: string | null;
}

export interface Connection {
  connected: boolean;
  /** The application that let the account in: `ca_…`. */
  client_id: string;
  /** Requirements that the account was left with on purpose, besides what its fields lack. */
  still_due: string[];
  /** The disabled_reason that the platform's rejection gave. */
  rejected: string | null;
}

/** One event on its way to one endpoint; kept in the endpoint's scope. Times in unix seconds of the delivery clock. */
export interface Delivery {
  event: string;
  /** The scope that the event belongs to: `livemode/account`. */
  event_scope: string;
  endpoint: string;
  attempts: number;
  next_attempt_at: number | null;
  state: "pending" | "delivered" | "failed" | "dropped";
  /** Null when nothing answered: refused, timed out, or not attempted. */
  last_status: number | null;
  /** Asked for by hand: goes out as it is, without chaos. */
  is_resent: boolean;
}

export interface Destination {
  url: string;
  /** The names of events, or `*`. */
  enabled_events: readonly string[];
  /** Events of the account itself, of the accounts connected to it, or both. */
  from: readonly ("self" | "accounts")[];
  is_thin: boolean;
  /** The version that events are rendered in; null: the newest. */
  api_version: string | null;
  is_enabled: boolean;
  /** The newest first. `until`: unix seconds after which a rolled one signs no more. */
  secrets: readonly { secret: string; until: number | null }[];
  /** The event destination of /v2, when it is one. */
  v2: Stripe.V2.Core.EventDestination | null;
}

/** Prefixes of ids made here, as Stripe writes them. A kind that is not here takes its id from elsewhere. */
export const ID_PREFIX: Partial<Record<Kind, string>> = {
  account: "acct_",
  application_fee: "fee_",
  balance_transaction: "txn_",
  bank_account: "ba_",
  "billing.meter": "mtr_",
  "billing_portal.configuration": "bpc_",
  "billing_portal.session": "bps_",
  card: "card_",
  charge: "ch_",
  "checkout.session": "cs_test_",
  credit_note: "cn_",
  customer: "cus_",
  customer_balance_transaction: "cbtxn_",
  customer_cash_balance_transaction: "ccsbtxn_",
  discount: "di_",
  dispute: "du_",
  event: "evt_",
  fee_refund: "fr_",
  "identity.verification_session": "vs_",
  invoice: "in_",
  invoice_payment: "inpay_",
  invoiceitem: "ii_",
  "issuing.authorization": "iauth_",
  "issuing.card": "ic_",
  "issuing.cardholder": "ich_",
  "issuing.transaction": "ipi_",
  mandate: "mandate_",
  payment_intent: "pi_",
  payment_link: "plink_",
  payment_method: "pm_",
  payout: "po_",
  person: "person_",
  plan: "price_",
  price: "price_",
  product: "prod_",
  promotion_code: "promo_",
  quote: "qt_",
  refund: "re_",
  "reporting.report_run": "frr_",
  setup_attempt: "setatt_",
  setup_intent: "seti_",
  shipping_rate: "shr_",
  source: "src_",
  subscription: "sub_",
  subscription_item: "si_",
  subscription_schedule: "sub_sched_",
  tax_id: "txi_",
  tax_rate: "txr_",
  "test_helpers.test_clock": "clock_",
  token: "tok_",
  topup: "tu_",
  transfer: "tr_",
  transfer_reversal: "trr_",
  webhook_endpoint: "we_",
  _authorization_code: "ac_",
  _delivery: "dlv_",
  _destination: "ed_",
};

/** Whose objects: Stripe keeps every account's test and live objects apart. */
export interface Scope {
  livemode: boolean;
  account: string;
}

/** The account that every well-formed secret key speaks for. */
export const PLATFORM_ACCOUNT = "acct_1SandboxPlatform00";

/** The API version that objects are kept in, and the default of answers and events. */
export const NEWEST_VERSION = "2026-10-28.endive";

export function scopeKey({ livemode, account }: Scope): string {
  return `${livemode ? "live" : "test"}/${account}`;
}

export function scopeOf(key: string): Scope {
  const [mode, account = ""] = key.split("/");
  return { livemode: mode === "live", account };
}

/** The id of a reference: an id, an object, or nothing. */
export function idOf(reference: string | { id: string } | null | undefined): string | null {
  if (reference === null || reference === undefined) return null;
  return typeof reference === "string" ? reference : reference.id;
}
