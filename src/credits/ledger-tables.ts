// The ledger as rows: loaded under its locks, and written with what was decided. Tables: credit_balances, credit_entries
import { bigintArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { accountText, keyArrays, SAME_ACCOUNT, WANTED } from "./account-keys.ts";
import { publishEntries } from "./credit-events.ts";
import { openLedger } from "./ledger.ts";
import { addLots, type LoadedLots, loadLots, NO_LOTS, writeLots } from "./lot-table.ts";
import type { AccountRef, Credits, Entry, Ledger, Lot, Taking } from "./lots.ts";
import { noteLow } from "./low-notice-table.ts";
import { readTakings, writeTakings } from "./taking-table.ts";

export interface StoredEntry extends Entry {
  accountId: string;
  createdAt: Date;
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
 *
 * What undoing these purchases' reversals would touch is loaded too, and of an account that owes whose debt it is.
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
  const takings = await loadTakings(
    tx,
    balances.rows.flatMap(({ number, balance }) => {
      const ref = wanted[number - 1];
      return ref === undefined ? [] : [{ ...ref, balance, ...(lotsOf.get(accountText(ref)) ?? NO_LOTS) }];
    }),
    new Set(purchases),
  );
  const ledgers = new Map<string, Ledger>();
  for (const { number, balance, low_threshold: lowThreshold } of balances.rows) {
    const ref = wanted[number - 1];
    if (ref === undefined) continue;
    const { tenantId, livemode, accountId } = ref;
    const lots = [...(lotsOf.get(accountText(ref)) ?? NO_LOTS).byId.values()];
    const stored = { balance, lowThreshold, lots, takings: takings.get(accountText(ref)) ?? [] };
    ledgers.set(accountText(ref), openLedger({ tenantId, livemode, accountId }, stored));
  }
  return { ledgers, now };
}

/**
 * What these purchases have taken, and so on for those out of whose own lots they took it; the lots on the way are added to
 * their accounts'. By account.
 */
async function loadTakings(
  tx: Queryable,
  accounts: readonly (WantedOnce & Pick<LoadedLots, "byId"> & { balance: Credits })[],
  purchases: ReadonlySet<string>,
): Promise<Map<string, Taking[]>> {
  const isOf = ({ purchaseId, taken }: Lot): boolean => taken > 0 && purchaseId !== null && purchases.has(purchaseId);
  const touched = accounts.filter(
    ({ balance, gives, byId }) => (balance < 0 && (gives > 0 || purchases.size > 0)) || [...byId.values()].some(isOf),
  );
  const found = new Map<string, Taking[]>();
  if (touched.length === 0) return found;
  await addLots(tx, touched, "owing");
  const byText = new Map(touched.map((account) => [accountText(account), account]));
  let next = touched.flatMap((account) =>
    [...account.byId.values()].filter(isOf).map(({ id }) => ({ ...account, lotId: id })),
  );
  const seen = new Set<string>();
  while (next.length > 0) {
    for (const { lotId } of next) seen.add(lotId);
    const takings = await readTakings(tx, next);
    if (takings.length === 0) break;
    await addLots(tx, touched, [...new Set(takings.map(({ fromLotId }) => fromLotId))]);
    next = [];
    for (const taking of takings) {
      const account = byText.get(accountText(taking));
      const of = found.get(accountText(taking)) ?? [];
      if (of.push(taking) === 1) found.set(accountText(taking), of);
      if (account === undefined || seen.has(taking.fromLotId)) continue;
      seen.add(taking.fromLotId);
      if ((account.byId.get(taking.fromLotId)?.taken ?? 0) > 0) next.push({ ...account, lotId: taking.fromLotId });
    }
  }
  return found;
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

/**
 * Writes what was decided, in the transaction that holds the locks. The balance moves only from what it was, and entries
 * follow only a balance that has moved. Throws the unique violation of a source that is there already: roll back.
 */
export async function writeLedgers(tx: Queryable, ledgers: Iterable<Ledger>, now: Date): Promise<void> {
  const moved = [...ledgers].filter(({ entries }) => entries.length > 0);
  if (moved.length === 0) return;
  const entries = moved.flatMap(({ ref, entries: own }) => own.map((entry) => ({ ref, entry })));
  const [written] = await Promise.all([
    tx.query({ name: "write_entries", text: WRITE, values: [...movedArrays(moved), ...entryArrays(entries, now)] }),
    writeLots(tx, moved),
    noteLow(tx, moved),
    writeTakings(tx, moved),
    publishEntries(tx, moved, now),
  ]);
  if (written.rowCount !== entries.length) throw new Error("a balance moved under its lock");
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

const OPEN_BALANCE = `
  insert into credit_balances (tenant_id, livemode, account_id, low_threshold) values ($1, $2, $3, $4)`;

const SET_LOW_THRESHOLD = `
  update credit_balances set low_threshold = $4, updated_at = now() where tenant_id = $1 and livemode = $2 and account_id = $3`;

const LOCK = `
  select wanted.number, stored.balance, stored.low_threshold
  from ${WANTED}
  cross join lateral (select * from credit_balances as stored where ${SAME_ACCOUNT} limit 1 for update) as stored`;

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
