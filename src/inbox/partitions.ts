// The months of stripe_events on a server: each has its own partition, made ahead; what fits none is kept in the default one.
import type { Clock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";

export interface Partition {
  name: string;
  /** Unix seconds, inclusive. */
  from: number;
  /** Unix seconds, exclusive. */
  to: number;
}

/** Bytes, as in 0022_reducer.sql, which tells what it is good for. */
const KEPT_IN_ROW = 3072;

/** This month and the next two. Pure. */
export function partitionsAhead(now: number): Partition[] {
  const { year, month } = monthOf(now);
  return [0, 1, 2].map((ahead) => {
    const first = Date.UTC(year, month + ahead, 1);
    const { year: itsYear, month: itsMonth } = monthOf(first);
    return {
      name: `stripe_events_${itsYear}_${String(itsMonth + 1).padStart(2, "0")}`,
      from: first / 1000,
      to: Date.UTC(year, month + ahead + 1, 1) / 1000,
    };
  });
}

function monthOf(milliseconds: number): { year: number; month: number } {
  const date = new Date(milliseconds);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() };
}

/** Makes the partitions that are missing. Returns their names. Embedded there are none. A month that already has rows in the default partition stays there. */
export async function ensurePartitions(database: Database, clock: Clock): Promise<string[]> {
  if (database.kind === "embedded") return [];
  const made: string[] = [];
  for (const partition of partitionsAhead(clock.now())) {
    const isNew = await database.transaction(async (tx) => {
      // The statement needs the whole table for a moment: behind a long read it would hold up every insert.
      await tx.query("set local lock_timeout = '1s'");
      await tx.query("select pg_advisory_xact_lock(hashtextextended('billhook partitions', 0))");
      const { rows } = await tx.query<{ needed: boolean }>({
        text: IS_NEEDED,
        values: [partition.name, partition.from, partition.to],
      });
      if (rows[0]?.needed !== true) return false;
      await tx.query(
        `create table ${partition.name} partition of stripe_events
           for values from (${partition.from}) to (${partition.to}) with (toast_tuple_target = ${KEPT_IN_ROW})`,
      );
      return true;
    });
    if (isNew) made.push(partition.name);
  }
  return made;
}

const IS_NEEDED = `
  select to_regclass($1) is null
     and not exists (select from stripe_events_default where created >= $2 and created < $3) as needed`;
