// The ledger as rows: loaded under its locks, and written with what was decided. Tables: credit_balances, credit_entries, credit_lots, credit_low_notices
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { publishEntries } from "./credit-events.ts";
import { type AccountRef, type Credits, type Entry, type Ledger, type Lot, openLedger } from "./ledger.ts";

export interface StoredEntry extends Entry {
  accountId: string;
  createdAt: Date;
}

export function accountText({ tenantId, livemode, accountId }: AccountRef): string {
  return `${tenantId}|${livemode ? "live" : "test"}|${accountId}`;
}

/** The account's place in the ledger, in the transaction that makes the account. */
export async function openBalance(tx: Queryable, ref: AccountRef, lowThreshold: Credits | null): Promise<void> {
  await tx.query({ text: OPEN_BALANCE, values: [ref.tenantId, ref.livemode, ref.accountId, lowThreshold] });
}

/** False: there is no such account. */
export async function setLowThreshold(tx: Queryable, ref: AccountRef, threshold: Credits | null): Promise<boolean> {
  const values = [ref.tenantId, ref.livemode, ref.accountId, threshold];
  return (await tx.query({ text: SET_LOW_THRESHOLD, values })).rowCount > 0;
}

export interface LoadedLedgers {
  /** By `accountText`; without those that are not there. */
  ledgers: Map<string, Ledger>;
  /** The database's clock, under the locks. */
  now: Date;
}

/** An account whose ledger is wanted. */
export interface WantedLedger extends AccountRef {
  /** How much is taken out of its lots, as far as they hold it; by default nothing is. */
  takes?: Credits;
  /** How much is taken where they hold all of it. */
  spends?: Credits;
  /** How much is put into a new one. */
  gives?: Credits;
}

/** Open lots of an account that are loaded at first, and how many times as many when those do not hold what is taken. */
const LOTS_AT_FIRST = 64;
const LOTS_MORE = 16;

/**
 * Takes the locks of these accounts, in one order everywhere, and loads what they have in the next statement: one that
 * locks and loads reads the stale lots. Of an account's open lots it loads those that are spent first: all that are due,
 * and so many that they hold what may be taken. `purchases`: their lots too, though nothing is left in them. `most`: of what is
 * spent first only so many, though more may be due.
 */
export async function lockLedgers(
  tx: Queryable,
  refs: readonly WantedLedger[],
  purchases: readonly string[] = [],
  { most }: { most?: number } = {},
): Promise<LoadedLedgers> {
  const wanted = distinct(refs);
  const atFirst = most ?? LOTS_AT_FIRST;
  const [balances, first] = await Promise.all([
    tx.query<{ number: number; balance: Credits; low_threshold: Credits | null }>({
      name: "lock_balances",
      text: LOCK,
      values: keyArrays(wanted),
    }),
    loadLots(tx, wanted, purchases, atFirst),
  ]);
  let { now } = first;
  const lotsOf = new Map(wanted.map((ref, index) => [accountText(ref), first.lots[index] ?? NO_LOTS]));
  const balanceOf = new Map(balances.rows.map(({ number, balance }) => [wanted[number - 1], balance]));
  for (let limit = atFirst; most === undefined;) {
    const short = wanted.filter((ref) =>
      isShort(lotsOf.get(accountText(ref)) ?? NO_LOTS, ref, { balance: balanceOf.get(ref) ?? 0, limit }),
    );
    if (short.length === 0) break;
    limit *= LOTS_MORE;
    const more = await loadLots(tx, short, purchases, limit);
    now = more.now;
    for (const [index, ref] of short.entries()) lotsOf.set(accountText(ref), more.lots[index] ?? NO_LOTS);
  }
  const ledgers = new Map<string, Ledger>();
  for (const { number, balance, low_threshold: lowThreshold } of balances.rows) {
    const ref = wanted[number - 1];
    if (ref === undefined) continue;
    const { tenantId, livemode, accountId } = ref;
    const lots = [...(lotsOf.get(accountText(ref)) ?? NO_LOTS).byId.values()];
    ledgers.set(accountText(ref), openLedger({ tenantId, livemode, accountId }, { balance, lowThreshold, lots }));
  }
  return { ledgers, now };
}

/** An account, with all that is done to it. */
interface WantedOnce extends AccountRef {
  takes: Credits;
  spends: Credits[];
  gives: Credits;
}

/** Each account once, in the order of their locks. */
function distinct(refs: readonly WantedLedger[]): WantedOnce[] {
  const byText = new Map<string, WantedOnce>();
  for (const { tenantId, livemode, accountId, takes = 0, spends, gives = 0 } of refs) {
    const ref = { tenantId, livemode, accountId };
    const text = accountText(ref);
    const one = byText.get(text) ?? { ...ref, takes: 0, spends: [], gives: 0 };
    one.takes += takes;
    one.gives += gives;
    if (spends !== undefined) one.spends.push(spends);
    byText.set(text, one);
  }
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
}

interface LoadedLots {
  byId: Map<string, Lot>;
  /** Of them those that were loaded in the order in which lots are spent. */
  ordered: Lot[];
}

const NO_LOTS: LoadedLots = { byId: new Map(), ordered: [] };

/**
 * There may be more lots, and they may be needed: the last that was loaded is due, or too little is left in those that are
 * not. A spend of more than there is, and is given beside it, takes nothing: no lot is read for it.
 */
function isShort(
  { ordered }: LoadedLots,
  { takes, spends, gives }: WantedOnce,
  { balance, limit }: { balance: Credits; limit: number },
): boolean {
  if (ordered.length < limit) return false;
  if (ordered.at(-1)?.due === true) return true;
  const left = (isDue: boolean): Credits =>
    ordered.reduce((sum, { due, remaining }) => (due === isDue ? sum + remaining : sum), 0);
  const most = balance - left(true) + gives;
  return left(false) < spends.reduce((sum, amount) => (amount <= most ? sum + amount : sum), takes);
}

/** By the number of the account, from 0. */
async function loadLots(
  tx: Queryable,
  wanted: readonly AccountRef[],
  purchases: readonly string[],
  limit: number,
): Promise<{ lots: LoadedLots[]; now: Date }> {
  const { rows } = await tx.query<LotRow>({
    name: "load_lots",
    text: LOTS,
    values: [...keyArrays(wanted), textArray([...purchases]), limit],
  });
  const now = rows[0]?.now;
  if (now === undefined) throw new Error("the database did not tell its time");
  const lots = wanted.map((): LoadedLots => ({ byId: new Map(), ordered: [] }));
  for (const row of rows) {
    const loaded = row.number === null ? undefined : lots[row.number - 1];
    if (loaded === undefined) continue;
    const lot = lotOf(row);
    // A purchase's own lot may be among those that are spent first.
    if (!loaded.byId.has(lot.id)) loaded.byId.set(lot.id, lot);
    if (row.ordered === true) loaded.ordered.push(lot);
  }
  return { lots, now };
}

/** All null but `now` where there is no lot. */
type LotRow = { number: number | null; now: Date } & Record<
  | "id"
  | "purchase_id"
  | "credits"
  | "remaining"
  | "expired"
  | "taken"
  | "taken_at_expiry"
  | "expires_at"
  | "due"
  | "ordered",
  unknown
>;

function lotOf(row: LotRow): Lot {
  return {
    id: row.id as string,
    purchaseId: row.purchase_id as string | null,
    credits: row.credits as number,
    remaining: row.remaining as number,
    expired: row.expired as number,
    taken: row.taken as number,
    takenAtExpiry: row.taken_at_expiry as number,
    expiresAt: row.expires_at as Date | null,
    due: row.due === true,
  };
}

/**
 * Writes what was decided, in the transaction that holds the locks. The balance moves only from what it was, and entries
 * follow only a balance that has moved. Throws the unique violation of a source that is there already: roll back.
 */
export async function writeLedgers(tx: Queryable, ledgers: Iterable<Ledger>, now: Date): Promise<void> {
  const moved = [...ledgers].filter(({ entries }) => entries.length > 0);
  if (moved.length === 0) return;
  const entries = moved.flatMap(({ ref, entries: own }) => own.map((entry) => ({ ref, entry })));
  const made = moved.flatMap(({ ref, made: own }) => own.map((lot) => ({ ref, lot })));
  const changed = moved.flatMap(({ ref, changed: own }) => [...own].map((lot) => ({ ref, lot })));
  const low = moved.flatMap(({ ref, low: own }) => own.map((entry) => ({ ref, entry })));
  const [written, relotted] = await Promise.all([
    tx.query({ name: "write_entries", text: WRITE, values: [...movedArrays(moved), ...entryArrays(entries, now)] }),
    changed.length === 0 ? undefined : tx.query({ name: "change_lots", text: CHANGE_LOTS, values: lotArrays(changed) }),
    made.length === 0 ? undefined : tx.query({ name: "make_lots", text: MAKE_LOTS, values: newLotArrays(made) }),
    low.length === 0 ? undefined : tx.query({ text: NOTICE, values: noticeArrays(low) }),
    publishEntries(tx, moved, now),
  ]);
  if (written.rowCount !== entries.length) throw new Error("a balance moved under its lock");
  if (relotted !== undefined && relotted.rowCount !== changed.length) throw new Error("a lot is gone under its lock");
}

function keyArrays(refs: readonly AccountRef[]): Buffer[] {
  return [
    textArray(refs.map((ref) => ref.tenantId)),
    booleanArray(refs.map((ref) => ref.livemode)),
    textArray(refs.map((ref) => ref.accountId)),
  ];
}

function movedArrays(ledgers: readonly Ledger[]): Buffer[] {
  return [
    ...keyArrays(ledgers.map(({ ref }) => ref)),
    bigintArray(ledgers.map(({ balanceBefore }) => balanceBefore)),
    bigintArray(ledgers.map(({ balance }) => balance)),
  ];
}

function entryArrays(entries: readonly { ref: AccountRef; entry: Entry }[], now: Date): unknown[] {
  const texts = (read: (entry: Entry) => string | null): Buffer => textArray(entries.map(({ entry }) => read(entry)));
  return [
    ...keyArrays(entries.map(({ ref }) => ref)),
    texts(({ id }) => id),
    texts(({ kind }) => kind),
    bigintArray(entries.map(({ entry }) => entry.amount)),
    bigintArray(entries.map(({ entry }) => entry.balanceAfter)),
    texts(({ source }) => source),
    texts(({ reason }) => reason),
    texts(({ reference }) => reference),
    texts(({ purchaseId }) => purchaseId),
    texts(({ lotId }) => lotId),
    bigintArray(entries.map(({ entry }) => entry.expiresAt?.getTime())),
    now,
  ];
}

interface LotOf {
  ref: AccountRef;
  lot: Lot;
}

function lotArrays(lots: readonly LotOf[]): Buffer[] {
  return [
    ...keyArrays(lots.map(({ ref }) => ref)),
    textArray(lots.map(({ lot }) => lot.id)),
    bigintArray(lots.map(({ lot }) => lot.remaining)),
    bigintArray(lots.map(({ lot }) => lot.expired)),
    bigintArray(lots.map(({ lot }) => lot.taken)),
    bigintArray(lots.map(({ lot }) => lot.takenAtExpiry)),
  ];
}

function newLotArrays(lots: readonly LotOf[]): Buffer[] {
  return [
    ...lotArrays(lots),
    textArray(lots.map(({ lot }) => lot.purchaseId)),
    bigintArray(lots.map(({ lot }) => lot.credits)),
    bigintArray(lots.map(({ lot }) => lot.expiresAt?.getTime())),
  ];
}

function noticeArrays(low: readonly { ref: AccountRef; entry: Entry }[]): Buffer[] {
  return [...keyArrays(low.map(({ ref }) => ref)), textArray(low.map(({ entry }) => entry.id))];
}

/** Of the lots whose time has come, so many that are due longest: whose they are, and how many of each. */
export async function accountsWithDueLots(tx: Queryable, limit: number): Promise<(AccountRef & { lots: number })[]> {
  return (await tx.query<AccountRef & { lots: number }>({ text: DUE, values: [limit] })).rows;
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

const OPEN_BALANCE = `
  insert into credit_balances (tenant_id, livemode, account_id, low_threshold) values ($1, $2, $3, $4)`;

const SET_LOW_THRESHOLD = `
  update credit_balances set low_threshold = $4, updated_at = now() where tenant_id = $1 and livemode = $2 and account_id = $3`;

// The order of the array is the order of the locks. `limit 1` makes it a look-up by primary key, whatever the plan's age.
const WANTED =
  "unnest($1::text[], $2::boolean[], $3::text[]) with ordinality as wanted (tenant_id, livemode, account_id, number)";
const SAME_ACCOUNT =
  "stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.account_id = wanted.account_id";
const LOCK = `
  select wanted.number, stored.balance, stored.low_threshold
  from ${WANTED}
  cross join lateral (select * from credit_balances as stored where ${SAME_ACCOUNT} limit 1 for update) as stored`;

// One row at least, for the time.
const LOTS = `
  select clock.now, found.* from (select clock_timestamp() as now) as clock left join (
    select wanted.number, lot.id, lot.purchase_id, lot.credits, lot.remaining, lot.expired, lot.taken, lot.taken_at_expiry, lot.expires_at,
           lot.expires_at <= clock_timestamp() as due, lot.ordered
    from ${WANTED}
    cross join lateral (
      (select *, true as ordered from credit_lots as stored where ${SAME_ACCOUNT} and stored.open
       order by stored.expires_at, stored.id limit $5)
      union all
      select *, false from credit_lots as stored
      where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode
        and stored.purchase_id = any ($4::text[]) and stored.account_id = wanted.account_id
      offset 0) as lot) as found on true`;

const WRITE = `
  with moved as (
    update credit_balances as stored
    set balance = moving.balance, debt = greatest(0, -moving.balance), updated_at = now()
    from unnest($1::text[], $2::boolean[], $3::text[], $4::bigint[], $5::bigint[])
      as moving (tenant_id, livemode, account_id, before, balance)
    where stored.tenant_id = moving.tenant_id and stored.livemode = moving.livemode and stored.account_id = moving.account_id
      and stored.balance = moving.before
    returning stored.tenant_id, stored.livemode, stored.account_id)
  insert into credit_entries (tenant_id, livemode, account_id, id, kind, amount, balance_after, source, reason, reference,
                              purchase_id, lot_id, expires_at, created_at)
  select tenant_id, livemode, account_id, id, kind, amount, balance_after, source, reason, reference,
         purchase_id, lot_id, to_timestamp(expires_at / 1000.0), $19::timestamptz
  from unnest($6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::text[],
              $14::text[], $15::text[], $16::text[], $17::text[], $18::bigint[])
    as entry (tenant_id, livemode, account_id, id, kind, amount, balance_after, source, reason, reference,
              purchase_id, lot_id, expires_at)
  join moved using (tenant_id, livemode, account_id)`;

const CHANGE_LOTS = `
  update credit_lots as stored set remaining = lot.remaining, expired = lot.expired, taken = lot.taken, taken_at_expiry = lot.taken_at_expiry,
      open = lot.remaining > 0
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    as lot (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry)
  where stored.tenant_id = lot.tenant_id and stored.livemode = lot.livemode
    and stored.account_id = lot.account_id and stored.id = lot.id`;

const MAKE_LOTS = `
  insert into credit_lots (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, purchase_id, credits,
                           expires_at, open)
  select tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, purchase_id, credits,
         to_timestamp(expires_at / 1000.0), remaining > 0
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::text[], $10::bigint[], $11::bigint[])
    as lot (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, purchase_id, credits, expires_at)`;

const NOTICE = `
  insert into credit_low_notices (tenant_id, livemode, account_id, entry_id)
  select * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[])`;

const DUE = `
  select tenant_id as "tenantId", livemode, account_id as "accountId", count(*)::int as lots from (
    select tenant_id, livemode, account_id from credit_lots
    where open and expires_at is not null and expires_at <= now() order by expires_at limit $1) as due
  group by tenant_id, livemode, account_id`;

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
