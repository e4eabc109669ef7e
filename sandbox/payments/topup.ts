// Top-ups: money that the platform adds to its own balance.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkedCurrency, checkPositive } from "./amount-rules.ts";
import { book } from "./balance.ts";
import { fresh, orNull } from "./fresh.ts";
import { defineTask, schedule, unschedule } from "./schedule.ts";

/** A top-up can be canceled for so long; then its money is there. */
const ARRIVES_AFTER = 10;

function createTopup(tx: Transaction, p: Stripe.TopupCreateParams): Stripe.Topup {
  checkPositive(p.amount, "amount");
  const topup = fresh(tx, "topup", {
    amount: p.amount,
    currency: checkedCurrency(p.currency),
    description: orNull(p.description),
    expected_availability_date: tx.now + ARRIVES_AFTER,
    initiated_by: "user",
    metadata: mergeMetadata({}, p.metadata),
    statement_descriptor: orNull(p.statement_descriptor),
    status: "pending",
    transfer_group: p.transfer_group ?? null,
  });
  tx.put("topup", topup);
  tx.raise("topup.created", topup);
  schedule(tx, "topup_arrives", topup.id, ARRIVES_AFTER);
  return topup;
}

function arrive(tx: Transaction, id: string): void {
  const topup = tx.get("topup", id);
  const { amount, currency, description } = topup;
  const booked = book(tx, { type: "topup", amount, currency, source: id, description, available: true });
  const done = tx.put("topup", { ...topup, status: "succeeded", balance_transaction: booked.id });
  tx.raise("topup.succeeded", done);
}

export function openTopups(): void {
  defineTask("topup_arrives", arrive);
}

export const topupRoutes: Route[] = [
  route<Stripe.TopupCreateParams>()("POST /v1/topups", (tx, p) => createTopup(tx, p)),
  route<Stripe.TopupListParams>()("GET /v1/topups", (tx, p) => {
    const chosen = tx.where(
      "topup",
      (each) => (p.status === undefined || each.status === p.status) && isOfAmount(each.amount, p.amount),
    );
    return listOf(chosen, "/v1/topups", p as ListParameters);
  }),
  route<object>()("GET /v1/topups/*", (tx, _p, id) => tx.get("topup", id)),
  // Changing a top-up raises no event at Stripe.
  route<Stripe.TopupUpdateParams>()("POST /v1/topups/*", (tx, p, id) => {
    const old = tx.get("topup", id);
    const description = p.description === undefined ? old.description : orNull(p.description);
    return tx.put("topup", { ...old, description, metadata: mergeMetadata(old.metadata, p.metadata) });
  }),
  route<object>()("POST /v1/topups/*/cancel", (tx, _p, id) => {
    const topup = tx.get("topup", id);
    if (topup.status !== "pending") throw invalidRequest("Only pending top-ups can be canceled.");
    unschedule(tx, "topup_arrives", id);
    const canceled = tx.put("topup", { ...topup, status: "canceled" });
    tx.raise("topup.canceled", canceled);
    return canceled;
  }),
];

function isOfAmount(amount: number, range: Stripe.TopupListParams["amount"]): boolean {
  if (range === undefined) return true;
  if (typeof range === "number") return amount === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return amount > gt && amount >= gte && amount < lt && amount <= lte;
}
