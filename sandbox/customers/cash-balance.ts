// The customer's cash balance: bank transfers that came in, and the payments that they were used for.
import type Stripe from "stripe";
import { currencyOf } from "../catalogue/given.ts";
import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import type { Transaction } from "../core/transaction.ts";
import { settle } from "../payments/payment-intent.ts";

type CashTransaction = Stripe.CustomerCashBalanceTransaction;
type Mode = "automatic" | "manual";
type ModeParam = Stripe.CustomerUpdateCashBalanceParams["settings"];

/** The parameters of fund_cash_balance. */
export interface Funding {
  amount: number;
  currency: string;
  reference?: string;
}

interface Kept {
  /** undefined: the account's default, which is automatic. */
  reconciliation_mode?: Mode;
}

const BANKS: Readonly<Record<string, string>> = { eur: "eu", gbp: "gb", jpy: "jp", mxn: "mx", usd: "us" };

/** Keeps the customer's own reconciliation mode; `merchant_default` goes back to the account's. */
export function keepMode(tx: Transaction, customer: string, settings: ModeParam): void {
  const mode = settings?.reconciliation_mode;
  if (mode === undefined) return;
  const kept = mode === "automatic" || mode === "manual" ? { reconciliation_mode: mode } : {};
  tx.put("_extra", { id: keyOf(customer), object: "customer", created: tx.now, ...kept });
}

const keyOf = (customer: string): string => `cash:${customer}`;

export function cashBalance(tx: Transaction, customer: string): Stripe.CashBalance {
  tx.get("customer", customer);
  const mode = (tx.find("_extra", keyOf(customer)) as Kept | undefined)?.reconciliation_mode;
  const available = cashOf(tx, customer);
  return {
    object: "cash_balance",
    available: Object.keys(available).length === 0 ? null : available,
    customer,
    customer_account: null,
    livemode: tx.scope.livemode,
    settings: { reconciliation_mode: mode ?? "automatic", using_merchant_default: mode === undefined },
  };
}

function cashOf(tx: Transaction, customer: string): Record<string, number> {
  const cash: Record<string, number> = {};
  for (const { currency, net_amount } of transactionsOf(tx, customer))
    cash[currency] = (cash[currency] ?? 0) + net_amount;
  return cash;
}

export function updateCashBalance(
  tx: Transaction,
  customer: string,
  params: Stripe.CustomerUpdateCashBalanceParams,
): Stripe.CashBalance {
  tx.get("customer", customer);
  keepMode(tx, customer, params.settings);
  return cashBalance(tx, customer);
}

/** A bank transfer comes in; what waits for money is paid from it, the oldest first. */
export function fundCashBalance(tx: Transaction, customer: string, params: Funding): CashTransaction {
  tx.get("customer", customer);
  const currency = currencyOf(params.currency);
  const bank = BANKS[currency];
  if (bank === undefined) {
    throw invalidRequest(`Cash balances are not supported in ${currency}.`, { param: "currency" });
  }
  if (params.amount < 1) {
    throw invalidRequest("This value must be greater than or equal to 1.", {
      param: "amount",
      code: "parameter_invalid_integer",
    });
  }
  const at = tx.atTimeOf(customer);
  const bank_transfer = { reference: params.reference ?? null, type: `${bank}_bank_transfer`, ...senderOf(bank) };
  const funded = bookCash(at, customer, currency, params.amount, { type: "funded", funded: { bank_transfer } });
  const balance = cashBalance(at, customer);
  if (balance.settings.reconciliation_mode === "automatic") reconcile(at, customer, currency);
  if ((cashOf(at, customer)[currency] ?? 0) > 0) at.raise("cash_balance.funds_available", cashBalance(at, customer));
  return funded;
}

function senderOf(bank: string): object {
  const part = `customer_cash_balance_transaction.funded.bank_transfer.${bank}_bank_transfer`;
  return bank === "mx" ? {} : { [`${bank}_bank_transfer`]: blankPart(part) };
}

function bookCash(
  tx: Transaction,
  customer: string,
  currency: string,
  amount: number,
  reason: { type: string; [detail: string]: unknown },
): CashTransaction {
  const transaction = blank("customer_cash_balance_transaction", {
    id: tx.newId("customer_cash_balance_transaction"),
    created: tx.now,
    currency,
    customer,
    ending_balance: (cashOf(tx, customer)[currency] ?? 0) + amount,
    livemode: tx.scope.livemode,
    net_amount: amount,
    ...reason,
  }) as unknown as CashTransaction;
  tx.put("customer_cash_balance_transaction", transaction);
  tx.raise("customer_cash_balance_transaction.created", transaction);
  return transaction;
}

function reconcile(tx: Transaction, customer: string, currency: string): void {
  const waiting = tx.where("payment_intent", (intent) => {
    return idOf(intent.customer) === customer && intent.currency === currency && remainingOf(intent) !== undefined;
  });
  for (const { id } of waiting) {
    const cash = cashOf(tx, customer)[currency] ?? 0;
    if (cash <= 0) return;
    applyCash(tx, customer, tx.get("payment_intent", id), cash);
  }
}

/** What a payment by bank transfer still waits for; undefined: it waits for none. */
function remainingOf({ status, next_action, amount }: Stripe.PaymentIntent): number | undefined {
  const instructions = next_action?.display_bank_transfer_instructions;
  if (status !== "requires_action" || instructions === undefined) return undefined;
  return instructions.amount_remaining ?? amount;
}

function applyCash(tx: Transaction, customer: string, intent: Stripe.PaymentIntent, cash: number): void {
  const remaining = remainingOf(intent) ?? 0;
  const used = Math.min(remaining, cash);
  const applied = { type: "applied_to_payment", applied_to_payment: { payment_intent: intent.id } };
  bookCash(tx, customer, intent.currency, -used, applied);
  const { next_action } = intent;
  const instructions = next_action?.display_bank_transfer_instructions;
  if (next_action === null || instructions === undefined) return;
  const partly = tx.put("payment_intent", {
    ...intent,
    next_action: {
      ...next_action,
      display_bank_transfer_instructions: { ...instructions, amount_remaining: remaining - used },
    },
  });
  if (used < remaining) tx.raise("payment_intent.partially_funded", partly);
  else settle(tx, intent.id, true);
}

export function retrieveCashTransaction(tx: Transaction, customer: string, id: string): CashTransaction {
  tx.get("customer", customer);
  const found = transactionsOf(tx, customer).find((transaction) => transaction.id === id);
  if (found === undefined) throw noSuch("customer_cash_balance_transaction", id);
  return found;
}

export function listCashTransactions(
  tx: Transaction,
  customer: string,
  params: Stripe.CustomerListCashBalanceTransactionsParams,
): object {
  tx.get("customer", customer);
  return listOf(transactionsOf(tx, customer), `/v1/customers/${customer}/cash_balance_transactions`, params);
}

function transactionsOf(tx: Transaction, customer: string): CashTransaction[] {
  return tx.where("customer_cash_balance_transaction", (each) => idOf(each.customer) === customer);
}

includable("customer", "cash_balance", (tx, { id }) => cashBalance(tx, id));
