// Tables that are cut by month on a server: their partitions are made ahead, found by their bounds, and dropped whole.
import type { Clock } from "../base/clock.ts";
import type { Database, Queryable } from "./database.ts";

/** A table that a migration has cut by ranges of a column that grows with time, with a default partition `<name>_default`. */
export interface MonthlyTable {
  name: string;
  column: string;
  /** The least value that the column has from that millisecond on. */
  boundAt: (milliseconds: number) => string;
  /** The millisecond of a bound. */
  timeOf: (bound: string) => number;
  /** What each partition is made with, such as `with (fillfactor = 60)`. */
  storage?: string;
}

export interface Month {
  /** 2026_11 */
  name: string;
  /** Milliseconds since 1970, inclusive. */
  from: number;
  /** Exclusive. */
  to: number;
}

export interface Partition {
  name: string;
  /** Milliseconds since 1970, inclusive; 0: whatever is older. Of the default partition, which has no bounds, both are null. */
  from: number | null;
  /** Exclusive. */
  to: number | null;
}

/** The month of a moment, in UTC, or one that is so many months later. Pure. */
export function monthAt(milliseconds: number, later = 0): Month {
  const date = new Date(milliseconds);
  const from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1);
  const first = new Date(from);
  const [year, month] = [first.getUTCFullYear(), first.getUTCMonth()];
  return { name: `${year}_${String(month + 1).padStart(2, "0")}`, from, to: Date.UTC(year, month + 1, 1) };
}

const DAY_MS = 86_400_000;

/** Whole months go: what is older than so many days up to here, a month's first millisecond. Pure. */
export function cutOf(now: number, days: number): number {
  return monthAt(now - days * DAY_MS).from;
}

/** This month and the next two. */
const AHEAD = [0, 1, 2];

/**
 * Makes the partitions that are missing. Returns their names. Embedded there are none. A month of which the default partition
 * already has rows stays there.
 */
export async function makeAhead(database: Database, clock: Pick<Clock, "now">, table: MonthlyTable): Promise<string[]> {
  if (database.kind === "embedded") return [];
  const made: string[] = [];
  for (const later of AHEAD) {
    const month = monthAt(clock.now(), later);
    const name = `${table.name}_${month.name}`;
    const [from, to] = [table.boundAt(month.from), table.boundAt(month.to)];
    const isNew = await database.transaction(async (tx) => {
      await lockPartitions(tx);
      const held = (await partitionsOf(tx, table)).some(
        (one) =>
          one.name === name || (one.from !== null && one.to !== null && one.from < month.to && month.from < one.to),
      );
      if (held || (await hasRows(tx, table, from, to))) return false;
      await tx.query(
        `create table ${name} partition of ${table.name} for values from ('${from}') to ('${to}') ${table.storage ?? ""}`,
      );
      return true;
    });
    if (isNew) made.push(name);
  }
  return made;
}

/**
 * Until the transaction ends nobody else adds, drops or replaces a partition, of any table. The statements behind it need the
 * whole table for a moment: behind a long read they would hold up every insert. Throws after a second.
 */
export async function lockPartitions(tx: Queryable): Promise<void> {
  await tx.query("set local lock_timeout = '1s'");
  await tx.query("select pg_advisory_xact_lock(hashtextextended('billhook partitions', 0))");
}

async function hasRows(tx: Queryable, { name, column }: MonthlyTable, from: string, to: string): Promise<boolean> {
  const { rows } = await tx.query<{ found: boolean }>({
    text: `select exists (select from ${name}_default where ${column} >= $1 and ${column} < $2) as found`,
    values: [from, to],
  });
  return rows[0]?.found === true;
}

/** The oldest first, the default one last. */
export async function partitionsOf(tx: Queryable, table: MonthlyTable): Promise<Partition[]> {
  const { rows } = await tx.query<{ name: string; bound: string }>({ text: PARTITIONS, values: [table.name] });
  const found = rows.map(({ name, bound }): Partition => {
    const [, from, to] = BOUNDS.exec(bound) ?? [];
    if (from === undefined || to === undefined) return { name, from: null, to: null };
    return { name, from: from === "MINVALUE" ? 0 : table.timeOf(unquoted(from)), to: table.timeOf(unquoted(to)) };
  });
  return found.sort((a, b) => (a.from ?? Infinity) - (b.from ?? Infinity));
}

const BOUNDS = /^FOR VALUES FROM \((.+)\) TO \((.+)\)$/;
const unquoted = (bound: string): string => bound.replaceAll("'", "");

/**
 * Takes a partition out of its table and drops it, if `isFree` still says so when nobody else is at the table. With
 * `instead` that table takes its place. Throws when the table is busy for a second: then nothing has changed.
 */
export async function dropPartition(
  database: Database,
  table: MonthlyTable,
  partition: Partition,
  isFree: (tx: Queryable) => Promise<boolean>,
  instead?: string,
): Promise<boolean> {
  const { name, from, to } = partition;
  if (from === null || to === null) throw new Error(`${name} is a default partition, which stays`);
  return database.transaction(async (tx) => {
    await lockPartitions(tx);
    await tx.query(`lock table only ${table.name} in access exclusive mode`);
    if (!(await isFree(tx))) return false;
    await tx.query(`alter table ${table.name} detach partition ${name}`);
    if (instead !== undefined) {
      const bounds = `from ('${table.boundAt(from)}') to ('${table.boundAt(to)}')`;
      await tx.query(`alter table ${table.name} attach partition ${instead} for values ${bounds}`);
    }
    await tx.query(`drop table ${name}`);
    return true;
  });
}

const PARTITIONS = `
  select quote_ident(partition.relname) as name, pg_get_expr(partition.relpartbound, partition.oid) as bound
  from pg_inherits join pg_class as partition on partition.oid = inhrelid
  where inhparent = $1::regclass`;
