// Payouts to the account's bank: made, paid or failed after a while, canceled, reversed.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkedCurrency, checkPositive } from "./amount-rules.ts";
import { book, requireAvailable } from "./balance.ts";
import { fresh, orNull } from "./fresh.ts";
import { defineTask, schedule, unschedule } from "./schedule.ts";
import { payoutFailureOf } from "./test-banks.ts";

/** A payout can be canceled for so long; then it is paid, or fails at its test account. */
const ARRIVES_AFTER = 10;
const DAY = 24 * 3600;
const TOO_LITTLE =
  "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).";
/** The platform has no external accounts of its own here: its bank is taken for granted. */
const PLATFORM_BANK = "ba_SandboxPlatformBank000000";

interface Bank {
  id: string;
  last4: string;
  currency: string;
  isCard: boolean;
}

/** @throws StripeFailure 400 balance_insufficient, or there is no bank account for the currency */
function createPayout(tx: Transaction, p: Stripe.PayoutCreateParams): Stripe.Payout {
  checkPositive(p.amount, "amount");
  const currency = checkedCurrency(p.currency);
  const bank = bankOf(tx, currency, p.destination);
  requireAvailable(tx, p.amount, currency, TOO_LITTLE);
  const id = tx.newId("payout");
  const booked = book(tx, { type: "payout", amount: -p.amount, currency, source: id, description: "STRIPE PAYOUT" });
  const payout = tx.put(
    "payout",
    fresh(tx, "payout", {
      id,
      amount: p.amount,
      arrival_date: p.method === "instant" ? tx.now : nextDay(tx.now),
      automatic: false,
      balance_transaction: booked.id,
      currency,
      description: orNull(p.description),
      destination: bank.id,
      metadata: mergeMetadata({}, p.metadata),
      method: p.method ?? "standard",
      payout_method: p.payout_method ?? null,
      reconciliation_status: "not_applicable",
      source_type: p.source_type ?? "card",
      statement_descriptor: orNull(p.statement_descriptor),
      status: "pending",
      trace_id: { status: "pending", value: null },
      type: bank.isCard ? "card" : "bank_account",
    }),
  );
  tx.raise("payout.created", payout);
  schedule(tx, "payout_arrives", id, p.method === "instant" ? 1 : ARRIVES_AFTER);
  return payout;
}

const nextDay = (now: number): number => (Math.floor(now / DAY) + 1) * DAY;

function bankOf(tx: Transaction, currency: string, asked: string | undefined): Bank {
  const platform = tx.in(tx.world.platform(tx.scope));
  const account = platform.find("account", tx.scope.account);
  const banks = (account?.external_accounts?.data ?? []).map((bank) => ({
    id: bank.id,
    last4: bank.last4,
    currency: bank.currency ?? "usd",
    isCard: bank.object === "card",
    isDefault: bank.default_for_currency === true,
  }));
  const fitting = banks.filter((bank) => (asked === undefined ? bank.currency === currency : bank.id === asked));
  const found = fitting.find((bank) => bank.isDefault) ?? fitting[0];
  if (found !== undefined) return found;
  if (asked !== undefined && asked !== PLATFORM_BANK) {
    throw invalidRequest(`No such external account: '${asked}'`, { param: "destination", code: "resource_missing" });
  }
  if (tx.scope.account === platform.scope.account) return { id: PLATFORM_BANK, last4: "6789", currency, isCard: false };
  throw invalidRequest(`Sorry, you don't have any external accounts in that currency (${currency}).`, {
    param: "currency",
  });
}

function arrive(tx: Transaction, id: string): void {
  const payout = tx.get("payout", id);
  if (payout.status !== "pending") return;
  const sent = { ...payout, status: "in_transit", trace_id: { status: "unsupported", value: null } };
  const inTransit = tx.change("payout", sent, "payout.updated");
  const paid = tx.put("payout", { ...inTransit, status: "paid" });
  tx.raise("payout.paid", paid);
  const reason = payoutFailureOf(bankDigits(tx, idOf(payout.destination)));
  if (reason !== undefined) failPayout(tx, id, reason);
}

function bankDigits(tx: Transaction, id: string | null): string {
  const account = tx.in(tx.world.platform(tx.scope)).find("account", tx.scope.account);
  return account?.external_accounts?.data.find((bank) => bank.id === id)?.last4 ?? "";
}

const FAILURES: Readonly<Record<string, string>> = {
  account_closed: "The bank account has been closed.",
  no_account:
    "The bank account details on file are probably incorrect. No bank account could be found with those details.",
  insufficient_funds: "Your Stripe account has insufficient funds to cover the payout.",
  debit_not_authorized: "Debit transactions are not approved on your bank account.",
  invalid_currency: "The bank was unable to process this payout because of its currency.",
};

/** The bank sends the money back: also after the payout was paid. */
function failPayout(tx: Transaction, id: string, reason: string): void {
  const payout = tx.get("payout", id);
  const { amount, currency } = payout;
  const booked = book(tx, {
    type: "payout_failure",
    amount,
    currency,
    source: id,
    description: "STRIPE PAYOUT FAILURE",
    available: true,
  });
  const failed = tx.put("payout", {
    ...payout,
    status: "failed",
    failure_balance_transaction: booked.id,
    failure_code: reason,
    failure_message: FAILURES[reason] ?? "The payout failed.",
  });
  tx.raise("payout.failed", failed);
}

function cancelPayout(tx: Transaction, id: string): Stripe.Payout {
  const payout = tx.get("payout", id);
  if (payout.status !== "pending") {
    throw invalidRequest(`Payouts can be canceled only while they are pending: this one is ${payout.status}.`, {
      code: "payout_not_cancelable",
    });
  }
  unschedule(tx, "payout_arrives", id);
  const { amount, currency } = payout;
  const booked = book(tx, {
    type: "payout_cancel",
    amount,
    currency,
    source: id,
    description: "STRIPE PAYOUT CANCELED",
    available: true,
  });
  const canceled = tx.put("payout", { ...payout, status: "canceled", failure_balance_transaction: booked.id });
  tx.raise("payout.canceled", canceled);
  return canceled;
}

/** Fetches a paid payout back: a payout of its own, with a negative amount. */
function reversePayout(tx: Transaction, id: string, p: Stripe.PayoutReverseParams): Stripe.Payout {
  const original = tx.get("payout", id);
  if (original.status !== "paid" || original.reversed_by !== null) {
    throw invalidRequest("Only a paid payout that has not been reversed can be reversed.", {
      code: "payout_reversal_not_allowed",
    });
  }
  const reversalId = tx.newId("payout");
  const { amount, currency } = original;
  const booked = book(tx, {
    type: "payout",
    amount,
    currency,
    source: reversalId,
    description: "STRIPE PAYOUT REVERSAL",
    available: ARRIVES_AFTER,
  });
  const reversal = tx.put("payout", {
    ...original,
    id: reversalId,
    amount: -amount,
    arrival_date: nextDay(tx.now),
    balance_transaction: booked.id,
    created: tx.now,
    metadata: mergeMetadata({}, p.metadata),
    original_payout: id,
    status: "pending",
  });
  tx.raise("payout.created", reversal);
  tx.change("payout", { ...original, reversed_by: reversalId }, "payout.updated");
  schedule(tx, "payout_arrives", reversalId, ARRIVES_AFTER);
  return reversal;
}

export function openPayouts(): void {
  defineTask("payout_arrives", arrive);
}

export const payoutRoutes: Route[] = [
  route<Stripe.PayoutCreateParams>()("POST /v1/payouts", (tx, p) => createPayout(tx, p)),
  route<Stripe.PayoutListParams>()("GET /v1/payouts", (tx, p) => {
    const chosen = tx.where(
      "payout",
      (each) =>
        (p.status === undefined || each.status === p.status) &&
        (p.destination === undefined || each.destination === p.destination) &&
        inArrival(each.arrival_date, p.arrival_date),
    );
    return listOf(chosen, "/v1/payouts", p as ListParameters);
  }),
  route<object>()("GET /v1/payouts/*", (tx, _p, id) => tx.get("payout", id)),
  route<Stripe.PayoutUpdateParams>()("POST /v1/payouts/*", (tx, p, id) => {
    const old = tx.get("payout", id);
    return tx.change("payout", { ...old, metadata: mergeMetadata(old.metadata, p.metadata) }, "payout.updated");
  }),
  route<object>()("POST /v1/payouts/*/cancel", (tx, _p, id) => cancelPayout(tx, id)),
  route<Stripe.PayoutReverseParams>()("POST /v1/payouts/*/reverse", (tx, p, id) => reversePayout(tx, id, p)),
];

function inArrival(date: number, range: Stripe.PayoutListParams["arrival_date"]): boolean {
  if (range === undefined) return true;
  if (typeof range === "number") return date === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return date > gt && date >= gte && date < lt && date <= lte;
}
