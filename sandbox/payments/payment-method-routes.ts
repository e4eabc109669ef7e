// /v1/payment_methods, and a customer's.
import type Stripe from "stripe";

import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import {
  attachPaymentMethod,
  billing,
  createPaymentMethod,
  detachPaymentMethod,
  methodOfCard,
  type MethodInput,
  refuseGone,
  resolvePaymentMethod,
} from "./instrument.ts";

interface CustomersList extends ListParameters {
  type?: string;
  customer?: string;
  allow_redisplay?: string;
}

/** A customer's; without one Stripe lists none. Cards that were added as sources are among them. */
function methods(
  tx: Transaction,
  { customer, type, allow_redisplay: redisplay }: CustomersList,
): Stripe.PaymentMethod[] {
  if (customer === undefined) return [];
  const kept = tx.where("payment_method", (method) => idOf(method.customer) === customer);
  const cards = tx.where("card", (card) => card.customer === customer).map((card) => methodOfCard(tx, card));
  return [...cards, ...kept].filter(
    (method) =>
      (type === undefined || method.type === type) &&
      (redisplay === undefined || (method.allow_redisplay ?? "unspecified") === redisplay),
  );
}

function updateMethod(tx: Transaction, id: string, p: Stripe.PaymentMethodUpdateParams): Stripe.PaymentMethod {
  const old = resolvePaymentMethod(tx, id, "id");
  const customer = idOf(old.customer);
  if (customer === null) {
    throw invalidRequest("You must save this PaymentMethod to a customer before you can update it.", {
      code: "payment_method_unexpected_state",
    });
  }
  const card =
    old.card === undefined || p.card === undefined
      ? {}
      : {
          card: {
            ...old.card,
            exp_month: p.card.exp_month ?? old.card.exp_month,
            exp_year: p.card.exp_year ?? old.card.exp_year,
          },
        };
  const bank =
    old.us_bank_account === undefined || p.us_bank_account === undefined
      ? {}
      : { us_bank_account: { ...old.us_bank_account, ...p.us_bank_account } };
  const updated = {
    ...old,
    ...card,
    ...bank,
    allow_redisplay: p.allow_redisplay ?? old.allow_redisplay,
    billing_details: billing(p.billing_details as MethodInput["billing_details"], old.billing_details),
    metadata: mergeMetadata(old.metadata, p.metadata),
  };
  return tx.atTimeOf(customer).change("payment_method", updated as Stripe.PaymentMethod, "payment_method.updated");
}

function ofCustomer(tx: Transaction, customer: string, id: string): Stripe.PaymentMethod {
  refuseGone(tx, customer, "id");
  const method = resolvePaymentMethod(tx, id, "id");
  if (idOf(method.customer) !== customer) throw noSuch("payment_method", id);
  return method;
}

export const paymentMethodRoutes: Route[] = [
  route<Stripe.PaymentMethodCreateParams>()("POST /v1/payment_methods", (tx, p) =>
    createPaymentMethod(tx, p as MethodInput),
  ),
  route<CustomersList>()("GET /v1/payment_methods", (tx, p) => {
    if (p.customer !== undefined) refuseGone(tx, p.customer);
    return listOf(methods(tx, p), "/v1/payment_methods", p);
  }),
  route<object>()("GET /v1/payment_methods/*", (tx, _p, id) => resolvePaymentMethod(tx, id, "id")),
  route<Stripe.PaymentMethodUpdateParams>()("POST /v1/payment_methods/*", (tx, p, id) => updateMethod(tx, id, p)),
  route<Stripe.PaymentMethodAttachParams>()("POST /v1/payment_methods/*/attach", (tx, p, id) => {
    if (p.customer === undefined)
      throw invalidRequest("Must provide customer or customer_account.", { code: "parameter_missing" });
    return attachPaymentMethod(tx, id, p.customer);
  }),
  route<object>()("POST /v1/payment_methods/*/detach", (tx, _p, id) => detachPaymentMethod(tx, id)),
  route<CustomersList>()("GET /v1/customers/*/payment_methods", (tx, p, customer) => {
    refuseGone(tx, customer, "id");
    return listOf(methods(tx, { ...p, customer }), `/v1/customers/${customer}/payment_methods`, p);
  }),
  route<object>()("GET /v1/customers/*/payment_methods/*", (tx, _p, customer, id) => ofCustomer(tx, customer, id)),
];
