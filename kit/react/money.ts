// Amounts as people read them, in their own language.

/** As Stripe counts: ISK and UGX in hundredths, though neither has a smaller unit any more. */
const WHOLE = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const THOUSANDTHS = new Set("bhd jod kwd omr tnd".split(" "));

/** `amount` in the currency's smallest unit; `locale`: the browser's unless it is named. */
export function money(amount: number, currency: string, locale?: string): string {
  const code = currency.toLowerCase();
  const digits = WHOLE.has(code) ? 0 : THOUSANDTHS.has(code) ? 3 : 2;
  return formatOf(code, digits, locale).format(amount / 10 ** digits);
}

/** By currency and language: to make one takes forty times as long as to use it. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, digits: number, locale: string | undefined): Intl.NumberFormat {
  const name = `${currency} ${locale ?? ""}`;
  let format = formats.get(name);
  if (format === undefined) {
    const options = {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    } as const;
    format = new Intl.NumberFormat(locale, options);
    formats.set(name, format);
  }
  return format;
}
