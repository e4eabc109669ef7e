// Our copy of Stripe payouts. `paid` means expected to arrive: a paid payout can still fail. Projection of table payouts.
import {
  boolean,
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

const STATUS_RANK: Readonly<Record<string, number>> = { pending: 0, in_transit: 1, paid: 2, failed: 3, canceled: 3 };

export const payout = projection({
  objects: ["payout"],
  table: "payouts",
  columns: {
    stripe_created: "time",
    status: "text",
    currency: "text",
    amount: "bigint",
    arrival_date: "time",
    type: "text",
    method: "text",
    automatic: "boolean",
    destination_id: "text",
    balance_transaction_id: "text",
    failure_code: "text",
    failure_message: "text",
    reversed_by_id: "text",
    original_payout_id: "text",
    statement_descriptor: "text",
    description: "text",
    metadata: "json",
  },
  terminal: (object) => object.status === "failed" || object.status === "canceled",
  rank: (object) => [STATUS_RANK[word(object.status) ?? ""] ?? 0],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    status: required(word(object.status)),
    currency: required(word(object.currency)),
    amount: required(integer(object.amount)),
    arrival_date: required(time(object.arrival_date)),
    type: word(object.type),
    method: text(object.method),
    automatic: boolean(object.automatic),
    destination_id: reference(object.destination),
    balance_transaction_id: reference(object.balance_transaction),
    failure_code: text(object.failure_code),
    failure_message: text(object.failure_message),
    reversed_by_id: reference(object.reversed_by),
    original_payout_id: reference(object.original_payout),
    statement_descriptor: text(object.statement_descriptor),
    description: text(object.description),
    metadata: hash(object.metadata),
  }),
  facts,
  tracked: ["status", "amount", "arrival_date", "failure_code", "failure_message"],
});

function facts(object: StripeObject, { type, objectId }: Observation): (Fact | false)[] {
  if (objectId === null) return [];
  const status = object.status;
  return [
    type === "payout.created" && fact("payout.created", objectId),
    status === "paid" && fact("payout.paid", objectId),
    status === "failed" && fact("payout.failed", objectId),
    status === "canceled" && fact("payout.canceled", objectId),
  ];
}
