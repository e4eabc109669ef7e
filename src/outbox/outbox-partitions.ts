// The months of events and of delivery attempts on a server. Their ids begin with the time, and are what they are cut by.
import { firstIdAt, type IdPrefix, isId, timeOfId } from "../base/ids.ts";
import type { Database, Queryable } from "../db/database.ts";
import { cutOf, dropPartition, type MonthlyTable, type Partition, partitionsOf } from "../db/partitions.ts";

function byId(name: string, column: string, prefix: IdPrefix): MonthlyTable {
  return {
    name,
    column,
    boundAt: (milliseconds) => firstIdAt(prefix, milliseconds),
    timeOf: (bound) => (isId(bound, prefix) ? timeOfId(bound) : 0),
  };
}

export const EVENTS = byId("events", "id", "msg");
/** An attempt stands in the month of its delivery, which is that of the event. */
export const DELIVERY_ATTEMPTS = byId("delivery_attempts", "delivery_id", "dlv");

/** A month that went, or why it did not. */
export interface OldMonth {
  partition: string;
  /** null: it is dropped. */
  kept: string | null;
}

/**
 * Drops the months of events that are wholly older than so many days. Facts stay: nothing is told again. One that somebody
 * still waits for stays too, whole. Throws when the table is busy for a second: then it is for the next look.
 */
export function dropOldEvents(database: Database, now: number, days: number): Promise<OldMonth[]> {
  return dropOld(database, EVENTS, cutOf(now, days), waitedFor, waitedFor);
}

/**
 * Drops the months of attempts that are wholly older than so many days, once no delivery is left of their events: those that
 * ended are deleted one by one, so many days after their end.
 */
export function dropOldAttempts(database: Database, now: number, days: number): Promise<OldMonth[]> {
  return dropOld(database, DELIVERY_ATTEMPTS, cutOf(now, days), deliveriesLeft, justWritten);
}

/** Why it stays; null: it may go. */
type Reason = (tx: Queryable, partition: Partition & { to: number }) => Promise<string | null>;

/** `last` is asked while everybody else waits, and must be quick. */
async function dropOld(
  database: Database,
  table: MonthlyTable,
  cut: number,
  first: Reason,
  last: Reason,
): Promise<OldMonth[]> {
  if (database.kind === "embedded") return [];
  const months: OldMonth[] = [];
  for (const partition of await partitionsOf(database, table)) {
    const { to } = partition;
    if (to === null || to > cut) continue;
    let kept = await first(database, { ...partition, to });
    if (kept === null) {
      await dropPartition(database, table, partition, async (tx) => {
        kept = await last(tx, { ...partition, to });
        return kept === null;
      });
    }
    months.push({ partition: partition.name, kept });
  }
  return months;
}

const waitedFor: Reason = async (tx, { from, to }) => {
  const values = [EVENTS.boundAt(from ?? 0), EVENTS.boundAt(to), from === 0];
  const { rows } = await tx.query<{ deliveries: boolean; recoveries: boolean }>({ text: WAITED_FOR, values });
  if (rows[0]?.deliveries !== false) return "deliveries of its events are pending";
  return rows[0].recoveries ? "a recovery has still to look at its events" : null;
};

const deliveriesLeft: Reason = async (tx, { from, to }) => {
  const values = [DELIVERY_ATTEMPTS.boundAt(from ?? 0), DELIVERY_ATTEMPTS.boundAt(to), from === 0];
  const { rows } = await tx.query<{ found: boolean }>({ text: DELIVERIES_LEFT, values });
  return rows[0]?.found === false ? null : "deliveries of its events are kept";
};

/** A delivery that was asked for again since we looked has its first attempt by now. */
const justWritten: Reason = async (tx, { name }) => {
  const { rows } = await tx.query<{ found: boolean }>(
    `select exists (select from ${name} where at > now() - interval '1 hour') as found`,
  );
  return rows[0]?.found === false ? null : "one of its deliveries was attempted just now";
};

// Each pending delivery is in the queue, with its event. $3: from the beginning, whatever ids there are.
const WAITED_FOR = `
  select exists (select from delivery_queue where ($3 or event_id >= $1) and event_id < $2) as deliveries,
         exists (select from recoveries where status = 'running' and coalesce(cursor, '') < $2) as recoveries`;

const DELIVERIES_LEFT = `
  select exists (select from deliveries where ($3 or id >= $1) and id < $2) as found`;
