// The fee is exact to half a minor unit, the status is a function of the head, and the making always comes to an end.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { feeOf, isWholeHundredths, type Making, nextStep, statusOf, type Step, totalOf } from "./connected-invoice.ts";

describe("the fee", () => {
  it("is the total times the percentage, a half rounded up, for every total and percentage", () => {
    const total = fc.integer({ min: 1, max: 99_999_999 });
    const hundredths = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(total, hundredths, (amount, percent) => {
        const fee = BigInt(feeOf(amount, percent / 100));
        const exact = BigInt(amount) * BigInt(percent);
        expect(fee * 10_000n <= exact + 5_000n && exact + 5_000n < (fee + 1n) * 10_000n).toBe(true);
        expect(fee >= 0n && fee <= BigInt(amount)).toBe(true);
      }),
    );
  });

  it.each([
    [100, 15, 15],
    [10, 15, 2],
    [30, 15, 5],
    [3, 15, 0],
    [4, 12.5, 1],
    [1, 50, 1],
    [25_001, 2.5, 625],
    [99_999_999, 0.29, 290_000],
    [99_999_999, 100, 99_999_999],
    [200, 0.25, 1],
    [100, 1.15, 1],
  ])("of %d at %d %% is %d", (total, percent, fee) => {
    expect(feeOf(total, percent)).toBe(fee);
  });

  it("takes percentages of two decimals, as binary fractions have them, and no finer ones", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10_000 }), (whole) => isWholeHundredths(whole / 100)));
    for (const percent of [0.001, 1.005, 33.333, 99.999]) expect(isWholeHundredths(percent)).toBe(false);
  });
});

describe("the status", () => {
  it.each([
    ["draft", false, "pending"],
    ["open", false, "pending"],
    ["open", true, "payment_failed"],
    ["paid", true, "paid"],
    ["void", true, "void"],
    ["uncollectible", true, "uncollectible"],
    ["a status of tomorrow", false, "pending"],
    [null, false, "pending"],
  ])("of an invoice that is %s (some payment failed: %s) is %s", (status, paymentFailed, expected) => {
    expect(statusOf({ status, paymentFailed })).toBe(expected);
  });
});

describe("the making", () => {
  const items = [
    { description: "a", amount: 1, quantity: 2 },
    { description: "b", amount: 3, quantity: 1 },
  ];
  const NOTHING: Making = {
    stage: "making",
    stripeCustomerId: null,
    stripeInvoiceId: null,
    items,
    itemsMade: 0,
    finalized: false,
  };

  function after(making: Making, step: Step): Making {
    switch (step.kind) {
      case "customer":
        return { ...making, stripeCustomerId: "cus_1" };
      case "invoice":
        return { ...making, stripeInvoiceId: "in_1" };
      case "item":
        return { ...making, itemsMade: step.index + 1 };
      case "finalize":
        return { ...making, finalized: true };
      case "send":
        return { ...making, stage: "made" };
      case "discard":
        return { ...making, stage: making.stage === "refusing" ? "refused" : "abandoned" };
    }
  }

  function steps(making: Making): string[] {
    const taken: string[] = [];
    for (let now = making, step = nextStep(now); step !== undefined; now = after(now, step), step = nextStep(now)) {
      taken.push(step.kind);
      if (taken.length > 20) throw new Error("no end");
    }
    return taken;
  }

  it("takes each step once and in order, from wherever it stands", () => {
    const all = ["customer", "invoice", "item", "item", "finalize", "send"];
    expect(steps(NOTHING)).toEqual(all);
    let making = NOTHING;
    for (const [index] of all.entries()) {
      expect(steps(making)).toEqual(all.slice(index));
      const step = nextStep(making);
      if (step !== undefined) making = after(making, step);
    }
    expect(steps(making)).toEqual([]);
  });

  it("goes on with what Stripe's events told before its answer did", () => {
    expect(steps({ ...NOTHING, stripeCustomerId: "cus_1", stripeInvoiceId: "in_1" })).toEqual(
      "item item finalize send".split(" "),
    );
    expect(steps({ ...NOTHING, stripeInvoiceId: "in_1", finalized: true })).toEqual(["send"]);
    for (const stage of ["refusing", "abandoning"] as const) expect(steps({ ...NOTHING, stage })).toEqual(["discard"]);
    for (const stage of ["made", "refused", "abandoned"] as const) expect(steps({ ...NOTHING, stage })).toEqual([]);
  });

  it("is for what the items come to", () => {
    expect(totalOf(items)).toBe(5);
  });
});
