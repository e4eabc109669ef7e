// Stripe lets a buyer go on when the shop has acknowledged checkout.session.completed, or after ten seconds without.
import { setTimeout as pause } from "node:timers/promises";

import type Stripe from "stripe";
import type { World } from "../core/world.ts";
import { type Page, scopeWith } from "./page.ts";

const LONGEST_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** The same page, later. `session`: whose completion it leads away from; any other page is not held up. */
export async function onceAcknowledged(world: World, session: string, page: Page): Promise<Page> {
  const scope = "redirect" in page ? scopeWith(world, "checkout.session", session) : undefined;
  if (scope === undefined) return page;
  const completed = world.run((tx) => tx.all("event").findLast((event) => isCompletion(event, session)), scope);
  if (completed === undefined) return page;
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited += LOOK_EVERY_MS) {
    const waits = world.run((tx) => (tx.find("event", completed.id)?.pending_webhooks ?? 0) > 0, scope);
    if (!waits) break;
    await pause(LOOK_EVERY_MS);
  }
  return page;
}

function isCompletion({ type, data }: Stripe.Event, session: string): boolean {
  return type === "checkout.session.completed" && "id" in data.object && data.object.id === session;
}
