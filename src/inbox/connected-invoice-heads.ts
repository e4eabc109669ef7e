// What the heads of connected accounts' invoices say, handed to the tenants' records of them in the same commit.
import { newId } from "../base/ids.ts";
import { storableText } from "../base/text.ts";
import { type InvoiceHead, type InvoiceItem, RECORD_FIELD, statusOf } from "../connections/connected-invoice.ts";
import { applyHeads } from "../connections/connected-invoice-table.ts";
import type { Queryable } from "../db/database.ts";
import type { ObjectKey } from "../projections/observation.ts";
import { integer, listed, text } from "../stripe/read-values.ts";
import { keyArrays } from "./projection-tables.ts";

/**
 * Asked after the rows and facts of these invoices are written, under their locks. What it comes to is a function of those
 * rows and facts, so that doing it again changes nothing.
 */
export async function followInvoices(tx: Queryable, keys: readonly ObjectKey[]): Promise<void> {
  const wanted = keys.filter(({ account, objectType }) => objectType === "invoice" && account !== "");
  if (wanted.length === 0) return;
  const { rows } = await tx.query<HeadRow>({ text: HEADS, values: keyArrays(wanted) });
  await applyHeads(tx, rows.map(headOf), () => newId("cinv"));
}

/** The same for all of an account's invoices, whose rows have got another tenant. */
export async function followInvoicesOf(
  tx: Queryable,
  { livemode, account }: { livemode: boolean; account: string },
): Promise<void> {
  for (let after = ""; ;) {
    const page = { text: IDS, values: [livemode, account, after, PAGE] };
    const ids = (await tx.query<{ id: string }>(page)).rows.map(({ id }) => id);
    const last = ids.at(-1);
    if (last === undefined) return;
    await followInvoices(
      tx,
      ids.map((objectId) => ({ livemode, account, objectType: "invoice", objectId })),
    );
    after = last;
  }
}

const PAGE = 200;

interface HeadRow extends Omit<InvoiceHead, "madeFor" | "draft" | "status" | "items" | "metadata" | "currency"> {
  status: string | null;
  paymentFailed: boolean;
  currency: string | null;
  metadata: Record<string, unknown> | null;
  /** The snapshot. */
  data: string;
}

function headOf({ status, paymentFailed, metadata, data, currency, ...row }: HeadRow): InvoiceHead {
  const { [RECORD_FIELD]: madeFor, ...rest } = metadata ?? {};
  const shown = statusOf({ status, paymentFailed });
  return {
    ...row,
    currency: currency ?? "",
    madeFor: typeof madeFor === "string" ? madeFor : null,
    draft: status === "draft" || status === null,
    status: shown,
    paidAt: shown === "paid" ? row.paidAt : null,
    items: itemsOf(JSON.parse(data) as Record<string, unknown>),
    metadata: rest,
  };
}

/** The lines as items: where a line's amount is no multiple of its quantity, it stands as one. */
export function itemsOf(invoice: Record<string, unknown>): InvoiceItem[] {
  return listed(invoice.lines).map((line) => {
    const amount = integer(line.amount) ?? 0;
    const quantity = integer(line.quantity) ?? 1;
    const divides = quantity > 0 && amount % quantity === 0;
    const said = text(line.description) ?? null;
    const description = said === null ? null : storableText(said);
    return divides ? { description, amount: amount / quantity, quantity } : { description, amount, quantity: 1 };
  });
}

const IDS = `
  select id from invoices where livemode = $1 and stripe_account = $2 and id > $3
  order by id limit $4`;
// The failure of an account that moved is its former owner's fact, whose record of the invoice stays.
// A failure's natural key is the invoice's id, a colon and the attempt; the semicolon is the sign after the colon.
const HEADS = `
  select invoice.tenant_id as "tenantId", invoice.livemode, invoice.stripe_account as account, invoice.id as "stripeInvoiceId",
    invoice.status, extract(epoch from invoice.stripe_created)::bigint as created,
    extract(epoch from invoice.paid_at)::bigint as "paidAt", extract(epoch from invoice.due_date)::bigint as "dueAt",
    invoice.currency, coalesce(invoice.total, 0) as total, invoice.amount_due as "amountDue",
    coalesce(invoice.amount_paid, 0) as "amountPaid", invoice.application_fee_amount as "applicationFeeAmount",
    invoice.customer_id as "stripeCustomerId", invoice.customer_email as "customerEmail",
    invoice.customer_name as "customerName", invoice.number, invoice.hosted_invoice_url as "hostedInvoiceUrl",
    invoice.invoice_pdf as "invoicePdf", invoice.description as memo, invoice.metadata, invoice.data,
    exists (
      select from facts as fact
      where fact.tenant_id = any (array(
          select invoice.tenant_id
          union all
          select record.tenant_id from connected_invoices as record
          where record.livemode = invoice.livemode and record.stripe_account = invoice.stripe_account
            and record.stripe_invoice_id = invoice.id))
        and fact.livemode = invoice.livemode
        and fact.type = 'invoice.payment_failed' and fact.natural_key > invoice.id || ':'
        and fact.natural_key < invoice.id || ';' and fact.stripe_account = invoice.stripe_account) as "paymentFailed"
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[]) as wanted (livemode, stripe_account, object_type, id)
  join invoices as invoice
    on invoice.livemode = wanted.livemode and invoice.stripe_account = wanted.stripe_account and invoice.id = wanted.id
  where invoice.tenant_id is not null`;
