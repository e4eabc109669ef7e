// Our copy of Stripe disputes. Projection of table disputes.
import { disputeDueBy } from "../stripe/read-payment.ts";
import {
  array,
  at,
  boolean,
  hash,
  integer,
  listed,
  reference,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import type { Observation } from "./observation.ts";
import { type Fact, fact, projection } from "./projection.ts";

// Nothing is terminal: a lost dispute may be appealed, a closed inquiry become a chargeback.
export const dispute = projection({
  objects: ["dispute"],
  table: "disputes",
  columns: {
    stripe_created: "time",
    status: "text",
    reason: "text",
    currency: "text",
    amount: "bigint",
    charge_id: "text",
    payment_intent_id: "text",
    evidence_due_by: "time",
    has_evidence: "boolean",
    submission_count: "bigint",
    is_charge_refundable: "boolean",
    network_reason_code: "text",
    balance_transactions: "json",
    metadata: "json",
  },
  // Not the status, for the same reason. Money movements and submissions are only ever added.
  rank: (object) => [
    listed(object.balance_transactions).length,
    integer(at(object, "evidence_details", "submission_count")) ?? 0,
  ],
  keeps: ["payment_intent_id"],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    status: required(word(object.status)),
    reason: required(word(object.reason)),
    currency: required(word(object.currency)),
    amount: required(integer(object.amount)),
    charge_id: required(reference(object.charge)),
    payment_intent_id: reference(object.payment_intent),
    evidence_due_by: disputeDueBy(object),
    has_evidence: boolean(at(object, "evidence_details", "has_evidence")),
    submission_count: integer(at(object, "evidence_details", "submission_count")),
    is_charge_refundable: boolean(object.is_charge_refundable),
    network_reason_code: text(object.network_reason_code),
    balance_transactions: array(object.balance_transactions),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: ["status", "reason", "amount", "evidence_due_by", "has_evidence", "submission_count", "metadata"],
});

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = word(object.status);
  return [
    type === "charge.dispute.created" && fact("dispute.created", objectId),
    typeof status === "string" && fact("dispute.updated", objectId, status),
    type === "charge.dispute.closed" && fact("dispute.closed", objectId, status ?? ""),
    type === "charge.dispute.funds_withdrawn" && fact("dispute.funds_withdrawn", objectId),
    type === "charge.dispute.funds_reinstated" && fact("dispute.funds_reinstated", objectId),
  ];
}
