// Rows of the queue are locked in one order, before anything is written to them.
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { ClaimedDelivery } from "./claimed-delivery.ts";

/**
 * Locks queue rows in one order, so that two workers never wait for each other crosswise, and in a statement of its own: one
 * that waited for a lock still looks at the row as it was before.
 */
export async function lockRows(tx: Queryable, sorted: readonly ClaimedDelivery[]): Promise<void> {
  const values = [textArray(sorted.map(({ endpointId }) => endpointId)), textArray(sorted.map(({ id }) => id))];
  await tx.query({ name: "lock_queue_rows", text: LOCK_ROWS, values });
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
