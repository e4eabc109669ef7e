// Our copy of Stripe Checkout sessions. Projection of table checkout_sessions.
import { sessionPaymentStatus, sessionStatus } from "../stripe/read-payment.ts";
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

export const checkoutSession = projection({
  objects: ["checkout.session"],
  table: "checkout_sessions",
  columns: {
    stripe_created: "time",
    status: "text",
    payment_status: "text",
    mode: "text",
    currency: "text",
    amount_subtotal: "bigint",
    amount_total: "bigint",
    client_reference_id: "text",
    customer_id: "text",
    customer_account_id: "text",
    customer_email: "text",
    customer_name: "text",
    payment_intent_id: "text",
    setup_intent_id: "text",
    subscription_id: "text",
    invoice_id: "text",
    payment_link_id: "text",
    expires_at: "time",
    recovery_url: "text",
    recovered_from: "text",
    metadata: "json",
  },
  // A completed session that is still unpaid waits for a delayed payment, and an open one for its buyer.
  terminal: isSettled,
  rank: (object) => {
    const status = sessionStatus(object);
    return status === "open" || typeof status !== "string" ? [0, 0] : [1, isSettled(object) ? 1 : 0];
  },
  keeps: ["customer_id", "payment_intent_id", "setup_intent_id", "subscription_id", "invoice_id"],
  row: (object, { type }) => ({
    // Sessions have `created` and `status` since late 2021.
    stripe_created: time(object.created),
    status: sessionStatus(object, type),
    payment_status: sessionPaymentStatus(object),
    mode: required(word(object.mode)),
    currency: word(object.currency),
    amount_subtotal: integer(object.amount_subtotal),
    amount_total: integer(object.amount_total),
    client_reference_id: text(object.client_reference_id),
    customer_id: reference(object.customer),
    customer_account_id: reference(object.customer_account),
    customer_email: firstOf(email(at(object, "customer_details", "email")), email(object.customer_email)),
    customer_name: text(at(object, "customer_details", "name")),
    payment_intent_id: reference(object.payment_intent),
    setup_intent_id: reference(object.setup_intent),
    subscription_id: reference(object.subscription),
    invoice_id: reference(object.invoice),
    payment_link_id: reference(object.payment_link),
    expires_at: time(object.expires_at),
    recovery_url: text(at(object, "after_expiration", "recovery", "url")),
    recovered_from: reference(object.recovered_from),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: [
    "status",
    "payment_status",
    "amount_total",
    "customer_id",
    "payment_intent_id",
    "subscription_id",
    "metadata",
  ],
});

function isSettled(object: StripeObject): boolean {
  const status = sessionStatus(object);
  if (status === "expired") return true;
  return status === "complete" && (object.payment_status === "paid" || object.payment_status === "no_payment_required");
}

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = sessionStatus(object, type);
  return [
    status === "complete" && fact("checkout.session.completed", objectId, word(object.payment_status) ?? ""),
    status === "expired" && fact("checkout.session.expired", objectId),
    type === "checkout.session.async_payment_failed" && fact("checkout.session.async_payment_failed", objectId),
  ];
}
