// Amounts and dates as people read them.

import { WHOLE_CURRENCIES } from "../core/currency.ts";

/** `amount` in the currency's smallest unit: (2000, "usd") is "$20.00". */
export function money(amount: number | null | undefined, currency: string | null | undefined): string {
  const code = (currency ?? "usd").toLowerCase();
  const value = WHOLE_CURRENCIES.has(code) ? (amount ?? 0) : (amount ?? 0) / 100;
  try {
    return new Intl.NumberFormat("en-US", { style: "currency", currency: code }).format(value);
  } catch (error) {
    // Intl knows only codes of three letters; a sandbox may hold others.
    if (error instanceof RangeError) return `${value} ${code.toUpperCase()}`;
    throw error;
  }
}

/** Unix seconds as "21 Nov 2026". */
export function day(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(seconds * 1000));
}

/** "every month", "every 3 months". */
export function interval(recurring: { interval: string; interval_count: number }): string {
  const { interval: unit, interval_count: count } = recurring;
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}
