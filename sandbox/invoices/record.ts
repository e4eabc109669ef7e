// How an invoice is kept: the object of the API, and beside it all its lines and the terms that answers do not show.
import { LEAST_CHARGE } from "../core/currency.ts";
import type Stripe from "stripe";
import { amountOffIn, appliesTo, couponOf } from "../catalogue/coupon.ts";
import { hooks } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import { innerList } from "../core/list.ts";
import type { Transaction } from "../core/transaction.ts";
import { grossLine, type KeptLine } from "./invoice-line.ts";
import { type DiscountTerms, invoiceTotals, lineTotals } from "./totals.ts";

/** Where the money goes: all of it, an amount, or (as subscriptions say it) a percentage of what is due. */
export interface TransferTerms {
  destination: string;
  amount?: number;
  amount_percent?: number;
}

/** What the invoice carries to its payments, and what has been told about it. */
export interface Terms {
  lines: KeptLine[];
  /** Its invoice payments, the oldest first. */
  payments: string[];
  application_fee_amount: number | null;
  /** Of the total, as subscriptions say it. */
  application_fee_percent: number | null;
  transfer_data: TransferTerms | null;
  /** A number that the caller chose for it. */
  chosen_number: string | null;
  days_until_due: number | null;
  /** Customer credit that went into it, to be given back when it is voided. */
  applied_balance: number;
  told_overdue: boolean;
  told_will_be_due: boolean;
}

export const NO_TERMS: Terms = {
  lines: [],
  payments: [],
  application_fee_amount: null,
  application_fee_percent: null,
  transfer_data: null,
  chosen_number: null,
  days_until_due: null,
  applied_balance: 0,
  told_overdue: false,
  told_will_be_due: false,
};

export function termsOf(tx: Transaction, invoice: string): Terms {
  return (tx.find("_extra", invoice) as unknown as Terms | undefined) ?? NO_TERMS;
}

export function keepTerms(tx: Transaction, invoice: string, terms: Terms): void {
  tx.put("_extra", { ...terms, id: invoice, object: "invoice_terms", created: tx.now });
}

/** Keeps the invoice; `type` and the others are raised in this order, then those who listen hear of another status. */
export function saveInvoice(tx: Transaction, after: Stripe.Invoice, ...types: string[]): Stripe.Invoice {
  const before = tx.find("invoice", after.id);
  tx.put("invoice", after);
  for (const type of types) tx.raise(type, after, type === "invoice.updated" ? before : undefined);
  return after;
}

/** Tells the other rooms that the invoice has another status, or one more failed attempt. */
export function tellMoved(tx: Transaction, invoice: string, before: Stripe.Invoice | undefined): Stripe.Invoice {
  for (const hear of hooks.invoiceMoved) hear(tx, tx.get("invoice", invoice), before);
  return tx.get("invoice", invoice);
}

/** The draft with these lines, worked out anew. Keeps the lines with it, not the invoice. */
export function recalculated(tx: Transaction, invoice: Stripe.Invoice, terms: Terms): Stripe.Invoice {
  const kept = terms.lines;
  const totals = lineTotals(
    kept.map((each) => grossLine(tx, each)),
    invoice.discounts.flatMap((discount) => idOf(discount) ?? []),
    (id) => discountTerms(tx, id, invoice.currency),
    { rates: invoice.default_tax_rates, exempt: invoice.customer_tax_exempt },
  );
  const lines = kept.map((each, at): KeptLine => {
    const { discount_amounts = [], taxes = [] } = totals[at] ?? {};
    const pretax_credit_amounts = discount_amounts.map((each) => ({ ...each, type: "discount" as const }));
    return { ...each, line: { ...each.line, discount_amounts, taxes, pretax_credit_amounts } };
  });
  keepTerms(tx, invoice.id, { ...terms, lines });
  const ofItems = new Set(kept.flatMap(({ line }) => line.discounts.flatMap((discount) => idOf(discount) ?? [])));
  const shipping = invoice.shipping_cost?.amount_subtotal ?? 0;
  const sums = invoiceTotals(
    lines.map(({ line }, at) => ({ amount: line.amount, discount_amounts: [], taxes: [], ...totals[at] })),
    ofItems,
    shipping,
  );
  const due = amountDue(sums.total, invoice.starting_balance, invoice.currency);
  return {
    ...invoice,
    ...sums,
    total_pretax_credit_amounts: sums.total_discount_amounts.map((each) => ({ ...each, type: "discount" as const })),
    amount_shipping: shipping,
    amount_due: due,
    amount_remaining: due - invoice.amount_paid,
    lines: innerList(
      lines.map(({ line }) => line),
      `/v1/invoices/${invoice.id}/lines`,
    ),
  };
}

/** What is to be paid once the customer's balance (negative: credit) is taken into account. */
export function amountDue(total: number, balance: number, currency: string): number {
  const due = Math.max(0, total + balance);
  return total <= 0 || isTooSmall(due, currency) ? 0 : due;
}

/** Below this no card is charged; the customer owes it until the next invoice. */
export function isTooSmall(amount: number, currency: string): boolean {
  return amount > 0 && amount < (LEAST_CHARGE[currency] ?? 0);
}

function discountTerms(tx: Transaction, id: string, currency: string): DiscountTerms | undefined {
  const discount = tx.find("discount", id);
  if (discount === undefined) return undefined;
  const coupon = couponOf(tx, discount);
  const { percent_off } = coupon;
  const amount_off = percent_off === null ? (amountOffIn(tx, coupon, currency) ?? 0) : null;
  return { id, percent_off, amount_off, products: appliesTo(tx, coupon) };
}
