// True order: which observation of an object is its head. A function of the set of observations, never of their arrival. Pure.
import { isDeepStrictEqual } from "node:util";

import type { Observation, StripeObject } from "./observation.ts";
import type { Projection } from "./projection.ts";

/** What an observation is compared by, in this order: `standing`, `created`, `kind`. */
export interface Order {
  /** 2: its id never returns (tombstone) · 1: nothing follows but another terminal snapshot · 0: ordinary */
  standing: number;
  /** Unix seconds: the event's own, or a fetched object's `as_of`. */
  created: number;
  /** -1: `*.request`, sent before there is anything · 0: `*.created` · 1: any other event · 2: `*.deleted` · 3: fetched */
  kind: number;
}

export const STANDING = { ordinary: 0, terminal: 1, tombstone: 2 } as const;
export const KIND = { requested: -1, created: 0, changed: 1, deleted: 2, fetched: 3 } as const;

/** The place of one observation in its object's order. */
export function orderOf(observation: Observation, projection: Projection): Order {
  return {
    standing: standingOf(observation, projection),
    created: observation.created,
    kind: kindOf(observation),
  };
}

export function compareOrder(a: Order, b: Order): number {
  return a.standing - b.standing || a.created - b.created || a.kind - b.kind;
}

/** Says that the object is gone, whether or not its id may return. */
export function saysDeleted(observation: Observation): boolean {
  return (
    observation.object.deleted === true ||
    // A subscription is canceled, not deleted: its event's name is history.
    (observation.type.endsWith(".deleted") && observation.type !== "customer.subscription.deleted")
  );
}

export interface Head {
  observation: Observation;
  /** Several states tied and nothing in the set decides: the caller fetches the object. */
  ambiguous: boolean;
}

/**
 * The head among observations of one object whose orders are equal.
 *
 * An observation that another one, in a different state, names as its past is dropped; if that drops all of them (A→B→A
 * within one second), none is. Then the greatest rank, where the kind declares one. Then the greatest event id: if states
 * still differ the choice is arbitrary, though the same for every arrival, and `ambiguous` says so.
 */
export function settleTie(tied: readonly Observation[], projection: Projection): Head {
  const last = followed(tied);
  const ranked = projection.rank ? greatestRank(last, projection.rank) : last;
  const head = ranked.reduce((best, observation) => (compareIds(observation.id, best.id) > 0 ? observation : best));
  const isOther = (one: Observation): boolean =>
    !sameState(one.object, head.object) || (projection.saidByType === true && one.type !== head.type);
  return { observation: head, ambiguous: ranked.some(isOther) };
}

/** Event ids by code point, not by locale: the same on every machine and in SQL under `collate "C"`. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function standingOf(observation: Observation, projection: Projection): number {
  if (projection.tombstone === true && saysDeleted(observation)) return STANDING.tombstone;
  return projection.terminal?.(observation.object) === true ? STANDING.terminal : STANDING.ordinary;
}

function kindOf(observation: Observation): number {
  if (observation.source === "pull") return KIND.fetched;
  if (observation.type.endsWith(".deleted")) return KIND.deleted;
  // Stripe asks whether to approve a card payment before it says that the authorization was created.
  if (observation.type.endsWith(".request")) return KIND.requested;
  return observation.type.endsWith(".created") ? KIND.created : KIND.changed;
}

/** Those that no other of them, in a different state, names as its past. All of them if that would leave none. */
function followed(tied: readonly Observation[]): readonly Observation[] {
  const left = tied.filter(
    (candidate) =>
      !tied.some(
        (other) =>
          other !== candidate &&
          other.previous !== undefined &&
          isPast(other.previous, candidate.object) &&
          !sameState(other.object, candidate.object),
      ),
  );
  return left.length > 0 ? left : tied;
}

/** Whether `object` is in the state that `previous_attributes` describes: hashes by subset, arrays by index, null = absent. */
export function isPast(previous: StripeObject, object: StripeObject): boolean {
  return Object.keys(previous).length > 0 && matches(previous, object, 0);
}

// Stripe's own objects nest about 15 deep. Deeper than this the shape is nobody's, and is taken as no match.
const DEEPEST = 64;

function matches(before: unknown, now: unknown, depth: number): boolean {
  if (depth > DEEPEST) return false;
  if (before === null || before === undefined) return now === null || now === undefined;
  if (typeof before !== "object") return before === now;
  if (typeof now !== "object" || now === null) return false;
  if (Array.isArray(before)) {
    return Array.isArray(now) && before.every((value, index) => matches(value, now[index], depth + 1));
  }
  const fields = now as StripeObject;
  return Object.entries(before).every(([name, value]) => matches(value, fields[name], depth + 1));
}

function sameState(a: StripeObject, b: StripeObject): boolean {
  return a === b || isDeepStrictEqual(a, b);
}

function greatestRank(tied: readonly Observation[], rank: NonNullable<Projection["rank"]>): readonly Observation[] {
  const ranks = tied.map((observation) => rank(observation.object));
  const greatest = ranks.reduce((best, candidate) => (compareRanks(candidate, best) > 0 ? candidate : best));
  return tied.filter((_, index) => compareRanks(ranks[index] ?? [], greatest) === 0);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
