// What falls due on invoices by itself: drafts are finalized and collected, failed attempts repeated, due dates passed.
import type Stripe from "stripe";
import { StripeFailure } from "../core/errors.ts";
import type { DueWork } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { payInvoice, setDelinquent } from "./collect.ts";
import { finalizeInvoice } from "./finalize.ts";
import { keepTerms, saveInvoice, termsOf } from "./record.ts";

/** Stripe's reminder comes some days before an invoice is due, as its automations say. Here it is three. */
const NOTICE = 3 * 86_400;

interface Due {
  at: number;
  act: (tx: Transaction, invoice: Stripe.Invoice) => void;
}

/** The next thing that will happen to the invoice by itself. */
function dueOf(tx: Transaction, invoice: Stripe.Invoice): Due | undefined {
  if (invoice.status === "draft") {
    const at = invoice.auto_advance === true ? invoice.automatically_finalizes_at : null;
    return at === null ? undefined : { at, act: advanceDraft };
  }
  if (invoice.status !== "open") return undefined;
  if (invoice.next_payment_attempt !== null) return { at: invoice.next_payment_attempt, act: retry };
  const { due_date } = invoice;
  if (due_date === null) return undefined;
  const terms = termsOf(tx, invoice.id);
  const notice = due_date - NOTICE;
  const finalized = invoice.status_transitions.finalized_at ?? 0;
  if (!terms.told_will_be_due && notice > finalized && invoice.amount_remaining > 0)
    return { at: notice, act: tellWillBeDue };
  return terms.told_overdue ? undefined : { at: due_date, act: tellOverdue };
}

/** Finalizes, and collects or sends. What hinders it stands on the invoice afterwards. */
function advanceDraft(tx: Transaction, { id, collection_method }: Stripe.Invoice): void {
  try {
    const invoice = finalizeInvoice(tx, id);
    if (collection_method === "send_invoice") saveInvoice(tx, invoice, "invoice.sent");
    else if (invoice.status === "open") payInvoice(tx, id, { attempt: "automatic" });
  } catch (error) {
    // The draft keeps the reason, and waits.
    if (!(error instanceof StripeFailure)) throw error;
    const invoice = tx.get("invoice", id);
    tx.put("invoice", { ...invoice, automatically_finalizes_at: null, next_payment_attempt: null });
  }
}

function retry(tx: Transaction, { id }: Stripe.Invoice): void {
  payInvoice(tx, id, { attempt: "automatic" });
  const after = tx.get("invoice", id);
  // Whatever came of it, this moment is over.
  if (after.status === "open" && after.next_payment_attempt !== null && after.next_payment_attempt <= tx.now) {
    tx.put("invoice", { ...after, next_payment_attempt: null });
  }
}

function tellWillBeDue(tx: Transaction, invoice: Stripe.Invoice): void {
  keepTerms(tx, invoice.id, { ...termsOf(tx, invoice.id), told_will_be_due: true });
  tx.raise("invoice.will_be_due", invoice);
}

function tellOverdue(tx: Transaction, invoice: Stripe.Invoice): void {
  keepTerms(tx, invoice.id, { ...termsOf(tx, invoice.id), told_overdue: true, told_will_be_due: true });
  tx.raise("invoice.overdue", invoice);
  setDelinquent(tx, invoice, true);
}

function onClock(tx: Transaction, clock: string | null): { invoice: Stripe.Invoice; due: Due }[] {
  return tx.all("invoice").flatMap((invoice) => {
    if (invoice.status !== "draft" && invoice.status !== "open") return [];
    if (idOf(invoice.test_clock) !== clock) return [];
    const due = dueOf(tx, invoice);
    return due === undefined ? [] : [{ invoice, due }];
  });
}

export const invoiceWork: DueWork = {
  next: (tx, clock) => {
    const moments = onClock(tx, clock).map(({ due }) => due.at);
    return moments.length === 0 ? undefined : Math.min(...moments);
  },
  run: (tx, clock) => {
    for (const { invoice, due } of onClock(tx, clock)) if (due.at <= tx.now) due.act(tx, tx.get("invoice", invoice.id));
  },
};
