// The operator's view of the inbox: which events arrived, how each ended, and what was tried.
import type { Queryable } from "../db/database.ts";
import {
  addScope,
  conditions,
  type Conditions,
  isoOfSeconds,
  type Page,
  pageOf,
  readCursor,
  writeCursor,
} from "./list-query.ts";

export const EVENT_STATUSES = ["pending", "processed", "failed", "ignored", "unrouted"] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

export interface StripeEventFilter {
  /** Exact, or `invoice.*` for all that begin so. Empty: all. */
  types: readonly string[];
  status?: EventStatus | undefined;
  /** "" for the platform's own. */
  account?: string | undefined;
  objectId?: string | undefined;
  customer?: string | undefined;
  livemode?: boolean | undefined;
  /** Unix seconds, inclusive. */
  since?: number | undefined;
  /** Unix seconds, exclusive. */
  until?: number | undefined;
  /** An id (event, object, customer, account) or an e-mail address, whole: only what an index can find. */
  text?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** One event as the API shows it. */
export interface StripeEventItem {
  id: string;
  /** The seed's names of `id` and `type`. */
  stripe_event_id: string;
  type: string;
  event_type: string;
  status: EventStatus;
  livemode: boolean;
  /** null for the platform's own. */
  account: string | null;
  api_version: string | null;
  object_type: string;
  object_id: string | null;
  customer_id: string | null;
  tenant_id: string | null;
  source: "webhook" | "pull";
  /** When it happened, by Stripe; ISO 8601. */
  created: string;
  /** When we stored it. */
  created_at: string;
  /** Tries so far; a replay starts again. */
  attempts: number;
  /** Of an event that waits for its next try or was given up. */
  last_error: string | null;
}

export interface FailedAttempt {
  attempt: number;
  at: string;
  error: string;
}

export interface StripeEventDetail {
  event: StripeEventItem;
  /** JSON text, byte for byte as received. */
  payload: string;
  /** Oldest first, those of earlier replays included. */
  failedAttempts: FailedAttempt[];
}

interface EventRow {
  id: string;
  created: number;
  type: string;
  status: EventStatus;
  livemode: boolean;
  stripe_account: string;
  api_version: string | null;
  object_type: string;
  object_id: string | null;
  customer_id: string | null;
  tenant_id: string | null;
  source: "webhook" | "pull";
  received_at: Date;
  queue_attempts: number | null;
  failures: number;
  last_error: string | null;
}

/** Those of the ids that no stored event has. */
export async function unknownEventIds(database: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>({
    text: "select id from stripe_events where id = any($1)",
    values: [ids],
  });
  const known = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}

/**
 * A page of events, newest first. What no index finds (types, a mode) is looked for among so many events that a page stays
 * quick: it may be short, or empty, and not the last. Throws `invalid_request` for a cursor that is none.
 */
export async function listStripeEvents(database: Queryable, filter: StripeEventFilter): Promise<Page<StripeEventItem>> {
  if (mustWalk(filter)) return walkEvents(database, filter);
  const where = conditions();
  addFilter(where, filter);
  const driver = driverOf(filter);
  const [created, id] =
    driver === undefined ? ["event.created", "event.id"] : [`${driver}.created`, `${driver}.event_id`];
  if (filter.cursor !== undefined) addAfter(where, filter.cursor, [created, id]);
  const values = [...where.values, filter.limit + 1];
  const text = `${selectEvents(driver)}${where.where()}
    order by ${created} desc, ${id} desc limit $${values.length}`;
  const { rows } = await database.query<EventRow>({ text, values });
  return pageOf(rows, filter.limit, itemOf, (row) => [row.created, row.id]);
}

/** Whether nothing but the order of the list leads to what passes the filter. */
function mustWalk(filter: StripeEventFilter): boolean {
  const { types, status, account, objectId, customer, livemode, text } = filter;
  const isFound =
    objectId !== undefined || customer !== undefined || text !== undefined || driverOf(filter) !== undefined;
  const isOneAccounts = account !== undefined && account !== "";
  const isNarrowed = types.length > 0 || livemode !== undefined || account === "" || status === "processed";
  return isNarrowed && !isFound && !isOneAccounts;
}

/**
 * So many events are looked at, slice by slice: the first is enough for what most events are, and all of them together stay
 * quick. An index on types would be paid by every event.
 */
const SLICES = [200, 4000, 4000];

async function walkEvents(database: Queryable, filter: StripeEventFilter): Promise<Page<StripeEventItem>> {
  const rows: EventRow[] = [];
  let { cursor } = filter;
  for (const size of SLICES) {
    const { found, end } = await readSlice(
      database,
      { ...filter, cursor, limit: filter.limit + 1 - rows.length },
      size,
    );
    rows.push(...found);
    if (end === null || rows.length > filter.limit)
      return pageOf(rows, filter.limit, itemOf, (row) => [row.created, row.id]);
    cursor = writeCursor([end.created, end.id]);
  }
  return { data: rows.map(itemOf), has_more: true, next_cursor: cursor ?? null };
}

/** What passes of the next `size` events; `end`: the last of them, null where there are no more. */
async function readSlice(
  database: Queryable,
  filter: StripeEventFilter,
  size: number,
): Promise<{ found: EventRow[]; end: { created: number; id: string } | null }> {
  const where = conditions();
  const { since, until, cursor, limit } = filter;
  if (since !== undefined) where.add("event.created >= ?", since);
  if (until !== undefined) where.add("event.created < ?", until);
  if (cursor !== undefined) addAfter(where, cursor, ["event.created", "event.id"]);
  const slice = `select event.created, event.id as event_id, event.type, event.livemode, event.stripe_account
    from stripe_events as event${where.where()}
    order by event.created desc, event.id desc limit ${size}`;
  const passing = conditions();
  passing.values.push(...where.values);
  addFilter(passing, { ...filter, since: undefined, until: undefined }, "slice");
  const values = [...passing.values, limit];
  const text = `
    with slice as materialized (${slice}), passed as (
      select slice.created, slice.event_id from slice
      left join stripe_event_queue as queue on queue.created = slice.created and queue.event_id = slice.event_id
      left join stripe_event_outcomes as outcome on outcome.created = slice.created and outcome.event_id = slice.event_id
      ${passing.where()} order by slice.created desc, slice.event_id desc limit $${values.length})
    select ending.looked, ending.created as end_created, ending.event_id as end_id, found.* from (
      select count(*) as looked, min(created) as created, (select event_id from slice order by created, event_id limit 1) as event_id
      from slice) as ending
    left join (${selectEvents("passed")}) as found on true
    order by found.created desc, found.id desc`;
  const { rows } = await database.query<EventRow & { end_created: number; end_id: string; looked: number }>({
    text,
    values,
  });
  const [first] = rows;
  return {
    found: rows.filter(({ id }) => (id as string | null) !== null),
    end: first?.looked === size ? { created: first.end_created, id: first.end_id } : null,
  };
}

/** One event whole, or null. */
export async function readStripeEvent(database: Queryable, id: string): Promise<StripeEventDetail | null> {
  const text = `${selectEvents(undefined, ", event.payload")} where event.id = $1 order by event.created desc limit 1`;
  const { rows } = await database.query<EventRow & { payload: string }>({ text, values: [id] });
  const [row] = rows;
  if (row === undefined) return null;
  const attempts = await database.query<{ attempt: number; at: Date; error: string }>({
    text: SELECT_ATTEMPTS,
    values: [row.created, row.id],
  });
  return {
    event: itemOf(row),
    payload: row.payload,
    failedAttempts: attempts.rows.map(({ attempt, at, error }) => ({ attempt, at: at.toISOString(), error })),
  };
}

export interface InboxCounts {
  /** Events stored, exact up to a hundred thousand. */
  total: number;
  total_is_estimate: boolean;
  /** Events by their own time, which a primary key can count. */
  last_hour: number;
  last_day: number;
  ignored: number;
  /** Seconds that the oldest event that was tried at most once has waited: what healthy processing keeps near 0. */
  lag: number;
}

/** What the operator's overview says about the inbox, beside `queueState`. `now` in Unix seconds. */
export async function inboxCounts(database: Queryable, now: number): Promise<InboxCounts> {
  const { rows } = await database.query<{ counted: number; estimate: number } & Omit<InboxCounts, "total">>({
    text: COUNT_INBOX,
    values: [now - 3600, now - 86_400, COUNTED],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("the inbox could not be counted");
  const exact = row.counted <= COUNTED;
  const { last_hour, last_day, ignored, lag } = row;
  return {
    total: exact ? row.counted : Math.max(row.estimate, row.counted),
    total_is_estimate: !exact,
    last_hour,
    last_day,
    ignored,
    lag,
  };
}

/** Beyond this the planner's own estimate is asked: to count a million takes longer than a page may. */
const COUNTED = 100_000;

/** `one`: what has the columns that most filters ask for. */
function addFilter(where: Conditions, filter: StripeEventFilter, one: "event" | "slice" = "event"): void {
  const exact = filter.types.filter((type) => !type.endsWith("*"));
  const prefixes = filter.types.filter((type) => type.endsWith("*")).map((type) => `${likeText(type.slice(0, -1))}%`);
  if (prefixes.length === 0 && exact.length > 0) where.add(`${one}.type = any (?)`, exact);
  if (prefixes.length > 0) where.add(`${one}.type like any (?)`, [...prefixes, ...exact.map(likeText)]);
  if (filter.status === "pending") where.add("queue.event_id is not null");
  else if (filter.status === "processed") where.add("queue.event_id is null and outcome.event_id is null");
  else if (filter.status !== undefined) where.add("outcome.status = ? and queue.event_id is null", filter.status);
  const driver = driverOf(filter);
  // What the driving table knows too is asked there, before its events are looked up.
  addScope(where, driver === "outcome" ? "outcome" : one, filter);
  if (filter.objectId !== undefined) where.add("event.object_id = ?", filter.objectId);
  if (filter.customer !== undefined) where.add("event.customer_id = ?", filter.customer);
  if (filter.since !== undefined) where.add(`${driver ?? "event"}.created >= ?`, filter.since);
  if (filter.until !== undefined) where.add(`${driver ?? "event"}.created < ?`, filter.until);
  if (filter.text !== undefined) where.add(filter.text.includes("@") ? EMAIL_IS : ID_IS, filter.text);
}

/** Behind the place that a cursor names. */
function addAfter(where: Conditions, cursor: string, [created, id]: [created: string, id: string]): void {
  const [second, event] = readCursor(cursor, ["seconds", "string"]);
  where.add(`${created} <= ?`, second);
  where.add(`(${created} < $${where.values.length} or ${id} < ?)`, event);
}

function likeText(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function itemOf(row: EventRow): StripeEventItem {
  return {
    id: row.id,
    stripe_event_id: row.id,
    type: row.type,
    event_type: row.type,
    status: row.status,
    livemode: row.livemode,
    account: row.stripe_account === "" ? null : row.stripe_account,
    api_version: row.api_version,
    object_type: row.object_type,
    object_id: row.object_id,
    customer_id: row.customer_id,
    tenant_id: row.tenant_id,
    source: row.source,
    created: isoOfSeconds(row.created),
    created_at: row.received_at.toISOString(),
    attempts: attemptsOf(row),
    last_error: row.status === "pending" || row.status === "failed" ? row.last_error : null,
  };
}

/** A first success leaves no row of its attempt. */
function attemptsOf(row: EventRow): number {
  if (row.status === "pending") return row.queue_attempts ?? 0;
  return row.status === "failed" ? row.failures : row.failures + 1;
}

/**
 * A status that few events have is where a page is taken from, in that table's own order. The planner misjudges the join
 * by two columns and would sort them all: 470 ms with 75,000 ignored events, 9 ms this way.
 */
function driverOf({ status, objectId, customer, text }: StripeEventFilter): "queue" | "outcome" | undefined {
  const fewEvents = objectId !== undefined || customer !== undefined || text !== undefined;
  if (fewEvents || status === undefined || status === "processed") return undefined;
  return status === "pending" ? "queue" : "outcome";
}

function selectEvents(driver: "queue" | "outcome" | "passed" | undefined, more = ""): string {
  const join = (table: string, alias: string): string => `
    left join ${table} as ${alias} on ${alias}.created = event.created and ${alias}.event_id = event.id`;
  const queue = join("stripe_event_queue", "queue");
  const outcome = join("stripe_event_outcomes", "outcome");
  // `limit 1` keeps the planner from turning the look-up by primary key into a hash join.
  const lookedUp = `join lateral (
      select * from stripe_events as one
      where one.created = ${driver ?? "event"}.created and one.id = ${driver ?? "event"}.event_id limit 1) as event on true`;
  const from = {
    events: `stripe_events as event ${queue} ${outcome}`,
    queue: `stripe_event_queue as queue ${lookedUp} ${outcome}`,
    outcome: `stripe_event_outcomes as outcome ${lookedUp} ${queue}`,
    passed: `passed ${lookedUp} ${queue} ${outcome}`,
  };
  return `
    select event.id, event.created, event.type, event.livemode, event.stripe_account, event.api_version, event.object_type,
           event.object_id, event.customer_id, event.tenant_id, event.source, event.received_at,
           case when queue.event_id is not null then 'pending' else coalesce(outcome.status, 'processed') end as status,
           queue.attempts as queue_attempts,
           (select count(*) from stripe_event_attempts as attempt
            where attempt.created = event.created and attempt.event_id = event.id) as failures,
           (select attempt.error from stripe_event_attempts as attempt
            where attempt.created = event.created and attempt.event_id = event.id
            order by attempt.at desc limit 1) as last_error${more}
    from ${from[driver ?? "events"]}`;
}

const EMAIL_IS = "event.email = lower(?)";
const ID_IS = `(event.id = ? or event.object_id = ? or event.customer_id = ?
  or (event.stripe_account = ? and event.stripe_account <> ''))`;

const SELECT_ATTEMPTS = `
  select attempt, at, error from stripe_event_attempts where created = $1 and event_id = $2 order by at, attempt`;

// reltuples of a partitioned table is -1 until it is analysed by hand; its partitions know.
const COUNT_INBOX = `
  select (select count(*) from (select from stripe_events limit $3 + 1) as counted) as counted,
         (select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class
          where oid = 'stripe_events'::regclass
             or oid in (select inhrelid from pg_inherits where inhparent = 'stripe_events'::regclass)) as estimate,
         (select count(*) from stripe_events where created >= $1) as last_hour,
         (select count(*) from stripe_events where created >= $2) as last_day,
         (select count(*) from stripe_event_outcomes where status = 'ignored') as ignored,
         (select coalesce(extract(epoch from now() - min(queued_at)), 0)::float8
          from stripe_event_queue where attempts <= 1) as lag`;
