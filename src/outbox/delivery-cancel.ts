// What waits for an endpoint that takes nothing any more is ended: in short transactions, behind the commit that says so.
import type { Database, Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { cancelDeliveries } from "./delivery-tables.ts";

/** Deliveries of one transaction that ends them. */
export const CANCELED_AT_ONCE = { server: 1000, embedded: 100 } as const;

/**
 * Behind the commit that took an endpoint's deliveries away: ends what waits for it, piece by piece, so that nobody waits
 * long. Whatever is left when it is killed, or behind `goesOn`, ends as `strandedEndpoints` finds it, or as it is claimed.
 */
export async function cancelInPieces(
  database: Pick<Database, "transaction">,
  key: { tenantId: string; endpointId: string },
  limit: number,
  goesOn: (pieces: number) => boolean,
): Promise<void> {
  for (let pieces = 0; goesOn(pieces); pieces += 1) {
    const canceled = await retried(database, (tx) => cancelDeliveries(tx, { ...key, limit }));
    if (canceled < limit) return;
  }
}

/** Endpoints for which something waits though they take nothing, at most `limit`. */
export async function strandedEndpoints(
  tx: Queryable,
  limit: number,
): Promise<{ tenantId: string; endpointId: string }[]> {
  return (await tx.query<{ tenantId: string; endpointId: string }>({ text: STRANDED, values: [limit] })).rows;
}

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
      and endpoint.url is not null and endpoint.status = 'enabled')
  limit $1`;
