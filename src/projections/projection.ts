// The shape of a projection: what one kind of Stripe object means to us, as data and pure functions. No I/O.
import type { Observation, StripeObject, UnixSeconds } from "./observation.ts";

/**
 * How a column is written.
 * text: string (NUL and lone surrogates become U+FFFD) · bigint: integer minor units, counts · boolean ·
 * time: UnixSeconds, stored as timestamptz · json: an object or array, stored as jsonb · decimal: a decimal string, stored as numeric
 */
export type ColumnType = "text" | "bigint" | "boolean" | "time" | "json" | "decimal";

export type ColumnValue = string | number | boolean | StripeObject | readonly unknown[] | null;

/**
 * What `row` returns. `null` means that Stripe says "nothing". `undefined` means that a field which must be there could
 * not be read: it is stored as NULL, its name goes into the row's `unread_fields`, and it is counted. Of a child row the
 * name goes to its parent, as `table.column`.
 */
export type Row<Columns extends Record<string, ColumnType>> = { [Name in keyof Columns]: ColumnValue | undefined };

/** Something that happened, true whatever came before or after it. Unique by tenant, mode, type and natural key. */
export interface Fact {
  type: string;
  naturalKey: string;
  /** Known to us alone: another fact tells tenants the same. */
  untold?: boolean;
}

/** What must happen besides rows and facts, carried out by the inbox in the same commit. A union: later work adds to it. */
export interface FetchEffect {
  kind: "fetch";
  objectType: string;
  objectId: string;
  /** The answer settles the question only when its `as_of` is at or after this second. */
  since: UnixSeconds;
  reason: "order_ambiguous" | "thin_event";
  /** What a thin event says happened to it: the fetched object is observed under this name, too. */
  named?: NamedEvent;
}

/** What a thin event says, without its object. */
export interface NamedEvent {
  /** As a snapshot event of the same thing is called. */
  type: string;
  /** The event's own second. */
  created: UnixSeconds;
}
export type Effect = FetchEffect;

/** Rows that live and die with their parent, such as a subscription's items: replaced as a whole when the parent's head changes. */
export interface ChildTable<Columns extends Record<string, ColumnType> = Record<string, ColumnType>> {
  table: string;
  /** The column that holds the parent's id. The key is (livemode, stripe_account, id); every child has an id. */
  parentColumn: string;
  columns: Columns;
  rows: (object: StripeObject) => ({ id: string } & Row<Columns>)[];
  /** What `rows` cannot tell: names of what could not be read of children that it had to leave out. */
  unread?: (object: StripeObject) => string[];
}

export interface ProjectionSpec<Columns extends Record<string, ColumnType>> {
  /** Stripe's `object` values that land here. The first is the object key's type for all of them. */
  objects: readonly [string, ...string[]];
  table: string;
  columns: Columns;
  /** `*.deleted` ends this object for ever: its id never returns. */
  tombstone?: boolean;
  /** A snapshot that nothing but another terminal snapshot may follow. */
  terminal?: (object: StripeObject) => boolean;
  /** Only for kinds whose tuple never decreases in a life. Compared left to right. Breaks ties within one second. */
  rank?: (object: StripeObject) => readonly number[];
  /** What happened is in the event's type alone: equal objects of two types are two states. */
  saidByType?: boolean;
  /** Columns with ids of other objects that stay known when a newer snapshot lacks them (text columns only). */
  keeps?: readonly (keyof Columns & string)[];
  row: (object: StripeObject, observation: Observation) => Row<Columns>;
  children?: readonly ChildTable[];
  /** Of every observation, also a stale one, and also of those without an object id. */
  facts?: (object: StripeObject, observation: Observation) => (Fact | false | null | undefined)[];
  /** Columns whose change is worth telling in the billing log, in reading order. Default: all columns. */
  tracked?: readonly (keyof Columns & string)[];
  /** Columns whose change `updated` tells, too, though the billing log leaves it out. */
  alsoTold?: readonly (keyof Columns & string)[];
  /** The event that tells tenants that tracked columns have changed. See `updateOf`. */
  updated?: string;
}

/** A projection whose column names are no longer known to the type system: what registry and reducer work with. */
export type Projection = ProjectionSpec<Record<string, ColumnType>>;

/** Declares a projection; the type parameter checks that `row` fills exactly the declared columns. */
export function projection<const Columns extends Record<string, ColumnType>>(
  spec: ProjectionSpec<Columns>,
): Projection {
  return spec as unknown as Projection;
}

/** No id, status or code of Stripe's is longer; PostgreSQL's index takes keys of 2,700 bytes at most. */
const LONGEST_PART = 255;

export function fact(type: string, ...naturalKey: (string | number)[]): Fact {
  return { type, naturalKey: naturalKey.map((part) => String(part).slice(0, LONGEST_PART)).join(":") };
}
