// Exact sums of prices, tiers, packages, percentages and shares.
import fc from "fast-check";
import type Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { percentInside, percentOf, priceTotal, rounded, shareOf, times } from "./money.ts";

function price(more: Partial<Record<keyof Stripe.Price, unknown>>): Stripe.Price {
  const plain = { currency: "usd", billing_scheme: "per_unit", transform_quantity: null, unit_amount: 1000 };
  return { unit_amount_decimal: null, tiers_mode: null, ...plain, ...more } as unknown as Stripe.Price;
}

const TIERS = [
  { up_to: 5, unit_amount: 700, unit_amount_decimal: null, flat_amount: null, flat_amount_decimal: null },
  { up_to: null, unit_amount: 650, unit_amount_decimal: null, flat_amount: 100, flat_amount_decimal: null },
];

describe("what a price comes to", () => {
  test("a half is rounded away from zero", () => {
    expect([rounded(1n, 2n), rounded(-1n, 2n), rounded(5n, 10n), rounded(49n, 100n), rounded(-3n, 2n)]).toEqual([
      1, -1, 1, 0, -2,
    ]);
  });

  test("decimal unit prices are rounded once, after the quantity", () => {
    expect(times("0.5", 3)).toBe(2);
    expect(times("0.000000000001", 1)).toBe(0);
    expect(times("12.345", "1000")).toBe(12_345);
    expect(times("0.1", "2.5")).toBe(0);
    expect(times("-0.5", 1)).toBe(-1);
  });

  test("graduated tiers bill each unit at its own tier, volume tiers all at the last", () => {
    const tiered = { billing_scheme: "tiered", tiers: TIERS };
    expect(priceTotal(price({ ...tiered, tiers_mode: "graduated" }), 6)).toBe(5 * 700 + 650 + 100);
    expect(priceTotal(price({ ...tiered, tiers_mode: "graduated" }), 5)).toBe(3500);
    expect(priceTotal(price({ ...tiered, tiers_mode: "volume" }), 6)).toBe(6 * 650 + 100);
    expect(priceTotal(price({ ...tiered, tiers_mode: "volume" }), 0)).toBe(0);
  });

  test("packages are rounded as the price says", () => {
    expect(priceTotal(price({ transform_quantity: { divide_by: 10, round: "up" } }), 11)).toBe(2000);
    expect(priceTotal(price({ transform_quantity: { divide_by: 10, round: "down" } }), 19)).toBe(1000);
  });

  test("a price costs what its currency option says", () => {
    const eur = { unit_amount: 900, unit_amount_decimal: "900" };
    expect(priceTotal(price({ currency_options: { eur } }), 2, { currency: "eur" })).toBe(1800);
  });
});

describe("parts of amounts", () => {
  test("percentages and inclusive taxes are rounded to the nearest unit", () => {
    expect(percentOf(999, 10)).toBe(100);
    expect(percentOf(1005, 33.33)).toBe(335);
    expect(percentOf(-1005, 50)).toBe(-503);
    expect(percentInside(1200, 20, 20)).toBe(200);
    expect(percentInside(1000, 19, 19)).toBe(160);
  });

  test("shares of running sums add up to the whole, whatever it is", () => {
    const amounts = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(amounts, fc.nat(1_000_000), (parts, off) => {
        const whole = parts.reduce((sum, part) => sum + part, 0);
        if (whole === 0) return;
        expect(shareOf(off, whole, whole)).toBe(off);
      }),
    );
  });
});
