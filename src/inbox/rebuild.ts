// Rebuilding: every projection recomputed from the inbox, object by object under its lock. Nothing is published again.
import { isDeepStrictEqual } from "node:util";

import type { Clock } from "../base/clock.ts";
import { holdOwners } from "../connections/owner-locks.ts";
import { accountKey, ownersOf } from "../connections/routing.ts";
import type { Database, Queryable } from "../db/database.ts";
import { fold, type FoldedRow, type Kept, TOLD } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { PROJECTIONS, projectionOf } from "../projections/registry.ts";
import { followConnections } from "./account-heads.ts";
import { followAccounts } from "./account-standing.ts";
import { followInvoices } from "./connected-invoice-heads.ts";
import { loadObservationsOf } from "./load-events.ts";
import { loadLiveRows, nextOrphans, type RowValues, rowValues } from "./live-rows.ts";
import { deleteRow, writeRows } from "./projection-tables.ts";
import { queueFetches } from "./fetch-table.ts";
import { type PaymentRow, settleRows } from "./purchase-heads.ts";
import { readObservation } from "./stored-observation.ts";
import { followRequests } from "./subscription-heads.ts";

export interface RebuildOptions {
  database: Database;
  clock: Clock;
  platformTenant: string;
  /** Only find differences; change nothing. */
  check: boolean;
  /** Told every few hundred milliseconds, and at the end. */
  onProgress: (progress: RebuildProgress) => void;
  /** Told of each object whose live row is not what the inbox says. What it returns is waited for. */
  onDifference: (difference: Difference) => unknown;
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

const PAGE = { server: 100, embedded: 50 } as const;
const TELL_EVERY = 300;

/** Recomputes every projection. With `check` it only compares; otherwise it mends what differs. Idempotent, resumable by running it again. */
export async function rebuild(options: RebuildOptions): Promise<RebuildProgress> {
  const { database, clock } = options;
  const started = clock.monotonic();
  const { rows: counted } = await database.query<{ total: number }>(COUNT_OBJECTS);
  const progress: RebuildProgress = { total: counted[0]?.total ?? 0, done: 0, pending: 0, differing: 0, perSecond: 0 };
  let told = started;
  for await (const keys of pages(options)) {
    const { differences, pending } = await rebuildObjects(options, keys);
    for (const difference of differences) await options.onDifference(difference);
    progress.done += keys.length;
    // Events arrive meanwhile, and rows that the inbox does not know were not counted.
    progress.total = Math.max(progress.total, progress.done);
    progress.pending += pending;
    progress.differing += differences.length;
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

/** Every object that the inbox knows, then every row that it does not know. */
async function* pages({ database, signal }: RebuildOptions): AsyncGenerator<ObjectKey[]> {
  const limit = PAGE[database.kind];
  const isStopped = (): boolean => signal?.aborted === true;
  const looks = [
    // What says that a payment was made comes last: by then all that was taken back of it is there again.
    (after: ObjectKey | undefined) => nextObjects(database, after, false),
    (after: ObjectKey | undefined) => nextObjects(database, after, true),
    ...PROJECTIONS.map(
      (projection) => (after: ObjectKey | undefined) => nextOrphans(database, projection, after, limit),
    ),
  ];
  for (const look of looks) {
    // What comes next rests on what is before it being whole.
    if (isStopped()) return;
    let after: ObjectKey | undefined;
    do {
      const keys = await look(after);
      after = keys.at(-1);
      if (keys.length > 0) yield keys;
    } while (after !== undefined && !isStopped());
  }
}

async function nextObjects(database: Database, after: ObjectKey | undefined, paying: boolean): Promise<ObjectKey[]> {
  const values = [
    after?.objectId ?? "",
    after?.objectType ?? "",
    after?.account ?? "",
    after?.livemode ?? false,
    PAGE[database.kind],
    paying,
  ];
  return (await database.query<ObjectKey>({ name: "rebuild_page", text: NEXT_OBJECTS, values })).rows;
}

/** A page of objects in one transaction, each under its lock; those with events in the queue are left alone. */
async function rebuildObjects(
  options: RebuildOptions,
  keys: readonly ObjectKey[],
): Promise<{ differences: Difference[]; pending: number }> {
  return options.database.transaction(async (tx) => {
    await lockObjects(tx, options.database.kind, keys);
    const connected = keys.filter((key) => key.account !== "");
    await holdOwners(tx, options.database.kind, connected);
    const rows = await foldAll(tx, keys);
    // Asked after the observations were read: what was read and is not processed yet is still in the queue.
    const waiting = await pendingObjects(tx, keys);
    const ready = keys.filter((key) => !waiting.has(objectKeyText(key)));
    const live = await loadLiveRows(tx, ready);
    const owners = await ownersOf(
      tx,
      ready.filter((key) => key.account !== ""),
    );
    const tenantOf = (key: ObjectKey): string | null =>
      key.account === "" ? options.platformTenant : (owners.get(accountKey(key)) ?? null);
    const differences = ready.flatMap((key): Difference[] => {
      const text = objectKeyText(key);
      const columns = compare(live.get(text), rows.get(text), tenantOf(key));
      return columns.length === 0 ? [] : [{ key, table: projectionOf(key.objectType).table, columns }];
    });
    if (!options.check) {
      await mend(tx, differences, rows, tenantOf);
      const mended = differences.flatMap(({ key }) => paymentRows(key, live, rows));
      const settled = await settleRows(tx, mended, (row) => tenantOf(row.key), options.database.kind);
      await followInvoices(tx, ready);
      const folded = ready.flatMap((key) => rows.get(objectKeyText(key)) ?? []);
      await followAccounts(tx, folded, (row) => tenantOf(row.key), settled.bought);
      await followRequests(tx, folded, (row) => tenantOf(row.key));
      await followConnections(tx, ready);
      await queueFetches(tx, settled.fetches);
    }
    return { differences, pending: keys.length - ready.length };
  });
}

/** Waits for workers that hold them; what those write is seen by the statements after this one. */
async function lockObjects(tx: Queryable, kind: Database["kind"], keys: readonly ObjectKey[]): Promise<void> {
  if (kind === "embedded") return;
  await tx.query({ name: "rebuild_lock", text: LOCK, values: [keys.map(objectKeyText).sort()] });
}

async function pendingObjects(tx: Queryable, keys: readonly ObjectKey[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ object_key: string }>({
    name: "rebuild_pending",
    text: PENDING,
    values: [keys.map((key) => key.objectId)],
  });
  return new Set(rows.map((row) => row.object_key));
}

async function foldAll(tx: Queryable, keys: readonly ObjectKey[]): Promise<Map<string, FoldedRow>> {
  const observations = new Map<string, Observation[]>();
  for (const stored of await loadObservationsOf(
    tx,
    keys.map((key) => ({ ...key, created: null })),
  )) {
    const { observation, snapshot } = readObservation(stored);
    if (!snapshot || observation.objectId === null) continue;
    const text = objectKeyText({ ...observation, objectId: observation.objectId });
    const known = observations.get(text);
    if (known === undefined) observations.set(text, [observation]);
    else known.push(observation);
  }
  const rows = new Map<string, FoldedRow>();
  for (const key of keys) {
    const seen = observations.get(objectKeyText(key));
    const row = seen === undefined ? null : fold(key, projectionOf(key.objectType), seen, undefined);
    if (row !== null) rows.set(objectKeyText(key), row);
  }
  return rows;
}

async function mend(
  tx: Queryable,
  differences: readonly Difference[],
  rows: ReadonlyMap<string, FoldedRow>,
  tenantOf: (key: ObjectKey) => string | null,
): Promise<void> {
  const wrong = differences.flatMap(({ key }) => rows.get(objectKeyText(key)) ?? []);
  for (const projection of PROJECTIONS) {
    await writeRows(
      tx,
      projection,
      wrong.filter((row) => row.projection === projection),
      (row) => tenantOf(row.key),
    );
  }
  const orphans = differences.filter(({ key }) => !rows.has(objectKeyText(key)));
  for (const { key } of orphans) await deleteRow(tx, projectionOf(key.objectType), key);
}

/** As it was stored, and as it is now: it may have been of another payment. */
function paymentRows(
  key: ObjectKey,
  live: ReadonlyMap<string, RowValues>,
  rows: ReadonlyMap<string, FoldedRow>,
): PaymentRow[] {
  const [before, now] = [live.get(objectKeyText(key)), rows.get(objectKeyText(key))];
  const { table } = projectionOf(key.objectType);
  // Only ids of other objects are read of it, and they are texts. A reference that nobody sent claims nothing.
  const { payment_intent_id, charge_id, latest_charge_id } = before ?? {};
  const columns = { payment_intent_id, charge_id, latest_charge_id } as PaymentRow["columns"];
  return [
    ...(before === undefined ? [] : [{ key, projection: { table }, columns }]),
    ...(now === undefined ? [] : [now]),
  ];
}

function compare(
  live: RowValues | undefined,
  row: FoldedRow | undefined,
  tenant: string | null,
): Difference["columns"] {
  if (live === undefined || row === undefined) {
    if (live === row) return [];
    return [
      { column: "*", live: live === undefined ? "no row" : "a row", rebuilt: row === undefined ? "no row" : "a row" },
    ];
  }
  const rebuilt = rowValues(knowsTold(live) ? row : withoutTold(row), tenant);
  return Object.entries(rebuilt)
    .filter(([column, value]) => !isDeepStrictEqual(value, live[column]))
    .map(([column, value]) => ({ column, live: live[column], rebuilt: value }));
}

const knowsTold = ({ kept }: RowValues): boolean => typeof kept === "string" && TOLD in (JSON.parse(kept) as Kept);

/** As it was written before there was TOLD: nothing is wrong with such a row. */
function withoutTold(row: FoldedRow): FoldedRow {
  const { [TOLD]: _, ...kept } = row.kept;
  return { ...row, kept };
}

const NEXT_OBJECTS = `
  select object_id as "objectId", object_type as "objectType", stripe_account as account, livemode
  from stripe_events
  where object_id is not null and (object_id, object_type, stripe_account, livemode) > ($1, $2, $3, $4)
    and (object_type in ('checkout.session', 'payment_intent')) = $6
  group by object_id, object_type, stripe_account, livemode
  order by object_id, object_type, stripe_account, livemode
  limit $5`;

const COUNT_OBJECTS = `
  select count(*) as total from (
    select distinct object_id, object_type, stripe_account, livemode from stripe_events where object_id is not null) as objects`;

const LOCK = "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as wanted (key)";

const PENDING = `
  select distinct queue.object_key
  from stripe_events as event join stripe_event_queue as queue on queue.created = event.created and queue.event_id = event.id
  where event.object_id = any ($1)`;
