// The inbox's own SQL. Tables: stripe_events, stripe_event_queue, stripe_event_outcomes, stripe_event_attempts
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable, Statement } from "../db/database.ts";
import { compareIds } from "../projections/order.ts";
import { OLDEST, OLDEST_OBJECTS } from "./claim-order.ts";
import { wasTakenIn } from "./taken-in.ts";

/** An observation on its way into the inbox. */
export interface IncomingEvent {
  id: string;
  source: "webhook" | "pull";
  type: string;
  /** Unix seconds; of a fetched object its `as_of`. */
  created: number;
  livemode: boolean;
  /** "" for the platform's own account. */
  account: string;
  apiVersion: string | null;
  objectType: string;
  objectId: string | null;
  customerId: string | null;
  email: string | null;
  tenantId: string | null;
  /** As received, byte for byte; valid UTF-8 without NUL bytes. */
  payload: Buffer;
}

/** One event's place in the queue, as claimed. */
export interface Claimed {
  seq: number;
  created: number;
  eventId: string;
  objectKey: string | null;
  /** Its payload was replaced by a greater API version: what was folded from the old one must go. */
  refold: boolean;
  /** This attempt included. */
  attempts: number;
  /** Seconds since it was queued. */
  age: number;
}

/**
 * Stores a batch and queues what is new in it, in one statement. Rows are sorted by key first: unsorted overlapping
 * batches of two nodes deadlocked 12 times in 15 rounds.
 *
 * @returns those that were new, or replaced an older API version
 */
export async function insertEvents(database: Queryable, events: readonly IncomingEvent[]): Promise<Set<IncomingEvent>> {
  const greatest = greatestVersions(events);
  const batch = [...greatest.values()].sort((a, b) => a.created - b.created || compareIds(a.id, b.id));
  const { rows } = await database.query<{ created: number; id: string }>({
    name: "insert_events",
    text: INSERT,
    values: [
      bigintArray(batch.map((event) => event.created)),
      textArray(batch.map((event) => event.id)),
      textArray(batch.map((event) => event.source)),
      textArray(batch.map((event) => event.type)),
      booleanArray(batch.map((event) => event.livemode)),
      textArray(batch.map((event) => event.account)),
      textArray(batch.map((event) => event.apiVersion)),
      textArray(batch.map((event) => event.objectType)),
      textArray(batch.map((event) => event.objectId)),
      textArray(batch.map((event) => event.customerId)),
      textArray(batch.map((event) => event.email)),
      textArray(batch.map((event) => event.tenantId)),
      textArray(batch.map((event) => event.payload)),
    ],
  });
  return new Set(rows.map((row) => greatest.get(eventKey(row))).filter((event) => event !== undefined));
}

export function eventKey(event: { created: number; id: string }): string {
  return `${event.created}:${event.id}`;
}

/** One statement cannot touch a row twice: of one event that came twice in a batch, the greater API version goes in. */
function greatestVersions(events: readonly IncomingEvent[]): Map<string, IncomingEvent> {
  const greatest = new Map<string, IncomingEvent>();
  for (const event of events) {
    const key = eventKey(event);
    const known = greatest.get(key);
    if (known === undefined || (event.apiVersion ?? "") > (known.apiVersion ?? "")) greatest.set(key, event);
  }
  return greatest;
}

/**
 * Claims what is due, oldest first: `limit` events, of which only so many that were tried or are folded anew. The caller
 * commits this before it works, so that an event that kills us counts.
 */
export async function claimEvents(
  tx: Queryable,
  lease: string,
  leaseSeconds: number,
  limit: number,
): Promise<Claimed[]> {
  return claimed(tx, { name: "claim_events", text: claimSql(OLDEST), values: [lease, leaseSeconds, limit] });
}

/** One worker's part of the objects: `number` of `of` (a power of two). */
export interface Lane {
  number: number;
  of: number;
}

/**
 * Claims what is due of one lane's objects off a backlog: of those that have waited longest, with all that waits of them.
 * `limit` bounds events and objects. What another claims at the same time is missing, so that fewer says nothing of the rest.
 */
export async function claimObjects(
  tx: Queryable,
  lease: string,
  leaseSeconds: number,
  limit: { events: number; objects: number },
  lane: Lane,
): Promise<Claimed[]> {
  const values = [lease, leaseSeconds, limit.events, limit.objects, lane.of - 1, lane.number];
  return claimed(tx, { name: "claim_objects", text: claimSql(OLDEST_OBJECTS), values });
}

async function claimed(tx: Queryable, statement: Statement): Promise<Claimed[]> {
  const { rows } = await tx.query<Claimed>(statement);
  return rows.sort((a, b) => a.seq - b.seq);
}

/** Prolongs claims. Returns those that are still ours: of the others another worker took over, or the payload was replaced. */
export async function renewEvents(
  tx: Queryable,
  claimed: readonly Claimed[],
  lease: string,
  leaseSeconds: number,
): Promise<Claimed[]> {
  const values = [bigintArray(claimed.map((event) => event.seq)), lease, leaseSeconds];
  const { rows } = await tx.query<{ seq: number }>({ name: "renew_events", text: RENEW, values });
  const ours = new Set(rows.map(({ seq }) => seq));
  return claimed.filter(({ seq }) => ours.has(seq));
}

/** Takes processed events off the queue. Throws when a lease was lost meanwhile: the caller's work is then rolled back. */
export async function finishEvents(tx: Queryable, claimed: readonly Claimed[], lease: string): Promise<void> {
  if (claimed.length === 0) return;
  const values = [bigintArray(claimed.map((event) => event.seq)), lease];
  const { rowCount } = await tx.query({ name: "finish_events", text: FINISH, values });
  if (rowCount !== claimed.length) throw new LeaseLost(claimed.length - rowCount);
}

/** Another worker took over, or the event was replaced, while we worked: nothing of ours may be kept. */
export class LeaseLost extends Error {
  constructor(count: number) {
    super(`the lease on ${count} claimed events was lost`);
    this.name = "LeaseLost";
  }
}

/** Gives back claims whose object another worker holds: not an attempt. */
export async function releaseEvents(tx: Queryable, claimed: readonly Claimed[], lease: string): Promise<void> {
  if (claimed.length === 0) return;
  await tx.query({
    name: "release_events",
    text: RELEASE,
    values: [bigintArray(claimed.map((event) => event.seq)), lease],
  });
}

/** Puts a failed attempt on record and the event back in the queue, due after `delaySeconds`. */
export async function retryLater(
  tx: Queryable,
  claimed: Claimed,
  lease: string,
  error: string,
  delaySeconds: number,
): Promise<void> {
  await tx.query({ text: RECORD_ATTEMPT, values: [claimed.created, claimed.eventId, claimed.attempts, error] });
  await tx.query({ text: RETRY, values: [claimed.seq, lease, delaySeconds] });
}

/** Gives an event up: kept, visible, counted, replayable. */
export async function giveUp(tx: Queryable, claimed: Claimed, lease: string, error: string): Promise<void> {
  await tx.query({ text: RECORD_ATTEMPT, values: [claimed.created, claimed.eventId, claimed.attempts, error] });
  await recordOutcomes(tx, "failed", [claimed]);
  await finishEvents(tx, [claimed], lease);
}

/** Records how events ended that did not simply succeed. */
export async function recordOutcomes(
  tx: Queryable,
  status: "failed" | "ignored" | "unrouted",
  events: readonly Pick<Claimed, "created" | "eventId">[],
): Promise<void> {
  if (events.length === 0) return;
  const values = [...keysOf(events), status];
  await tx.query({ name: "record_outcomes", text: RECORD_OUTCOMES, values });
}

const keysOf = (events: readonly Pick<Claimed, "created" | "eventId">[]): Buffer[] => [
  bigintArray(events.map((event) => event.created)),
  textArray(events.map((event) => event.eventId)),
];

/** A replayed event starts anew: what an earlier run said of it goes. */
export async function clearOutcomes(
  tx: Queryable,
  events: readonly Pick<Claimed, "created" | "eventId">[],
): Promise<void> {
  if (events.length === 0) return;
  const values = keysOf(events);
  await tx.query({ name: "clear_outcomes", text: CLEAR_OUTCOMES, values });
}

/** Writes the tenant on events of connected accounts, once they are routed. */
export async function writeTenants(
  tx: Queryable,
  routed: readonly { created: number; eventId: string; tenantId: string }[],
): Promise<void> {
  if (routed.length === 0) return;
  const values = [
    bigintArray(routed.map((event) => event.created)),
    textArray(routed.map((event) => event.eventId)),
    textArray(routed.map((event) => event.tenantId)),
  ];
  await tx.query({ name: "write_tenants", text: WRITE_TENANTS, values });
}

/** Queues stored events again, before their outcomes are cleared. Those already in the queue are due now. Returns how many there were. */
export async function enqueueAgain(
  tx: Queryable,
  events: readonly { created: number; eventId: string }[],
): Promise<number> {
  if (events.length === 0) return 0;
  const values = keysOf(events);
  // Who gives one of them up now has told how it ended by the next statement.
  await tx.query({ text: LOCK_QUEUED, values });
  return (await tx.query({ text: ENQUEUE_AGAIN, values })).rowCount;
}

/** Queues events whose account had no tenant when they were processed, and has one by now. Returns how many. */
export async function enqueueRoutable(tx: Queryable, limit: number): Promise<number> {
  return (await tx.query({ text: ENQUEUE_ROUTABLE, values: [limit] })).rowCount;
}

/** Deletes stored events that nothing waits for: retention decides which. An account's that nobody owns yet stay, to be routed. */
export async function deleteEvents(tx: Queryable, events: readonly { created: number; id: string }[]): Promise<number> {
  if (events.length === 0) return 0;
  const values = [bigintArray(events.map(({ created }) => created)), textArray(events.map(({ id }) => id))];
  return (await tx.query({ text: DELETE_EVENTS, values })).rowCount;
}

/** Deletes how events from one second up to another ended, where the events are not kept any more. Returns how many, `limit` of each kind at most. */
export async function forgetEnds(tx: Queryable, from: number, to: number, limit: number): Promise<number> {
  return (await tx.query({ text: FORGET_ENDS, values: [from, to, limit] })).rowCount;
}

/** On one folder there is one process: whatever a killed one had claimed is ours at once. */
export async function releaseAllLeases(tx: Queryable): Promise<number> {
  return (await tx.query("update stripe_event_queue set lease = null, next_attempt_at = now() where lease is not null"))
    .rowCount;
}

// The same text as objectKeyText().
const OBJECT_KEY = `
  case when event.object_id is null then null
       else case when event.livemode then 'live' else 'test' end
            || '|' || event.stripe_account || '|' || event.object_type || '|' || event.object_id end`;

// The payload is read once: what is queued is made from the row as stored, not from a second look at the parameters.
const INSERT = `
  with stored as (
    insert into stripe_events as known
      (created, id, source, type, livemode, stripe_account, api_version, object_type, object_id, customer_id, email, tenant_id, payload)
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
    on conflict (created, id) do update
      set api_version = excluded.api_version, customer_id = excluded.customer_id, email = excluded.email,
          payload = excluded.payload, replaced_at = now()
      where coalesce(excluded.api_version, '') collate "C" > coalesce(known.api_version, '') collate "C"
        -- The same event says the same of the same object in every version; anything else is no later version of it.
        and excluded.type = known.type and excluded.object_type = known.object_type
        and excluded.object_id is not distinct from known.object_id
    returning created, id, replaced_at, livemode, stripe_account, object_type, object_id
  ), queued as (
    insert into stripe_event_queue (created, event_id, object_key, refold, stands)
    select event.created, event.id, ${OBJECT_KEY}, event.replaced_at is not null,
           case when event.replaced_at is null then false else ${wasTakenIn("event")} end
    from stored as event
    order by event.created, event.id
    -- Replaced while it waits or while a worker holds it: the lease is broken, so that the older payload's work rolls back.
    on conflict (created, event_id) do update
      set refold = true, lease = null, next_attempt_at = now(), object_key = excluded.object_key
  ), forgotten as (
    delete from stripe_event_outcomes as outcome using stored
    where stored.replaced_at is not null and outcome.created = stored.created and outcome.event_id = stored.id
  )
  select created, id from stored`;

const claimSql = (chosen: string): string => `
  update stripe_event_queue
  set attempts = attempts + 1, lease = $1, next_attempt_at = now() + $2 * interval '1 second'
  where ctid = any (array(${chosen}))
  returning seq, created, event_id as "eventId", object_key as "objectKey", refold, attempts,
            extract(epoch from now() - queued_at)::float8 as age`;

// By place, found by index, whatever the queue's size was when the plan was made. A row that moved meanwhile has lost its lease.
const FINISH = `
  delete from stripe_event_queue as queue
  using unnest($1::bigint[]) as done (seq)
    cross join lateral (
      select stored.ctid from stripe_event_queue as stored where stored.seq = done.seq and stored.lease = $2 limit 1) as held
  where queue.ctid = held.ctid`;

const RELEASE = `
  update stripe_event_queue set lease = null, attempts = attempts - 1, next_attempt_at = now() + interval '20 milliseconds'
  where seq = any ($1::bigint[]) and lease = $2`;

const RENEW = `
  update stripe_event_queue set next_attempt_at = now() + $3 * interval '1 second'
  where seq = any ($1::bigint[]) and lease = $2 returning seq`;

const RETRY =
  "update stripe_event_queue set lease = null, next_attempt_at = now() + $3 * interval '1 second' where seq = $1 and lease = $2";

const RECORD_ATTEMPT = `
  insert into stripe_event_attempts (created, event_id, attempt, error) values ($1, $2, $3, $4) on conflict do nothing`;

const RECORD_OUTCOMES = `
  insert into stripe_event_outcomes (created, event_id, status, livemode, stripe_account, stands)
  select event.created, event.id, $3, event.livemode, event.stripe_account,
         $3 = 'failed' and coalesce((select queue.stands from stripe_event_queue as queue
                                     where queue.created = event.created and queue.event_id = event.id), false)
  from unnest($1::bigint[], $2::text[]) as ended (created, id)
  join stripe_events as event on event.created = ended.created and event.id = ended.id
  order by event.created, event.id
  on conflict (created, event_id) do update set status = excluded.status, stands = excluded.stands, at = now()`;

const CLEAR_OUTCOMES = `
  delete from stripe_event_outcomes using unnest($1::bigint[], $2::text[]) as again (created, event_id)
  where stripe_event_outcomes.created = again.created and stripe_event_outcomes.event_id = again.event_id`;

const WRITE_TENANTS = `
  update stripe_events as event set tenant_id = routed.tenant_id
  from unnest($1::bigint[], $2::text[], $3::text[]) as routed (created, id, tenant_id)
  where event.created = routed.created and event.id = routed.id and event.tenant_id is distinct from routed.tenant_id`;

const LOCK_QUEUED = `
  select from unnest($1::bigint[], $2::text[]) as again (created, event_id)
  join stripe_event_queue as queue using (created, event_id) order by created, event_id for update of queue`;

// Folded anew from all of its observations: what an earlier run left out, or put in, is put right.
const ENQUEUE_AGAIN = `
  insert into stripe_event_queue (created, event_id, object_key, refold, stands)
  select event.created, event.id, ${OBJECT_KEY}, true, ${wasTakenIn("event")}
  from unnest($1::bigint[], $2::text[]) as again (created, id)
  join stripe_events as event on event.created = again.created and event.id = again.id
  order by event.created, event.id
  on conflict (created, event_id) do update
    set attempts = 0, queued_at = now(), next_attempt_at = now(), lease = null, refold = true`;

// Events of connected accounts that came before the connection, unrouted ones and the accounts' own. What failed waits for a replay.
const ENQUEUE_ROUTABLE = `
  with routable as (
    select event.created, event.id, ${OBJECT_KEY} as object_key, ${wasTakenIn("event")} as stands
    from connections as connection
    join stripe_events as event
      on event.stripe_account = connection.stripe_account and event.livemode = connection.livemode
     and event.stripe_account <> '' and event.tenant_id is null
    where not exists (
        select from stripe_event_queue as queue where queue.created = event.created and queue.event_id = event.id)
      and not exists (
        select from stripe_event_outcomes as outcome
        where outcome.created = event.created and outcome.event_id = event.id and outcome.status = 'failed')
    order by event.created, event.id
    limit $1
  ), gone as (
    delete from stripe_event_outcomes as outcome using routable
    where outcome.created = routable.created and outcome.event_id = routable.id and outcome.status = 'unrouted'
  )
  insert into stripe_event_queue (created, event_id, object_key, refold, stands)
  select created, id, object_key, true, stands from routable order by created, id
  on conflict (created, event_id) do nothing`;

const DELETE_EVENTS = `
  delete from stripe_events as event
  using unnest($1::bigint[], $2::text[]) as old (created, id)
  where event.created = old.created and event.id = old.id and (event.stripe_account = '' or event.tenant_id is not null)
    and not exists (
      select from stripe_event_queue as queue where queue.created = event.created and queue.event_id = event.id)`;

const OF_NONE = `
  ended.created >= $1 and ended.created < $2 and not exists (
    select from stripe_events as event where event.created = ended.created and event.id = ended.event_id) limit $3`;

const FORGET_ENDS = `
  with outcomes as (
    delete from stripe_event_outcomes
    where ctid = any (array(select ctid from stripe_event_outcomes as ended where ${OF_NONE})) returning 1
  ), attempts as (
    delete from stripe_event_attempts
    where ctid = any (array(select ctid from stripe_event_attempts as ended where ${OF_NONE})) returning 1
  )
  select from outcomes union all select from attempts`;
