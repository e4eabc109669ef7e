// Routes of invoices on connected accounts: create, list, retrieve, void, send again.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { MOST } from "../billing/charge-limits.ts";
import {
  createConnectedInvoice,
  type InvoiceChange,
  type InvoiceCreation,
  sendConnectedInvoice,
  voidConnectedInvoice,
} from "../billing/connected-invoices.ts";
import {
  type ConnectedInvoice,
  INVOICE_STATUSES,
  isWholeHundredths,
  RECORD_FIELD,
} from "../connections/connected-invoice.ts";
import { invoicesForEmail } from "../connections/connected-invoice-emails.ts";
import {
  findConnectedInvoice,
  type InvoicePlace,
  listConnectedInvoices,
} from "../connections/connected-invoice-table.ts";
import { ownId, pageOf, readCursor } from "../inbox/list-query.ts";
import { ownerFields, readAnyOperation } from "./any-tenants.ts";
import { actOf, scopeOf, tenantOf } from "./caller.ts";
import { email, knownEmail, plainLine } from "./people-fields.ts";
import { idParams, isoTime, listOf, moment, pageFields } from "./query-fields.ts";
import { type ApiDependencies, type Call, operation } from "./route.ts";

const TAG = "Connected-account invoices";

/** Stripe takes 250 lines; each of ours is a call of its own. */
const MOST_ITEMS = 50;
/** Stripe takes 50 fields, of which one is ours. */
const MOST_METADATA = 49;

export const percent = z
  .number()
  .min(0)
  .max(100)
  .refine(isWholeHundredths, "must have two decimals at most")
  .meta({ description: "0 to 100, two decimals at most." });

const metadata = z
  .record(
    z
      .string()
      .min(1)
      .max(40)
      .regex(/^[^[\]\p{Cc}\p{Cs}]+$/u, "must not contain brackets"),
    z
      .string()
      .max(500)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters"),
  )
  .refine((fields) => Object.keys(fields).length <= MOST_METADATA, `must have at most ${String(MOST_METADATA)} fields`)
  .refine((fields) => !(RECORD_FIELD in fields), `\`${RECORD_FIELD}\` is set by us`);

const item = z.strictObject({
  description: plainLine(500),
  amount: z.int().min(0).max(MOST).meta({ description: "For one, in the smallest unit of the currency." }),
  quantity: z.int().min(1).max(1_000_000).default(1),
});

const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, "must be a currency code such as usd")
  .transform((code) => code.toLowerCase());

const NewInvoice = z.strictObject({
  customer_email: email,
  customer_name: plainLine(200).optional(),
  currency,
  items: z.array(item).min(1).max(MOST_ITEMS),
  days_until_due: z.int().min(0).max(365).default(30),
  memo: z
    .string()
    .trim()
    .min(1)
    .max(1500)
    .regex(/^[^\p{Cc}\p{Cs}]*(?:\n[^\p{Cc}\p{Cs}]*)*$/u, "must not contain control characters")
    .optional()
    .meta({ description: "Stands on the invoice." }),
  metadata: metadata.default({}),
  application_fee_percent: percent
    .optional()
    .meta({ description: "The platform's share of this invoice. Default: the tenant's, else `PLATFORM_FEE_PERCENT`." }),
});

const status = z.enum(INVOICE_STATUSES);

const InvoiceAnswer = z
  .strictObject({
    id: z.string(),
    object: z.literal("connected_invoice"),
    livemode: z.boolean(),
    origin: z.enum(["billhook", "stripe"]).meta({ description: "`stripe`: made elsewhere on the connected account." }),
    status: status.meta({
      description:
        "pending → paid | payment_failed (may still be paid) | void | uncollectible (may still be paid). An invoice that was given up before Stripe had it is void, with its `failure`.",
    }),
    stripe_account: z.string(),
    stripe_invoice_id: z.string().nullable().meta({ description: "null while it is on its way to Stripe." }),
    number: z.string().nullable(),
    customer_email: z.string().nullable(),
    customer_name: z.string().nullable(),
    currency: z.string(),
    amount: z.int().meta({ description: "The total, in the smallest unit of the currency." }),
    amount_paid: z.int(),
    application_fee_percent: z.number().nullable(),
    application_fee_amount: z.int().nullable(),
    items: z.array(z.strictObject({ description: z.string().nullable(), amount: z.int(), quantity: z.int() })),
    memo: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    due_date: isoTime.nullable(),
    paid_at: isoTime.nullable(),
    hosted_invoice_url: z.string().nullable(),
    invoice_pdf: z.string().nullable(),
    failure: z
      .strictObject({ code: z.string(), message: z.string(), stripe_request_id: z.string().nullable() })
      .nullable()
      .meta({ description: "Why it was given up, or could not be sent to the customer." }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "ConnectedInvoice" });

function viewOf(invoice: ConnectedInvoice): z.output<typeof InvoiceAnswer> {
  return {
    id: invoice.id,
    object: "connected_invoice",
    livemode: invoice.livemode,
    origin: invoice.origin,
    status: invoice.status,
    stripe_account: invoice.account,
    stripe_invoice_id: invoice.stripeInvoiceId,
    number: invoice.number,
    customer_email: invoice.customerEmail,
    customer_name: invoice.customerName,
    currency: invoice.currency,
    amount: invoice.total,
    amount_paid: invoice.amountPaid,
    application_fee_percent: invoice.applicationFeePercent,
    application_fee_amount: invoice.applicationFeeAmount,
    items: [...invoice.items],
    memo: invoice.memo,
    metadata: invoice.metadata,
    due_date: invoice.dueAt?.toISOString() ?? null,
    paid_at: invoice.paidAt?.toISOString() ?? null,
    hosted_invoice_url: invoice.hostedInvoiceUrl,
    invoice_pdf: invoice.invoicePdf,
    failure: failureOf(invoice),
    created_at: invoice.createdAt.toISOString(),
    updated_at: invoice.updatedAt.toISOString(),
  };
}

/** While it is being made, a failed call is no failure yet. */
function failureOf({ stage, errorCode, errorMessage, errorRequestId }: ConnectedInvoice) {
  if (stage === "making" || errorCode === null) return null;
  return { code: errorCode, message: errorMessage ?? "", stripe_request_id: errorRequestId };
}

function makingOf(deps: ApiDependencies): InvoiceCreation {
  const { database, stripe, clock, log, platformTenant, wake, platformFeePercent } = deps;
  return { database, stripe, clock, log, platformTenant, wake, platformFeePercent, newLease: () => newId("node") };
}

export const createInvoice = operation({
  tag: TAG,
  body: NewInvoice,
  idempotent: true,
  answers: {
    201: InvoiceAnswer,
    202: InvoiceAnswer.meta({
      description: "Stripe does not answer: the invoice is kept, and is made and sent as soon as it does.",
    }),
  },
  run: async (call) => {
    const { deps, body, caller, reply, idempotencyKey: requestKey } = call;
    const wanted = {
      livemode: caller.livemode,
      customerEmail: body.customer_email,
      customerName: body.customer_name ?? null,
      currency: body.currency,
      items: body.items,
      daysUntilDue: body.days_until_due,
      memo: body.memo ?? null,
      metadata: body.metadata,
      applicationFeePercent: body.application_fee_percent,
      requestKey,
    };
    const { outcome, invoice } = await createConnectedInvoice(makingOf(deps), scopeOf(call), wanted, actOf(caller));
    reply.status(outcome === "made" ? 201 : 202);
    return viewOf(invoice);
  },
});

const created = moment.meta({ description: "ISO 8601 or Unix seconds." });

export const listInvoices = operation({
  tag: TAG,
  query: z.strictObject({
    ...pageFields,
    status: z
      .string()
      .max(200)
      .transform((text) => text.split(",").map((word) => word.trim()))
      .pipe(z.array(status))
      .optional()
      .meta({ description: "One or several, by commas." }),
    customer_email: knownEmail.optional(),
    "created[gt]": created,
    "created[gte]": created,
    "created[lt]": created,
    "created[lte]": created,
  }),
  answers: { 200: listOf(InvoiceAnswer) },
  run: async (call) => {
    const { query, caller } = call;
    const own = { tenantId: tenantOf(caller).id, livemode: caller.livemode };
    const { customer_email: address, cursor } = query;
    const rows = await listConnectedInvoices(scopeOf(call), {
      ...own,
      statuses: query.status ?? [],
      ids: address === undefined ? undefined : await invoicesForEmail(call.deps.database, own, address),
      created: {
        gt: query["created[gt]"],
        gte: query["created[gte]"],
        lt: query["created[lt]"],
        lte: query["created[lte]"],
      },
      after: cursor === undefined ? undefined : placeOf(cursor),
      limit: query.limit + 1,
    });
    return pageOf(rows, query.limit, viewOf, ({ createdMicros, id }) => [createdMicros, id]);
  },
});

function placeOf(cursor: string): InvoicePlace {
  const [createdMicros, id] = readCursor(cursor, ["integer", ownId("cinv")]);
  return { createdMicros: Number(createdMicros), id: String(id) };
}

export const readInvoice = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: InvoiceAnswer },
  run: async (call) => viewOf(await wanted(call)),
});

export const readAnyInvoice = readAnyOperation({
  prefix: "cinv",
  answer: InvoiceAnswer.extend(ownerFields).meta({ id: "AnyConnectedInvoice" }),
  read: async (tx, key) => {
    const found = await findConnectedInvoice(tx, key);
    if (found === undefined) throw publicError("not_found");
    return viewOf(found);
  },
});

export const voidInvoice = operation({
  tag: TAG,
  params: idParams,
  idempotent: true,
  answers: { 200: InvoiceAnswer },
  run: async (call) => {
    return viewOf(await voidConnectedInvoice(makingOf(call.deps), await changeOf(call)));
  },
});

export const sendInvoice = operation({
  tag: TAG,
  params: idParams,
  idempotent: true,
  answers: { 200: InvoiceAnswer },
  run: async (call) => {
    return viewOf(await sendConnectedInvoice(makingOf(call.deps), await changeOf(call)));
  },
});

/** The occasion is the same for each run of one request, so that one that died after Stripe's answer does not mail twice. */
async function changeOf(call: Call<{ id: string }, undefined, undefined>): Promise<InvoiceChange> {
  const { caller, requestId, idempotencyKey } = call;
  return {
    scope: scopeOf(call),
    invoice: await wanted(call),
    act: actOf(caller),
    occasion: idempotencyKey ?? requestId,
  };
}

/** The caller's own, in the caller's mode. */
async function wanted(call: Call<{ id: string }, unknown, unknown>): Promise<ConnectedInvoice> {
  const { params, caller } = call;
  const key = { tenantId: tenantOf(caller).id, livemode: caller.livemode, id: params.id };
  const found = await findConnectedInvoice(scopeOf(call), key);
  if (found === undefined) {
    throw publicError("not_found", { message: "There is no invoice with this id in this mode: check both." });
  }
  return found;
}
