// Our copy of Stripe charges. Projection of table charges.
import { chargeCard, chargePaymentMethod, chargeStatus } from "../stripe/read-payment.ts";
import {
  at,
  boolean,
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

export const charge = projection({
  objects: ["charge"],
  table: "charges",
  columns: {
    stripe_created: "time",
    status: "text",
    currency: "text",
    amount: "bigint",
    amount_captured: "bigint",
    amount_refunded: "bigint",
    application_fee_amount: "bigint",
    captured: "boolean",
    refunded: "boolean",
    disputed: "boolean",
    customer_id: "text",
    payment_intent_id: "text",
    invoice_id: "text",
    payment_method_id: "text",
    balance_transaction_id: "text",
    failure_code: "text",
    failure_message: "text",
    outcome_type: "text",
    outcome_reason: "text",
    risk_level: "text",
    payment_method_type: "text",
    card_brand: "text",
    card_last4: "text",
    billing_email: "text",
    receipt_email: "text",
    receipt_url: "text",
    description: "text",
    on_behalf_of: "text",
    transfer_destination: "text",
    metadata: "json",
  },
  // Not amount_refunded: a refund that fails lowers it again.
  rank: (object) => [
    object.status === "pending" ? 0 : 1,
    object.captured === true ? 1 : 0,
    typeof reference(object.balance_transaction) === "string" ? 1 : 0,
  ],
  keeps: ["invoice_id", "payment_intent_id"],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    ...outcome(object),
    currency: required(word(object.currency)),
    amount: required(integer(object.amount)),
    amount_captured: integer(object.amount_captured),
    amount_refunded: required(integer(object.amount_refunded)),
    application_fee_amount: integer(object.application_fee_amount),
    customer_id: reference(object.customer),
    payment_intent_id: reference(object.payment_intent),
    invoice_id: reference(object.invoice),
    balance_transaction_id: reference(object.balance_transaction),
    ...means(object),
    billing_email: email(at(object, "billing_details", "email")),
    receipt_email: email(object.receipt_email),
    receipt_url: text(object.receipt_url),
    description: text(object.description),
    on_behalf_of: reference(object.on_behalf_of),
    transfer_destination: firstOf(reference(at(object, "transfer_data", "destination")), reference(object.destination)),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: [
    "status",
    "captured",
    "amount_captured",
    "amount_refunded",
    "refunded",
    "disputed",
    "failure_code",
    "failure_message",
    "metadata",
  ],
});

function outcome(object: StripeObject) {
  return {
    status: chargeStatus(object),
    captured: boolean(object.captured),
    refunded: boolean(object.refunded),
    disputed: isDisputed(object),
    failure_code: text(object.failure_code),
    failure_message: text(object.failure_message),
    outcome_type: word(at(object, "outcome", "type")),
    outcome_reason: word(at(object, "outcome", "reason")),
    risk_level: text(at(object, "outcome", "risk_level")),
  };
}

/** Shapes before 2020 only name the dispute. */
function isDisputed(object: StripeObject): boolean | undefined {
  const disputed = boolean(object.disputed);
  return disputed === null ? typeof reference(object.dispute) === "string" : disputed;
}

function means(object: StripeObject) {
  const card = chargeCard(object);
  return {
    payment_method_id: chargePaymentMethod(object),
    payment_method_type: word(at(object, "payment_method_details", "type")),
    card_brand: text(card.brand),
    card_last4: text(card.last4),
  };
}

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = chargeStatus(object);
  const refunded = integer(object.amount_refunded) ?? 0;
  // payment.* tells of a payment intent's charges.
  const untold = typeof reference(object.payment_intent) === "string";
  return [
    status === "succeeded" && { ...fact("charge.succeeded", objectId), untold },
    status === "failed" && { ...fact("charge.failed", objectId), untold },
    type === "charge.captured" && { ...fact("charge.captured", objectId), untold },
    refunded > 0 && fact("charge.refunded", objectId, refunded),
  ];
}
