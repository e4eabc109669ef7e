// Our copy of Stripe payment methods. Projection of table payment_methods.
import { typedDetails } from "../stripe/read-payment.ts";
import {
  at,
  email,
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

// customer_id is not kept: a detached method belongs to nobody.
export const paymentMethod = projection({
  objects: ["payment_method"],
  table: "payment_methods",
  columns: {
    stripe_created: "time",
    type: "text",
    customer_id: "text",
    customer_account_id: "text",
    brand: "text",
    last4: "text",
    exp_month: "bigint",
    exp_year: "bigint",
    funding: "text",
    country: "text",
    fingerprint: "text",
    billing_email: "text",
    billing_name: "text",
    metadata: "json",
  },
  row: (object) => {
    const details = typedDetails(object);
    return {
      stripe_created: required(time(object.created)),
      type: required(word(object.type)),
      customer_id: reference(object.customer),
      customer_account_id: reference(object.customer_account),
      brand: text(details.brand),
      last4: text(details.last4),
      exp_month: integer(details.exp_month),
      exp_year: integer(details.exp_year),
      funding: text(details.funding),
      country: text(details.country),
      fingerprint: text(details.fingerprint),
      billing_email: email(at(object, "billing_details", "email")),
      billing_name: text(at(object, "billing_details", "name")),
      metadata: hash(object.metadata),
    };
  },
  facts,
  updated: "payment_method.updated",
  tracked: ["customer_id", "brand", "last4", "exp_month", "exp_year", "billing_email", "metadata"],
});

function facts(object: StripeObject, { type, objectId, created }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const customer = reference(object.customer) ?? reference(object.customer_account) ?? "";
  return [
    type === "payment_method.attached" && fact("payment_method.attached", objectId, customer),
    // Once in its life: Stripe attaches no method again that was detached.
    type === "payment_method.detached" && fact("payment_method.detached", objectId),
    type === "payment_method.automatically_updated" && fact("payment_method.automatically_updated", objectId, created),
  ];
}
