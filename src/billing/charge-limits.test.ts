// What Stripe charges: eight digits at most and twelve in Indonesian rupiahs, and whole kronas, shillings and hundredths of dinars.
import { describe, expect, it } from "vitest";

import { checkPrice, checkTotal, mostOf } from "./charge-limits.ts";

const item = (amount: number, quantity = 1) => ({ description: "a", amount, quantity });

describe("what may be charged at once", () => {
  it.each([
    ["usd", 99_999_999],
    ["jpy", 99_999_999],
    ["idr", 999_999_999_999],
  ])("in %s is %d at most, of one price and of all items together", (currency, most) => {
    expect(mostOf(currency)).toBe(most);
    expect(() => {
      checkPrice(most, currency);
      checkTotal([item(most)], currency);
      checkTotal([item(most - 100), item(100)], currency);
    }).not.toThrow();
    const over = expect.objectContaining({ code: "invalid_request", message: expect.stringContaining(String(most)) });
    expect(() => {
      checkPrice(most + 1, currency);
    }).toThrow(over);
    expect(() => {
      checkTotal([item(most), item(100)], currency);
    }).toThrow(over);
    expect(() => {
      checkTotal([item(most, 1_000_000)], currency);
    }).toThrow(over);
  });

  it.each([
    ["isk", 1000, 1050, 100],
    ["ugx", 500_000, 500_001, 100],
    ["kwd", 5120, 5124, 10],
    ["bhd", 1000, 1005, 10],
    ["tnd", 20, 21, 10],
  ])("in %s it comes in steps: %d is charged, %d is not", (currency, right, wrong, step) => {
    expect(() => {
      checkPrice(right, currency);
      checkPrice(0, currency, { free: true });
      checkTotal([item(right)], currency);
      // Only what is charged counts.
      checkTotal([item(right - 1), item(1)], currency);
    }).not.toThrow();
    const off = expect.objectContaining({
      code: "invalid_request",
      message: `In ${currency} Stripe charges multiples of ${String(step)} of the smallest unit: the amount is ${String(wrong)}.`,
    });
    expect(() => {
      checkPrice(wrong, currency);
    }).toThrow(off);
    const total = expect.objectContaining({
      param: "items.0.amount",
      message: expect.stringContaining("the total is"),
    });
    expect(() => {
      checkTotal([item(wrong)], currency);
    }).toThrow(total);
  });
});
