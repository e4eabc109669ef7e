import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { recoveryPace } from "./recovery-pace.ts";

describe("the pace of a recovery", () => {
  it("is never more than so many in any second, however they lie, and no less than two thirds of that", () => {
    const second = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(50, 200), second, (perSecond, atOnce, from) => {
        const { most, rest } = recoveryPace(perSecond, atOnce);
        expect(most).toBeLessThanOrEqual(atOnce);
        const steps = Array.from({ length: 200 }, (_, step) => step * rest);
        const within = steps.filter((at) => at >= from && at < from + 1).length;
        expect(within * most).toBeLessThanOrEqual(perSecond);
        expect(most / rest).toBeGreaterThan((2 / 3) * perSecond);
      }),
      { numRuns: 2000 },
    );
  });
});
