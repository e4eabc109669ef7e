// How deliveries go, of one endpoint and of all. Only reads.
import { firstIdAt } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";

export interface DeliveryStatistics {
  /** Of the events since then. */
  deliveries: { delivered: number; failed: number; canceled: number; pending: number };
  attempts: { succeeded: number; failed: number };
  /** Milliseconds, of answers with 2xx; null: there was none. */
  latency_ms: { p50: number | null; p95: number | null };
  /** Only the newest MOST_COUNTED deliveries were looked at. */
  partial: boolean;
  /** Seconds since it was queued, of all that wait; null: nothing does. */
  oldestPendingAge: number | null;
}

export interface StatisticsOf {
  tenantId: string;
  livemode: boolean;
  endpointId: string;
  since: Date;
}

/** Of one endpoint, or of all within an hour: the index alone says it, in less than a tenth of a second. */
const MOST_COUNTED = 100_000;

/** A delivery's id begins with its event's time, so that the index knows which are younger. */
export async function deliveryStatistics(
  tx: Queryable,
  { tenantId, livemode, endpointId, since }: StatisticsOf,
): Promise<DeliveryStatistics> {
  const values = [tenantId, livemode, endpointId, firstIdAt("dlv", since.getTime()), MOST_COUNTED];
  const [counted, waiting, attempted] = await Promise.all([
    tx.query<DeliveryStatistics["deliveries"]>({ text: COUNTED, values }),
    tx.query<{ oldest: number }>({ text: OLDEST, values: [tenantId, livemode, endpointId] }),
    tx.query<{ succeeded: number; failed: number; p50: number | null; p95: number | null }>({
      text: ATTEMPTED,
      values,
    }),
  ]);
  const deliveries = counted.rows[0] ?? { delivered: 0, failed: 0, canceled: 0, pending: 0 };
  const oldest = waiting.rows[0]?.oldest ?? null;
  const partial = Object.values(deliveries).reduce((sum, one) => sum + one, 0) >= MOST_COUNTED;
  const { succeeded = 0, failed = 0, p50 = null, p95 = null } = attempted.rows[0] ?? {};
  return { deliveries, attempts: { succeeded, failed }, latency_ms: { p50, p95 }, partial, oldestPendingAge: oldest };
}

export interface EndedDeliveries {
  /** Within the last hour; counted to MOST_COUNTED at most. */
  delivered: number;
  failed: number;
  /** There were more. */
  partial: boolean;
  disabledEndpoints: number;
}

/** Of every tenant, for the operator. What waits is told by `deliveryQueueState`. */
export async function endedDeliveries(tx: Queryable): Promise<EndedDeliveries> {
  const { rows } = await tx.query<EndedDeliveries>({ text: ENDED, values: [MOST_COUNTED] });
  const [found] = rows;
  if (found === undefined) throw new Error("the deliveries could not be counted");
  return found;
}

const OF_STATUS = (status: string): string => `count(*) filter (where status = '${status}') as ${status}`;

const NEWEST = `
  select tenant_id, livemode, id, status from deliveries
  where tenant_id = $1 and livemode = $2 and endpoint_id = $3 and id >= $4 order by id desc limit $5`;

const COUNTED = `
  select ${["delivered", "failed", "canceled", "pending"].map(OF_STATUS).join(", ")} from (${NEWEST}) as newest`;

const OLDEST = `
  select greatest(extract(epoch from now() - queued_at), 0)::float8 as oldest from delivery_queue
  where tenant_id = $1 and livemode = $2 and endpoint_id = $3 order by queued_at limit 1`;

const SUCCEEDED = "attempt.status_code between 200 and 299";
const PERCENTILE = (part: string): string =>
  `(percentile_cont(${part}) within group (order by attempt.latency_ms) filter (where ${SUCCEEDED}))::int`;

const ATTEMPTED = `
  select count(*) filter (where ${SUCCEEDED}) as succeeded, count(*) filter (where (${SUCCEEDED}) is not true) as failed,
         ${PERCENTILE("0.5")} as p50, ${PERCENTILE("0.95")} as p95
  from (${NEWEST}) as delivery join delivery_attempts as attempt
    on attempt.tenant_id = delivery.tenant_id and attempt.livemode = delivery.livemode and attempt.delivery_id = delivery.id`;

const ENDED = `
  with ended as (
    select status from deliveries where ended_at > now() - interval '1 hour' order by ended_at desc limit $1
  )
  select ${["delivered", "failed"].map(OF_STATUS).join(", ")},
         count(*) >= $1 as partial,
         (select count(*) from webhook_endpoints where status = 'disabled') as "disabledEndpoints"
  from ended`;
