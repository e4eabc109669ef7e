// What an account has, as the ledger's decisions see it: lots, in the order in which they are spent. Pure: a copy.
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
  /** Of what was taken: what no lot has held, and none has paid since. */
  owed: Credits;
  /** null: never. */
  expiresAt: Date | null;
  /** `expiresAt` has passed. */
  due: boolean;
}

/** A purchase's lot has taken so much out of another one. */
export interface Taking {
  lotId: string;
  fromLotId: string;
  credits: Credits;
  /** In the order of taking; undefined: not stored yet. */
  number?: number;
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
  /** What purchases have taken out of others' lots: by their own lot, in the order of taking. */
  readonly takings: Map<string, Taking[]>;
  /** Stored ones that are given back. */
  readonly givenBack: Taking[];
  /** Entries by which the balance fell below the threshold. */
  low: Entry[];
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

/** Of a lot that this account has. */
export function change(ledger: Ledger, lot: Lot, by: Credits): void {
  lot.remaining += by;
  if (!ledger.made.includes(lot)) ledger.changed.add(lot);
}
