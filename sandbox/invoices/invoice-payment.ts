// Invoice payments: which payment intents are for which invoice, and how much of each has arrived.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { keepTerms, termsOf } from "./record.ts";

/** Says that the payment intent is for the invoice. */
export function openPayment(
  tx: Transaction,
  invoice: Stripe.Invoice,
  intent: Stripe.PaymentIntent,
  isDefault: boolean,
): Stripe.InvoicePayment {
  const payment = blank("invoice_payment", {
    id: tx.newId("invoice_payment"),
    amount_paid: null,
    amount_requested: intent.amount,
    created: tx.now,
    currency: intent.currency,
    invoice: invoice.id,
    is_default: isDefault,
    livemode: tx.scope.livemode,
    payment: { payment_intent: intent.id, type: "payment_intent" },
    status: "open",
    status_transitions: { canceled_at: null, paid_at: null },
  }) as unknown as Stripe.InvoicePayment;
  tx.put("invoice_payment", payment);
  const terms = termsOf(tx, invoice.id);
  keepTerms(tx, invoice.id, { ...terms, payments: [...terms.payments, payment.id] });
  tx.put("_extra", { id: linkId(intent.id), object: "invoice_link", created: tx.now, payment: payment.id });
  return payment;
}

const linkId = (intent: string): string => `invoice_of_${intent}`;

/** The invoice payment that the payment intent is for. */
export function paymentOfIntent(tx: Transaction, intent: string): Stripe.InvoicePayment | undefined {
  const payment = tx.find("_extra", linkId(intent))?.payment;
  return typeof payment === "string" ? tx.find("invoice_payment", payment) : undefined;
}

/** The oldest first. */
export function paymentsOf(tx: Transaction, invoice: string): Stripe.InvoicePayment[] {
  return termsOf(tx, invoice).payments.flatMap((id) => tx.find("invoice_payment", id) ?? []);
}

/** The payment intent that the invoice was finalized with. */
export function paymentIntentOf(tx: Transaction, invoice: string): string | null {
  const payments = paymentsOf(tx, invoice);
  const payment = payments.find(({ is_default, status }) => is_default && status !== "canceled") ?? payments.at(-1);
  return idOf(payment?.payment.payment_intent);
}

export function cancelPayment(tx: Transaction, payment: Stripe.InvoicePayment): void {
  if (payment.status !== "open") return;
  const status_transitions = { ...payment.status_transitions, canceled_at: tx.now };
  tx.put("invoice_payment", { ...payment, status: "canceled", status_transitions });
}

/** Raises nothing: the invoice's own events come before invoice_payment.paid. */
export function payPayment(tx: Transaction, payment: Stripe.InvoicePayment, amount: number): Stripe.InvoicePayment {
  const status_transitions = { ...payment.status_transitions, paid_at: tx.now };
  return tx.put("invoice_payment", { ...payment, amount_paid: amount, status: "paid", status_transitions });
}
