// Our copy of what was paid with before payment methods: cards, sources and bank accounts, also those of connected accounts. Projection of table sources.
import { typedDetails } from "../stripe/read-payment.ts";
import {
  at,
  email,
  firstOf,
  hash,
  integer,
  reference,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import type { Observation } from "./observation.ts";
import { type Fact, fact, projection } from "./projection.ts";

export const source = projection({
  objects: ["source", "card", "bank_account"],
  table: "sources",
  tombstone: true,
  columns: {
    stripe_created: "time",
    type: "text",
    status: "text",
    customer_id: "text",
    account_id: "text",
    currency: "text",
    brand: "text",
    last4: "text",
    exp_month: "bigint",
    exp_year: "bigint",
    funding: "text",
    country: "text",
    fingerprint: "text",
    bank_name: "text",
    owner_name: "text",
    owner_email: "text",
    metadata: "json",
  },
  row: (object) => {
    const details = detailsOf(object);
    return {
      // Cards and bank accounts have none.
      stripe_created: time(object.created),
      type: typeOf(object),
      status: word(object.status),
      customer_id: reference(object.customer),
      account_id: reference(object.account),
      currency: word(object.currency),
      brand: text(details.brand),
      last4: text(details.last4),
      exp_month: integer(details.exp_month),
      exp_year: integer(details.exp_year),
      funding: text(details.funding),
      country: text(details.country),
      fingerprint: text(details.fingerprint),
      bank_name: text(details.bank_name),
      owner_name: firstOf(text(object.name), text(object.account_holder_name), text(at(object, "owner", "name"))),
      owner_email: email(at(object, "owner", "email")),
      metadata: hash(object.metadata),
    };
  },
  facts,
  tracked: ["status", "customer_id", "brand", "last4", "exp_month", "exp_year", "metadata"],
});

/** card, bank_account, or a source's own type (card, sepa_debit, …). */
function typeOf(object: StripeObject): string | undefined {
  return required(object.object === "source" ? word(object.type) : word(object.object));
}

function detailsOf(object: StripeObject): StripeObject {
  return object.object === "source" ? typedDetails(object) : object;
}

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const { exp_year: year, exp_month: month } = detailsOf(object);
  return [
    type === "customer.source.expiring" &&
      fact("payment_method.expiring", objectId, integer(year) ?? "", integer(month) ?? ""),
  ];
}
