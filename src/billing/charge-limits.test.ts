// What Stripe charges at most: eight digits, and twelve in Indonesian rupiahs.
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
});
