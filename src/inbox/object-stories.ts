// What some events changed, and where they stand in their objects' stories: from the observations around them, not from whole lives.
import { bigintArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { isStub } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText, type Observation } from "../projections/observation.ts";
import { orderOf, STANDING } from "../projections/order.ts";
import type { Projection } from "../projections/projection.ts";
import { projectionOf } from "../projections/registry.ts";
import { type Step, story } from "../projections/story.ts";
import { eventKey } from "./event-tables.ts";
import { EVENT_COLUMNS, loadEvents, loadObservationsOf, type StoredEvent } from "./load-events.ts";
import { wasTakenIn } from "./taken-in.ts";
import { keyArrays, loadHeads } from "./projection-tables.ts";
import { readObservation } from "./stored-observation.ts";

/** Of an object so many observations are read on each side of those that were asked for. */
export const AROUND = 20;

/** An event of an object, as it is asked for. */
export interface AskedEvent {
  created: number;
  id: string;
  key: ObjectKey;
}

export interface Placed {
  /** How many observations stand before it, all from `around` on being told as one; -1: it has no place in its object's story. */
  before: number;
  /** Grows along its object's story. */
  place: number;
  step: Step | undefined;
}

export const NOWHERE: Placed = { before: -1, place: -1, step: undefined };

/**
 * Where these events stand, by `eventKey`, exactly as in their objects' whole stories. An object's whole life is read where
 * it is short, and where only that can tell: what a terminal snapshot or a tombstone in the middle of many events follows.
 * `known`: what `standAbove` said of all these objects a moment ago.
 */
export async function placesAround(
  tx: Queryable,
  events: readonly AskedEvent[],
  around = AROUND,
  known?: ReadonlyMap<string, boolean>,
): Promise<Map<string, Placed>> {
  const parts = await readParts(tx, spansOf(events), around);
  const long = parts.filter((part) => !isWhole(part));
  const heads = known ?? (await standAbove(tx, long.filter(mayHoldHead).map(keyOfPart)));
  const unclear = long.filter((part) => !isClear(part) || (mayHoldHead(part) && heads.get(textOf(part)) === undefined));
  const lives = await wholeLives(tx, unclear.map(keyOfPart));
  const placed = new Map<string, Placed>();
  for (const part of parts) {
    const life = lives.get(textOf(part));
    const steps = life === undefined ? stepsOf(part, heads.get(textOf(part)) === true) : storyOf(part.key, life);
    const skipped = life === undefined && part.moreBefore ? around : 0;
    steps.forEach((step, index) => {
      const place = skipped + index;
      placed.set(eventKey(step.observation), { before: Math.min(place, around), place, step });
    });
  }
  return new Map(events.map((event) => [eventKey(event), placed.get(eventKey(event)) ?? NOWHERE]));
}

/**
 * Of which objects terminal snapshots or tombstones are known, whose places are above all younger events; an object that is
 * not in the answer has to be read whole to tell. What still waits in the queue counts, as it does in a story.
 */
export async function standAbove(tx: Queryable, keys: readonly ObjectKey[]): Promise<Map<string, boolean>> {
  const known = new Map(keys.filter((key) => !hasStandings(key)).map((key) => [objectKeyText(key), false]));
  const asked = keys.filter(hasStandings);
  if (asked.length === 0) return known;
  // Before the heads are read: what has left the queue by then is in them.
  const { rows: waiting } = await tx.query<Waiting>({ text: WAITING, values: [asked.map(objectKeyText)] });
  const wanted = Map.groupBy(asked, ({ objectType }) => projectionOf(objectType));
  const heads = await loadHeads(tx, wanted);
  const fresh = (await loadEvents(tx, waiting)).map(observationOf).filter((one) => one !== undefined);
  for (const key of asked) {
    const text = objectKeyText(key);
    const stored = heads.get(text)?.order.standing;
    const replaced = waiting.some(({ objectKey, refold }) => objectKey === text && refold);
    if (stored === undefined || (replaced && stored !== STANDING.ordinary)) continue;
    const above = fresh.some((one) => keyTextOf(one) === text && isAbove(one));
    known.set(text, above || stored !== STANDING.ordinary);
  }
  return known;
}

interface Waiting {
  created: number;
  eventId: string;
  objectKey: string;
  refold: boolean;
}

function hasStandings({ objectType }: ObjectKey): boolean {
  const { terminal, tombstone } = projectionOf(objectType);
  return terminal !== undefined || tombstone === true;
}

function isAbove(observation: Observation): boolean {
  return orderOf(observation, projectionOf(observation.objectType)).standing !== STANDING.ordinary;
}

/** From the first to the last of an object's events that are asked for. */
interface Span {
  key: ObjectKey;
  first: number;
  last: number;
}

/** What was read of an object: its span, what stands around it, and whether there is more. */
interface Part extends Span {
  before: Observation[];
  within: Observation[];
  after: Observation[];
  moreBefore: boolean;
  moreAfter: boolean;
}

function spansOf(events: readonly AskedEvent[]): Span[] {
  const spans = new Map<string, Span>();
  for (const { key, created } of events) {
    const text = objectKeyText(key);
    const span = spans.get(text) ?? { key, first: created, last: created };
    spans.set(text, { key, first: Math.min(span.first, created), last: Math.max(span.last, created) });
  }
  return [...spans.values()];
}

const keyOfPart = ({ key }: Part): ObjectKey => key;
const textOf = ({ key }: Span): string => objectKeyText(key);
const isWhole = ({ moreBefore, moreAfter }: Part): boolean => !moreBefore && !moreAfter;

/** Its last event may be the object's head: nothing younger is known. */
const mayHoldHead = (part: Part): boolean => part.moreBefore && !part.moreAfter && part.after.length === 0;

/** Each event within has all that decides its place beside it: ordinary ones stand by their time, behind one that is known. */
function isClear({ key, before, within, after, moreBefore, moreAfter }: Part): boolean {
  return (
    !remembers(projectionOf(key.objectType)) &&
    !within.some(isAbove) &&
    (!moreBefore || before.some((one) => !isAbove(one) && !isStub(one))) &&
    (!moreAfter || after.length > 0)
  );
}

/** A change of a kept column is a change from the last value known, however long ago that was. */
function remembers({ keeps = [], tracked, columns }: Projection): boolean {
  return keeps.some((name) => (tracked ?? Object.keys(columns)).includes(name));
}

/** `above`: something that was not read stands above them all. */
function stepsOf(part: Part, above: boolean): Step[] {
  const steps = storyOf(part.key, [...part.before, ...part.within, ...part.after]);
  return above ? steps.map((step) => ({ ...step, head: false })) : steps;
}

function storyOf({ objectType }: ObjectKey, observations: readonly Observation[]): Step[] {
  return story(projectionOf(objectType), observations);
}

async function readParts(tx: Queryable, spans: readonly Span[], around: number): Promise<Part[]> {
  if (spans.length === 0) return [];
  const { rows } = await tx.query<StoredEvent & { number: number; side: "before" | "within" | "after" }>({
    name: "around_spans",
    text: AROUND_SPANS,
    values: [
      ...keyArrays(spans.map(({ key }) => key)),
      bigintArray(spans.map(({ first }) => first)),
      bigintArray(spans.map(({ last }) => last)),
      around + 1,
    ],
  });
  const found = Map.groupBy(rows, ({ number }) => number);
  return spans.map((span, index) => {
    const sides = Map.groupBy(found.get(index + 1) ?? [], ({ side }) => side);
    const before = sides.get("before") ?? [];
    const after = sides.get("after") ?? [];
    const moreBefore = before.length > around;
    return {
      ...span,
      before: observationsOf(moreBefore ? wholeSeconds(before) : before),
      within: observationsOf(sides.get("within") ?? []),
      after: observationsOf(after),
      moreBefore,
      moreAfter: after.length > around,
    };
  });
}

/** Of the earliest second there may be more. */
function wholeSeconds(stored: readonly StoredEvent[]): StoredEvent[] {
  const earliest = Math.min(...stored.map(({ created }) => created));
  return stored.filter(({ created }) => created > earliest);
}

async function wholeLives(tx: Queryable, keys: readonly ObjectKey[]): Promise<Map<string, Observation[]>> {
  const stored = await loadObservationsOf(
    tx,
    keys.map((key) => ({ ...key, created: null })),
  );
  return Map.groupBy(observationsOf(stored), keyTextOf);
}

function keyTextOf({ livemode, account, objectType, objectId }: Observation): string {
  return objectKeyText({ livemode, account, objectType, objectId: objectId ?? "" });
}

function observationsOf(stored: readonly StoredEvent[]): Observation[] {
  return stored.map(observationOf).filter((one) => one !== undefined);
}

/** undefined: it names an object and does not bring it, which has no place in its story. */
function observationOf(stored: StoredEvent): Observation | undefined {
  const { observation, snapshot } = readObservation(stored);
  return snapshot && observation.objectId !== null ? observation : undefined;
}

// Failed and unrouted observations are left out, as in `loadObservationsOf`. The queue has no index by object: it is short,
// but while Billhook catches up, and asked only for objects with many events.
const WAITING = `
  select created, event_id as "eventId", object_key as "objectKey", refold from stripe_event_queue where object_key = any ($1)`;

const OF_OBJECT = `
  one.object_id = wanted.object_id and one.livemode = wanted.livemode and one.stripe_account = wanted.stripe_account
  and one.object_type = wanted.object_type
  and ${wasTakenIn("one")}`;

const AROUND_SPANS = `
  select wanted.number::int as number, event.side, ${EVENT_COLUMNS}
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) with ordinality
    as wanted (livemode, stripe_account, object_type, object_id, first, last, number)
  cross join lateral (
    (select 'before' as side, one.* from stripe_events as one
     where ${OF_OBJECT} and one.created < wanted.first order by one.created desc limit $7)
    union all
    (select 'within', one.* from stripe_events as one
     where ${OF_OBJECT} and one.created >= wanted.first and one.created <= wanted.last offset 0)
    union all
    (select 'after', one.* from stripe_events as one
     where ${OF_OBJECT} and one.created > wanted.last order by one.created limit $7)) as event`;
