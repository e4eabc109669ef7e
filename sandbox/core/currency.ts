// What currencies have in common everywhere: the least that may be charged, and which have no smaller unit.

/** In the currency's smallest unit, by Stripe's docs on minimum charge amounts. Others: about 50 US cents, not checked. */
export const LEAST_CHARGE: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
};

/** The most that may be charged, by the same docs: twelve digits in Indonesian rupiahs, eight in every other currency. */
export function mostCharge(currency: string): number {
  return currency === "idr" ? 999_999_999_999 : 99_999_999;
}

/** Their amounts are whole. */
export const WHOLE_CURRENCIES: ReadonlySet<string> = new Set(
  "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "),
);
