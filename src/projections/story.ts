// The story of one object: its observations in true order, each with what it changed. Pure.
import { isDeepStrictEqual } from "node:util";

import type { Observation } from "./observation.ts";
import { compareOrder, orderOf, saysDeleted, settleTie } from "./order.ts";
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
  const row = projection.row(observation.object, observation);
  const kept = new Set<string>(projection.keeps);
  const values: Record<string, ColumnValue> = { deleted: saysDeleted(observation) ? true : null };
  for (const field of tracked) values[field] = row[field] ?? (kept.has(field) ? (before[field] ?? null) : null);
  return values;
}

/** Ascending; what ties is settled as for the head, again and again, so that the head of each tie stands last in it. */
export function inTrueOrder(projection: Projection, observations: readonly Observation[]): Observation[] {
  const sorted = observations
    .map((observation) => ({ observation, order: orderOf(observation, projection) }))
    .sort((a, b) => compareOrder(a.order, b.order));
  const ordered: Observation[] = [];
  for (let from = 0; from < sorted.length;) {
    const first = sorted[from];
    if (first === undefined) break;
    let to = from;
    while (to < sorted.length && compareOrder(sorted[to]?.order ?? first.order, first.order) === 0) to++;
    let tied = sorted.slice(from, to).map(({ observation }) => observation);
    from = to;
    const settled: Observation[] = [];
    while (tied.length > 0) {
      const { observation: last } = settleTie(tied, projection);
      settled.unshift(last);
      tied = tied.filter((one) => one !== last);
    }
    ordered.push(...settled);
  }
  return ordered;
}
