// Waits between attempts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backoff } from "./backoff.ts";

const PLAN = { first: 1000, factor: 2, max: 60_000, jitter: 0.5 };

describe("backoff", () => {
  it("grows by its factor up to its longest wait", () => {
    const waits = [1, 2, 3, 6, 7, 100].map((attempt) => backoff(attempt, { ...PLAN, jitter: 0 }));
    expect(waits).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
  });

  it("is whole, and between (1 − jitter) of the wait and the wait, at any attempt", () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fraction, fraction, (attempt, jitter, drawn) => {
        const whole = backoff(attempt, { ...PLAN, jitter: 0 });
        const wait = backoff(attempt, { ...PLAN, jitter, random: () => drawn });
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeLessThanOrEqual(whole);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(whole * (1 - jitter)));
      }),
    );
  });

  it("spreads attempts that failed together", () => {
    expect(new Set(Array.from({ length: 50 }, () => backoff(6, PLAN))).size).toBeGreaterThan(10);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses attempt %d", (attempt) => {
    expect(() => backoff(attempt, PLAN)).toThrow(RangeError);
  });
});
