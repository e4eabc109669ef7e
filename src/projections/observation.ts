// An observation: one stored Stripe event, or one stored object that we fetched, parsed and ready to fold. Pure.

import type { StripeObject, UnixSeconds } from "../stripe/envelope.ts";

export type { StripeObject, UnixSeconds };

/** In whose account and mode an object lives. `account` is "" for the platform's own. */
export interface Scope {
  livemode: boolean;
  account: string;
}

/** Names one object for ever: the unit of locking, ordering and folding. */
export interface ObjectKey extends Scope {
  /** Stripe's `object` field, or the registry's common name where several kinds share a table (card, source → source). */
  objectType: string;
  objectId: string;
}

export interface Observation extends Scope {
  /** Stripe's event id, or `obs_…` for a fetched object. */
  id: string;
  source: "webhook" | "pull";
  /** The event's type; of a fetched object `<object>.retrieved`, or what a thin event says happened to it. */
  type: string;
  /** The event's own second; of a fetched object the second that it is known to include (`as_of`). */
  created: UnixSeconds;
  apiVersion: string | null;
  objectType: string;
  /** null: the object has no id (invoice.upcoming, balance). Kept, not reduced. */
  objectId: string | null;
  object: StripeObject;
  /** What the event says changed, old values; absent on events that changed nothing and on fetched objects. */
  previous?: StripeObject;
}

/** The lock's and the log's spelling of an object key: `live|acct_1|invoice|in_1`. */
export function objectKeyText(key: ObjectKey): string {
  return `${key.livemode ? "live" : "test"}|${key.account}|${key.objectType}|${key.objectId}`;
}
