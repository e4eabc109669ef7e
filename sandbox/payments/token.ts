// Tokens: a card or a bank account that is named once, and used once.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkedCard, createCard, fingerprint, makeCard, type RawCard } from "./card.ts";
import { fresh } from "./fresh.ts";

function createToken(tx: Transaction, p: Stripe.TokenCreateParams): Stripe.Token {
  if (p.card !== undefined) {
    const { name, number, exp_month, exp_year, cvc, ...address } = (
      typeof p.card === "string" ? {} : p.card
    ) as RawCard;
    const card =
      typeof p.card === "string"
        ? createCard(tx, p.card, {}, "card")
        : makeCard(tx, checkedCard(tx, { name, number, exp_month, exp_year, cvc } as RawCard), {
            ...address,
            name: name ?? null,
          });
    return keep(tx, { type: "card", card });
  }
  if (p.bank_account !== undefined)
    return keep(tx, { type: "bank_account", bank_account: bankAccount(tx, p.bank_account) });
  if (p.pii !== undefined) return keep(tx, { type: "pii" });
  if (p.account !== undefined) return keep(tx, { type: "account" });
  if (p.person !== undefined) return keep(tx, { type: "person" });
  if (p.cvc_update !== undefined) return keep(tx, { type: "cvc_update" });
  throw invalidRequest(
    "You must supply either a card, customer, bank account, personal information, account, person or CVC update to create a token.",
  );
}

function keep(tx: Transaction, known: Record<string, unknown>): Stripe.Token {
  return tx.put("token", fresh(tx, "token", { client_ip: "127.0.0.1", used: false, ...known }));
}

function bankAccount(tx: Transaction, given: string | Stripe.TokenCreateParams.BankAccount): Stripe.BankAccount {
  if (typeof given === "string")
    throw invalidRequest(`No such bank account: '${given}'`, { param: "bank_account", code: "resource_missing" });
  if (given.account_number === "") throw parameterMissing("bank_account[account_number]");
  const { account_number: number } = given;
  const account = blankPart("bank_account", {
    id: `ba_${tx.world.random.text(24)}`,
    account_holder_name: given.account_holder_name ?? null,
    account_holder_type: given.account_holder_type ?? null,
    account_type: given.account_type ?? null,
    bank_name: "STRIPE TEST BANK",
    country: given.country,
    currency: given.currency ?? "usd",
    fingerprint: fingerprint(number),
    last4: number.slice(-4),
    routing_number: given.routing_number ?? null,
    status: "new",
  });
  return account as unknown as Stripe.BankAccount;
}

export const tokenRoutes: Route[] = [
  route<Stripe.TokenCreateParams>()("POST /v1/tokens", (tx, p) => createToken(tx, p)),
  route<object>()("GET /v1/tokens/*", (tx, _p, id) => tx.get("token", id)),
];
