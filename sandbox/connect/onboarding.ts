// What a visit of the hosted onboarding page tells of an account: its details, true enough for every rule of requirements.ts.
import type Stripe from "stripe";

import type { Transaction } from "../core/transaction.ts";
import { updateAccount } from "./account.ts";
import { keepConnection, ownOf, platformOf } from "./connection.ts";
import { externalAccountsOf } from "./external-account.ts";
import { addPerson } from "./person.ts";
import { isItsOwn, representative } from "./requirements.ts";

export interface Told {
  businessType: "individual" | "company" | "non_profit";
  name: string;
  email: string;
  /** Add a bank account that payouts reach, unless there is one. */
  bank: boolean;
  /** What is left open on purpose: an identity document, say. */
  stillDue: readonly string[];
}

const TERMS_IP = "127.0.0.1";
const ADDRESS: Readonly<Record<string, object>> = {
  US: { line1: "510 Townsend Street", city: "San Francisco", state: "CA", postal_code: "94103", country: "US" },
};

/** The account's owner has gone through the page: its details are there, and Stripe says so. */
export function submitDetails(tx: Transaction, id: string, told: Told): Stripe.Account {
  const account = platformOf(tx).get("account", id);
  const country = account.country ?? "US";
  const address = ADDRESS[country] ?? { line1: "1 Main Street", city: "Town", postal_code: "10000", country };
  const [first_name = "Jenny", last_name = "Rosen"] = told.name.split(/\s+(.*)/s, 2);
  const human = {
    address,
    dob: { day: 1, month: 1, year: 1901 },
    email: told.email,
    first_name,
    last_name: last_name === "" ? "Rosen" : last_name,
    phone: "+14155552671",
    ssn_last_4: "0000",
  };
  const isCompany = told.businessType !== "individual";
  const bank = told.bank && externalAccountsOf(ownOf(tx, id), id).length === 0;
  keepConnection(tx, id, { still_due: [...told.stillDue] });
  if (isCompany && representative(ownOf(tx, id).all("person")) === undefined) {
    addPerson(tx, account, { ...human, relationship: { representative: true, title: "CEO", owner: true } });
  }
  const company = { address, name: told.name, phone: "+14155552671", tax_id: "000000000", owners_provided: true };
  // Standard accounts show no persons and no company: nothing of it is kept.
  const details: Stripe.AccountUpdateParams = isItsOwn(account) ? {} : isCompany ? { company } : { individual: human };
  const given: Stripe.AccountUpdateParams = {
    ...details,
    business_profile: {
      mcc: "5734",
      name: told.name,
      product_description: "Things that the sandbox sells",
      support_phone: "+14155552671",
      url: "https://accessible.stripe.com",
    },
    business_type: told.businessType,
    email: told.email,
    ...(bank ? { external_account: bankOf(country, account.default_currency ?? "usd") } : {}),
    tos_acceptance: { date: tx.now, ip: TERMS_IP },
  };
  return updateAccount(tx, { ...account, details_submitted: true }, given);
}

/** Payouts reach it: Stripe's test number. */
function bankOf(country: string, currency: string): Stripe.AccountUpdateParams.BankAccount {
  const routing = country === "US" ? { routing_number: "110000000" } : {};
  return { object: "bank_account", account_number: "000123456789", country, currency, ...routing };
}
