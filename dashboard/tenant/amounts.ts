// Amounts as people type them, in whole minor units and back; and the platform's share of one.
import { money } from "../../kit/react/money.ts";

const CODE = /^[a-z]{3}$/i;

/** How many decimals the currency has; undefined: it is no currency's code. */
function decimalsOf(currency: string): number | undefined {
  if (!CODE.test(currency)) return undefined;
  return money(0, currency, "en").split(".")[1]?.length ?? 0;
}

/** `12.5` of usd → 1250. Undefined: it is no amount of this currency. */
export function minorUnits(text: string, currency: string): number | undefined {
  const decimals = decimalsOf(currency);
  const match = /^(\d{1,12})(?:\.(\d+))?$/.exec(text.trim());
  if (decimals === undefined || match === null) return undefined;
  const [, whole = "", part = ""] = match;
  if (part.length > decimals) return undefined;
  return Number(whole + part.padEnd(decimals, "0"));
}

/** 1250 of usd → `12.50`. */
export function majorText(amount: number, currency: string): string {
  const decimals = decimalsOf(currency) ?? 0;
  const digits = String(amount).padStart(decimals + 1, "0");
  if (decimals === 0) return digits;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Round half up of total × percent / 100, as the server counts it. */
export function feeOf(total: number, percent: number): number {
  const hundredths = BigInt(Math.round(percent * 100));
  return Number((BigInt(total) * hundredths + 5_000n) / 10_000n);
}
