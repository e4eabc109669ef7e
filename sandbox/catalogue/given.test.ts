// Months and amounts as Stripe reckons them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { amountOf, monthsAfter } from "./given.ts";

const at = (text: string) => Date.parse(`${text}T12:00:00Z`) / 1000;

describe("months later", () => {
  it.each([
    ["2024-01-31", 1, "2024-02-29"],
    ["2023-01-31", 1, "2023-02-28"],
    ["2024-01-31", 2, "2024-03-31"],
    ["2024-02-29", 12, "2025-02-28"],
    ["2024-12-15", 1, "2025-01-15"],
  ])("than %s by %i is %s", (from, months, to) => {
    expect(monthsAfter(at(from), months)).toBe(at(to));
  });

  it("is in the month that many months on, at the same time of a day that is never later", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 48 }), (time, months) => {
        const [from, to] = [new Date(time * 1000), new Date(monthsAfter(time, months) * 1000)];
        const index = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();
        expect(index(to) - index(from)).toBe(months);
        expect(to.getTime() % 86_400_000).toBe(from.getTime() % 86_400_000);
        expect(to.getUTCDate()).toBeLessThanOrEqual(from.getUTCDate());
      }),
    );
  });
});

describe("an amount", () => {
  it.each([
    [1500, undefined, { unit_amount: 1500, unit_amount_decimal: "1500" }],
    [undefined, "1500", { unit_amount: 1500, unit_amount_decimal: "1500" }],
    [undefined, "123.450", { unit_amount: null, unit_amount_decimal: "123.45" }],
    [undefined, "0.00", { unit_amount: 0, unit_amount_decimal: "0" }],
    [undefined, undefined, { unit_amount: null, unit_amount_decimal: null }],
  ])("of %s or %s has both faces", (whole, decimal, faces) => {
    expect(amountOf(whole, decimal)).toEqual(faces);
  });
});
