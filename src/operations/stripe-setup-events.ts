// Which event types a webhook endpoint is set up with: those that the registry reads, each by its full name. Pure.
import { REGISTRY } from "../projections/registry.ts";

/** Stripe takes no `product.*` for an endpoint. Held against the SDK's own list by stripe-setup-events.test.ts. */
const FAMILIES: Readonly<Record<string, string>> = {
  "payout.*": "canceled created failed paid reconciliation_completed updated",
  "plan.*": "created deleted updated",
  "price.*": "created deleted updated",
  "product.*": "created deleted updated",
};

/** Sorted, each once. */
export const SETUP_EVENT_TYPES: readonly string[] = [
  ...new Set(REGISTRY.flatMap(({ events }) => events.flatMap(typesOf))),
].sort();

function typesOf(named: string): string[] {
  if (!named.endsWith(".*")) return [named];
  const names = FAMILIES[named];
  if (names === undefined) throw new Error(`The types of ${named} are not listed in stripe-setup-events.ts.`);
  return names.split(" ").map((name) => `${named.slice(0, -1)}${name}`);
}
