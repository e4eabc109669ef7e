// Paying and sending by other ways: a payment intent that is already there is attached, an invoice goes out by e-mail.
import type Stripe from "stripe";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { cancelOpenPayments } from "./close.ts";
import { paymentArrived } from "./collect.ts";
import { finalizeInvoice } from "./finalize.ts";
import { openPayment, paymentOfIntent } from "./invoice-payment.ts";
import { saveInvoice } from "./record.ts";

/**
 * The payment intent pays the invoice, now or once it succeeds. When nothing remains due the invoice's own intent is
 * canceled.
 * @throws StripeFailure 400: not open, or the intent is another customer's, currency's or invoice's
 */
export function attachPayment(
  world: Transaction,
  id: string,
  { payment_intent: intentId }: Stripe.InvoiceAttachPaymentParams,
): Stripe.Invoice {
  if (intentId === undefined) throw parameterMissing("payment_intent");
  const invoice = world.get("invoice", id);
  const tx = world.atTimeOf(invoice.customer);
  if (invoice.status !== "open" && invoice.status !== "uncollectible") {
    throw invalidRequest("You can only attach payments to open or uncollectible invoices.");
  }
  const intent = tx.get("payment_intent", intentId, "payment_intent");
  checkIntent(tx, invoice, intent);
  openPayment(tx, invoice, intent, false);
  if (intent.status === "succeeded") paymentArrived(tx, intent);
  if (tx.get("invoice", id).status === "paid") cancelOpenPayments(tx, id);
  return tx.get("invoice", id);
}

function checkIntent(tx: Transaction, invoice: Stripe.Invoice, intent: Stripe.PaymentIntent): void {
  const param = "payment_intent";
  const customer = idOf(intent.customer);
  if (customer !== null && customer !== idOf(invoice.customer)) {
    throw invalidRequest("The customer of the PaymentIntent does not match the customer of the invoice.", { param });
  }
  if (intent.currency !== invoice.currency) {
    throw invalidRequest("The currency of the PaymentIntent does not match the currency of the invoice.", { param });
  }
  if (intent.status === "canceled") {
    throw invalidRequest("You cannot attach a canceled PaymentIntent to an invoice.", { param });
  }
  if (paymentOfIntent(tx, intent.id) === undefined) return;
  throw invalidRequest("This PaymentIntent is already attached to an invoice.", { param });
}

/** Finalizes a draft first. Raises invoice.sent; no mail leaves the sandbox. @throws StripeFailure 400: not sent to pay */
export function sendInvoice(world: Transaction, id: string): Stripe.Invoice {
  const invoice = world.get("invoice", id);
  const tx = world.atTimeOf(invoice.customer);
  if (invoice.collection_method !== "send_invoice") {
    throw invalidRequest("You can only manually send an invoice if its collection method is 'send_invoice'.", {
      param: "collection_method",
    });
  }
  if (invoice.status === "void" || invoice.status === "uncollectible") {
    throw invalidRequest(`You can't send an invoice whose status is ${invoice.status}.`);
  }
  const sent = invoice.status === "draft" ? finalizeInvoice(tx, id) : invoice;
  return saveInvoice(tx, sent, "invoice.sent");
}
