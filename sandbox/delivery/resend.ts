// Resending: one event again to one endpoint, or to all that it went to, whatever became of the first delivery.
import type Stripe from "stripe";

import { noSuch } from "../core/errors.ts";
import { PLATFORM_ACCOUNT } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { destinationsOf, type FoundDestination } from "./destination.ts";
import { liveOf } from "./live.ts";
import { queueDelivery } from "./queue-deliveries.ts";

/** The automatic retries of earlier deliveries go on besides. `endpoint`: the id of one, also one that was not told before. */
export function resend(tx: Transaction, event: Stripe.Event, endpoint?: string): Stripe.Event {
  const found = endpoint === undefined ? destinationsOf(tx, event) : [destinationNamed(tx, endpoint)];
  for (const { owner, destination } of found) queueDelivery(owner, tx, event, destination.id, { isResent: true });
  return tx.put("event", { ...event, pending_webhooks: event.pending_webhooks + found.length });
}

/** To the CLIs that listen, and to no endpoint. */
export function resendToListeners(tx: Transaction, event: Stripe.Event): Stripe.Event {
  liveOf(tx.world).listeners.noteRaised(tx, event.id);
  return tx.put("event", { ...event });
}

function destinationNamed(tx: Transaction, id: string): FoundDestination {
  for (const owner of [tx, tx.in({ ...tx.scope, account: PLATFORM_ACCOUNT })]) {
    const destination = owner.find("_destination", id);
    if (destination !== undefined) return { owner, destination };
  }
  throw noSuch("webhook_endpoint", id, "webhook_endpoint");
}
