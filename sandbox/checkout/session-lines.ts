// The lines of a checkout session: prices found or made, amounts, discounts, taxes, and the totals over them.
import type Stripe from "stripe";
import { createInlinePrice } from "../catalogue/price.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { lineAmount, taxRates } from "../invoices/invoice-line.ts";
import { lineTotals } from "../invoices/totals.ts";
import { cycleAt } from "../subscriptions/billing-cycle.ts";
import { remainingAmount } from "../subscriptions/proration.ts";
import type { SessionLine, SessionParameters } from "./session-draft.ts";

type LineParameters = Stripe.Checkout.SessionUpdateParams.LineItem | Stripe.Checkout.SessionCreateParams.LineItem;

export interface Pricing {
  currency: string;
  /** Recurring lines cost nothing yet. */
  trial: boolean;
  /** Where the first period ends, when it is a short one (unix seconds); and whether that part of it is paid. */
  anchor: { at: number; prorated: boolean } | null;
  coupon: Stripe.Coupon | null;
  defaultTaxRates: string[];
  /** The customer's `tax_exempt`. */
  exempt: string | null;
}

export interface Totals {
  subtotal: number;
  discount: number;
  tax: number;
  total: number;
}

/** The line's price, made when only `price_data` is given. */
export function priceOfLine(tx: Transaction, line: LineParameters, at: number): Stripe.Price {
  if (line.price !== undefined && line.price_data !== undefined) {
    const message = "You may only specify one of these parameters: price, price_data.";
    throw invalidRequest(message, { param: `line_items[${at}]` });
  }
  if (line.price !== undefined) return tx.get("price", line.price, `line_items[${at}][price]`);
  if (line.price_data === undefined) throw parameterMissing(`line_items[${at}][price_data]`);
  return createInlinePrice(tx, line.price_data, `line_items[${at}][price_data]`);
}

export function newLine(tx: Transaction, line: LineParameters, price: Stripe.Price, at: number): SessionLine {
  const metered = price.recurring?.usage_type === "metered";
  if (line.quantity === undefined && !metered) {
    throw invalidRequest(`Quantity is required. Add \`quantity\` to \`line_items[${at}]\`.`, { param: "line_items" });
  }
  if (line.quantity !== undefined && line.quantity < 1) {
    throw invalidRequest("This value must be greater than or equal to 1.", {
      param: `line_items[${at}][quantity]`,
      code: "parameter_invalid_integer",
    });
  }
  if (line.quantity !== undefined && metered) {
    throw invalidRequest("You cannot set the quantity of a line item whose price is metered.", {
      param: `line_items[${at}][quantity]`,
    });
  }
  const product = idOf(price.product);
  const rates = line.tax_rates === "" ? [] : (line.tax_rates ?? []);
  for (const [place, rate] of rates.entries()) tx.get("tax_rate", rate, `line_items[${at}][tax_rates][${place}]`);
  const adjustable = line.adjustable_quantity;
  return {
    id: `li_${tx.world.random.text(24)}`,
    price: price.id,
    quantity: metered ? null : (line.quantity ?? 1),
    description: (product === null ? undefined : tx.find("product", product)?.name) ?? price.nickname ?? "",
    recurring: price.recurring !== null,
    amount_subtotal: 0,
    amount_discount: 0,
    amount_tax: 0,
    amount_total: 0,
    tax_rates: rates,
    adjustable_quantity:
      adjustable === undefined
        ? null
        : {
            enabled: adjustable.enabled,
            maximum: adjustable.maximum ?? (adjustable.enabled ? 99 : null),
            minimum: adjustable.minimum ?? (adjustable.enabled ? 0 : null),
          },
    metadata: mergeMetadata(undefined, line.metadata),
  };
}

/** The lines with their amounts, discount and taxes, worked out as an invoice's are. */
export function pricedLines(tx: Transaction, lines: readonly SessionLine[], pricing: Pricing): SessionLine[] {
  const { anchor, coupon, currency, trial } = pricing;
  const priced = lines.map((line) => {
    const price = tx.get("price", line.price);
    const free = line.quantity === null || (line.recurring && trial);
    const amount = free ? 0 : firstAmount(tx, price, lineTotal(tx, price, line.quantity ?? 0, currency), anchor);
    const own = line.tax_rates.length > 0 ? line.tax_rates : pricing.defaultTaxRates;
    const product = idOf(price.product);
    return { amount, discountable: true, product, discounts: [], rates: taxRates(tx, own), givenTaxes: null };
  });
  const totals = lineTotals(
    priced,
    coupon === null ? [] : [coupon.id],
    () => (coupon === null ? undefined : couponTerms(tx, coupon, currency)),
    { rates: [], exempt: pricing.exempt },
  );
  return lines.map((line, at) => {
    const { discount_amounts = [], taxes = [] } = totals[at] ?? {};
    const subtotal = priced[at]?.amount ?? 0;
    const discount = sum(discount_amounts);
    const added = sum(taxes.filter(({ tax_behavior }) => tax_behavior === "exclusive"));
    return {
      ...line,
      amount_subtotal: subtotal,
      amount_discount: discount,
      amount_tax: sum(taxes),
      amount_total: subtotal - discount + added,
    };
  });
}

const sum = (parts: readonly { amount: number }[]): number => parts.reduce((total, { amount }) => total + amount, 0);

function lineTotal(tx: Transaction, price: Stripe.Price, quantity: number, currency: string): number {
  if (price.currency !== currency && price.currency_options?.[currency] === undefined) {
    throw invalidRequest(
      `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
      { param: "line_items" },
    );
  }
  const preset = price.custom_unit_amount?.preset;
  if (price.custom_unit_amount !== null) return (preset ?? price.custom_unit_amount.minimum ?? 0) * quantity;
  const period = { start: tx.now, end: tx.now };
  return lineAmount(tx, { price, quantity, period }, currency);
}

/** What a recurring price costs until the billing cycle begins: the subscription's first invoice says the same. */
function firstAmount(tx: Transaction, price: Stripe.Price, whole: number, anchor: Pricing["anchor"]): number {
  if (price.recurring === null || anchor === null) return whole;
  return anchor.prorated ? remainingAmount(whole, cycleAt(anchor.at, price.recurring, tx.now), tx.now) : 0;
}

function couponTerms(tx: Transaction, coupon: Stripe.Coupon, currency: string) {
  const off = coupon.currency === currency ? coupon.amount_off : coupon.currency_options?.[currency]?.amount_off;
  const applies =
    coupon.applies_to ?? (tx.find("_extra", coupon.id)?.applies_to as Stripe.Coupon.AppliesTo | undefined);
  return {
    id: coupon.id,
    percent_off: coupon.percent_off,
    amount_off: coupon.amount_off === null ? null : (off ?? 0),
    products: applies?.products ?? null,
  };
}

export function totalsOf(lines: readonly SessionLine[]): Totals {
  const over = (of: (line: SessionLine) => number): number => lines.reduce((total, line) => total + of(line), 0);
  return {
    subtotal: over((line) => line.amount_subtotal),
    discount: over((line) => line.amount_discount),
    tax: over((line) => line.amount_tax),
    total: over((line) => line.amount_total),
  };
}

/** The line as the API shows it. */
export function lineItem(tx: Transaction, line: SessionLine, currency: string): Stripe.LineItem {
  return blank("item", {
    id: line.id,
    object: "item",
    adjustable_quantity: line.adjustable_quantity,
    amount_discount: line.amount_discount,
    amount_subtotal: line.amount_subtotal,
    amount_tax: line.amount_tax,
    amount_total: line.amount_total,
    currency,
    description: line.description,
    metadata: line.metadata,
    price: tx.find("price", line.price) ?? null,
    quantity: line.quantity,
  }) as unknown as Stripe.LineItem;
}

/** A trial makes the recurring lines free for now. */
export function hasTrial(tx: Transaction, p: SessionParameters, prices: readonly Stripe.Price[]): boolean {
  const data: { trial_end?: number; trial_period_days?: number; trial_from_plan?: boolean } = p.subscription_data ?? {};
  if (data.trial_end !== undefined) return data.trial_end > tx.now;
  if (data.trial_period_days !== undefined) return data.trial_period_days > 0;
  return data.trial_from_plan === true && prices.some((price) => (price.recurring?.trial_period_days ?? 0) > 0);
}
