// Credits follow the money: posts the difference between what Stripe's objects say of a purchase and what is posted for it.
import type { Queryable } from "../db/database.ts";
import { expire, grant, lotOf, restore, reverse } from "./ledger.ts";
import type { AccountRef, Ledger } from "./lots.ts";
import { accountText } from "./account-keys.ts";
import { lockLedgers, writeLedgers } from "./ledger-tables.ts";
import {
  type FoundPurchase,
  lockPurchases,
  type Purchase,
  type PurchaseRef,
  writePurchases,
} from "./purchase-table.ts";
import { chargesToFetch, isOver, isPaid, isUnderWay, type PurchaseHeads, settlement } from "./settlement.ts";
import { endTopUps } from "./top-up-table.ts";

/** Reads what is known of the payments of these purchases, each locked; the answer has one for each, in their order. */
export type ReadHeads = (tx: Queryable, purchases: readonly Purchase[]) => Promise<readonly PurchaseHeads[]>;

export interface Settled {
  /** Accounts whose purchase was paid now. */
  bought: (AccountRef & { purchaseId: string })[];
  /** Entries that were posted. */
  posted: number;
  /** Charges that Stripe must be asked for: see `chargesToFetch`. */
  fetches: { livemode: boolean; account: string; chargeId: string; since: number }[];
  /** Of each purchase that has one: its payment. */
  payments: SettledPayment[];
}

export interface SettledPayment {
  livemode: boolean;
  account: string;
  intentId: string;
  /** Now, in Unix seconds. */
  since: number;
  /** It was found to be the purchase's only now. */
  joined: boolean;
  /** And the purchase had been given up: nobody was looking for its payment. */
  late: boolean;
}

/**
 * Settles these purchases in `tx`, under their locks and then their accounts', each sorted; `found` is sorted by key. What
 * it posts follows from the heads alone, so that it may run again, in any order and beside others: the same heads post
 * nothing more. A top-up ends with the purchase that is paid.
 */
export async function settlePurchases(
  tx: Queryable,
  found: readonly (PurchaseRef & Partial<FoundPurchase>)[],
  readHeads: ReadHeads,
): Promise<Settled> {
  const settled: Settled = { bought: [], posted: 0, fetches: [], payments: [] };
  if (found.length === 0) return settled;
  const claims = new Map(found.map((one) => [one.id, one]));
  const locked = await lockPurchases(tx, found);
  const purchases = locked.map((one) => ({
    ...one,
    sessionId: one.sessionId ?? claims.get(one.id)?.claimedBy ?? null,
    intentId: one.intentId ?? claims.get(one.id)?.claimedIntent ?? null,
  }));
  const heads = await readHeads(tx, purchases);
  const known = purchases.map((purchase, index) => {
    const head = heads[index];
    if (head === undefined) throw new Error(`the heads of purchase ${purchase.id} were not read`);
    return { purchase, head };
  });
  const { ledgers, now } = await lockLedgers(
    tx,
    // No more of a purchase is taken back than it brought.
    purchases.map((purchase) => ({ ...refOf(purchase), takes: purchase.credits })),
    purchases.map(({ id }) => id),
  );
  const changed = known.flatMap(({ purchase, head }, index) => {
    const ledger = ledgers.get(accountText(refOf(purchase)));
    if (ledger === undefined) throw new Error(`the account of purchase ${purchase.id} has no balance`);
    const after = settleOne(ledger, purchase, head, now);
    if (after.state === "paid" && purchase.state !== "paid")
      settled.bought.push({ ...refOf(purchase), purchaseId: purchase.id });
    for (const { id, since } of chargesToFetch(head)) {
      settled.fetches.push({ livemode: purchase.livemode, account: purchase.stripeAccount, chargeId: id, since });
    }
    const { livemode, stripeAccount: account, intentId } = after;
    if (intentId !== null) {
      const joined = locked[index]?.intentId === null;
      const late = joined && purchase.state === "canceled";
      settled.payments.push({ livemode, account, intentId, since: secondOf(now), joined, late });
    }
    return sameRow(after, locked[index]) ? [] : [after];
  });
  for (const ledger of ledgers.values()) {
    // What went back into an old lot expires at once.
    expire(ledger);
    settled.posted += ledger.entries.length;
  }
  await Promise.all([
    writeLedgers(tx, ledgers.values(), now),
    writePurchases(tx, changed),
    endTopUps(tx, settled.bought, now),
  ]);
  return settled;
}

function settleOne(ledger: Ledger, purchase: Purchase, heads: PurchaseHeads, now: Date): Purchase {
  const after: Purchase = {
    ...purchase,
    intentId: heads.intentId ?? purchase.intentId,
    chargeId: heads.charges.find(({ status }) => status === "succeeded")?.id ?? purchase.chargeId,
  };
  if (after.state !== "paid") {
    if (isOver(heads)) return { ...after, state: "canceled" };
    if (isUnderWay(heads)) return { ...after, state: "pending" };
    if (!isPaid(heads)) return after;
    const cause = causeOf(after, "purchase of credits");
    grant(ledger, "purchase", purchase.credits, { ...cause, expiresAt: purchase.expiresAt, now });
    after.state = "paid";
    after.postings += 1;
  } else if ((purchase.sessionId === null ? heads.intent : heads.session) === null) {
    // Lost, and not rebuilt yet: what is left of its heads says nothing of what was taken back.
    return after;
  }
  expire(ledger);
  const lot = lotOf(ledger, after.id);
  const { taken } = lot;
  const target = settlement(lot, heads);
  if (target === taken) return after;
  if (target > taken) reverse(ledger, target - taken, causeOf(after, "payment refunded or disputed"));
  else restore(ledger, taken - target, causeOf(after, "payment restored"));
  return { ...after, postings: after.postings + 1 };
}

function causeOf({ id, postings }: Purchase, reason: string): { source: string; reason: string; purchaseId: string } {
  return { source: `${id}#${String(postings)}`, reason, purchaseId: id };
}

const secondOf = (time: Date): number => Math.floor(time.getTime() / 1000);

function refOf({ tenantId, livemode, accountId }: Purchase): AccountRef {
  return { tenantId, livemode, accountId };
}

function sameRow(after: Purchase, before: Purchase | undefined): boolean {
  return (
    after.sessionId === before?.sessionId &&
    after.intentId === before.intentId &&
    after.chargeId === before.chargeId &&
    after.state === before.state &&
    after.postings === before.postings
  );
}
