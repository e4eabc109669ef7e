// Billing periods: whole intervals from one anchor, whatever the month is long.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { configuredAnchor, cycleAt, cycleStart } from "../sandbox/subscriptions/billing-cycle.ts";
import { prorationDescription, remainingAmount } from "../sandbox/subscriptions/proration.ts";

const at = (text: string): number => Date.parse(`${text}${text.length > 10 ? "" : "T00:00:00"}Z`) / 1000;
const day = (moment: number): string => new Date(moment * 1000).toISOString().slice(0, 10);
const MONTHLY = { interval: "month", interval_count: 1 };
const YEARLY = { interval: "year", interval_count: 1 };

const recurrences = fc.record({
  interval: fc.constantFrom("day", "week", "month", "year"),
  interval_count: fc.integer({ min: 1, max: 12 }),
});
const moments = fc.integer({ min: at("2000-01-01"), max: at("2080-01-01") });

describe("a billing cycle", () => {
  it("keeps the anchor's day where the month has it, and ends with the month where not", () => {
    const anchor = at("2027-01-31T10:20:30");
    const starts = [1, 2, 3, 4, 13].map((count) => day(cycleStart(anchor, MONTHLY, count)));
    expect(starts).toEqual(["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31", "2028-02-29"]);
    expect(cycleStart(anchor, MONTHLY, 1) % 86_400).toBe(anchor % 86_400);
  });

  it("of a year from 29 February ends on 28 February until the next leap year", () => {
    const starts = [1, 2, 3, 4].map((count) => day(cycleStart(at("2024-02-29"), YEARLY, count)));
    expect(starts).toEqual(["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
  });

  it("holds the moment it was asked for, and ends where the next begins", () => {
    fc.assert(
      fc.property(moments, recurrences, moments, (anchor, recurrence, moment) => {
        const { start, end } = cycleAt(anchor, recurrence, moment);
        expect(start).toBeLessThanOrEqual(moment);
        expect(end).toBeGreaterThan(moment);
        expect(cycleAt(anchor, recurrence, end).start).toBe(end);
        expect(cycleAt(anchor, recurrence, start)).toEqual({ start, end });
      }),
    );
  });

  it("never drifts: a hundred months one by one are a hundred months at once", () => {
    fc.assert(
      fc.property(moments, (anchor) => {
        let moment = anchor;
        for (let count = 0; count < 100; count += 1) moment = cycleAt(anchor, MONTHLY, moment).end;
        expect(moment).toBe(cycleStart(anchor, MONTHLY, 100));
      }),
      { numRuns: 30 },
    );
  });

  it("begins on the configured day", () => {
    const start = at("2026-11-21T09:08:07");
    expect(configuredAnchor({ day_of_month: 1 }, start)).toBe(at("2026-12-01T09:08:07"));
    expect(configuredAnchor({ day_of_month: 31, hour: 6 }, start)).toBe(at("2026-11-30T06:00:00"));
    expect(configuredAnchor({ day_of_month: 15, month: 3 }, start)).toBe(at("2027-03-15T09:08:07"));
  });
});

describe("a proration", () => {
  it("of a period in two parts comes to the whole, but for one unit of rounding", () => {
    const amounts = fc.integer({ min: 0, max: 99_999_999 });
    const shares = fc.integer({ min: 0, max: 2_678_400 });
    fc.assert(
      fc.property(amounts, shares, (amount, second) => {
        const period = { start: 0, end: 2_678_400 };
        const used = remainingAmount(amount, { start: 0, end: 2_678_400 }, 2_678_400 - second);
        expect(Math.abs(remainingAmount(amount, period, second) + used - amount)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is everything before the period and nothing after it", () => {
    const period = { start: 100, end: 200 };
    expect([50, 100, 150, 200, 250].map((moment) => remainingAmount(1000, period, moment))).toEqual([
      1000, 1000, 500, 0, 0,
    ]);
  });

  it("is described as Stripe does", () => {
    expect(prorationDescription("Unused", "Gold", 1, at("2026-07-03"))).toBe("Unused time on Gold after 03 Jul 2026");
    expect(prorationDescription("Remaining", "Gold", 2, at("2026-12-31"))).toBe(
      "Remaining time on 2 × Gold after 31 Dec 2026",
    );
  });
});
