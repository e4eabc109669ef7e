// What the ledger's background work does: takes what has expired out of balances, and tells of those that ran low.
import type { Database } from "../db/database.ts";
import type { EventObject } from "../outbox/event-objects.ts";
import { insertFacts, type StoredFact } from "../outbox/event-table.ts";
import { expire } from "./ledger.ts";
import { accountText } from "./account-keys.ts";
import { lockLedgers, writeLedgers } from "./ledger-tables.ts";
import { accountsWithDueLots } from "./lot-table.ts";
import { takeLowNotices } from "./low-notice-table.ts";

/** Lots, and notices, of one transaction. */
const AT_ONCE = 100;

/**
 * Posts what has expired, under the locks of its accounts, so many lots in one commit: nobody waits long for an account with
 * thousands. Safe beside others that do so. Returns how many lots were due.
 */
export async function expireCredits(database: Database): Promise<number> {
  let lots = 0;
  for (;;) {
    const found = await database.transaction(async (tx) => {
      const due = await accountsWithDueLots(tx, AT_ONCE);
      if (due.length === 0) return 0;
      const most = Math.max(...due.map((one) => one.lots));
      const { ledgers, now } = await lockLedgers(tx, due, [], { most });
      for (const one of due) {
        const ledger = ledgers.get(accountText(one));
        if (ledger !== undefined) expire(ledger, one.lots);
      }
      await writeLedgers(tx, ledgers.values(), now);
      return due.reduce((sum, one) => sum + one.lots, 0);
    });
    lots += found;
    if (found === 0) return lots;
  }
}

/** Makes facts of balances that fell below their threshold, each once. Returns how many. */
export async function tellLowCredits(database: Database): Promise<number> {
  let told = 0;
  for (;;) {
    const count = await database.transaction(async (tx) => {
      const notices = await takeLowNotices(tx, AT_ONCE);
      await insertFacts(tx, notices.map(factOf));
      return notices.length;
    });
    told += count;
    if (count < AT_ONCE) return told;
  }
}

function factOf({
  tenantId,
  livemode,
  accountId,
  entryId,
  at,
  balance,
  lowThreshold,
}: Awaited<ReturnType<typeof takeLowNotices>>[number]): StoredFact {
  return {
    ...{ tenantId, livemode, type: "credit.low", naturalKey: `${accountId}:${entryId}`, stripeAccount: "" },
    ...{ objectType: "account", objectId: accountId, observationId: entryId },
    occurredAt: Math.floor(at.getTime() / 1000),
    object: {
      ...{ id: accountId, object: "credit_balance", balance, low_threshold: lowThreshold, entry_id: entryId },
    } satisfies EventObject<"credit_balance">,
  };
}
