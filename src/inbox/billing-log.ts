// The billing log: every event kept, with what it changed, computed on read from the ordered observations of its object.
import type { Queryable } from "../db/database.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { projectionOf } from "../projections/registry.ts";
import { type Change, type Step, story } from "../projections/story.ts";
import { loadObservationsOf } from "./event-tables.ts";
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
  livemode: boolean;
  stripe_account: string;
  source: "webhook" | "pull";
}

/** A page of the log, newest first; events of one second stand in their object's true order. Throws `invalid_request` for a cursor that is none. */
export async function billingLog(database: Queryable, filter: LogFilter): Promise<LogPage> {
  const [created, id] = filter.cursor === undefined ? [] : readCursor(filter.cursor, ["seconds", "string"]);
  const { rows } = await database.query<EventRow>({
    text: SELECT_EVENTS,
    values: [
      filter.customer ?? null,
      filter.objectId ?? null,
      filter.account ?? null,
      filter.livemode ?? null,
      filter.since ?? null,
      filter.until ?? null,
      created ?? null,
      id ?? null,
      filter.limit + 1,
    ],
  });
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  const hasMore = rows.length > filter.limit;
  return {
    data: await entriesOf(database, page),
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? writeCursor([last.created, last.id]) : null,
  };
}

/** What one stored event changed, or null when there is no such event. */
export async function changesOfEvent(database: Queryable, eventId: string): Promise<LogEntry | null> {
  const { rows } = await database.query<EventRow>({ text: SELECT_EVENT, values: [eventId] });
  const [entry] = await entriesOf(database, rows.slice(0, 1));
  return entry ?? null;
}

async function entriesOf(database: Queryable, rows: readonly EventRow[]): Promise<LogEntry[]> {
  const stories = await storiesOf(database, rows);
  const placed = rows.map((row) => {
    const steps = row.object_id === null ? [] : (stories.get(objectKeyText(keyOf(row, row.object_id))) ?? []);
    const place = steps.findIndex((step) => step.observation.id === row.id);
    return { row, place, step: steps[place] };
  });
  return placed
    .sort((a, b) => b.row.created - a.row.created || b.place - a.place)
    .map(({ row, step }) => entry(row, step));
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

const COLUMNS = "id, type, created, received_at, object_type, object_id, livemode, stripe_account, source";

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
