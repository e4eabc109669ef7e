// What happens to a ledger, as data: so that the same can happen to a copy of it, or to one in a database.
import fc from "fast-check";

import { expire, grant, restore, reverse, spend } from "../../src/credits/ledger.ts";
import type { Credits, Ledger } from "../../src/credits/lots.ts";

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

function takeTo(ledger: Ledger, { purchaseId: of, percent }: Extract<Act, { what: "take" }>): void {
  const own = ledger.lots.find((lot) => lot.purchaseId === of);
  if (own === undefined) return;
  const { taken } = own;
  const target = Math.max(own.takenAtExpiry, Math.floor((own.credits * percent) / 100) - own.expired);
  if (target > taken) reverse(ledger, target - taken, { ...source(), purchaseId: of });
  if (target < taken) restore(ledger, taken - target, { ...source(), purchaseId: of });
  expire(ledger);
}
