// Where a purchase's reversal took credits that were not its own, so that undoing it puts them back there: with the expiry that they had. Pure.
import { change, type Credits, type Ledger, type Lot, sharesOf, type Taking } from "./lots.ts";

export function take(ledger: Ledger, own: Lot, { fromLotId, credits }: Omit<Taking, "lotId" | "number">): void {
  const takings = ledger.takings.get(own.id) ?? [];
  takings.push({ lotId: own.id, fromLotId, credits });
  ledger.takings.set(own.id, takings);
}

export interface PutBack {
  /** Lots that have more than before. */
  into: Set<Lot>;
  /** So much of the account's debt is gone with it. */
  paid: Credits;
}

/** Puts back what the purchase of this lot took, the last first: what it owes, what it took out of others, its own. */
export function putBack(ledger: Ledger, own: Lot, amount: Credits): PutBack {
  const back: PutBack = { into: new Set(), paid: 0 };
  forgetPaid(ledger);
  giveBack(ledger, back, own, amount);
  return back;
}

/** A process of the version before this one pays debts, and gives back, without a word of whose they were. */
function forgetPaid(ledger: Ledger): void {
  const owed = ledger.lots.reduce((sum, lot) => sum + lot.owed, 0);
  let over = owed - Math.max(0, -ledger.balance);
  for (const lot of over > 0 ? ledger.lots : []) {
    const paid = Math.min(lot.owed, Math.max(0, over));
    if (paid === 0) continue;
    lot.owed -= paid;
    over -= paid;
    change(ledger, lot, 0);
  }
}

function giveBack(ledger: Ledger, back: PutBack, own: Lot, amount: Credits): void {
  const paid = Math.min(own.owed, amount);
  own.owed -= paid;
  back.paid += paid;
  change(ledger, own, 0);
  let left = amount - paid;
  const takings = ledger.takings.get(own.id) ?? [];
  while (left > 0) {
    const last = takings.pop();
    if (last === undefined) break;
    if (last.number !== undefined) ledger.givenBack.push(last);
    const share = Math.min(last.credits, left);
    if (share < last.credits) take(ledger, own, { ...last, credits: last.credits - share });
    putInto(ledger, back, lotById(ledger, last.fromLotId), share);
    left -= share;
  }
  // Where nobody noted what else it took, it was its own.
  if (left > 0) putInto(ledger, back, own, left);
}

/** A lot whose own purchase had to take elsewhere gives it first, and that is put back in its turn. */
function putInto(ledger: Ledger, back: PutBack, lot: Lot, share: Credits): void {
  const elsewhere = (ledger.takings.get(lot.id) ?? []).reduce((sum, { credits }) => sum + credits, lot.owed);
  const own = Math.min(share, elsewhere);
  if (share > own) {
    change(ledger, lot, share - own);
    back.into.add(lot);
  }
  if (own > 0) giveBack(ledger, back, lot, own);
}

/** These lots pay so much of the account's debt, as far as they hold it: for the purchases that owe it, the oldest first. */
export function payDebt(ledger: Ledger, lots: readonly Lot[], debt: Credits): void {
  if (debt === 0) return;
  const owing = ledger.lots.filter(({ owed }) => owed > 0).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { lot, share } of sharesOf(lots, debt)) {
    change(ledger, lot, -share);
    let left = share;
    for (const one of owing) {
      const credits = Math.min(one.owed, left);
      if (credits === 0) continue;
      one.owed -= credits;
      change(ledger, one, 0);
      take(ledger, one, { fromLotId: lot.id, credits });
      left -= credits;
    }
  }
}

function lotById({ lots }: Ledger, id: string): Lot {
  const lot = lots.find((one) => one.id === id);
  if (lot === undefined) throw new Error(`the lot ${id}, out of which credits were taken, was not loaded`);
  return lot;
}
