// /v1/charges: the charges of payment intents, and those that older callers make themselves.
import type Stripe from "stripe";

import { cardError, invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkAmount, checkedCurrency, checkFee, checkPositive } from "./amount-rules.ts";
import { createCard } from "./card.ts";
import { type ChargeDraft, makeCharge, moveMoney } from "./charge.ts";
import { declineFor } from "./declines.ts";
import { orNull } from "./fresh.ts";
import { behaviorOf, refuseGone, resolvePaymentMethod } from "./instrument.ts";
import { finishCharge } from "./payment-attempt.ts";
import { captureCharge } from "./payment-capture.ts";
import { shippingOf } from "./payment-intent-draft.ts";
import { refuseUnknownDestination } from "./transfer.ts";

/** @throws StripeFailure 400 wrong parameters, 402 the card was declined: the failed charge stays */
function createCharge(world: Transaction, p: Stripe.ChargeCreateParams): Stripe.Charge {
  if (p.amount === undefined) throw parameterMissing("amount");
  if (p.currency === undefined) throw parameterMissing("currency");
  const currency = checkedCurrency(p.currency);
  checkAmount(p.amount, currency);
  const customer = p.customer ?? null;
  if (customer !== null) refuseGone(world, customer);
  const tx = world.atTimeOf(customer);
  const source = sourceOf(tx, p.source, customer);
  const data = p.transfer_data ?? destinationOf(p);
  if (data !== undefined) refuseUnknownDestination(tx, data.destination, "transfer_data[destination]");
  const fee = p.application_fee_amount ?? p.application_fee;
  if (fee !== undefined)
    checkFee(tx, { amount: p.amount, fee, isConnected: data !== undefined || p.on_behalf_of !== undefined });
  const draft: ChargeDraft = {
    amount: p.amount,
    currency,
    customer,
    method: source.method,
    capture: p.capture !== false,
    source: source.shown,
    description: orNull(p.description),
    metadata: mergeMetadata({}, p.metadata),
    application_fee_amount: fee ?? null,
    transfer_data: data ?? null,
    on_behalf_of: p.on_behalf_of ?? null,
    transfer_group: p.transfer_group ?? null,
    receipt_email: orNull(p.receipt_email),
    shipping: shippingOf(p.shipping),
    statement_descriptor: orNull(p.statement_descriptor),
    statement_descriptor_suffix: orNull(p.statement_descriptor_suffix),
  };
  const [kind = "", reason = ""] = behaviorOf(tx, source.method.id).split(":");
  if (kind.includes("declines") || kind === "authenticates_always") {
    const decline = declineFor(kind === "authenticates_always" ? "authentication_required" : reason);
    const charge = makeCharge(tx, { ...draft, decline });
    tx.raise("charge.failed", charge);
    throw cardError(decline, { charge: charge.id });
  }
  return paid(tx, makeCharge(tx, draft));
}

function destinationOf(p: Stripe.ChargeCreateParams): { destination: string; amount?: number | undefined } | undefined {
  return p.destination === undefined ? undefined : { destination: p.destination.account, amount: p.destination.amount };
}

function paid(tx: Transaction, charge: Stripe.Charge): Stripe.Charge {
  const moved = charge.captured ? moveMoney(tx, charge) : charge;
  tx.raise("charge.succeeded", moved);
  if (charge.captured) finishCharge(tx, moved, false);
  return tx.get("charge", charge.id);
}

/** A token, one of the customer's cards or sources, or the customer's default. */
function sourceOf(
  tx: Transaction,
  given: string | undefined,
  customer: string | null,
): { method: Stripe.PaymentMethod; shown: object | null } {
  const owner = customer === null ? undefined : tx.get("customer", customer, "customer");
  const reference = given ?? idOf(owner?.default_source);
  if (reference === null) {
    const message =
      customer === null ? "Must provide source or customer." : "Cannot charge a customer that has no active card";
    throw invalidRequest(message, customer === null ? {} : { param: "card", code: "missing" });
  }
  const kept = tx.find("card", reference) ?? tx.find("source", reference);
  if (kept !== undefined) return { method: resolvePaymentMethod(tx, reference, "source"), shown: kept };
  if (reference.startsWith("pm_")) return { method: resolvePaymentMethod(tx, reference, "source"), shown: null };
  const card = createCard(tx, reference);
  return { method: resolvePaymentMethod(tx, card.id, "source"), shown: card };
}

function updateCharge(tx: Transaction, id: string, p: Stripe.ChargeUpdateParams): Stripe.Charge {
  const old = tx.get("charge", id);
  if (p.customer !== undefined) {
    refuseGone(tx, p.customer);
    if (old.customer !== null && old.customer !== p.customer) {
      throw invalidRequest("You cannot change the customer of a charge that has one.", { param: "customer" });
    }
  }
  const after = {
    ...old,
    customer: p.customer ?? old.customer,
    description: p.description === undefined ? old.description : orNull(p.description),
    fraud_details: { ...old.fraud_details, ...p.fraud_details },
    metadata: mergeMetadata(old.metadata, p.metadata),
    receipt_email: p.receipt_email === undefined ? old.receipt_email : orNull(p.receipt_email),
    shipping: p.shipping === undefined ? old.shipping : shippingOf(p.shipping),
    transfer_group: p.transfer_group ?? old.transfer_group,
  };
  return tx.change("charge", after as Stripe.Charge, "charge.updated");
}

function capture(world: Transaction, id: string, p: Stripe.ChargeCaptureParams): Stripe.Charge {
  const charge = world.get("charge", id);
  const tx = world.atTimeOf(charge.customer);
  if (charge.captured) {
    throw invalidRequest(`Charge ${id} has already been captured.`, { code: "charge_already_captured" });
  }
  const intent = idOf(charge.payment_intent);
  if (intent !== null) {
    throw invalidRequest(
      `This uncaptured Charge was created by a PaymentIntent (${intent}). You must capture the PaymentIntent instead. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method`,
    );
  }
  if (charge.refunded) {
    throw invalidRequest(`Charge ${id} has already been refunded.`, { code: "charge_already_refunded" });
  }
  if (charge.status !== "succeeded") throw invalidRequest(`Charge ${id} is ${charge.status} and cannot be captured.`);
  const amount = p.amount ?? charge.amount;
  checkPositive(amount, "amount");
  if (amount > charge.amount)
    throw invalidRequest("You cannot capture a charge for an amount higher than it already has.", { param: "amount" });
  return captureCharge(tx, id, {
    ...p,
    amount,
    application_fee_amount: p.application_fee_amount ?? p.application_fee,
  });
}

export const chargeRoutes: Route[] = [
  route<Stripe.ChargeCreateParams>()("POST /v1/charges", (tx, p) => createCharge(tx, p)),
  route<Stripe.ChargeListParams>()("GET /v1/charges", (tx, p) => {
    const chosen = tx.where(
      "charge",
      (each) =>
        (p.customer === undefined || each.customer === p.customer) &&
        (p.payment_intent === undefined || each.payment_intent === p.payment_intent) &&
        (p.transfer_group === undefined || each.transfer_group === p.transfer_group),
    );
    return listOf(chosen, "/v1/charges", p as ListParameters);
  }),
  route<object>()("GET /v1/charges/*", (tx, _p, id) => tx.get("charge", id)),
  route<Stripe.ChargeUpdateParams>()("POST /v1/charges/*", (tx, p, id) => updateCharge(tx, id, p)),
  route<Stripe.ChargeCaptureParams>()("POST /v1/charges/*/capture", (tx, p, id) => capture(tx, id, p)),
];
