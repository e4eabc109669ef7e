// Lists: newest first, cut by limit and cursor, as Stripe pages them.
import { invalidRequest, noSuch } from "./errors.ts";
import { runningTransaction } from "./running.ts";

export interface ListParameters {
  limit?: number;
  starting_after?: string;
  ending_before?: string;
  created?: number | { gt?: number; gte?: number; lt?: number; lte?: number };
}

export interface StripeList<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  url: string;
}

/** `objects`: those that pass the filters, the oldest first. Ends the call when a cursor or the limit is wrong. */
export function listOf<T extends { id: string }>(
  objects: readonly T[],
  url: string,
  { limit = 10, starting_after, ending_before, created }: ListParameters,
): StripeList<T> {
  if (limit < 1 || limit > 100) {
    throw invalidRequest(
      `This value must be ${limit < 1 ? "greater than or equal to 1" : "less than or equal to 100"}.`,
      {
        param: "limit",
        code: "parameter_invalid_integer",
      },
    );
  }
  if (starting_after !== undefined && ending_before !== undefined) {
    throw invalidRequest("You can only pass one of these parameters: starting_after, ending_before.");
  }
  const newest = objects.filter((object) => inRange(object, created)).reverse();
  if (ending_before !== undefined) {
    const { at: end } = positionOf(newest, ending_before, "ending_before", url);
    const start = Math.max(0, end - limit);
    return { object: "list", data: newest.slice(start, end), has_more: start > 0, url };
  }
  const start = starting_after === undefined ? 0 : positionOf(newest, starting_after, "starting_after", url).next;
  return { object: "list", data: newest.slice(start, start + limit), has_more: newest.length > start + limit, url };
}

/** A cursor may be any object of the list's kind: one that the filters leave out stands where it would be. */
function positionOf(
  objects: readonly { id: string }[],
  id: string,
  param: string,
  url: string,
): { at: number; next: number } {
  const at = objects.findIndex((object) => object.id === id);
  if (at !== -1) return { at, next: at + 1 };
  const [, name = "object"] = /([^/]+?)s?$/.exec(url) ?? [];
  const peers = runningTransaction()?.peersOf(id, name);
  if (peers === undefined) throw noSuch(name, id, param);
  const older = new Set(peers.slice(0, peers.indexOf(id)));
  const place = objects.findIndex((object) => older.has(object.id));
  const end = place === -1 ? objects.length : place;
  return { at: end, next: end };
}

function inRange(object: object, range: ListParameters["created"]): boolean {
  if (range === undefined) return true;
  const created = "created" in object ? Number(object.created) : 0;
  if (typeof range !== "object") return created === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return created > gt && created >= gte && created < lt && created <= lte;
}

/** A whole list inside an object (an invoice's lines, a subscription's items), cut at Stripe's ten unless said. */
export function innerList<T>(data: readonly T[], url: string, limit = 10): StripeList<T> & { total_count?: number } {
  return { object: "list", data: data.slice(0, limit), has_more: data.length > limit, url };
}
