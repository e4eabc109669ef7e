// What a customer is shown of their own billing: subscription and invoices, as our copies of Stripe's objects have them.
import type { Account, TenantMode } from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";

export interface OwnSubscription {
  id: string;
  status: string | null;
  priceId: string | null;
  quantity: number | null;
  currentPeriodEnd: Date | null;
  trialEnd: Date | null;
  cancelAt: Date | null;
}

/** The one that counts: an open one before those that have ended, then the newest. */
export async function readOwnSubscription(
  tx: Queryable,
  mode: TenantMode,
  account: Account,
): Promise<OwnSubscription | undefined> {
  if (account.stripeCustomerId === null) return undefined;
  return (await tx.query<OwnSubscription>({ text: SUBSCRIPTION, values: customerOf(mode, account) })).rows[0];
}

export interface OwnInvoice {
  id: string;
  number: string | null;
  status: string | null;
  /** Minor units. */
  total: number | null;
  amountDue: number | null;
  amountPaid: number | null;
  currency: string | null;
  createdAt: Date | null;
  dueAt: Date | null;
  paidAt: Date | null;
  hostedInvoiceUrl: string | null;
  invoicePdf: string | null;
}

export interface InvoicePage {
  items: OwnInvoice[];
  next_cursor: string | null;
}

/** Newest first, without drafts. Throws `invalid_request` for a cursor that was not given out here. */
export async function readOwnInvoices(
  tx: Queryable,
  mode: TenantMode,
  account: Account,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<InvoicePage> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (account.stripeCustomerId === null) return { items: [], next_cursor: null };
  const values = [...customerOf(mode, account), after?.created ?? null, after?.id ?? null, limit + 1];
  const { rows } = await tx.query<OwnInvoice & { created: string }>({ text: INVOICES, values });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? `${last.created}:${last.id}` : null };
}

function readCursor(cursor: string): { created: string; id: string } {
  const [, created, id] = /^(\d{1,12}):(in_\w{1,250})$/.exec(cursor) ?? [];
  if (created !== undefined && id !== undefined) return { created, id };
  const message = "Send the next_cursor of the page before, unchanged.";
  throw publicError("invalid_request", { message, param: "cursor" });
}

function customerOf({ tenantId, livemode }: TenantMode, { stripeCustomerId, stripeCustomerAccount }: Account) {
  return [tenantId, livemode, stripeCustomerAccount, stripeCustomerId];
}

const OWN = `
  stored.tenant_id = $1 and stored.livemode = $2 and stored.stripe_account = $3 and stored.customer_id = $4
  and not stored.deleted`;

const SUBSCRIPTION = `
  select stored.id, stored.status, stored.price_id as "priceId", stored.quantity,
         stored.current_period_end as "currentPeriodEnd", stored.trial_end as "trialEnd",
         case when stored.cancel_scheduled then coalesce(stored.cancel_at, stored.current_period_end) end as "cancelAt"
  from subscriptions as stored where ${OWN}
  order by stored.status in ('canceled', 'incomplete_expired'), stored.stripe_created desc nulls last, stored.id desc
  limit 1`;

const INVOICES = `
  select stored.id, stored.number, stored.status, stored.total, stored.amount_due as "amountDue",
         stored.amount_paid as "amountPaid", stored.currency, stored.stripe_created as "createdAt",
         stored.due_date as "dueAt", stored.paid_at as "paidAt", stored.hosted_invoice_url as "hostedInvoiceUrl",
         stored.invoice_pdf as "invoicePdf",
         coalesce(extract(epoch from stored.stripe_created), 0)::bigint::text as created
  from invoices as stored
  where ${OWN} and stored.status is distinct from 'draft'
    and ($5::bigint is null
         or (coalesce(extract(epoch from stored.stripe_created), 0)::bigint, stored.id) < ($5::bigint, $6::text collate "C"))
  order by coalesce(extract(epoch from stored.stripe_created), 0)::bigint desc, stored.id desc limit $7`;
