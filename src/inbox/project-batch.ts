// One unit of work: claimed events become rows, facts and effects in one commit, and leave the queue in it.
import { setImmediate as letOthersRun } from "node:timers/promises";

import type { Database, Queryable } from "../db/database.ts";
import { tryHoldOwners } from "../connections/owner-locks.ts";
import { type AccountInMode, accountKey, ownershipsOf } from "../connections/routing.ts";
import { insertFacts, type StoredFact } from "../outbox/event-table.ts";
import { fold, type FoldedRow, secondToLoad, type StoredHead } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import type { Projection } from "../projections/projection.ts";
import { factsOf, isImported, type ToldFact, updateOf } from "../projections/published.ts";
import { isHandled, PROJECTIONS, projectionOf } from "../projections/registry.ts";
import { storableText } from "../base/text.ts";
import { followConnections } from "./account-heads.ts";
import { followAccounts } from "./account-standing.ts";
import { effectsOfRows, effectsOfThinEvents } from "./batch-effects.ts";
import { type BillingMails, queueBillingMails } from "./billing-mails.ts";
import { followInvoices } from "./connected-invoice-heads.ts";
import { type Claimed, eventKey, finishEvents, recordOutcomes, releaseEvents, writeTenants } from "./event-tables.ts";
import { loadObservationsOf, loadUpTo, type ObjectSecond, tookIn } from "./load-events.ts";
import { queueFetches } from "./fetch-table.ts";
import { loadHeads, writeRows } from "./projection-tables.ts";
import { type SettledRows, settleRows } from "./purchase-heads.ts";
import { type ReadObservation, readObservation } from "./stored-observation.ts";
import { followRequests } from "./subscription-heads.ts";

export interface BatchContext {
  kind: Database["kind"];
  /** The tenant that owns the platform's own Stripe account. */
  platformTenant: string;
  /** Characters of payloads that a batch reads; 32 Mi unless told. Parsed they take some four times as many bytes. */
  mostText?: number;
  /** Undefined: nobody is mailed. */
  mails?: BillingMails | undefined;
}

/** What one batch did, for the log and the metrics. */
export interface BatchResult {
  processed: number;
  ignored: number;
  unrouted: number;
  /** Given back: another worker held their object, their account was about to move, or there was enough to read without them. */
  released: number;
  rows: number;
  facts: number;
  ambiguous: number;
  /** Required fields that could not be read, by `table.column`. */
  unread: string[];
}

interface Work extends ReadWork {
  tenant: string | null;
  /** Unix seconds: what happened earlier the tenant is not told. */
  since: number;
}

/** All that a batch knows of one object. */
interface ObjectWork {
  key: ObjectKey;
  projection: Projection;
  fresh: Observation[];
  /** Of these, the ids of those of which nobody was told. */
  unowned: Set<string>;
  refold: boolean;
  since: number;
}

/**
 * Processes claimed events inside `tx`. Throws LeaseLost, or what the database or a projection throws: then nothing of
 * it stays, and the caller bisects.
 */
export async function projectBatch(
  tx: Queryable,
  claimed: readonly Claimed[],
  lease: string,
  context: BatchContext,
): Promise<BatchResult> {
  const { locked, busy } = await lockObjects(tx, claimed, context.kind);
  const { held, works, left } = await readClaimed(tx, locked, context);
  const { routed, unrouted, moving } = await route(tx, works, context);
  const snapshots = routed.filter((work) => work.snapshot);
  const { rows, updates } = await foldObjects(tx, snapshots);
  const ignored = routed.filter((work) => !isHandled(work.observation.type));
  const claimedOf = (works: readonly Work[]): Claimed[] => works.map((work) => work.claimed);
  const effects = [...effectsOfRows(rows), ...effectsOfThinEvents(await withoutTwins(tx, routed))];
  const tenants = tenantsToWrite(routed);
  const tenantOf = tenantsByAccount(routed, context);
  const facts = [...(await factsOfWorks(snapshots, rows)), ...factsOfUpdates(updates, tenantOf)];
  let settled: SettledRows = { bought: [], fetches: [] };
  // In this order on one connection, none waiting for the answer to the one before. The first that fails is what is thrown.
  await Promise.all([
    ...(await writeAllRows(tx, rows, tenantOf)),
    insertFacts(tx, facts),
    recordOutcomes(tx, "ignored", claimedOf(ignored)),
    recordOutcomes(tx, "unrouted", claimedOf(unrouted)),
    writeTenants(tx, tenants),
    finishEvents(tx, moving.length === 0 ? held : claimedOf([...routed, ...unrouted]), lease),
    releaseEvents(tx, [...busy, ...left, ...moving], lease),
    // Behind the rows, which it reads.
    settleRows(tx, rows, (row) => tenantOf(row.key), context.kind).then((made) => (settled = made)),
  ]);
  const { bought } = settled;
  await followInvoices(tx, connectedInvoices(snapshots));
  await followAccounts(tx, rows, (row) => tenantOf(row.key), bought);
  await followRequests(tx, rows, (row) => tenantOf(row.key));
  if (context.mails !== undefined)
    await queueBillingMails(tx, context.mails, { facts: facts.filter(notImported(routed)), bought });
  // Behind those, as its locks are, and fetches last. Also of stale events: several may say together what the newest does not.
  await followConnections(
    tx,
    routed.map(({ observation }) => observation),
  );
  await queueFetches(tx, [...effects, ...settled.fetches]);
  return {
    processed: routed.length - ignored.length,
    ignored: ignored.length,
    unrouted: unrouted.length,
    released: busy.length + left.length + moving.length,
    rows: rows.length,
    facts: facts.length,
    ambiguous: rows.filter((row) => row.ambiguous).length,
    unread: rows.flatMap((row) => row.unread.map((column) => `${row.projection.table}.${column}`)),
  };
}

/** Takes whole objects. What another worker holds is left for later. Embedded there is no other worker. */
async function lockObjects(
  tx: Queryable,
  claimed: readonly Claimed[],
  kind: Database["kind"],
): Promise<{ locked: Claimed[]; busy: Claimed[] }> {
  const keys = [...new Set(claimed.map((event) => event.objectKey).filter((key) => key !== null))].sort();
  if (kind === "embedded" || keys.length === 0) return { locked: [...claimed], busy: [] };
  const { rows } = await tx.query<{ key: string; locked: boolean }>({
    name: "lock_objects",
    text: TRY_LOCK,
    values: [keys],
  });
  const taken = new Set(rows.filter((row) => row.locked).map((row) => row.key));
  const isTaken = (event: Claimed): boolean => event.objectKey === null || taken.has(event.objectKey);
  return { locked: claimed.filter(isTaken), busy: claimed.filter((event) => !isTaken(event)) };
}

const MOST_TEXT = 32 * 2 ** 20;

/** `unowned`: whose it is has never been known, so that nobody was told of it, though it may have been processed. */
type ReadWork = ReadObservation & { claimed: Claimed; unowned: boolean };

async function readClaimed(
  tx: Queryable,
  claimed: readonly Claimed[],
  context: BatchContext,
): Promise<{ held: Claimed[]; works: ReadWork[]; left: Claimed[] }> {
  const read = new Map<string, Omit<ReadWork, "claimed">>();
  const { stored, left } = await loadUpTo(tx, claimed, context.mostText ?? MOST_TEXT);
  for await (const event of inParts(stored))
    read.set(eventKey(event), { ...readObservation(event), unowned: event.tenant_id === null });
  const unread = new Set(left);
  const held = claimed.filter((event) => !unread.has(event));
  const works = held.map((event) => {
    const found = read.get(eventKey({ created: event.created, id: event.eventId }));
    if (found === undefined) throw new Error(`event ${event.eventId} is queued but not stored`);
    return { claimed: event, ...found };
  });
  return { held, works, left };
}

async function route(
  tx: Queryable,
  works: readonly ReadWork[],
  context: BatchContext,
): Promise<{ routed: Work[]; unrouted: Work[]; moving: Claimed[] }> {
  const accounts = new Map<string, AccountInMode>();
  for (const { observation } of works)
    if (observation.account !== "") accounts.set(accountKey(observation), observation);
  const asked = [...accounts.values()];
  const [away, owners] = await Promise.all([tryHoldOwners(tx, context.kind, asked), ownershipsOf(tx, asked)]);
  const routed: Work[] = [];
  const unrouted: Work[] = [];
  const moving: Claimed[] = [];
  for (const work of works) {
    const { observation } = work;
    if (away.has(observation.account)) {
      moving.push(work.claimed);
      continue;
    }
    const owner = observation.account === "" ? undefined : owners.get(accountKey(observation));
    const tenant = observation.account === "" ? context.platformTenant : (owner?.tenantId ?? null);
    const since = owner?.toldSince ?? 0;
    (tenant !== null || isAboutTheAccount(observation.type) ? routed : unrouted).push({ ...work, tenant, since });
  }
  return { routed, unrouted, moving };
}

/** An account that nobody owns yet is still worth knowing; its business is not. */
function isAboutTheAccount(type: string): boolean {
  return type.startsWith("account.") || type.startsWith("capability.");
}

/** Rows to write, and of those with a new state what is told. */
interface Folded {
  rows: FoldedRow[];
  updates: { row: FoldedRow; told: ToldFact }[];
}

async function foldObjects(tx: Queryable, works: readonly Work[]): Promise<Folded> {
  const objects = groupByObject(works);
  const heads = await loadHeads(tx, keysByProjection(objects));
  const seconds: ObjectSecond[] = [];
  for (const [text, { key, projection, fresh, refold }] of objects) {
    const second = refold ? "all" : secondToLoad(projection, fresh, heads.get(text));
    if (second !== null) seconds.push({ ...key, created: second === "all" ? null : second });
  }
  const loaded = new Map<string, Observation[]>();
  for await (const stored of inParts(await loadObservationsOf(tx, seconds, { withoutFailing: true }))) {
    const { observation, snapshot } = readObservation(stored);
    if (!snapshot || observation.objectId === null) continue;
    push(loaded, objectKeyText({ ...observation, objectId: observation.objectId }), observation);
  }
  const rows: FoldedRow[] = [];
  const updates: Folded["updates"] = [];
  for await (const [text, object] of inParts(objects)) {
    const before = heads.get(text);
    const row = foldOne(object, loaded.get(text), before);
    if (row !== null) {
      rows.push(row);
      const told = updateOf(row, { ...object, before });
      if (told !== null) updates.push({ row, told });
    }
  }
  return { rows, updates };
}

/** About a millisecond's work. A whole batch at once held up every answer for 15 ms. */
const AT_ONCE = 32;

/** One item after the other; whoever else waits for this thread runs between. */
async function* inParts<Item>(items: Iterable<Item>): AsyncGenerator<Item, void, undefined> {
  let given = 0;
  for (const item of items) {
    if (++given % AT_ONCE === 0) await letOthersRun();
    yield item;
  }
}

function foldOne(
  object: ObjectWork,
  loaded: readonly Observation[] | undefined,
  head: StoredHead | undefined,
): FoldedRow | null {
  // What was read later comes last: the same event, in the payload that stands.
  const observations = loaded === undefined ? object.fresh : [...object.fresh, ...loaded];
  return fold(object.key, object.projection, observations, object.refold ? undefined : head);
}

function groupByObject(works: readonly Work[]): Map<string, ObjectWork> {
  const objects = new Map<string, ObjectWork>();
  for (const { observation, claimed, since, unowned } of works) {
    if (observation.objectId === null) continue;
    const { livemode, account, objectType, objectId } = observation;
    const key = { livemode, account, objectType, objectId };
    const text = objectKeyText(key);
    const empty = { fresh: [], unowned: new Set<string>(), refold: false };
    const known = objects.get(text) ?? { key, projection: projectionOf(objectType), ...empty, since };
    known.fresh.push(observation);
    if (unowned) known.unowned.add(observation.id);
    known.refold ||= claimed.refold;
    objects.set(text, known);
  }
  return objects;
}

function keysByProjection(objects: ReadonlyMap<string, ObjectWork>): Map<Projection, ObjectKey[]> {
  const keys = new Map<Projection, ObjectKey[]>();
  for (const { key, projection } of objects.values()) push(keys, projection, key);
  return keys;
}

/** Rows of one table in one statement: some three milliseconds' work to lay out. */
const WRITTEN_AT_ONCE = 128;

/** Has asked for everything when it resolves; the promises say when it is written. */
async function writeAllRows(
  tx: Queryable,
  rows: readonly FoldedRow[],
  tenants: (account: AccountInMode) => string | null,
): Promise<Promise<void>[]> {
  const byProjection = new Map<Projection, FoldedRow[]>();
  for (const row of rows) push(byProjection, row.projection, row);
  const writing: Promise<void>[] = [];
  for (const projection of PROJECTIONS) {
    const own = byProjection.get(projection);
    if (own === undefined) continue;
    for (let at = 0; at < own.length; at += WRITTEN_AT_ONCE) {
      const written = writeRows(tx, projection, own.slice(at, at + WRITTEN_AT_ONCE), (row) => tenants(row.key));
      // Whoever waits for all of them is told.
      written.catch(() => undefined);
      writing.push(written);
      await letOthersRun();
    }
  }
  return writing;
}

function tenantsByAccount(works: readonly Work[], context: BatchContext): (account: AccountInMode) => string | null {
  const tenants = new Map(works.map((work) => [accountKey(work.observation), work.tenant]));
  return (account) => (account.account === "" ? context.platformTenant : (tenants.get(accountKey(account)) ?? null));
}

async function factsOfWorks(works: readonly Work[], rows: readonly FoldedRow[]): Promise<StoredFact[]> {
  const columns = new Map(rows.map((row) => [objectKeyText(row.key), row.columns]));
  const facts: StoredFact[] = [];
  for await (const { observation, tenant, since } of inParts(works)) {
    if (tenant === null) continue;
    const { objectType, objectId } = observation;
    const known = columns.get(objectKeyText({ ...observation, objectId: objectId ?? "" }));
    for (const one of factsOf(observation, projectionOf(objectType), since, known))
      facts.push(storedFact(one, observation, tenant));
  }
  return facts;
}

/** Nobody is mailed of what an import brings. */
function notImported(works: readonly Work[]): (fact: StoredFact) => boolean {
  const imported = new Set(works.flatMap(({ observation }) => (isImported(observation) ? [observation.id] : [])));
  return ({ observationId }) => !imported.has(observationId);
}

function factsOfUpdates(updates: Folded["updates"], tenantOf: (account: AccountInMode) => string | null): StoredFact[] {
  return updates.flatMap(({ row, told }) => {
    const tenant = tenantOf(row.key);
    return tenant === null ? [] : [storedFact(told, row.head, tenant)];
  });
}

function storedFact(
  { type, naturalKey: key, object, happenedAt }: ToldFact,
  observation: Observation,
  tenantId: string,
): StoredFact {
  const { livemode, account: stripeAccount, objectType, objectId, created: occurredAt, id } = observation;
  const naturalKey = storableText(key);
  return {
    tenantId,
    livemode,
    type,
    naturalKey,
    stripeAccount,
    objectType,
    objectId,
    occurredAt,
    observationId: id,
    object,
    ...(happenedAt === undefined ? {} : { happenedAt }),
  };
}

/** A thin event that is also sent as a snapshot, which was processed or is in this batch, has nothing to be fetched for. */
async function withoutTwins(tx: Queryable, works: readonly Work[]): Promise<readonly Work[]> {
  const twins = works.flatMap(({ twin }) => twin ?? []);
  if (twins.length === 0) return works;
  const known = await tookIn(tx, twins);
  for (const { observation, snapshot } of works) if (snapshot) known.add(observation.id);
  return works.filter(({ twin }) => twin === undefined || !known.has(twin));
}

/** Also of stale observations: a fact of theirs may be new. */
function connectedInvoices(works: readonly Work[]): ObjectKey[] {
  const keys = new Map<string, ObjectKey>();
  for (const { observation } of works) {
    const { livemode, account, objectType, objectId } = observation;
    if (account === "" || objectType !== "invoice" || objectId === null) continue;
    const key = { livemode, account, objectType, objectId };
    keys.set(objectKeyText(key), key);
  }
  return [...keys.values()];
}

/** The platform's own events had their tenant from the start. */
function tenantsToWrite(works: readonly Work[]): { created: number; eventId: string; tenantId: string }[] {
  return works.flatMap(({ claimed, observation, tenant }) =>
    observation.account === "" || tenant === null
      ? []
      : [{ created: claimed.created, eventId: claimed.eventId, tenantId: tenant }],
  );
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

const TRY_LOCK =
  "select key, pg_try_advisory_xact_lock(hashtextextended(key, 0)) as locked from unnest($1::text[]) as wanted (key)";
