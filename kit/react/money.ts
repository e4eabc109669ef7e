// Amounts as people read them, in their own language.

/** As Stripe counts: ISK and UGX in hundredths, though neither has a smaller unit any more. */
const WHOLE = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const THOUSANDTHS = new Set("bhd jod kwd omr tnd".split(" "));

/** `amount` in the currency's smallest unit; `locale`: the browser's unless it is named. */
export function money(amount: number, currency: string, locale?: string): string {
  const code = currency.toLowerCase();
  const digits = WHOLE.has(code) ? 0 : THOUSANDTHS.has(code) ? 3 : 2;
  const options = {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  } as const;
  return new Intl.NumberFormat(locale, options).format(amount / 10 ** digits);
}
