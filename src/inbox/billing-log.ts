// The billing log: every event kept, with what it changed, computed on read from the ordered observations of its object.
import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { compareIds } from "../projections/order.ts";
import { projectionOf } from "../projections/registry.ts";
import { type Change, type Step, story } from "../projections/story.ts";
import { loadObservationsOf } from "./load-events.ts";
import { readCursor, writeCursor } from "./list-query.ts";
import { readObservation } from "./stored-observation.ts";

export interface LogFilter {
  /** A Stripe customer: its own events and those of everything that names it. */
  customer?: string | undefined;
  objectId?: string | undefined;
  /** A connected account, or "" for the platform's own. */
  account?: string | undefined;
  livemode?: boolean | undefined;
  /** Unix seconds, inclusive. */
  since?: number | undefined;
  /** Unix seconds, exclusive. */
  until?: number | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface LogEntry {
  event_id: string;
  type: string;
  /** ISO 8601. */
  created: string;
  received_at: string;
  object_type: string;
  object_id: string | null;
  livemode: boolean;
  /** null for the platform's own. */
  account: string | null;
  source: "webhook" | "pull";
  /** The object's row says what this observation says. */
  head: boolean;
  changes: Change[];
}

export interface LogPage {
  data: LogEntry[];
  has_more: boolean;
  next_cursor: string | null;
}

interface EventRow {
  id: string;
  type: string;
  created: number;
  received_at: Date;
  object_type: string;
  object_id: string | null;
  customer_id: string | null;
  livemode: boolean;
  stripe_account: string;
  source: "webhook" | "pull";
}

/**
 * A page of the log, newest first. Of one object: its story backwards, the head first, also across pages. Otherwise by
 * second; events of one second that share a page stand in their object's true order.
 * Throws `invalid_request` for a cursor that is none of this list.
 */
export async function billingLog(database: Queryable, filter: LogFilter): Promise<LogPage> {
  const place = filter.cursor === undefined ? undefined : readPlace(filter.cursor);
  if (filter.objectId !== undefined) return objectLog(database, filter, place);
  const rows = await selectEvents(database, filter, place, filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  const entries = placesOf(page, await storiesOf(database, page))
    .sort((a, b) => b.row.created - a.row.created || b.place - a.place)
    .map(({ row, step }) => entry(row, step));
  return pageWith(entries, page.at(-1), rows.length > filter.limit);
}

/** The whole story is put in order before a page is cut from it: a late event stands where it belongs, whatever its second. */
async function objectLog(database: Queryable, filter: LogFilter, place: Place | undefined): Promise<LogPage> {
  const { objectId, account, livemode, customer, since, until, limit } = filter;
  const rows = await selectEvents(database, { objectId, account, livemode, limit }, undefined, null);
  const told = backwards(placesOf(rows, await storiesOf(database, rows)));
  const after = place === undefined ? 0 : told.findIndex(({ row }) => samePlace(row, place)) + 1;
  if (place !== undefined && after === 0)
    throw publicError("invalid_request", {
      param: "cursor",
      message: "Send the next_cursor of the page before, with the same object_id.",
    });
  const wanted = told
    .slice(after)
    .filter(
      ({ row }) =>
        (customer === undefined || row.customer_id === customer) &&
        (since === undefined || row.created >= since) &&
        (until === undefined || row.created < until),
    );
  const page = wanted.slice(0, limit);
  return pageWith(
    page.map(({ row, step }) => entry(row, step)),
    page.at(-1)?.row,
    wanted.length > limit,
  );
}

function pageWith(data: LogEntry[], last: EventRow | undefined, hasMore: boolean): LogPage {
  return {
    data,
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? writeCursor([last.created, last.id]) : null,
  };
}

/** Object by object; of each, what stands last in its story first. */
function backwards(placed: readonly Placed[]): Placed[] {
  const byKey = new Map<string, Placed[]>();
  for (const one of placed) {
    const text = one.row.object_id === null ? "" : objectKeyText(keyOf(one.row, one.row.object_id));
    byKey.set(text, [...(byKey.get(text) ?? []), one]);
  }
  return [...byKey.entries()].sort(([a], [b]) => compareIds(a, b)).flatMap(([, story]) => oneBackwards(story));
}

/** What has no place in the story (a thin event, one that failed) stands by its second, but never above the head. */
function oneBackwards(placed: readonly Placed[]): Placed[] {
  const told = placed.filter(({ place }) => place >= 0).sort((a, b) => b.place - a.place);
  const others = placed
    .filter(({ place }) => place < 0)
    .sort((a, b) => a.row.created - b.row.created || compareIds(a.row.id, b.row.id));
  for (const other of others) {
    const below = told.findIndex(({ row, step }) => step?.head !== true && row.created <= other.row.created);
    told.splice(below < 0 ? told.length : below, 0, other);
  }
  return told;
}

/** What one stored event changed, or null when there is no such event. */
export async function changesOfEvent(database: Queryable, eventId: string): Promise<LogEntry | null> {
  const { rows } = await database.query<EventRow>({ text: SELECT_EVENT, values: [eventId] });
  const [found] = placesOf(rows.slice(0, 1), await storiesOf(database, rows.slice(0, 1)));
  return found === undefined ? null : entry(found.row, found.step);
}

/** Where the cursor stands: the last entry of the page before. */
type Place = Pick<EventRow, "created" | "id">;

function readPlace(cursor: string): Place {
  const [created, id] = readCursor(cursor, ["seconds", "string"]);
  return { created: Number(created), id: String(id) };
}

function samePlace(a: Place, b: Place): boolean {
  return a.created === b.created && a.id === b.id;
}

/** `limit` null: all of them. */
async function selectEvents(
  database: Queryable,
  { customer, objectId, account, livemode, since, until }: LogFilter,
  place: Place | undefined,
  limit: number | null,
): Promise<EventRow[]> {
  const wanted = [customer, objectId, account, livemode, since, until, place?.created, place?.id, limit];
  const { rows } = await database.query<EventRow>({
    text: SELECT_EVENTS,
    values: wanted.map((value) => value ?? null),
  });
  return rows;
}

interface Placed {
  row: EventRow;
  /** In the object's story, from 0; -1: it has none there. */
  place: number;
  step: Step | undefined;
}

function placesOf(rows: readonly EventRow[], stories: ReadonlyMap<string, Step[]>): Placed[] {
  return rows.map((row) => {
    const steps = row.object_id === null ? [] : (stories.get(objectKeyText(keyOf(row, row.object_id))) ?? []);
    const place = steps.findIndex(({ observation }) => samePlace(observation, row));
    return { row, place, step: steps[place] };
  });
}

async function storiesOf(database: Queryable, rows: readonly EventRow[]): Promise<Map<string, Step[]>> {
  const keys = new Map<string, ObjectKey>();
  for (const row of rows) {
    if (row.object_id === null) continue;
    const key = keyOf(row, row.object_id);
    keys.set(objectKeyText(key), key);
  }
  const observations = new Map<string, Observation[]>();
  for (const stored of await loadObservationsOf(
    database,
    [...keys.values()].map((key) => ({ ...key, created: null })),
  )) {
    const { observation, snapshot } = readObservation(stored);
    if (!snapshot || observation.objectId === null) continue;
    const text = objectKeyText(keyOf(stored, observation.objectId));
    observations.set(text, [...(observations.get(text) ?? []), observation]);
  }
  return new Map(
    [...observations].map(([text, list]) => [text, story(projectionOf(keys.get(text)?.objectType ?? ""), list)]),
  );
}

function keyOf(row: Pick<EventRow, "livemode" | "stripe_account" | "object_type">, objectId: string): ObjectKey {
  return { livemode: row.livemode, account: row.stripe_account, objectType: row.object_type, objectId };
}

function entry(row: EventRow, step: Step | undefined): LogEntry {
  return {
    event_id: row.id,
    type: row.type,
    created: new Date(row.created * 1000).toISOString(),
    received_at: row.received_at.toISOString(),
    object_type: row.object_type,
    object_id: row.object_id,
    livemode: row.livemode,
    account: row.stripe_account === "" ? null : row.stripe_account,
    source: row.source,
    head: step?.head ?? false,
    changes: step === undefined ? [] : step.changes.map((change) => readable(change, step.observation)),
  };
}

/** Times as everywhere outside: ISO 8601. */
function readable(change: Change, { objectType }: Observation): Change {
  if (projectionOf(objectType).columns[change.field] !== "time") return change;
  const iso = (seconds: unknown): string | null =>
    typeof seconds === "number" ? new Date(seconds * 1000).toISOString() : null;
  return { field: change.field, before: iso(change.before), after: iso(change.after) };
}

const COLUMNS = "id, type, created, received_at, object_type, object_id, customer_id, livemode, stripe_account, source";

const SELECT_EVENTS = `
  select ${COLUMNS} from stripe_events
  where ($1::text is null or customer_id = $1)
    and ($2::text is null or object_id = $2)
    and ($3::text is null or stripe_account = $3)
    and ($4::boolean is null or livemode = $4)
    and ($5::bigint is null or created >= $5)
    and ($6::bigint is null or created < $6)
    and ($7::bigint is null or (created, id) < ($7, $8))
  order by created desc, id desc
  limit $9`;

const SELECT_EVENT = `select ${COLUMNS} from stripe_events where id = $1`;
