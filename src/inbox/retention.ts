// Retention of Stripe's events: months that are old enough go, but for what each object's row still rests on.
// Table: retention_marks. Owns every table that a month of stripe_events is copied to before it goes.
import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { bigintArray, textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import { cutOf, dropPartition, lockPartitions, monthAt, type Partition, partitionsOf } from "../db/partitions.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { projectionOf } from "../projections/registry.ts";
import { baselineOf } from "./baselines.ts";
import { deleteEvents, eventKey, forgetEnds } from "./event-tables.ts";
import { loadObservationsOf, type StoredEvent } from "./load-events.ts";
import { STRIPE_EVENTS } from "./partitions.ts";
import { readObservation } from "./stored-observation.ts";

export interface RetentionOptions {
  database: Database;
  clock: Pick<Clock, "now">;
  log: Log;
  /** 0: for ever. */
  days: number;
  /** false: stop as soon as nothing is left half done. */
  goesOn: () => boolean;
}

/** What one look did. */
export interface Retained {
  /** Months that were dropped as a whole; embedded there are none. */
  dropped: string[];
  /** Events that are gone. */
  events: number;
  /** Events of those times that stay, because a row rests on them or nobody owns their account yet. */
  kept: number;
}

/** Events of one transaction, and the milliseconds until the next: others have their turn. */
const PAGE = { server: 500, embedded: 100 } as const;
const PAUSE_MS = 20;
/** Behind the name of a month: what is left of it. */
const KEPT = "_kept";
/** A month that got an event this lately is left alone until the next look. */
const QUIET = "interval '1 hour'";

/**
 * Lets go of the events of all months that are wholly older than so many days. On a server a month's partition is dropped, and
 * a small one with what stays takes its place; what stands in the default partition, and everything embedded, is deleted row
 * by row. From the month on of which an event waits or has failed nothing goes, and the log says so.
 */
export async function letGo(options: RetentionOptions): Promise<Retained> {
  const { database, clock, days, goesOn } = options;
  const retained: Retained = { dropped: [], events: 0, kept: 0 };
  if (days <= 0) return retained;
  const cut = await finishedUntil(options, cutOf(clock.now(), days));
  const embedded = database.kind === "embedded";
  let gone = cut;
  for (const partition of embedded ? [] : await partitionsOf(database, STRIPE_EVENTS)) {
    const { from, to, name } = partition;
    if (from === null || to === null || to > cut * 1000 || !goesOn()) continue;
    if (name.endsWith(KEPT)) await dropEmpty(database, partition);
    else if (!(await dropMonth(options, { name, from: from / 1000, to: to / 1000 }, retained)))
      gone = Math.min(gone, from / 1000);
  }
  await deleteUntil(options, embedded ? "stripe_events" : "stripe_events_default", cut, retained);
  if (goesOn()) await forgetUntil(options, gone);
  return retained;
}

/** The second up to which everything is processed, at most the cut: whole months. */
async function finishedUntil({ database, log }: RetentionOptions, cutMs: number): Promise<number> {
  const { rows } = await database.query<{ first: number | null; waiting: number; failed: number }>({
    text: UNFINISHED,
    values: [cutMs / 1000],
  });
  const { first = null, waiting = 0, failed = 0 } = rows[0] ?? {};
  if (first === null) return cutMs / 1000;
  const month = monthAt(first * 1000);
  log.warn("Stripe's events are kept longer than they should be: some of them failed, or still wait. Replay those", {
    ...{ object: month.name, failed, waiting },
  });
  return month.from / 1000;
}

interface Seconds {
  name: string;
  from: number;
  to: number;
}

/** Copies what stays, and lets the copy take the month's place if nothing came to it meanwhile. */
async function dropMonth(options: RetentionOptions, month: Seconds, retained: Retained): Promise<boolean> {
  const { database, goesOn, log } = options;
  const { rows } = await database.query<{ since: Date }>(`select now() - ${QUIET} as since`);
  const since = rows[0]?.since;
  const copy = await newCopy(database, month);
  let [events, kept] = [0, 0];
  for await (const page of pagesOf(options, month.name, month.from, month.to)) {
    const [stays, gone] = await database.transaction(async (tx) => {
      const { needed, outdated } = await sort(tx, page, month);
      const copied = page.filter((one) => one.unowned || needed.has(eventKey(one)));
      const values = [bigintArray(copied.map(({ created }) => created)), textArray(copied.map(({ id }) => id))];
      await tx.query({ text: copySql(month.name, copy), values });
      return [copied.length, await deleteEvents(tx, outdated)] as const;
    });
    retained.events += gone;
    events += page.length - stays;
    kept += stays;
  }
  const dropped =
    goesOn() &&
    (await dropPartition(
      database,
      STRIPE_EVENTS,
      { name: month.name, from: month.from * 1000, to: month.to * 1000 },
      (tx) => isQuiet(tx, month, since),
      kept > 0 ? copy : undefined,
    ));
  if (!dropped || kept === 0) await database.query(`drop table if exists ${copy}`);
  if (!dropped) {
    log.info("a month of Stripe's events is not let go yet: something came to it just now", { object: month.name });
    return false;
  }
  retained.dropped.push(month.name);
  retained.events += events;
  retained.kept += kept;
  log.info("a month of Stripe's events was let go", { object: month.name, events, count: kept });
  return true;
}

/** A table of its own: should two nodes be at one month, neither puts what the other has half copied in its place. */
async function newCopy(database: Database, { name, from, to }: Seconds): Promise<string> {
  await database.transaction(async (tx) => {
    // Listed without it, one could take its month's place before it is dropped, and all that stays would go with it.
    await lockPartitions(tx);
    const { rows: left } = await tx.query<{ name: string }>({ text: LEFT_BEHIND, values: [`${name}_%${KEPT}`] });
    for (const one of left) await tx.query(`drop table if exists ${one.name}`);
  });
  const copy = `${name}_${newId("node").slice("node_".length)}${KEPT}`;
  await database.query(
    `create table ${copy} (like ${name} including all, check (created >= ${from} and created < ${to}))
     ${STRIPE_EVENTS.storage ?? ""}`,
  );
  // A summary of the pages by time: whether anything came lately is told without reading the month.
  await database.query(`drop index if exists ${name}_touched`);
  await database.query(`create index concurrently ${name}_touched on ${name} using brin ((${TOUCHED}))`);
  return copy;
}

/** Asked while nobody else is at the table. */
async function isQuiet(tx: Queryable, { name, from, to }: Seconds, since: Date | undefined): Promise<boolean> {
  await tx.query("set local enable_seqscan = off");
  const { rows } = await tx.query<{ quiet: boolean }>({
    text: `select not exists (select from ${name} where ${TOUCHED} >= $1)
             and not exists (select from stripe_event_queue where created >= $2 and created < $3)
             and not exists (
               select from stripe_event_outcomes where status = 'failed' and created >= $2 and created < $3) as quiet`,
    values: [since, from, to],
  });
  return rows[0]?.quiet === true;
}

/** What stayed of a month, until newer months knew better of each of its objects. */
async function dropEmpty(database: Database, partition: Partition): Promise<void> {
  const isEmpty = async (tx: Queryable): Promise<boolean> => {
    const { rows } = await tx.query<{ empty: boolean }>(`select not exists (select from ${partition.name}) as empty`);
    return rows[0]?.empty === true;
  };
  if (await isEmpty(database)) await dropPartition(database, STRIPE_EVENTS, partition, isEmpty);
}

/** Row by row, from where the last look ended. */
async function deleteUntil(options: RetentionOptions, table: string, cut: number, retained: Retained): Promise<void> {
  const { database, log } = options;
  const from = await doneUntil(database, table);
  if (from >= cut) return;
  let [events, kept] = [0, 0];
  for await (const page of pagesOf(options, table, from, cut)) {
    await database.transaction(async (tx) => {
      const { needed, outdated } = await sort(tx, page, { from, to: cut });
      const goes = page.filter((one) => !one.unowned && !needed.has(eventKey(one)));
      events += await deleteEvents(tx, [...goes, ...outdated]);
      kept += page.length - goes.length;
    });
  }
  retained.events += events;
  retained.kept += kept;
  if (!options.goesOn()) return;
  await database.query({ text: MARK, values: [table, cut] });
  if (events > 0) log.info("old events of Stripe's were let go", { events, count: kept });
}

/** How events ended that are gone. */
async function forgetUntil({ database, goesOn }: RetentionOptions, until: number): Promise<void> {
  const from = await doneUntil(database, ENDS);
  if (from >= until) return;
  while ((await forgetEnds(database, from, until, PAGE[database.kind])) > 0) {
    if (!goesOn()) return;
    await sleep(PAUSE_MS);
  }
  await database.query({ text: MARK, values: [ENDS, until] });
}

async function doneUntil(database: Database, name: string): Promise<number> {
  const { rows } = await database.query<{ done: number }>({ text: DONE, values: [name] });
  return rows[0]?.done ?? 0;
}

const ENDS = "stripe_event_ends";

interface OldEvent {
  created: number;
  id: string;
  livemode: boolean;
  account: string;
  objectType: string;
  objectId: string | null;
  /** Of an account that nobody has connected yet: routed when somebody does. */
  unowned: boolean;
}

/** Events from one second up to another, by second and id. Ends when it is told to. */
async function* pagesOf(
  { database, goesOn }: RetentionOptions,
  table: string,
  from: number,
  to: number,
): AsyncGenerator<OldEvent[]> {
  let [created, id] = [from, ""];
  for (;;) {
    if (!goesOn()) return;
    const limit = PAGE[database.kind];
    const { rows } = await database.query<OldEvent>({ text: pageSql(table), values: [created, id, to, limit] });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    ({ created, id } = last);
    await sleep(PAUSE_MS);
  }
}

/**
 * Of the objects of these events: the keys of what their rows rest on, up to the end; and what is older than the beginning,
 * stayed of an earlier month, and is needed no more.
 */
async function sort(
  tx: Queryable,
  page: readonly OldEvent[],
  { from, to }: Pick<Seconds, "from" | "to">,
): Promise<{ needed: Set<string>; outdated: StoredEvent[] }> {
  const keys = new Map<string, ObjectKey>();
  for (const { livemode, account, objectType, objectId } of page) {
    const key = objectId === null ? null : { livemode, account, objectType, objectId };
    if (key !== null) keys.set(objectKeyText(key), key);
  }
  const seconds = [...keys.values()].map((key) => ({ ...key, created: null }));
  const stored = (await loadObservationsOf(tx, seconds)).filter(({ created }) => created < to);
  const byObject = new Map<string, Observation[]>();
  for (const one of stored) {
    const { observation, snapshot } = readObservation(one);
    const { objectId } = observation;
    if (!snapshot || objectId === null) continue;
    const text = objectKeyText({ ...observation, objectId });
    byObject.set(text, [...(byObject.get(text) ?? []), observation]);
  }
  const needed = new Set<string>();
  for (const [text, observations] of byObject) {
    const projection = projectionOf(keys.get(text)?.objectType ?? "");
    for (const one of baselineOf(projection, observations)) needed.add(eventKey(one));
  }
  return { needed, outdated: stored.filter((one) => one.created < from && !needed.has(eventKey(one))) };
}

const UNFINISHED = `
  select min(created) as first, count(*) filter (where waits) as waiting, count(*) filter (where not waits) as failed
  from (
    select created, true as waits from stripe_event_queue where created < $1
    union all
    select created, false from stripe_event_outcomes where status = 'failed' and created < $1) as unfinished`;

const TOUCHED = "greatest(received_at, replaced_at)";

const pageSql = (table: string): string => `
  select created, id, livemode, stripe_account as account, object_type as "objectType", object_id as "objectId",
         stripe_account <> '' and tenant_id is null as unowned
  from ${table} where (created, id) > ($1, $2) and created < $3 order by created, id limit $4`;

const copySql = (month: string, copy: string): string => `
  insert into ${copy}
  select event.* from unnest($1::bigint[], $2::text[]) as needed (created, id)
  join ${month} as event on event.created = needed.created and event.id = needed.id
  order by event.created, event.id`;

// Copies of looks that were cut off: they belong to no table.
const LEFT_BEHIND = `
  select quote_ident(relname) as name from pg_class
  where relkind = 'r' and not relispartition and relnamespace = current_schema()::regnamespace
    and relname like replace($1, '_', '\\_')`;

const DONE = "select done_until as done from retention_marks where name = $1";

const MARK = `
  insert into retention_marks as known (name, done_until) values ($1, $2)
  on conflict (name) do update set done_until = greatest(known.done_until, excluded.done_until), at = now()`;
