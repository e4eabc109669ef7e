// Issuing: what is asked of a card and what is taken from it. Nothing is asked back: an active card is approved.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";

const AUTHORIZATION = "issuing.authorization";
const TRANSACTION = "issuing.transaction";

type Authorization = Stripe.Issuing.Authorization;
type Card = Stripe.Issuing.Card;

interface Asked {
  card: string;
  amount?: number | undefined;
  currency?: string | undefined;
  authorization_method?: string | undefined;
  merchant_data?: object | undefined;
  merchant_amount?: number | undefined;
  merchant_currency?: string | undefined;
  wallet?: string | undefined;
}

/** The shop of every test purchase. */
const MERCHANT = {
  category: "computer_software_stores",
  category_code: "5734",
  city: "San Francisco",
  country: "US",
  name: "Rocket Rides",
  network_id: "1234567890",
  postal_code: "94107",
  state: "CA",
  tax_id: null,
  terminal_id: null,
  url: null,
};

function requestAuthorization(tx: Transaction, asked: Asked): Authorization {
  const card = tx.get("issuing.card", asked.card, "card");
  const amount = asked.amount ?? 0;
  const currency = asked.currency ?? card.currency;
  const merchant_amount = asked.merchant_amount ?? amount;
  const merchant_currency = asked.merchant_currency ?? currency;
  const money = { amount, amount_details: { atm_fee: null, cashback_amount: null }, currency };
  const merchant = { merchant_amount, merchant_currency };
  const requested = blank(AUTHORIZATION, {
    id: tx.newId(AUTHORIZATION),
    ...money,
    amount: 0,
    ...merchant,
    merchant_amount: 0,
    approved: false,
    authorization_method: asked.authorization_method ?? "online",
    card,
    cardholder: card.cardholder.id,
    created: tx.now,
    livemode: tx.scope.livemode,
    merchant_data: { ...MERCHANT, ...asked.merchant_data },
    network_data: blankPart("issuing.authorization.network_data"),
    pending_request: { ...money, ...merchant, is_amount_controllable: false, network_risk_score: null },
    status: "pending",
    verification_data: blankPart("issuing.authorization.verification_data", {
      address_line1_check: "not_provided",
      address_postal_code_check: "not_provided",
      cvc_check: "match",
      expiry_check: "match",
    }),
    verified_by_fraud_challenge: null,
    wallet: asked.wallet,
  }) as unknown as Authorization;
  tx.raise("issuing_authorization.request", requested);
  const answered = decided(tx, requested, card);
  tx.put(AUTHORIZATION, answered);
  tx.raise("issuing_authorization.created", answered);
  return answered;
}

function decided(tx: Transaction, requested: Authorization, card: Card): Authorization {
  const approved = card.status === "active";
  const pending = requested.pending_request;
  const asked = { amount: pending?.amount ?? 0, merchant_amount: pending?.merchant_amount ?? 0 };
  const entry = blankPart("issuing.authorization.request_history", {
    ...asked,
    amount_details: requested.amount_details,
    approved,
    authorization_code: approved ? "000000" : null,
    created: tx.now,
    currency: requested.currency,
    merchant_currency: requested.merchant_currency,
    reason: approved ? "webhook_approved" : card.status === "canceled" ? "card_canceled" : "card_inactive",
    requested_at: tx.now,
  }) as unknown as Stripe.Issuing.Authorization.RequestHistory;
  return {
    ...requested,
    ...(approved ? asked : {}),
    approved,
    pending_request: null,
    request_history: [entry],
    status: approved ? "pending" : "closed",
  };
}

/** Approving and declining by hand are over when the request was answered, which is at once. */
function tooLate(tx: Transaction, id: string): never {
  const { approved } = tx.get(AUTHORIZATION, id);
  throw invalidRequest(`This authorization has already been ${approved ? "approved" : "declined"}.`);
}

function openAuthorization(tx: Transaction, id: string): Authorization {
  const authorization = tx.get(AUTHORIZATION, id);
  if (authorization.status === "pending") return authorization;
  throw invalidRequest(`This authorization is ${authorization.status}: it must be pending.`);
}

function moveAuthorization(tx: Transaction, after: Authorization): Authorization {
  return tx.change(AUTHORIZATION, after, "issuing_authorization.updated");
}

interface Captured {
  capture_amount?: number;
  close_authorization?: boolean;
  purchase_details?: object;
}

function capture(tx: Transaction, id: string, given: Captured): Authorization {
  const authorization = openAuthorization(tx, id);
  const amount = given.capture_amount ?? authorization.amount;
  const taken = take(tx, authorization.card, {
    amount: -amount,
    authorization: id,
    currency: authorization.currency,
    merchant_data: authorization.merchant_data,
    purchase_details: given.purchase_details,
    type: "capture",
  });
  const left = given.close_authorization === false ? authorization.amount - amount : 0;
  const status = left > 0 ? "pending" : "closed";
  const transactions = [...authorization.transactions, taken];
  return moveAuthorization(tx, { ...authorization, amount: left, status, transactions });
}

interface Taken {
  amount: number;
  currency: string;
  type: "capture" | "refund";
  authorization?: string | undefined;
  merchant_data?: object | undefined;
  purchase_details?: object | undefined;
}

/** Keeps a transaction. Negative amounts leave the balance. */
function take(tx: Transaction, card: Card, taken: Taken): Stripe.Issuing.Transaction {
  const { purchase_details, merchant_data, ...rest } = taken;
  const transaction = blank(TRANSACTION, {
    id: tx.newId(TRANSACTION),
    ...rest,
    amount_details: { atm_fee: null, cashback_amount: null },
    card: card.id,
    cardholder: card.cardholder.id,
    created: tx.now,
    livemode: tx.scope.livemode,
    merchant_amount: taken.amount,
    merchant_currency: taken.currency,
    merchant_data: { ...MERCHANT, ...merchant_data },
    network_data: blankPart("issuing.transaction.network_data"),
    ...(purchase_details === undefined ? {} : { purchase_details: purchaseOf(purchase_details) }),
  }) as unknown as Stripe.Issuing.Transaction;
  tx.put(TRANSACTION, transaction);
  tx.raise("issuing_transaction.created", transaction);
  if (purchase_details !== undefined) tx.raise("issuing_transaction.purchase_details_receipt_updated", transaction);
  return transaction;
}

function purchaseOf(given: { receipt?: readonly object[] }): object {
  const receipt =
    given.receipt?.map((line) => ({ description: null, quantity: null, total: null, unit_cost: null, ...line })) ??
    null;
  return { fleet: null, flight: null, fuel: null, lodging: null, reference: null, ...given, receipt };
}

interface Forced {
  card: string;
  amount: number;
  currency?: string;
  merchant_data?: object;
  purchase_details?: object;
}

function force(tx: Transaction, given: Forced, type: Taken["type"]): Stripe.Issuing.Transaction {
  const card = tx.get("issuing.card", given.card, "card");
  const { currency = card.currency, merchant_data, purchase_details } = given;
  const amount = type === "capture" ? -given.amount : given.amount;
  return take(tx, card, { amount, currency, type, merchant_data, purchase_details });
}

function refund(tx: Transaction, id: string, given: { refund_amount?: number }): Stripe.Issuing.Transaction {
  const old = tx.get(TRANSACTION, id);
  const amount = given.refund_amount ?? Math.abs(old.amount);
  const card = tx.get("issuing.card", typeof old.card === "string" ? old.card : old.card.id);
  return take(tx, card, { amount, currency: old.currency, type: "refund", merchant_data: old.merchant_data });
}

/** The path of Stripe's older test endpoint, which its CLI calls; no types tell its parameters. */
function legacyRequest(tx: Transaction, given: Readonly<Record<string, unknown>>, card: string): Authorization {
  const text = (name: string): string | undefined => (typeof given[name] === "string" ? given[name] : undefined);
  const amount = Number(given.held_amount ?? given.amount ?? 0);
  if (!Number.isInteger(amount)) {
    const message = `Invalid integer: ${String(given.held_amount)}`;
    throw invalidRequest(message, { param: "held_amount", code: "parameter_invalid_integer" });
  }
  return requestAuthorization(tx, {
    card,
    amount,
    currency: text("held_currency"),
    authorization_method: text("authorization_method"),
  });
}

export const issuingAuthorizationRoutes: Route[] = [
  route<Record<string, unknown>>()("POST /v1/issuing/cards/*/test/authorizations", legacyRequest),
  route<Asked>()("POST /v1/test_helpers/issuing/authorizations", requestAuthorization),

  route<Stripe.Issuing.AuthorizationListParams>()("GET /v1/issuing/authorizations", (tx, given) => {
    const wanted = tx.where(
      AUTHORIZATION,
      ({ card, cardholder, status }) =>
        (given.card === undefined || card.id === given.card) &&
        (given.cardholder === undefined || cardholder === given.cardholder) &&
        (given.status === undefined || status === given.status),
    );
    return listOf(wanted, "/v1/issuing/authorizations", given as ListParameters);
  }),
  route<object>()("GET /v1/issuing/authorizations/*", (tx, _, id) => tx.get(AUTHORIZATION, id)),
  route<Stripe.Issuing.AuthorizationUpdateParams>()("POST /v1/issuing/authorizations/*", (tx, given, id) => {
    const old = tx.get(AUTHORIZATION, id);
    return moveAuthorization(tx, { ...old, metadata: mergeMetadata(old.metadata, given.metadata) });
  }),
  route<object>()("POST /v1/issuing/authorizations/*/approve", (tx, _, id) => tooLate(tx, id)),
  route<object>()("POST /v1/issuing/authorizations/*/decline", (tx, _, id) => tooLate(tx, id)),

  route<Captured>()("POST /v1/test_helpers/issuing/authorizations/*/capture", (tx, given, id) =>
    capture(tx, id, given),
  ),
  route<object>()("POST /v1/test_helpers/issuing/authorizations/*/expire", (tx, _, id) =>
    moveAuthorization(tx, { ...openAuthorization(tx, id), amount: 0, status: "expired" }),
  ),
  route<{ reverse_amount?: number }>()("POST /v1/test_helpers/issuing/authorizations/*/reverse", (tx, given, id) => {
    const old = openAuthorization(tx, id);
    const amount = old.amount - (given.reverse_amount ?? old.amount);
    return moveAuthorization(tx, { ...old, amount, status: amount > 0 ? "pending" : "reversed" });
  }),
  route<{ increment_amount: number }>()("POST /v1/test_helpers/issuing/authorizations/*/increment", (tx, given, id) => {
    const old = openAuthorization(tx, id);
    return moveAuthorization(tx, { ...old, amount: old.amount + given.increment_amount });
  }),
  route<{ final_amount: number }>()("POST /v1/test_helpers/issuing/authorizations/*/finalize_amount", (tx, given, id) =>
    moveAuthorization(tx, { ...openAuthorization(tx, id), amount: given.final_amount }),
  ),

  route<Forced>()("POST /v1/test_helpers/issuing/transactions/create_force_capture", (tx, given) =>
    force(tx, given, "capture"),
  ),
  route<Forced>()("POST /v1/test_helpers/issuing/transactions/create_unlinked_refund", (tx, given) =>
    force(tx, given, "refund"),
  ),
  route<{ refund_amount?: number }>()("POST /v1/test_helpers/issuing/transactions/*/refund", (tx, given, id) =>
    refund(tx, id, given),
  ),
  route<Stripe.Issuing.TransactionListParams>()("GET /v1/issuing/transactions", (tx, given) => {
    const wanted = tx.where(
      TRANSACTION,
      ({ card, cardholder, type }) =>
        (given.card === undefined || card === given.card) &&
        (given.cardholder === undefined || cardholder === given.cardholder) &&
        (given.type === undefined || type === given.type),
    );
    return listOf(wanted, "/v1/issuing/transactions", given as ListParameters);
  }),
  route<object>()("GET /v1/issuing/transactions/*", (tx, _, id) => tx.get(TRANSACTION, id)),
  route<Stripe.Issuing.TransactionUpdateParams>()("POST /v1/issuing/transactions/*", (tx, given, id) => {
    const old = tx.get(TRANSACTION, id);
    const after = { ...old, metadata: mergeMetadata(old.metadata, given.metadata) };
    return tx.change(TRANSACTION, after, "issuing_transaction.updated");
  }),
];
