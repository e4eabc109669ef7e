// Our copy of Stripe payment intents. Projection of table payment_intents.
import { failedAttempt, intentInvoice, intentPaymentMethod, intentStatus, paidCharge } from "../stripe/read-payment.ts";
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

// No rank: a payment intent goes back and forth between requires_payment_method, requires_action and processing.
export const paymentIntent = projection({
  objects: ["payment_intent"],
  table: "payment_intents",
  columns: {
    stripe_created: "time",
    status: "text",
    currency: "text",
    amount: "bigint",
    amount_received: "bigint",
    amount_capturable: "bigint",
    application_fee_amount: "bigint",
    customer_id: "text",
    customer_account_id: "text",
    payment_method_id: "text",
    latest_charge_id: "text",
    invoice_id: "text",
    capture_method: "text",
    setup_future_usage: "text",
    next_action: "text",
    last_payment_error_code: "text",
    last_payment_error_decline_code: "text",
    last_payment_error_message: "text",
    canceled_at: "time",
    cancellation_reason: "text",
    receipt_email: "text",
    description: "text",
    on_behalf_of: "text",
    transfer_destination: "text",
    metadata: "json",
  },
  terminal: (object) => object.status === "succeeded" || object.status === "canceled",
  keeps: ["latest_charge_id", "invoice_id"],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    status: intentStatus(object),
    currency: required(word(object.currency)),
    amount: required(integer(object.amount)),
    amount_received: integer(object.amount_received),
    amount_capturable: integer(object.amount_capturable),
    application_fee_amount: integer(object.application_fee_amount),
    customer_id: reference(object.customer),
    customer_account_id: reference(object.customer_account),
    payment_method_id: intentPaymentMethod(object),
    latest_charge_id: paidCharge(object),
    invoice_id: intentInvoice(object),
    capture_method: word(object.capture_method),
    setup_future_usage: text(object.setup_future_usage),
    next_action: firstOf(word(at(object, "next_action", "type")), word(at(object, "next_source_action", "type"))),
    last_payment_error_code: text(at(object, "last_payment_error", "code")),
    last_payment_error_decline_code: text(at(object, "last_payment_error", "decline_code")),
    last_payment_error_message: text(at(object, "last_payment_error", "message")),
    canceled_at: time(object.canceled_at),
    cancellation_reason: word(object.cancellation_reason),
    receipt_email: email(object.receipt_email),
    description: text(object.description),
    on_behalf_of: reference(object.on_behalf_of),
    transfer_destination: reference(at(object, "transfer_data", "destination")),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: [
    "status",
    "amount",
    "amount_received",
    "latest_charge_id",
    "payment_method_id",
    "last_payment_error_code",
    "last_payment_error_decline_code",
    "last_payment_error_message",
    "cancellation_reason",
    "metadata",
  ],
});

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = intentStatus(object);
  // A new confirmation clears the error: while the intent waits for a method, the error is that of its last attempt.
  const failed =
    type === "payment_intent.payment_failed" || status === "requires_payment_method" ? failedAttempt(object) : null;
  return [
    status === "succeeded" && fact("payment.succeeded", objectId),
    status === "canceled" && fact("payment.canceled", objectId),
    failed !== null && fact("payment.failed", objectId, failed),
  ];
}
