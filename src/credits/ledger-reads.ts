// What the ledger says, for whoever asks: balances and entries.
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Credits } from "./lots.ts";
import type { StoredEntry } from "./ledger-tables.ts";

export interface Balance {
  balance: Credits;
  lowThreshold: Credits | null;
}

/** By account id. What has expired does not count, though the job that writes it comes later. */
export async function readBalances(
  tx: Queryable,
  { tenantId, livemode }: Pick<AccountRef, "tenantId" | "livemode">,
  accountIds: readonly string[],
): Promise<Map<string, Balance>> {
  const { rows } = await tx.query<Balance & { accountId: string }>({
    text: BALANCES,
    values: [tenantId, livemode, accountIds],
  });
  return new Map(rows.map(({ accountId, ...balance }) => [accountId, balance]));
}

export interface EntryPage {
  items: StoredEntry[];
  next_cursor: string | null;
}

/** An account's entries, newest first. Throws `invalid_request` for a cursor that was not given out here. */
export async function readEntries(
  tx: Queryable,
  { tenantId, livemode, accountId }: AccountRef,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<EntryPage> {
  if (cursor !== undefined && !isId(cursor, "crd")) {
    const message = "Send the next_cursor of the page before, unchanged.";
    throw publicError("invalid_request", { message, param: "cursor" });
  }
  const { rows } = await tx.query<StoredEntry>({
    text: ENTRIES,
    values: [tenantId, livemode, accountId, cursor ?? null, limit + 1],
  });
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** The entries of these sources, by source. Asked under the accounts' locks it sees what another node has just committed. */
export async function entriesBySource(
  tx: Queryable,
  { tenantId, livemode }: Pick<AccountRef, "tenantId" | "livemode">,
  sources: readonly string[],
): Promise<Map<string, StoredEntry>> {
  const values = [tenantId, livemode, textArray([...sources])];
  const { rows } = await tx.query<StoredEntry>({ name: "entries_by_source", text: BY_SOURCE, values });
  return new Map(rows.map((entry) => [entry.source, entry]));
}

/** What an account spent in one entry, and how much of it has been given back. Undefined: it is no spend of this account. */
export async function spendAndRefunds(
  tx: Queryable,
  ref: AccountRef,
  entryId: string,
): Promise<{ spent: Credits; refunded: Credits } | undefined> {
  const values = [ref.tenantId, ref.livemode, ref.accountId, entryId];
  return (await tx.query<{ spent: Credits; refunded: Credits }>({ text: REFUNDED, values })).rows[0];
}

const BALANCES = `
  select stored.account_id as "accountId", stored.low_threshold as "lowThreshold",
         stored.balance - coalesce((
           select sum(lot.remaining)::bigint from credit_lots as lot
           where lot.tenant_id = stored.tenant_id and lot.livemode = stored.livemode and lot.account_id = stored.account_id
             and lot.open and lot.expires_at <= statement_timestamp()), 0) as balance
  from credit_balances as stored
  where stored.tenant_id = $1 and stored.livemode = $2 and stored.account_id = any ($3::text[])`;

const ENTRIES = `
  select id, account_id as "accountId", kind, amount, balance_after as "balanceAfter", source, reason, reference,
         purchase_id as "purchaseId", lot_id as "lotId", expires_at as "expiresAt", created_at as "createdAt"
  from credit_entries
  where tenant_id = $1 and livemode = $2 and account_id = $3 and ($4::text is null or id < $4)
  order by id desc limit $5`;

const ENTRY = `
  id, account_id as "accountId", kind, amount, balance_after as "balanceAfter", source, reason, reference,
  purchase_id as "purchaseId", lot_id as "lotId", expires_at as "expiresAt", created_at as "createdAt"`;

const BY_SOURCE = `
  select found.* from unnest($3::text[]) as wanted (source)
  cross join lateral (
    select ${ENTRY} from credit_entries as stored
    where stored.tenant_id = $1 and stored.livemode = $2 and stored.source = wanted.source limit 1) as found`;

const REFUNDED = `
  select -spent.amount as spent, coalesce((
    select sum(refund.amount)::bigint from credit_entries as refund
    where refund.tenant_id = $1 and refund.livemode = $2 and refund.account_id = $3
      and refund.kind = 'restoral' and refund.reference = $4), 0) as refunded
  from credit_entries as spent
  where spent.tenant_id = $1 and spent.livemode = $2 and spent.account_id = $3 and spent.id = $4 and spent.kind = 'spend'`;
