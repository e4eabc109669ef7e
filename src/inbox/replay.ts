// Replaying: stored events are processed again, by id or by range. State comes out the same, and nothing is published twice.
import type { Database, Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { clearOutcomes, enqueueAgain } from "./event-tables.ts";

export interface ReplayRange {
  /** Event types; empty: all. */
  types: readonly string[];
  /** Only events that ended so; undefined: whatever they are. */
  status?: "failed" | "ignored" | "unrouted" | undefined;
  /** Stripe account; undefined: all, "" the platform's own. */
  account?: string | undefined;
  /** undefined: of both modes. */
  livemode?: boolean | undefined;
  objectId?: string | undefined;
  /** Unix seconds, inclusive. */
  since?: number | undefined;
  /** Unix seconds, exclusive. */
  until?: number | undefined;
}

/** Queues one event again. Returns false when there is no such event. */
export async function replayEvent(database: Database, id: string): Promise<boolean> {
  return retried(database, async (tx) => {
    const { rows } = await tx.query<{ created: number; eventId: string }>({ text: FIND, values: [id] });
    const queued = await enqueueAgain(tx, rows);
    await clearOutcomes(tx, rows);
    return queued > 0;
  });
}

/** How many events a range covers. */
export async function countReplay(database: Queryable, range: ReplayRange): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `select count(*) as count ${IN_RANGE}`,
    values: valuesOf(range),
  });
  return rows[0]?.count ?? 0;
}

const PAGE = 1000;

/** Queues a range again, a page per transaction, so that a range of any size neither blocks nor is lost half way. Returns how many. */
export async function replayRange(database: Database, range: ReplayRange): Promise<number> {
  let count = 0;
  let after = { created: -1, eventId: "" };
  for (;;) {
    const page = await retried(database, async (tx) => {
      const values = [...valuesOf(range), after.created, after.eventId, PAGE];
      const { rows } = await tx.query<{ created: number; eventId: string }>({ text: PAGE_OF_RANGE, values });
      await enqueueAgain(tx, rows);
      await clearOutcomes(tx, rows);
      return rows;
    });
    count += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return count;
    after = last;
  }
}

function valuesOf(range: ReplayRange): unknown[] {
  return [
    range.types.length === 0 ? null : range.types,
    range.status ?? null,
    range.account ?? null,
    range.objectId ?? null,
    range.since ?? null,
    range.until ?? null,
    range.livemode ?? null,
  ];
}

const FIND = `select created, id as "eventId" from stripe_events where id = $1`;

const IN_RANGE = `
  from stripe_events as event
  where ($1::text[] is null or event.type = any ($1))
    and ($2::text is null or exists (
      select from stripe_event_outcomes as outcome
      where outcome.created = event.created and outcome.event_id = event.id and outcome.status = $2))
    and ($3::text is null or event.stripe_account = $3)
    and ($4::text is null or event.object_id = $4)
    and ($5::bigint is null or event.created >= $5)
    and ($6::bigint is null or event.created < $6)
    and ($7::boolean is null or event.livemode = $7)`;

const PAGE_OF_RANGE = `
  select event.created, event.id as "eventId" ${IN_RANGE} and (event.created, event.id) > ($8, $9)
  order by event.created, event.id limit $10`;
