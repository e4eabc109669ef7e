// The story of one object: its observations in true order, each with what it changed. Pure.
import { isDeepStrictEqual } from "node:util";

import { isStub } from "./fold.ts";
import type { Observation } from "./observation.ts";
import { compareOrder, type Order, orderOf, saysDeleted, settleTie } from "./order.ts";
import type { ColumnValue, Projection } from "./projection.ts";

export interface Change {
  field: string;
  /** null: nothing, or not known yet. */
  before: ColumnValue;
  after: ColumnValue;
}

export interface Step {
  observation: Observation;
  changes: Change[];
  /** This observation is the object's head. */
  head: boolean;
}

/** From the first observation to the head: what stands last is what the object's row says. */
export function story(projection: Projection, observations: readonly Observation[]): Step[] {
  const ordered = inTrueOrder(projection, observations);
  const tracked = projection.tracked ?? Object.keys(projection.columns);
  let before: Record<string, ColumnValue> = {};
  return ordered.map((observation, index) => {
    const after = trackedValues(projection, tracked, observation, before);
    const changes = [...tracked, "deleted"]
      .filter((field) => !isDeepStrictEqual(before[field] ?? null, after[field] ?? null))
      .map((field) => ({ field, before: before[field] ?? null, after: after[field] ?? null }));
    before = after;
    return { observation, changes, head: index === ordered.length - 1 };
  });
}

function trackedValues(
  projection: Projection,
  tracked: readonly string[],
  observation: Observation,
  before: Readonly<Record<string, ColumnValue>>,
): Record<string, ColumnValue> {
  // A stub says nothing else.
  if (isStub(observation)) return { ...before, deleted: true };
  const row = projection.row(observation.object, observation);
  const kept = new Set<string>(projection.keeps);
  const values: Record<string, ColumnValue> = { deleted: saysDeleted(observation) ? true : null };
  for (const field of tracked) values[field] = row[field] ?? (kept.has(field) ? (before[field] ?? null) : null);
  return values;
}

/** Ascending; what ties is settled as for the head, again and again, so that the head of each tie stands last in it. */
export function inTrueOrder(projection: Projection, observations: readonly Observation[]): Observation[] {
  return tiesOf(projection, observations).flatMap((tied) => settled(projection, tied));
}

/** Ascending; one that ties with no other is alone. */
function tiesOf(projection: Projection, observations: readonly Observation[]): Observation[][] {
  const sorted = observations
    .map((observation) => ({ observation, order: orderOf(observation, projection) }))
    .sort((a, b) => compareOrder(a.order, b.order));
  const ties: { order: Order; tied: Observation[] }[] = [];
  for (const { observation, order } of sorted) {
    const last = ties.at(-1);
    if (last !== undefined && compareOrder(last.order, order) === 0) last.tied.push(observation);
    else ties.push({ order, tied: [observation] });
  }
  return ties.map(({ tied }) => tied);
}

function settled(projection: Projection, tied: readonly Observation[]): Observation[] {
  const ordered: Observation[] = [];
  for (let left = tied; left.length > 0;) {
    const { observation: last } = settleTie(left, projection);
    ordered.unshift(last);
    left = left.filter((one) => one !== last);
  }
  return ordered;
}
