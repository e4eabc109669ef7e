// Persons: who owns, directs and represents a connected account. In its own scope.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { settleAccount } from "./account-standing.ts";
import { accountOf, connectionOf, keepConnection, mayActFor, ownOf } from "./connection.ts";
import { isHash, mergeFields } from "./merge-fields.ts";
import { isItsOwn, personDue, representative } from "./requirements.ts";

type Given = Stripe.AccountCreatePersonParams;

const NO_ADDRESS = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
const NO_DOCUMENT = { back: null, details: null, details_code: null, front: null };

/** Keeps a new person and raises its event; the account's standing is settled by the caller. */
export function addPerson(tx: Transaction, account: Stripe.Account, given: Given): Stripe.Person {
  const own = ownOf(tx, account.id);
  const made = blank("person", {
    id: own.newId("person"),
    account: account.id,
    additional_tos_acceptances: { account: { date: null, ip: null, user_agent: null } },
    address: NO_ADDRESS,
    created: tx.now,
    dob: { day: null, month: null, year: null },
    email: null,
    first_name: null,
    id_number_provided: false,
    last_name: null,
    metadata: {},
    phone: null,
    political_exposure: "none",
    relationship: blankPart("person.relationship", { representative: false }),
    requirements: blankPart("person.requirements", { alternatives: [] }),
    ssn_last_4_provided: false,
    verification: {
      additional_document: NO_DOCUMENT,
      details: null,
      details_code: null,
      document: NO_DOCUMENT,
      status: "unverified",
    },
  }) as unknown as Stripe.Person;
  const person = own.put("person", filled(account, made, given));
  closeDocuments(tx, account.id, given);
  if (mayActFor(tx, account.id)) own.raise("person.created", person);
  return person;
}

export function updatePerson(
  tx: Transaction,
  account: Stripe.Account,
  old: Stripe.Person,
  given: Given,
): Stripe.Person {
  const own = ownOf(tx, account.id);
  const person = own.put("person", filled(account, old, given));
  closeDocuments(tx, account.id, given);
  if (mayActFor(tx, account.id)) own.raise("person.updated", person, old);
  return person;
}

/** The one person of an individual's account: made when there is none yet. */
export function saveIndividual(tx: Transaction, account: Stripe.Account, given: Given): void {
  const old = representative(ownOf(tx, account.id).all("person"));
  const told: Given = { ...given, relationship: { ...given.relationship, representative: true } };
  if (old === undefined) addPerson(tx, account, told);
  else updatePerson(tx, account, old, told);
}

/** An identity document that onboarding left open is there now. */
function closeDocuments(tx: Transaction, account: string, { verification }: Given): void {
  const open = connectionOf(tx, account)?.still_due ?? [];
  if (verification?.document?.front === undefined || open.length === 0) return;
  keepConnection(tx, account, { still_due: open.filter((name) => !name.endsWith(".verification.document")) });
}

/** Numbers are taken and not given back: the object says only that they are there. */
function filled(account: Stripe.Account, old: Stripe.Person, given: Given): Stripe.Person {
  const { metadata, expand: _expand, id_number, id_number_secondary, ssn_last_4, ...rest } = given;
  const { documents: _documents, person_token: _token, ...fields } = rest;
  const merged = mergeFields(old, fields);
  const person: Stripe.Person = {
    ...merged,
    dob: merged.dob ?? { day: null, month: null, year: null },
    metadata: mergeMetadata(old.metadata, metadata),
    id_number_provided: old.id_number_provided === true || isGiven(id_number),
    ssn_last_4_provided: old.ssn_last_4_provided === true || isGiven(ssn_last_4) || isGiven(id_number),
    ...(isGiven(id_number_secondary) ? { id_number_secondary_provided: true } : {}),
  };
  const due = personDue(person, account.country === "US");
  const requirements = { alternatives: [], currently_due: due, eventually_due: due, past_due: due };
  const verification = isHash(person.verification) ? person.verification : {};
  return {
    ...person,
    requirements: blankPart("person.requirements", requirements) as unknown as Stripe.Person.Requirements,
    verification: { ...verification, status: due.length === 0 ? "verified" : "unverified" },
  };
}

const isGiven = (value: string | undefined): boolean => value !== undefined && value !== "";

function personOf(tx: Transaction, account: string, id: string): Stripe.Person {
  const person = ownOf(tx, account).find("person", id);
  if (person === undefined) throw noSuch("person", id, "person");
  return person;
}

/** Persons of a standard account are nobody's business but its own. */
function accountWithPersons(tx: Transaction, id: string): Stripe.Account {
  const account = accountOf(tx, id);
  if (isItsOwn(account)) {
    const message = `You do not have permission to view or change the persons of account ${id}: Stripe collects them.`;
    throw invalidRequest(message, { status: 403 });
  }
  return account;
}

export const personRoutes: Route[] = [
  route<Stripe.AccountCreatePersonParams>()("POST /v1/accounts/*/persons", (tx, given, id) => {
    const account = accountWithPersons(tx, id);
    const person = addPerson(tx, account, given);
    settleAccount(tx, account);
    return person;
  }),

  route<Stripe.AccountListPersonsParams>()("GET /v1/accounts/*/persons", (tx, given, id) => {
    accountWithPersons(tx, id);
    const asked = Object.entries(given.relationship ?? {});
    const persons = ownOf(tx, id).where("person", ({ relationship }) => {
      const roles = (relationship ?? {}) as Record<string, unknown>;
      return asked.every(([role, wanted]) => (roles[role] === true) === wanted);
    });
    return listOf(persons, `/v1/accounts/${id}/persons`, given as ListParameters);
  }),

  route<object>()("GET /v1/accounts/*/persons/*", (tx, _, account, id) => {
    accountWithPersons(tx, account);
    return personOf(tx, account, id);
  }),

  route<Stripe.AccountUpdatePersonParams>()("POST /v1/accounts/*/persons/*", (tx, given, id, person) => {
    const account = accountWithPersons(tx, id);
    const after = updatePerson(tx, account, personOf(tx, id, person), given);
    settleAccount(tx, account);
    return after;
  }),

  route<object>()("DELETE /v1/accounts/*/persons/*", (tx, _, id, person) => {
    const account = accountWithPersons(tx, id);
    const old = personOf(tx, id, person);
    const own = ownOf(tx, id);
    own.remove("person", old.id);
    own.raise("person.deleted", old);
    settleAccount(tx, account);
    return { id: old.id, object: "person", deleted: true };
  }),
];
