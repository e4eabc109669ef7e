// What Stripe charges at least and at most, and in which steps, checked before it is asked: below the least it would book the sum to the customer. Pure.
import { publicError } from "../base/errors.ts";
import { fractionDigits } from "../base/money.ts";
import { type InvoiceItem, totalOf } from "../connections/connected-invoice.ts";

/** In minor units, from Stripe's page on supported currencies. Of others Stripe says itself what is too little. */
const LEAST: Readonly<Record<string, number>> = {
  ...{ aed: 200, aud: 50, bgn: 100, brl: 50, cad: 50, chf: 50, czk: 1500, dkk: 250, eur: 50, gbp: 30, hkd: 400 },
  ...{ huf: 17_500, inr: 50, jpy: 50, mxn: 1000, myr: 200, nok: 300, nzd: 50, pln: 200, ron: 200, sek: 300, sgd: 50 },
  ...{ thb: 1000, usd: 50 },
};

/** Twelve digits: of the currency with the most, for schemas that know none. */
export const MOST = 999_999_999_999;

/** The same page: eight digits, and twelve in Indonesian rupiahs. */
const EIGHT_DIGITS = 99_999_999;

/** The most that Stripe charges at once. */
export function mostOf(currency: string): number {
  return currency === "idr" ? MOST : EIGHT_DIGITS;
}

/** The same page: both have no smaller unit any more, and their hundredths are always 00. */
const HUNDREDTHS_OF_NOTHING: ReadonlySet<string> = new Set(["isk", "ugx"]);

/** The same page: an amount ends with a 0 where the currency has thousandths. 1 where each is charged. */
function stepOf(currency: string): number {
  if (HUNDREDTHS_OF_NOTHING.has(currency)) return 100;
  return fractionDigits(currency) === 3 ? 10 : 1;
}

/** Throws `invalid_request` for the price of one thing that Stripe would not charge. `free`: it may cost nothing. */
export function checkPrice(amount: number, currency: string, { free = false }: { free?: boolean } = {}): void {
  const [least, most] = [LEAST[currency] ?? 1, mostOf(currency)];
  if (amount > most || (amount < least && !(free && amount === 0))) {
    throw publicError("invalid_request", {
      param: "amount",
      message: `In ${currency} the amount must be from ${String(least)} to ${String(most)}, in the smallest unit.`,
    });
  }
  checkStep(amount, currency, { param: "amount", what: "the amount" });
}

function checkStep(amount: number, currency: string, { param, what }: { param: string; what: string }): void {
  const step = stepOf(currency);
  if (amount % step === 0) return;
  throw publicError("invalid_request", {
    param,
    message: `In ${currency} Stripe charges multiples of ${String(step)} of the smallest unit: ${what} is ${String(amount)}.`,
  });
}

/** Throws `invalid_request` for a total that Stripe would not charge. */
export function checkTotal(items: readonly InvoiceItem[], currency: string): void {
  const [least, most] = [LEAST[currency] ?? 1, mostOf(currency)];
  for (const [index, { amount, quantity }] of items.entries()) {
    if (amount * quantity <= most) continue;
    throw publicError("invalid_request", {
      param: `items.${String(index)}.amount`,
      message: `amount × quantity must be at most ${String(most)}: split the item into several invoices.`,
    });
  }
  const total = totalOf(items);
  const param = items.length === 1 ? "items.0.amount" : "items";
  if (total < least || total > most) {
    throw publicError("invalid_request", {
      param,
      message: `The items come to ${String(total)}: in ${currency} it must be from ${String(least)} to ${String(most)}, in the smallest unit.`,
    });
  }
  checkStep(total, currency, { param, what: "the total" });
}
