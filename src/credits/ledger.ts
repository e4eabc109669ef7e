// What an entry does to an account's lots and balance: spend, grant, reversal, restoral, expiry. Pure: the ledger here is a copy.
import { newId } from "../base/ids.ts";
import {
  type AccountRef,
  change,
  type Credits,
  type Entry,
  type EntryKind,
  type Ledger,
  type Lot,
  type Taking,
  sharesOf,
  soonestFirst,
} from "./lots.ts";
import { payDebt, putBack, take } from "./takings.ts";

/** Beyond it numbers are not exact. No balance grows so far. */
export const MAX_BALANCE = 9_000_000_000_000_000;

export function openLedger(
  ref: AccountRef,
  stored: { balance: Credits; lowThreshold: Credits | null; lots: readonly Lot[]; takings?: readonly Taking[] },
): Ledger {
  const { balance, lowThreshold } = stored;
  const lots = stored.lots.map((lot) => ({ ...lot }));
  const takings = Map.groupBy(stored.takings ?? [], ({ lotId }) => lotId);
  const written = { entries: [], changed: new Set<Lot>(), made: [], givenBack: [], low: [] };
  return { ref, balance, balanceBefore: balance, lowThreshold, lots, takings, ...written };
}

export interface Cause {
  source: string;
  reason: string;
  reference?: string | null;
  purchaseId?: string | null;
}

/**
 * Takes what is due out of its lots: of so many of them, those that are due longest. Before anything else is decided, and
 * after credits went back into old lots.
 */
export function expire(ledger: Ledger, most = Infinity): void {
  const due = ledger.lots.filter((lot) => lot.due && lot.remaining > 0).sort(soonestFirst);
  for (const lot of due.slice(0, most)) {
    const amount = lot.remaining;
    const source = `expiry:${lot.id}@${String(lot.expired)}`;
    change(ledger, lot, -amount);
    lot.expired += amount;
    lot.takenAtExpiry = lot.taken;
    const cause = { source, reason: "expired", purchaseId: lot.purchaseId };
    enter(ledger, "expiry", -amount, cause, { lotId: lot.id, expiresAt: null });
  }
}

/** Undefined: the balance does not cover it, and nothing is taken. */
export function spend(ledger: Ledger, amount: Credits, cause: Cause): Entry | undefined {
  const lots = ledger.lots.filter((lot) => !lot.due).sort(soonestFirst);
  const shares = sharesOf(lots, amount);
  // A debt leaves no lot anything: whoever owes cannot spend.
  if (shares.reduce((sum, { share }) => sum + share, 0) < amount) return undefined;
  for (const { lot, share } of shares) change(ledger, lot, -share);
  return enter(ledger, "spend", -amount, cause, NO_LOT);
}

/** A new lot, which pays the debt first. `now`: for one that may be too late already. */
export function grant(
  ledger: Ledger,
  kind: "purchase" | "grant" | "restoral",
  amount: Credits,
  cause: Cause & { expiresAt?: Date | null; now?: Date },
): Entry {
  const expiresAt = cause.expiresAt ?? null;
  const debt = Math.max(0, -ledger.balance);
  const entry = enter(ledger, kind, amount, cause, { lotId: null, expiresAt });
  entry.lotId = entry.id;
  const due = expiresAt !== null && cause.now !== undefined && expiresAt <= cause.now;
  const lot: Lot = {
    ...{ id: entry.id, purchaseId: cause.purchaseId ?? null, credits: amount, expired: 0, expiresAt, due },
    ...{ taken: 0, takenAtExpiry: 0, owed: 0, remaining: amount },
  };
  ledger.lots.push(lot);
  ledger.made.push(lot);
  payDebt(ledger, [lot], debt);
  return entry;
}

/** Takes credits back, whatever was spent: from the purchase's own lot, then from the others, and the rest is a debt. */
export function reverse(ledger: Ledger, amount: Credits, cause: Cause & { purchaseId: string }): Entry {
  const own = lotOf(ledger, cause.purchaseId);
  const others = ledger.lots.filter((lot) => lot !== own).sort(soonestFirst);
  let left = amount;
  for (const { lot, share } of sharesOf([own, ...others], amount)) {
    change(ledger, lot, -share);
    if (lot !== own) take(ledger, own, { fromLotId: lot.id, credits: share });
    left -= share;
  }
  own.taken += amount;
  own.owed += left;
  change(ledger, own, 0);
  return enter(ledger, "reversal", -amount, cause, { lotId: own.id, expiresAt: null });
}

/**
 * Undoes what was reversed, the last first: the debt that it made, then what it took out of each lot, then of its own. What
 * comes into a lot whose time is over expires at once, and the rest pays the debt of others.
 */
export function restore(ledger: Ledger, amount: Credits, cause: Cause & { purchaseId: string }): Entry {
  const own = lotOf(ledger, cause.purchaseId);
  const debt = Math.max(0, -ledger.balance);
  const { into, paid } = putBack(ledger, own, amount);
  const entry = enter(ledger, "restoral", amount, cause, { lotId: own.id, expiresAt: null });
  expire(ledger);
  const usable = [...into].filter(({ due }) => !due).sort(soonestFirst);
  payDebt(ledger, usable, debt - paid);
  return entry;
}

/** Of a purchase that was granted. */
export function lotOf({ lots }: Ledger, purchaseId: string): Lot {
  const lot = lots.find((one) => one.purchaseId === purchaseId);
  if (lot === undefined) throw new Error(`the purchase ${purchaseId} has no lot`);
  return lot;
}

const NO_LOT = { lotId: null, expiresAt: null };

function enter(
  ledger: Ledger,
  kind: EntryKind,
  amount: Credits,
  cause: Cause,
  of: Pick<Entry, "lotId" | "expiresAt">,
): Entry {
  const before = ledger.balance;
  ledger.balance += amount;
  const { source, reason, reference = null, purchaseId = null } = cause;
  const entry: Entry = {
    ...{ id: newId("crd"), kind, amount, balanceAfter: ledger.balance, source, reason, reference, purchaseId },
    ...of,
  };
  ledger.entries.push(entry);
  const { lowThreshold } = ledger;
  if (lowThreshold !== null && before >= lowThreshold && ledger.balance < lowThreshold) ledger.low.push(entry);
  return entry;
}
