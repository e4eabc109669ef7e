// What 2025-03-31.basil changed in invoices, their lines and items, and credit notes: links, prices and taxes.
import type Stripe from "stripe";

import { planOf } from "../catalogue/plan-face.ts";
import { idOf } from "../core/kinds.ts";
import { paymentIntentOf } from "../invoices/invoice-payment.ts";
import { percentOf } from "../invoices/money.ts";
import { termsOf } from "../invoices/record.ts";
import { firstDiscount } from "./before-basil.ts";
import type { Known, Reference } from "./known.ts";
import { change, type VersionChange } from "./version-change.ts";

const BASIL = "2025-03-31.basil";

export const basilInvoiceChanges: readonly VersionChange[] = [
  change(BASIL, "invoice", olderInvoice, {
    charge: ["charge"],
    payment_intent: ["payment_intent"],
    quote: ["quote"],
    subscription: ["subscription"],
    "total_tax_amounts.tax_rate": ["tax_rate"],
    "transfer_data.destination": ["account"],
  }),
  change(BASIL, "line_item", olderLine, {
    invoice_item: ["invoiceitem"],
    subscription_item: ["subscription_item"],
    "tax_amounts.tax_rate": ["tax_rate"],
  }),
  change(BASIL, "invoiceitem", olderItem, { subscription: ["subscription"] }),
  change(
    BASIL,
    "credit_note",
    (note: Stripe.CreditNote) => ({
      ...note,
      refund: idOf(note.refunds[0]?.refund),
      tax_amounts: (note.total_taxes ?? []).map(olderTax),
    }),
    { refund: ["refund"], "tax_amounts.tax_rate": ["tax_rate"] },
  ),
  change(
    BASIL,
    "credit_note_line_item",
    (line: Stripe.CreditNoteLineItem) => ({
      ...line,
      ...excludingTax(line.amount, line.quantity, line.taxes),
      tax_amounts: (line.taxes ?? []).map(olderTax),
    }),
    { "tax_amounts.tax_rate": ["tax_rate"] },
  ),
];

function olderInvoice(invoice: Stripe.Invoice, known: Known): object {
  const taxes = invoice.total_taxes ?? [];
  const details = invoice.parent?.subscription_details ?? null;
  return {
    ...invoice,
    ...paymentOf(invoice, known),
    discount: firstDiscount(known, invoice.discounts),
    paid: invoice.status === "paid",
    paid_out_of_band: (invoice.amount_paid_off_stripe ?? 0) > 0,
    quote: invoice.parent?.quote_details?.quote ?? null,
    subscription: idOf(details?.subscription),
    subscription_details: details === null ? null : { metadata: details.metadata },
    ...(details?.subscription_proration_date === undefined
      ? {}
      : { subscription_proration_date: details.subscription_proration_date }),
    tax: taxes.length === 0 ? null : taxes.reduce((sum, { amount }) => sum + amount, 0),
    total_tax_amounts: taxes.map(olderTax),
  };
}

/** What the newest invoices leave to their payment intents. */
function paymentOf(invoice: Stripe.Invoice, known: Known): object {
  const intent = invoice.status === "draft" ? null : paymentIntentOf(known.tx, invoice.id);
  const charges = known.where("charge", ({ payment_intent }) => intent !== null && idOf(payment_intent) === intent);
  const { application_fee_amount, application_fee_percent, transfer_data } = termsOf(known.tx, invoice.id);
  const percent = application_fee_percent === null ? null : percentOf(invoice.amount_due, application_fee_percent);
  return {
    application_fee_amount: application_fee_amount ?? percent,
    charge: invoice.attempted ? (charges.at(-1)?.id ?? null) : null,
    payment_intent: intent,
    transfer_data: transfer_data === null ? null : { amount: null, ...transfer_data },
  };
}

function olderLine(line: Stripe.InvoiceLineItem, known: Known): object {
  const { parent, pricing, taxes } = line;
  const details = parent?.subscription_item_details ?? parent?.invoice_item_details ?? null;
  const item = details?.invoice_item ?? null;
  const subscriptionItem = parent?.subscription_item_details?.subscription_item ?? null;
  return {
    ...line,
    ...excludingTax(line.amount, line.quantity, taxes),
    ...(item === null ? {} : { invoice_item: item }),
    ...pricesOf(known, pricing?.price_details?.price),
    proration: details?.proration ?? false,
    proration_details: { credited_items: details?.proration_details?.credited_items ?? null },
    subscription: idOf(line.subscription) ?? details?.subscription ?? null,
    ...(subscriptionItem === null ? {} : { subscription_item: subscriptionItem }),
    tax_amounts: (taxes ?? []).map(olderTax),
    tax_rates: ownRates(known, line),
    type: subscriptionItem !== null && item === null ? "subscription" : "invoiceitem",
  };
}

/** The rates that were set for the line itself: the invoice's default ones are not shown with it. */
function ownRates({ tx, find }: Known, { id, invoice }: Stripe.InvoiceLineItem): Stripe.TaxRate[] {
  const kept = termsOf(tx, invoice ?? "").lines.find(({ line }) => line.id === id);
  return (kept?.rates ?? []).flatMap((rate) => find("tax_rate", rate) ?? []);
}

function olderItem(item: Stripe.InvoiceItem, known: Known): object {
  const details = item.parent?.subscription_details ?? null;
  const unit = item.pricing?.unit_amount_decimal;
  const text = unit === null || unit === undefined ? null : String(unit);
  const whole = Number(text);
  return {
    ...item,
    ...pricesOf(known, item.pricing?.price_details?.price),
    subscription: details?.subscription ?? null,
    ...(details?.subscription_item === undefined ? {} : { subscription_item: details.subscription_item }),
    unit_amount: text !== null && Number.isInteger(whole) ? whole : null,
    unit_amount_decimal: text,
  };
}

/** The price, and the plan that a recurring one also is. */
function pricesOf(known: Known, reference: Reference): { price: Stripe.Price | null; plan: Stripe.Plan | null } {
  const price = known.find("price", reference) ?? null;
  if (price === null) return { price, plan: null };
  return { price, plan: known.find("plan", price.id) ?? planOf(price) ?? null };
}

interface NewerTax {
  amount: number;
  tax_behavior: string;
  tax_rate_details: { tax_rate: string } | null;
  taxability_reason: string;
  taxable_amount: number | null;
}

function olderTax({ amount, tax_behavior, tax_rate_details, taxability_reason, taxable_amount }: NewerTax): object {
  return {
    amount,
    inclusive: tax_behavior === "inclusive",
    tax_rate: tax_rate_details?.tax_rate ?? null,
    taxability_reason: taxability_reason === "not_available" ? null : taxability_reason,
    taxable_amount,
  };
}

function excludingTax(amount: number, quantity: number | null, taxes: readonly NewerTax[] | null): object {
  const inside = (taxes ?? []).filter(({ tax_behavior }) => tax_behavior === "inclusive");
  const net = inside.reduce((rest, tax) => rest - tax.amount, amount);
  const unit = quantity === null || quantity === 0 ? net : net / quantity;
  return {
    amount_excluding_tax: net,
    unit_amount_excluding_tax: String(Number.isInteger(unit) ? unit : Number(unit.toFixed(12))),
  };
}
