// From a stored row of the inbox to an observation that can be folded. Pure.
import type { Observation, StripeObject } from "../projections/observation.ts";
import { objectTypeOf, projectionOf } from "../projections/registry.ts";
import { snapshotTwin } from "../stripe/envelope.ts";
import type { StoredEvent } from "./load-events.ts";

const NO_OBJECT: StripeObject = {};

/** What the payload of a stored event says. `snapshot` is false for a thin event, which names an object but does not bring it. */
export interface ReadObservation {
  observation: Observation;
  snapshot: boolean;
  /** Where a thin event says that its object is found: as Stripe wrote it, unchecked. */
  path?: string;
  /** The id of the snapshot event that tells the same as a thin one. */
  twin?: string;
}

/** Payloads are parsed at the door before they are stored, so that a broken one here is a broken disk: it throws. */
export function readObservation(stored: StoredEvent): ReadObservation {
  const payload = JSON.parse(stored.payload) as StripeObject;
  const common = {
    id: stored.id,
    source: stored.source,
    type: stored.type,
    created: stored.created,
    livemode: stored.livemode,
    account: stored.stripe_account,
    apiVersion: stored.api_version,
    objectType: stored.object_type,
    objectId: stored.object_id,
  };
  if (stored.source === "pull") return { observation: { ...common, object: payload }, snapshot: true };
  // `data` of a thin event is its kind's own, and never the object that it names.
  if (payload.object === "v2.core.event") {
    const told = objectTypeOf(stored.type, NO_OBJECT);
    // Thin events of what a type says by itself, account.application.*, name no object that could be fetched.
    if (asObject(payload.related_object) === undefined && projectionOf(told).saidByType === true)
      return { observation: { ...common, objectType: told, objectId: null, object: NO_OBJECT }, snapshot: true };
    const url = asObject(payload.related_object)?.url;
    const twin = snapshotTwin(payload);
    return {
      ...{ observation: { ...common, object: NO_OBJECT }, snapshot: false },
      ...(typeof url === "string" ? { path: url } : {}),
      ...(twin === undefined ? {} : { twin }),
    };
  }
  const body = asObject(payload.data);
  const object = asObject(body?.object);
  if (object === undefined) return { observation: { ...common, object: NO_OBJECT }, snapshot: false };
  const previous = asObject(body?.previous_attributes);
  return { observation: { ...common, object, ...(previous === undefined ? {} : { previous }) }, snapshot: true };
}

function asObject(value: unknown): StripeObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as StripeObject) : undefined;
}
