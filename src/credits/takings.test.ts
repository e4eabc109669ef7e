// Whatever a dispute or a refund takes from other lots comes back where it was, when it is undone.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openLedger } from "./ledger.ts";
import type { Ledger } from "./lots.ts";
import { type Act, acts, dated, PURCHASES, run, runUnnoted } from "../../test/support/ledger-acts.ts";

const REF = { tenantId: "ten_1", livemode: false, accountId: "acc_1" };
const fresh = (): Ledger => openLedger(REF, { balance: 0, lowThreshold: null, lots: [] });
const lots = (ledger: Ledger): unknown =>
  ledger.lots.map(({ credits, remaining, expiresAt }) => ({ credits, remaining, expires: expiresAt?.getTime() }));
const undone: readonly Act[] = PURCHASES.map((purchaseId) => ({ what: "take", purchaseId, percent: 0 }));
const all = (acts: readonly Act[]): Ledger => {
  const ledger = fresh();
  for (const one of acts) run(ledger, one);
  return ledger;
};

describe("what was taken for refunds and disputes", () => {
  it("is back in the lots that it came from once they are undone, whatever was given or has expired meanwhile", () => {
    const before = acts(12, "buy", "grant", "spend", "pass");
    const meanwhile = acts(25, "buy", "grant", "take", "take", "pass");
    fc.assert(
      fc.property(before, meanwhile, (first, then) => {
        const life = dated([...first, ...then, ...undone]);
        const ledger = all(life);
        expect(lots(ledger)).toEqual(lots(all(life.filter(({ what }) => what !== "take"))));
        expect([...ledger.takings.values()].flat()).toEqual([]);
        expect(ledger.lots.filter(({ owed }) => owed > 0)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("goes to a purchase that had to take elsewhere meanwhile, and from there back to where that came from", () => {
    const [first, second] = PURCHASES;
    const ledger = all([
      { what: "buy", purchaseId: first, amount: 10, expires: null },
      { what: "spend", amount: 10 },
      { what: "buy", purchaseId: second, amount: 10, expires: 2 },
      { what: "grant", amount: 30, expires: 3 },
      { what: "take", purchaseId: first, percent: 100 },
      { what: "take", purchaseId: second, percent: 100 },
    ]);
    expect(ledger.lots.map(({ remaining }) => remaining)).toEqual([0, 0, 20]);
    run(ledger, { what: "take", purchaseId: first, percent: 0 });
    expect(ledger.lots.map(({ remaining }) => remaining)).toEqual([0, 0, 30]);
    run(ledger, { what: "take", purchaseId: second, percent: 0 });
    expect(ledger.lots.map(({ remaining }) => remaining)).toEqual([0, 10, 30]);
  });

  it("is known to the last credit: what a purchase took is its own lot's, others', or owed, and all debts are somebody's", () => {
    const lives = acts(60, "buy", "grant", "spend", "take", "take", "pass");
    fc.assert(
      fc.property(lives, (some) => {
        const ledger = fresh();
        for (const one of dated(some)) {
          run(ledger, one);
          expect(ledger.lots.reduce((sum, { owed }) => sum + owed, 0)).toBe(Math.max(0, -ledger.balance));
          for (const lot of ledger.lots) {
            const takings = ledger.takings.get(lot.id) ?? [];
            const elsewhere = takings.reduce((sum, { credits }) => sum + credits, lot.owed);
            expect(elsewhere).toBeLessThanOrEqual(lot.taken);
            expect(lot.remaining === 0 || elsewhere === 0).toBe(true);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is not owed any more where a process of the version before had it paid without a word", () => {
    const [purchaseId] = PURCHASES;
    const ledger = all([
      { what: "buy", purchaseId, amount: 10, expires: null },
      { what: "spend", amount: 10 },
      { what: "take", purchaseId, percent: 100 },
      { what: "grant", amount: 12, expires: null },
    ]);
    for (const lot of ledger.lots) if (lot.purchaseId === purchaseId) lot.owed = 10;
    ledger.takings.clear();
    run(ledger, { what: "take", purchaseId, percent: 0 });
    expect(ledger.balance).toBe(12);
    expect(ledger.lots.map(({ remaining, owed }) => [remaining, owed])).toEqual([
      [10, 0],
      [2, 0],
    ]);
  });

  const checked = (ledger: Ledger): void => {
    const left = ledger.lots.reduce((sum, { remaining }) => sum + remaining, 0);
    expect(ledger.balance).toBe(left - Math.max(0, -ledger.balance));
    for (const { remaining, credits, taken, owed } of ledger.lots) {
      expect(Math.min(remaining, owed, taken)).toBeGreaterThanOrEqual(0);
      expect(Math.max(remaining, taken)).toBeLessThanOrEqual(credits);
    }
  };
  const lives = acts(40, "buy", "grant", "spend", "take", "take", "pass");

  it("leaves no debt once all is undone, whenever the version before, which noted nothing, was followed by this one", () => {
    fc.assert(
      fc.property(lives, fc.nat(40), (some, upgraded) => {
        const ledger = fresh();
        for (const [number, one] of [...dated(some), ...undone].entries()) {
          if (number < Math.min(upgraded, some.length)) runUnnoted(ledger, one);
          else run(ledger, one);
          checked(ledger);
        }
        expect(ledger.balance).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1500 },
    );
  });

  it("never breaks a balance or a lot beside processes of the version before", () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.boolean()), (some, isOld) => {
        const ledger = fresh();
        for (const one of [...dated(some), ...undone]) {
          if (isOld.next().value === true) runUnnoted(ledger, one);
          else run(ledger, one);
          checked(ledger);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("is no debt for ever where nobody noted it, and its lot has expired meanwhile", () => {
    const [purchaseId] = PURCHASES;
    const ledger = all([
      { what: "buy", purchaseId, amount: 100, expires: 2 },
      { what: "spend", amount: 100 },
    ]);
    runUnnoted(ledger, { what: "take", purchaseId, percent: 100 });
    expect([ledger.balance, ledger.lots[0]?.owed]).toEqual([-100, 0]);
    run(ledger, { what: "pass", day: 3 });
    run(ledger, { what: "take", purchaseId, percent: 0 });
    expect(ledger.balance).toBe(0);
  });
});
