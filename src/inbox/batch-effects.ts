// What a batch has Stripe asked for: decided here, carried out in the commit of the rows that it follows from. Pure.
import type { FoldedRow } from "../projections/fold.ts";
import type { Scope } from "../projections/observation.ts";
import type { Effect } from "../projections/projection.ts";
import { keyTypeOf } from "../projections/registry.ts";
import type { WantedFetch } from "./fetch-table.ts";
import type { ReadObservation } from "./stored-observation.ts";

export type ScopedEffect = Effect & Scope & Pick<WantedFetch, "path">;

export function effectsOfRows(rows: readonly FoldedRow[]): ScopedEffect[] {
  return rows
    .filter((row) => row.ambiguous)
    .map((row) => ({
      kind: "fetch",
      ...row.key,
      objectType: stripeTypeOf(row),
      since: row.order.created,
      reason: "order_ambiguous",
    }));
}

/** Several of Stripe's kinds may share a key's type; Stripe is asked for its own. What else it says may be no name at all. */
function stripeTypeOf(row: FoldedRow): string {
  const type = row.head.object.object;
  return typeof type === "string" && keyTypeOf(type) === row.key.objectType ? type : row.key.objectType;
}

export function effectsOfThinEvents(events: readonly ReadObservation[]): ScopedEffect[] {
  return events.flatMap(({ observation, snapshot, path }): ScopedEffect[] => {
    const { livemode, account, objectType, objectId, created } = observation;
    if (snapshot || objectId === null) return [];
    const wanted = { livemode, account, objectType, objectId, since: created };
    // v2 objects are other ones than the snapshot events'.
    const named = observation.type.startsWith("v2.") ? {} : { named: { type: observation.type, created } };
    return [
      {
        ...{ kind: "fetch", ...wanted, reason: "thin_event", ...named },
        ...(path === undefined ? {} : { path }),
      },
    ];
  });
}
