// Our copy of Stripe invoice payments: since 2025-03-31 the only link from an invoice to its payment. Projection of table invoice_payments.
import { paymentReference } from "../stripe/read-payment.ts";
import { at, boolean, integer, reference, required, time, word } from "../stripe/read-values.ts";
import { fact, projection } from "./projection.ts";

export const invoicePayment = projection({
  objects: ["invoice_payment"],
  table: "invoice_payments",
  columns: {
    stripe_created: "time",
    status: "text",
    invoice_id: "text",
    currency: "text",
    amount_paid: "bigint",
    amount_requested: "bigint",
    is_default: "boolean",
    payment_type: "text",
    payment_intent_id: "text",
    charge_id: "text",
    payment_record_id: "text",
    paid_at: "time",
    canceled_at: "time",
  },
  terminal: (object) => object.status === "paid" || object.status === "canceled",
  rank: (object) => [object.status === "open" ? 0 : 1, integer(object.amount_paid) ?? 0],
  row: (object) => ({
    stripe_created: required(time(object.created)),
    status: required(word(object.status)),
    invoice_id: required(reference(object.invoice)),
    currency: required(word(object.currency)),
    amount_paid: integer(object.amount_paid),
    amount_requested: required(integer(object.amount_requested)),
    is_default: boolean(object.is_default),
    payment_type: required(word(at(object, "payment", "type"))),
    payment_intent_id: paymentReference(object, "payment_intent"),
    charge_id: paymentReference(object, "charge"),
    payment_record_id: paymentReference(object, "payment_record"),
    paid_at: time(at(object, "status_transitions", "paid_at")),
    canceled_at: time(at(object, "status_transitions", "canceled_at")),
  }),
  facts: (object, { objectId }) => [
    objectId !== null && object.status === "paid" && fact("invoice_payment.paid", objectId),
  ],
  tracked: ["status", "amount_paid", "amount_requested"],
});
