// Baselines: which observations of an object must stay when those before a cut go, so that its row comes out the same. Pure.
import { isStub, rowOf } from "../projections/fold.ts";
import type { Observation } from "../projections/observation.ts";
import { compareIds, compareOrder, type Order, orderOf } from "../projections/order.ts";
import type { Projection } from "../projections/projection.ts";

/**
 * Of all observations of one object before a cut, those that can still decide anything. Folded with whatever else is known
 * or arrives later, in place of all of them, they yield the same row: `fold` asks a set for its greatest observations, for the
 * greatest that bring the object itself (behind a stub that only says "deleted"), and for each kept column for its newest
 * value. The greatest of a whole are among the greatest of its parts. They stay as they were received, under their ids, so
 * that one of them that arrives again is known, and any other loses against them as it did before.
 */
export function baselineOf(projection: Projection, observations: readonly Observation[]): Set<Observation> {
  const needed = new Set(greatest(observations, projection));
  for (const one of greatest(
    observations.filter((one) => !isStub(one)),
    projection,
  ))
    needed.add(one);
  for (const name of projection.keeps ?? []) {
    const known = observations.filter((one) => typeof rowOf(projection, one)[name] === "string");
    const newest = known.reduce<Observation | undefined>((best, one) => (isNewer(one, best) ? one : best), undefined);
    if (newest !== undefined) needed.add(newest);
  }
  return needed;
}

/** All that tie: which of them is the head may depend on what arrives later. */
function greatest(observations: readonly Observation[], projection: Projection): readonly Observation[] {
  const orders = observations.map((observation) => orderOf(observation, projection));
  const best = orders.reduce<Order | undefined>(
    (most, order) => (most === undefined || compareOrder(order, most) > 0 ? order : most),
    undefined,
  );
  return observations.filter((_, index) => {
    const order = orders[index];
    return best !== undefined && order !== undefined && compareOrder(order, best) === 0;
  });
}

/** As `fold` stamps what it keeps. */
function isNewer(one: Observation, best: Observation | undefined): boolean {
  return (
    best === undefined ||
    one.created - best.created > 0 ||
    (one.created === best.created && compareIds(one.id, best.id) > 0)
  );
}
