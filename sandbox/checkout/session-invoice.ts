// Invoices of checkout sessions: the one that payment mode makes on request, and how a payment already made pays one.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { draftInvoice } from "../invoices/draft.ts";
import { finalizeInvoice } from "../invoices/invoice.ts";
import type { SessionDraft } from "./session-draft.ts";

type Session = Stripe.Checkout.Session;

/** Finalizes the draft with the payment that was made before it, which pays it now or when it succeeds. */
export function paidWith(tx: Transaction, invoice: string, intent: Stripe.PaymentIntent): void {
  if (tx.get("invoice", invoice).status === "draft") finalizeInvoice(tx, invoice, { payment_intent: intent.id });
}

export function invoiceOfSession(
  tx: Transaction,
  session: Session,
  draft: SessionDraft,
  customer: string,
  intent: Stripe.PaymentIntent | null,
): string {
  const settings = session.invoice_creation?.invoice_data;
  const invoice = draftInvoice(tx, {
    customer,
    currency: session.currency ?? "usd",
    billing_reason: "manual",
    auto_advance: false,
    lines: draft.lines.map((line) => ({
      price: tx.get("price", line.price),
      quantity: line.quantity ?? 1,
      period: { start: tx.now, end: tx.now },
      tax_rates: line.tax_rates,
      metadata: line.metadata,
    })),
    discounts: discountsOf(tx, session, customer),
    description: settings?.description ?? null,
    footer: settings?.footer ?? null,
    custom_fields: settings?.custom_fields ?? null,
    metadata: settings?.metadata ?? {},
  });
  if (intent === null) finalizeInvoice(tx, invoice.id);
  else paidWith(tx, invoice.id, intent);
  return invoice.id;
}

function discountsOf(tx: Transaction, session: Session, customer: string): string[] {
  const found = tx.where(
    "discount",
    (discount) => discount.checkout_session === session.id && idOf(discount.customer) === customer,
  );
  return found.map(({ id }) => id);
}
