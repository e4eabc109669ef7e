// What tenants are told of their ledger: every entry but spends, in its commit.
import type { EventObject } from "../outbox/event-objects.ts";
import { type NewEvent, publishEvents } from "../outbox/event-table.ts";
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Entry, Ledger } from "./lots.ts";

/** A spend is not told: the tenant's own request made it, and was answered; there may be thousands a second. */
const TOLD = {
  purchase: "credit.purchased",
  grant: "credit.granted",
  reversal: "credit.reversed",
  restoral: "credit.restored",
  expiry: "credit.expired",
} as const;

/** Along with the entries that these ledgers are about to write at `now`. */
export async function publishEntries(tx: Queryable, ledgers: readonly Ledger[], now: Date): Promise<void> {
  const events = ledgers.flatMap(({ ref, entries }) => entries.flatMap((entry) => eventOf(ref, entry, now)));
  await publishEvents(tx, events);
}

function eventOf({ tenantId, livemode, accountId }: AccountRef, entry: Entry, now: Date): NewEvent[] {
  const { id, kind, amount, balanceAfter, reason, reference, purchaseId, expiresAt } = entry;
  if (kind === "spend" || kind === "adjustment") return [];
  const object: EventObject<"credit_entry"> = {
    ...{ id, object: "credit_entry", account_id: accountId, kind, amount, balance_after: balanceAfter, reason },
    ...{ reference, purchase_id: purchaseId, expires_at: expiresAt?.toISOString() ?? null },
    created_at: now.toISOString(),
  };
  return [{ tenantId, livemode, type: TOLD[kind], objectType: "account", objectId: accountId, object, created: now }];
}
