// A receiver for trying: whatever is posted here as a webhook is taken, and the newest are kept, so that a page can show them.
import { invalidRequest } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { type Given, givenNumber, givenText } from "./given.ts";

const KEPT = 20;
/** The `_extra` that keeps them: a page still shows them after a restart. */
const KEPT_AS = "received_webhooks";

interface Received {
  id: string;
  type: string;
  /** Whose event it is; null: the body names nobody. */
  tenant: string | null;
  /** Unix seconds: when it happened, as the body says. */
  created: number | null;
}

/**
 * An event that comes again counts once. No signature is checked: the sandbox knows no tenant's secret.
 * @throws StripeFailure 400 when the body is no event
 */
export function receiveWebhook(world: World, body: Given): object {
  const [id, type] = [givenText(body, "id"), givenText(body, "type")];
  if (id === undefined || type === undefined)
    throw invalidRequest("A webhook's body is an event: it has an id and a type.");
  const created = givenNumber(body, "created", { from: 0, to: Number.MAX_SAFE_INTEGER }) ?? null;
  const received: Received = { id, type, tenant: tenantOf(body), created };
  const others = newestReceived(world).filter((one) => one.id !== id);
  const newest = [received, ...others].slice(0, KEPT);
  world.run((tx) => tx.put("_extra", { id: KEPT_AS, object: "_extra", created: tx.now, newest }));
  return { received: true };
}

/** The newest first. */
export function receivedShown(world: World): { data: object[] } {
  return { data: newestReceived(world) };
}

function newestReceived(world: World): Received[] {
  return world.run((tx) => (tx.find("_extra", KEPT_AS)?.newest ?? []) as Received[]);
}

function tenantOf({ tenant }: Given): string | null {
  if (typeof tenant !== "object" || tenant === null) return null;
  return givenText(tenant as Given, "id") ?? null;
}
