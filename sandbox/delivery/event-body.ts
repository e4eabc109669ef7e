// An event as its receiver reads it: in the endpoint's version, with the account it happened in, or thin.
import type Stripe from "stripe";

import { NEWEST_VERSION, PLATFORM_ACCOUNT, scopeKey, type Destination, type Scope } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { renderEvent } from "../versions/render-event.ts";
import { THIN_PREFIX } from "./destination.ts";

/** The JSON that is sent, spaced as Stripe spaces it. `tx` looks at the event's account; `owner`: whose endpoint it is. */
export function eventBody(tx: Transaction, event: Stripe.Event, to: Destination, owner: Scope): string {
  if (to.is_thin) return pretty(thinEventOf(tx, event));
  const rendered = renderEvent(tx, event, to.api_version ?? NEWEST_VERSION);
  return pretty(scopeKey(owner) === scopeKey(tx.scope) ? rendered : withAccount(tx, rendered));
}

export function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}

/** The event as the platform sees it: with `account`, when it happened in a connected one. */
export function withAccount(tx: Transaction, event: Stripe.Event): Stripe.Event {
  if (tx.scope.account === PLATFORM_ACCOUNT) return event;
  const { id, object, ...rest } = event;
  return { id, object, account: tx.scope.account, ...rest };
}

/** Thin events have ids of their own; here they are made of the twin's, so that either finds the other. */
export function thinIdOf(event: Stripe.Event): string {
  return event.id.replace(/^evt_/, "evt_thin_");
}

export function snapshotIdOf(thinId: string): string {
  return thinId.replace(/^evt_thin_/, "evt_");
}

/** The event of /v2: what happened to which object, and nothing of the object itself. */
export function thinEventOf(tx: Transaction, event: Stripe.Event): object {
  const object = event.data.object as { id?: string; object: string };
  const isOwnKind = event.type.startsWith("v2.");
  // Stripe names no object in account.application.*: an application has no address.
  const isNamed = object.object !== "application";
  const { request } = event;
  return {
    id: thinIdOf(event),
    object: "v2.core.event",
    type: isOwnKind ? event.type : THIN_PREFIX + event.type,
    created: isoTime(event.created),
    livemode: event.livemode,
    context: tx.scope.account === PLATFORM_ACCOUNT ? null : tx.scope.account,
    ...(isNamed && object.id !== undefined
      ? { related_object: { id: object.id, type: object.object, url: urlOf(object.object, object.id) } }
      : {}),
    reason: request?.id ? { type: "request", request } : null,
    snapshot_event: event.id,
  };
}

function urlOf(object: string, id: string): string {
  const path = object.replaceAll(".", "/");
  return `${path.startsWith("v2/") ? "" : "/v1"}/${path}s/${encodeURIComponent(id)}`;
}

/** `unixSeconds` as /v2 writes a moment. */
export function isoTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString();
}
