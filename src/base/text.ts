// Text as PostgreSQL can store it (`text` and `jsonb` refuse NUL and lone surrogates, which real names contain), and files' text. Pure.

/** NUL and lone surrogates become U+FFFD; any other text comes back as it is. */
export function storableText(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  return formed.includes("\0") ? formed.replaceAll("\0", "\uFFFD") : formed;
}

/** Editors of Windows put a mark at the beginning of a file, which would be taken for a part of its first word. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** JSON.stringify and PostgreSQL's jsonb parser are recursive and fail at a few thousand levels; Stripe's objects have under 20. */
export const MAX_DEPTH = 200;
export const TOO_DEEP = `[nested deeper than ${String(MAX_DEPTH)} levels]`;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A parsed JSON value as `jsonb` can take it: every string and key as `storableText`, what lies deeper than MAX_DEPTH
 * replaced by TOO_DEEP, and a number beyond IEEE doubles (JSON's 1e400 is read as Infinity, and would be written as
 * null) by its name. A value that needs nothing comes back itself, not copied.
 */
export function storableJson(value: Json): Json {
  return storable(value, 0);
}

function storable(value: Json, depth: number): Json {
  if (typeof value === "string") return storableText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return TOO_DEEP;
  return Array.isArray(value) ? storableArray(value, depth) : storableObject(value, depth);
}

function storableArray(array: Json[], depth: number): Json[] {
  const copy = array.map((item) => storable(item, depth + 1));
  return copy.every((item, index) => item === array[index]) ? array : copy;
}

function storableObject(object: Record<string, Json>, depth: number): Record<string, Json> {
  const before = Object.entries(object);
  const after = before.map(([key, item]): [string, Json] => [storableText(key), storable(item, depth + 1)]);
  const same = after.every(([key, item], index) => key === before[index]?.[0] && item === before[index][1]);
  // fromEntries defines keys: assigning `__proto__`, which JSON may contain, would set the prototype instead.
  return same ? object : Object.fromEntries(after);
}
