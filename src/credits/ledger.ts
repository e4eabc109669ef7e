// What an entry does to an account's lots and balance: spend, grant, reversal, restoral, expiry. Pure: the ledger here is a copy.
import { newId } from "../base/ids.ts";

/** Whole credits. */
export type Credits = number;

export type EntryKind = "purchase" | "grant" | "spend" | "reversal" | "restoral" | "expiry" | "adjustment";

/** Whose credits: an account of a tenant, in one mode. */
export interface AccountRef {
  tenantId: string;
  livemode: boolean;
  accountId: string;
}

export interface Lot {
  /** That of the entry which made it. */
  id: string;
  purchaseId: string | null;
  credits: Credits;
  remaining: Credits;
  expired: Credits;
  /** Of a purchase's lot: what was taken back for refunds and disputes, net of what was given back. */
  taken: Credits;
  /** The same when the rest of the lot expired. */
  takenAtExpiry: Credits;
  /** null: never. */
  expiresAt: Date | null;
  /** `expiresAt` has passed. */
  due: boolean;
}

export interface Entry {
  id: string;
  kind: EntryKind;
  /** Below zero for what is taken. */
  amount: Credits;
  balanceAfter: Credits;
  /** What it was made for; once in a tenant and mode. */
  source: string;
  reason: string;
  reference: string | null;
  purchaseId: string | null;
  lotId: string | null;
  /** Of the lot that it made. */
  expiresAt: Date | null;
}

/** What an account has, under its lock, and what is to be written of it. */
export interface Ledger {
  readonly ref: AccountRef;
  /** Σ lots' remaining − debt. */
  balance: Credits;
  /** As it is stored. */
  readonly balanceBefore: Credits;
  readonly lowThreshold: Credits | null;
  lots: Lot[];
  entries: Entry[];
  /** Stored lots that have changed. */
  changed: Set<Lot>;
  made: Lot[];
  /** Entries by which the balance fell below the threshold. */
  low: Entry[];
}

/** Beyond it numbers are not exact. No balance grows so far. */
export const MAX_BALANCE = 9_000_000_000_000_000;

export function openLedger(
  ref: AccountRef,
  stored: { balance: Credits; lowThreshold: Credits | null; lots: readonly Lot[] },
): Ledger {
  const { balance, lowThreshold } = stored;
  const lots = stored.lots.map((lot) => ({ ...lot }));
  const written = { entries: [], changed: new Set<Lot>(), made: [], low: [] };
  return { ref, balance, balanceBefore: balance, lowThreshold, lots, ...written };
}

export interface Cause {
  source: string;
  reason: string;
  reference?: string | null;
  purchaseId?: string | null;
}

/** The order in which lots are spent: the soonest to expire first, then the oldest; what never expires last. */
export function soonestFirst(a: Lot, b: Lot): number {
  const [first, second] = [a.expiresAt?.getTime() ?? Infinity, b.expiresAt?.getTime() ?? Infinity];
  if (first !== second) return first < second ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Which lots give how much of `amount`, in this order. Less in sum when they do not hold it. */
export function sharesOf(lots: readonly Lot[], amount: Credits): { lot: Lot; share: Credits }[] {
  const shares: { lot: Lot; share: Credits }[] = [];
  let left = amount;
  for (const lot of lots) {
    if (left === 0) break;
    const share = Math.min(lot.remaining, left);
    if (share === 0) continue;
    shares.push({ lot, share });
    left -= share;
  }
  return shares;
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
    ...{ taken: 0, takenAtExpiry: 0 },
    remaining: Math.max(0, amount - debt),
  };
  ledger.lots.push(lot);
  ledger.made.push(lot);
  return entry;
}

/** Takes credits back, whatever was spent: from the purchase's own lot, then from the others, and the rest is a debt. */
export function reverse(ledger: Ledger, amount: Credits, cause: Cause & { purchaseId: string }): Entry {
  const own = lotOf(ledger, cause.purchaseId);
  const others = ledger.lots.filter((lot) => lot !== own).sort(soonestFirst);
  for (const { lot, share } of sharesOf([own, ...others], amount)) change(ledger, lot, -share);
  own.taken += amount;
  change(ledger, own, 0);
  return enter(ledger, "reversal", -amount, cause, { lotId: own.id, expiresAt: null });
}

/** Gives back what was reversed: pays the debt first, the rest goes into the purchase's own lot. */
export function restore(ledger: Ledger, amount: Credits, cause: Cause & { purchaseId: string }): Entry {
  const own = lotOf(ledger, cause.purchaseId);
  const debt = Math.max(0, -ledger.balance);
  own.taken -= amount;
  change(ledger, own, Math.max(0, amount - debt));
  return enter(ledger, "restoral", amount, cause, { lotId: own.id, expiresAt: null });
}

/** Of a purchase that was granted. */
export function lotOf({ lots }: Ledger, purchaseId: string): Lot {
  const lot = lots.find((one) => one.purchaseId === purchaseId);
  if (lot === undefined) throw new Error(`the purchase ${purchaseId} has no lot`);
  return lot;
}

const NO_LOT = { lotId: null, expiresAt: null };

function change(ledger: Ledger, lot: Lot, by: Credits): void {
  lot.remaining += by;
  if (!ledger.made.includes(lot)) ledger.changed.add(lot);
}

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
