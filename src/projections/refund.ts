// Our copy of Stripe refunds. Projection of table refunds.
import { hash, integer, reference, required, type StripeObject, text, time, word } from "../stripe/read-values.ts";
import type { Observation } from "./observation.ts";
import { type Fact, fact, projection } from "./projection.ts";

/** A refund that succeeded can still fail at the bank; one that failed or was canceled stays so. */
const STATUS_RANK: Readonly<Record<string, number>> = {
  pending: 0,
  requires_action: 0,
  succeeded: 1,
  failed: 2,
  canceled: 2,
};

export const refund = projection({
  objects: ["refund"],
  table: "refunds",
  columns: {
    stripe_created: "time",
    status: "text",
    currency: "text",
    amount: "bigint",
    charge_id: "text",
    payment_intent_id: "text",
    customer_id: "text",
    reason: "text",
    failure_reason: "text",
    pending_reason: "text",
    balance_transaction_id: "text",
    failure_balance_transaction_id: "text",
    transfer_reversal_id: "text",
    receipt_number: "text",
    description: "text",
    metadata: "json",
  },
  terminal: (object) => object.status === "failed" || object.status === "canceled",
  rank: (object) => [STATUS_RANK[word(object.status) ?? ""] ?? 0],
  keeps: ["charge_id", "payment_intent_id", "customer_id"],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    // Stripe types it as nullable, and shapes before 2015 lack it.
    status: word(object.status),
    currency: required(word(object.currency)),
    amount: required(integer(object.amount)),
    charge_id: reference(object.charge),
    payment_intent_id: reference(object.payment_intent),
    customer_id: reference(object.customer),
    reason: word(object.reason),
    failure_reason: word(object.failure_reason),
    pending_reason: word(object.pending_reason),
    balance_transaction_id: reference(object.balance_transaction),
    failure_balance_transaction_id: reference(object.failure_balance_transaction),
    transfer_reversal_id: reference(object.transfer_reversal),
    receipt_number: text(object.receipt_number),
    description: text(object.description),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: ["status", "amount", "reason", "failure_reason", "metadata"],
});

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = word(object.status);
  return [
    type === "refund.created" && fact("refund.created", objectId),
    typeof status === "string" && fact("refund.updated", objectId, status),
    status === "failed" && fact("refund.failed", objectId),
  ];
}
