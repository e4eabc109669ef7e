// What an account still has to tell before it may take money and be paid out: Stripe's names of the missing fields. Pure.
import type Stripe from "stripe";

import { valueAt } from "./merge-fields.ts";

/** All that decides what is due. */
export interface AccountFacts {
  account: Stripe.Account;
  persons: readonly Stripe.Person[];
  hasExternalAccount: boolean;
  /** The names of the capabilities that are asked for. */
  requested: readonly string[];
  /** Left open on purpose: see Connection. */
  stillDue: readonly string[];
}

const ADDRESS = ["address.line1", "address.city", "address.state", "address.postal_code"];
const NAME = ["first_name", "last_name"];
const IDENTITY = [...NAME, "dob.day", "dob.month", "dob.year", "email", "phone", ...ADDRESS, "ssn_last_4"];
const COMPANY = ["name", "phone", ...ADDRESS, "tax_id"];
/** Asked only of accounts in the United States. */
const AMERICAN = new Set(["ssn_last_4", "address.state"]);
const TERMS = ["tos_acceptance.date", "tos_acceptance.ip"];

/** Sorted, as Stripe lists them. Empty: nothing is missing. */
export function fieldsDue(facts: AccountFacts): string[] {
  const own = isItsOwn(facts.account) ? ownDue(facts) : collectedDue(facts);
  return [...new Set([...own, ...facts.stillDue])].sort();
}

/** A standard account, or one like it: it has Stripe's dashboard, tells Stripe everything itself, and shows little of it. */
export function isItsOwn({ type, controller }: Pick<Stripe.Account, "type" | "controller">): boolean {
  if (type === "standard" || controller?.type === "account") return true;
  return controller?.stripe_dashboard?.type === "full" && controller.requirement_collection === "stripe";
}

function ownDue({ account, hasExternalAccount }: AccountFacts): string[] {
  const business = ["product_description", "support_phone", "url"].map((name) => `business_profile.${name}`);
  const asks = account.details_submitted ? [] : ["email", ...business, ...TERMS];
  const missing = asks.filter((path) => isMissing(account, path));
  return hasExternalAccount ? missing : [...missing, "external_account"];
}

function collectedDue(facts: AccountFacts): string[] {
  const { account, persons, requested, hasExternalAccount } = facts;
  const due = ["business_type", ...TERMS].filter((path) => isMissing(account, path));
  if (!hasExternalAccount) due.push("external_account");
  // An account that only receives transfers sells nothing itself.
  const sells = requested.length === 0 || requested.some((name) => name !== "transfers");
  if (sells && isMissing(account, "business_profile.mcc")) due.push("business_profile.mcc");
  const describes = ["business_profile.url", "business_profile.product_description"];
  if (sells && describes.every((path) => isMissing(account, path))) due.push("business_profile.url");
  const american = account.country === "US";
  if (account.business_type === "individual") {
    return [...due, ...personDue(representative(persons), american).map((name) => `individual.${name}`)];
  }
  const { company } = account;
  if (account.business_type !== null && account.business_type !== undefined) {
    due.push(
      ...COMPANY.filter((name) => asked(name, american) && companyLacks(company, name)).map(
        (name) => `company.${name}`,
      ),
    );
  }
  const person = representative(persons);
  if (person !== undefined) return [...due, ...personDue(person, american).map((name) => `${person.id}.${name}`)];
  const first = account.business_type === null || account.business_type === undefined ? NAME : IDENTITY;
  return [...due, ...first.filter((name) => asked(name, american)).map((name) => `representative.${name}`)];
}

/** The fields that a person lacks: `dob.day`. Of nobody, all. */
export function personDue(person: Stripe.Person | undefined, american: boolean): string[] {
  return IDENTITY.filter((name) => asked(name, american) && personLacks(person, name));
}

export function representative(persons: readonly Stripe.Person[]): Stripe.Person | undefined {
  return persons.find((person) => person.relationship?.representative === true);
}

const asked = (name: string, american: boolean): boolean => american || !AMERICAN.has(name);

function personLacks(person: Stripe.Person | undefined, name: string): boolean {
  if (person === undefined) return true;
  if (name === "ssn_last_4") return person.ssn_last_4_provided !== true && person.id_number_provided !== true;
  return isMissing(person, name);
}

function companyLacks(company: Stripe.Account.Company | undefined, name: string): boolean {
  if (company === undefined) return true;
  return name === "tax_id" ? company.tax_id_provided !== true : isMissing(company, name);
}

function isMissing(object: object, path: string): boolean {
  const value = valueAt(object, path);
  return value === undefined || value === null || value === "";
}

/** Without an external account nothing is paid out; money may be taken all the same. */
export function dueForCapabilities(due: readonly string[]): string[] {
  return due.filter((name) => name !== "external_account");
}

/** A capability that is asked for is active as soon as nothing is missing and the platform has not rejected the account. */
export function capabilityStatus(requested: boolean, isOpen: boolean): "active" | "inactive" | "unrequested" {
  if (!requested) return "unrequested";
  return isOpen ? "active" : "inactive";
}
