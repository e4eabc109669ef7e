// A customer's bank accounts, as they were saved before there were payment methods: from a token, verified by two deposits.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { fingerprint, useToken } from "../payments/card.ts";

/** Stripe's test tokens, and the status that their accounts have from the start. */
const TEST_TOKENS: Readonly<Record<string, string>> = { btok_us: "new", btok_us_verified: "verified" };
const TEST_NUMBER = "000123456789";
/** What the two deposits are in tests, in cents. */
const DEPOSITS = "32,45";

/** The account that a token stands for, now the customer's; undefined when the token stands for something else. */
export function takeBankAccount(
  tx: Transaction,
  customer: string,
  reference: string,
  metadata: Record<string, string>,
): Stripe.BankAccount | undefined {
  const token = tx.find("token", reference);
  const status = TEST_TOKENS[reference];
  if (token?.bank_account !== undefined) {
    useToken(tx, token);
    return tx.put("bank_account", { ...token.bank_account, customer, metadata });
  }
  if (status === undefined) return undefined;
  const known = {
    id: tx.newId("bank_account"),
    account_holder_name: "Jane Austen",
    account_holder_type: "individual",
    bank_name: "STRIPE TEST BANK",
    country: "US",
    currency: "usd",
    customer,
    fingerprint: fingerprint(TEST_NUMBER),
    last4: TEST_NUMBER.slice(-4),
    metadata,
    routing_number: "110000000",
    status,
  };
  return tx.put("bank_account", blank("bank_account", known) as unknown as Stripe.BankAccount);
}

/** Of the customer, the oldest first. */
export function bankAccountsOf(tx: Transaction, customer: string): Stripe.BankAccount[] {
  return tx.where("bank_account", (bank) => idOf(bank.customer) === customer);
}

/** Raises customer.source.updated when something differs. */
export function updateBankAccount(
  tx: Transaction,
  old: Stripe.BankAccount,
  params: Pick<Stripe.CustomerUpdateSourceParams, "account_holder_name" | "account_holder_type" | "metadata">,
): Stripe.BankAccount {
  const after = {
    ...old,
    account_holder_name: params.account_holder_name ?? old.account_holder_name,
    account_holder_type: params.account_holder_type ?? old.account_holder_type,
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
  };
  return tx.change("bank_account", after, "customer.source.updated");
}

/** @throws StripeFailure 400 the amounts are wrong, or it is verified already; 404 the customer has no such account */
export function verifyBankAccount(
  world: Transaction,
  customer: string,
  id: string,
  amounts: readonly number[] | undefined,
): Stripe.BankAccount {
  world.get("customer", customer);
  const tx = world.atTimeOf(customer);
  const bank = bankAccountsOf(tx, customer).find((each) => each.id === id);
  if (bank === undefined) throw noSuch("bank_account", id);
  if (bank.status === "verified") {
    throw invalidRequest("This bank account has already been verified.", { code: "bank_account_verified" });
  }
  if (amounts === undefined || [...amounts].sort((one, other) => one - other).join() !== DEPOSITS) {
    const message = "The amounts provided do not match the amounts that were sent to the bank account.";
    throw invalidRequest(message, { code: "bank_account_verification_failed" });
  }
  return tx.change("bank_account", { ...bank, status: "verified" }, "customer.source.updated");
}
