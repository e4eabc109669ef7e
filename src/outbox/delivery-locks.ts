// Rows of the queue are locked in one order, before anything is written to them.
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { ClaimedDelivery } from "./claimed-delivery.ts";
import { DELIVERY_ID } from "./delivery-match.ts";

/**
 * Locks queue rows in one order, so that two workers never wait for each other crosswise, and in a statement of its own: one
 * that waited for a lock still looks at the row as it was before.
 */
export async function lockRows(tx: Queryable, sorted: readonly ClaimedDelivery[]): Promise<void> {
  const values = [textArray(sorted.map(({ endpointId }) => endpointId)), textArray(sorted.map(({ id }) => id))];
  await tx.query({ name: "lock_queue_rows", text: LOCK_ROWS, values });
}

/** The same for what an endpoint has queued of these events; what is not queued is left out. */
export async function lockRowsOfEvents(tx: Queryable, endpointId: string, eventIds: readonly string[]): Promise<void> {
  await tx.query({ text: LOCK_ROWS_OF_EVENTS, values: [endpointId, textArray(eventIds)] });
}

export function inOrder(a: ClaimedDelivery, b: ClaimedDelivery): number {
  if (a.endpointId !== b.endpointId) return a.endpointId < b.endpointId ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

// limit 1 makes it a look-up by key, whatever the plan's age.
const LOCK_ROWS = `
  select from unnest($1::text[], $2::text[]) as wanted (endpoint_id, delivery_id)
  cross join lateral (
    select from delivery_queue as queue
    where queue.endpoint_id = wanted.endpoint_id and queue.delivery_id = wanted.delivery_id limit 1 for update) as locked`;

const LOCK_ROWS_OF_EVENTS = `
  select from (
    select endpoint.id as endpoint_id, ${DELIVERY_ID} as delivery_id
    from (select $1::text as id) as endpoint cross join unnest($2::text[]) as event (id)
    order by (${DELIVERY_ID}) collate "C"
  ) as wanted
  cross join lateral (
    select from delivery_queue as queue
    where queue.endpoint_id = wanted.endpoint_id and queue.delivery_id = wanted.delivery_id limit 1 for update) as locked`;
