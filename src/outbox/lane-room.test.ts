import fc from "fast-check";
import { expect, it } from "vitest";

import { shareOf } from "./lane-room.ts";

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const NEEDS = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 });

it("what endpoints of a tenant share is used up where they need as much, their needs never pass it by more than one for each, and nobody has less than an equal part", () => {
  fc.assert(
    fc.property(NEEDS, fc.integer({ min: 0, max: 512 }), (needs, left) => {
      const share = shareOf(needs, left);
      const taken = sum(needs.map((need) => Math.min(need, share)));
      expect(taken).toBeGreaterThanOrEqual(Math.min(left, sum(needs)));
      expect(taken).toBeLessThan(left + needs.length);
      expect(share).toBeGreaterThanOrEqual(Math.floor(left / needs.length));
    }),
  );
});
