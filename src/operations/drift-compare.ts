// Whether a local row says what Stripe's object says: column by column, through the projection's own reading. Pure.
import { isDeepStrictEqual } from "node:util";

import type { FetchedObject } from "../inbox/observe.ts";
import { type RowValues, rowValues } from "../inbox/live-rows.ts";
import { fold } from "../projections/fold.ts";
import type { ObjectKey, Observation } from "../projections/observation.ts";
import { keyTypeOf, projectionOf } from "../projections/registry.ts";

export interface ColumnDifference {
  /** `*`: there is no row at all. */
  column: string;
  local: unknown;
  stripe: unknown;
}

/** Addresses that Stripe makes anew for whoever asks: no difference in what happened. */
const VOLATILE = new Set(["hosted_invoice_url", "invoice_pdf", "receipt_url"]);

/** @returns null for what has no id */
export function keyOfFetched({ livemode, account, object }: FetchedObject): ObjectKey | null {
  const { id, object: kind } = object;
  if (typeof id !== "string" || typeof kind !== "string") return null;
  return { livemode, account, objectType: keyTypeOf(kind), objectId: id };
}

/**
 * What differs; empty where nothing does, and where the row is newer than the answer. An id of another object that the row
 * knows and Stripe's newer shapes leave out is kept on purpose.
 */
export function compareRow(
  key: ObjectKey,
  fetched: FetchedObject,
  local: RowValues | undefined,
  tenant: string | null,
): ColumnDifference[] {
  const projection = projectionOf(key.objectType);
  const gone = fetched.object.deleted === true;
  if (local === undefined) return gone ? [] : [{ column: "*", local: "no row", stripe: "an object" }];
  if (typeof local.head_created === "number" && local.head_created > fetched.asOf) return [];
  if (gone || local.deleted === true)
    return gone === local.deleted ? [] : [{ column: "deleted", local: local.deleted, stripe: gone }];
  const observation: Observation = {
    ...{ id: "obs_drift", source: "pull", type: `${key.objectType}.retrieved`, created: fetched.asOf },
    ...{ ...key, apiVersion: fetched.apiVersion, object: fetched.object },
  };
  const row = fold(key, projection, [observation], undefined);
  if (row === null) return [];
  const expected = rowValues(row, tenant);
  const compared = [
    "tenant_id",
    ...Object.keys(projection.columns),
    ...(projection.children ?? []).map(({ table }) => table),
  ];
  return compared
    .filter((column) => !VOLATILE.has(column))
    .filter((column) => !(expected[column] === null && projection.keeps?.includes(column) === true))
    .filter((column) => !isDeepStrictEqual(expected[column], local[column]))
    .map((column) => ({ column, local: local[column], stripe: expected[column] }));
}
