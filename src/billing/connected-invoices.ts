// Invoices on behalf of connected accounts, as a tenant asks for them: created, voided, sent again.
import { audit } from "../audit/audit-log.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { type ConnectedInvoice, feeOf, type InvoiceItem, statusOf, totalOf } from "../connections/connected-invoice.ts";
import {
  claimConnectedInvoice,
  findByRequest,
  findConnectedInvoice,
  insertConnectedInvoice,
} from "../connections/connected-invoice-table.ts";
import { isConnected } from "../connections/connection-table.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { Act } from "../tenants/people-context.ts";
import { readTenantFee } from "../tenants/tenant-table.ts";
import { checkTotal } from "./charge-limits.ts";
import { observationOf, retrieveInvoice, sendInvoice, type StripeInvoice, voidInvoice } from "./invoice-calls.ts";
import { type Made, makeConnectedInvoice } from "./make-connected-invoice.ts";
import { chargingAccountOf } from "./selling-account.ts";
import { type ResumableContext, STEP_LEASE_SECONDS } from "./resumable.ts";

export interface WantedInvoice {
  livemode: boolean;
  customerEmail: string;
  customerName: string | null;
  /** ISO 4217 in small letters. */
  currency: string;
  items: readonly InvoiceItem[];
  daysUntilDue: number;
  memo: string | null;
  metadata: Record<string, string>;
  /** Instead of the tenant's. */
  applicationFeePercent: number | undefined;
  /** The same for each run of one request; undefined: the request is not repeated. */
  requestKey: string | undefined;
}

export interface InvoiceCreation extends ResumableContext {
  /** Of tenants that have no percentage of their own. */
  platformFeePercent: number;
}

/** How long a request waits for Stripe before it is answered with what there is. */
const PATIENCE_MS = 20_000;

/**
 * Creates, finalizes and sends an invoice. Its record is stored before Stripe is asked; run again for the same request it
 * goes on with that record.
 *
 * @returns outcome `made`, or `later`: Stripe does not answer, and it goes on by itself
 * @throws PublicError when it cannot be asked for, or Stripe refuses it
 */
export async function createConnectedInvoice(
  creation: InvoiceCreation,
  scope: TenantScope,
  wanted: WantedInvoice,
  act: Act,
): Promise<{ outcome: "made" | "later"; invoice: ConnectedInvoice }> {
  if (!creation.stripe.has(wanted.livemode)) throw publicError("stripe_not_configured");
  const total = totalOf(wanted.items);
  checkTotal(wanted.items, wanted.currency);
  const lease = creation.newLease();
  const begun = await scope.transaction((tx) => begin(tx, scope.tenantId, { creation, wanted, total, lease, act }));
  const claimed = begun ?? (await resume(creation, scope, wanted, lease));
  if ("outcome" in claimed) return claimed;
  const made = await makeConnectedInvoice(creation, claimed, { lease, awaited: PATIENCE_MS });
  if (made.outcome !== "lost") return resultOf(made);
  const invoice = (await findConnectedInvoice(scope, claimed)) ?? made.invoice;
  return { outcome: invoice.stage === "made" ? "made" : "later", invoice };
}

interface Beginning {
  creation: InvoiceCreation;
  wanted: WantedInvoice;
  total: number;
  lease: string;
  act: Act;
}

/** undefined: this request has begun before. */
async function begin(
  tx: Queryable,
  tenantId: string,
  { creation, wanted, total, lease, act }: Beginning,
): Promise<ConnectedInvoice | undefined> {
  const { livemode, requestKey, applicationFeePercent, ...rest } = wanted;
  if (requestKey !== undefined && (await findByRequest(tx, { tenantId, livemode, requestKey })) !== undefined) return;
  const account = await chargingAccountOf(tx, { tenantId, livemode });
  const percent = applicationFeePercent ?? (await readTenantFee(tx, tenantId)) ?? creation.platformFeePercent;
  const invoice = {
    ...{ ...rest, tenantId, livemode, account, total, id: newId("cinv"), requestKey: requestKey ?? null },
    ...{ applicationFeePercent: percent, applicationFeeAmount: feeOf(total, percent), createdBy: act.actor.id },
  };
  const inserted = await insertConnectedInvoice(tx, invoice, { name: lease, seconds: STEP_LEASE_SECONDS });
  if (inserted === undefined) return undefined;
  const after = { livemode, total, currency: wanted.currency, application_fee_percent: percent };
  await audit(tx, { tenantId, ...act, action: "connected_invoice.created", target: inserted.id, after });
  return inserted;
}

/** Goes on with what an earlier run of the request began. */
async function resume(
  creation: InvoiceCreation,
  scope: TenantScope,
  { livemode, requestKey = "" }: WantedInvoice,
  lease: string,
): Promise<ConnectedInvoice | { outcome: "made"; invoice: ConnectedInvoice }> {
  const { tenantId } = scope;
  const known = await findByRequest(scope, { tenantId, livemode, requestKey });
  if (known?.stage === "made") return { outcome: "made", invoice: known };
  if (known?.stage !== "making") {
    throw publicError("stripe_refused", {
      message: known?.errorMessage ?? "Send it again under a new Idempotency-Key.",
    });
  }
  await checkConnected(scope, known);
  const claimed = await creation.database.transaction((tx) =>
    claimConnectedInvoice(tx, known, { name: lease, seconds: STEP_LEASE_SECONDS }),
  );
  if (claimed === undefined) throw publicError("idempotency_key_in_use", { retryAfter: 2 });
  return claimed;
}

function resultOf({ outcome, invoice, failure }: Made): { outcome: "made" | "later"; invoice: ConnectedInvoice } {
  switch (outcome) {
    case "made":
      return { outcome, invoice };
    case "later":
      return { outcome, invoice };
    default:
      throw failure ?? publicError("stripe_refused");
  }
}

export interface InvoiceChange {
  scope: TenantScope;
  invoice: ConnectedInvoice;
  act: Act;
  /** Tells one asking from another; the same for each run of one request. */
  occasion: string;
}

/** Takes an invoice back. One that is void already stays so. Throws `invoice_not_open`, `invoice_being_made`, `stripe_not_connected`. */
export async function voidConnectedInvoice(making: ResumableContext, change: InvoiceChange): Promise<ConnectedInvoice> {
  const { invoice, occasion } = change;
  if (invoice.status === "void") return invoice;
  const stripeInvoiceId = sentIdOf(invoice);
  if (invoice.status === "paid") throw notOpen(invoice.status, "It is paid: refund the payment instead.");
  return changed(making, change, "connected_invoice.voided", {
    wanted: "void",
    ask: () => voidInvoice(making.stripe, invoice, { stripeInvoiceId, occasion }),
  });
}

/** Sends the customer the invoice again. Throws `invoice_not_open`, `invoice_being_made`, `stripe_not_connected`. */
export async function sendConnectedInvoice(making: ResumableContext, change: InvoiceChange): Promise<ConnectedInvoice> {
  const { invoice, occasion } = change;
  const { status } = invoice;
  const stripeInvoiceId = sentIdOf(invoice);
  if (status !== "pending" && status !== "payment_failed") {
    throw notOpen(status, "Only one that waits for its payment can be sent.");
  }
  return changed(making, change, "connected_invoice.sent", {
    ask: () => sendInvoice(making.stripe, invoice, { stripeInvoiceId, occasion }, "request"),
  });
}

function sentIdOf({ stage, stripeInvoiceId }: ConnectedInvoice): string {
  if (stage !== "making" && stripeInvoiceId !== null) return stripeInvoiceId;
  throw publicError(stage === "abandoned" ? "invoice_not_open" : "invoice_being_made");
}

function notOpen(status: string, message: string): PublicError {
  return publicError("invoice_not_open", { message: `The invoice is ${status.replace("_", " ")}. ${message}` });
}

/** The account may be another tenant's by now. */
async function checkConnected(scope: TenantScope, invoice: ConnectedInvoice): Promise<void> {
  if (await isConnected(scope, invoice)) return;
  throw publicError("stripe_not_connected", {
    message: "The Stripe account of this invoice is not connected any more: connect it again, and send this again.",
  });
}

interface Asked {
  /** The status that the act is for: one that stands already is as good. */
  wanted?: "void";
  ask: () => Promise<StripeAnswer<StripeInvoice>>;
}

async function changed(
  making: ResumableContext,
  { scope, invoice, act }: InvoiceChange,
  action: string,
  { wanted, ask }: Asked,
): Promise<ConnectedInvoice> {
  await checkConnected(scope, invoice);
  let refusal: StripeCallError | undefined;
  const answer = await ask().catch(async (error: unknown) => {
    if (!(error instanceof StripeCallError) || error.transient || error.code !== "stripe_refused") throw error;
    refusal = error;
    // Why it is refused, is that it is not what we knew: look, and say so.
    const found = await retrieveInvoice(making.stripe, invoice, invoice.stripeInvoiceId ?? "", "request");
    if (found === undefined) throw error;
    return found;
  });
  const { database, platformTenant, wake } = making;
  const status = statusOf({
    status: answer.value.status,
    paymentFailed: invoice.status === "payment_failed",
  });
  const done = refusal === undefined || status === wanted;
  await database.transaction(async (tx) => {
    const { tenantId, id: target } = invoice;
    const change = { before: { status: invoice.status }, after: { status } };
    if (done) await audit(tx, { tenantId, ...act, action, target, ...change });
    await observe(tx, [observationOf(invoice, answer)], platformTenant);
  });
  wake();
  if (!done) throw status === invoice.status && refusal !== undefined ? refusal : notOpen(status, "Look at it again.");
  return { ...invoice, status };
}
