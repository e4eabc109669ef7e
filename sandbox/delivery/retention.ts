// Old events go, as at Stripe: after 30 days, with the records of their deliveries.
import { scopeOf } from "../core/kinds.ts";
import type { World } from "../core/world.ts";

const KEPT_SECONDS = 30 * 24 * 3600;

/** An event's `created` may be a test clock's time, far from now: what was delivered lately stays, whatever it says. */
export function dropOld(world: World): void {
  const now = world.now();
  const old = now - KEPT_SECONDS;
  const recent = new Set<string>();
  for (const key of world.scopes()) {
    world.run((tx) => {
      for (const { id, event, created, state } of tx.all("_delivery")) {
        if (created > old || state === "pending") recent.add(event);
        else tx.remove("_delivery", id);
      }
    }, scopeOf(key));
  }
  for (const key of world.scopes()) {
    world.run((tx) => {
      // In the order in which they were raised: after the first that is young, all are. A clock ahead of now says nothing.
      for (const { id, created } of tx.all("event")) {
        if (created > now) continue;
        if (created > old || recent.has(id)) return;
        tx.remove("event", id);
      }
    }, scopeOf(key));
  }
}
