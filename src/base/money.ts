// Money as Stripe counts it, and as people read it. Pure.

/** An amount in the currency's smallest unit, as Stripe's API has it: cents, yen, fils. Whole. */
export type MinorUnits = number;

/** Stripe's docs on currencies. Amounts of ISK and UGX are hundredths there, although both have no smaller unit any more. */
const WHOLE: ReadonlySet<string> = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const THOUSANDTHS: ReadonlySet<string> = new Set("bhd jod kwd omr tnd".split(" "));

/** How many digits of a Stripe amount stand behind the point: 0, 2 or 3. */
export function fractionDigits(currency: string): number {
  const code = currency.toLowerCase();
  if (WHOLE.has(code)) return 0;
  return THOUSANDTHS.has(code) ? 3 : 2;
}

/** `$12.50`, `¥1,250`, `KWD 1.250`, exact for every safe integer. Throws for a broken amount, or a code that is not three letters. */
export function moneyText(amount: MinorUnits, currency: string): string {
  if (!Number.isSafeInteger(amount)) throw new Error("the amount is not a whole number of smallest units");
  if (!/^[A-Za-z]{3}$/.test(currency)) throw new Error("the currency is not a code of three letters");
  const digits = fractionDigits(currency);
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  const point = text.length - digits;
  const sign = amount < 0 ? "-" : "";
  // As text: divided as a number, an amount past 2^53 / 1000 would lose digits.
  const decimal = `${sign}${text.slice(0, point)}${digits === 0 ? "" : `.${text.slice(point)}`}` as `${number}`;
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(decimal);
}
