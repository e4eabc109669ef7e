// Reading deliveries: which there are, one with its attempts, and what waits.
import { firstIdAt } from "../base/ids.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { DeliveryKey, EventKey } from "./delivery-tables.ts";
import { UNCLAIMED } from "./delivery-turns.ts";

/** canceled: before it was delivered, its endpoint was disabled, deleted, lost its url, or stopped taking its mode */
export const DELIVERY_STATUSES = ["pending", "delivered", "failed", "canceled"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface Delivery extends DeliveryKey {
  endpointId: string;
  eventId: string;
  /** Of the event; null where it is not kept any more. */
  eventType: string | null;
  status: DeliveryStatus;
  /** Of all rounds: a retry, a resend and a recovery begin another one. */
  attempts: number;
  createdAt: Date;
  lastAttemptAt: Date | null;
  /** Of the last attempt; null where it got no answer, or there was none. */
  lastStatusCode: number | null;
  lastError: string | null;
  endedAt: Date | null;
  /** null when it has ended, and while an attempt runs. */
  nextAttemptAt: Date | null;
}

export interface DeliveryAttempt {
  /** att_… */
  id: string;
  /** From 1, over all rounds. */
  attempt: number;
  at: Date;
  url: string;
  requestHeaders: Record<string, string>;
  /** null: there was no answer, and `errorCode` says why. */
  statusCode: number | null;
  latencyMs: number;
  responseHeaders: Record<string, string> | null;
  /** Its first 16 KiB. */
  responseBody: string | null;
  errorCode: string | null;
  error: string | null;
}

export interface DeliveryFilter {
  tenantId: string;
  livemode: boolean;
  endpointId?: string | undefined;
  status?: DeliveryStatus | undefined;
  /** When the event was told, from and up to but not including. */
  since?: Date | undefined;
  until?: Date | undefined;
  /** The id that the page before ended with. */
  after?: string | undefined;
  limit: number;
}

/** Newest first, as their events happened to be told, and one more than `limit` where there are more. */
export async function listDeliveries(tx: Queryable, filter: DeliveryFilter): Promise<Delivery[]> {
  const { tenantId, livemode, endpointId, status, since, until, after, limit } = filter;
  const values = [
    tenantId,
    livemode,
    endpointId ?? null,
    status ?? null,
    boundOf(since),
    boundOf(until),
    after ?? null,
  ];
  return (await tx.query<Delivery>({ text: LIST, values: [...values, limit + 1] })).rows;
}

/** A delivery's id begins with the time of its event, so that a time is a place among them. */
function boundOf(at: Date | undefined): string | null {
  return at === undefined ? null : firstIdAt("dlv", Math.min(at.getTime(), LAST_MS));
}

const LAST_MS = 2 ** 48 - 1;

/** Those of one event, for each endpoint that takes it. */
export async function deliveriesOf(tx: Queryable, { tenantId, livemode, id }: EventKey): Promise<Delivery[]> {
  const from = `dlv_${id.slice(4, 14)}`;
  return (await tx.query<Delivery>({ text: OF_EVENT, values: [tenantId, livemode, id, from, `${from}~`] })).rows;
}

/** Those of each of these events, in no order. */
export async function deliveriesFor(tx: Queryable, events: readonly EventKey[]): Promise<Delivery[]> {
  if (events.length === 0) return [];
  const values = [
    textArray(events.map(({ tenantId }) => tenantId)),
    booleanArray(events.map(({ livemode }) => livemode)),
    textArray(events.map(({ id }) => id)),
  ];
  return (await tx.query<Delivery>({ text: FOR_EVENTS, values })).rows;
}

/** With its attempts, the first first; undefined: there is none. */
export async function readDelivery(
  tx: Queryable,
  { tenantId, livemode, id }: DeliveryKey,
): Promise<(Delivery & { attemptList: DeliveryAttempt[] }) | undefined> {
  const values = [tenantId, livemode, id];
  const { rows } = await tx.query<Delivery>({ text: ONE, values });
  const [delivery] = rows;
  if (delivery === undefined) return undefined;
  const since = new Date(delivery.createdAt.getTime() - CLOCKS_MS);
  const { rows: attemptList } = await tx.query<DeliveryAttempt>({ text: ATTEMPTS, values: [...values, since] });
  return { ...delivery, attemptList };
}

/** `at` is by the clock of the node that sent it, a delivery's creation by the database's: at most so far apart. */
const CLOCKS_MS = 3_600_000;

export interface DeliveryQueueState {
  /** Deliveries that wait or are under way; counted to MOST_PENDING at most. */
  pending: number;
  /** Seconds since it was queued: by its event, or by who asked for it again; 0 when nothing waits. */
  oldestAge: number;
  /** Of the tenants whose oldest one has waited the longest, a hundred at most. */
  tenants: { tenantId: string; oldestAge: number }[];
}

export const MOST_PENDING = 100_000;
const TENANTS = 100;
const ENDPOINTS = 5000;

/** What waits, for metrics and the operator's overview. `now`: milliseconds since 1970. It looks at ENDPOINTS endpoints at most. */
export async function deliveryQueueState(database: Queryable, now: number): Promise<DeliveryQueueState> {
  const { rows } = await database.query<{ pending: number; tenantId: string | null; oldest: Date | null }>({
    text: QUEUE_STATE,
    values: [MOST_PENDING, ENDPOINTS, TENANTS],
  });
  const tenants = rows.flatMap(({ tenantId, oldest }) =>
    tenantId === null || oldest === null ? [] : [{ tenantId, oldestAge: Math.max(0, now - oldest.getTime()) / 1000 }],
  );
  return { pending: rows[0]?.pending ?? 0, oldestAge: tenants[0]?.oldestAge ?? 0, tenants };
}

const COLUMNS = `
  delivery.tenant_id as "tenantId", delivery.livemode, delivery.id, delivery.endpoint_id as "endpointId",
  delivery.event_id as "eventId", event.type as "eventType", delivery.status, delivery.attempts,
  delivery.created_at as "createdAt", delivery.last_attempt_at as "lastAttemptAt",
  delivery.last_status_code as "lastStatusCode", delivery.last_error as "lastError", delivery.ended_at as "endedAt",
  case when ${UNCLAIMED} then queue.next_attempt_at end as "nextAttemptAt"`;

const FROM = `
  from deliveries as delivery
  left join events as event
    on event.tenant_id = delivery.tenant_id and event.livemode = delivery.livemode and event.id = delivery.event_id
  left join delivery_queue as queue on queue.endpoint_id = delivery.endpoint_id and queue.delivery_id = delivery.id
  where delivery.tenant_id = $1 and delivery.livemode = $2`;

// The page first, then what belongs to its rows: joined before, all events of the tenant were read.
const LIST = `
  select ${COLUMNS}
  from (
    select * from deliveries as one
    where one.tenant_id = $1 and one.livemode = $2 and ($3::text is null or one.endpoint_id = $3)
      and ($4::text is null or one.status = $4) and ($5::text is null or one.id >= $5)
      and ($6::text is null or one.id < $6) and ($7::text is null or one.id < $7)
    order by one.id desc limit $8) as delivery
  left join lateral (
    select type from events as told
    where told.tenant_id = delivery.tenant_id and told.livemode = delivery.livemode and told.id = delivery.event_id limit 1
  ) as event on true
  left join delivery_queue as queue on queue.endpoint_id = delivery.endpoint_id and queue.delivery_id = delivery.id
  order by delivery.id desc`;

// Among those of its millisecond.
const OF_EVENT = `
  select ${COLUMNS} ${FROM} and delivery.id between $4 and $5 and delivery.event_id = $3 order by delivery.id`;

const FOR_EVENTS = `
  select ${COLUMNS}
  from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, event_id)
  cross join lateral (
    select * from deliveries as one
    where one.tenant_id = wanted.tenant_id and one.livemode = wanted.livemode and one.event_id = wanted.event_id
      and one.id between 'dlv_' || substr(wanted.event_id, 5, 10) and 'dlv_' || substr(wanted.event_id, 5, 10) || '~'
    offset 0) as delivery
  left join lateral (
    select type from events as told
    where told.tenant_id = delivery.tenant_id and told.livemode = delivery.livemode and told.id = delivery.event_id limit 1
  ) as event on true
  left join delivery_queue as queue on queue.endpoint_id = delivery.endpoint_id and queue.delivery_id = delivery.id`;

const ONE = `select ${COLUMNS} ${FROM} and delivery.id = $3`;

// Of the row that there is: a delivery that was deleted and made again has its id again, and on a server the attempts of the
// deleted one stay until their month goes.
const ATTEMPTS = `
  select id, attempt, at, url, request_headers as "requestHeaders", status_code as "statusCode", latency_ms as "latencyMs",
         response_headers as "responseHeaders", response_body as "responseBody", error_code as "errorCode", error
  from delivery_attempts where tenant_id = $1 and livemode = $2 and delivery_id = $3 and at >= $4
  order by attempt, id`;

// From endpoint to endpoint by an index, whose second column is when each was queued.
const QUEUE_STATE = `
  with recursive turn as (
    (select endpoint_id, tenant_id, queued_at, 1 as place from delivery_queue order by endpoint_id, queued_at limit 1)
    union all
    select next.endpoint_id, next.tenant_id, next.queued_at, turn.place + 1
    from turn cross join lateral (
      select endpoint_id, tenant_id, queued_at from delivery_queue
      where endpoint_id > turn.endpoint_id order by endpoint_id, queued_at limit 1
    ) as next
    where turn.place < $2::int
  ), oldest as (
    select tenant_id, min(queued_at) as oldest from turn group by tenant_id order by oldest limit $3::int
  ), counted as (
    select count(*) as pending from (select from delivery_queue limit $1::int) as waiting
  )
  select counted.pending, oldest.tenant_id as "tenantId", oldest.oldest
  from counted left join oldest on true order by oldest.oldest`;
