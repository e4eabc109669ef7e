// Rebuilding: every projection recomputed from the inbox, object by object under its lock. Nothing is published again.
import { isDeepStrictEqual } from "node:util";

import type { Clock } from "../base/clock.ts";
import type { Database, Queryable } from "../db/database.ts";
import { fold, type FoldedRow } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText } from "../projections/observation.ts";
import { projectionOf } from "../projections/registry.ts";
import { accountKey, ownersOf } from "../connections/routing.ts";
import { loadObservationsOf } from "./event-tables.ts";
import { loadLiveRow, type RowValues, rowValues } from "./live-rows.ts";
import { writeRows } from "./projection-tables.ts";
import { readObservation } from "./stored-observation.ts";

export interface RebuildOptions {
  database: Database;
  clock: Clock;
  platformTenant: string;
  /** Only find differences; change nothing. */
  check: boolean;
  /** Told every few hundred milliseconds, and at the end. */
  onProgress: (progress: RebuildProgress) => void;
  /** Told of each object whose live row is not what the inbox says. */
  onDifference: (difference: Difference) => void;
  signal?: AbortSignal;
}

export interface RebuildProgress {
  total: number;
  done: number;
  /** Left alone, because events of theirs wait to be processed. */
  pending: number;
  differing: number;
  perSecond: number;
}

export interface Difference {
  key: ObjectKey;
  table: string;
  /** What differs: the live value and what the inbox says. `column` is `*` where a whole row is missing or too much. */
  columns: { column: string; live: unknown; rebuilt: unknown }[];
}

const PAGE = 100;
const TELL_EVERY = 300;

/** Recomputes every projection. With `check` it only compares; otherwise it mends what differs. Idempotent, resumable by running it again. */
export async function rebuild(options: RebuildOptions): Promise<RebuildProgress> {
  const { database, clock } = options;
  const started = clock.monotonic();
  const { rows: counted } = await database.query<{ total: number }>(COUNT_OBJECTS);
  const progress: RebuildProgress = { total: counted[0]?.total ?? 0, done: 0, pending: 0, differing: 0, perSecond: 0 };
  let told = started;
  let after: ObjectKey | null = null;
  for (;;) {
    const page: ObjectKey[] = await nextObjects(database, after);
    if (page.length === 0 || options.signal?.aborted === true) break;
    for (const key of page) {
      const outcome = await rebuildObject(options, key);
      progress.done++;
      if (outcome === "pending") progress.pending++;
      else if (outcome !== null) {
        progress.differing++;
        options.onDifference(outcome);
      }
    }
    after = page.at(-1) ?? null;
    const now = clock.monotonic();
    progress.perSecond = progress.done / Math.max((now - started) / 1000, 0.001);
    if (now - told > TELL_EVERY) {
      told = now;
      options.onProgress({ ...progress });
    }
  }
  options.onProgress({ ...progress });
  return progress;
}

async function nextObjects(database: Queryable, after: ObjectKey | null): Promise<ObjectKey[]> {
  const values = [after?.objectId ?? "", after?.objectType ?? "", after?.account ?? "", after?.livemode ?? false, PAGE];
  return (await database.query<ObjectKey>({ name: "rebuild_page", text: NEXT_OBJECTS, values })).rows;
}

async function rebuildObject(options: RebuildOptions, key: ObjectKey): Promise<Difference | "pending" | null> {
  return options.database.transaction(async (tx) => {
    const text = objectKeyText(key);
    // Waits for a worker that holds the object; what it writes is then seen by the next statements.
    if (options.database.kind === "server") await tx.query({ text: "select pg_advisory_xact_lock(hashtextextended($1, 0))", values: [text] });
    const waits = await tx.query({ name: "rebuild_pending", text: IS_PENDING, values: [key.objectId, key.objectType, key.account, key.livemode] });
    if (waits.rowCount > 0) return "pending";
    const row = await foldAll(tx, key);
    const live = await loadLiveRow(tx, projectionOf(key.objectType), key);
    const tenant = await tenantOf(tx, key, options.platformTenant);
    const columns = compare(live, row, tenant);
    if (columns.length === 0) return null;
    if (!options.check && row !== null) await writeRows(tx, row.projection, [row], () => tenant);
    return { key, table: projectionOf(key.objectType).table, columns };
  });
}

async function foldAll(tx: Queryable, key: ObjectKey): Promise<FoldedRow | null> {
  const stored = await loadObservationsOf(tx, [{ ...key, created: null }]);
  const observations = stored.map(readObservation).flatMap(({ observation, snapshot }) => (snapshot ? [observation] : []));
  return observations.length === 0 ? null : fold(key, projectionOf(key.objectType), observations, undefined);
}

async function tenantOf(tx: Queryable, key: ObjectKey, platformTenant: string): Promise<string | null> {
  if (key.account === "") return platformTenant;
  return (await ownersOf(tx, [key])).get(accountKey(key)) ?? null;
}

function compare(live: RowValues | null, row: FoldedRow | null, tenant: string | null): Difference["columns"] {
  if (live === null || row === null) {
    if (live === null && row === null) return [];
    return [{ column: "*", live: live === null ? "no row" : "a row", rebuilt: row === null ? "no row" : "a row" }];
  }
  const rebuilt = rowValues(row, tenant);
  return Object.entries(rebuilt)
    .filter(([column, value]) => !isDeepStrictEqual(value, live[column]))
    .map(([column, value]) => ({ column, live: live[column], rebuilt: value }));
}

// Every distinct object by a loose index scan: each step is one look into stripe_events_object.
const NEXT_OBJECTS = `
  select object_id as "objectId", object_type as "objectType", stripe_account as account, livemode
  from stripe_events
  where object_id is not null and (object_id, object_type, stripe_account, livemode) > ($1, $2, $3, $4)
  group by object_id, object_type, stripe_account, livemode
  order by object_id, object_type, stripe_account, livemode
  limit $5`;

const COUNT_OBJECTS = `
  select count(*) as total from (
    select distinct object_id, object_type, stripe_account, livemode from stripe_events where object_id is not null) as objects`;

const IS_PENDING = `
  select 1 from stripe_events as event join stripe_event_queue as queue on queue.created = event.created and queue.event_id = event.id
  where event.object_id = $1 and event.object_type = $2 and event.stripe_account = $3 and event.livemode = $4 limit 1`;
