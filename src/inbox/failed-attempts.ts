// How often an event has failed since it was queued: what counts against its last attempt.
import type { Queryable } from "../db/database.ts";
import type { Claimed } from "./event-tables.ts";

/** Attempts before this one that ended in an error, since the event was queued or replayed. Those that nothing ended do not count. */
export async function failedAttempts(tx: Queryable, { seq, attempts }: Claimed): Promise<number> {
  const { rows } = await tx.query<{ count: number }>({ text: COUNT_FAILED, values: [seq, attempts] });
  return rows[0]?.count ?? 0;
}

const COUNT_FAILED = `
  select count(*) as count
  from stripe_event_queue as queue
  join stripe_event_attempts as failed
    on failed.created = queue.created and failed.event_id = queue.event_id and failed.at >= queue.queued_at
  where queue.seq = $1 and failed.attempt < $2`;
