// What parameters say: fields that an empty value unsets, ids in a path, texts of decimals, currencies.
import { invalidRequest } from "../core/errors.ts";
import type { Kind, Kinds } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

/** The currency of the sandbox's accounts: amounts without one are in it. */
export const ACCOUNT_CURRENCY = "usd";

/** In the order of Stripe's own sentence about them. */
const CURRENCIES = (
  "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp " +
  "cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr " +
  "isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr " +
  "mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd " +
  "std szl thb tjs tnd top try ttd twd tzs uah ugx usdc uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw"
).split(" ");

/** The field after an update: left out keeps it, empty unsets it. */
export function given<T>(value: T | "" | null | undefined, old: T | null = null): T | null {
  if (value === undefined) return old;
  return value === "" || value === null ? null : value;
}

/** The object that a path names; 404 with Stripe's own `param` for that resource. */
export function named<K extends Kind>(tx: Transaction, kind: K, id: string, param: string): Kinds[K] {
  const found = tx.find(kind, id);
  if (found === undefined) {
    const words = kind.replaceAll(/[._]/g, " ");
    throw invalidRequest(`No such ${words}: '${id}'`, { param, code: "resource_missing", status: 404 });
  }
  return found;
}

/** In lower case; ends the call when Stripe knows no such currency. */
export function currencyOf(code: string, param = "currency"): string {
  const currency = code.toLowerCase();
  if (CURRENCIES.includes(currency)) return currency;
  const list = CURRENCIES.join(", ");
  throw invalidRequest(`Invalid currency: ${currency}. Stripe currently supports these currencies: ${list}`, { param });
}

/** A key of `currency_options`: unlike a value it must be written in lower case. */
export function currencyKey(code: string, param: string): string {
  const currency = currencyOf(code, param);
  if (currency === code) return currency;
  const message = `Currencies must be lowercase when used as keys in a map. Use \`${currency}\` instead of \`${code}\`.`;
  throw invalidRequest(message, { param });
}

export function notNegative(amount: number | undefined, param: string): void {
  if (amount !== undefined && amount < 0) {
    throw invalidRequest("Invalid non-negative integer", { param, code: "parameter_invalid_integer" });
  }
}

export function inFuture(tx: Transaction, time: number | undefined, param: string): void {
  if (time === undefined || time > tx.now) return;
  const message =
    `The parameter \`${param}\` expects a unix timestamp representing a date and time in the future. ` +
    `You specified the value \`${time}\` which is in the past.`;
  throw invalidRequest(message, { param });
}

export interface Amount {
  unit_amount: number | null;
  unit_amount_decimal: string | null;
}

/** Text at run time, whatever the SDK's types say. */
type DecimalParam = { toString(): string } | string | null | undefined;

/** Both faces of an amount: whole minor units, and a decimal text without needless zeros. */
export function amountOf(whole: number | undefined, decimal: DecimalParam): Amount {
  if (whole !== undefined) return { unit_amount: whole, unit_amount_decimal: String(whole) };
  if (decimal === undefined || decimal === null) return { unit_amount: null, unit_amount_decimal: null };
  const [units = "0", fraction = ""] = decimal.toString().split(".");
  const places = fraction.replace(/0+$/, "");
  const text = String(Number(units)) + (places === "" ? "" : `.${places}`);
  return { unit_amount: places === "" ? Number(units) : null, unit_amount_decimal: text };
}

/** One of two parameters, not both. */
export function onlyOne(params: object, one: string, other: string): void {
  const has = (name: string) => name in params && (params as Record<string, unknown>)[name] !== undefined;
  if (has(one) && has(other)) {
    throw invalidRequest(`You may only specify one of these parameters: ${one}, ${other}.`, { param: one });
  }
}

/** Calendar months later, on the last day of a shorter month. Unix seconds. */
export function monthsAfter(time: number, months: number): number {
  const from = new Date(time * 1000);
  const day = from.getUTCDate();
  from.setUTCDate(1);
  from.setUTCMonth(from.getUTCMonth() + months);
  const days = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 0)).getUTCDate();
  from.setUTCDate(Math.min(day, days));
  return Math.floor(from.getTime() / 1000);
}
