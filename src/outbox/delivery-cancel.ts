// What waits for an endpoint that does not take it any more is ended: in short transactions, behind the commit that says so.
import type { Database, Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { cancelDeliveries } from "./delivery-tables.ts";

/** Deliveries of one transaction that ends them. */
export const CANCELED_AT_ONCE = { server: 1000, embedded: 100 } as const;

export interface CancelOptions {
  /** Of one transaction: see CANCELED_AT_ONCE. */
  limit: number;
  /** Asked before each piece, with how many there were. */
  goesOn: (pieces: number) => boolean;
  /** Told behind each commit how many it has ended: for metrics. */
  canceled: (count: number) => void;
}

/**
 * Behind the commit that took an endpoint's deliveries away: ends what waits for it, piece by piece, so that nobody waits
 * long. Whatever is left when it is killed, or behind `goesOn`, ends as `strandedEndpoints` finds it, or as it is claimed.
 */
export async function cancelInPieces(
  database: Pick<Database, "transaction">,
  key: { tenantId: string; endpointId: string },
  { limit, goesOn, canceled }: CancelOptions,
): Promise<void> {
  for (let pieces = 0; goesOn(pieces); pieces += 1) {
    const count = await retried(database, (tx) => cancelDeliveries(tx, { ...key, limit }));
    canceled(count);
    if (count < limit) return;
  }
}

/** Endpoints for which something waits though they take nothing, or nothing of its mode; at most `limit`. */
export async function strandedEndpoints(
  tx: Queryable,
  limit: number,
): Promise<{ tenantId: string; endpointId: string }[]> {
  return (await tx.query<{ tenantId: string; endpointId: string }>({ text: STRANDED, values: [limit] })).rows;
}

// For what waits of the other mode all that waits for an endpoint is read: only of those that were changed within two days.
// What waited before that has fallen due since, at most 29 hours later (see delivery-schedule.ts), and ended as it was claimed.
const STRANDED = `
  with recursive waiting as (
    (select endpoint_id, tenant_id from delivery_queue order by endpoint_id limit 1)
    union all
    select next.endpoint_id, next.tenant_id
    from waiting cross join lateral (
      select endpoint_id, tenant_id from delivery_queue
      where endpoint_id > waiting.endpoint_id order by endpoint_id limit 1) as next
  )
  select tenant_id as "tenantId", endpoint_id as "endpointId" from waiting
  where not exists (
    select from webhook_endpoints as endpoint
    where endpoint.tenant_id = waiting.tenant_id and endpoint.id = waiting.endpoint_id
      and endpoint.url is not null and endpoint.status = 'enabled'
      and (endpoint.livemode is null or endpoint.updated_at < now() - interval '2 days' or not exists (
        select from delivery_queue as queue
        where queue.endpoint_id = endpoint.id and queue.livemode <> endpoint.livemode)))
  limit $1`;
