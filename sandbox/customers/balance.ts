// The customer's credit balance: below zero it is credit for the next invoice, above zero it is owed with it.
import type Stripe from "stripe";
import { ACCOUNT_CURRENCY, currencyOf, given } from "../catalogue/given.ts";
import { blank } from "../core/blank.ts";
import { noSuch } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";

type BalanceTransaction = Stripe.CustomerBalanceTransaction;

export interface Adjustment {
  type: BalanceTransaction["type"];
  /** The customer's, or the account's, when left out. */
  currency?: string | undefined;
  invoice?: string | null | undefined;
  credit_note?: string | null | undefined;
  checkout_session?: string | null | undefined;
  description?: string | null | undefined;
  metadata?: Record<string, string> | undefined;
}

/** The balances by currency, as the transactions add up. */
export function balancesOf(tx: Transaction, customer: string): Record<string, number> {
  const balances: Record<string, number> = {};
  for (const { currency, amount } of transactionsOf(tx, customer))
    balances[currency] = (balances[currency] ?? 0) + amount;
  return balances;
}

/** Books an amount and raises customer.updated: below zero gives credit, above zero takes it. */
export function adjustBalance(
  tx: Transaction,
  customer: string | { id: string },
  amount: number,
  adjustment: Adjustment,
): BalanceTransaction {
  const at = tx.atTimeOf(customer);
  const { transaction, after } = book(at, at.get("customer", idOf(customer) ?? "", "customer"), amount, adjustment);
  at.change("customer", after, "customer.updated");
  return transaction;
}

/** The same without keeping the customer, for a caller that changes more of it. */
export function book(
  tx: Transaction,
  customer: Stripe.Customer,
  amount: number,
  adjustment: Adjustment,
): { transaction: BalanceTransaction; after: Stripe.Customer } {
  const currency = currencyOf(adjustment.currency ?? customer.currency ?? ACCOUNT_CURRENCY);
  const ending = (balancesOf(tx, customer.id)[currency] ?? 0) + amount;
  const transaction = blank("customer_balance_transaction", {
    id: tx.newId("customer_balance_transaction"),
    amount,
    checkout_session: adjustment.checkout_session ?? null,
    created: tx.now,
    credit_note: adjustment.credit_note ?? null,
    currency,
    customer: customer.id,
    description: adjustment.description ?? null,
    ending_balance: ending,
    invoice: adjustment.invoice ?? null,
    livemode: tx.scope.livemode,
    metadata: adjustment.metadata ?? {},
    type: adjustment.type,
  }) as unknown as BalanceTransaction;
  tx.put("customer_balance_transaction", transaction);
  const own = customer.currency ?? currency;
  const after = currency === own ? { ...customer, currency: own, balance: ending } : customer;
  return { transaction, after };
}

export function createBalanceTransaction(
  tx: Transaction,
  customer: string,
  params: Stripe.CustomerCreateBalanceTransactionParams,
): BalanceTransaction {
  tx.get("customer", customer);
  return adjustBalance(tx, customer, params.amount, {
    type: "adjustment",
    currency: currencyOf(params.currency),
    description: given(params.description),
    metadata: mergeMetadata({}, params.metadata),
  });
}

export function retrieveBalanceTransaction(tx: Transaction, customer: string, id: string): BalanceTransaction {
  tx.get("customer", customer);
  const found = tx.find("customer_balance_transaction", id);
  if (found === undefined || idOf(found.customer) !== customer) throw noSuch("customer_balance_transaction", id);
  return found;
}

export function updateBalanceTransaction(
  tx: Transaction,
  customer: string,
  id: string,
  params: Stripe.CustomerUpdateBalanceTransactionParams,
): BalanceTransaction {
  const old = retrieveBalanceTransaction(tx, customer, id);
  return tx.put("customer_balance_transaction", {
    ...old,
    description: given(params.description, old.description),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
  });
}

export function listBalanceTransactions(
  tx: Transaction,
  customer: string,
  params: Stripe.CustomerListBalanceTransactionsParams,
): object {
  tx.get("customer", customer);
  const { invoice } = params;
  const found = transactionsOf(tx, customer).filter((each) => invoice === undefined || idOf(each.invoice) === invoice);
  return listOf(found, `/v1/customers/${customer}/balance_transactions`, params);
}

function transactionsOf(tx: Transaction, customer: string): BalanceTransaction[] {
  return tx.where("customer_balance_transaction", (each) => idOf(each.customer) === customer);
}

includable("customer", "invoice_credit_balance", (tx, { id }) => balancesOf(tx, id));
