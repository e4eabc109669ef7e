// What a quote comes to: its lines, what is paid at once and what recurs.
import type Stripe from "stripe";
import { couponOf } from "../catalogue/coupon.ts";
import { blank } from "../core/blank.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { lineAmount } from "../invoices/invoice-line.ts";
import { type DiscountTerms, invoiceTotals, type LineTotals, lineTotals } from "../invoices/totals.ts";
import { productName } from "./subscription-item.ts";

/** A line of a quote as it is kept. */
export interface QuoteLine {
  id: string;
  price: string;
  quantity: number;
  tax_rates: string[];
}

interface Priced {
  line: QuoteLine;
  price: Stripe.Price;
  amount: number;
  totals: LineTotals;
}

export interface QuoteTotals {
  lines: Stripe.LineItem[];
  fields: Pick<Stripe.Quote, "amount_subtotal" | "amount_total" | "computed" | "currency" | "total_details">;
}

export function quoteTotals(
  tx: Transaction,
  lines: readonly QuoteLine[],
  discounts: readonly string[],
  rates: readonly Stripe.TaxRate[],
): QuoteTotals {
  const priced = pricedLines(tx, lines, discounts, rates);
  const recurring = priced.filter(({ price }) => price.recurring !== null);
  const all = sumOf(priced);
  const rhythm = recurring[0]?.price.recurring ?? null;
  return {
    lines: priced.map((each) => lineItem(tx, each)),
    fields: {
      ...all,
      currency: priced[0]?.price.currency ?? null,
      computed: {
        recurring:
          rhythm === null
            ? null
            : { ...sumOf(recurring), interval: rhythm.interval, interval_count: rhythm.interval_count },
        upfront: { ...all },
      },
    },
  };
}

function pricedLines(
  tx: Transaction,
  lines: readonly QuoteLine[],
  discounts: readonly string[],
  rates: readonly Stripe.TaxRate[],
): Priced[] {
  const period = { start: tx.now, end: tx.now };
  const found = lines.map((line) => {
    const price = tx.get("price", line.price);
    return { line, price, amount: lineAmount(tx, { price, quantity: line.quantity, period }, price.currency) };
  });
  const totals = lineTotals(
    found.map(({ line, price, amount }) => ({
      amount,
      discountable: true,
      product: idOf(price.product),
      discounts: [],
      rates: line.tax_rates.length === 0 ? null : line.tax_rates.map((id) => tx.get("tax_rate", id)),
      givenTaxes: null,
    })),
    discounts,
    (id) => discountTerms(tx, id),
    { rates, exempt: null },
  );
  return found.map((each, at) => ({ ...each, totals: totals[at] ?? { discount_amounts: [], taxes: [] } }));
}

function discountTerms(tx: Transaction, id: string): DiscountTerms | undefined {
  const discount = tx.find("discount", id);
  if (discount === undefined) return undefined;
  const { percent_off, amount_off } = couponOf(tx, discount);
  return { id, percent_off, amount_off, products: null };
}

function sumOf(priced: readonly Priced[]): Pick<Stripe.Quote, "amount_subtotal" | "amount_total" | "total_details"> {
  const sums = invoiceTotals(
    priced.map(({ amount, totals }) => ({ amount, ...totals })),
    new Set(),
  );
  const total = (amounts: readonly { amount: number }[]) => amounts.reduce((sum, { amount }) => sum + amount, 0);
  return {
    amount_subtotal: sums.subtotal,
    amount_total: sums.total,
    total_details: {
      amount_discount: total(sums.total_discount_amounts),
      amount_shipping: 0,
      amount_tax: total(sums.total_taxes),
    },
  };
}

function lineItem(tx: Transaction, { line, price, amount, totals }: Priced): Stripe.LineItem {
  const amount_discount = totals.discount_amounts.reduce((sum, each) => sum + each.amount, 0);
  const exclusive = totals.taxes.filter(({ tax_behavior }) => tax_behavior === "exclusive");
  const amount_tax = totals.taxes.reduce((sum, each) => sum + each.amount, 0);
  const added = exclusive.reduce((sum, each) => sum + each.amount, 0);
  return blank("item", {
    id: line.id,
    amount_discount,
    amount_subtotal: amount,
    amount_tax,
    amount_total: amount - amount_discount + added,
    currency: price.currency,
    description: productName(tx, price),
    price,
    quantity: line.quantity,
  }) as unknown as Stripe.LineItem;
}
