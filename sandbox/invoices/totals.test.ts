// Discounts and taxes of invoices: which lines they are for, how they stack, and that every sum holds.
import fc from "fast-check";
import type Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { type DiscountTerms, type GrossLine, invoiceTotals, lineTotals } from "./totals.ts";

const line = (amount: number, more: Partial<GrossLine> = {}): GrossLine => ({
  amount,
  discountable: true,
  product: "prod_a",
  discounts: [],
  rates: null,
  givenTaxes: null,
  ...more,
});
const rate = (id: string, percentage: number, inclusive = false) => ({ id, percentage, inclusive }) as Stripe.TaxRate;

const DISCOUNTS: Record<string, DiscountTerms> = {
  half: { id: "half", percent_off: 50, amount_off: null, products: null },
  tenth: { id: "tenth", percent_off: 10, amount_off: null, products: null },
  dollar: { id: "dollar", percent_off: null, amount_off: 100, products: null },
  onlyB: { id: "onlyB", percent_off: 50, amount_off: null, products: ["prod_b"] },
};

function totals(lines: GrossLine[], discounts: string[], rates: Stripe.TaxRate[] = [], exempt: string | null = "none") {
  const perLine = lineTotals(lines, discounts, (id) => DISCOUNTS[id], { rates, exempt });
  const whole = lines.map((each, at) => ({ amount: each.amount, discount_amounts: [], taxes: [], ...perLine[at] }));
  return { perLine, sums: invoiceTotals(whole, new Set(lines.flatMap((each) => each.discounts))) };
}

describe("the totals of an invoice", () => {
  test("discounts are taken one after the other, and never from lines they are not for", () => {
    const { perLine, sums } = totals([line(1000), line(500, { discountable: false })], ["half", "tenth"]);
    expect(perLine[0]?.discount_amounts).toEqual([
      { amount: 500, discount: "half" },
      { amount: 50, discount: "tenth" },
    ]);
    expect(perLine[1]?.discount_amounts).toEqual([]);
    expect(sums).toMatchObject({ subtotal: 1500, total: 950 });
    expect(totals([line(1000), line(1000, { product: "prod_b" })], ["onlyB"]).sums.total).toBe(1500);
  });

  test("an amount off is spread over the lines and never more than they cost", () => {
    const { perLine, sums } = totals([line(100), line(100), line(100)], ["dollar"]);
    expect(perLine.map(({ discount_amounts }) => discount_amounts[0]?.amount)).toEqual([33, 34, 33]);
    expect(sums.total).toBe(200);
    expect(totals([line(60)], ["dollar"]).sums.total).toBe(0);
  });

  test("a discount of a line is in the subtotal already, one of the invoice is not", () => {
    const { sums } = totals([line(1000, { discounts: ["half"] })], ["tenth"]);
    expect(sums).toMatchObject({ subtotal: 500, total: 450 });
    expect(sums.total_discount_amounts).toEqual([
      { amount: 500, discount: "half" },
      { amount: 50, discount: "tenth" },
    ]);
  });

  test("exclusive taxes come on top, inclusive ones are inside, and each is summed by rate", () => {
    const { sums } = totals([line(1000), line(333)], ["tenth"], [rate("vat", 19)]);
    expect(sums.total_taxes).toMatchObject([{ amount: 171 + 57, taxable_amount: 1200, tax_behavior: "exclusive" }]);
    expect(sums).toMatchObject({ subtotal: 1333, total: 1200 + 228, total_excluding_tax: 1200 });
    const inside = totals([line(1200)], [], [rate("gst", 20, true)]).sums;
    expect(inside).toMatchObject({
      subtotal: 1200,
      total: 1200,
      total_excluding_tax: 1000,
      subtotal_excluding_tax: 1000,
    });
  });

  test("customers who are exempt pay no tax", () => {
    const { sums } = totals([line(1000)], [], [rate("vat", 19)], "reverse");
    expect(sums.total).toBe(1000);
    expect(sums.total_taxes).toMatchObject([{ amount: 0, taxability_reason: "reverse_charge" }]);
  });

  test("whatever the lines, total = subtotal - discounts + exclusive taxes", () => {
    const any = fc.array(
      fc.record({ amount: fc.integer({ min: -100_000, max: 100_000 }), discountable: fc.boolean() }),
      { maxLength: 8 },
    );
    const chosen = fc.subarray(["half", "tenth", "dollar", "onlyB"]);
    fc.assert(
      fc.property(
        any,
        chosen,
        fc.integer({ min: 0, max: 2500 }),
        fc.boolean(),
        (lines, discounts, percent, inclusive) => {
          const { sums } = totals(
            lines.map((each) => line(each.amount, each)),
            discounts,
            [rate("tax", percent / 100, inclusive)],
          );
          const off = sums.total_discount_amounts.reduce((sum, { amount }) => sum + amount, 0);
          const tax = sums.total_taxes.reduce((sum, { amount }) => sum + amount, 0);
          expect(sums.total).toBe(sums.subtotal - off + (inclusive ? 0 : tax));
          expect(sums.total_excluding_tax).toBe(sums.total - tax);
          expect(Number.isSafeInteger(sums.total)).toBe(true);
        },
      ),
    );
  });
});
