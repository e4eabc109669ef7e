// Reads single values out of Stripe objects of which nothing is trusted. Pure; never throws.
// What a reader returns: the value; `null` where Stripe says nothing; `undefined` where something stands that cannot be read.
import type { StripeObject } from "./envelope.ts";

export type { StripeObject };

export type Read<T> = T | null | undefined;

// Stripe: "Object IDs are up to 255 characters". Longer ones would also not fit into an index row.
const LONGEST_ID = 255;
const LONGEST_WORD = 255;
// Stripe: an e-mail address has up to 512 characters. In UTF-8 that still fits into an index row (2,704 bytes).
const LONGEST_EMAIL = 512;
// 9999-01-01T00:00:00Z: later times have five-digit years, which neither ISO 8601 nor PostgreSQL's input takes as they are.
const END_OF_TIME = 253_370_764_800;

/**
 * An id that names a row, in any script and with spaces: plans, coupons and products have ids of their owner's choice. The bar
 * parts an object's key.
 */
export const OBJECT_ID = /^(?! )[^\p{C}\p{Zl}\p{Zp}|]{1,255}(?<! )$/u;

export function isObject(value: unknown): value is StripeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const UNREADABLE = Symbol("unreadable");

/** The value at a path: null when any step says nothing; something that no reader takes when a step is no object. */
export function at(object: StripeObject, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) {
    if (value === null || value === undefined) return null;
    if (!isObject(value)) return UNREADABLE;
    value = value[name];
  }
  return value;
}

export function text(value: unknown): Read<string> {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : undefined;
}

/** One of Stripe's own words, such as a status or a currency: none is long, and a row that is looked up by it must fit its index. */
export function word(value: unknown): Read<string> {
  const read = text(value);
  return typeof read === "string" && read.length > LONGEST_WORD ? undefined : read;
}

/** Minor units and counts. Beyond 2^53 a parsed number is no longer what Stripe wrote. */
export function integer(value: unknown): Read<number> {
  if (value === null || value === undefined) return null;
  // JSON has a -0, PostgreSQL's integers have none.
  return Number.isSafeInteger(value) ? (value as number) + 0 : undefined;
}

/** Unix seconds from 1970 to the end of the year 9998. */
export function time(value: unknown): Read<number> {
  const seconds = integer(value);
  return typeof seconds === "number" && (seconds < 0 || seconds >= END_OF_TIME) ? undefined : seconds;
}

export function boolean(value: unknown): Read<boolean> {
  if (value === null || value === undefined) return null;
  return typeof value === "boolean" ? value : undefined;
}

const DECIMAL = /^-?\d{1,30}(?:\.\d{1,30})?$/;

/** A decimal string. Webhooks carry `*_decimal` as strings and percentages as numbers; both become text that `numeric` takes. */
export function decimal(value: unknown): Read<string> {
  if (value === null || value === undefined) return null;
  const written = typeof value === "number" ? String(value) : value;
  return typeof written === "string" && DECIMAL.test(written) ? written : undefined;
}

/** A hash, such as metadata. */
export function hash(value: unknown): Read<StripeObject> {
  if (value === null || value === undefined) return null;
  return isObject(value) ? value : undefined;
}

export function array(value: unknown): Read<readonly unknown[]> {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

export function email(value: unknown): Read<string> {
  const read = text(value);
  return typeof read === "string" && read.length > LONGEST_EMAIL ? undefined : read;
}

/** The id behind a reference: an id, the expanded object, or null. */
export function reference(value: unknown): Read<string> {
  if (value === null || value === undefined || value === "") return null;
  const id = isObject(value) ? value.id : value;
  return typeof id === "string" && id !== "" && id.length <= LONGEST_ID && isStorable(id) ? id : undefined;
}

/** Changed to fit PostgreSQL it would name another object. Spaces and letters of any script are well in a plan's or coupon's id. */
const isStorable = (id: string): boolean => !id.includes("\0") && id.isWellFormed();

/** The objects of a Stripe list (or of a plain array); what is no object is left out. */
export function listed(value: unknown): readonly StripeObject[] {
  const items = isObject(value) ? value.data : value;
  return Array.isArray(items) ? items.filter(isObject) : [];
}

/** For fields that every known shape has: nothing there is as bad as something unreadable. */
export function required<T>(read: Read<T>): T | undefined {
  return read ?? undefined;
}

/** The first that says something. If none does: undefined when one of them could not be read, else null. */
export function firstOf<T>(...reads: readonly Read<T>[]): Read<T> {
  return firstIn(reads);
}

/** As `firstOf`, for as many as a list has: too many arguments would overflow the stack. */
export function firstIn<T>(reads: readonly Read<T>[]): Read<T> {
  const said = reads.find((read) => read !== null && read !== undefined);
  if (said !== undefined) return said;
  return reads.includes(undefined) ? undefined : null;
}
