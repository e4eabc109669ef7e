// The ledger's decisions on one account: whatever is asked, in whatever order, balance, lots, debt and entries agree.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { expire, grant, openLedger, restore, reverse, spend } from "./ledger.ts";
import { type Ledger, type Lot, sharesOf, soonestFirst } from "./lots.ts";

const REF = { tenantId: "ten_1", livemode: false, accountId: "acc_1" };
const fresh = (lowThreshold: number | null = null): Ledger => openLedger(REF, { balance: 0, lowThreshold, lots: [] });
const day = (number: number): Date => new Date(Date.UTC(2030, 0, number));
let made = 0;
const source = (): { source: string; reason: string } => ({ source: `key:${String((made += 1))}`, reason: "test" });
const left = (ledger: Ledger): number => ledger.lots.reduce((sum, { remaining }) => sum + remaining, 0);

type Act = (ledger: Ledger) => void;
const amounts = fc.integer({ min: 1, max: 120 });
const purchases = ["pur_1", "pur_2"] as const;
const act: fc.Arbitrary<Act> = fc.oneof(
  amounts.map(
    (amount): Act =>
      (ledger) =>
        void spend(ledger, amount, source()),
  ),
  fc.tuple(amounts, fc.option(fc.integer({ min: 1, max: 5 }))).map(
    ([amount, expires]): Act =>
      (ledger) =>
        void grant(ledger, "grant", amount, { ...source(), expiresAt: expires === null ? null : day(expires) }),
  ),
  fc.tuple(fc.constantFrom(...purchases), amounts).map(
    ([purchaseId, amount]): Act =>
      (ledger) =>
        buy(ledger, purchaseId, amount),
  ),
  fc.tuple(fc.constantFrom(...purchases), fc.integer({ min: 0, max: 100 })).map(
    ([purchaseId, percent]): Act =>
      (ledger) =>
        takeTo(ledger, purchaseId, percent),
  ),
  fc.integer({ min: 0, max: 6 }).map(
    (number): Act =>
      (ledger) =>
        passTo(ledger, day(number)),
  ),
);

/** Once each, as a settlement does. */
function buy(ledger: Ledger, purchaseId: string, amount: number): void {
  if (ledger.lots.some((lot) => lot.purchaseId === purchaseId)) return;
  grant(ledger, "purchase", amount, { ...source(), purchaseId, expiresAt: day(3) });
}

function takeTo(ledger: Ledger, purchaseId: string, percent: number): void {
  const own = ledger.lots.find((lot) => lot.purchaseId === purchaseId);
  if (own === undefined) return;
  const { taken } = own;
  const target = Math.max(own.takenAtExpiry, Math.floor((own.credits * percent) / 100) - own.expired);
  if (target > taken) reverse(ledger, target - taken, { ...source(), purchaseId });
  if (target < taken) restore(ledger, taken - target, { ...source(), purchaseId });
}

function passTo(ledger: Ledger, now: Date): void {
  for (const lot of ledger.lots) lot.due ||= lot.expiresAt !== null && lot.expiresAt <= now;
  expire(ledger);
}

describe("the ledger of an account", () => {
  it("balance = Σ remaining − debt = Σ entries after every step, and whoever owes has no lot left", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const ledger = fresh();
        for (const step of acts) {
          step(ledger);
          expect(ledger.balance).toBe(left(ledger) - Math.max(0, -ledger.balance));
          expect(ledger.balance).toBe(ledger.entries.reduce((sum, { amount }) => sum + amount, 0));
          expect(ledger.balance).toBe(ledger.entries.at(-1)?.balanceAfter ?? 0);
          for (const lot of ledger.lots) {
            expect(lot.remaining).toBeGreaterThanOrEqual(0);
            expect(lot.remaining).toBeLessThanOrEqual(lot.credits);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("a spend takes all or nothing, and only a reversal makes a debt", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), amounts, (acts, amount) => {
        const ledger = fresh();
        for (const step of acts) step(ledger);
        const before = ledger.balance;
        const usable = ledger.lots.reduce((sum, { remaining, due }) => sum + (due ? 0 : remaining), 0);
        const done = spend(ledger, amount, source());
        expect(done !== undefined).toBe(usable >= amount);
        expect(ledger.balance).toBe(before - (done === undefined ? 0 : amount));
        for (const [index, { kind, balanceAfter, amount: by }] of ledger.entries.entries()) {
          if (balanceAfter >= 0 || balanceAfter - by < 0 || kind === "reversal") continue;
          // What was given back into a lot whose time is over: the debt stands as before.
          const given = ledger.entries.slice(0, index).findLast((entry) => entry.kind === "restoral");
          expect([kind, balanceAfter]).toEqual([
            "expiry",
            Math.max(balanceAfter, given ? given.balanceAfter - given.amount : 0),
          ]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("what expires soonest is spent first, what never expires last, and what has expired not at all", () => {
    const lot = fc.record({
      remaining: fc.integer({ min: 0, max: 9 }),
      expires: fc.option(fc.integer({ min: 1, max: 4 })),
      due: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(lot, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (given, amount) => {
        const lots = given.map(({ remaining, expires, due }, index): Lot => ({
          ...{ id: `crd_${String(index)}`, purchaseId: null, credits: remaining, remaining, expired: 0 },
          ...{ taken: 0, takenAtExpiry: 0, owed: 0 },
          ...{ expiresAt: expires === null ? null : day(expires), due: due && expires !== null },
        }));
        const balance = lots.reduce((sum, { remaining }) => sum + remaining, 0);
        const ledger = openLedger(REF, { balance, lowThreshold: null, lots });
        if (spend(ledger, amount, source()) === undefined) return;
        const inOrder = ledger.lots.filter(({ due }) => !due).sort(soonestFirst);
        const firstLeft = inOrder.findIndex(({ remaining }) => remaining > 0);
        const untouched = firstLeft === -1 ? [] : inOrder.slice(firstLeft + 1);
        for (const one of [...untouched, ...ledger.lots.filter(({ due }) => due)])
          expect(one.remaining).toBe(lots.find(({ id }) => id === one.id)?.remaining);
        expect(sharesOf(lots, amount).every(({ share }) => share > 0)).toBe(true);
      }),
    );
  });

  it("new credits pay the debt first", () => {
    const ledger = fresh();
    grant(ledger, "purchase", 100, { ...source(), purchaseId: "pur_1" });
    spend(ledger, 80, source());
    reverse(ledger, 100, { ...source(), purchaseId: "pur_1" });
    expect(ledger.balance).toBe(-80);
    grant(ledger, "grant", 50, source());
    expect([ledger.balance, left(ledger)]).toEqual([-30, 0]);
    expect(spend(ledger, 1, source())).toBeUndefined();
    grant(ledger, "grant", 50, source());
    expect([ledger.balance, left(ledger)]).toEqual([20, 20]);
  });

  it("a balance that falls below its threshold is noted at each fall, and nowhere else", () => {
    const ledger = fresh(10);
    grant(ledger, "grant", 20, source());
    spend(ledger, 10, source());
    const first = spend(ledger, 1, source());
    spend(ledger, 1, source());
    grant(ledger, "grant", 20, source());
    const second = spend(ledger, 25, source());
    expect(ledger.low).toEqual([first, second]);
  });
});
