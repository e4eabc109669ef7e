// Search of charges and payment intents.
import type Stripe from "stripe";

import { search, type SearchField, type SearchParameters } from "../catalogue/search.ts";
import { route, type Route } from "../core/route.ts";

const CHARGE_FIELDS: Readonly<Record<string, SearchField<Stripe.Charge>>> = {
  amount: { as: "number", read: (charge) => charge.amount },
  created: { as: "number", read: (charge) => charge.created },
  currency: { as: "token", read: (charge) => charge.currency },
  customer: { as: "token", read: (charge) => charge.customer as string | null },
  disputed: { as: "token", read: (charge) => charge.disputed },
  refunded: { as: "token", read: (charge) => charge.refunded },
  status: { as: "token", read: (charge) => charge.status },
  "payment_method_details.card.brand": {
    as: "token",
    read: (charge) => charge.payment_method_details?.card?.brand ?? null,
  },
  "payment_method_details.card.last4": {
    as: "token",
    read: (charge) => charge.payment_method_details?.card?.last4 ?? null,
  },
};

const INTENT_FIELDS: Readonly<Record<string, SearchField<Stripe.PaymentIntent>>> = {
  amount: { as: "number", read: (intent) => intent.amount },
  created: { as: "number", read: (intent) => intent.created },
  currency: { as: "token", read: (intent) => intent.currency },
  customer: { as: "token", read: (intent) => intent.customer as string | null },
  status: { as: "token", read: (intent) => intent.status },
};

export const paymentSearchRoutes: Route[] = [
  route<SearchParameters>()("GET /v1/charges/search", (tx, p) =>
    search(tx.all("charge"), p, { resource: "charges", url: "/v1/charges/search", fields: CHARGE_FIELDS }),
  ),
  route<SearchParameters>()("GET /v1/payment_intents/search", (tx, p) =>
    search(tx.all("payment_intent"), p, {
      resource: "payment_intents",
      url: "/v1/payment_intents/search",
      fields: INTENT_FIELDS,
    }),
  ),
];
