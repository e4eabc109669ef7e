// The routes of invoices, invoice items, invoice payments and credit notes, and what the room hears and does by itself.
import type Stripe from "stripe";
import { search, type SearchParameters } from "../catalogue/search.ts";
import { StripeFailure } from "../core/errors.ts";
import { hooks } from "../core/hooks.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { cardErrorOf } from "../payments/payment-intent.ts";
import { deleteInvoice, markUncollectible, voidInvoice } from "./close.ts";
import { hearPaymentIntent, payInvoice } from "./collect.ts";
import {
  createCreditNote,
  listCreditNoteLines,
  listCreditNotes,
  previewCreditNote,
  previewCreditNoteLines,
  updateCreditNote,
  voidCreditNote,
} from "./credit-note.ts";
import { invoiceWork } from "./due.ts";
import { addLines, listLines, removeLines, updateLine, updateLines } from "./edit-lines.ts";
import { createInvoice, updateInvoice } from "./edit.ts";
import { finalizeInvoice } from "./finalize.ts";
import {
  createInvoiceItem,
  deleteInvoiceItem,
  type ItemInput,
  listInvoiceItems,
  updateInvoiceItem,
} from "./invoice-item.ts";
import { paymentIntentOf, paymentsOf } from "./invoice-payment.ts";
import { createPreview } from "./preview.ts";
import { attachPayment, sendInvoice } from "./settle.ts";

type None = Record<string, never>;

const items: readonly Route[] = [
  route<ItemInput>()("POST /v1/invoiceitems", (tx, params) => createInvoiceItem(tx, params)),
  route<Stripe.InvoiceItemListParams>()("GET /v1/invoiceitems", (tx, params) => listInvoiceItems(tx, params)),
  route<None>()("GET /v1/invoiceitems/*", (tx, _, id) => tx.get("invoiceitem", id)),
  route<Stripe.InvoiceItemUpdateParams>()("POST /v1/invoiceitems/*", (tx, params, id) =>
    updateInvoiceItem(tx, id, params),
  ),
  route<None>()("DELETE /v1/invoiceitems/*", (tx, _, id) => deleteInvoiceItem(tx, id)),
];

const invoices: readonly Route[] = [
  route<Stripe.InvoiceCreateParams>()("POST /v1/invoices", (tx, params) => createInvoice(tx, params)),
  route<Stripe.InvoiceListParams>()("GET /v1/invoices", (tx, params) => listInvoices(tx, params)),
  route<SearchParameters>()("GET /v1/invoices/search", (tx, params) => searchInvoices(tx, params)),
  route<Stripe.InvoiceCreatePreviewParams>()("POST /v1/invoices/create_preview", (tx, params) =>
    createPreview(tx, params),
  ),
  route<None>()("GET /v1/invoices/*", (tx, _, id) => tx.get("invoice", id)),
  route<Stripe.InvoiceUpdateParams>()("POST /v1/invoices/*", (tx, params, id) => updateInvoice(tx, id, params)),
  route<None>()("DELETE /v1/invoices/*", (tx, _, id) => deleteInvoice(tx, id)),
  route<Stripe.InvoiceFinalizeInvoiceParams>()("POST /v1/invoices/*/finalize", (tx, { auto_advance }, id) =>
    finalizeInvoice(tx, id, { auto_advance }),
  ),
  route<Stripe.InvoicePayParams>()("POST /v1/invoices/*/pay", (tx, params, id) => payNow(tx, id, params)),
  route<None>()("POST /v1/invoices/*/send", (tx, _, id) => sendInvoice(tx, id)),
  route<None>()("POST /v1/invoices/*/void", (tx, _, id) => voidInvoice(tx, id)),
  route<None>()("POST /v1/invoices/*/mark_uncollectible", (tx, _, id) => markUncollectible(tx, id)),
  route<Stripe.InvoiceAttachPaymentParams>()("POST /v1/invoices/*/attach_payment", (tx, params, id) =>
    attachPayment(tx, id, params),
  ),
  route<ListParameters>()("GET /v1/invoices/*/lines", (tx, params, id) => listLines(tx, id, params)),
  route<Stripe.InvoiceUpdateLineItemParams>()("POST /v1/invoices/*/lines/*", (tx, params, id, line) =>
    updateLine(tx, id, line, params),
  ),
  route<Stripe.InvoiceAddLinesParams>()("POST /v1/invoices/*/add_lines", (tx, params, id) => addLines(tx, id, params)),
  route<Stripe.InvoiceUpdateLinesParams>()("POST /v1/invoices/*/update_lines", (tx, params, id) =>
    updateLines(tx, id, params),
  ),
  route<Stripe.InvoiceRemoveLinesParams>()("POST /v1/invoices/*/remove_lines", (tx, params, id) =>
    removeLines(tx, id, params),
  ),
];

const payments: readonly Route[] = [
  route<Stripe.InvoicePaymentListParams>()("GET /v1/invoice_payments", (tx, params) => listPayments(tx, params)),
  route<None>()("GET /v1/invoice_payments/*", (tx, _, id) => tx.get("invoice_payment", id)),
];

const creditNotes: readonly Route[] = [
  route<Stripe.CreditNoteCreateParams>()("POST /v1/credit_notes", (tx, params) => createCreditNote(tx, params)),
  route<Stripe.CreditNoteListParams>()("GET /v1/credit_notes", (tx, params) => listCreditNotes(tx, params)),
  route<Stripe.CreditNotePreviewParams>()("GET /v1/credit_notes/preview", (tx, params) =>
    previewCreditNote(tx, params),
  ),
  route<Stripe.CreditNoteListPreviewLineItemsParams>()("GET /v1/credit_notes/preview/lines", (tx, params) =>
    previewCreditNoteLines(tx, params),
  ),
  route<None>()("GET /v1/credit_notes/*", (tx, _, id) => tx.get("credit_note", id)),
  route<Stripe.CreditNoteUpdateParams>()("POST /v1/credit_notes/*", (tx, params, id) =>
    updateCreditNote(tx, id, params),
  ),
  route<None>()("POST /v1/credit_notes/*/void", (tx, _, id) => voidCreditNote(tx, id)),
  route<ListParameters>()("GET /v1/credit_notes/*/lines", (tx, params, id) => listCreditNoteLines(tx, id, params)),
];

export const invoiceRoutes: readonly Route[] = [...items, ...invoices, ...payments, ...creditNotes];

/** A failed attempt ends the call as a card error; what it left stays. */
function payNow(tx: Transaction, id: string, params: Stripe.InvoicePayParams): Stripe.Invoice {
  const { payment_method, source, off_session, paid_out_of_band } = params;
  const invoice = payInvoice(tx, id, { payment_method, source, off_session, paid_out_of_band });
  const intent = tx.find("payment_intent", paymentIntentOf(tx, id) ?? "");
  if (invoice.status !== "open" || intent === undefined) return invoice;
  if (intent.status === "requires_action") throw actionRequired(intent);
  if (intent.status === "requires_payment_method") throw cardErrorOf(intent);
  return invoice;
}

function actionRequired(payment_intent: Stripe.PaymentIntent): StripeFailure {
  const message =
    "This payment requires additional user action before it can be completed successfully. Payment can be completed " +
    "using the PaymentIntent associated with the invoice. For more details see: " +
    "https://stripe.com/docs/billing/subscriptions/overview#requires-action";
  const code = "invoice_payment_intent_requires_action";
  return new StripeFailure(402, { type: "card_error", code, message, payment_intent }, { keeps: true });
}

function listInvoices(tx: Transaction, params: Stripe.InvoiceListParams): object {
  const { customer, status, subscription, collection_method, due_date } = params;
  const found = tx.where(
    "invoice",
    (invoice) =>
      (customer === undefined || idOf(invoice.customer) === customer) &&
      (status === undefined || invoice.status === status) &&
      (collection_method === undefined || invoice.collection_method === collection_method) &&
      (subscription === undefined || idOf(invoice.parent?.subscription_details?.subscription) === subscription) &&
      (due_date === undefined || isWithin(invoice.due_date, due_date)),
  );
  return listOf(found, "/v1/invoices", params);
}

function isWithin(at: number | null, range: Stripe.RangeQueryParam | number): boolean {
  if (at === null) return false;
  if (typeof range === "number") return at === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return at > gt && at >= gte && at < lt && at <= lte;
}

function searchInvoices(tx: Transaction, params: SearchParameters): object {
  return search(tx.all("invoice"), params, {
    resource: "invoices",
    url: "/v1/invoices/search",
    fields: {
      created: { as: "number", read: ({ created }) => created },
      currency: { as: "token", read: ({ currency }) => currency },
      customer: { as: "token", read: ({ customer }) => idOf(customer) },
      last_finalization_error_code: { as: "token", read: (invoice) => invoice.last_finalization_error?.code },
      last_finalization_error_type: { as: "token", read: (invoice) => invoice.last_finalization_error?.type },
      number: { as: "text", read: ({ number }) => number },
      receipt_number: { as: "text", read: ({ receipt_number }) => receipt_number },
      status: { as: "text", read: ({ status }) => status },
      subscription: { as: "text", read: ({ parent }) => idOf(parent?.subscription_details?.subscription) },
      total: { as: "number", read: ({ total }) => total },
    },
  });
}

function listPayments(tx: Transaction, params: Stripe.InvoicePaymentListParams): object {
  const { invoice, payment, status } = params;
  const all = invoice === undefined ? tx.all("invoice_payment") : paymentsOf(tx, invoice);
  const found = all.filter(
    (each) =>
      (status === undefined || each.status === status) &&
      (payment === undefined ||
        (each.payment.type === payment.type && idOf(each.payment.payment_intent) === (payment.payment_intent ?? null))),
  );
  return listOf(found, "/v1/invoice_payments", params);
}

includable("invoice", "payments", (tx, { id }) => innerList(paymentsOf(tx, id), "/v1/invoice_payments"));
includable("invoice", "confirmation_secret", (tx, { id }) => {
  const intent = tx.find("payment_intent", paymentIntentOf(tx, id) ?? "");
  return intent?.client_secret ? { client_secret: intent.client_secret, type: "payment_intent" } : null;
});

/** Payments that end outside our attempts, and the clock. */
export function openInvoices(): void {
  if (hooks.due.includes(invoiceWork)) return;
  hooks.paymentIntentMoved.push(hearPaymentIntent);
  hooks.due.push(invoiceWork);
}
