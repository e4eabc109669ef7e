// Queues an event for every endpoint that takes it, in the transaction that raised it: a restart loses none.
import type Stripe from "stripe";

import { scopeKey } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { destinationsOf } from "./destination.ts";
import { liveOf } from "./live.ts";

/** Returns to how many endpoints the event goes. */
export function queueDeliveries(tx: Transaction, event: Stripe.Event): number {
  liveOf(tx.world).listeners.noteRaised(tx, event.id);
  const found = destinationsOf(tx, event);
  for (const { owner, destination } of found) queueDelivery(owner, tx, event, destination.id);
  return found.length;
}

/** `owner`: looks at the account whose endpoint it is; `tx` at the account that the event belongs to. */
export function queueDelivery(
  owner: Transaction,
  tx: Transaction,
  event: Stripe.Event,
  endpoint: string,
  { isResent = false }: { isResent?: boolean } = {},
): void {
  owner.put("_delivery", {
    id: owner.newId("_delivery"),
    object: "_delivery",
    created: owner.world.now(),
    event: event.id,
    event_scope: scopeKey(tx.scope),
    endpoint,
    attempts: 0,
    next_attempt_at: null,
    state: "pending",
    last_status: null,
    is_resent: isResent,
  });
}
