// The proof of the ledger: every balance is what its lots and its entries say, and every purchase what was posted for it.
import type { Clock } from "../base/clock.ts";
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Credits } from "./lots.ts";

export interface LedgerDifference extends AccountRef {
  /** What should be equal: `balance` … of an account, or what a purchase has posted. */
  what: string;
  stored: Credits | null;
  computed: Credits | null;
}

export interface VerifyOptions {
  database: Queryable;
  /** Without one, pages do not shrink where accounts are big. */
  clock?: Pick<Clock, "monotonic">;
  /** Goes on behind this account, as `onProgress` told it. */
  after?: AccountRef | undefined;
  /** Told of each page: how many accounts in all, and the last of them. */
  onProgress?: (accounts: number, last: AccountRef) => void;
  /** What it returns is waited for. */
  onDifference: (difference: LedgerDifference) => unknown;
  signal?: AbortSignal;
}

/** Accounts of one statement, at most. */
const PAGE = 500;
/** Milliseconds of one statement: an embedded database serves nobody else meanwhile. */
const LONG_MS = 200;

/**
 * Looks at every account, page by page. An account is read in one statement, so that what is written meanwhile is seen
 * whole or not at all. Each entry is read once, and what is held in memory is a page.
 */
export async function verifyLedger(options: VerifyOptions): Promise<{ accounts: number; differences: number }> {
  const { database, onDifference, onProgress, signal, clock } = options;
  let accounts = 0;
  let differences = 0;
  let size = PAGE;
  let after: AccountRef = options.after ?? { tenantId: "", livemode: false, accountId: "" };
  const tell = async (found: readonly LedgerDifference[]): Promise<void> => {
    differences += found.length;
    for (const difference of found) await onDifference(difference);
  };
  while (signal?.aborted !== true) {
    const started = clock?.monotonic() ?? 0;
    const page = await readPage(database, after, size);
    await tell(page.differences);
    const { last } = page;
    await tell(await readOrphans(database, after, last));
    if (last === undefined) break;
    accounts += page.accounts;
    after = last;
    onProgress?.(accounts, last);
    const took = (clock?.monotonic() ?? 0) - started;
    size = took > LONG_MS ? Math.max(1, Math.floor(size / 4)) : Math.min(PAGE, size * 2);
  }
  return { accounts, differences };
}

interface Page {
  accounts: number;
  /** Undefined: there was none any more. */
  last: AccountRef | undefined;
  differences: LedgerDifference[];
}

async function readPage(database: Queryable, after: AccountRef, size: number): Promise<Page> {
  const values = [after.tenantId, after.livemode, after.accountId, size];
  const { rows } = await database.query<AccountRef & { found: Omit<LedgerDifference, keyof AccountRef>[] }>({
    text: VERIFY,
    values,
  });
  const differences = rows.flatMap(({ found, ...ref }) => found.map((one) => ({ ...ref, ...one })));
  const last = rows.at(-1);
  if (last === undefined) return { accounts: 0, last, differences };
  const { tenantId, livemode, accountId } = last;
  return { accounts: rows.length, last: { tenantId, livemode, accountId }, differences };
}

/** Accounts between the two that have entries and no balance; `last` undefined: all behind `after`. */
async function readOrphans(
  database: Queryable,
  after: AccountRef,
  last: AccountRef | undefined,
): Promise<LedgerDifference[]> {
  const until = last ?? { tenantId: null, livemode: null, accountId: null };
  const values = [after.tenantId, after.livemode, after.accountId, until.tenantId, until.livemode, until.accountId];
  return (await database.query<LedgerDifference>({ text: ORPHANS, values })).rows;
}

const OF_ACCOUNT = "tenant_id = page.tenant_id and livemode = page.livemode and account_id = page.account_id";

// One pass over what names a purchase, gathered by it: a join would read all entries for each purchase.
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
    select count(*) as wrong from (
      select sum(known) as known, bool_or(paid) as paid, sum(credits) as credits, sum(stated) as stated, sum(postings) as postings,
             sum(granted) as granted, sum(net) as net, sum(taken) as taken
      from (
        select id, 1 as known, state = 'paid' as paid, credits, postings as stated, 0 as postings, 0::bigint as granted,
               0::bigint as net, 0::bigint as taken
        from credit_purchases where ${OF_ACCOUNT}
        union all
        select purchase_id, 0, false, 0, 0, (kind <> 'expiry')::integer, case when kind = 'purchase' then amount else 0 end,
               case when kind <> 'expiry' then amount else 0 end, 0
        from credit_entries where ${OF_ACCOUNT} and purchase_id is not null
        union all
        select purchase_id, 0, false, 0, 0, 0, 0, 0, taken from credit_lots where ${OF_ACCOUNT} and purchase_id is not null
      ) as part group by id) as purchase
    where known <> 1 or postings <> stated
       or granted <> case when paid then credits else 0 end
       or net <> case when paid then credits - taken else 0 end) as purchases
  cross join lateral (
    select json_agg(json_build_object('what', what, 'stored', stored, 'computed', computed)) as found from (values
      ('balance: sum of entries', page.balance, entries.amount::bigint),
      ('balance: lots less debt', page.balance, (lots.remaining - page.debt)::bigint),
      ('purchases that their entries do not bear out', 0::bigint, purchases.wrong)) as checked (what, stored, computed)
    where stored is distinct from computed) as wrong
  order by page.tenant_id, page.livemode, page.account_id`;

// From account to account by the key's index: the entries between are not read.
const NEXT = (behind: string): string => `
  select tenant_id, livemode, account_id from credit_entries
  where (tenant_id, livemode, account_id) > (${behind})
    and ($4::text is null or (tenant_id, livemode, account_id) <= ($4, $5::boolean, $6))
  order by tenant_id, livemode, account_id limit 1`;

const ORPHANS = `
  with recursive found as (
    (${NEXT("$1, $2, $3")})
    union all
    select next.* from found
    cross join lateral (${NEXT("found.tenant_id, found.livemode, found.account_id")}) as next)
  select tenant_id as "tenantId", livemode, account_id as "accountId",
         'entries without a balance' as what, null::bigint as stored, null::bigint as computed
  from found
  where not exists (
    select from credit_balances as stored
    where stored.tenant_id = found.tenant_id and stored.livemode = found.livemode and stored.account_id = found.account_id)`;
