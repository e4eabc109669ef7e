import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fractionDigits, moneyText } from "./money.ts";

const spaced = (text: string): string => text.replace(/\u00a0/g, " ");

describe("an amount of money", () => {
  it.each([
    [1250, "usd", "$12.50"],
    [5, "EUR", "€0.05"],
    [1250, "jpy", "¥1,250"],
    [0, "jpy", "¥0"],
    [1250, "kwd", "KWD 1.250"],
    [7, "bhd", "BHD 0.007"],
    [123456789, "gbp", "£1,234,567.89"],
    [-999, "usd", "-$9.99"],
    [50000, "isk", "ISK 500.00"],
    [50000, "ugx", "UGX 500.00"],
    [17500, "huf", "HUF 175.00"],
    [2500, "xaf", "FCFA 2,500"],
  ])("%d of %s reads %s", (amount, currency, text) => {
    expect(spaced(moneyText(amount, currency))).toBe(text);
  });

  it("loses no digit, in any currency", () => {
    const currency = fc.constantFrom("usd", "jpy", "kwd", "clp", "eur", "tnd");
    fc.assert(
      fc.property(fc.maxSafeInteger(), currency, (amount, code) => {
        const digits = moneyText(amount, code).replace(/[^0-9]/g, "");
        expect(digits).toBe(String(Math.abs(amount)).padStart(fractionDigits(code) + 1, "0"));
      }),
    );
  });

  it("that is none is refused", () => {
    expect(() => moneyText(1.5, "usd")).toThrow("whole number");
    expect(() => moneyText(Number.NaN, "usd")).toThrow("whole number");
    expect(() => moneyText(1, "us dollars")).toThrow("three letters");
  });
});
