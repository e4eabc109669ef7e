// The lines of a credit note: what of an invoice is taken back, with its discounts and taxes.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { taxRates } from "./invoice-line.ts";
import { shareOf, times } from "./money.ts";
import { termsOf } from "./record.ts";
import { type DiscountAmount, lineTotals, type Tax } from "./totals.ts";

export type LineParams = Stripe.CreditNoteCreateParams.Line;
export type CreditLine = Stripe.CreditNoteLineItem;

/** @throws StripeFailure 400: a line that is not on the invoice, or more than it has */
export function creditLine(tx: Transaction, invoice: Stripe.Invoice, params: LineParams, at: number): CreditLine {
  return params.type === "invoice_line_item"
    ? partOfLine(tx, invoice, params, `lines[${at}]`)
    : customLine(tx, invoice, params, `lines[${at}]`);
}

function customLine(tx: Transaction, invoice: Stripe.Invoice, params: LineParams, param: string): CreditLine {
  const unit = params.unit_amount_decimal ?? params.unit_amount;
  if (unit === undefined && params.amount === undefined) {
    throw invalidRequest("Custom line items need an `amount`, or a `unit_amount` and a `quantity`.", {
      param: `${param}[amount]`,
      code: "parameter_missing",
    });
  }
  const quantity = params.quantity ?? 1;
  const amount = unit === undefined ? (params.amount ?? 0) : times(String(unit), quantity);
  const rates = taxRates(tx, given(params.tax_rates) ?? [], `${param}[tax_rates]`);
  const gross = { amount, discountable: false, product: null, discounts: [], rates, givenTaxes: null };
  const exempt = invoice.customer_tax_exempt;
  const taxes = givenTaxes(params) ?? lineTotals([gross], [], () => undefined, { rates: [], exempt })[0]?.taxes ?? [];
  return makeLine(tx, {
    amount,
    params,
    quantity,
    unit: unit === undefined ? null : String(unit),
    taxes,
    rates,
    discounts: [],
  });
}

function givenTaxes({ tax_amounts }: LineParams): Tax[] | null {
  const amounts = given(tax_amounts);
  if (amounts === null) return null;
  return amounts.map(({ amount, tax_rate, taxable_amount }) => ({
    amount,
    tax_behavior: "exclusive",
    tax_rate_details: { tax_rate },
    taxability_reason: "not_available",
    taxable_amount,
    type: "tax_rate_details",
  }));
}

/** So many of the line's units, or an amount of it: discounts and taxes in proportion. */
function partOfLine(tx: Transaction, invoice: Stripe.Invoice, params: LineParams, param: string): CreditLine {
  const id = params.invoice_line_item ?? "";
  const kept = termsOf(tx, invoice.id).lines.find(({ line }) => line.id === id);
  if (kept === undefined) throw noSuch("invoice line item", id, `${param}[invoice_line_item]`);
  const { line } = kept;
  const all = line.quantity ?? 1;
  const quantity = params.quantity ?? (params.amount === undefined ? all : undefined);
  if (quantity !== undefined && quantity > all) {
    throw invalidRequest(`The quantity (${quantity}) exceeds that of the invoice line item (${all}).`, {
      param: `${param}[quantity]`,
    });
  }
  const amount = params.amount ?? shareOf(line.amount, quantity ?? all, all);
  if (Math.abs(amount) > Math.abs(line.amount)) {
    throw invalidRequest(`The amount (${amount}) exceeds that of the invoice line item (${line.amount}).`, {
      param: `${param}[amount]`,
    });
  }
  const part = (whole: number): number => shareOf(whole, amount, line.amount);
  const discounts = (line.discount_amounts ?? []).map((each) => ({
    amount: part(each.amount),
    discount: idOf(each.discount) ?? "",
  }));
  const taxes = (line.taxes ?? []).map((tax) => ({
    ...tax,
    amount: part(tax.amount),
    taxable_amount: tax.taxable_amount === null ? null : part(tax.taxable_amount),
  }));
  const rates = (line.taxes ?? []).flatMap((tax) => tx.find("tax_rate", tax.tax_rate_details?.tax_rate ?? "") ?? []);
  const description = params.description ?? line.description;
  const unit = quantity === undefined ? null : String(line.pricing?.unit_amount_decimal ?? amount / quantity);
  return makeLine(tx, {
    amount,
    params: { ...params, ...(description === null ? {} : { description }) },
    quantity: quantity ?? null,
    unit,
    taxes: givenTaxes(params) ?? taxes,
    rates,
    discounts,
  });
}

interface LineMade {
  amount: number;
  params: LineParams;
  quantity: number | null;
  unit: string | null;
  taxes: Tax[];
  rates: Stripe.TaxRate[];
  discounts: DiscountAmount[];
}

function makeLine(tx: Transaction, made: LineMade): CreditLine {
  const { params, discounts, unit } = made;
  return blank("credit_note_line_item", {
    id: `cnli_${tx.world.random.text(24)}`,
    amount: made.amount,
    description: params.description ?? null,
    discount_amount: discounts.reduce((sum, { amount }) => sum + amount, 0),
    discount_amounts: discounts,
    ...(params.invoice_line_item === undefined ? {} : { invoice_line_item: params.invoice_line_item }),
    livemode: tx.scope.livemode,
    metadata: { ...params.metadata },
    pretax_credit_amounts: discounts.map((each) => ({ ...each, type: "discount" })),
    quantity: made.quantity,
    tax_rates: made.rates,
    taxes: made.taxes,
    type: params.type,
    unit_amount: unit === null || !Number.isInteger(Number(unit)) ? null : Number(unit),
    unit_amount_decimal: unit,
  }) as unknown as CreditLine;
}
