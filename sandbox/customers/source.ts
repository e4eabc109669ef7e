// A customer's sources: cards and banks as they were saved before there were payment methods, and Source objects.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest, noSuch, StripeFailure } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { bankAccountsOf, takeBankAccount, updateBankAccount } from "./bank-source.ts";
import { createCard } from "../payments/card.ts";
import { methodOfCard, refuseDeclining } from "../payments/instrument.ts";

type CustomerSource = Stripe.BankAccount | Stripe.Card | Stripe.Source;
type UpdateParams = Stripe.CustomerUpdateSourceParams;

/** Of the customer, the oldest first. */
export function sourcesOf(tx: Transaction, customer: string): CustomerSource[] {
  const cards = tx.where("card", (card) => idOf(card.customer) === customer);
  const sources = tx.where("source", (source) => source.customer === customer);
  return [...cards, ...bankAccountsOf(tx, customer), ...sources];
}

/** A card made from a token, or a Source taken in, kept as the customer's. Raises nothing. A declining card refuses. */
export function takeSource(
  tx: Transaction,
  customer: string,
  reference: string,
  metadata: Record<string, string> = {},
): CustomerSource {
  const source = tx.find("source", reference);
  if (source !== undefined) {
    if (typeof source.customer === "string" && source.customer !== customer) {
      throw invalidRequest("This source has already been attached to a customer.", { param: "source" });
    }
    return tx.put("source", { ...source, customer, metadata: { ...source.metadata, ...metadata } });
  }
  const bank = takeBankAccount(tx, customer, reference, metadata);
  if (bank !== undefined) return bank;
  const card = createCard(tx, reference, { customer, metadata });
  refuseDeclining(tx, methodOfCard(tx, card));
  return card;
}

/** A decline ends the whole call: nothing of it stays, unlike after a declined payment. */
export function undoneByDecline<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof StripeFailure && error.keeps) throw new StripeFailure(error.status, error.body);
    throw error;
  }
}

/** Adds a source; the first one becomes the default. @throws StripeFailure 402 it declines: then there is none */
export function createSource(
  tx: Transaction,
  customer: string,
  params: { source: string; metadata?: Record<string, string | number | null> | "" | null },
): CustomerSource {
  const owner = tx.get("customer", customer);
  const at = tx.atTimeOf(customer);
  const source = undoneByDecline(() => takeSource(at, customer, params.source, mergeMetadata({}, params.metadata)));
  at.raise("customer.source.created", source);
  if (owner.default_source === null) at.change("customer", { ...owner, default_source: source.id }, "customer.updated");
  return source;
}

export function retrieveSource(tx: Transaction, customer: string, id: string): CustomerSource {
  tx.get("customer", customer);
  const found = sourcesOf(tx, customer).find((source) => source.id === id);
  if (found === undefined) throw noSuch("source", id);
  return found;
}

export function updateSource(tx: Transaction, customer: string, id: string, params: UpdateParams): CustomerSource {
  const old = retrieveSource(tx, customer, id);
  const at = tx.atTimeOf(customer);
  const metadata = mergeMetadata(old.metadata, params.metadata ?? {});
  if (old.object === "bank_account") return updateBankAccount(at, old, params);
  if (old.object === "source") return at.change("source", { ...old, metadata }, "customer.source.updated");
  const after = {
    ...old,
    address_city: given(params.address_city, old.address_city),
    address_country: given(params.address_country, old.address_country),
    address_line1: given(params.address_line1, old.address_line1),
    address_line2: given(params.address_line2, old.address_line2),
    address_state: given(params.address_state, old.address_state),
    address_zip: given(params.address_zip, old.address_zip),
    exp_month: month(params.exp_month) ?? old.exp_month,
    exp_year: year(params.exp_year) ?? old.exp_year,
    metadata,
    name: given(params.name, old.name),
  };
  return equal(old, after) ? old : at.change("card", after, "customer.source.updated");
}

function month(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 12) return value;
  throw invalidRequest("Your card's expiration month is invalid.", {
    param: "exp_month",
    code: "invalid_expiry_month",
  });
}

function year(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text) < 100 ? 2000 + Number(text) : Number(text);
  if (Number.isInteger(value) && value >= 2000 && value < 2100) return value;
  throw invalidRequest("Your card's expiration year is invalid.", { param: "exp_year", code: "invalid_expiry_year" });
}

/** Another one takes the place of a deleted default: the newest. */
export function deleteSource(tx: Transaction, customer: string, id: string): object {
  const source = retrieveSource(tx, customer, id);
  const at = tx.atTimeOf(customer);
  dropSource(at, source);
  const owner = at.get("customer", customer);
  if (idOf(owner.default_source) === id) {
    const next = sourcesOf(at, customer).at(-1)?.id ?? null;
    at.change("customer", { ...owner, default_source: next }, "customer.updated");
  }
  // A Source lives on without its customer.
  return source.object === "source" ? at.get("source", id) : { id, object: source.object, deleted: true };
}

/** Takes a source from its customer and raises its event; the customer stays as it is. */
export function dropSource(tx: Transaction, source: CustomerSource): void {
  if (source.object !== "source") tx.remove(source.object, source.id);
  else {
    const { customer: _customer, ...rest } = source;
    tx.put("source", { ...rest, status: "consumed" });
  }
  tx.raise("customer.source.deleted", source);
}

export function listSources(tx: Transaction, customer: string, params: Stripe.CustomerListSourcesParams): object {
  tx.get("customer", customer);
  const { object } = params;
  const found = sourcesOf(tx, customer).filter((source) => object === undefined || source.object === object);
  return listOf(found, urlOf(customer), params);
}

const urlOf = (customer: string): string => `/v1/customers/${customer}/sources`;

includable("customer", "sources", (tx, { id }) => innerList(sourcesOf(tx, id).reverse(), urlOf(id)));
