// Connected accounts of the sandbox, for tests: what they are made from, and their connection to a tenant.
import type Stripe from "stripe";

import { connectAccount } from "../../src/connections/connection-table.ts";
import type { Database, Queryable } from "../../src/db/database.ts";

export const PERSON = {
  first_name: "Jenny",
  last_name: "Rosen",
  dob: { day: 1, month: 1, year: 1901 },
  email: "jenny@example.com",
  phone: "+14155552671",
  address: { line1: "510 Townsend Street", city: "San Francisco", state: "CA", postal_code: "94103", country: "US" },
  ssn_last_4: "0000",
};

export const BANK = {
  object: "bank_account",
  account_number: "000123456789",
  routing_number: "110000000",
  country: "US",
  currency: "usd",
} as const;

/** A custom account whose platform tells everything at once: it may charge. */
export const COMPLETE_ACCOUNT: Stripe.AccountCreateParams = {
  type: "custom",
  country: "US",
  email: "shop@example.com",
  business_type: "individual",
  business_profile: { mcc: "5734", url: "https://example.com" },
  capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
  individual: PERSON,
  external_account: BANK,
  tos_acceptance: { date: 1_700_000_000, ip: "127.0.0.1" },
};

/** The tenant's account from now on, allowed to charge. */
export async function connectActive(database: Database, tenantId: string, account: string): Promise<void> {
  await database.transaction((tx) => connectAccount(tx, tenantId, { livemode: false, account }));
  await database.query({
    text: "update connections set status = 'active' where stripe_account = $1",
    values: [account],
  });
}

/** Does something while the account is not its tenant's any more; then it is again. */
export async function whileDisconnected<T>(database: Queryable, account: string, work: () => Promise<T>): Promise<T> {
  const standing = (set: string) =>
    database.query({ text: `update connections set ${set} where stripe_account = $1`, values: [account] });
  await standing("status = 'disconnected', disconnected_at = now(), disconnected_reason = 'unlinked'");
  try {
    return await work();
  } finally {
    await standing("status = 'active', disconnected_at = null, disconnected_reason = null");
  }
}
