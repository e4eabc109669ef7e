import fc from "fast-check";
import { expect, it } from "vitest";

import { manualClock } from "../base/clock.ts";
import { timeAverage } from "./time-average.ts";

const SPAN = 100;

it("weighs each number by how long it was, so that a moment of another does not count", () => {
  const clock = manualClock();
  const average = timeAverage(SPAN, clock);
  for (let round = 0; round < 100; round++) {
    average.set(64);
    clock.advance(9);
    average.set(0);
    clock.advance(1);
  }
  expect(average.get()).toBeGreaterThan(55);
  expect(average.get()).toBeLessThan(64);
  average.set(0);
  clock.advance(3 * SPAN);
  expect(average.get()).toBeLessThan(4);
});

it("is never outside of what the number was, and is the same however often it is asked for", () => {
  const step = fc.record({ value: fc.nat(1000), milliseconds: fc.nat(500), asked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const clock = manualClock();
      const [asked, silent] = [timeAverage(SPAN, clock), timeAverage(SPAN, clock)];
      for (const { value, milliseconds, asked: isAsked } of steps) {
        asked.set(value);
        silent.set(value);
        clock.advance(milliseconds / 2);
        if (isAsked) asked.get();
        clock.advance(milliseconds / 2);
      }
      const greatest = Math.max(0, ...steps.map(({ value }) => value));
      expect(silent.get()).toBeGreaterThanOrEqual(0);
      expect(silent.get()).toBeLessThanOrEqual(greatest + 1e-9);
      expect(asked.get()).toBeCloseTo(silent.get(), 6);
    }),
  );
});
