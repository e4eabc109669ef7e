// Reads stored events and the observations of objects, for processing, rebuilding and the billing log.
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { wasTakenIn } from "./taken-in.ts";

/** A stored event as the processor reads it. */
export interface StoredEvent {
  created: number;
  id: string;
  source: "webhook" | "pull";
  type: string;
  livemode: boolean;
  stripe_account: string;
  api_version: string | null;
  object_type: string;
  object_id: string | null;
  /** Null: whose it is was not known yet. */
  tenant_id: string | null;
  payload: string;
}

/** Loads stored events by key. */
export async function loadEvents(
  tx: Queryable,
  keys: readonly { created: number; eventId: string }[],
): Promise<StoredEvent[]> {
  if (keys.length === 0) return [];
  const values = [bigintArray(keys.map((key) => key.created)), textArray(keys.map((key) => key.eventId))];
  return (await tx.query<StoredEvent>({ name: "load_events", text: LOAD, values })).rows;
}

/** Events that are looked at first; each further look is at most so many times as large. */
const FIRST_LOOK = 50;
const GROWTH = 4;

/**
 * Loads stored events by key while the payloads together have fewer than `atMost` characters, and at least the first few.
 * Sizes are known only when they are read, so one look may go beyond. Returns the keys that were not loaded, too.
 */
export async function loadUpTo<Key extends { created: number; eventId: string }>(
  tx: Queryable,
  keys: readonly Key[],
  atMost: number,
): Promise<{ stored: StoredEvent[]; left: Key[] }> {
  const stored: StoredEvent[] = [];
  let [at, size, look] = [0, 0, FIRST_LOOK];
  while (at < keys.length && size < atMost) {
    const found = await loadEvents(tx, keys.slice(at, at + look));
    stored.push(...found);
    size += found.reduce((sum, { payload }) => sum + payload.length, 0);
    at += look;
    const fitting = Math.floor(((atMost - size) * at) / Math.max(1, size));
    look = Math.max(1, Math.min(look * GROWTH, fitting));
  }
  return { stored, left: keys.slice(at) };
}

/** Which of these events were processed, and not in vain: what waits may fail yet. */
export async function tookIn(tx: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>({ text: TOOK_IN, values: [textArray(ids)] });
  return new Set(rows.map(({ id }) => id));
}

/** Which observations of an object: those of one second, or (created = null) all of them. Failed and unrouted ones are left out. */
export interface ObjectSecond {
  livemode: boolean;
  account: string;
  objectType: string;
  objectId: string;
  created: number | null;
}

/** `withoutFailing`: not those either that have failed, never else, and wait for their next try: what is read with them would fail, too. */
export async function loadObservationsOf(
  tx: Queryable,
  objects: readonly ObjectSecond[],
  { withoutFailing = false } = {},
): Promise<StoredEvent[]> {
  if (objects.length === 0) return [];
  const values = [
    booleanArray(objects.map((object) => object.livemode)),
    textArray(objects.map((object) => object.account)),
    textArray(objects.map((object) => object.objectType)),
    textArray(objects.map((object) => object.objectId)),
    bigintArray(objects.map((object) => object.created)),
  ];
  const statement = withoutFailing
    ? { name: "load_without_failing", text: LOAD_OBSERVATIONS + WITHOUT_FAILING }
    : { name: "load_observations", text: LOAD_OBSERVATIONS };
  return (await tx.query<StoredEvent>({ ...statement, values })).rows;
}

/** Of a row named `event`. */
export const EVENT_COLUMNS = `
  event.created, event.id, event.source, event.type, event.livemode, event.stripe_account, event.api_version,
  event.object_type, event.object_id, event.tenant_id, event.payload`;

// `limit 1` and `offset 0` make them look-ups by index: a plan made while the table was small would read all of it.
const LOAD = `
  select ${EVENT_COLUMNS}
  from unnest($1::bigint[], $2::text[]) as wanted (created, id)
  join lateral (
    select * from stripe_events as one where one.created = wanted.created and one.id = wanted.id limit 1) as event on true`;

const TOOK_IN = `
  select wanted.id
  from unnest($1::text[]) as wanted (id)
  cross join lateral (select created from stripe_events as one where one.id = wanted.id limit 1) as event
  where not exists (
      select from stripe_event_queue as queued where queued.created = event.created and queued.event_id = wanted.id)
    and not exists (
      select from stripe_event_outcomes as outcome
      where outcome.created = event.created and outcome.event_id = wanted.id and outcome.status in ('failed', 'unrouted')
        and not outcome.stands)`;

// The range of seconds, instead of "this one or any", is what an index and the partitions can be asked for.
const LOAD_OBSERVATIONS = `
  select ${EVENT_COLUMNS}
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as wanted (livemode, stripe_account, object_type, object_id, created)
  cross join lateral (
    select * from stripe_events as one
    where one.object_id = wanted.object_id and one.livemode = wanted.livemode and one.stripe_account = wanted.stripe_account
      and one.object_type = wanted.object_type
      and one.created >= coalesce(wanted.created, 0) and one.created <= coalesce(wanted.created, ${Number.MAX_SAFE_INTEGER})
    offset 0) as event
  where ${wasTakenIn("event")}`;

// What is processed once more (`refold`) stands in the rows already, and stays. Few events have failed: the queue, which may
// have been empty when the plan was made, is asked only for those.
const WITHOUT_FAILING = `
  and not exists (
    select from (
      select attempt.created, attempt.event_id, max(attempt.at) as at from stripe_event_attempts as attempt
      where attempt.created = event.created and attempt.event_id = event.id group by 1, 2) as failed
    cross join lateral (
      select queued_at, refold from stripe_event_queue as queue
      where queue.created = failed.created and queue.event_id = failed.event_id limit 1) as queued
    where failed.at >= queued.queued_at and not queued.refold)`;
