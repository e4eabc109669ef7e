// Lots as rows. Table: credit_lots
import { bigintArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { keyArrays, SAME_ACCOUNT, WANTED } from "./account-keys.ts";
import type { AccountRef, Ledger, Lot } from "./lots.ts";

export interface LoadedLots {
  byId: Map<string, Lot>;
  /** Of them those that were loaded in the order in which lots are spent. */
  ordered: Lot[];
}

export const NO_LOTS: LoadedLots = { byId: new Map(), ordered: [] };

/**
 * Of each account, by its number from 0: of its open lots so many that are spent first, and those of these purchases though
 * nothing is left in them. With the database's clock.
 */
export async function loadLots(
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

/** Adds the lots with these ids, or those whose purchase owes something. */
export async function addLots(
  tx: Queryable,
  accounts: readonly (AccountRef & Pick<LoadedLots, "byId">)[],
  wanted: "owing" | readonly string[],
): Promise<void> {
  const { rows } = await tx.query<LotRow>(
    wanted === "owing"
      ? { text: OWING_LOTS, values: keyArrays(accounts) }
      : { text: NAMED_LOTS, values: [...keyArrays(accounts), textArray([...wanted])] },
  );
  for (const row of rows) {
    const byId = row.number === null ? undefined : accounts[row.number - 1]?.byId;
    const lot = lotOf(row);
    if (byId?.has(lot.id) === false) byId.set(lot.id, lot);
  }
}

/** In the transaction that holds their accounts' locks. */
export async function writeLots(tx: Queryable, ledgers: readonly Ledger[]): Promise<void> {
  const made = ledgers.flatMap(({ ref, made: own }) => own.map((lot) => ({ ref, lot })));
  const changed = ledgers.flatMap(({ ref, changed: own }) => [...own].map((lot) => ({ ref, lot })));
  const [relotted] = await Promise.all([
    changed.length === 0 ? undefined : tx.query({ name: "change_lots", text: CHANGE_LOTS, values: lotArrays(changed) }),
    made.length === 0 ? undefined : tx.query({ name: "make_lots", text: MAKE_LOTS, values: newLotArrays(made) }),
  ]);
  if (relotted !== undefined && relotted.rowCount !== changed.length) throw new Error("a lot is gone under its lock");
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
  | "owed"
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
    owed: row.owed as number,
    expiresAt: row.expires_at as Date | null,
    due: row.due === true,
  };
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
    bigintArray(lots.map(({ lot }) => lot.owed)),
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

/** Of the lots whose time has come, so many that are due longest: whose they are, and how many of each. */
export async function accountsWithDueLots(tx: Queryable, limit: number): Promise<(AccountRef & { lots: number })[]> {
  return (await tx.query<AccountRef & { lots: number }>({ text: DUE, values: [limit] })).rows;
}

const COLUMNS = `
  wanted.number, lot.id, lot.purchase_id, lot.credits, lot.remaining, lot.expired, lot.taken, lot.taken_at_expiry, lot.owed,
  lot.expires_at, lot.expires_at <= clock_timestamp() as due`;

// One row at least, for the time.
const LOTS = `
  select clock.now, found.* from (select clock_timestamp() as now) as clock left join (
    select ${COLUMNS}, lot.ordered
    from ${WANTED}
    cross join lateral (
      (select *, true as ordered from credit_lots as stored where ${SAME_ACCOUNT} and stored.open
       order by stored.expires_at, stored.id limit $5)
      union all
      select *, false from credit_lots as stored
      where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode
        and stored.purchase_id = any ($4::text[]) and stored.account_id = wanted.account_id
      offset 0) as lot) as found on true`;

const moreLots = (which: string): string => `
  select ${COLUMNS}
  from ${WANTED}
  cross join lateral (select * from credit_lots as stored where ${SAME_ACCOUNT} and ${which} offset 0) as lot`;
const OWING_LOTS = moreLots("stored.owed > 0");
const NAMED_LOTS = moreLots("stored.id = any ($4::text[])");

const CHANGE_LOTS = `
  update credit_lots as stored set remaining = lot.remaining, expired = lot.expired, taken = lot.taken, taken_at_expiry = lot.taken_at_expiry,
      owed = lot.owed, open = lot.remaining > 0
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
    as lot (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, owed)
  where stored.tenant_id = lot.tenant_id and stored.livemode = lot.livemode
    and stored.account_id = lot.account_id and stored.id = lot.id`;

const MAKE_LOTS = `
  insert into credit_lots (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, owed, purchase_id,
                           credits, expires_at, open)
  select tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, owed, purchase_id, credits,
         to_timestamp(expires_at / 1000.0), remaining > 0
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::text[], $11::bigint[], $12::bigint[])
    as lot (tenant_id, livemode, account_id, id, remaining, expired, taken, taken_at_expiry, owed, purchase_id, credits, expires_at)`;

const DUE = `
  select tenant_id as "tenantId", livemode, account_id as "accountId", count(*)::int as lots from (
    select tenant_id, livemode, account_id from credit_lots
    where open and expires_at is not null and expires_at <= now() order by expires_at limit $1) as due
  group by tenant_id, livemode, account_id`;
