// Fetching one object from Stripe, with the second up to which the answer is known to be true.
import { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";
import { NETWORK_RETRIES, STRIPE_API_VERSION, STRIPE_TIMEOUT, type StripeClient, StripeError } from "./client.ts";
import type { StripeObject, UnixSeconds } from "./envelope.ts";

export interface WantedObject {
  /** The connected account that holds it, "" for our own. */
  account: string;
  /** Stripe's `object` field. */
  objectType: string;
  objectId: string;
  /** Where a thin event says that it is found: asked for kinds that have no route by id alone. */
  path?: string | null;
}

/**
 * found: `object` as Stripe has it, also a stub `{id, object, deleted: true}`; `text` is the answer as received. It shows all
 * that happened before `asOf` · missing: Stripe knows no such object · unsupported: its kind has no route by
 * id alone, and no path of it is known that could be one of Stripe's API.
 */
export type Retrieved =
  | { outcome: "found"; object: StripeObject; text: string; asOf: UnixSeconds; apiVersion: string }
  | { outcome: "missing" }
  | { outcome: "unsupported" }
  | StripeFailure;

/**
 * retry: it may succeed later, not before `after` seconds where Stripe says so · refused: it will not, until somebody changes
 * something: a 401 or 403 means that the key is wrong or the account gone. `reason` names no object and no person.
 */
export type StripeFailure =
  { outcome: "retry"; after?: number; reason: string } | { outcome: "refused"; reason: string };

/** The kinds that a GET finds by id alone: their collections. Checked against the SDK's resources by retrieve.test.ts. */
const COLLECTIONS = new Map<string, string>([
  ["account", "/v1/accounts"],
  ["application_fee", "/v1/application_fees"],
  ["balance_transaction", "/v1/balance_transactions"],
  ["billing.alert", "/v1/billing/alerts"],
  ["billing.credit_balance_transaction", "/v1/billing/credit_balance_transactions"],
  ["billing.credit_grant", "/v1/billing/credit_grants"],
  ["billing.meter", "/v1/billing/meters"],
  ["billing_portal.configuration", "/v1/billing_portal/configurations"],
  ["charge", "/v1/charges"],
  ["checkout.session", "/v1/checkout/sessions"],
  ["climate.order", "/v1/climate/orders"],
  ["climate.product", "/v1/climate/products"],
  ["coupon", "/v1/coupons"],
  ["credit_note", "/v1/credit_notes"],
  ["customer", "/v1/customers"],
  ["dispute", "/v1/disputes"],
  ["entitlements.active_entitlement", "/v1/entitlements/active_entitlements"],
  ["entitlements.feature", "/v1/entitlements/features"],
  ["file", "/v1/files"],
  ["file_link", "/v1/file_links"],
  ["financial_connections.account", "/v1/financial_connections/accounts"],
  ["financial_connections.transaction", "/v1/financial_connections/transactions"],
  ["identity.verification_report", "/v1/identity/verification_reports"],
  ["identity.verification_session", "/v1/identity/verification_sessions"],
  ["invoice", "/v1/invoices"],
  ["invoice_payment", "/v1/invoice_payments"],
  ["invoice_rendering_template", "/v1/invoice_rendering_templates"],
  ["invoiceitem", "/v1/invoiceitems"],
  ["issuing.authorization", "/v1/issuing/authorizations"],
  ["issuing.card", "/v1/issuing/cards"],
  ["issuing.cardholder", "/v1/issuing/cardholders"],
  ["issuing.dispute", "/v1/issuing/disputes"],
  ["issuing.personalization_design", "/v1/issuing/personalization_designs"],
  ["issuing.token", "/v1/issuing/tokens"],
  ["issuing.transaction", "/v1/issuing/transactions"],
  ["mandate", "/v1/mandates"],
  ["payment_intent", "/v1/payment_intents"],
  ["payment_link", "/v1/payment_links"],
  ["payment_method", "/v1/payment_methods"],
  ["payment_method_configuration", "/v1/payment_method_configurations"],
  ["payment_method_domain", "/v1/payment_method_domains"],
  ["payment_record", "/v1/payment_records"],
  ["payout", "/v1/payouts"],
  ["plan", "/v1/plans"],
  ["price", "/v1/prices"],
  ["product", "/v1/products"],
  ["promotion_code", "/v1/promotion_codes"],
  ["quote", "/v1/quotes"],
  ["radar.early_fraud_warning", "/v1/radar/early_fraud_warnings"],
  ["radar.value_list", "/v1/radar/value_lists"],
  ["radar.value_list_item", "/v1/radar/value_list_items"],
  ["refund", "/v1/refunds"],
  ["reporting.report_run", "/v1/reporting/report_runs"],
  ["reporting.report_type", "/v1/reporting/report_types"],
  ["review", "/v1/reviews"],
  ["scheduled_query_run", "/v1/sigma/scheduled_query_runs"],
  ["setup_intent", "/v1/setup_intents"],
  ["shipping_rate", "/v1/shipping_rates"],
  ["source", "/v1/sources"],
  ["subscription", "/v1/subscriptions"],
  ["subscription_item", "/v1/subscription_items"],
  ["subscription_schedule", "/v1/subscription_schedules"],
  ["tax.registration", "/v1/tax/registrations"],
  ["tax_code", "/v1/tax_codes"],
  ["tax_id", "/v1/tax_ids"],
  ["tax_rate", "/v1/tax_rates"],
  ["terminal.configuration", "/v1/terminal/configurations"],
  ["terminal.location", "/v1/terminal/locations"],
  ["terminal.reader", "/v1/terminal/readers"],
  ["test_helpers.test_clock", "/v1/test_helpers/test_clocks"],
  ["topup", "/v1/topups"],
  ["transfer", "/v1/transfers"],
  ["treasury.credit_reversal", "/v1/treasury/credit_reversals"],
  ["treasury.debit_reversal", "/v1/treasury/debit_reversals"],
  ["treasury.financial_account", "/v1/treasury/financial_accounts"],
  ["treasury.inbound_transfer", "/v1/treasury/inbound_transfers"],
  ["treasury.outbound_payment", "/v1/treasury/outbound_payments"],
  ["treasury.outbound_transfer", "/v1/treasury/outbound_transfers"],
  ["treasury.received_credit", "/v1/treasury/received_credits"],
  ["treasury.received_debit", "/v1/treasury/received_debits"],
  ["treasury.transaction", "/v1/treasury/transactions"],
  ["treasury.transaction_entry", "/v1/treasury/transaction_entries"],
]);

export const RETRIEVABLE_OBJECTS: readonly string[] = [...COLLECTIONS.keys(), "capability", "person"];

/** No object of Stripe's comes near this; it bounds what an answer can make us hold. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
const RELATED_PATH = /^\/v[12](?:\/(?:[\w.~-]|%[0-9A-Fa-f]{2})+)+$/;
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** Stripe never asks for more; a gateway that does shall not silence us for days. */
const LONGEST_RETRY_AFTER = 3_600;

/**
 * Fetches an object in our API version, on the account that holds it. Never throws for what Stripe answers or fails to.
 * `client` must be of the object's mode. Only `clock.monotonic` is read.
 */
export async function retrieveObject(
  client: StripeClient,
  wanted: WantedObject,
  clock: Pick<Clock, "monotonic">,
): Promise<Retrieved> {
  const path = pathOf(wanted);
  // A platform reads a connected account with its own key and no header: with one it would ask in that account's name.
  const account = wanted.objectType === "account" ? "" : wanted.account;
  if (path === undefined)
    return retrievePath(client, { context: account, path: wanted.path ?? "", objectId: wanted.objectId }, clock);
  return retrieve(client, path, account === "" ? {} : { stripeAccount: account }, wanted.objectId, clock);
}

const UNSUPPORTED: Retrieved = { outcome: "unsupported" };

/** What a thin event names: its `related_object.url`, and its `context`, "" for our own account. */
export interface WantedPath {
  context: string;
  path: string;
  objectId: string;
}

/**
 * Fetches by the path that a thin event gives, which must be one under /v1/ or /v2/ with no query, and one that Stripe knows:
 * else "unsupported".
 */
export async function retrievePath(
  client: StripeClient,
  { context, path, objectId }: WantedPath,
  clock: Pick<Clock, "monotonic">,
): Promise<Retrieved> {
  if (!isApiPath(path)) return UNSUPPORTED;
  return retrieve(client, path, context === "" ? {} : { stripeContext: context }, objectId, clock, UNSUPPORTED);
}

function pathOf({ account, objectType, objectId }: WantedObject): string | undefined {
  if (objectId === "" || objectId === "." || objectId === "..") return undefined;
  const id = encodeURIComponent(objectId.toWellFormed());
  if (objectType === "capability")
    return account === "" ? undefined : `/v1/accounts/${encodeURIComponent(account)}/capabilities/${id}`;
  if (objectType === "person")
    return account === "" ? undefined : `/v1/accounts/${encodeURIComponent(account)}/persons/${id}`;
  // Cards and bank accounts share the kind with sources, but are found under their customer only.
  if (objectType === "source" && !objectId.startsWith("src_")) return undefined;
  const collection = COLLECTIONS.get(objectType);
  return collection === undefined ? undefined : `${collection}/${id}`;
}

function isApiPath(path: string): boolean {
  if (!RELATED_PATH.test(path)) return false;
  const plain = path.replaceAll(/%2e/gi, ".");
  return !plain.split("/").some((segment) => segment === "." || segment === ".." || /%(?:2f|5c|00)/i.test(segment));
}

async function retrieve(
  client: StripeClient,
  path: string,
  onBehalf: { stripeAccount?: string; stripeContext?: string },
  objectId: string,
  clock: Pick<Clock, "monotonic">,
  unknownPath?: Retrieved,
): Promise<Retrieved> {
  const asked = clock.monotonic();
  try {
    // Streamed, so that the text is at hand as received, with the headers; errors come parsed all the same.
    const answer: unknown = await client.rawRequest("GET", path, undefined, {
      ...onBehalf,
      maxNetworkRetries: NETWORK_RETRIES,
      streaming: true,
    });
    const roundTrip = clock.monotonic() - asked;
    if (!(answer instanceof IncomingMessage)) return retry(`HTTP ${statusOf(answer)} without an error`);
    const text = await textOf(answer);
    if (answer.statusCode !== 200) return retry(`HTTP ${answer.statusCode ?? "?"}`);
    const object = objectOf(text);
    if (object?.id !== objectId) return retry("the answer is not the object that was asked for");
    const asOf = asOfSecond(answer.headers.date, roundTrip);
    if (asOf === undefined) return retry("the answer has no valid Date header");
    const version = answer.headers["stripe-version"];
    return {
      outcome: "found",
      object,
      text,
      asOf,
      apiVersion: typeof version === "string" ? version : STRIPE_API_VERSION,
    };
  } catch (error) {
    if (unknownPath !== undefined && isUnknownPath(error)) return unknownPath;
    return isMissing(error) ? { outcome: "missing" } : stripeFailure(error);
  }
}

/**
 * The last second that the answer surely includes: Stripe read the object at some time between our question and its own
 * `Date`, which is cut to the second. Our wall clock has no part in it. Retries within count as one long round trip.
 */
export function asOfSecond(date: string | undefined, roundTripMilliseconds: number): UnixSeconds | undefined {
  if (date === undefined || !HTTP_DATE.test(date)) return undefined;
  const asOf = Date.parse(date) / 1000 - Math.ceil(roundTripMilliseconds / 1000) - 1;
  return asOf >= 0 ? asOf : undefined; // NaN is no answer either.
}

/** The SDK's timeout watches for silence; this one also ends a body that comes drop by drop. */
async function textOf(answer: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => answer.destroy(new Error("the answer took too long")), STRIPE_TIMEOUT);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    clearTimeout(timer);
  }
}

function objectOf(text: string): StripeObject | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined; // The caller says what is wrong; the parser's message would quote the body.
  }
  const isObject = typeof json === "object" && json !== null && "object" in json && typeof json.object === "string";
  return isObject ? (json as StripeObject) : undefined;
}

function isMissing(error: unknown): boolean {
  return error instanceof StripeError && error.statusCode === 404 && !isUnknownPath(error);
}

/** A path that Stripe does not know is also a 404, but says nothing about the object. */
function isUnknownPath(error: unknown): boolean {
  return (
    error instanceof StripeError && error.statusCode === 404 && error.message.startsWith("Unrecognized request URL")
  );
}

/** Decides the fate of a failed call to Stripe, for every caller. */
export function stripeFailure(error: unknown): StripeFailure {
  if (!(error instanceof StripeError)) return retry(error instanceof Error ? error.message : "unknown failure");
  const { statusCode: status, headers = {}, requestId } = error;
  const code = [error.code, error.rawType, error.type].find((name) => /^\w{1,64}$/.test(name ?? "")) ?? "error";
  const reason = `${status === undefined ? "" : `HTTP ${status} `}${code}${requestId === undefined ? "" : ` (${requestId})`}`;
  const passing = status === undefined || status === 409 || status === 429 || status >= 500 || code === "rate_limit";
  return passing ? retry(reason, headers["retry-after"]) : { outcome: "refused", reason };
}

function retry(reason: string, retryAfter = ""): StripeFailure {
  const after = /^\d{1,9}$/.test(retryAfter) ? Math.min(Number(retryAfter), LONGEST_RETRY_AFTER) : undefined;
  return { outcome: "retry", reason, ...(after === undefined ? {} : { after }) };
}

/** The SDK returns an answer of 400 and above as a success when its JSON has no `error`. */
function statusOf(answer: unknown): string {
  const { lastResponse } = (answer ?? {}) as { lastResponse?: unknown };
  return lastResponse instanceof IncomingMessage ? String(lastResponse.statusCode) : "?";
}
