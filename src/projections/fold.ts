// Folding: from an object's observations and what is stored of it to what its row must be. Pure.
import { hash } from "node:crypto";

import type { ObjectKey, Observation } from "./observation.ts";
import { compareIds, compareOrder, type Order, orderOf, saysDeleted, settleTie } from "./order.ts";
import type { ColumnType, ColumnValue, Projection, Row } from "./projection.ts";

/** What the row of an object remembers of how it came to be. */
export interface StoredHead {
  order: Order;
  eventId: string;
  kept: Kept;
  /** The head says that the object is gone. */
  deleted: boolean;
}

/**
 * For each kept column the newest value seen that was not empty, with where it came from; of a kind whose changes are told
 * under TRACKED what the tracked columns of the head say, as a hash, and under TOLD what those say that are told besides.
 */
export type Kept = Readonly<Record<string, KeptValue>>;
export type KeptValue = readonly [value: string, created: number, eventId: string];

/** A row to be written: the head of an object, in columns. */
export interface FoldedRow {
  key: ObjectKey;
  projection: Projection;
  head: Observation;
  order: Order;
  ambiguous: boolean;
  deleted: boolean;
  columns: Record<string, ColumnValue>;
  unread: string[];
  kept: Kept;
}

/**
 * The second whose observations must all be loaded before these can be folded; "all" seconds, or null.
 *
 * A tie with the stored head is decided by the whole set, and so is a kept column that changes under an unchanged head.
 * Of an object of which only "deleted" is left, the columns come from the last observation that knew it.
 */
export function secondToLoad(
  projection: Projection,
  fresh: readonly Observation[],
  stored: StoredHead | undefined,
): number | "all" | null {
  if (stored === undefined) return null;
  if (stored.deleted || fresh.some(isStub)) return "all";
  const newest = greatestOrder(fresh.map((observation) => orderOf(observation, projection)));
  const compared = compareOrder(newest, stored.order);
  if (compared > 0) return null;
  if (compared === 0) return stored.order.created;
  return keepNewest(projection, fresh, stored.kept) === stored.kept ? null : stored.order.created;
}

/**
 * The row of an object, or null when the stored one stands.
 *
 * @param observations what is new, with the second that `secondToLoad` asked for; in any order, repeats allowed
 * @param stored what the row says now; undefined when there is none, or when everything is folded anew
 */
export function fold(
  key: ObjectKey,
  projection: Projection,
  observations: readonly Observation[],
  stored: StoredHead | undefined,
): FoldedRow | null {
  // Stored events are told apart by second and id.
  const distinct = [
    ...new Map(observations.map((observation) => [`${observation.created}:${observation.id}`, observation])).values(),
  ];
  const orders = distinct.map((observation) => orderOf(observation, projection));
  const order = greatestOrder(orders);
  if (stored !== undefined && compareOrder(stored.order, order) > 0) return null;
  const { observation: head, ambiguous } = settleTie(
    distinct.filter((_, index) => compareOrder(orders[index] ?? order, order) === 0),
    projection,
  );
  const known = keepNewest(projection, distinct, stored?.kept ?? NOTHING_KEPT);
  const { columns, unread } = readColumns(projection, isStub(head) ? lastKnown(distinct, projection) : head, known);
  // Children are those of the head itself, and a stub lists none.
  if (!isStub(head)) unread.push(...unreadOfChildren(projection, head));
  const kept = projection.updated === undefined ? known : { ...known, ...hashesOf(projection, columns) };
  return { key, projection, head, order, ambiguous, deleted: saysDeleted(head), columns, unread, kept };
}

/** No column's name. Rows of before there was TOLD have it from their next head on. */
export const TRACKED = "(tracked)";
export const TOLD = "(told)";

const rows = new WeakMap<Observation, Row<Record<string, ColumnType>>>();

/** What an observation says in columns: read once, however often it is asked. */
export function rowOf(projection: Projection, observation: Observation): Row<Record<string, ColumnType>> {
  let row = rows.get(observation);
  if (row === undefined) rows.set(observation, (row = projection.row(observation.object, observation)));
  return row;
}

function hashesOf({ tracked = [], alsoTold }: Projection, columns: FoldedRow["columns"]): Kept {
  const hashed = (names: readonly string[]): KeptValue => {
    const values = names.map((name) => inOneOrder(columns[name] ?? null));
    return [hash("sha256", JSON.stringify(values), "base64url").slice(0, 22), 0, ""];
  };
  return { [TRACKED]: hashed(tracked), ...(alsoTold === undefined ? {} : { [TOLD]: hashed(alsoTold) }) };
}

/** Stripe may say the same hash in another order. */
function inOneOrder(value: ColumnValue): ColumnValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => compareIds(a, b));
}

const NOTHING_KEPT: Kept = {};

function greatestOrder(orders: readonly Order[]): Order {
  return orders.reduce((best, order) => (compareOrder(order, best) > 0 ? order : best));
}

/** The greatest observation that brings the object itself; a stub when there is none. */
function lastKnown(observations: readonly Observation[], projection: Projection): Observation {
  const known = observations.filter((observation) => !isStub(observation));
  const candidates = known.length > 0 ? known : observations;
  const order = greatestOrder(candidates.map((observation) => orderOf(observation, projection)));
  const tied = candidates.filter((observation) => compareOrder(orderOf(observation, projection), order) === 0);
  return settleTie(tied, projection).observation;
}

/**
 * A stub that says only "deleted" has nothing to read; that is no unknown shape. What was deleted may also be sent whole:
 * that is read as any other.
 */
export function isStub({ object }: Observation): boolean {
  return object.deleted === true && Object.keys(object).every((name) => STUB_FIELDS.has(name));
}

// Stripe's answer for a deleted card or bank account may name its currency, too (its DeletedCard and DeletedBankAccount).
const STUB_FIELDS: ReadonlySet<string> = new Set(["id", "object", "deleted", "livemode", "account", "currency"]);

function readColumns(
  projection: Projection,
  head: Observation,
  kept: Kept,
): { columns: Record<string, ColumnValue>; unread: string[] } {
  const read = rowOf(projection, head);
  const columns: Record<string, ColumnValue> = {};
  const unread: string[] = [];
  for (const name of Object.keys(projection.columns)) {
    const value = read[name];
    if (value === undefined && !isStub(head)) unread.push(name);
    columns[name] = value ?? kept[name]?.[0] ?? null;
  }
  return { columns, unread };
}

/** What of the children cannot be read, by `table.column`: each once, however many children lack it. */
function unreadOfChildren(projection: Projection, { object }: Observation): string[] {
  return (projection.children ?? []).flatMap((child) => {
    const unread = new Set(child.unread?.(object));
    for (const row of child.rows(object) as Row<Record<string, ColumnType>>[]) {
      for (const name of Object.keys(child.columns)) if (row[name] === undefined) unread.add(name);
    }
    return [...unread].sort(compareIds).map((name) => `${child.table}.${name}`);
  });
}

/** Adds what these observations know to what is kept: per column the value with the newest stamp. The same object if nothing changed. */
function keepNewest(projection: Projection, observations: readonly Observation[], kept: Kept): Kept {
  const names = projection.keeps;
  if (names === undefined) return kept;
  let result: Record<string, KeptValue> | undefined;
  for (const observation of observations) {
    const read = rowOf(projection, observation);
    for (const name of names) {
      const value = read[name];
      if (typeof value !== "string") continue;
      const known = (result ?? kept)[name];
      if (known !== undefined && compareStamps([value, observation.created, observation.id], known) <= 0) continue;
      result ??= { ...kept };
      result[name] = [value, observation.created, observation.id];
    }
  }
  return result ?? kept;
}

function compareStamps(a: KeptValue, b: KeptValue): number {
  return a[1] - b[1] || compareIds(a[2], b[2]);
}
