// Cards: from a number, a test token or a kept token; as a payment method's part, and as the older card object.
import { createHash } from "node:crypto";

import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { cardError, invalidRequest, noSuch } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { fresh, orNull } from "./fresh.ts";
import { cardOfNumber, hasCheckDigit, numberOfName } from "./test-cards.ts";

/** What is known of a card when it is given: by the API, by a token, or by a page's form. */
export interface CardNumber {
  number: string;
  exp_month: number;
  exp_year: number;
  cvc?: string | undefined;
  address?: Stripe.PaymentMethod.BillingDetails["address"] | undefined;
  name?: string | undefined;
}

export interface RawCard {
  number?: string;
  exp_month?: number | string;
  exp_year?: number | string;
  cvc?: string;
  name?: string;
  address_zip?: string;
  address_line1?: string;
}

/** The card that `tok_visa`, `pm_card_visa` and their kin stand for; undefined when there is none of that name. */
export function namedCard(tx: Transaction, name: string): CardNumber | undefined {
  const number = numberOfName(name);
  return number === undefined ? undefined : { number, exp_month: 12, exp_year: yearOf(tx) + 4, cvc: "123" };
}

/** @throws StripeFailure 402: the number has no check digit, the month or the year has passed, the code is too short */
export function checkedCard(tx: Transaction, raw: RawCard): CardNumber {
  const number = (raw.number ?? "").replaceAll(/[\s-]/g, "");
  if (!hasCheckDigit(number)) {
    throw cardError({ code: "incorrect_number", message: "Your card number is incorrect.", param: "number" });
  }
  const month = Number(raw.exp_month);
  const year = Number(raw.exp_year) < 100 ? 2000 + Number(raw.exp_year) : Number(raw.exp_year);
  if (!(month >= 1 && month <= 12)) {
    const message = "Your card's expiration month is invalid.";
    throw cardError({ code: "invalid_expiry_month", message, param: "exp_month" });
  }
  const today = new Date(tx.now * 1000);
  const hasPassed = year === yearOf(tx) && month < today.getUTCMonth() + 1;
  if (!Number.isInteger(year) || year < yearOf(tx) || year > yearOf(tx) + 50 || hasPassed) {
    const [code, param] = hasPassed ? ["invalid_expiry_month", "exp_month"] : ["invalid_expiry_year", "exp_year"];
    throw cardError({ code, message: `Your card's expiration ${hasPassed ? "month" : "year"} is invalid.`, param });
  }
  if (raw.cvc !== undefined && !/^\d{3,4}$/.test(raw.cvc)) {
    throw cardError({ code: "invalid_cvc", message: "Your card's security code is invalid.", param: "cvc" });
  }
  return { number, exp_month: month, exp_year: year, cvc: raw.cvc, name: raw.name };
}

/** The `card` part of a payment method. */
export function cardPart(card: CardNumber): Record<string, unknown> {
  const { brand, behavior, country, funding } = cardOfNumber(card.number);
  const failing = behavior.startsWith("check_fails:") ? behavior.slice("check_fails:".length) : undefined;
  const check = (name: string, given: boolean) => (failing === name ? "fail" : given ? "pass" : null);
  return blankPart("payment_method.card", {
    brand,
    checks: {
      address_line1_check: check("address_line1_check", Boolean(card.address?.line1)),
      address_postal_code_check: check("address_postal_code_check", Boolean(card.address?.postal_code)),
      cvc_check: check("cvc_check", card.cvc !== undefined),
    },
    country,
    display_brand: brand,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: fingerprint(card.number),
    funding,
    last4: card.number.slice(-4),
    networks: { available: [brand], preferred: null },
    regulated_status: "unregulated",
    three_d_secure_usage: { supported: true },
  });
}

const BRAND_NAMES: Readonly<Record<string, string>> = {
  visa: "Visa",
  mastercard: "MasterCard",
  amex: "American Express",
  discover: "Discover",
  diners: "Diners Club",
  jcb: "JCB",
  unionpay: "UnionPay",
};

/** The older card object, of a token or a customer's source; kept, with what it does when it is charged. */
export function makeCard(
  tx: Transaction,
  card: CardNumber,
  known: Readonly<Record<string, unknown>> = {},
): Stripe.Card {
  const { brand, behavior, country, funding } = cardOfNumber(card.number);
  const made = fresh(tx, "card", {
    address_city: orNull(card.address?.city),
    address_country: orNull(card.address?.country),
    address_line1: orNull(card.address?.line1),
    address_zip: orNull(card.address?.postal_code),
    brand: BRAND_NAMES[brand] ?? "Unknown",
    country,
    cvc_check: card.cvc === undefined ? null : "unchecked",
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: fingerprint(card.number),
    funding,
    last4: card.number.slice(-4),
    metadata: {},
    name: orNull(card.name),
    networks: { preferred: null },
    regulated_status: "unregulated",
    ...known,
  });
  // The wire has neither for a card.
  const {
    created: _created,
    livemode: _livemode,
    ...rest
  } = made as Stripe.Card & { created: number; livemode: boolean };
  tx.put("_instrument", { id: made.id, object: "_instrument", created: tx.now, behavior, number: card.number });
  return tx.put("card", rest);
}

/**
 * A new card from what callers give as a source: `tok_visa`, a token made here (used up), or a hash with a number.
 * @throws StripeFailure 400 no such token, or it was used; 402 the number is wrong
 */
export function createCard(
  tx: Transaction,
  source: string | object,
  known: Readonly<Record<string, unknown>> = {},
  param = "source",
): Stripe.Card {
  if (typeof source !== "string") return makeCard(tx, checkedCard(tx, source), known);
  const token = tx.find("token", source);
  if (token?.card !== undefined) {
    useToken(tx, token);
    return tx.put("card", { ...token.card, ...known });
  }
  const card = source.startsWith("tok_") ? namedCard(tx, source.slice("tok_".length)) : undefined;
  if (card === undefined) throw noSuch("token", source, param);
  return makeCard(tx, card, known);
}

/** A token serves once. */
export function useToken(tx: Transaction, token: Stripe.Token): void {
  if (token.used) {
    throw invalidRequest(`You cannot use a Stripe token more than once: ${token.id}.`, {
      code: "token_already_used",
    });
  }
  tx.put("token", { ...token, used: true });
}

/** The same for the same number, everywhere. */
export function fingerprint(number: string): string {
  return createHash("sha256")
    .update(`sandbox ${number}`)
    .digest("base64")
    .replaceAll(/[^0-9A-Za-z]/g, "")
    .slice(0, 16);
}

const yearOf = (tx: Transaction): number => new Date(tx.now * 1000).getUTCFullYear();
