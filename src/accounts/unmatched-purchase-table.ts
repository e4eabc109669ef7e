// Paid sessions that belong to no purchase of ours, until their buyer is known or a person decides. Table: unmatched_purchases
import { newId } from "../base/ids.ts";
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

/** A paid session as the reducer has it. */
export interface PaidSession {
  tenantId: string;
  livemode: boolean;
  /** "" for the platform's own account. */
  stripeAccount: string;
  sessionId: string;
  email: string | null;
  name: string | null;
  /** Minor units: before discounts and tax, and what was paid. */
  amountSubtotal: number | null;
  amountTotal: number | null;
  currency: string | null;
  /** An import has told it: it may have been sold before Billhook was there. */
  imported: boolean;
  /** When Stripe made it, in Unix seconds. */
  created: number | null;
}

export const UNMATCHED_STATUSES = ["resolving", "open", "matched", "foreign", "assigned", "dismissed"] as const;
export type UnmatchedStatus = (typeof UNMATCHED_STATUSES)[number];

/** Why a person must decide. */
export const OPEN_REASONS = [
  ...(["no_buyer", "email_known", "no_email", "amount_differs", "pack_inactive", "older_than_pack"] as const),
  ...(["other_items", "session_missing"] as const),
] as const;
export type OpenReason = (typeof OPEN_REASONS)[number];

export interface SoldLine {
  price_id: string | null;
  description: string | null;
  quantity: number;
  /** Minor units, of the whole line before discounts and tax. */
  amount: number;
  /** Null: it is no pack of the tenant's. */
  pack_id: string | null;
}

/** What was bought, of all its packs together. */
export interface Sale {
  lines: SoldLine[];
  /** Null: several. */
  packId: string | null;
  quantity: number;
  credits: number;
  /** Minor units. */
  amount: number;
  currency: string;
  priceId: string | null;
}

export interface UnmatchedPurchase extends Omit<PaidSession, "imported" | "created"> {
  id: string;
  status: UnmatchedStatus;
  reason: OpenReason | null;
  lines: SoldLine[] | null;
  packId: string | null;
  quantity: number | null;
  credits: number | null;
  accountId: string | null;
  purchaseId: string | null;
  attempts: number;
  createdAt: Date;
  decidedAt: Date | null;
}

/**
 * Notes paid sessions that no purchase has and that may hold a pack: those that cost less than any pack of the tenant's at
 * that account are left alone, and Stripe is never asked for their lines. Asked behind whatever may give them their
 * purchase. One that was noted before stays as it is. What an import tells counts from the connection on, of the platform's
 * own account from its installation on: what was sold before brought its credits elsewhere.
 */
export async function noteUnmatched(tx: Queryable, sessions: readonly PaidSession[]): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query({
    name: "note_unmatched",
    text: NOTE,
    values: [
      textArray(sessions.map((one) => one.tenantId)),
      booleanArray(sessions.map((one) => one.livemode)),
      textArray(sessions.map((one) => one.stripeAccount)),
      textArray(sessions.map((one) => one.sessionId)),
      textArray(sessions.map(() => newId("unm"))),
      textArray(sessions.map((one) => one.email)),
      textArray(sessions.map((one) => one.name)),
      bigintArray(sessions.map((one) => one.amountSubtotal)),
      bigintArray(sessions.map((one) => one.amountTotal)),
      textArray(sessions.map((one) => one.currency)),
      booleanArray(sessions.map((one) => one.imported)),
      bigintArray(sessions.map((one) => one.created)),
    ],
  });
}

/** A Stripe account, in a mode; "" for the platform's own. */
export interface UnmatchedPlace {
  livemode: boolean;
  stripeAccount: string;
}

/** Accounts with some that are due, in modes that there is a key for; those first that have waited longest. */
export async function dueUnmatched(tx: Queryable, modes: readonly boolean[]): Promise<UnmatchedPlace[]> {
  return (await tx.query<UnmatchedPlace>({ text: DUE, values: [booleanArray(modes)] })).rows;
}

/** Claims some of an account's that are due. */
export async function claimUnmatched(
  tx: Queryable,
  { livemode, stripeAccount, limit }: UnmatchedPlace & { limit: number },
  lease: { name: string; seconds: number },
): Promise<UnmatchedPurchase[]> {
  const values = [livemode, stripeAccount, limit, lease.name, lease.seconds];
  return (await tx.query<UnmatchedPurchase>({ text: CLAIM, values })).rows;
}

/** Locks one that the lease still holds; undefined: another one holds it now, or it was resolved. */
export async function lockClaimed(tx: Queryable, id: string, lease: string): Promise<UnmatchedPurchase | undefined> {
  return (await tx.query<UnmatchedPurchase>({ text: LOCK_CLAIMED, values: [id, lease] })).rows[0];
}

/** Locks one, whatever its status is. */
export async function lockUnmatched(tx: Queryable, id: string): Promise<UnmatchedPurchase | undefined> {
  return (await tx.query<UnmatchedPurchase>({ text: LOCK, values: [id] })).rows[0];
}

export async function putOffUnmatched(
  tx: Queryable,
  { id }: UnmatchedPurchase,
  { lease, seconds, error }: { lease: string; seconds: number; error: string },
): Promise<void> {
  await tx.query({ text: PUT_OFF, values: [id, lease, seconds, error] });
}

/** Seconds after which its purchase is settled once more: longer than any batch of the reducer's takes. */
const SETTLE_AGAIN_AFTER = 120;

export interface Resolution {
  status: Exclude<UnmatchedStatus, "resolving">;
  reason?: OpenReason;
  sale?: Sale;
  purchase?: { id: string; accountId: string };
}

/** What became of one that is locked. */
export async function resolveUnmatched(tx: Queryable, id: string, resolution: Resolution): Promise<void> {
  const { status, reason, sale, purchase } = resolution;
  await tx.query({
    text: RESOLVE,
    values: [
      ...[id, status, reason ?? null, sale === undefined ? null : JSON.stringify(sale.lines), sale?.packId ?? null],
      ...[sale?.quantity ?? null, sale?.credits ?? null, purchase?.accountId ?? null, purchase?.id ?? null],
      purchase === undefined ? null : SETTLE_AGAIN_AFTER,
    ],
  });
}

/** Takes purchases that are to be settled once more, sorted by key; the caller's transaction settles them. */
export async function takeUnsettled(
  tx: Queryable,
  limit: number,
): Promise<{ tenantId: string; livemode: boolean; id: string }[]> {
  const { rows } = await tx.query<{ tenantId: string; livemode: boolean; id: string }>({
    text: TAKE_UNSETTLED,
    values: [limit],
  });
  return rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ tenantId, livemode, id }: { tenantId: string; livemode: boolean; id: string }): string =>
  `${tenantId}|${String(livemode)}|${id}`;

/** How many wait for a person's decision, and how many for their buyer to be found. */
export async function countUnmatched(tx: Queryable): Promise<{ open: number; resolving: number }> {
  const [counted] = (await tx.query<{ open: number; resolving: number }>(COUNT)).rows;
  return counted ?? { open: 0, resolving: 0 };
}

export interface ListedUnmatched extends UnmatchedPurchase {
  /** Accounts of the tenant with this address, a few. Anybody may register any address: whether it was verified. */
  candidates: { account_id: string; email_verified: boolean | null }[];
}

export async function listUnmatched(
  tx: Queryable,
  filter: { id?: string; status?: UnmatchedStatus; tenantId?: string | undefined; after?: string | undefined },
  limit: number,
): Promise<ListedUnmatched[]> {
  const { id, status, tenantId, after } = filter;
  const values = [id ?? null, status ?? null, tenantId ?? null, after ?? null, limit];
  return (await tx.query<ListedUnmatched>({ text: LIST, values })).rows;
}

// Half of its price: a tax that is part of a price may be missing in a subtotal. Of another currency nothing is known.
// Stripe's times are whole seconds.
const NOTE = `
  insert into unmatched_purchases (tenant_id, livemode, stripe_account, stripe_session_id, id, email, name, amount_subtotal,
                                   amount_total, currency)
  select paid.tenant_id, paid.livemode, paid.stripe_account, paid.session_id, paid.id, paid.email, paid.name,
         paid.amount_subtotal, paid.amount_total, paid.currency
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
              $10::text[], $11::boolean[], $12::bigint[])
    as paid (tenant_id, livemode, stripe_account, session_id, id, email, name, amount_subtotal, amount_total, currency,
             imported, created)
  where exists (
      select from offer_prices as price
      where price.tenant_id = paid.tenant_id and price.livemode = paid.livemode and price.stripe_account = paid.stripe_account
        and price.credits is not null
        and (paid.amount_subtotal is null or paid.currency is distinct from price.currency or price.amount <= 2 * paid.amount_subtotal)
        and (not paid.imported or to_timestamp(paid.created) >= date_trunc('second', greatest(price.created_at,
          case when paid.stripe_account = '' then (select created_at from tenants where platform)
               else (select connected_at from connections as connection
                     where connection.livemode = paid.livemode and connection.stripe_account = paid.stripe_account) end))))
    and not exists (
      select from credit_purchases as purchase
      where purchase.livemode = paid.livemode and purchase.stripe_account = paid.stripe_account
        and purchase.stripe_session_id = paid.session_id)
  order by paid.tenant_id, paid.livemode, paid.stripe_account, paid.session_id
  on conflict do nothing`;

const COLUMNS = `
  found.tenant_id as "tenantId", found.livemode, found.stripe_account as "stripeAccount",
  found.stripe_session_id as "sessionId", found.id, found.status, found.reason, found.email, found.name,
  found.amount_subtotal as "amountSubtotal", found.amount_total as "amountTotal", found.currency, found.lines,
  found.pack_id as "packId", found.quantity, found.credits, found.account_id as "accountId",
  found.purchase_id as "purchaseId", found.attempts, found.created_at as "createdAt", found.decided_at as "decidedAt"`;

const DUE = `
  select livemode, stripe_account as "stripeAccount" from unmatched_purchases
  where status = 'resolving' and livemode = any ($1::boolean[]) and next_attempt_at <= now()
  group by livemode, stripe_account order by min(next_attempt_at)`;

const CLAIM = `
  update unmatched_purchases as found
  set attempts = found.attempts + 1, lease = $4, next_attempt_at = now() + make_interval(secs => $5::int)
  from (
    select id from unmatched_purchases
    where status = 'resolving' and livemode = $1 and stripe_account = $2 and next_attempt_at <= now()
    order by next_attempt_at limit $3 for update skip locked) as due
  where found.id = due.id
  returning ${COLUMNS}`;

const LOCK_CLAIMED = `
  select ${COLUMNS} from unmatched_purchases as found
  where found.id = $1 and found.lease = $2 and found.status = 'resolving' for update`;

const LOCK = `select ${COLUMNS} from unmatched_purchases as found where found.id = $1 for update`;

const PUT_OFF = `
  update unmatched_purchases
  set lease = null, next_attempt_at = now() + make_interval(secs => $3::float8), last_error = $4
  where id = $1 and lease = $2 and status = 'resolving'`;

const RESOLVE = `
  update unmatched_purchases
  set status = $2, reason = coalesce($3, reason), lines = coalesce($4::jsonb, lines), pack_id = coalesce($5, pack_id),
      quantity = coalesce($6, quantity), credits = coalesce($7, credits), account_id = $8, purchase_id = $9,
      settle_at = now() + make_interval(secs => $10::int), lease = null,
      decided_at = case when $2 = 'open' then null else now() end
  where id = $1`;

const TAKE_UNSETTLED = `
  update unmatched_purchases as found set settle_at = null
  from (
    select id from unmatched_purchases where settle_at <= now() order by settle_at limit $1 for update skip locked) as due
  where found.id = due.id
  returning found.tenant_id as "tenantId", found.livemode, found.purchase_id as id`;

const COUNT = `
  select (select count(*) from unmatched_purchases where status = 'open') as open,
         (select count(*) from unmatched_purchases where status = 'resolving') as resolving`;

const LIST = `
  select ${COLUMNS},
         (select coalesce(json_agg(candidate order by candidate.account_id), '[]')
          from (
            select account.id as account_id,
                   case when person.id is not null then person.email_verified_at is not null end as email_verified
            from accounts as account left join people as person on person.id = account.person_id
            where account.tenant_id = found.tenant_id and account.livemode = found.livemode
              and lower(account.email) = lower(found.email)
            order by account.id limit 5) as candidate) as candidates
  from unmatched_purchases as found
  where ($1::text is null or found.id = $1) and ($2::text is null or found.status = $2)
    and ($3::text is null or found.tenant_id = $3) and ($4::text is null or found.id < $4)
  order by found.id desc limit $5`;
