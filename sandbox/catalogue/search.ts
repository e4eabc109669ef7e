// Stripe's search language: `email:'a@b.c' AND metadata['tier']:'gold'`, over objects in memory.
import { invalidRequest } from "../core/errors.ts";

type Value = string | number | boolean | null;

/** What can be asked for: `text` also by part (~), `number` also by comparison, `token` only whole. */
export interface SearchField<T> {
  as: "text" | "number" | "token";
  read: (object: T) => Value | undefined;
}

export interface SearchParameters {
  query: string;
  limit?: number;
  page?: string;
}

export interface SearchResult<T> {
  object: "search_result";
  data: T[];
  has_more: boolean;
  next_page: string | null;
  url: string;
}

interface Searched<T> {
  /** "customers": the word of the error sentences. */
  resource: string;
  url: string;
  fields: Readonly<Record<string, SearchField<T>>>;
}

interface Clause {
  not: boolean;
  field: string;
  /** The key inside metadata["…"]. */
  key: string | undefined;
  operator: string;
  value: Value;
}

const CLAUSE =
  /\s*(-?)([a-z_.]+)(?:\[\s*(?:"([^"]*)"|'([^']*)')\s*\])?\s*(>=|<=|[:~<>])\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s]+))/iy;
const JOIN = /\s+(AND|OR)\s+/iy;

/** Newest first. `objects`: all of the resource, the oldest first. */
export function search<T extends object>(
  objects: readonly T[],
  { query, limit = 10, page }: SearchParameters,
  searched: Searched<T>,
): SearchResult<T> {
  const { clauses, any } = parse(query);
  const tests = clauses.map((clause) => testOf(clause, searched));
  const found = objects
    .filter((object) => (any ? tests.some((test) => test(object)) : tests.every((test) => test(object))))
    .reverse();
  const start = page === undefined ? 0 : Number(page);
  if (!Number.isSafeInteger(start) || start < 0)
    throw invalidRequest(`Invalid page: ${String(page)}`, { param: "page" });
  const has_more = found.length > start + limit;
  const next_page = has_more ? String(start + limit) : null;
  return { object: "search_result", data: found.slice(start, start + limit), has_more, next_page, url: searched.url };
}

function parse(query: string): { clauses: Clause[]; any: boolean } {
  const clauses: Clause[] = [];
  const joins = new Set<string>();
  let at = 0;
  while (at < query.trimEnd().length) {
    if (clauses.length > 0) {
      const join = matchAt(JOIN, query, at);
      joins.add((join[1] ?? "").toUpperCase());
      at += join[0].length;
    }
    const clause = matchAt(CLAUSE, query, at);
    clauses.push(clauseOf(clause));
    at += clause[0].length;
  }
  if (clauses.length === 0) throw unreadable();
  if (joins.size > 1) {
    throw invalidRequest("You cannot use both AND and OR operators in the same search query.", { param: "query" });
  }
  return { clauses, any: joins.has("OR") };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found === null) throw unreadable();
  return found;
}

function clauseOf(match: RegExpExecArray): Clause {
  const [, minus, field = "", doubleKey, singleKey, operator = ":", double, single, bare] = match;
  const quoted = double ?? single;
  const value = quoted === undefined ? bareValue(bare ?? "") : quoted.replaceAll(/\\(.)/g, "$1");
  return { not: minus === "-", field, key: doubleKey ?? singleKey, operator, value };
}

function bareValue(word: string): Value {
  if (word.toLowerCase() === "null") return null;
  if (word === "true" || word === "false") return word === "true";
  if (!/^-?\d+(\.\d+)?$/.test(word)) throw unreadable();
  return Number(word);
}

function unreadable(): Error {
  const message =
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata ' +
    'or key:"value" to query for other fields.';
  return invalidRequest(message, { param: "query" });
}

function testOf<T extends object>(clause: Clause, { resource, fields }: Searched<T>): (object: T) => boolean {
  const field = fieldOf(clause, resource, fields);
  const { operator, value } = clause;
  if (operator === "~" && field.as !== "text") throw unsupported(clause, resource);
  if (/[<>]/.test(operator) && field.as !== "number") throw unsupported(clause, resource);
  if (operator === "~" && String(value).length < 3) {
    throw invalidRequest("A substring search needs at least 3 characters.", { param: "query" });
  }
  return (object) => matches(field.read(object) ?? null, operator, value) !== clause.not;
}

function fieldOf<T extends object>(
  { field, key }: Clause,
  resource: string,
  fields: Readonly<Record<string, SearchField<T>>>,
): SearchField<T> {
  if (field === "metadata" && key !== undefined) {
    return { as: "text", read: (object) => metadataOf(object)[key] };
  }
  const known = Object.hasOwn(fields, field) && key === undefined ? fields[field] : undefined;
  if (known !== undefined) return known;
  const message =
    `Field \`${field}\` is an unsupported search field for resource \`${resource}\`. ` +
    `See http://stripe.com/docs/search#query-fields-for-${resource.replaceAll("_", "-")} for a list of supported fields.`;
  throw invalidRequest(message, { param: "query" });
}

function metadataOf(object: object): Record<string, string> {
  return "metadata" in object && object.metadata !== null ? (object.metadata as Record<string, string>) : {};
}

function unsupported({ field, operator }: Clause, resource: string): Error {
  const message = `Operator \`${operator}\` is not supported for field \`${field}\` of resource \`${resource}\`.`;
  return invalidRequest(message, { param: "query" });
}

function matches(actual: Value, operator: string, wanted: Value): boolean {
  // `field:null` asks for what has none.
  if (wanted === null) return actual === null || actual === "";
  if (actual === null) return false;
  switch (operator) {
    case "~":
      return String(actual).toLowerCase().includes(String(wanted).toLowerCase());
    case ">":
      return Number(actual) > Number(wanted);
    case "<":
      return Number(actual) < Number(wanted);
    case ">=":
      return Number(actual) >= Number(wanted);
    case "<=":
      return Number(actual) <= Number(wanted);
    default:
      return String(actual).toLowerCase() === String(wanted).toLowerCase();
  }
}
