// Credit notes: what of a finalized invoice is taken back, before it is paid or after.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { adjustBalance } from "../customers/customer.ts";
import { updatePaymentIntent } from "../payments/payment-intent.ts";
import { createRefund } from "../payments/refund.ts";
import { cancelOpenPayments } from "./close.ts";
import { settled } from "./collect.ts";
import { creditLine, type CreditLine } from "./credit-note-line.ts";
import { paymentIntentOf, paymentsOf } from "./invoice-payment.ts";
import { lookAt } from "./look.ts";
import { saveInvoice, tellMoved } from "./record.ts";
import { perDiscount, perRate } from "./totals.ts";

type Params = Stripe.CreditNoteCreateParams;

/** How much of the note is of what, in the invoice's currency. */
interface Split {
  total: number;
  pre: number;
  post: number;
}

/**
 * Before payment it lowers what is due; after it the money goes back: as credit, as a refund, or outside Stripe.
 * Raises credit_note.created and invoice.updated.
 */
export function createCreditNote(world: Transaction, params: Params): Stripe.CreditNote {
  const invoice = world.get("invoice", params.invoice, "invoice");
  const tx = world.atTimeOf(invoice.customer);
  if (invoice.status === "draft" || invoice.status === "void") {
    throw invalidRequest("You can only create a credit note for an open, paid or uncollectible invoice.", {
      param: "invoice",
    });
  }
  const lines = linesOf(tx, invoice, params);
  const shipping = params.shipping_cost === undefined ? 0 : (invoice.shipping_cost?.amount_subtotal ?? 0);
  const split = splitOf(invoice, totalOf(lines) + shipping, params);
  const id = tx.newId("credit_note");
  const refunds = refundsOf(tx, invoice, params);
  const balance = creditOf(tx, invoice, id, params.credit_amount ?? 0);
  const note = blank("credit_note", {
    ...sums(lines, shipping),
    id,
    amount: split.total,
    amount_shipping: shipping,
    created: tx.now,
    currency: invoice.currency,
    customer: idOf(invoice.customer),
    customer_balance_transaction: balance,
    effective_at: params.effective_at ?? tx.now,
    invoice: invoice.id,
    lines: innerList(lines, `/v1/credit_notes/${id}/lines`),
    livemode: tx.scope.livemode,
    memo: params.memo ?? null,
    metadata: mergeMetadata({}, params.metadata),
    number: numberOf(tx, invoice),
    out_of_band_amount: params.out_of_band_amount ?? null,
    pdf: `${tx.world.origin}/i/${tx.scope.account}/${invoice.id}/pdf?credit_note=${id}`,
    post_payment_amount: split.post,
    pre_payment_amount: split.pre,
    reason: params.reason ?? null,
    refunds,
    status: "issued",
    total: split.total,
    type: split.pre === 0 ? "post_payment" : split.post === 0 ? "pre_payment" : "mixed",
  }) as unknown as Stripe.CreditNote;
  tx.put("credit_note", note);
  tx.put("_extra", { id, object: "credit_note_lines", created: tx.now, lines });
  tx.raise("credit_note.created", note);
  lowerInvoice(tx, invoice.id, split);
  return note;
}

/** Without lines the amount is one line by itself. */
function linesOf(tx: Transaction, invoice: Stripe.Invoice, { lines, amount, shipping_cost }: Params): CreditLine[] {
  if (lines !== undefined && lines.length > 0) return lines.map((line, at) => creditLine(tx, invoice, line, at));
  if (amount !== undefined) {
    return [creditLine(tx, invoice, { type: "custom_line_item", amount, description: "Credit" }, 0)];
  }
  if (shipping_cost !== undefined) return [];
  throw invalidRequest("You must pass one of `amount`, `lines`, or `shipping_cost`.", {
    param: "lines",
    code: "parameter_missing",
  });
}

function exclusiveOf({ taxes }: CreditLine): number {
  return (taxes ?? []).reduce((sum, tax) => sum + (tax.tax_behavior === "exclusive" ? tax.amount : 0), 0);
}

function totalOf(lines: readonly CreditLine[]): number {
  return lines.reduce((sum, line) => sum + line.amount - line.discount_amount + exclusiveOf(line), 0);
}

function sums(lines: readonly CreditLine[], shipping: number): Partial<Stripe.CreditNote> {
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0);
  const discount_amount = lines.reduce((sum, line) => sum + line.discount_amount, 0);
  const taxes = lines.flatMap((line) => line.taxes ?? []);
  const inclusive = taxes.reduce((sum, tax) => sum + (tax.tax_behavior === "inclusive" ? tax.amount : 0), 0);
  const amounts = lines.flatMap((line) => line.discount_amounts);
  const discounts = perDiscount(amounts.map(({ amount, discount }) => ({ amount, discount: idOf(discount) ?? "" })));
  return {
    discount_amount,
    discount_amounts: discounts,
    pretax_credit_amounts: discounts.map((each) => ({ ...each, type: "discount" })),
    subtotal,
    subtotal_excluding_tax: subtotal - inclusive,
    total_excluding_tax: subtotal - discount_amount - inclusive + shipping,
    total_taxes: perRate(taxes),
  };
}

/** @throws StripeFailure 400: more than the invoice has, or what goes back does not add up to the note */
function splitOf(invoice: Stripe.Invoice, total: number, params: Params): Split {
  const param = params.amount === undefined ? "lines" : "amount";
  if (params.amount !== undefined && params.lines !== undefined && params.amount !== total) {
    throw invalidRequest(`The amount (${params.amount}) does not match the total of the lines (${total}).`, {
      param: "amount",
    });
  }
  if (total <= 0) throw invalidRequest("The amount of a credit note must be greater than zero.", { param });
  const credited = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount;
  const left = Math.max(invoice.amount_remaining, invoice.total - credited);
  if (total > left) {
    throw invalidRequest(
      `The sum of credit notes cannot exceed the invoice's amount. The credit note amount is ${total}, and ${left} can be credited.`,
      { param },
    );
  }
  const pre = invoice.status === "paid" ? 0 : Math.min(total, invoice.amount_remaining);
  const post = total - pre;
  const { credit_amount = 0, refund_amount = 0, out_of_band_amount = 0, refunds = [] } = params;
  const linked = refunds.reduce((sum, { amount_refunded = 0 }) => sum + amount_refunded, 0);
  const back = credit_amount + refund_amount + out_of_band_amount + linked;
  if (back !== post) {
    throw invalidRequest(
      `The sum of credit amount, refund amount and out of band amount (${back}) must equal the post payment credit note amount (${post}).`,
      { param: refund_amount > 0 ? "refund_amount" : credit_amount > 0 ? "credit_amount" : "out_of_band_amount" },
    );
  }
  return { total, pre, post };
}

/** New refunds of the invoice's payments, and those that were there already. */
function refundsOf(tx: Transaction, invoice: Stripe.Invoice, params: Params): Stripe.CreditNote.Refund[] {
  const linked = (params.refunds ?? []).map(({ refund = "", amount_refunded }, at) => {
    const found = tx.get("refund", refund, `refunds[${at}][refund]`);
    return {
      amount_refunded: amount_refunded ?? found.amount,
      payment_record_refund: null,
      refund: found.id,
      type: "refund",
    };
  });
  const { refund_amount = 0 } = params;
  if (refund_amount === 0) return linked;
  const paid = paymentsOf(tx, invoice.id).find(
    ({ status, payment }) => status === "paid" && payment.type === "payment_intent",
  );
  const intent = idOf(paid?.payment.payment_intent);
  if (intent === null) {
    throw invalidRequest("This invoice has no payment that could be refunded.", { param: "refund_amount" });
  }
  const refund = createRefund(tx, { payment_intent: intent, amount: refund_amount });
  return [
    ...linked,
    { amount_refunded: refund_amount, payment_record_refund: null, refund: refund.id, type: "refund" },
  ];
}

/** The balance transaction that gives the customer credit. */
function creditOf(tx: Transaction, invoice: Stripe.Invoice, note: string, amount: number): string | null {
  const customer = idOf(invoice.customer);
  if (amount === 0 || customer === null) return null;
  const { currency, id } = invoice;
  return adjustBalance(tx, customer, -amount, { type: "credit_note", currency, invoice: id, credit_note: note }).id;
}

/** "ABCD-0001-CN-01" */
function numberOf(tx: Transaction, invoice: Stripe.Invoice): string {
  const before = tx.where("credit_note", (note) => idOf(note.invoice) === invoice.id).length;
  return `${invoice.number ?? invoice.id}-CN-${String(before + 1).padStart(2, "0")}`;
}

/** Less is due; when nothing is, the invoice is paid. Its payment intent asks for what remains. */
function lowerInvoice(tx: Transaction, id: string, { pre, post }: Split): void {
  const before = tx.get("invoice", id);
  const lowered = {
    ...before,
    amount_due: before.amount_due - pre,
    amount_remaining: before.amount_remaining - pre,
    pre_payment_credit_notes_amount: before.pre_payment_credit_notes_amount + pre,
    post_payment_credit_notes_amount: before.post_payment_credit_notes_amount + post,
  };
  if (pre === 0 || lowered.amount_remaining > 0) {
    if (pre > 0) askFor(tx, id, lowered.amount_remaining);
    saveInvoice(tx, lowered, "invoice.updated");
    return;
  }
  cancelOpenPayments(tx, id);
  saveInvoice(tx, settled(tx, lowered), "invoice.updated", "invoice.paid", "invoice.payment_succeeded");
  tellMoved(tx, id, before);
}

function askFor(tx: Transaction, invoice: string, amount: number): void {
  const intent = tx.find("payment_intent", paymentIntentOf(tx, invoice) ?? "");
  if (intent?.status.startsWith("requires_") === true) updatePaymentIntent(tx, intent.id, { amount });
  for (const payment of paymentsOf(tx, invoice)) {
    if (payment.status === "open" && payment.is_default)
      tx.put("invoice_payment", { ...payment, amount_requested: amount });
  }
}

export function previewCreditNote(tx: Transaction, params: Stripe.CreditNotePreviewParams): Stripe.CreditNote {
  return lookAt(tx, (inner) => createCreditNote(inner, params));
}

export function previewCreditNoteLines(tx: Transaction, params: Stripe.CreditNoteListPreviewLineItemsParams): object {
  const { limit: _limit, starting_after: _after, ending_before: _before, ...rest } = params;
  const lines = lookAt(tx, (inner) => creditNoteLines(inner, createCreditNote(inner, rest).id));
  return listOf(lines.toReversed(), "/v1/credit_notes/preview/lines", params);
}

function creditNoteLines(tx: Transaction, id: string): CreditLine[] {
  return (tx.find("_extra", id)?.lines ?? []) as CreditLine[];
}

export function listCreditNoteLines(tx: Transaction, id: string, params: ListParameters): object {
  tx.get("credit_note", id);
  return listOf(creditNoteLines(tx, id).toReversed(), `/v1/credit_notes/${id}/lines`, params);
}

export function updateCreditNote(
  world: Transaction,
  id: string,
  params: Stripe.CreditNoteUpdateParams,
): Stripe.CreditNote {
  const old = world.get("credit_note", id);
  const tx = world.atTimeOf(old.customer);
  const metadata = mergeMetadata(old.metadata, params.metadata ?? {});
  return tx.change("credit_note", { ...old, memo: params.memo ?? old.memo, metadata }, "credit_note.updated");
}

/** What was due before is due again. @throws StripeFailure 400: money has gone back already, or the invoice is paid */
export function voidCreditNote(world: Transaction, id: string): Stripe.CreditNote {
  const old = world.get("credit_note", id);
  const tx = world.atTimeOf(old.customer);
  const invoice = tx.get("invoice", idOf(old.invoice) ?? "");
  if (old.status === "void") throw invalidRequest("This credit note is already voided.");
  if (invoice.status !== "open" || old.post_payment_amount > 0) {
    throw invalidRequest(
      "You can only void credit notes that were issued before payment, while their invoice is open.",
    );
  }
  const voided = tx.put("credit_note", { ...old, status: "void", voided_at: tx.now });
  tx.raise("credit_note.voided", voided);
  const { pre_payment_amount: pre } = old;
  askFor(tx, invoice.id, invoice.amount_remaining + pre);
  const raised = {
    ...invoice,
    amount_due: invoice.amount_due + pre,
    amount_remaining: invoice.amount_remaining + pre,
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount - pre,
  };
  saveInvoice(tx, raised, "invoice.updated");
  return voided;
}

export function listCreditNotes(tx: Transaction, params: Stripe.CreditNoteListParams): object {
  const notes = tx.where(
    "credit_note",
    (note) =>
      (params.customer === undefined || idOf(note.customer) === params.customer) &&
      (params.invoice === undefined || idOf(note.invoice) === params.invoice),
  );
  return listOf(notes, "/v1/credit_notes", params);
}
