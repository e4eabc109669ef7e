// Amounts as `billhook/react` writes them.
import { afterEach, expect, it, vi } from "vitest";

import { money } from "../kit/react/money.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  [1250, "usd", "en", "$12.50"],
  [1250, "USD", "en", "$12.50"],
  [1250, "jpy", "en", "¥1,250"],
  [1250, "isk", "en", "ISK 12.50"],
  [1250, "kwd", "en", "KWD 1.250"],
  [-5, "eur", "de", "-0,05 €"],
])("%s of %s reads in %s as %s", (amount, currency, locale, said) => {
  expect(money(amount, currency, locale).replaceAll("\u00a0", " ")).toBe(said);
});

it("a thousand amounts take one format for each currency and language", () => {
  const made = vi.spyOn(Intl, "NumberFormat");
  for (let amount = 0; amount < 1000; amount++) {
    for (const currency of ["chf", "CHF", "sek"]) money(amount, currency, "en");
    money(amount, "chf", "fr");
  }
  expect(made.mock.calls.length).toBe(3);
});
