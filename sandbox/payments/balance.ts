// Money on the account: one balance transaction for each movement, pending until it becomes available.
import type Stripe from "stripe";

import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { fresh } from "./fresh.ts";
import { defineTask, schedule } from "./schedule.ts";

/** Card payments in the US can be paid out two days later. */
const PENDING_SECONDS = 2 * 24 * 3600;

export interface Movement {
  type: string;
  /** Minor units; negative takes away. */
  amount: number;
  currency: string;
  source: string;
  description?: string | null;
  fees?: Stripe.BalanceTransaction.FeeDetail[];
  reporting?: string;
  /** Can be used at once; else after two days, or after so many seconds. */
  available?: boolean | number;
}

/** Books the movement. Raises balance.available when it adds money that can be used at once. */
export function book(tx: Transaction, movement: Movement): Stripe.BalanceTransaction {
  const { amount, fees = [], available = amount < 0 } = movement;
  const fee = fees.reduce((sum, each) => sum + each.amount, 0);
  const wait = typeof available === "number" ? available : PENDING_SECONDS;
  const transaction = tx.put(
    "balance_transaction",
    withoutMode(
      fresh(tx, "balance_transaction", {
        amount,
        available_on: available === true ? tx.now : tx.now + wait,
        balance_type: "payments",
        currency: movement.currency,
        description: movement.description ?? null,
        fee,
        fee_details: fees,
        net: amount - fee,
        reporting_category: movement.reporting ?? movement.type,
        source: movement.source,
        status: available === true ? "available" : "pending",
        type: movement.type,
      }),
    ),
  );
  if (available !== true) schedule(tx, "make_available", transaction.id, wait);
  else if (amount > 0) raiseAvailable(tx);
  return transaction;
}

function withoutMode(transaction: Stripe.BalanceTransaction): Stripe.BalanceTransaction {
  const { livemode: _livemode, ...rest } = transaction as Stripe.BalanceTransaction & { livemode: boolean };
  return rest;
}

function makeAvailable(tx: Transaction, id: string): void {
  const transaction = tx.get("balance_transaction", id);
  tx.put("balance_transaction", { ...transaction, status: "available" });
  if (transaction.amount > 0) raiseAvailable(tx);
}

function raiseAvailable(tx: Transaction): void {
  tx.raise("balance.available", balanceOf(tx));
}

/** Of the account in `tx`: what is available and what is pending, by currency. */
export function balanceOf(tx: Transaction): Stripe.Balance {
  const sums = { available: new Map<string, number>(), pending: new Map<string, number>() };
  for (const { status, currency, net } of tx.all("balance_transaction")) {
    const sum = status === "available" ? sums.available : sums.pending;
    sum.set(currency, (sum.get(currency) ?? 0) + net);
  }
  const currencies = new Set([...sums.available.keys(), ...sums.pending.keys()]);
  if (currencies.size === 0) currencies.add("usd");
  const list = (sum: Map<string, number>) =>
    [...currencies].map((currency) => {
      const amount = sum.get(currency) ?? 0;
      return { amount, currency, source_types: { card: amount } };
    });
  const known = { available: list(sums.available), pending: list(sums.pending), livemode: tx.scope.livemode };
  return blank("balance", known) as unknown as Stripe.Balance;
}

export function availableOf(tx: Transaction, currency: string): number {
  return balanceOf(tx).available.find((each) => each.currency === currency)?.amount ?? 0;
}

/** @throws StripeFailure 400 balance_insufficient */
export function requireAvailable(tx: Transaction, amount: number, currency: string, message: string): void {
  if (availableOf(tx, currency) < amount) throw invalidRequest(message, { code: "balance_insufficient" });
}

/** What Stripe takes of a payment: 2.9 % and 30 of a card's, 0.8 % and at most 500 of a debit. */
export function processingFee(amount: number, currency: string, isCard: boolean): Stripe.BalanceTransaction.FeeDetail {
  const fee = isCard ? Math.round(amount * 0.029) + 30 : Math.min(500, Math.round(amount * 0.008));
  return { amount: fee, application: null, currency, description: "Stripe processing fees", type: "stripe_fee" };
}

export function openBalance(): void {
  defineTask("make_available", makeAvailable);
}

export const balanceRoutes: Route[] = [
  route<object>()("GET /v1/balance", (tx) => balanceOf(tx)),
  route<Stripe.BalanceTransactionListParams>()("GET /v1/balance_transactions", (tx, p) => {
    const chosen = tx.where(
      "balance_transaction",
      (each) =>
        (p.type === undefined || each.type === p.type) &&
        (p.currency === undefined || each.currency === p.currency) &&
        (p.source === undefined || each.source === p.source) &&
        (p.payout === undefined || each.source === p.payout),
    );
    return listOf(chosen, "/v1/balance_transactions", p as ListParameters);
  }),
  route<object>()("GET /v1/balance_transactions/*", (tx, _p, id) => tx.get("balance_transaction", id)),
  // The same under their older address, which the Stripe CLI and older libraries know.
  route<Stripe.BalanceTransactionListParams>()("GET /v1/balance/history", (tx, p) =>
    listOf(tx.all("balance_transaction"), "/v1/balance/history", p as ListParameters),
  ),
  route<object>()("GET /v1/balance/history/*", (tx, _p, id) => tx.get("balance_transaction", id)),
];
