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

/** The one that the account's status is of; where none counts, one that was never paid before those that have ended. */
export async function readOwnSubscription(
  tx: Queryable,
  mode: TenantMode,
  account: Account,
): Promise<OwnSubscription | undefined> {
  if (account.stripeCustomerId === null) return undefined;
  const values = [...customerOf(mode, account), account.subscriptionId];
  return (await tx.query<OwnSubscription>({ text: SUBSCRIPTION, values })).rows[0];
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
  const place = after === undefined ? "" : after.created === undefined ? BEHIND_UNDATED : BEHIND;
  const values = [
    ...customerOf(mode, account),
    limit + 1,
    ...[after?.id, after?.created].filter((one) => one !== undefined),
  ];
  const { rows } = await tx.query<OwnInvoice>({ text: `${INVOICES} ${place} ${NEWEST_FIRST}`, values });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? writeCursor(last) : null };
}

function writeCursor({ createdAt, id }: OwnInvoice): string {
  return `${createdAt === null ? "" : Math.floor(createdAt.getTime() / 1000)}:${id}`;
}

/** `created`: seconds; undefined for one whose time could not be read. */
function readCursor(cursor: string): { created: string | undefined; id: string } {
  const [, created, id] = /^(\d{0,12}):(in_\w{1,250})$/.exec(cursor) ?? [];
  if (id !== undefined) return { created: created === "" ? undefined : created, id };
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
  order by stored.id is distinct from $5, stored.status in ('canceled', 'incomplete_expired'), stored.stripe_created desc nulls last, stored.id desc
  limit 1`;

const INVOICES = `
  select stored.id, stored.number, stored.status, stored.total, stored.amount_due as "amountDue",
         stored.amount_paid as "amountPaid", stored.currency, stored.stripe_created as "createdAt",
         stored.due_date as "dueAt", stored.paid_at as "paidAt", stored.hosted_invoice_url as "hostedInvoiceUrl",
         stored.invoice_pdf as "invoicePdf"
  from invoices as stored
  where ${OWN} and stored.status is distinct from 'draft'`;

// As the index has them, and the lists of all invoices: without a time first.
const NEWEST_FIRST = "order by stored.stripe_created desc, stored.id desc limit $5";
const BEHIND_UNDATED = "and (stored.stripe_created is not null or stored.id < $6)";
const BEHIND = `
  and stored.stripe_created <= to_timestamp($7::bigint)
  and (stored.stripe_created < to_timestamp($7::bigint) or stored.id < $6)`;
