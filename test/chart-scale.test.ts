// The axis of a chart: its lines stand evenly around all values, and what is written beside one is where it stands.
import fc from "fast-check";
import { expect, it } from "vitest";

import { lengthOf, lengthText, roundLength } from "../dashboard/operator/lengths.ts";
import { depthOf, linePath, scaleOf } from "../dashboard/parts/chart-scale.ts";

const values = fc.array(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), { maxLength: 60 });
const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };

it("lines stand evenly, 0 is one of them, and no value is beyond the first or the last", () => {
  fc.assert(
    fc.property(values, (given) => {
      const { low, high, ticks } = scaleOf(given);
      const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
      expect(ticks).toContain(0);
      expect(step).toBeGreaterThan(0);
      expect(ticks.every((tick, index) => tick === low + index * step)).toBe(true);
      expect([ticks[0], ticks.at(-1)]).toEqual([low, high]);
      expect(given.every((value) => low <= value && value <= high)).toBe(true);
      expect(ticks.length).toBeLessThanOrEqual(8);
    }),
  );
});

it("a line of lengths is called by its own length, and no two alike", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100 * 86_400, noNaN: true }), (longest) => {
      const { ticks, high } = scaleOf([longest], roundLength);
      expect(high).toBeGreaterThanOrEqual(longest);
      for (const tick of ticks) {
        const { value, unit } = lengthOf(tick);
        expect(value * (UNITS[unit] ?? Number.NaN)).toBe(tick);
      }
      expect(new Set(ticks.map(lengthText)).size).toBe(ticks.length);
      expect(ticks.length).toBeLessThanOrEqual(8);
    }),
  );
});

it("a line is interrupted where there is no value, and a value alone is a dot", () => {
  const scale = scaleOf([0, 4]);
  expect([depthOf(scale, 4), depthOf(scale, 0)]).toEqual([0, 100]);
  expect(linePath(scale, [4, 0, null, 2, null])).toBe("M0.5 0h0L1.5 100M3.5 50h0");
});
