// What waits and what failed, in numbers.
import type { Queryable } from "../db/database.ts";

export interface QueueState {
  pending: number;
  /** Seconds that the oldest unprocessed event has waited; 0 when none waits. */
  oldestAge: number;
  failed: number;
  unrouted: number;
}

/** What waits and what failed, for metrics and the operator's overview. */
export async function queueState(database: Queryable): Promise<QueueState> {
  const { rows } = await database.query<QueueState>({ text: QUEUE_STATE });
  return rows[0] ?? { pending: 0, oldestAge: 0, failed: 0, unrouted: 0 };
}

const QUEUE_STATE = `
  select count(*) as pending, coalesce(extract(epoch from now() - min(queued_at)), 0)::float8 as "oldestAge",
         (select count(*) from stripe_event_outcomes where status = 'failed') as failed,
         (select count(*) from stripe_event_outcomes where status = 'unrouted') as unrouted
  from stripe_event_queue`;
