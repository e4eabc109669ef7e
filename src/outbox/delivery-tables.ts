// Deliveries, the queue of those that are due, and their attempts. Tables: deliveries, delivery_queue, delivery_attempts
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { Claim, ClaimedDelivery, ClaimLimits, DeliveryEnd } from "./claimed-delivery.ts";
import { endArrays, ENDED } from "./delivery-end-arrays.ts";
import { inOrder, lockRows, lockRowsOfEvents } from "./delivery-locks.ts";
import { takesModeSql, WANTED, WANTED_AGAIN, WANTED_BY_ONE } from "./delivery-match.ts";
import { BEHIND_OLDER, BY_INDEX_ALONE, CHOSEN, ENDPOINTS_AT_ONCE, NEXT_IN_ORDER, UNCLAIMED } from "./delivery-turns.ts";

export interface EventKey {
  tenantId: string;
  livemode: boolean;
  /** msg_… */
  id: string;
}

/**
 * Makes a delivery of each event for each endpoint that takes it, once: asked again it makes nothing. Behind the statement
 * that stores the events, in its transaction; ids of events that were not stored match nothing. Returns how many it made.
 */
export async function fanOut(tx: Queryable, events: readonly EventKey[]): Promise<number> {
  if (events.length === 0) return 0;
  const sorted = events.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const values = [
    textArray(sorted.map(({ tenantId }) => tenantId)),
    booleanArray(sorted.map(({ livemode }) => livemode)),
    textArray(sorted.map(({ id }) => id)),
  ];
  return (await tx.query({ name: "fan_out", text: FAN_OUT, values })).rowCount;
}

export interface EndpointOfMode {
  tenantId: string;
  livemode: boolean;
  endpointId: string;
}

/**
 * Queues these events for one endpoint, whatever it takes by its patterns; events and endpoints that are not there, and
 * endpoints that are disabled or have no url, are left out. With `again` a delivery that has ended starts a new round under
 * its id; without, it stays as it is. With `hasten` one that is pending is due now and starts one, too, unless it is under way.
 * Of several endpoints the one with the lowest id goes first. Returns the ids of the deliveries that were queued or
 * hastened.
 */
export async function fanOutTo(
  tx: Queryable,
  { tenantId, livemode, endpointId }: EndpointOfMode,
  eventIds: readonly string[],
  { again, hasten = false }: { again: boolean; hasten?: boolean },
): Promise<string[]> {
  if (eventIds.length === 0) return [];
  const ids = [...new Set(eventIds)].sort();
  const values = [tenantId, livemode, endpointId, textArray(ids), again, hasten];
  const [, { rows }] = await Promise.all([
    lockRowsOfEvents(tx, endpointId, ids),
    tx.query<{ id: string }>({ text: FAN_OUT_TO, values }),
  ]);
  return rows.map(({ id }) => id);
}

export interface DeliveryKey {
  tenantId: string;
  livemode: boolean;
  /** dlv_… */
  id: string;
}

/**
 * Starts a new round of attempts, the first of them now: what people ask for takes nothing of what is tried by itself.
 *
 * @returns missing: there is no such delivery · unavailable: its event is not kept any more, or its endpoint is deleted,
 * disabled, without a url, or does not take this mode
 */
export async function retryDelivery(
  tx: Queryable,
  { tenantId, livemode, id }: DeliveryKey,
): Promise<"queued" | "missing" | "unavailable"> {
  const { rows } = await tx.query<{ possible: boolean }>({ text: RETRY, values: [tenantId, livemode, id] });
  return rows[0] === undefined ? "missing" : rows[0].possible ? "queued" : "unavailable";
}

const TAKES_NOTHING = "The endpoint was deleted or disabled, has no url, or takes no events of this mode.";

/**
 * Ends some of what waits for an endpoint that was disabled or deleted, has no url, or does not take its mode; nothing else.
 * What another transaction has locked is left out, and found again. It waits only to make due what comes next in order, for
 * a claim that has met that as blocked. Returns how many, at most `limit`.
 */
export async function cancelDeliveries(
  tx: Queryable,
  { tenantId, endpointId, limit }: { tenantId: string; endpointId: string; limit: number },
): Promise<number> {
  const values = [tenantId, endpointId, TAKES_NOTHING, limit];
  const { rows } = await tx.query<InOrder>({ text: CANCEL, values });
  // The endpoint may take deliveries again by now.
  await followOrder(tx, rows);
  return rows.length;
}

/** Claims what is due: of each endpoint in turn a few, the oldest first. What it costs does not depend on how much waits. */
export async function claimDeliveries(
  tx: Queryable,
  lease: string,
  leaseSeconds: number,
  limits: ClaimLimits,
): Promise<Claim> {
  const { all, perEndpoint, rooms, without, behind } = limits;
  const values = [
    ...[lease, leaseSeconds, behind, ENDPOINTS_AT_ONCE, all, perEndpoint],
    textArray([...rooms.keys()]),
    bigintArray([...rooms.values()]),
    textArray(without),
  ];
  type Row = { behind: string; blocked: boolean | null } & (
    Omit<ClaimedDelivery, "lease"> | Record<keyof ClaimedDelivery, null>
  );
  const [, { rows }] = await Promise.all([
    tx.query({ name: "by_index_alone", text: BY_INDEX_ALONE }),
    tx.query<Row>({ name: "claim_deliveries", text: CLAIM, values }),
  ]);
  const claimed: ClaimedDelivery[] = [];
  const waiting: ClaimedDelivery[] = [];
  for (const { behind: _, blocked, ...row } of rows)
    if (row.id !== null) (blocked === true ? waiting : claimed).push({ ...row, lease });
  if (waiting.length > 0) await park(tx, waiting);
  return { claimed, parked: waiting.length, behind: rows[0]?.behind ?? "" };
}

/**
 * Puts off what waits for an older one, so that the next looks do not meet it: the end of that one makes it due. In a
 * statement of its own, behind the locks: where the older one has ended meanwhile it sees so, and where it ends only now
 * its end waits for us.
 */
async function park(tx: Queryable, waiting: readonly ClaimedDelivery[]): Promise<void> {
  const values = [
    textArray(waiting.map(({ endpointId }) => endpointId)),
    textArray(waiting.map(({ id }) => id)),
    PARKED_SECONDS,
  ];
  await tx.query({ name: "park_deliveries", text: PARK, values });
}

/** At least; longer where the oldest one is due later. */
const PARKED_SECONDS = 60;

/**
 * Writes down what came of these, one statement for all. Left out are those whose claim is not ours any more: another
 * worker has them, or we again, by a later claim, or their endpoint was deleted. Returns the others.
 */
export async function recordEnds(tx: Queryable, all: readonly DeliveryEnd[]): Promise<Set<DeliveryEnd>> {
  if (all.length === 0) return new Set();
  const ends = all.toSorted((a, b) => inOrder(a.delivery, b.delivery));
  const locked = lockRows(
    tx,
    ends.map(({ delivery }) => delivery),
  );
  const recorded = tx.query<{ nth: number }>({ name: "record_ends", text: RECORD, values: endArrays(ends) });
  const [, { rows }] = await Promise.all([locked, recorded]);
  const written = rows.flatMap(({ nth }) => ends[nth - 1] ?? []);
  const left = written.filter(({ status }) => status !== "pending");
  await followOrder(
    tx,
    left.map(({ delivery }) => delivery),
  );
  return new Set(written);
}

type InOrder = Pick<ClaimedDelivery, "endpointId" | "orderingKey">;

/** Of an endpoint that wants order: the one behind a delivery that has ended is due now. Those behind that one wait for it. */
async function followOrder(tx: Queryable, ended: readonly InOrder[]): Promise<void> {
  const ordered = ended.filter(({ orderingKey }) => orderingKey !== null);
  if (ordered.length === 0) return;
  const values = [textArray(ordered.map((one) => one.endpointId)), textArray(ordered.map((one) => one.orderingKey))];
  await tx.query({ name: "follow_order", text: FOLLOW_ORDER, values });
}

/** Gives back claims whose exchange was not begun: no attempt. */
export async function releaseDeliveries(tx: Queryable, claimed: readonly ClaimedDelivery[]): Promise<void> {
  if (claimed.length === 0) return;
  const sorted = claimed.toSorted(inOrder);
  await Promise.all([lockRows(tx, sorted), tx.query({ text: RELEASE, values: keysOf(sorted) })]);
}

/** Claims go on for so many seconds from now. Returns the ids of those that are still ours. */
export async function renewDeliveries(
  tx: Queryable,
  claimed: readonly ClaimedDelivery[],
  leaseSeconds: number,
): Promise<Set<string>> {
  const sorted = claimed.toSorted(inOrder);
  const values = [...keysOf(sorted), leaseSeconds];
  const [, { rows }] = await Promise.all([lockRows(tx, sorted), tx.query<{ id: string }>({ text: RENEW, values })]);
  return new Set(rows.map(({ id }) => id));
}

function keysOf(claimed: readonly ClaimedDelivery[]): Buffer[] {
  return [
    textArray(claimed.map(({ endpointId }) => endpointId)),
    textArray(claimed.map(({ id }) => id)),
    textArray(claimed.map(({ lease }) => lease)),
  ];
}

/** On one folder there is one process: whatever a killed one had claimed is ours at once. */
export async function releaseAllDeliveries(tx: Queryable): Promise<number> {
  return (await tx.query("update delivery_queue set lease = null, lease_until = null where lease is not null"))
    .rowCount;
}

/**
 * Deletes deliveries that ended so many days ago, with their attempts; on a server those go with their month, once it has no
 * deliveries any more: see outbox-partitions.ts. Returns how many, at most `limit`.
 */
export async function deleteOldDeliveries(database: Database, days: number, limit = 5000): Promise<number> {
  return (await database.query({ text: DELETE_OLD[database.kind], values: [days, limit] })).rowCount;
}

// In the order of the events, as far as rows with one time go: a claim then meets the oldest of an object first.
const queueSql = (again: boolean): string => `
  insert into delivery_queue (endpoint_id, delivery_id, tenant_id, livemode, event_id, ordering_key, again)
  select endpoint_id, id, tenant_id, livemode, event_id, ordering_key, ${String(again)} from wanted join made using (tenant_id, livemode, id)
  order by endpoint_id, event_id`;

// `offset 0` and `limit 1`: looked up by index, whatever the plan's age.
const FAN_OUT = `
  with wanted as materialized (${WANTED}), made as (
    insert into deliveries (tenant_id, livemode, id, endpoint_id, event_id)
    select tenant_id, livemode, id, endpoint_id, event_id from wanted order by tenant_id, livemode, id
    on conflict do nothing returning tenant_id, livemode, id
  )
  ${queueSql(false)} on conflict do nothing`;

const NEW_ROUND = `
  status = 'pending', attempts_before = delivery.attempts, ended_at = null, last_error = null`;

const FAN_OUT_TO = `
  with wanted as materialized (${WANTED_BY_ONE}), made as (
    insert into deliveries as delivery (tenant_id, livemode, id, endpoint_id, event_id)
    select tenant_id, livemode, id, endpoint_id, event_id from wanted order by tenant_id, livemode, id
    on conflict (tenant_id, livemode, id) do update set ${NEW_ROUND} where $5 and delivery.status <> 'pending'
    returning tenant_id, livemode, id
  ), queued as (
    ${queueSql(true)} on conflict (endpoint_id, delivery_id) do nothing returning delivery_id
  ), hastened as (
    update delivery_queue as queue set next_attempt_at = now(), attempts = 0, again = true
    from wanted
    where $6 and queue.endpoint_id = wanted.endpoint_id and queue.delivery_id = wanted.id and queue.lease is null
    returning queue.delivery_id
  )
  select delivery_id as id from queued union select delivery_id from hastened order by 1`;

// A queue row that is there belongs to a pending delivery, which starts anew unless a worker has it.
const RETRY = `
  with wanted as materialized (${WANTED_AGAIN}), again as (
    update deliveries as delivery set ${NEW_ROUND}
    from wanted
    where wanted.possible and delivery.tenant_id = $1 and delivery.livemode = $2 and delivery.id = $3
      and delivery.status <> 'pending'
    returning delivery.id
  ), queued as (
    insert into delivery_queue (endpoint_id, delivery_id, tenant_id, livemode, event_id, ordering_key, again)
    select endpoint_id, id, tenant_id, livemode, event_id, ordering_key, true from wanted join again using (id)
    on conflict (endpoint_id, delivery_id) do nothing
  ), hastened as (
    update delivery_queue as queue set next_attempt_at = now(), attempts = 0, again = true
    from wanted
    where wanted.status = 'pending' and queue.endpoint_id = wanted.endpoint_id and queue.delivery_id = wanted.id
      and queue.lease is null
  )
  select possible from wanted`;

// Every statement locks a delivery's queue row before the delivery itself.
const CANCEL = `
  with found as materialized (
    -- What is claimed ends by itself: the receiver may have taken it.
    select endpoint_id, delivery_id from delivery_queue as queue
    where tenant_id = $1 and endpoint_id = $2 and ${UNCLAIMED} and not exists (
      select from webhook_endpoints as endpoint
      where endpoint.tenant_id = $1 and endpoint.id = $2 and ${takesModeSql("queue.livemode")})
    order by endpoint_id, delivery_id limit $4 for update skip locked
  ), gone as (
    delete from delivery_queue as queue using found
    where queue.endpoint_id = found.endpoint_id and queue.delivery_id = found.delivery_id
    returning queue.*
  ), ended as (
    update deliveries as delivery set status = 'canceled', ended_at = now(), last_error = $3
    from gone
    where delivery.tenant_id = gone.tenant_id and delivery.livemode = gone.livemode and delivery.id = gone.delivery_id
      and delivery.status = 'pending'
  )
  select endpoint_id as "endpointId", ordering_key as "orderingKey" from gone`;

const CLAIM = `
  with recursive ${CHOSEN}, claimed as (
    update delivery_queue
    set lease = $1, lease_until = now() + $2::int * interval '1 second'
    where ctid = any (array(select at from chosen))
    returning tenant_id, livemode, delivery_id, endpoint_id, event_id, ordering_key, attempts, again
  )
  select seen.behind, claimed.tenant_id as "tenantId", claimed.livemode, claimed.delivery_id as id,
         claimed.endpoint_id as "endpointId", claimed.event_id as "eventId", claimed.ordering_key as "orderingKey",
         claimed.attempts, claimed.again, claimed.blocked
  from seen left join (
    select *, false as blocked from claimed
    union all
    select '', false, delivery_id, endpoint_id, '', null, 0::smallint, false, true from blocked
  ) as claimed on true`;

const PARK = `
  update delivery_queue as queue
  set next_attempt_at = greatest(parked.until, now() + $3::int * interval '1 second'), lease = null, lease_until = null
  from (${BEHIND_OLDER}) as parked
  where queue.endpoint_id = parked.endpoint_id and queue.delivery_id = parked.delivery_id and ${UNCLAIMED}`;

// Its queue rows are locked before it begins, and whoever writes to a pending delivery has locked its queue row: what it sees
// is what there is, and it locks nothing again.
const RECORD = `
  with ended as materialized (${ENDED}), ours as materialized (
    -- limit 1 makes it a look-up by primary key, whatever the plan's age. All of a row: to join its rest later, once for each
    -- statement below, cost a quarter of the deliveries a second (npm run bench:deliveries).
    select ended.*, found.*
    from ended cross join lateral (
      select ctid as queued, tenant_id, livemode from delivery_queue as queue
      where queue.endpoint_id = ended.endpoint_id and queue.delivery_id = ended.delivery_id and queue.lease = ended.lease
      limit 1
    ) as found
  ), gone as (
    delete from delivery_queue where ctid = any (array(select queued from ours where status <> 'pending'))
  ), later as (
    update delivery_queue as queue
    set lease = null, lease_until = null, next_attempt_at = now() + ours.wait * interval '1 millisecond',
        attempts = queue.attempts + (ours.attempt_id is not null)::int
    from ours
    where queue.ctid = any (array(select queued from ours where status = 'pending'))
      and ours.endpoint_id = queue.endpoint_id and ours.delivery_id = queue.delivery_id
  ), known as materialized (
    select found.at
    from ours cross join lateral (
      select ctid as at from deliveries as delivery
      where delivery.tenant_id = ours.tenant_id and delivery.livemode = ours.livemode and delivery.id = ours.delivery_id
      limit 1
    ) as found
  ), told as (
    update deliveries as delivery
    set status = ours.status, attempts = delivery.attempts + (ours.attempt_id is not null)::int,
        last_attempt_at = coalesce(to_timestamp(ours.at / 1000.0), delivery.last_attempt_at),
        last_status_code = case when ours.attempt_id is null then delivery.last_status_code else ours.status_code end,
        last_error = ours.error, ended_at = case when ours.status <> 'pending' then now() end
    from ours
    where delivery.ctid = any (array(select at from known)) and ours.delivery_id = delivery.id
    returning delivery.tenant_id, delivery.livemode, delivery.id, delivery.attempts, ours.nth
  ), attempted as (
    insert into delivery_attempts (tenant_id, livemode, delivery_id, id, attempt, at, url, request_headers, status_code,
      latency_ms, response_headers, response_body, error_code, error)
    select told.tenant_id, told.livemode, told.id, ours.attempt_id, told.attempts, to_timestamp(ours.at / 1000.0),
           ours.url, ours.request_headers::json, ours.status_code, ours.latency_ms, ours.response_headers::json,
           ours.response_body, ours.error_code, ours.error
    from told join ours using (nth)
    where ours.attempt_id is not null
  )
  select nth::int from told`;

// Whenever it is due, so that it waits for a claim that has just met it as blocked, and is not parked behind our back.
const FOLLOW_ORDER = `
  update delivery_queue as queue set next_attempt_at = now(), lease = null, lease_until = null
  from (${NEXT_IN_ORDER}) as next
  where queue.endpoint_id = next.endpoint_id and queue.delivery_id = next.delivery_id and ${UNCLAIMED}`;

const OURS = `
  from unnest($1::text[], $2::text[], $3::text[]) as claimed (endpoint_id, delivery_id, lease)
  where queue.endpoint_id = claimed.endpoint_id and queue.delivery_id = claimed.delivery_id and queue.lease = claimed.lease`;

const RELEASE = `update delivery_queue as queue set lease = null, lease_until = null ${OURS}`;

const RENEW = `
  update delivery_queue as queue set lease_until = now() + $4::int * interval '1 second' ${OURS}
  returning queue.delivery_id as id`;

// One that has just begun a new round is not old any more.
const deleteOldSql = (attempts: string): string => `
  with old as materialized (
    select tenant_id, livemode, id from deliveries
    where ended_at < now() - $1::int * interval '1 day' order by ended_at limit $2 for update skip locked
  ), gone as (
    delete from deliveries as delivery using old
    where delivery.tenant_id = old.tenant_id and delivery.livemode = old.livemode and delivery.id = old.id
    returning delivery.tenant_id, delivery.livemode, delivery.id
  ), attempted as (
    ${attempts} as attempt using gone
    where attempt.tenant_id = gone.tenant_id and attempt.livemode = gone.livemode and attempt.delivery_id = gone.id
  )
  select from gone`;
const DELETE_OLD = {
  embedded: deleteOldSql("delete from delivery_attempts"),
  server: deleteOldSql("delete from delivery_attempts_default"),
};
