// Our copy of Stripe setup intents. Projection of table setup_intents.
import { failedAttempt, intentPaymentMethod, intentStatus } from "../stripe/read-payment.ts";
import { at, hash, reference, required, type StripeObject, text, time, word } from "../stripe/read-values.ts";
import type { Observation } from "./observation.ts";
import { type Fact, fact, projection } from "./projection.ts";

export const setupIntent = projection({
  objects: ["setup_intent"],
  table: "setup_intents",
  columns: {
    stripe_created: "time",
    status: "text",
    usage: "text",
    customer_id: "text",
    customer_account_id: "text",
    payment_method_id: "text",
    mandate_id: "text",
    latest_attempt_id: "text",
    next_action: "text",
    last_setup_error_code: "text",
    last_setup_error_decline_code: "text",
    last_setup_error_message: "text",
    cancellation_reason: "text",
    description: "text",
    on_behalf_of: "text",
    metadata: "json",
  },
  terminal: (object) => object.status === "succeeded" || object.status === "canceled",
  row: (object) => ({
    stripe_created: required(time(object.created)),
    status: intentStatus(object),
    usage: text(object.usage),
    customer_id: reference(object.customer),
    customer_account_id: reference(object.customer_account),
    payment_method_id: intentPaymentMethod(object),
    mandate_id: reference(object.mandate),
    latest_attempt_id: reference(object.latest_attempt),
    next_action: word(at(object, "next_action", "type")),
    last_setup_error_code: text(at(object, "last_setup_error", "code")),
    last_setup_error_decline_code: text(at(object, "last_setup_error", "decline_code")),
    last_setup_error_message: text(at(object, "last_setup_error", "message")),
    cancellation_reason: word(object.cancellation_reason),
    description: text(object.description),
    on_behalf_of: reference(object.on_behalf_of),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: [
    "status",
    "payment_method_id",
    "last_setup_error_code",
    "last_setup_error_message",
    "cancellation_reason",
    "metadata",
  ],
});

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = intentStatus(object);
  return [
    status === "succeeded" && fact("setup_intent.succeeded", objectId),
    status === "canceled" && fact("setup_intent.canceled", objectId),
    type === "setup_intent.setup_failed" &&
      fact("setup_intent.setup_failed", objectId, reference(object.latest_attempt) ?? failedAttempt(object) ?? ""),
  ];
}
