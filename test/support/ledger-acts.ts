// What happens to a ledger, as data: so that the same can happen to a copy of it, or to one in a database.
import fc from "fast-check";

import { expire, grant, restore, reverse, spend } from "../../src/credits/ledger.ts";
import type { Credits, Ledger, Lot } from "../../src/credits/lots.ts";

export const PURCHASES = ["pur_1", "pur_2", "pur_3"] as const;

/** Days are counted from the first; null: never. */
export type Act =
  | { what: "buy"; purchaseId: string; amount: Credits; expires: number | null }
  | { what: "grant"; amount: Credits; expires: number | null }
  | { what: "spend"; amount: Credits }
  /** So much of the payment is refunded or disputed now. */
  | { what: "take"; purchaseId: string; percent: number }
  | { what: "pass"; day: number };

const amount = fc.integer({ min: 1, max: 120 });
const expires = fc.option(fc.integer({ min: 1, max: 25 }));
const purchaseId = fc.constantFrom(...PURCHASES);
const ACTS: Record<Act["what"], fc.Arbitrary<Act>> = {
  buy: fc.record({ what: fc.constant("buy" as const), purchaseId, amount, expires }),
  grant: fc.record({ what: fc.constant("grant" as const), amount, expires }),
  spend: fc.record({ what: fc.constant("spend" as const), amount }),
  take: fc.record({ what: fc.constant("take" as const), purchaseId, percent: fc.constantFrom(0, 0, 35, 100, 100) }),
  pass: fc.record({ what: fc.constant("pass" as const), day: fc.integer({ min: 0, max: 10 }) }),
};

/** Their days are counted from the day of each: see `dated`. */
export function acts(maxLength: number, ...kinds: readonly Act["what"][]): fc.Arbitrary<Act[]> {
  return fc.array(fc.oneof(...kinds.map((kind) => ACTS[kind])), { maxLength });
}

/** In a row: time goes on, and nothing is given whose time is over. */
export function dated(some: readonly Act[]): Act[] {
  let today = 0;
  return some.map((one) => {
    if (one.what === "pass") return { ...one, day: (today += one.day) };
    if (one.what !== "buy" && one.what !== "grant") return one;
    return { ...one, expires: one.expires === null ? null : today + one.expires };
  });
}

export const day = (number: number): Date => new Date(Date.UTC(2100, 0, number));

let made = 0;
const source = (): { source: string; reason: string } => ({ source: `act:${String((made += 1))}`, reason: "test" });

/** As the ledger's callers do it: what is due goes first, a purchase is granted once, and nothing is given that is over. */
export function run(ledger: Ledger, one: Act): void {
  if (one.what === "pass")
    for (const lot of ledger.lots) lot.due ||= lot.expiresAt !== null && lot.expiresAt <= day(one.day);
  expire(ledger);
  if (one.what === "spend") spend(ledger, one.amount, source());
  if (one.what === "take") takeTo(ledger, one);
  if (one.what !== "buy" && one.what !== "grant") return;
  const expiresAt = one.expires === null ? null : day(one.expires);
  if (one.what === "grant") grant(ledger, "grant", one.amount, { ...source(), expiresAt });
  else if (!ledger.lots.some((lot) => lot.purchaseId === one.purchaseId))
    grant(ledger, "purchase", one.amount, { ...source(), purchaseId: one.purchaseId, expiresAt });
}

/** How much is to have been taken: see settlement.ts. */
function targetOf({ credits, expired, takenAtExpiry }: Lot, percent: number): Credits {
  return Math.max(takenAtExpiry, Math.floor((credits * percent) / 100) - expired);
}

function takeTo(ledger: Ledger, { purchaseId: of, percent }: Extract<Act, { what: "take" }>): void {
  const own = ledger.lots.find((lot) => lot.purchaseId === of);
  if (own === undefined) return;
  const { taken } = own;
  const target = targetOf(own, percent);
  if (target > taken) reverse(ledger, target - taken, { ...source(), purchaseId: of });
  if (target < taken) restore(ledger, taken - target, { ...source(), purchaseId: of });
  expire(ledger);
}

/** As a process of the version before migration 0051 did it: it notes nothing, and gives back into the purchase's own lot. */
export function runUnnoted(ledger: Ledger, one: Act): void {
  const notes = structuredClone(ledger.takings);
  const owed = new Map(ledger.lots.map((lot) => [lot.id, lot.owed]));
  const own = one.what === "take" ? ledger.lots.find((lot) => lot.purchaseId === one.purchaseId) : undefined;
  expire(ledger);
  if (one.what === "take" && own !== undefined && targetOf(own, one.percent) < own.taken) {
    const amount = own.taken - targetOf(own, one.percent);
    const debt = Math.max(0, -ledger.balance);
    own.taken -= amount;
    own.remaining += Math.max(0, amount - debt);
    ledger.changed.add(own);
    ledger.balance += amount;
    expire(ledger);
  } else run(ledger, one);
  for (const lot of ledger.lots) lot.owed = owed.get(lot.id) ?? 0;
  ledger.takings.clear();
  for (const [id, of] of notes) ledger.takings.set(id, of);
}
