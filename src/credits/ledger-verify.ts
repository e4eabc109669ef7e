// The proof of the ledger: every balance is what its lots and its entries say, and every purchase what was posted for it.
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Credits } from "./ledger.ts";

export interface LedgerDifference extends AccountRef {
  /** What should be equal: `balance` … of an account, or what a purchase has posted. */
  what: string;
  stored: Credits | null;
  computed: Credits | null;
}

export interface VerifyOptions {
  database: Queryable;
  /** Told of each page. */
  onProgress?: (accounts: number) => void;
  onDifference: (difference: LedgerDifference) => void;
  signal?: AbortSignal;
}

const PAGE = 500;

/**
 * Looks at every account, page by page. An account is read in one statement, so that what is written meanwhile is seen
 * whole or not at all.
 */
export async function verifyLedger(options: VerifyOptions): Promise<{ accounts: number; differences: number }> {
  const { database, onDifference, onProgress, signal } = options;
  let accounts = 0;
  let differences = 0;
  let after: AccountRef = { tenantId: "", livemode: false, accountId: "" };
  while (signal?.aborted !== true) {
    const { rows } = await database.query<
      AccountRef & { found: { what: string; stored: Credits; computed: Credits }[] }
    >({
      text: VERIFY,
      values: [after.tenantId, after.livemode, after.accountId, PAGE],
    });
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const { found, ...ref } of rows) for (const one of found) onDifference({ ...ref, ...one });
    accounts += rows.length;
    differences += rows.reduce((sum, { found }) => sum + found.length, 0);
    after = last;
    onProgress?.(accounts);
  }
  const orphans = await database.query<LedgerDifference>(ORPHANS);
  orphans.rows.forEach(onDifference);
  return { accounts, differences: differences + orphans.rows.length };
}

const OF_ACCOUNT = "tenant_id = page.tenant_id and livemode = page.livemode and account_id = page.account_id";

const VERIFY = `
  with page as (
    select tenant_id, livemode, account_id, balance, debt from credit_balances
    where (tenant_id, livemode, account_id) > ($1, $2, $3) order by tenant_id, livemode, account_id limit $4)
  select page.tenant_id as "tenantId", page.livemode, page.account_id as "accountId", coalesce(wrong.found, '[]') as found
  from page
  cross join lateral (select coalesce(sum(remaining), 0) as remaining from credit_lots where ${OF_ACCOUNT}) as lots
  cross join lateral (
    select coalesce(sum(amount), 0) as amount from credit_entries where ${OF_ACCOUNT}) as entries
  cross join lateral (
    select count(*) as wrong from credit_purchases as purchase
    cross join lateral (
      select coalesce(sum(amount) filter (where kind = 'purchase'), 0) as granted,
             coalesce(sum(amount) filter (where kind <> 'expiry'), 0) as net, count(*) filter (where kind <> 'expiry') as postings,
             coalesce((select sum(lot.taken) from credit_lots as lot
                       where lot.tenant_id = page.tenant_id and lot.livemode = page.livemode
                         and lot.account_id = page.account_id and lot.purchase_id = purchase.id), 0) as taken
      from credit_entries where ${OF_ACCOUNT} and purchase_id = purchase.id) as posted
    where purchase.tenant_id = page.tenant_id and purchase.livemode = page.livemode and purchase.account_id = page.account_id
      and (posted.postings <> purchase.postings
        or posted.granted <> case when purchase.state = 'paid' then purchase.credits else 0 end
        or posted.net <> case when purchase.state = 'paid' then purchase.credits - posted.taken else 0 end)) as purchases
  cross join lateral (
    select json_agg(json_build_object('what', what, 'stored', stored, 'computed', computed)) as found from (values
      ('balance: sum of entries', page.balance, entries.amount::bigint),
      ('balance: lots less debt', page.balance, (lots.remaining - page.debt)::bigint),
      ('purchases that their entries do not bear out', 0::bigint, purchases.wrong)) as checked (what, stored, computed)
    where stored is distinct from computed) as wrong
  order by page.tenant_id, page.livemode, page.account_id`;

const ORPHANS = `
  select distinct tenant_id as "tenantId", livemode, account_id as "accountId",
         'entries without a balance' as what, null::bigint as stored, null::bigint as computed
  from credit_entries as entry
  where not exists (
    select from credit_balances as stored
    where stored.tenant_id = entry.tenant_id and stored.livemode = entry.livemode and stored.account_id = entry.account_id)`;
