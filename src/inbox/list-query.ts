// What every list over the inbox and the projections shares: conditions with their values, and keyset cursors. Pure.
import { publicError } from "../base/errors.ts";
import { type IdPrefix, isId } from "../base/ids.ts";

export interface Page<Item> {
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}

/** Conditions of one statement. `?` in a condition stands for its value, as often as it is there. */
export interface Conditions {
  add(condition: string, value?: unknown): void;
  /** ` where … and …`, or nothing. */
  where(): string;
  readonly values: unknown[];
}

export function conditions(): Conditions {
  const parts: string[] = [];
  const values: unknown[] = [];
  return {
    values,
    add: (condition, value) => {
      if (value !== undefined) values.push(value);
      parts.push(condition.replaceAll("?", `$${values.length}`));
    },
    where: () => (parts.length === 0 ? "" : ` where ${parts.join(" and ")}`),
  };
}

/** Which rows' accounts and modes a list shows. `account` is "" for the platform's own. */
export interface ScopeFilter {
  account?: string | undefined;
  livemode?: boolean | undefined;
}

export function addScope(where: Conditions, alias: string, { account, livemode }: ScopeFilter): void {
  if (account !== undefined) where.add(`${alias}.stripe_account = ?`, account);
  if (livemode !== undefined) where.add(`${alias}.livemode = ?`, livemode);
}

/** A place in a list: the values of its sort columns. */
export type CursorValue = string | number | boolean | null;

export function writeCursor(values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

type CursorType = "string" | "seconds" | "seconds or null" | "integer" | "boolean";

/** What stands at one place of a cursor: a kind of value, or exactly which ones. */
export type CursorPart = CursorType | ((value: unknown) => boolean);

/** Times of Stripe's are stored up to here only: far beyond it PostgreSQL's `to_timestamp` fails. */
const YEAR_9999 = Date.UTC(9999, 0, 1) / 1000;

function isStoredTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < YEAR_9999;
}

const FITS: Record<CursorType, (value: unknown) => boolean> = {
  // PostgreSQL's text refuses NUL and halves of characters.
  string: (value) => typeof value === "string" && /^\P{C}{0,255}$/u.test(value),
  seconds: isStoredTime,
  "seconds or null": (value) => value === null || isStoredTime(value),
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
};

/** An id of ours, of this kind: no cursor of another list has one. */
export function ownId(prefix: IdPrefix): (value: unknown) => boolean {
  return (value) => typeof value === "string" && isId(value, prefix);
}

/** Throws `invalid_request` for what `writeCursor` never gave out. */
export function readCursor(cursor: string, parts: readonly CursorPart[]): CursorValue[] {
  const values = parsed(cursor);
  if (Array.isArray(values) && values.length === parts.length) {
    const fits = parts.every((part, index) => (typeof part === "string" ? FITS[part] : part)(values[index]));
    if (fits) return values as CursorValue[];
  }
  throw publicError("invalid_request", {
    param: "cursor",
    message: "Send the next_cursor of the page before, unchanged.",
  });
}

/** Of a list by ids alone, all of one kind: the last one of the page before; undefined: the first page. */
export function readIdCursor(prefix: IdPrefix, cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : String(readCursor(cursor, [ownId(prefix)])[0]);
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    // Not ours: told by the caller.
    return undefined;
  }
}

/** A page out of one row more than was asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  place: (row: Row) => CursorValue[],
): Page<Item> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit;
  return {
    data: page.map(item),
    has_more: more,
    next_cursor: more && last !== undefined ? writeCursor(place(last)) : null,
  };
}

/**
 * A page of a list that is read whole, because it is short. Its rows are in the order of their places, whatever order they
 * come in. The row that the cursor was made of may be gone.
 */
export function pageOfAll<Row, Item>(
  rows: readonly Row[],
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  list: { item: (row: Row) => Item; place: (row: Row) => (string | number)[]; parts: readonly CursorPart[] },
): Page<Item> {
  const after = cursor === undefined ? undefined : readCursor(cursor, list.parts);
  const placed = rows
    .map((row) => ({ row, place: list.place(row) }))
    .filter(({ place }) => after === undefined || isBehind(place, after))
    .sort((one, other) => (isBehind(one.place, other.place) ? 1 : -1));
  return pageOf(
    placed,
    limit,
    ({ row }) => list.item(row),
    ({ place }) => place,
  );
}

function isBehind(place: readonly (string | number)[], other: readonly CursorValue[]): boolean {
  const different = place.findIndex((value, index) => value !== other[index]);
  return different >= 0 && (place[different] ?? "") > (other[different] ?? "");
}

/** Seconds since 1970 as the ISO 8601 string that the API speaks. */
export function isoOfSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
