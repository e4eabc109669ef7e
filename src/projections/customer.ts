// Our copy of Stripe customers. Projection of table customers.
import { couponOf } from "../stripe/read-discount.ts";
import { at, boolean, email, firstOf, hash, integer, reference, required, text, time } from "../stripe/read-values.ts";
import { fact, projection } from "./projection.ts";

export const customer = projection({
  objects: ["customer"],
  table: "customers",
  tombstone: true,
  columns: {
    stripe_created: "time",
    email: "text",
    name: "text",
    phone: "text",
    description: "text",
    currency: "text",
    balance: "bigint",
    delinquent: "boolean",
    default_payment_method_id: "text",
    default_source_id: "text",
    coupon_id: "text",
    tax_exempt: "text",
    customer_account_id: "text",
    metadata: "json",
  },
  row: (object) => ({
    stripe_created: required(time(object.created)),
    email: email(object.email),
    name: text(object.name),
    phone: text(object.phone),
    description: text(object.description),
    currency: text(object.currency),
    // `account_balance` until 2019-10-17
    balance: firstOf(integer(object.balance), integer(object.account_balance)),
    delinquent: boolean(object.delinquent),
    default_payment_method_id: reference(at(object, "invoice_settings", "default_payment_method")),
    default_source_id: firstOf(reference(object.default_source), reference(object.default_card)),
    coupon_id: couponOf(object),
    tax_exempt: text(object.tax_exempt),
    customer_account_id: reference(object.customer_account),
    metadata: hash(object.metadata),
  }),
  facts: (object, { type, objectId }) => [
    objectId !== null && type === "customer.created" && fact("customer.created", objectId),
    objectId !== null && (type === "customer.deleted" || object.deleted === true) && fact("customer.deleted", objectId),
  ],
  updated: "customer.updated",
  tracked: [
    "email",
    "name",
    "balance",
    "delinquent",
    "default_payment_method_id",
    "default_source_id",
    "coupon_id",
    "metadata",
  ],
});
