// Which amounts, currencies and fees a payment may have.
import { LEAST_CHARGE, mostCharge, WHOLE_CURRENCIES } from "../core/currency.ts";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";

const CURRENCIES = new Set(
  (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny " +
    "cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd " +
    "jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn " +
    "nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs " +
    "tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw"
  ).split(" "),
);

/** The currency in small letters. @throws StripeFailure 400 it is none */
export function checkedCurrency(currency: string): string {
  const code = currency.toLowerCase();
  if (CURRENCIES.has(code)) return code;
  throw invalidRequest(
    `Invalid currency: ${code}. Stripe currently supports these currencies: ${[...CURRENCIES].join(", ")}`,
    { param: "currency" },
  );
}

/** @throws StripeFailure 400 not positive, under the currency's least, or over Stripe's most */
export function checkAmount(amount: number, currency: string): void {
  if (amount === 0) {
    throw invalidRequest(
      "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).",
      { param: "amount", code: "parameter_invalid_integer" },
    );
  }
  checkPositive(amount, "amount");
  const most = mostCharge(currency);
  if (amount > most) {
    throw invalidRequest(`Amount must be no more than ${written(most, currency)}`, {
      param: "amount",
      code: "amount_too_large",
    });
  }
  const least = LEAST_CHARGE[currency] ?? 1;
  if (amount < least) {
    throw invalidRequest(`Amount must be at least ${written(least, currency)}`, {
      param: "amount",
      code: "amount_too_small",
    });
  }
}

export function checkPositive(amount: number, param: string): void {
  if (amount >= 1) return;
  throw invalidRequest("This value must be greater than or equal to 1.", { param, code: "parameter_invalid_integer" });
}

/** `$10.00 usd`, as Stripe's messages write money. */
export function written(amount: number, currency: string): string {
  return `${SIGNS[currency] ?? ""}${plain(amount, currency)} ${currency}`;
}

const SIGNS: Readonly<Record<string, string>> = { usd: "$", eur: "€", gbp: "£", jpy: "¥" };

const plain = (amount: number, currency: string): string =>
  WHOLE_CURRENCIES.has(currency) ? String(amount) : (amount / 100).toFixed(2);

/** `$10.00`; without a sign of its own the currency is named. */
export function signed(amount: number, currency: string): string {
  const sign = SIGNS[currency];
  return sign === undefined ? written(amount, currency) : sign + plain(amount, currency);
}

/** @throws StripeFailure 400 a fee that nobody can pay, or that is more than the payment */
export function checkFee(
  tx: Transaction,
  { amount, fee, isConnected }: { amount: number; fee: number; isConnected: boolean },
): void {
  const param = "application_fee_amount";
  const isDirect = tx.scope.account !== tx.world.platform(tx.scope).account;
  if (!isDirect && !isConnected) {
    throw invalidRequest(
      "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
      { param },
    );
  }
  if (fee < 0)
    throw invalidRequest("This value must be greater than or equal to 0.", {
      param,
      code: "parameter_invalid_integer",
    });
  if (fee > amount) {
    throw invalidRequest(
      `The application fee amount (${fee}) must not be more than the amount of the payment (${amount}).`,
      { param },
    );
  }
}
