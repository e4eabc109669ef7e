// Ends of an invoice without money: voided, given up as uncollectible, or deleted while a draft.
import type Stripe from "stripe";
import { adjustBalance } from "../customers/customer.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { cancelPaymentIntent } from "../payments/payment-intent.ts";
import { setDelinquent } from "./collect.ts";
import { cancelPayment, paymentsOf } from "./invoice-payment.ts";
import { keepTerms, saveInvoice, tellMoved, termsOf } from "./record.ts";

/** What a payment intent may be canceled in. */
const CANCELABLE = ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"];

export function cancelOpenPayments(tx: Transaction, invoice: string): void {
  for (const payment of paymentsOf(tx, invoice)) {
    const intent = tx.find("payment_intent", idOf(payment.payment.payment_intent) ?? "");
    if (payment.status !== "open") continue;
    cancelPayment(tx, payment);
    if (intent !== undefined && CANCELABLE.includes(intent.status)) {
      cancelPaymentIntent(tx, intent.id, { cancellation_reason: "void_invoice" });
    }
  }
}

/** @throws StripeFailure 400: neither open nor uncollectible */
export function voidInvoice(world: Transaction, id: string): Stripe.Invoice {
  const before = world.get("invoice", id);
  const tx = world.atTimeOf(before.customer);
  if (before.status !== "open" && before.status !== "uncollectible") {
    throw invalidRequest(
      `You can only pass in open or uncollectible invoices. This invoice isn't open or uncollectible (its status is ${before.status ?? ""}).`,
    );
  }
  cancelOpenPayments(tx, id);
  giveBack(tx, before);
  const voided: Stripe.Invoice = {
    ...before,
    status: "void",
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...before.status_transitions, voided_at: tx.now },
  };
  saveInvoice(tx, voided, "invoice.voided", "invoice.updated");
  return tellMoved(tx, id, before);
}

/** The customer's credit that went into the invoice is the customer's again. */
function giveBack(tx: Transaction, invoice: Stripe.Invoice): void {
  const terms = termsOf(tx, invoice.id);
  const customer = idOf(invoice.customer);
  if (terms.applied_balance === 0 || customer === null) return;
  adjustBalance(tx, customer, -terms.applied_balance, {
    type: "unapplied_from_invoice",
    currency: invoice.currency,
    invoice: invoice.id,
  });
  keepTerms(tx, invoice.id, { ...terms, applied_balance: 0 });
}

type UncollectibleReason = Stripe.Invoice.StatusDetails.Uncollectible.Reason;

/** It may still be paid or voided. @throws StripeFailure 400: not open */
export function markUncollectible(
  world: Transaction,
  id: string,
  reason: UncollectibleReason = "user_forgiven",
): Stripe.Invoice {
  const before = world.get("invoice", id);
  const tx = world.atTimeOf(before.customer);
  if (before.status !== "open") {
    throw invalidRequest(
      `You can only mark an open invoice as uncollectible. This invoice isn't open (its status is ${before.status ?? ""}).`,
    );
  }
  const given: Stripe.Invoice = {
    ...before,
    status: "uncollectible",
    status_details: { uncollectible: { reason } },
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...before.status_transitions, marked_uncollectible_at: tx.now },
  };
  saveInvoice(tx, given, "invoice.marked_uncollectible", "invoice.updated");
  // Stripe: not where dunning gave it up.
  if (reason === "user_forgiven") setDelinquent(tx, before, false);
  return tellMoved(tx, id, before);
}

/** The invoice items that it had taken in are pending again. @throws StripeFailure 400: not a draft, or a subscription's */
export function deleteInvoice(tx: Transaction, id: string): Stripe.DeletedInvoice {
  const invoice = tx.get("invoice", id);
  if (invoice.status !== "draft") {
    throw invalidRequest("You can only delete draft invoices.", { code: "invoice_not_editable" });
  }
  if (invoice.parent?.type === "subscription_details") {
    throw invalidRequest("You can't delete invoices created by subscriptions.", { code: "invoice_not_editable" });
  }
  for (const item of tx.where("invoiceitem", (each) => each.invoice === id))
    tx.put("invoiceitem", { ...item, invoice: null });
  tx.remove("invoice", id);
  tx.remove("_extra", id);
  tx.atTimeOf(invoice.customer).raise("invoice.deleted", invoice);
  return { id, object: "invoice", deleted: true };
}
