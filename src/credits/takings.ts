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

/** Puts back so much of what the purchase of this lot took, the last first: what it owes, what it took out of others, its own. */
export function putBack(ledger: Ledger, own: Lot, amount: Credits): PutBack {
  const back: PutBack = { into: new Set(), paid: 0 };
  correctNotes(ledger, own, amount);
  own.taken -= amount;
  const over = giveBack(ledger, back, own, amount);
  if (over > 0) {
    change(ledger, own, over);
    back.into.add(own);
  }
  return back;
}

/**
 * A process of the version before migration 0051 pays debts, and makes them, without a note, and so did everybody before: of
 * what is noted nobody owes more than the account does, and a debt that is not is this purchase's as far as it may be.
 */
function correctNotes(ledger: Ledger, own: Lot, amount: Credits): void {
  const debt = Math.max(0, -ledger.balance);
  let over = ledger.lots.reduce((sum, { owed }) => sum + owed, 0) - debt;
  for (const lot of over > 0 ? [...ledger.lots.filter((one) => one !== own), own] : []) {
    const paid = Math.min(lot.owed, over);
    over -= paid;
    if (paid > 0) owe(ledger, lot, -paid);
  }
  const unnoted = Math.min(-over, amount - notedOf(ledger, own));
  if (unnoted > 0) owe(ledger, own, unnoted);
}

/** Of what a lot's purchase took, by its notes: elsewhere, and not out of this lot. */
function notedOf({ takings }: Ledger, { id, owed }: Lot): Credits {
  return (takings.get(id) ?? []).reduce((sum, { credits }) => sum + credits, owed);
}

function owe(ledger: Ledger, lot: Lot, by: Credits): void {
  lot.owed += by;
  change(ledger, lot, 0);
}

/** Returns what no lot has room for: only where a process of the version before has given that back already. */
function giveBack(ledger: Ledger, back: PutBack, own: Lot, amount: Credits): Credits {
  const paid = Math.min(own.owed, amount);
  back.paid += paid;
  owe(ledger, own, -paid);
  let left = amount - paid;
  let over = 0;
  const takings = ledger.takings.get(own.id) ?? [];
  while (left > 0) {
    const last = takings.pop();
    if (last === undefined) break;
    if (last.number !== undefined) ledger.givenBack.push(last);
    const share = Math.min(last.credits, left);
    if (share < last.credits) take(ledger, own, { ...last, credits: last.credits - share });
    over += putInto(ledger, back, lotById(ledger, last.fromLotId), share);
    left -= share;
  }
  // Where nobody noted what else it took, it was its own.
  return left > 0 ? over + putInto(ledger, back, own, left) : over;
}

/** A lot whose own purchase had to take elsewhere gives it first, and that is put back in its turn. */
function putInto(ledger: Ledger, back: PutBack, lot: Lot, share: Credits): Credits {
  const onward = Math.min(share, notedOf(ledger, lot));
  const room = Math.max(0, lot.credits - lot.expired - lot.taken - lot.remaining);
  const stays = Math.min(share - onward, room);
  if (stays > 0) {
    change(ledger, lot, stays);
    back.into.add(lot);
  }
  const over = share - onward - stays;
  return onward > 0 ? over + giveBack(ledger, back, lot, onward) : over;
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
