// Balances that fell below their threshold, until they are facts. Table: credit_low_notices
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { keyArrays } from "./account-keys.ts";
import type { AccountRef, Credits, Ledger } from "./lots.ts";

/** Of entries by which a balance fell, in the transaction that writes them. */
export async function noteLow(tx: Queryable, ledgers: readonly Ledger[]): Promise<void> {
  const low = ledgers.flatMap(({ ref, low: own }) => own.map(({ id }) => ({ ...ref, id })));
  if (low.length === 0) return;
  await tx.query({ text: NOTICE, values: [...keyArrays(low), textArray(low.map(({ id }) => id))] });
}

export interface LowNotice extends AccountRef {
  entryId: string;
  at: Date;
  /** After that entry. */
  balance: Credits;
  /** Of today, or what the balance was then where there is none any more. */
  lowThreshold: Credits;
}

/** Takes notices that nobody else holds; the transaction tells them. */
export async function takeLowNotices(tx: Queryable, limit: number): Promise<LowNotice[]> {
  return (await tx.query<LowNotice>({ text: TAKE_NOTICES, values: [limit] })).rows;
}

const NOTICE = `
  insert into credit_low_notices (tenant_id, livemode, account_id, entry_id)
  select * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[])`;

const TAKE_NOTICES = `
  delete from credit_low_notices as notice
  using (
    select waiting.tenant_id, waiting.livemode, waiting.entry_id, entry.balance_after as balance,
           coalesce(stored.low_threshold, entry.balance_after) as "lowThreshold"
    from (select * from credit_low_notices order by at limit $1 for update skip locked) as waiting
    join credit_entries as entry using (tenant_id, livemode, account_id)
    join credit_balances as stored using (tenant_id, livemode, account_id)
    where entry.id = waiting.entry_id) as taken
  where notice.tenant_id = taken.tenant_id and notice.livemode = taken.livemode and notice.entry_id = taken.entry_id
  returning notice.tenant_id as "tenantId", notice.livemode, notice.account_id as "accountId", notice.entry_id as "entryId",
            notice.at, taken.balance, taken."lowThreshold"`;
