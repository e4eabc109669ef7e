// The lines of an invoice: how one is made from a price or an amount, from an invoice item, or for a subscription.
import type Stripe from "stripe";
import { currencyOptionsOf, tiersOf } from "../catalogue/price-options.ts";
import { blank } from "../core/blank.ts";
import { mostCharge } from "../core/currency.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { decimal, priceTotal, unitPriceOf } from "./money.ts";
import type { GrossLine, Tax } from "./totals.ts";

export interface Period {
  start: number;
  end: number;
}

/** A line that another room wants on an invoice: an `amount`, or a `price` and how many of it. */
export interface DraftLine {
  amount?: number | undefined;
  price?: Stripe.Price | null | undefined;
  /** 1 unless said. */
  quantity?: number | string | undefined;
  description?: string | null | undefined;
  period: Period;
  proration?: boolean | undefined;
  /** The lines that a proration gives back. */
  credited_items?: { invoice: string; invoice_line_items: string[] } | null | undefined;
  subscription?: string | null | undefined;
  subscription_item?: string | null | undefined;
  invoice_item?: string | null | undefined;
  /** true unless said; prorations: false. */
  discountable?: boolean | undefined;
  /** Discounts of this line alone, by id. */
  discounts?: readonly string[] | undefined;
  /** Tax rates by id; the invoice's default ones where not given. */
  tax_rates?: readonly string[] | null | undefined;
  metadata?: Stripe.Metadata | undefined;
  /** Taxes that the caller has worked out itself. */
  taxes?: Tax[] | null | undefined;
}

/** A line as it is kept: what the wire has, and what it is worked out from. */
export interface KeptLine {
  line: Stripe.InvoiceLineItem;
  product: string | null;
  rates: readonly string[] | null;
  taxes: Tax[] | null;
}

/** What a line costs before discounts and taxes. */
export function lineAmount(tx: Transaction, line: DraftLine, currency: string): number {
  if (line.amount !== undefined) return line.amount;
  const { price } = line;
  if (price === undefined || price === null) throw new Error("a line of an invoice needs an amount or a price");
  // Answers have tiers and other currencies only when asked: the catalogue keeps them beside the price.
  const currency_options = currencyOptionsOf(tx, price);
  const tiers = tiersOf(tx, price) ?? undefined;
  return priceTotal({ ...price, currency_options }, line.quantity ?? 1, { currency, tiers });
}

export function makeLine(tx: Transaction, invoice: string, currency: string, draft: DraftLine): KeptLine {
  const { price, quantity, proration = false, discounts = [] } = draft;
  const amount = lineAmount(tx, draft, currency);
  const line = blank("line_item", {
    id: `il_${tx.world.random.text(24)}`,
    amount,
    currency,
    description: draft.description ?? (price === undefined || price === null ? null : productName(tx, price)),
    discount_amounts: [],
    discountable: draft.discountable ?? !proration,
    discounts,
    invoice,
    livemode: tx.scope.livemode,
    metadata: draft.metadata ?? {},
    parent: parentOf(draft, proration),
    period: { start: draft.period.start, end: draft.period.end },
    pretax_credit_amounts: [],
    pricing: pricingOf(price, currency, amount, quantity),
    quantity: Math.round(Number(quantity ?? 1)),
    quantity_decimal: String(quantity ?? 1),
    subscription: draft.subscription ?? null,
    subtotal: amount,
    taxes: [],
  }) as unknown as Stripe.InvoiceLineItem;
  return { line, product: idOf(price?.product), rates: draft.tax_rates ?? null, taxes: draft.taxes ?? null };
}

function parentOf(draft: DraftLine, proration: boolean): object | null {
  const { subscription = null, subscription_item = null, invoice_item = null } = draft;
  const common = { proration, proration_details: proration ? { credited_items: draft.credited_items ?? null } : null };
  if (subscription_item !== null) {
    const details = { invoice_item, ...common, subscription, subscription_item };
    return { type: "subscription_item_details", subscription_item_details: details, invoice_item_details: null };
  }
  if (invoice_item === null) return null;
  const details = { invoice_item, ...common, subscription };
  return { type: "invoice_item_details", invoice_item_details: details, subscription_item_details: null };
}

export function pricingOf(
  price: Stripe.Price | null | undefined,
  currency: string,
  amount: number,
  quantity: number | string = 1,
): Stripe.InvoiceLineItem.Pricing {
  if (price !== null && price !== undefined) {
    const unit = unitPriceOf(price, currency);
    const details = { price: price.id, product: idOf(price.product) ?? "" };
    return { price_details: details, type: "price_details", unit_amount_decimal: unit === null ? null : decimal(unit) };
  }
  const unit = Number(quantity) === 0 ? amount : amount / Number(quantity);
  return { type: "price_details", unit_amount_decimal: decimal(Number.isInteger(unit) ? unit : unit.toFixed(12)) };
}

function productName(tx: Transaction, price: Stripe.Price): string | null {
  const product = tx.find("product", idOf(price.product) ?? "");
  return product?.name ?? null;
}

/** A line made from an invoice item. */
export function lineOfItem(tx: Transaction, invoice: string, item: Stripe.InvoiceItem): KeptLine {
  const price = idOf(item.pricing?.price_details?.price);
  const made = makeLine(tx, invoice, item.currency, {
    amount: item.amount,
    price: price === null ? null : tx.find("price", price),
    quantity: String(item.quantity_decimal),
    description: item.description,
    period: item.period,
    proration: item.proration,
    credited_items: creditedLines(item),
    subscription: item.parent?.subscription_details?.subscription,
    subscription_item: item.parent?.subscription_details?.subscription_item,
    invoice_item: item.id,
    discountable: item.discountable,
    discounts: (item.discounts ?? []).flatMap((discount) => idOf(discount) ?? []),
    tax_rates: item.tax_rates === null || item.tax_rates.length === 0 ? null : item.tax_rates.map(({ id }) => id),
    metadata: { ...item.metadata },
  });
  const pricing = item.pricing ?? made.line.pricing;
  return { ...made, line: { ...made.line, pricing } };
}

function creditedLines(item: Stripe.InvoiceItem): DraftLine["credited_items"] {
  return item.proration_details?.credited_items?.invoice_line_item_details ?? null;
}

/** What the totals are worked out from. */
export function grossLine(tx: Transaction, { line, product, rates, taxes }: KeptLine): GrossLine {
  return {
    amount: line.amount,
    discountable: line.discountable,
    product,
    discounts: line.discounts.flatMap((discount) => idOf(discount) ?? []),
    rates: rates === null ? null : taxRates(tx, rates),
    givenTaxes: taxes,
  };
}

/** @throws StripeFailure when one is not there */
export function taxRates(tx: Transaction, ids: readonly string[], param = "tax_rates"): Stripe.TaxRate[] {
  return ids.map((id, at) => tx.get("tax_rate", id, `${param}[${at}]`));
}

/** @throws StripeFailure 400 when there is less than nothing of something */
export function checkQuantity(quantity: number | undefined, param: string): void {
  if (quantity === undefined || quantity >= 0) return;
  throw invalidRequest("This value must be greater than or equal to 0.", { param, code: "parameter_invalid_integer" });
}

/** @throws StripeFailure 400 when an amount has more digits than Stripe charges in its currency */
export function checkAmount(amount: number, currency: string, param: string): void {
  const most = mostCharge(currency);
  if (Math.abs(amount) <= most) return;
  const shown = currency === "usd" ? "$999,999.99" : `${String(most)} ${currency}`;
  throw invalidRequest(`Amount must be no more than ${shown}`, { param, code: "amount_too_large" });
}
