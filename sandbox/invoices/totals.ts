// What an invoice comes to: discounts and taxes line by line, and the sums of it all. Pure.
import type Stripe from "stripe";
import { percentInside, percentOf, shareOf } from "./money.ts";

/** A line before discounts and taxes. */
export interface GrossLine {
  amount: number;
  discountable: boolean;
  product: string | null;
  /** Discounts of this line alone, by id. */
  discounts: readonly string[];
  /** Tax rates by id; the invoice's own where null. */
  rates: readonly Stripe.TaxRate[] | null;
  /** Taxes that the caller has worked out itself. */
  givenTaxes: readonly Tax[] | null;
}

export type Tax = Stripe.InvoiceLineItem.Tax;
export interface DiscountAmount {
  amount: number;
  discount: string;
}

export interface DiscountTerms {
  id: string;
  percent_off: number | null;
  amount_off: number | null;
  /** The products that it is for; null: all. */
  products: readonly string[] | null;
}

export interface LineTotals {
  discount_amounts: DiscountAmount[];
  taxes: Tax[];
}

export interface InvoiceTotals {
  subtotal: number;
  subtotal_excluding_tax: number;
  total: number;
  total_excluding_tax: number;
  total_discount_amounts: DiscountAmount[];
  total_taxes: Tax[];
}

export interface TaxTerms {
  rates: readonly Stripe.TaxRate[];
  exempt: string | null;
}

/** Discounts are taken one after the other, each of what the ones before have left; then taxes on what remains. */
export function lineTotals(
  lines: readonly GrossLine[],
  discounts: readonly string[],
  termsOf: (id: string) => DiscountTerms | undefined,
  tax: TaxTerms,
): LineTotals[] {
  const taken = lines.map((): DiscountAmount[] => []);
  const left = lines.map(({ amount }) => amount);
  const take = (terms: DiscountTerms | undefined, places: number[]): void => {
    if (terms === undefined) return;
    const open = places.filter((at) => isFor(terms, lines[at]));
    const amounts = discountsOf(
      terms,
      open.map((at) => left[at] ?? 0),
    );
    for (const [index, at] of open.entries()) {
      const amount = amounts[index] ?? 0;
      left[at] = (left[at] ?? 0) - amount;
      taken[at]?.push({ amount, discount: terms.id });
    }
  };
  for (const [at, line] of lines.entries()) for (const id of line.discounts) take(termsOf(id), [at]);
  for (const id of discounts) take(termsOf(id), [...lines.keys()]);
  return lines.map((line, at) => ({
    discount_amounts: taken[at] ?? [],
    taxes:
      line.givenTaxes === null ? taxesOf(left[at] ?? 0, line.rates ?? tax.rates, tax.exempt) : [...line.givenTaxes],
  }));
}

function isFor({ products }: DiscountTerms, line: GrossLine | undefined): boolean {
  if (line?.discountable !== true) return false;
  return products === null || (line.product !== null && products.includes(line.product));
}

function discountsOf({ percent_off, amount_off }: DiscountTerms, left: readonly number[]): number[] {
  if (percent_off !== null) return left.map((amount) => percentOf(amount, percent_off));
  const positive = left.map((amount) => Math.max(0, amount));
  const whole = positive.reduce((sum, amount) => sum + amount, 0);
  const off = Math.min(amount_off ?? 0, whole);
  // Shares of running sums: they add up to the whole discount, however they are rounded.
  let [sum, given] = [0, 0];
  return positive.map((amount) => {
    sum += amount;
    const share = shareOf(off, sum, whole) - given;
    given += share;
    return share;
  });
}

function taxesOf(amount: number, rates: readonly Stripe.TaxRate[], exempt: string | null): Tax[] {
  const isExempt = exempt === "exempt" || exempt === "reverse";
  const all = rates.reduce((sum, rate) => sum + (rate.inclusive ? rate.percentage : 0), 0);
  const inside = rates.map((rate) => (rate.inclusive && !isExempt ? percentInside(amount, rate.percentage, all) : 0));
  const net = amount - inside.reduce((sum, each) => sum + each, 0);
  return rates.map((rate, at) => ({
    amount: isExempt ? 0 : rate.inclusive ? (inside[at] ?? 0) : percentOf(net, rate.percentage),
    tax_behavior: rate.inclusive ? "inclusive" : "exclusive",
    tax_rate_details: { tax_rate: rate.id },
    taxability_reason: exempt === "reverse" ? "reverse_charge" : isExempt ? "customer_exempt" : "not_available",
    taxable_amount: isExempt ? 0 : net,
    type: "tax_rate_details",
  }));
}

/** `itemDiscounts`: ids of discounts that are of one line; they are taken off the subtotal already. */
export function invoiceTotals(
  lines: readonly (LineTotals & { amount: number })[],
  itemDiscounts: ReadonlySet<string>,
  shipping = 0,
): InvoiceTotals {
  const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);
  const discounts = lines.flatMap(({ discount_amounts }) => discount_amounts);
  const taxes = lines.flatMap((line) => line.taxes);
  const gross = sumOf(lines.map(({ amount }) => amount));
  const ofItems = sumOf(discounts.filter(({ discount }) => itemDiscounts.has(discount)).map(({ amount }) => amount));
  const ofInvoice = sumOf(discounts.map(({ amount }) => amount)) - ofItems;
  const inclusive = sumOf(taxes.filter(isInclusive).map(({ amount }) => amount));
  const exclusive = sumOf(taxes.map(({ amount }) => amount)) - inclusive;
  const net = gross - ofItems - ofInvoice + shipping;
  return {
    subtotal: gross - ofItems,
    subtotal_excluding_tax: gross - ofItems - inclusive,
    total: net + exclusive,
    total_excluding_tax: net - inclusive,
    total_discount_amounts: perDiscount(discounts),
    total_taxes: perRate(taxes),
  };
}

const isInclusive = ({ tax_behavior }: Tax): boolean => tax_behavior === "inclusive";

export function perDiscount(amounts: readonly DiscountAmount[]): DiscountAmount[] {
  const sums = new Map<string, number>();
  for (const { discount, amount } of amounts) sums.set(discount, (sums.get(discount) ?? 0) + amount);
  return [...sums].map(([discount, amount]) => ({ amount, discount }));
}

export function perRate(taxes: readonly Tax[]): Tax[] {
  const sums = new Map<string, Tax>();
  for (const tax of taxes) {
    const key = `${tax.tax_rate_details?.tax_rate ?? ""} ${tax.tax_behavior} ${tax.taxability_reason}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, tax);
    else {
      const taxable_amount = (sum.taxable_amount ?? 0) + (tax.taxable_amount ?? 0);
      sums.set(key, { ...sum, amount: sum.amount + tax.amount, taxable_amount });
    }
  }
  return [...sums.values()];
}
