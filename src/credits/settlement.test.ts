// Settlement: what is taken back follows from what Stripe's objects say, whatever was posted before.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { expire, grant, openLedger, restore, reverse, spend } from "./ledger.ts";
import { chargesToFetch, isOver, isPaid, isUnderWay, type PurchaseHeads, settlement } from "./settlement.ts";

const PAID: PurchaseHeads = {
  session: { status: "complete", paymentStatus: "paid", amountTotal: 1000 },
  intent: { id: "pi_1", status: "succeeded", amountReceived: 1000 },
  charges: [{ id: "ch_1", status: "succeeded", amount: 1000, amountRefunded: 0, created: 1 }],
  refunds: [],
  disputes: [],
  intentId: "pi_1",
};
const refund = (amount: number, status = "succeeded", created = 2): PurchaseHeads["refunds"][number] => ({
  ...{ chargeId: "ch_1", status, amount, created },
});
const dispute = (amount: number, status: string): PurchaseHeads["disputes"][number] => ({
  ...{ chargeId: "ch_1", status, amount },
});
const charged = (amountRefunded: number, created = 2): PurchaseHeads["charges"] => [
  { id: "ch_1", status: "succeeded", amount: 1000, amountRefunded, created },
];
const taken = (heads: Partial<PurchaseHeads>, purchase: Partial<Parameters<typeof settlement>[0]> = {}): number =>
  settlement({ credits: 100, expired: 0, takenAtExpiry: 0, ...purchase }, { ...PAID, ...heads });

describe("what is taken back of 100 credits for 10.00", () => {
  it.each<[string, Partial<PurchaseHeads>, number]>([
    ["nothing while nothing was refunded", {}, 0],
    ["the refunded part, rounded down", { refunds: [refund(333)] }, 33],
    ["the same when only the charge says so", { charges: charged(333) }, 33],
    ["the same when both say so", { charges: charged(333), refunds: [refund(333)] }, 33],
    ["the sum of partial refunds, not the sum of rounded parts", { refunds: [refund(335), refund(335)] }, 67],
    ["pending refunds count", { refunds: [refund(500, "pending")] }, 50],
    ["failed and canceled refunds do not", { refunds: [refund(500, "failed"), refund(200, "canceled")] }, 0],
    ["refunds without a known charge", { charges: [], refunds: [refund(500)] }, 50],
    ["a standing dispute takes", { disputes: [dispute(1000, "needs_response")] }, 100],
    ["a lost one too", { disputes: [dispute(1000, "lost")] }, 100],
    ["and one in a state that nobody knows yet", { disputes: [dispute(400, "new_state")] }, 40],
    ["a won one gives back", { disputes: [dispute(1000, "won")] }, 0],
    ["a prevented one never took", { disputes: [dispute(1000, "prevented")] }, 0],
    ["an inquiry never took", { disputes: [dispute(1000, "warning_needs_response"), dispute(9, "warning_closed")] }, 0],
    [
      "a dispute that ended by a refund takes what the refund takes, once",
      { refunds: [refund(500)], charges: charged(500), disputes: [dispute(500, "charge_refunded")] },
      50,
    ],
    ["never more than was bought", { refunds: [refund(600)], disputes: [dispute(600, "lost")] }, 100],
    [
      "nothing where nothing was paid",
      {
        session: { status: "complete", paymentStatus: "no_payment_required", amountTotal: 0 },
        intent: null,
        charges: [],
      },
      0,
    ],
  ])("%s", (_, heads, expected) => {
    expect(taken(heads)).toBe(expected);
  });

  it("large amounts stay exact", () => {
    const heads = {
      charges: [{ id: "ch_1", status: "succeeded", amount: 999_999_999_999, amountRefunded: 0, created: 1 }],
    };
    const back = taken({ ...heads, refunds: [refund(333_333_333_333)] }, { credits: 1_000_000_000_003 });
    expect(back).toBe(333_333_333_334);
  });

  it("what has expired is not taken a second time, and nothing is given back that would expire at once", () => {
    expect(taken({ refunds: [refund(1000)] }, { expired: 40 })).toBe(60);
    expect(taken({ refunds: [refund(500)] }, { expired: 80 })).toBe(0);
    expect(taken({ refunds: [refund(500)] }, { takenAtExpiry: 50, expired: 50 })).toBe(50);
    expect(taken({ refunds: [refund(1000)] }, { takenAtExpiry: 50, expired: 50 })).toBe(50);
    expect(taken({}, { takenAtExpiry: 20, expired: 50 })).toBe(20);
  });

  it("is fulfilled when the payment is not unpaid, and without a session when the intent has succeeded", () => {
    const session = (status: string, paymentStatus: string): PurchaseHeads => ({
      ...PAID,
      session: { status, paymentStatus, amountTotal: 1000 },
    });
    expect(isPaid(PAID)).toBe(true);
    expect(isPaid(session("complete", "no_payment_required"))).toBe(true);
    expect(isPaid(session("complete", "unpaid"))).toBe(false);
    expect(isPaid(session("open", "unpaid"))).toBe(false);
    expect(isPaid({ ...PAID, session: null })).toBe(true);
    expect(isPaid({ ...PAID, session: null, intent: null })).toBe(false);
  });

  it("a delayed payment that its bank declined is over, and under way again when another one is tried", () => {
    const charge = (status: string) => ({ id: "ch_1", status, amount: 0, amountRefunded: 0, created: 1 });
    const delayed = (intent: string, ...charges: string[]): PurchaseHeads => ({
      ...PAID,
      session: { status: "complete", paymentStatus: "unpaid", amountTotal: 1000 },
      intent: { id: "pi_1", status: intent, amountReceived: 0 },
      charges: charges.map(charge),
    });
    const declined = delayed("requires_payment_method", "failed");
    const standing = (heads: PurchaseHeads) => [isPaid(heads), isOver(heads), isUnderWay(heads)];
    expect(standing(delayed("processing", "pending"))).toEqual([false, false, true]);
    expect(standing(declined)).toEqual([false, true, false]);
    expect(standing(delayed("canceled"))).toEqual([false, true, false]);
    expect(standing(delayed("processing", "failed", "pending"))).toEqual([false, false, true]);
    // Its charges have not been heard of, or a card was declined while Checkout is still open.
    expect(standing(delayed("requires_payment_method"))).toEqual([false, false, true]);
    const open = { status: "open", paymentStatus: "unpaid", amountTotal: 1000 };
    expect(standing({ ...declined, session: open })).toEqual([false, false, false]);
    expect(standing({ ...PAID, charges: declined.charges })).toEqual([true, false, false]);
  });

  it("a charge is fetched when a refund of it failed after it was last seen", () => {
    const stale = { ...PAID, charges: charged(500, 5), refunds: [refund(500, "failed", 7)] };
    expect(chargesToFetch(stale)).toEqual([{ id: "ch_1", since: 7 }]);
    expect(chargesToFetch({ ...stale, charges: charged(500, 8) })).toEqual([]);
    expect(chargesToFetch({ ...stale, charges: charged(0, 5) })).toEqual([]);
  });

  it("the balance at the end is the same whether the credits expired before the refunds, between them, or after", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 100 }), fc.nat(5), fc.nat(5), (backs, spent, one, two) => {
        expect(balanceAfter(backs, spent, one % (backs.length + 1))).toBe(
          balanceAfter(backs, spent, two % (backs.length + 1)),
        );
      }),
      { numRuns: 500 },
    );
  });
});

/** 100 credits are bought, some spent, more and more (or less) of the money goes back, and they expire before step `expires`. */
function balanceAfter(backs: readonly number[], spent: number, expires: number): number {
  const ledger = openLedger({ tenantId: "ten_1", livemode: false, accountId: "acc_1" }, NOTHING);
  const cause = { source: "pur_1#0", reason: "test", purchaseId: "pur_1" };
  grant(ledger, "purchase", 100, { ...cause, expiresAt: new Date(0) });
  if (spent > 0) spend(ledger, spent, { source: "key:1", reason: "test" });
  const [lot] = ledger.lots;
  if (lot === undefined) throw new Error("no lot");
  const settle = (back: number): void => {
    const target = taken({ refunds: [refund(back * 10)] }, lot);
    if (target > lot.taken) reverse(ledger, target - lot.taken, cause);
    else if (target < lot.taken) restore(ledger, lot.taken - target, cause);
    expire(ledger);
  };
  for (const [index, back] of [...backs, backs.at(-1) ?? 0].entries()) {
    if (index === expires) {
      lot.due = true;
      expire(ledger);
    }
    if (index < backs.length) settle(back);
  }
  return ledger.balance;
}

const NOTHING = { balance: 0, lowThreshold: null, lots: [] };
