// The tenants' records of invoices on their connected accounts, and the work of making them. Table: connected_invoices
import { bigintArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type {
  ConnectedInvoice,
  ConnectedInvoiceStatus,
  InvoiceHead,
  Lease,
  NewConnectedInvoice,
  Progress,
} from "./connected-invoice.ts";

/** Stores what is to be made, with the lease of who makes it. undefined: this request has a record already. */
export async function insertConnectedInvoice(
  tx: Queryable,
  made: NewConnectedInvoice,
  lease: Lease,
): Promise<ConnectedInvoice | undefined> {
  const { rows } = await tx.query<ConnectedInvoice>({
    text: INSERT,
    values: [
      ...[made.tenantId, made.id, made.livemode, made.account, made.requestKey, made.customerEmail, made.customerName],
      ...[made.currency, JSON.stringify(made.items), made.memo, JSON.stringify(made.metadata), made.daysUntilDue],
      ...[made.applicationFeePercent, made.applicationFeeAmount, made.total, made.createdBy, lease.name, lease.seconds],
    ],
  });
  return rows[0];
}

export interface Wanted {
  tenantId: string;
  livemode: boolean;
}

export async function findByRequest(
  tx: Queryable,
  { tenantId, livemode, requestKey }: Wanted & { requestKey: string },
): Promise<ConnectedInvoice | undefined> {
  const text = `${SELECT} where tenant_id = $1 and livemode = $2 and request_key = $3`;
  return (await tx.query<ConnectedInvoice>({ text, values: [tenantId, livemode, requestKey] })).rows[0];
}

/** One that its tenant may know of: not what was refused before anything came of it. */
export async function findConnectedInvoice(
  tx: Queryable,
  { tenantId, livemode, id }: Wanted & { id: string },
): Promise<ConnectedInvoice | undefined> {
  const text = `${SELECT} where tenant_id = $1 and livemode = $2 and id = $3 and ${KNOWN_INVOICE}`;
  return (await tx.query<ConnectedInvoice>({ text, values: [tenantId, livemode, id] })).rows[0];
}

export interface ListFilter extends Wanted {
  statuses: readonly ConnectedInvoiceStatus[];
  /** These alone: see `invoicesForEmail`. */
  ids?: readonly string[] | undefined;
  /** Milliseconds since 1970, as answers have it: what is finer counts to its millisecond. */
  created: { gt?: number | undefined; gte?: number | undefined; lt?: number | undefined; lte?: number | undefined };
  /** Where the page before ended. */
  after?: InvoicePlace | undefined;
  limit: number;
}

/** A place in the list, whether or not an invoice stands there. */
export interface InvoicePlace {
  /** Microseconds since 1970, which is all that PostgreSQL keeps of a time. */
  createdMicros: number;
  id: string;
}

/** Newest first. */
export async function listConnectedInvoices(
  tx: Queryable,
  filter: ListFilter,
): Promise<(ConnectedInvoice & InvoicePlace)[]> {
  const { tenantId, livemode, statuses, ids, created, after, limit } = filter;
  const values: unknown[] = [tenantId, livemode, limit];
  const and = (condition: string, ...given: unknown[]): string => {
    if (given.includes(undefined)) return "";
    let named = condition;
    for (const value of given) named = named.replace("?", `$${values.push(value)}`);
    return ` and ${named}`;
  };
  const wanted = [
    and("id = any (?::text[])", ids),
    and(`created_at >= ${AT_MS}`, next(created.gt)),
    and(`created_at >= ${AT_MS}`, created.gte),
    and(`created_at < ${AT_MS}`, created.lt),
    and(`created_at < ${AT_MS}`, next(created.lte)),
    and(BEHIND, after?.createdMicros, after?.id),
  ].join("");
  const page = (status: string): string =>
    `${LISTED} where tenant_id = $1 and livemode = $2 and ${KNOWN_INVOICE}${wanted}${status} order by created_at desc, id desc limit $3`;
  const text = statuses.length === 0 ? page("") : ofStatuses(page, values.push([...new Set(statuses)]));
  return (await tx.query<ConnectedInvoice & InvoicePlace>({ text, values })).rows;
}

/** The first millisecond that is not this one any more. */
const next = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds + 1;

/** A page of each status, in the order of its index, and of these the first. */
function ofStatuses(page: (status: string) => string, place: number): string {
  return `
    select listed.* from unnest($${place}::text[]) as one (status)
    cross join lateral (${page(` and ${SHOWN_STATUS} = one.status`)}) as listed
    order by listed."createdAt" desc, listed.id desc limit $3`;
}

/** A customer that we made on the account before, for the same address, name and currency. */
export async function customerMadeBefore(tx: Queryable, invoice: ConnectedInvoice): Promise<string | undefined> {
  const { tenantId, livemode, account, customerEmail, customerName, currency } = invoice;
  const values = [tenantId, livemode, account, customerEmail, customerName, currency];
  return (await tx.query<{ id: string }>({ text: CUSTOMER_BEFORE, values })).rows[0]?.id;
}

/** Takes over one that nobody works on. undefined: nothing is left to do, or somebody does it. */
export async function claimConnectedInvoice(
  tx: Queryable,
  { tenantId, id }: Pick<ConnectedInvoice, "tenantId" | "id">,
  lease: Lease,
): Promise<ConnectedInvoice | undefined> {
  const text = `${CLAIM} where tenant_id = $3 and id = $4 and next_attempt_at is not null
    and (lease is null or next_attempt_at <= now()) returning ${COLUMNS}`;
  return (await tx.query<ConnectedInvoice>({ text, values: [lease.name, lease.seconds, tenantId, id] })).rows[0];
}

/**
 * Takes over what is due, in the modes that there is a key for: so many in all and of each account, and none of the excluded
 * accounts, which are named as `accountKey` does.
 */
export async function claimDueInvoices(
  tx: Queryable,
  due: { modes: readonly boolean[]; limit: { all: number; perKey: number }; excluded: readonly string[] },
  lease: Lease,
): Promise<ConnectedInvoice[]> {
  const { modes, limit, excluded } = due;
  const values = [lease.name, lease.seconds, modes, limit.all, limit.perKey, textArray(excluded)];
  const text = `with due as (${DUE}) ${CLAIM} where (tenant_id, id) in (select tenant_id, id from due) returning ${COLUMNS}`;
  return (await tx.query<ConnectedInvoice>({ text, values })).rows;
}

/**
 * Writes down how far it has come, and renews the lease, or ends it where nothing is left.
 * undefined: the lease was lost, and another one goes on with it.
 */
export async function recordProgress(
  tx: Queryable,
  { tenantId, id }: Pick<ConnectedInvoice, "tenantId" | "id">,
  lease: Lease,
  progress: Progress,
): Promise<ConnectedInvoice | undefined> {
  const { customer, invoice, itemsMade, stage, keyRound, error, putOff } = progress;
  // A record of it as made elsewhere can only be a mistake of who changed its metadata: there is one invoice.
  if (invoice !== undefined) await tx.query({ text: FORGET_TWIN, values: [tenantId, id, invoice.id] });
  const over = stage === "made" || stage === "refused" || stage === "abandoned";
  const values = [
    ...[tenantId, id, lease.name, customer !== undefined, customer?.id ?? null, customer?.made ?? null],
    ...[invoice?.id ?? null, invoice?.finalized ?? false, invoice?.number ?? null, invoice?.hostedInvoiceUrl ?? null],
    ...[invoice?.invoicePdf ?? null, invoice?.dueAt ?? null, itemsMade ?? null, stage ?? null, keyRound ?? null],
    ...[error?.code ?? null, error?.message ?? null, error?.stripeRequestId ?? null],
    ...[over ? null : (putOff ?? lease.seconds), over || putOff !== undefined],
  ];
  return (await tx.query<ConnectedInvoice>({ text: PROGRESS, values })).rows[0];
}

/**
 * Brings the records to what the heads say, in the commit of those: ours by the invoice's id, or by its metadata while we
 * do not know that id yet; what was made elsewhere gets a record once it is no draft any more.
 *
 * @param newRecordId one for each head, used where a record must be made
 */
export async function applyHeads(
  tx: Queryable,
  heads: readonly InvoiceHead[],
  newRecordId: () => string,
): Promise<void> {
  if (heads.length === 0) return;
  const sorted = [...heads].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const adopting = sorted.filter(({ madeFor }) => madeFor !== null);
  if (adopting.length > 0) await tx.query({ text: ADOPT, values: [...keyArrays(adopting), ...claimArrays(adopting)] });
  const rows = JSON.stringify(sorted.map((head) => ({ ...wireHead(head), id: newRecordId() })));
  // In this order: what the first finds is not inserted by the second.
  await Promise.all([tx.query({ text: FOLLOW, values: [rows] }), tx.query({ text: RECORD_OTHERS, values: [rows] })]);
}

function keyOf({ livemode, account, stripeInvoiceId, tenantId }: InvoiceHead): string {
  return [livemode, account, stripeInvoiceId, tenantId].join("|");
}

function keyArrays(heads: readonly InvoiceHead[]): Buffer[] {
  return [textArray(heads.map((head) => head.tenantId)), textArray(heads.map((head) => head.stripeInvoiceId))];
}

function claimArrays(heads: readonly InvoiceHead[]): Buffer[] {
  return [
    textArray(heads.map((head) => head.madeFor)),
    textArray(heads.map((head) => (head.livemode ? "true" : "false"))),
    textArray(heads.map((head) => head.account)),
    bigintArray(heads.map((head) => head.created ?? 0)),
  ];
}

function wireHead(head: InvoiceHead) {
  return {
    ...{ tenant_id: head.tenantId, livemode: head.livemode, stripe_account: head.account },
    ...{ stripe_invoice_id: head.stripeInvoiceId, draft: head.draft, status: head.status },
    ...{ created: head.created, paid_at: head.paidAt, due_at: head.dueAt, currency: head.currency },
    ...{ total: head.total, amount_due: head.amountDue, amount_paid: head.amountPaid },
    ...{ application_fee_amount: head.applicationFeeAmount, stripe_customer_id: head.stripeCustomerId },
    ...{ customer_email: head.customerEmail, customer_name: head.customerName, number: head.number },
    ...{ hosted_invoice_url: head.hostedInvoiceUrl, invoice_pdf: head.invoicePdf, memo: head.memo },
    ...{ items: head.items, metadata: head.metadata },
  };
}

/** What was refused at once never came to be. */
export const KNOWN_INVOICE = "stage not in ('refusing', 'refused')";

/** An invoice that never was, is as good as void. */
const SHOWN_STATUS = "case when stage = 'abandoned' then 'void' else status end";

const COLUMNS = `
  tenant_id as "tenantId", id as "id", livemode, stripe_account as account, origin, customer_email as "customerEmail",
  customer_name as "customerName", currency, items, memo, metadata, days_until_due as "daysUntilDue",
  application_fee_percent::float8 as "applicationFeePercent", application_fee_amount as "applicationFeeAmount", total,
  amount_paid as "amountPaid", stripe_customer_id as "stripeCustomerId", stripe_invoice_id as "stripeInvoiceId", number,
  ${SHOWN_STATUS} as status, paid_at as "paidAt", due_at as "dueAt", hosted_invoice_url as "hostedInvoiceUrl",
  invoice_pdf as "invoicePdf", stage, customer_made as "customerMade", items_made as "itemsMade", finalized,
  key_round as "keyRound", attempts, lease, extract(epoch from now() - created_at)::float8 as age, error_code as "errorCode",
  error_message as "errorMessage", error_request_id as "errorRequestId", created_at as "createdAt", updated_at as "updatedAt"`;

const SELECT = `select ${COLUMNS} from connected_invoices`;

const LISTED = `select ${COLUMNS}, (extract(epoch from created_at) * 1000000)::bigint as "createdMicros" from connected_invoices`;

const AT_MS = "timestamptz 'epoch' + ?::float8 * interval '1 millisecond'";
const BEHIND = "(created_at, id) < (timestamptz 'epoch' + ?::float8 * interval '1 microsecond', ?)";

const INSERT = `
  insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, request_key, customer_email, customer_name,
    currency, items, memo, metadata, days_until_due, application_fee_percent, application_fee_amount, total, amount_due,
    created_by, stage, lease, next_attempt_at, attempts)
  values ($1, $2, $3, $4, 'billhook', $5, $6, $7, $8, $9::jsonb, $10, $11::jsonb, $12, $13, $14, $15, $15, $16, 'making', $17,
    now() + $18::int * interval '1 second', 1)
  on conflict (tenant_id, livemode, request_key) where request_key is not null do nothing
  returning ${COLUMNS}`;

const CUSTOMER_BEFORE = `
  select stripe_customer_id as id from connected_invoices
  where tenant_id = $1 and livemode = $2 and stripe_account = $3 and lower(customer_email) = lower($4)
    and customer_name is not distinct from $5 and currency = $6 and origin = 'billhook' and stripe_customer_id is not null
  order by created_at desc, id desc limit 1`;

const CLAIM = `
  update connected_invoices
  set lease = $1, next_attempt_at = now() + $2::int * interval '1 second', attempts = attempts + 1, updated_at = now()`;

const DUE = `
  select tenant_id, id from connected_invoices
  where next_attempt_at <= now() and (tenant_id, id) in (
    select tenant_id, id from (
      select tenant_id, id, next_attempt_at,
             row_number() over (partition by livemode, stripe_account order by next_attempt_at) as place
      from (
        select tenant_id, id, livemode, stripe_account, next_attempt_at from connected_invoices
        where next_attempt_at <= now() and livemode = any ($3::boolean[])
          and case when livemode then 'live|' else 'test|' end || stripe_account <> all ($6::text[])
        order by next_attempt_at limit 200
      ) as oldest
    ) as placed
    where place <= $5 order by next_attempt_at limit $4
  )
  for update skip locked`;

const FORGET_TWIN = `
  delete from connected_invoices as twin using connected_invoices as ours
  where ours.tenant_id = $1 and ours.id = $2 and ours.stripe_invoice_id is null and twin.tenant_id = ours.tenant_id
    and twin.livemode = ours.livemode and twin.stripe_account = ours.stripe_account and twin.stripe_invoice_id = $3
    and twin.origin = 'stripe'`;

const PROGRESS = `
  update connected_invoices set
    stripe_customer_id = case when $4::boolean then $5 else stripe_customer_id end,
    customer_made = coalesce($6, customer_made),
    stripe_invoice_id = coalesce($7, stripe_invoice_id), finalized = finalized or $8,
    number = coalesce(number, $9), hosted_invoice_url = coalesce(hosted_invoice_url, $10),
    invoice_pdf = coalesce(invoice_pdf, $11), due_at = coalesce(due_at, to_timestamp($12)),
    items_made = coalesce($13, items_made), stage = coalesce($14, stage), key_round = coalesce($15, key_round),
    error_code = case when $14 = 'made' or $16::text is not null then $16 else error_code end,
    error_message = case when $14 = 'made' or $16::text is not null then $17 else error_message end,
    error_request_id = case when $14 = 'made' or $16::text is not null then $18 else error_request_id end,
    request_key = case when $14 in ('refusing', 'refused') then null else request_key end,
    next_attempt_at = now() + $19::float8 * interval '1 second', lease = case when $20::boolean then null else lease end,
    updated_at = now()
  where tenant_id = $1 and id = $2 and lease = $3
  returning ${COLUMNS}`;

// Of several invoices that name one record, the oldest: a copy made in Stripe's dashboard carries the metadata too.
const ADOPT = `
  with claims as (
    select distinct on (tenant_id, id) tenant_id, stripe_invoice_id, id, livemode::boolean, stripe_account
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
      as claim (tenant_id, stripe_invoice_id, id, livemode, stripe_account, created)
    order by tenant_id, id, created, stripe_invoice_id
  ), known as (
    select ours.tenant_id, ours.id, claims.stripe_invoice_id
    from claims join connected_invoices as ours
      on ours.tenant_id = claims.tenant_id and ours.id = claims.id and ours.livemode = claims.livemode
     and ours.stripe_account = claims.stripe_account
    where ours.stripe_invoice_id is null and ours.origin = 'billhook' and not exists (
      select from connected_invoices as taken
      where taken.tenant_id = claims.tenant_id and taken.livemode = claims.livemode
        and taken.stripe_account = claims.stripe_account and taken.stripe_invoice_id = claims.stripe_invoice_id)
    order by ours.tenant_id, ours.id for update of ours
  )
  update connected_invoices as ours set stripe_invoice_id = known.stripe_invoice_id, updated_at = now()
  from known where ours.tenant_id = known.tenant_id and ours.id = known.id`;

const HEADS = `
  jsonb_to_recordset($1::jsonb) as head (
    tenant_id text, id text, livemode boolean, stripe_account text, stripe_invoice_id text, draft boolean, status text,
    created bigint, paid_at bigint, due_at bigint, currency text, total bigint, amount_due bigint, amount_paid bigint,
    application_fee_amount bigint, stripe_customer_id text, customer_email text, customer_name text, number text,
    hosted_invoice_url text, invoice_pdf text, memo text, items jsonb, metadata jsonb)`;

// A draft tells nothing but that it is there. What we asked for (items, customer, fee) stays as we asked for it. Whatever
// we made of it, an invoice that Stripe has finalized is there.
const FOLLOW = `
  with followed as (
    select record.tenant_id as of_tenant, record.id as of_id, head.*
    from ${HEADS} join connected_invoices as record
      on record.livemode = head.livemode and record.stripe_account = head.stripe_account
     and record.stripe_invoice_id = head.stripe_invoice_id and record.tenant_id = head.tenant_id
    where not head.draft
    order by record.tenant_id, record.id for update of record
  )
  update connected_invoices as record set
    finalized = true, stage = case when record.stage = 'making' then 'making' else 'made' end,
    next_attempt_at = case when record.stage = 'making' then record.next_attempt_at end, status = followed.status, number = followed.number, total = followed.total,
    amount_due = followed.amount_due, amount_paid = followed.amount_paid, paid_at = to_timestamp(followed.paid_at),
    due_at = to_timestamp(followed.due_at), hosted_invoice_url = followed.hosted_invoice_url,
    invoice_pdf = followed.invoice_pdf, updated_at = now(),
    customer_email = case record.origin when 'stripe' then followed.customer_email else record.customer_email end,
    customer_name = case record.origin when 'stripe' then followed.customer_name else record.customer_name end,
    memo = case record.origin when 'stripe' then followed.memo else record.memo end,
    items = case record.origin when 'stripe' then followed.items else record.items end,
    metadata = case record.origin when 'stripe' then followed.metadata else record.metadata end
  from followed where record.tenant_id = followed.of_tenant and record.id = followed.of_id`;

const RECORD_OTHERS = `
  insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, customer_email, customer_name, currency,
    items, memo, metadata, application_fee_amount, total, amount_due, amount_paid, stripe_customer_id, stripe_invoice_id,
    number, status, paid_at, due_at, hosted_invoice_url, invoice_pdf, finalized, created_at)
  select tenant_id, id, livemode, stripe_account, 'stripe', customer_email, customer_name, currency, items, memo, metadata,
    application_fee_amount, total, amount_due, amount_paid, stripe_customer_id, stripe_invoice_id, number, status,
    to_timestamp(paid_at), to_timestamp(due_at), hosted_invoice_url, invoice_pdf, true,
    coalesce(to_timestamp(created), now())
  from ${HEADS} where not draft
  order by livemode, stripe_account, stripe_invoice_id, tenant_id
  on conflict (livemode, stripe_account, stripe_invoice_id, tenant_id) where stripe_invoice_id is not null do nothing`;
