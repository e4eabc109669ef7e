// Payment methods: made, found by id or test name, attached and detached; and what each does when it is charged.
import type Stripe from "stripe";

import { cardError, invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { namedPart, partOf } from "./bank-part.ts";
import { cardPart, checkedCard, namedCard, useToken, type CardNumber, type RawCard } from "./card.ts";
import { declineFor } from "./declines.ts";
import { fresh, orNull } from "./fresh.ts";
import { cardOfNumber } from "./test-cards.ts";

/** payment_method_data, or the parameters of POST /v1/payment_methods. */
export interface MethodInput {
  type?: string;
  card?: object;
  billing_details?: object;
  metadata?: "" | Record<string, string | number | null>;
  allow_redisplay?: string;
  customer?: string;
  payment_method?: string;
  [type: string]: unknown;
}

/** What the payment method, card or source does, without whether it may be used again. */
export function behaviorOf(tx: Transaction, id: string): string {
  return tx.find("_instrument", id)?.behavior.replace(SPENT, "") ?? "succeeds";
}

export function setBehavior(tx: Transaction, id: string, behavior: string): void {
  const old = tx.find("_instrument", id);
  tx.put("_instrument", { id, object: "_instrument", created: tx.now, number: "", ...old, behavior });
}

/** Used once without a customer, or taken from one: it may not be used again. */
const SPENT = "spent ";

export function spend(tx: Transaction, id: string): void {
  setBehavior(tx, id, SPENT + behaviorOf(tx, id));
}

export function refuseSpent(tx: Transaction, id: string): void {
  if (tx.find("_instrument", id)?.behavior.startsWith(SPENT) !== true) return;
  throw invalidRequest(
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
    { param: "payment_method" },
  );
}

/**
 * The payment method that a caller names: its id, a test name (`pm_card_visa`, `tok_visa`: a new one each time), or a
 * customer's card or source, seen as a payment method.
 * @throws StripeFailure "No such PaymentMethod" for that parameter
 */
export function resolvePaymentMethod(
  tx: Transaction,
  reference: string,
  param = "payment_method",
): Stripe.PaymentMethod {
  const found = tx.find("payment_method", reference) ?? olderMethod(tx, reference);
  if (found !== undefined) return found;
  const named = reference.startsWith("pm_") ? namedPart(reference.slice("pm_".length)) : undefined;
  if (named !== undefined) {
    return keepMethod(tx, named.type, named.part, named, {
      billing_details: { name: "Jenny Rosen", email: "jenny@example.com" },
    });
  }
  const [, name] = /^(?:pm_card_|tok_)(\w+)$/.exec(reference) ?? [];
  const token = tx.find("token", reference);
  const card = token === undefined ? (name === undefined ? undefined : namedCard(tx, name)) : cardOfToken(tx, token);
  if (card === undefined) {
    throw invalidRequest(`No such PaymentMethod: '${reference}'`, {
      param: param === "id" ? "payment_method" : param,
      code: "resource_missing",
      status: param === "id" ? 404 : 400,
    });
  }
  return cardMethod(tx, card, {});
}

/** A card or source of a customer, as a payment method with the same id. */
function olderMethod(tx: Transaction, id: string): Stripe.PaymentMethod | undefined {
  const card = tx.find("card", id);
  if (card !== undefined && !("deleted" in card)) return methodOfCard(tx, card);
  const bank = tx.find("bank_account", id);
  if (bank?.status === "verified" && idOf(bank.customer) !== null) return methodOfBank(tx, bank);
  const source = tx.find("source", id);
  if (source === undefined) return undefined;
  const number = tx.find("_instrument", id)?.number ?? "4242424242424242";
  const named: CardNumber = {
    number,
    exp_month: source.card?.exp_month ?? 12,
    exp_year: source.card?.exp_year ?? 2030,
  };
  return fresh(tx, "payment_method", {
    id,
    created: source.created,
    type: "card",
    billing_details: billing(undefined),
    card: cardPart(named),
    customer: source.customer ?? null,
    metadata: {},
  });
}

/** A debit of it settles as one of the test account that always pays. */
function methodOfBank(tx: Transaction, bank: Stripe.BankAccount): Stripe.PaymentMethod {
  const { account_holder_name: name, account_holder_type, routing_number } = bank;
  const { part } = partOf("us_bank_account", {
    account_number: `00012345${bank.last4}`,
    account_holder_type: account_holder_type ?? undefined,
    routing_number: routing_number ?? undefined,
  });
  return fresh(tx, "payment_method", {
    id: bank.id,
    type: "us_bank_account",
    billing_details: billing({ name: name ?? undefined }),
    us_bank_account: part,
    customer: idOf(bank.customer),
    metadata: bank.metadata ?? {},
  });
}

export function methodOfCard(tx: Transaction, card: Stripe.Card): Stripe.PaymentMethod {
  const number = tx.find("_instrument", card.id)?.number ?? `424242424242${card.last4}`;
  const known: CardNumber = { number, exp_month: card.exp_month, exp_year: card.exp_year, cvc: "123" };
  return fresh(tx, "payment_method", {
    id: card.id,
    created: tx.find("_instrument", card.id)?.created ?? tx.now,
    type: "card",
    billing_details: billing({
      name: card.name ?? undefined,
      address: {
        line1: card.address_line1,
        city: card.address_city,
        postal_code: card.address_zip,
        country: card.address_country,
      },
    }),
    card: cardPart(known),
    customer: idOf(card.customer as string | { id: string } | null),
    metadata: card.metadata ?? {},
  });
}

function cardOfToken(tx: Transaction, token: Stripe.Token): CardNumber | undefined {
  if (token.card === undefined) return undefined;
  useToken(tx, token);
  const number = tx.find("_instrument", token.card.id)?.number ?? "4242424242424242";
  return { number, exp_month: token.card.exp_month, exp_year: token.card.exp_year, cvc: "123" };
}

/** @throws StripeFailure 400 the type's fields are missing or malformed; 402 the card number is wrong */
export function createPaymentMethod(tx: Transaction, input: MethodInput): Stripe.PaymentMethod {
  if (input.payment_method !== undefined) return cloned(tx, input.payment_method, input.customer);
  if (input.type === undefined) throw parameterMissing("type");
  if (input.type === "card") {
    const card = input.card as ({ token?: string } & RawCard) | undefined;
    if (card === undefined) throw parameterMissing("card");
    if (card.token !== undefined) return cardMethod(tx, tokenCard(tx, card.token), input);
    const { billing_details: details } = input as { billing_details?: { address?: CardNumber["address"] } };
    return cardMethod(tx, { ...checkedCard(tx, card), address: details?.address }, input);
  }
  const made = partOf(input.type, (input[input.type] ?? {}) as Record<string, string>);
  if (input.type === "sepa_debit") requireBilling(input, ["name", "email"]);
  if (input.type === "us_bank_account") requireBilling(input, ["name"]);
  return keepMethod(tx, input.type, made.part, made, input);
}

function requireBilling(input: MethodInput, fields: readonly string[]): void {
  const details = (input.billing_details ?? {}) as Record<string, unknown>;
  for (const field of fields) if (!details[field]) throw parameterMissing(`billing_details[${field}]`);
}

function tokenCard(tx: Transaction, reference: string): CardNumber {
  const token = tx.find("token", reference);
  const card = token === undefined ? namedCard(tx, reference.replace(/^tok_/, "")) : cardOfToken(tx, token);
  if (card === undefined) throw noSuch("token", reference, "card[token]");
  return card;
}

/** A platform's payment method, copied to the connected account that asks. */
function cloned(tx: Transaction, id: string, customer: string | undefined): Stripe.PaymentMethod {
  const owner = tx.in(tx.world.platform(tx.scope));
  const original = tx.find("payment_method", id) ?? resolvePaymentMethod(owner, id);
  if (customer !== undefined && original.customer !== customer) {
    throw invalidRequest("The customer does not have a payment method with that ID.", {
      param: "payment_method",
      code: "resource_missing",
    });
  }
  const instrument = owner.find("_instrument", id) ?? { behavior: "succeeds", number: "" };
  const copy = { ...original, id: tx.newId("payment_method"), created: tx.now, customer: null };
  keepInstrument(tx, copy.id, instrument.behavior.replace(SPENT, ""), instrument.number);
  return tx.put("payment_method", copy);
}

function cardMethod(tx: Transaction, card: CardNumber, input: MethodInput): Stripe.PaymentMethod {
  const { behavior } = cardOfNumber(card.number);
  return keepMethod(tx, "card", cardPart(card), { behavior, number: card.number }, input);
}

function keepMethod(
  tx: Transaction,
  type: string,
  part: Record<string, unknown>,
  { behavior, number }: { behavior: string; number: string },
  input: MethodInput,
): Stripe.PaymentMethod {
  const method = fresh(tx, "payment_method", {
    type,
    allow_redisplay: input.allow_redisplay ?? "unspecified",
    billing_details: billing(input.billing_details),
    [type]: part,
    metadata: mergeMetadata({}, input.metadata),
    radar_options: type === "card" ? (input.radar_options ?? {}) : undefined,
  });
  keepInstrument(tx, method.id, behavior, number);
  return tx.put("payment_method", method);
}

function keepInstrument(tx: Transaction, id: string, behavior: string, number: string): void {
  tx.put("_instrument", { id, object: "_instrument", created: tx.now, behavior, number });
}

interface BillingInput {
  address?: object | "" | undefined;
  email?: string | undefined;
  name?: string | undefined;
  phone?: string | undefined;
  tax_id?: string | undefined;
}

const NO_ADDRESS = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

/** All of Stripe's billing details: what is given over what was there. */
export function billing(
  given: BillingInput | undefined,
  old?: Stripe.PaymentMethod.BillingDetails,
): Stripe.PaymentMethod.BillingDetails {
  const kept = old ?? { address: NO_ADDRESS, email: null, name: null, phone: null, tax_id: null };
  if (given === undefined) return kept;
  const merged = { ...kept };
  for (const field of ["email", "name", "phone", "tax_id"] as const) {
    if (given[field] !== undefined) merged[field] = orNull(given[field]);
  }
  if (given.address === "") merged.address = NO_ADDRESS;
  else if (given.address !== undefined) {
    const fields = Object.entries(given.address).map(([field, value]) => [field, orNull(value as string)] as const);
    merged.address = { ...NO_ADDRESS, ...kept.address, ...Object.fromEntries(fields) };
  }
  return merged;
}

/**
 * Saves the payment method with the customer; nothing happens when it is there already.
 * @throws StripeFailure 400 it belongs to another, 402 the card refuses
 */
export function attachPaymentMethod(tx: Transaction, id: string, customer: string): Stripe.PaymentMethod {
  const method = resolvePaymentMethod(tx, id, "id");
  refuseGone(tx, customer);
  if (idOf(method.customer) === customer) return method;
  if (method.customer !== null) {
    throw invalidRequest("The payment method you provided has already been attached to a customer.", {
      code: "payment_method_unexpected_state",
    });
  }
  refuseSpent(tx, method.id);
  refuseDeclining(tx, method);
  return attachQuietly(tx.atTimeOf(customer), method, customer);
}

/** Cards that decline do so when they are saved, too. */
export function refuseDeclining(tx: Transaction, method: Stripe.PaymentMethod): void {
  const [kind, reason = ""] = behaviorOf(tx, method.id).split(":");
  if (kind === "declines") throw cardError(declineFor(reason), { payment_method: method });
}

/** After a payment or a setup that checked the card already. */
export function attachQuietly(tx: Transaction, method: Stripe.PaymentMethod, customer: string): Stripe.PaymentMethod {
  if (idOf(method.customer) === customer || tx.find("payment_method", method.id) === undefined) return method;
  const attached = tx.put("payment_method", { ...method, customer });
  tx.raise("payment_method.attached", attached);
  return attached;
}

/** @throws StripeFailure 400 it belongs to nobody */
export function detachPaymentMethod(tx: Transaction, id: string): Stripe.PaymentMethod {
  const method = resolvePaymentMethod(tx, id, "id");
  const customer = idOf(method.customer);
  if (customer === null) {
    throw invalidRequest("The payment method you provided is not attached to a customer so detachment is impossible.");
  }
  const at = tx.atTimeOf(customer);
  if (tx.find("payment_method", method.id) === undefined) {
    tx.remove("card", method.id);
    return { ...method, customer: null };
  }
  const detached = at.change("payment_method", { ...method, customer: null }, "payment_method.detached");
  spend(tx, method.id);
  const owner = tx.find("customer", customer);
  if (owner !== undefined && idOf(owner.invoice_settings.default_payment_method) === method.id) {
    const settings = { ...owner.invoice_settings, default_payment_method: null };
    at.change("customer", { ...owner, invoice_settings: settings }, "customer.updated");
  }
  return detached;
}

/** @throws StripeFailure 400 there is no such customer, or it was deleted */
export function refuseGone(tx: Transaction, customer: string, param = "customer"): void {
  const found = tx.find("customer", customer);
  if (found === undefined || "deleted" in found) throw noSuch("customer", customer, param);
}
