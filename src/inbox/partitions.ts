// The months of stripe_events on a server, by the event's own second; and what is made ahead of all tables that are cut by month.
import type { Clock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";
import { makeAhead, type MonthlyTable } from "../db/partitions.ts";
import { DELIVERY_ATTEMPTS, EVENTS } from "../outbox/outbox-partitions.ts";

/** Bytes, as in 0022_reducer.sql, which tells what it is good for. */
const KEPT_IN_ROW = 3072;

export const STRIPE_EVENTS: MonthlyTable = {
  name: "stripe_events",
  column: "created",
  boundAt: (milliseconds) => String(Math.ceil(milliseconds / 1000)),
  timeOf: (bound) => Number(bound) * 1000,
  storage: `with (toast_tuple_target = ${KEPT_IN_ROW})`,
};

/**
 * Makes the partitions that are missing of this month and the next two. Returns their names. Embedded there are none. A month
 * that already has rows in the default partition stays there: every read finds them, and retention deletes them one by one.
 */
export async function ensurePartitions(database: Database, clock: Pick<Clock, "now">): Promise<string[]> {
  const made: string[] = [];
  for (const table of [STRIPE_EVENTS, EVENTS, DELIVERY_ATTEMPTS])
    made.push(...(await makeAhead(database, clock, table)));
  return made;
}
