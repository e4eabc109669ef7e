// The billing log: every event kept, with what it changed, computed on read from the ordered observations of its object.
import { publicError } from "../base/errors.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { compareIds } from "../projections/order.ts";
import { projectionOf } from "../projections/registry.ts";
import type { Change, Step } from "../projections/story.ts";
import { type FollowedObject, followedObjects } from "./customer-events.ts";
import { eventKey } from "./event-tables.ts";
import { readCursor, writeCursor } from "./list-query.ts";
import { AROUND, NOWHERE, type Placed, placesAround, standAbove } from "./object-stories.ts";

export interface LogFilter {
  /** A Stripe customer: its own events, those of everything that names it, and those of its refunds, disputes and invoice payments. */
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
 * second; events of one second that share a page stand in their object's true order. Observations are read as far as
 * `around` each event of the page, and no further where that decides. An object's whole life is read for each of its pages
 * where that does not decide: it has ended (by a terminal snapshot or a tombstone) or names columns that it keeps, or its id is that of several objects.
 * Throws `invalid_request` for a cursor that is none of this list.
 */
export async function billingLog(database: Queryable, asked: LogFilter, around = AROUND): Promise<LogPage> {
  const place = asked.cursor === undefined ? undefined : readPlace(asked.cursor);
  const followed = asked.customer === undefined ? [] : await followedObjects(database, asked.customer, asked);
  const filter = { ...asked, followed };
  if (filter.objectId !== undefined) return objectLog(database, filter, place, around);
  const rows = await selectEvents(database, filter, place, filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  const entries = (await placed(database, page, around))
    .sort((a, b) => b.row.created - a.row.created || compareAcross(a, b, around))
    .map(({ row, step }) => entry(row, step));
  return pageWith(entries, page.at(-1), rows.length > filter.limit);
}

/** Who has the longer story stands higher. Of two long ones it is not known which is longer: each stands by itself. */
function compareAcross(a: PlacedRow, b: PlacedRow, around: number): number {
  if (a.before !== b.before || a.before < around) return b.before - a.before;
  return compareIds(textOf(a.row), textOf(b.row)) || b.place - a.place;
}

/** An object with no more events than this has its log put in order whole, for each page. */
const FEW = (around: number): number => 10 * around;

async function objectLog(
  database: Queryable,
  filter: Filter,
  place: Place | undefined,
  around: number,
): Promise<LogPage> {
  const { objectId, account, livemode, limit } = filter;
  const whole = { objectId, account, livemode, limit };
  const most = FEW(around);
  const few = await selectEvents(database, whole, undefined, most + 1);
  const [first] = few;
  if (few.length > most && first !== undefined) {
    const page = await pageOfLongLog(database, filter, place, first, around);
    if (page !== undefined) return page;
  }
  const rows = few.length > most ? await selectEvents(database, whole, undefined, null) : few;
  const wanted = behind(backwards(await placed(database, rows, around)), place).filter(passes(filter));
  return pageOfTold(wanted, limit);
}

/**
 * Behind an ordinary head a log is as its seconds are, so that a page is read from its own second on. undefined: the whole is
 * needed, because something terminal stands above younger events, or the id is the id of several objects and the page may not
 * be of one alone. That no other has it is asked where a log begins and where it ends, and costs a look at each of its events.
 */
async function pageOfLongLog(
  database: Queryable,
  filter: Filter,
  place: Place | undefined,
  newest: EventRow,
  around: number,
): Promise<LogPage | undefined> {
  const { until = Infinity, limit } = filter;
  const shown = place === undefined ? [] : await eventsAt(database, filter, place);
  if (place !== undefined && shown.length === 0) throw wrongCursor();
  const key = keyOf(shown[0] ?? newest, filter.objectId ?? "");
  const above = await standAbove(database, [key]);
  if (above.get(objectKeyText(key)) !== false) return undefined;
  if (place === undefined && (await hasOthers(database, key, filter))) return undefined;
  // Younger ones than the head stand below it: behind the head, a page begins at the top again.
  const [shownPlace] = await placed(database, shown, around, above);
  const fromTop = shownPlace === undefined || shownPlace.step?.head === true;
  const end = fromTop ? until : Math.min(until, shownPlace.row.created + 1);
  const { account, livemode } = key;
  const bounded = { ...filter, account, livemode, until: end === Infinity ? undefined : end };
  for (let size = limit + around; ; size *= 4) {
    const found = await selectEvents(database, bounded, undefined, size);
    const all = found.length < size;
    // Of the oldest second there may be more.
    const rows = (all ? found : found.filter(({ created }) => created !== found.at(-1)?.created)).filter(
      (row) => row.object_type === key.objectType,
    );
    const known = rows.some((row) => place !== undefined && samePlace(row, place));
    const told = await placed(database, known ? rows : [...rows, ...shown], around, above);
    // The head comes first, and is among them if any observation is.
    if (place === undefined && !all && told.every((one) => one.place < 0)) return undefined;
    const wanted = behind(backwards(told), place).filter(passes(filter));
    if (wanted.length > limit) return pageOfTold(wanted, limit);
    if (all)
      return place !== undefined && (await hasOthers(database, key, filter)) ? undefined : pageOfTold(wanted, limit);
  }
}

/** What follows the cursor's place in a log that was put in order. */
function behind(told: readonly PlacedRow[], place: Place | undefined): PlacedRow[] {
  if (place === undefined) return [...told];
  const shown = told.findIndex(({ row }) => samePlace(row, place));
  if (shown < 0) throw wrongCursor();
  return told.slice(shown + 1);
}

function wrongCursor(): Error {
  return publicError("invalid_request", {
    param: "cursor",
    message: "Send the next_cursor of the page before, with the same object_id.",
  });
}

function passes({ customer, followed = [], since, until }: Filter): (one: PlacedRow) => boolean {
  return ({ row }) =>
    (customer === undefined || row.customer_id === customer || followed.some((one) => isOf(row, one))) &&
    (since === undefined || row.created >= since) &&
    (until === undefined || row.created < until);
}

function pageOfTold(wanted: readonly PlacedRow[], limit: number): LogPage {
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
function backwards(placed: readonly PlacedRow[]): PlacedRow[] {
  return [...Map.groupBy(placed, ({ row }) => textOf(row))]
    .sort(([a], [b]) => compareIds(a, b))
    .flatMap(([, story]) => oneBackwards(story));
}

/** What has no place in the story (a thin event, one that failed) stands by its second, but never above the head. */
function oneBackwards(placed: readonly PlacedRow[]): PlacedRow[] {
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
  const [found] = await placed(database, rows.slice(0, 1), AROUND);
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
  { customer, objectId, account, livemode, since, until, followed = [] }: Filter,
  place: Place | undefined,
  limit: number | null,
): Promise<EventRow[]> {
  const within = [since, until, place?.created, place?.id, limit].map((value) => value ?? null);
  const wanted = [customer, objectId, account, livemode].map((value) => value ?? null);
  const { rows } = await database.query<EventRow>({ text: SELECT_EVENTS, values: [...wanted, ...within] });
  const others = followed.filter(({ id }) => objectId === undefined || id === objectId);
  if (others.length === 0) return rows;
  const keys = [
    textArray(others.map((one) => one.id)),
    booleanArray(others.map((one) => one.livemode)),
    textArray(others.map((one) => one.account)),
  ];
  // One that names the customer all the same was found above.
  const more = (await database.query<EventRow>({ text: SELECT_FOLLOWED, values: [...keys, ...within, customer] })).rows;
  return [...rows, ...more]
    .sort((a, b) => b.created - a.created || compareIds(b.id, a.id))
    .slice(0, limit ?? undefined);
}

/** What is asked for, with what is the customer's although its events do not name it. */
type Filter = LogFilter & { followed?: readonly FollowedObject[] };

function isOf(row: EventRow, { livemode, account, id }: FollowedObject): boolean {
  return row.object_id === id && row.livemode === livemode && row.stripe_account === account;
}

type PlacedRow = Placed & { row: EventRow };

/** With their places in their objects' stories. */
async function placed(
  database: Queryable,
  rows: readonly EventRow[],
  around: number,
  above?: ReadonlyMap<string, boolean>,
): Promise<PlacedRow[]> {
  const asked = rows.flatMap(({ object_id: objectId, ...row }) =>
    objectId === null ? [] : [{ created: row.created, id: row.id, key: keyOf(row, objectId) }],
  );
  const places = await placesAround(database, asked, around, above);
  return rows.map((row) => ({ row, ...(places.get(eventKey(row)) ?? NOWHERE) }));
}

function keyOf(row: Pick<EventRow, "livemode" | "stripe_account" | "object_type">, objectId: string): ObjectKey {
  return { livemode: row.livemode, account: row.stripe_account, objectType: row.object_type, objectId };
}

function textOf(row: EventRow): string {
  return row.object_id === null ? "" : objectKeyText(keyOf(row, row.object_id));
}

/** The event of this id at which the cursor stands. */
async function eventsAt(database: Queryable, filter: LogFilter, place: Place): Promise<EventRow[]> {
  const { objectId, account, livemode, limit } = filter;
  const second = { objectId, account, livemode, limit, since: place.created, until: place.created + 1 };
  return (await selectEvents(database, second, undefined, null)).filter((row) => samePlace(row, place));
}

/** Whether other objects of the same id, of another account or kind, or in the other mode, have events that are asked for. */
async function hasOthers(
  database: Queryable,
  { objectId, livemode, account, objectType }: ObjectKey,
  asked: Pick<LogFilter, "account" | "livemode" | "since" | "until">,
): Promise<boolean> {
  const wanted = [asked.account, asked.livemode, asked.since, asked.until].map((value) => value ?? null);
  const values = [objectId, livemode, account, objectType, ...wanted];
  return (await database.query({ text: SELECT_OTHER, values })).rows.length > 0;
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

// Each object's newest by its index.
const SELECT_FOLLOWED = `
  select event.* from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (id, livemode, stripe_account)
  cross join lateral (
    select ${COLUMNS} from stripe_events as one
    where one.object_id = wanted.id and one.livemode = wanted.livemode and one.stripe_account = wanted.stripe_account
      and one.customer_id is distinct from $9
      and ($4::bigint is null or one.created >= $4)
      and ($5::bigint is null or one.created < $5)
      and ($6::bigint is null or (one.created, one.id) < ($6, $7))
    order by one.created desc, one.id desc
    limit $8) as event
  order by event.created desc, event.id desc
  limit $8`;

const SELECT_EVENT = `select ${COLUMNS} from stripe_events where id = $1`;

// Looks at all events of the object in this time, and returns none of them.
const SELECT_OTHER = `
  select 1 from stripe_events
  where object_id = $1 and (livemode, stripe_account, object_type) <> ($2, $3, $4)
    and ($5::text is null or stripe_account = $5) and ($6::boolean is null or livemode = $6)
    and ($7::bigint is null or created >= $7) and ($8::bigint is null or created < $8)
  limit 1`;
