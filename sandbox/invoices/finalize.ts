// Finalizing: a draft gets its number, takes the customer's credit, and asks for a payment when money is due.
import type Stripe from "stripe";
import { couponOf } from "../catalogue/coupon.ts";
import { adjustBalance, deleteCustomerDiscount, discountOf } from "../customers/customer.ts";
import { invalidRequest, StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { createPaymentIntent, type IntentParams } from "../payments/payment-intent.ts";
import { voidInvoice } from "./close.ts";
import { paymentArrived } from "./collect.ts";
import { customerFields, customerOf } from "./draft.ts";
import { openPayment } from "./invoice-payment.ts";
import { percentOf } from "./money.ts";
import {
  amountDue,
  isTooSmall,
  keepTerms,
  recalculated,
  saveInvoice,
  tellMoved,
  termsOf,
  type TransferTerms,
} from "./record.ts";

export interface FinalizeOptions {
  auto_advance?: boolean | undefined;
  /** A payment intent that pays it, in place of a new one: made already, by a checkout session. */
  payment_intent?: string | undefined;
}

/**
 * Numbers the draft, makes its payment intent when money is due, and pays it when none is. Raises invoice.finalized,
 * invoice.updated, and invoice.paid with invoice.payment_succeeded for a zero one.
 * @throws StripeFailure 400: not a draft; or what hindered the payment intent, after invoice.finalization_failed
 */
export function finalizeInvoice(world: Transaction, id: string, options: FinalizeOptions = {}): Stripe.Invoice {
  const before = world.get("invoice", id);
  const tx = world.atTimeOf(before.customer);
  if (before.status !== "draft") {
    throw invalidRequest("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
      code: "invoice_not_editable",
    });
  }
  const customer = customerOf(tx, idOf(before.customer) ?? "");
  const fresh = recalculated(tx, { ...before, ...customerFields(tx, customer, before.currency) }, termsOf(tx, id));
  const open = opened(tx, { ...fresh, auto_advance: options.auto_advance ?? fresh.auto_advance ?? false });
  const given = options.payment_intent;
  const intent = given === undefined ? intentFor(tx, before, open) : tx.get("payment_intent", given);
  // The money is on its way already: the next attempt waits for what comes of it.
  const invoice = intent?.status === "processing" ? { ...open, next_payment_attempt: null } : open;
  numberCustomer(tx, customer, invoice);
  takeBalance(tx, customer.id, invoice);
  if (intent !== undefined) openPayment(tx, invoice, intent, true);
  saveInvoice(tx, invoice, "invoice.finalized", "invoice.updated");
  useUpDiscount(tx, customer, invoice);
  replaceOriginal(tx, invoice);
  if (invoice.amount_due === 0) payNothing(tx, invoice);
  // Paid before it was there: Stripe counts no attempt.
  else if (intent?.status === "succeeded") paymentArrived(tx, intent, "late");
  return tellMoved(tx, id, before);
}

/** The finalized invoice: open, numbered, with what is due. */
function opened(tx: Transaction, draft: Stripe.Invoice): Stripe.Invoice {
  const { starting_balance: start, total, currency } = draft;
  const due = amountDue(total, start, currency);
  const address = `${tx.world.origin}/i/${tx.scope.account}/${draft.id}`;
  const advances = draft.auto_advance === true && draft.collection_method === "charge_automatically";
  return {
    ...draft,
    status: "open",
    number: numberOf(tx, draft),
    amount_due: due,
    amount_remaining: due,
    automatically_finalizes_at: null,
    effective_at: draft.effective_at ?? tx.now,
    // What is due comes with the invoice; the rest stays with the customer.
    ending_balance: due > 0 ? 0 : start + total,
    hosted_invoice_url: address,
    invoice_pdf: `${address}/pdf`,
    last_finalization_error: null,
    // Stripe tries about an hour after the invoice has been finalized.
    next_payment_attempt: advances && due > 0 ? tx.now + 3600 : null,
    status_transitions: { ...draft.status_transitions, finalized_at: tx.now },
  };
}

/** A customer's coupon that counts once has counted. */
function useUpDiscount(tx: Transaction, { id }: Stripe.Customer, invoice: Stripe.Invoice): void {
  const discount = discountOf(tx, id);
  if (discount === null || !invoice.discounts.includes(discount.id)) return;
  if (couponOf(tx, discount).duration === "once") deleteCustomerDiscount(tx, id);
}

/** A revision takes the place of the invoice that it was made from. */
function replaceOriginal(tx: Transaction, { id, from_invoice }: Stripe.Invoice): void {
  const original = tx.find("invoice", idOf(from_invoice?.invoice) ?? "");
  if (original === undefined || from_invoice?.action !== "revision") return;
  tx.put("invoice", { ...original, latest_revision: id });
  if (original.status === "open" || original.status === "uncollectible") voidInvoice(tx, original.id);
}

/** The customer's prefix and the next number of its own series. */
function numberOf(tx: Transaction, draft: Stripe.Invoice): string {
  const chosen = draft.number ?? termsOf(tx, draft.id).chosen_number;
  if (chosen !== null) return chosen;
  const customer = customerOf(tx, idOf(draft.customer) ?? "");
  const next = String(customer.next_invoice_sequence ?? 1).padStart(4, "0");
  return `${prefixOf(customer)}-${next}`;
}

/** The prefix of a customer that has none yet: eight signs of its id, always the same. */
function prefixOf(customer: Stripe.Customer): string {
  if (customer.invoice_prefix !== null && customer.invoice_prefix !== undefined) return customer.invoice_prefix;
  return customer.id.replace(/^cus_/, "").slice(-8).toUpperCase();
}

function numberCustomer(tx: Transaction, { id }: Stripe.Customer, invoice: Stripe.Invoice): void {
  const customer = customerOf(tx, id);
  const next = customer.next_invoice_sequence ?? 1;
  const isOfSeries = invoice.number === `${prefixOf(customer)}-${String(next).padStart(4, "0")}`;
  const numbered = { ...customer, invoice_prefix: prefixOf(customer) };
  tx.put("customer", isOfSeries ? { ...numbered, next_invoice_sequence: next + 1 } : numbered);
}

function takeBalance(tx: Transaction, customer: string, invoice: Stripe.Invoice): void {
  const change = (invoice.ending_balance ?? 0) - invoice.starting_balance;
  if (change === 0) return;
  const isSmall = isTooSmall(invoice.ending_balance ?? 0, invoice.currency);
  adjustBalance(tx, customer, change, {
    type: isSmall && invoice.total > 0 ? "invoice_too_small" : "applied_to_invoice",
    currency: invoice.currency,
    invoice: invoice.id,
  });
  keepTerms(tx, invoice.id, { ...termsOf(tx, invoice.id), applied_balance: change });
}

/** A payment intent for what is due, or the end of the call: then the draft keeps why it could not be finalized. */
function intentFor(tx: Transaction, draft: Stripe.Invoice, invoice: Stripe.Invoice): Stripe.PaymentIntent | undefined {
  if (invoice.amount_due === 0) return undefined;
  try {
    return createPaymentIntent(tx, intentParameters(tx, invoice));
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    const { type, message, code, param } = error.body;
    const last_finalization_error = {
      type,
      message,
      ...(code === undefined ? {} : { code }),
      ...(param === undefined ? {} : { param }),
    };
    // Without a time to try again: only a change of the invoice can help.
    const failed = { ...draft, last_finalization_error, automatically_finalizes_at: null, next_payment_attempt: null };
    saveInvoice(tx, failed, "invoice.updated", "invoice.finalization_failed");
    throw new StripeFailure(error.status, error.body, { keeps: true });
  }
}

function intentParameters(tx: Transaction, invoice: Stripe.Invoice): IntentParams {
  const { transfer_data, application_fee_amount, application_fee_percent } = termsOf(tx, invoice.id);
  const percent = application_fee_percent === null ? null : percentOf(invoice.amount_due, application_fee_percent);
  const fee = Math.min(application_fee_amount ?? percent ?? 0, invoice.amount_due);
  const customer = idOf(invoice.customer);
  const onBehalfOf = idOf(invoice.on_behalf_of);
  const types = invoice.payment_settings.payment_method_types;
  return {
    amount: invoice.amount_due,
    currency: invoice.currency,
    description: DESCRIPTIONS[invoice.billing_reason ?? ""] ?? "Payment for Invoice",
    // Stripe's own payments of invoices name them here, since nothing else does.
    payment_details: { order_reference: invoice.id },
    ...(customer === null ? {} : { customer }),
    ...(types === null ? {} : { payment_method_types: types }),
    ...(fee > 0 ? { application_fee_amount: fee } : {}),
    ...(transfer_data === null ? {} : { transfer_data: transferOf(transfer_data, invoice.amount_due) }),
    ...(onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf }),
    ...(invoice.statement_descriptor === null ? {} : { statement_descriptor: invoice.statement_descriptor }),
    ...(invoice.parent?.subscription_details ? { setup_future_usage: "off_session" } : {}),
  };
}

function transferOf(
  { destination, amount, amount_percent }: TransferTerms,
  due: number,
): NonNullable<IntentParams["transfer_data"]> {
  const share = amount ?? (amount_percent === undefined ? undefined : percentOf(due, amount_percent));
  return { destination, ...(share === undefined ? {} : { amount: Math.min(share, due) }) };
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  subscription_create: "Subscription creation",
  subscription_update: "Subscription update",
  subscription_cycle: "Subscription update",
};

/** Nothing is due: paid at once, without an attempt. */
function payNothing(tx: Transaction, invoice: Stripe.Invoice): void {
  const paid: Stripe.Invoice = {
    ...invoice,
    status: "paid",
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, paid_at: tx.now },
  };
  saveInvoice(tx, paid, "invoice.updated", "invoice.paid", "invoice.payment_succeeded");
}
