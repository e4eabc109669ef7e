// Issuing: cardholders and their cards.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";

const HOLDER = "issuing.cardholder";
const CARD = "issuing.card";

type Holder = Stripe.Issuing.Cardholder;
type Card = Stripe.Issuing.Card;

const NO_ADDRESS = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

/** Limits as the object shows them: unlimited in everything that is not named. */
function controls(path: string, given: object | undefined, old: object = {}): object {
  return blankPart(path, { spending_limits: [], ...old, ...given });
}

function individualOf(given: Stripe.Issuing.CardholderCreateParams.Individual | undefined): object | null {
  if (given === undefined) return null;
  const accepted = given.card_issuing?.user_terms_acceptance;
  const terms = accepted && {
    date: accepted.date ?? null,
    ip: accepted.ip ?? null,
    user_agent: accepted.user_agent || null,
  };
  return {
    card_issuing: terms === undefined ? null : { user_terms_acceptance: terms },
    dob: given.dob ?? null,
    first_name: given.first_name ?? null,
    last_name: given.last_name ?? null,
    verification: { document: { back: null, front: null } },
  };
}

function createHolder(tx: Transaction, given: Stripe.Issuing.CardholderCreateParams): Holder {
  const holder = blank(HOLDER, {
    id: tx.newId(HOLDER),
    billing: { address: { ...NO_ADDRESS, ...given.billing.address } },
    company: given.company === undefined ? null : { tax_id_provided: given.company.tax_id !== undefined },
    created: tx.now,
    email: given.email,
    individual: individualOf(given.individual),
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, given.metadata),
    name: given.name,
    phone_number: given.phone_number,
    preferred_locales: given.preferred_locales ?? [],
    requirements: { disabled_reason: null, past_due: [] },
    spending_controls: controls("issuing.cardholder.spending_controls", given.spending_controls),
    status: given.status ?? "active",
    type: given.type ?? (given.company === undefined ? "individual" : "company"),
  }) as unknown as Holder;
  tx.put(HOLDER, holder);
  tx.raise("issuing_cardholder.created", holder);
  return holder;
}

function updateHolder(tx: Transaction, id: string, given: Stripe.Issuing.CardholderUpdateParams): Holder {
  const old = tx.get(HOLDER, id);
  const { billing, company, individual, metadata, spending_controls, expand: _expand, ...fields } = given;
  const limits = controls("issuing.cardholder.spending_controls", spending_controls, old.spending_controls ?? {});
  const after = {
    ...old,
    ...fields,
    ...(billing === undefined ? {} : { billing: { address: { ...NO_ADDRESS, ...billing.address } } }),
    ...(company === undefined ? {} : { company: { tax_id_provided: company.tax_id !== undefined } }),
    ...(individual === undefined ? {} : { individual: individualOf(individual) }),
    metadata: mergeMetadata(old.metadata, metadata),
    spending_controls: limits,
  } as unknown as Holder;
  return tx.change(HOLDER, after, "issuing_cardholder.updated");
}

function createCard(tx: Transaction, given: Stripe.Issuing.CardCreateParams): Card {
  const { cardholder } = given;
  if (cardholder === undefined)
    throw invalidRequest("Missing required param: cardholder.", { param: "cardholder", code: "parameter_missing" });
  const last4 = String(1000 + tx.world.random.integer(9000));
  const shipping =
    given.shipping === undefined ? null : { ...blankPart("issuing.card.shipping", shippingOf(given.shipping)) };
  const card = blank(CARD, {
    id: tx.newId(CARD),
    brand: "Visa",
    cardholder: tx.get(HOLDER, cardholder, "cardholder"),
    created: tx.now,
    currency: given.currency.toLowerCase(),
    exp_month: 12,
    exp_year: new Date(tx.now * 1000).getUTCFullYear() + 4,
    last4,
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, given.metadata),
    second_line: given.second_line === "" ? null : given.second_line,
    shipping,
    spending_controls: controls("issuing.card.spending_controls", given.spending_controls),
    status: given.status ?? "inactive",
    type: given.type,
    wallets: {
      apple_pay: { eligible: true, ineligible_reason: null },
      google_pay: { eligible: true, ineligible_reason: null },
      primary_account_identifier: null,
    },
  }) as unknown as Card;
  tx.put(CARD, card);
  tx.raise("issuing_card.created", card);
  return card;
}

function shippingOf(given: NonNullable<Stripe.Issuing.CardCreateParams["shipping"]>): Record<string, unknown> {
  return {
    ...given,
    address: { ...NO_ADDRESS, ...given.address },
    address_validation: null,
    customs: null,
    service: given.service ?? "standard",
    status: "pending",
    type: given.type ?? "individual",
  };
}

function updateCard(tx: Transaction, id: string, given: Stripe.Issuing.CardUpdateParams): Card {
  const old = tx.get(CARD, id);
  if (old.status === "canceled") throw invalidRequest("A canceled card cannot be updated.", { param: "status" });
  const { metadata, spending_controls, status, cancellation_reason } = given;
  const after = {
    ...old,
    ...(status === undefined ? {} : { status }),
    ...(status === "canceled" ? { cancellation_reason: cancellation_reason ?? null } : {}),
    metadata: mergeMetadata(old.metadata, metadata),
    spending_controls: controls("issuing.card.spending_controls", spending_controls, old.spending_controls),
  } as unknown as Card;
  return tx.change(CARD, after, "issuing_card.updated");
}

/** Moves a physical card on its way. */
function ship(status: string): (tx: Transaction, given: object, id: string) => Card {
  return (tx, _, id) => {
    const card = tx.get(CARD, id);
    if (card.shipping === null) throw invalidRequest("This card is not shipped: it is virtual.");
    return tx.change(CARD, { ...card, shipping: { ...card.shipping, status } }, "issuing_card.updated");
  };
}

export const issuingCardRoutes: Route[] = [
  route<Stripe.Issuing.CardholderCreateParams>()("POST /v1/issuing/cardholders", createHolder),
  route<Stripe.Issuing.CardholderListParams>()("GET /v1/issuing/cardholders", (tx, given) => {
    const wanted = tx.where(
      HOLDER,
      ({ email, phone_number, status, type }) =>
        (given.email === undefined || email === given.email) &&
        (given.phone_number === undefined || phone_number === given.phone_number) &&
        (given.status === undefined || status === given.status) &&
        (given.type === undefined || type === given.type),
    );
    return listOf(wanted, "/v1/issuing/cardholders", given as ListParameters);
  }),
  route<object>()("GET /v1/issuing/cardholders/*", (tx, _, id) => tx.get(HOLDER, id)),
  route<Stripe.Issuing.CardholderUpdateParams>()("POST /v1/issuing/cardholders/*", (tx, given, id) =>
    updateHolder(tx, id, given),
  ),

  route<Stripe.Issuing.CardCreateParams>()("POST /v1/issuing/cards", createCard),
  route<Stripe.Issuing.CardListParams>()("GET /v1/issuing/cards", (tx, given) => {
    const wanted = tx.where(
      CARD,
      (card) =>
        (given.cardholder === undefined || card.cardholder.id === given.cardholder) &&
        (given.status === undefined || card.status === given.status) &&
        (given.type === undefined || card.type === given.type) &&
        (given.last4 === undefined || card.last4 === given.last4),
    );
    return listOf(wanted, "/v1/issuing/cards", given as ListParameters);
  }),
  route<object>()("GET /v1/issuing/cards/*", (tx, _, id) => tx.get(CARD, id)),
  route<Stripe.Issuing.CardUpdateParams>()("POST /v1/issuing/cards/*", (tx, given, id) => updateCard(tx, id, given)),
  route<object>()("POST /v1/test_helpers/issuing/cards/*/shipping/submit", ship("submitted")),
  route<object>()("POST /v1/test_helpers/issuing/cards/*/shipping/ship", ship("shipped")),
  route<object>()("POST /v1/test_helpers/issuing/cards/*/shipping/deliver", ship("delivered")),
  route<object>()("POST /v1/test_helpers/issuing/cards/*/shipping/return", ship("returned")),
  route<object>()("POST /v1/test_helpers/issuing/cards/*/shipping/fail", ship("failure")),
];
