// Invoice items: what a customer owes beside subscriptions, waiting for the next invoice or on a draft. Prorations too.
import type Stripe from "stripe";
import { currencyOf, given } from "../catalogue/given.ts";
import { createInlinePrice, usablePrice } from "../catalogue/price.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { type DiscountParameters, discountsFrom } from "./discounts.ts";
import { customerOf } from "./draft.ts";
import {
  checkAmount,
  checkQuantity,
  lineAmount,
  lineOfItem,
  type Period,
  pricingOf,
  taxRates,
} from "./invoice-line.ts";
import { times } from "./money.ts";
import { recalculated, saveInvoice, termsOf } from "./record.ts";

type CreateParams = Omit<Stripe.InvoiceItemCreateParams, "discounts">;

/** The parameters of the call, and what prorations say beside them. */
export interface ItemInput extends CreateParams {
  discounts?: DiscountParameters;
  price?: Stripe.Price | string | undefined;
  /** Of versions before 2025-03-31. */
  unit_amount?: number;
  subscription_item?: string;
  proration?: boolean;
  credited_items?: Stripe.InvoiceItem.ProrationDetails.CreditedItems;
}

/** What an item costs: a price and how many, or an amount. */
interface Cost {
  amount: number;
  currency: string;
  price: Stripe.Price | null;
  quantity: string;
}

/** Raises invoiceitem.created; an item for a draft is on it at once. */
export function createInvoiceItem(world: Transaction, input: ItemInput): Stripe.InvoiceItem {
  const draft = input.invoice === undefined ? undefined : draftOf(world, input.invoice);
  const id = input.customer ?? idOf(draft?.customer);
  if (id === null) throw parameterMissing("customer");
  const customer = customerOf(world, id);
  const tx = world.atTimeOf(id);
  const cost = costOf(tx, input, draft?.currency ?? customer.currency ?? undefined);
  if (draft !== undefined) checkFits(draft, id, cost.currency);
  checkSubscription(tx, input.subscription, id);
  const item = newItem(tx, input, id, cost);
  tx.put("invoiceitem", { ...item, invoice: draft?.id ?? null });
  tx.raise("invoiceitem.created", tx.get("invoiceitem", item.id));
  if (draft !== undefined) {
    const terms = termsOf(tx, draft.id);
    const lines = [...terms.lines, lineOfItem(tx, draft.id, item)];
    saveInvoice(tx, recalculated(tx, draft, { ...terms, lines }), "invoice.updated");
  }
  return tx.get("invoiceitem", item.id);
}

/** @throws StripeFailure when there is none, or it is finalized */
export function draftOf(tx: Transaction, id: string, param = "invoice"): Stripe.Invoice {
  const invoice = tx.get("invoice", id, param);
  if (invoice.status === "draft") return invoice;
  throw invalidRequest("This invoice is no longer editable", {
    code: "invoice_not_editable",
    ...(param === "id" ? {} : { param }),
  });
}

function checkFits(draft: Stripe.Invoice, customer: string, currency: string): void {
  if (idOf(draft.customer) !== customer) {
    throw invalidRequest("The customer of the invoice item and of the invoice are not the same.", {
      param: "customer",
    });
  }
  if (draft.currency !== currency) {
    const message = `The currency of the invoice item (${currency}) does not match that of the invoice (${draft.currency}).`;
    throw invalidRequest(message, { param: "currency" });
  }
}

function checkSubscription(tx: Transaction, id: string | undefined, customer: string): void {
  if (id === undefined) return;
  const subscription = tx.get("subscription", id, "subscription");
  if (idOf(subscription.customer) === customer) return;
  throw invalidRequest(`Customer ${customer} does not have a subscription with ID ${id}`, {
    param: "subscription",
    code: "resource_missing",
  });
}

/** @throws StripeFailure 400: neither an amount nor a price, or both */
export function costOf(tx: Transaction, input: ItemInput, currency?: string, old?: Cost): Cost {
  const { amount } = input;
  const priced = priceOf(tx, input);
  const quantity = String(input.quantity_decimal ?? input.quantity ?? old?.quantity ?? 1);
  const chosen = input.currency === undefined ? undefined : currencyOf(input.currency);
  checkQuantity(input.quantity, "quantity");
  if (amount !== undefined && (typeof input.price !== "object" || !input.proration)) {
    if (priced !== null || input.quantity !== undefined) {
      const param = priced === null ? "quantity" : "pricing";
      throw invalidRequest(`You may only specify one of these parameters: amount, ${param}.`, { param: "amount" });
    }
    const own = chosen ?? old?.currency ?? currency ?? "usd";
    checkAmount(amount, own, "amount");
    return { amount, currency: own, price: null, quantity: "1" };
  }
  const price = priced ?? old?.price ?? null;
  const unit = input.unit_amount_decimal ?? input.unit_amount;
  if (price === null) {
    if (unit === undefined && old === undefined) throw parameterMissing("amount");
    const total = unit === undefined ? (old?.amount ?? 0) : times(String(unit), quantity);
    return { amount: total, currency: chosen ?? old?.currency ?? currency ?? "usd", price: null, quantity };
  }
  const used = chosen ?? old?.currency ?? price.currency;
  const total = amount ?? lineAmount(tx, { price, quantity, period: { start: 0, end: 0 } }, used);
  return { amount: total, currency: used, price, quantity };
}

function priceOf(tx: Transaction, input: ItemInput): Stripe.Price | null {
  if (typeof input.price === "object") return input.price;
  if (input.price_data !== undefined) return createInlinePrice(tx, input.price_data);
  const id = input.pricing?.price ?? input.price;
  if (id === undefined) return null;
  const price = usablePrice(tx, id, input.price === undefined ? "pricing[price]" : "price");
  if (price.type === "one_time") return price;
  const message =
    "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.";
  throw invalidRequest(message, { param: input.price === undefined ? "pricing[price]" : "price" });
}

function newItem(tx: Transaction, input: ItemInput, customer: string, cost: Cost): Stripe.InvoiceItem {
  const id = tx.newId("invoiceitem");
  const { subscription, subscription_item, proration = false, discounts } = input;
  const details = {
    subscription: subscription ?? "",
    ...(subscription_item === undefined ? {} : { subscription_item }),
  };
  return blank("invoiceitem", {
    id,
    amount: cost.amount,
    currency: cost.currency,
    customer,
    date: tx.now,
    description: input.description ?? nameOf(tx, cost.price),
    discountable: input.discountable ?? !proration,
    discounts: discounts === undefined ? [] : discountsFrom(tx, discounts, { customer, invoice_item: id }),
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, input.metadata),
    parent: subscription === undefined ? null : { subscription_details: details, type: "subscription_details" },
    period: periodOf(input.period, { start: tx.now, end: tx.now }),
    pricing: pricingOf(cost.price, cost.currency, cost.amount, cost.quantity),
    proration,
    ...(proration ? { proration_details: { credited_items: input.credited_items ?? null, discount_amounts: [] } } : {}),
    quantity: Math.round(Number(cost.quantity)),
    quantity_decimal: cost.quantity,
    tax_rates: taxRates(tx, input.tax_rates ?? []),
    test_clock: tx.clockOf(customer),
  }) as unknown as Stripe.InvoiceItem;
}

function nameOf(tx: Transaction, price: Stripe.Price | null): string | null {
  return tx.find("product", idOf(price?.product) ?? "")?.name ?? null;
}

/** @throws StripeFailure 400 when it ends before it begins */
export function periodOf(period: Period | undefined, old: Period): Period {
  const { start, end } = period ?? old;
  if (end >= start) return { start, end };
  throw invalidRequest("The period end must be after the period start.", { param: "period[end]" });
}

type UpdateParams = Omit<Stripe.InvoiceItemUpdateParams, "tax_rates"> &
  Pick<ItemInput, "price" | "unit_amount"> & {
    tax_rates?: Stripe.Emptyable<string[]>;
  };

/** Stripe raises nothing for the item itself; a draft that it is on is updated. */
export function updateInvoiceItem(world: Transaction, id: string, params: UpdateParams): Stripe.InvoiceItem {
  const old = world.get("invoiceitem", id);
  const tx = world.atTimeOf(old.customer);
  const draft = idOf(old.invoice) === null ? undefined : draftOf(tx, idOf(old.invoice) ?? "", "id");
  const item = tx.put("invoiceitem", changedItem(tx, old, params));
  if (draft !== undefined) saveInvoice(tx, withItem(tx, draft, item), "invoice.updated");
  return item;
}

/** The item after the call; nothing is kept. */
export function changedItem(tx: Transaction, old: Stripe.InvoiceItem, params: UpdateParams): Stripe.InvoiceItem {
  const price = tx.find("price", idOf(old.pricing?.price_details?.price) ?? "") ?? null;
  const before = { amount: old.amount, currency: old.currency, price, quantity: String(old.quantity_decimal) };
  const names = [
    "amount",
    "price",
    "price_data",
    "pricing",
    "quantity",
    "quantity_decimal",
    "unit_amount_decimal",
    "unit_amount",
  ];
  const isPriced = Object.entries(params).some(([name, value]) => names.includes(name) && value !== undefined);
  const { tax_rates, discounts, ...rest } = params;
  const cost = isPriced ? costOf(tx, rest, old.currency, before) : undefined;
  const owner = { customer: idOf(old.customer), invoice_item: old.id };
  return {
    ...old,
    ...(cost === undefined
      ? {}
      : {
          amount: cost.amount,
          pricing: pricingOf(cost.price, cost.currency, cost.amount, cost.quantity),
          quantity: Math.round(Number(cost.quantity)),
          quantity_decimal: cost.quantity as unknown as Stripe.Decimal,
        }),
    description: given(params.description, old.description),
    discountable: params.discountable ?? old.discountable,
    discounts: discounts === undefined ? old.discounts : discountsFrom(tx, discounts, owner),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    period: periodOf(params.period, old.period),
    tax_rates: tax_rates === undefined ? old.tax_rates : taxRates(tx, given(tax_rates) ?? []),
  };
}

/** The draft with the item's line made anew, in its place. */
function withItem(tx: Transaction, draft: Stripe.Invoice, item: Stripe.InvoiceItem): Stripe.Invoice {
  const terms = termsOf(tx, draft.id);
  const lines = terms.lines.map((each) => {
    if (itemOfLine(each.line) !== item.id) return each;
    const made = lineOfItem(tx, draft.id, item);
    return { ...made, line: { ...made.line, id: each.line.id } };
  });
  return recalculated(tx, draft, { ...terms, lines });
}

/** The invoice item that the line was made from. */
export function itemOfLine({ parent }: Stripe.InvoiceLineItem): string | null {
  return parent?.invoice_item_details?.invoice_item ?? parent?.subscription_item_details?.invoice_item ?? null;
}

/** @throws StripeFailure 400 once its invoice is finalized */
export function deleteInvoiceItem(world: Transaction, id: string): Stripe.DeletedInvoiceItem {
  const item = world.get("invoiceitem", id);
  const tx = world.atTimeOf(item.customer);
  const draft = idOf(item.invoice) === null ? undefined : draftOf(tx, idOf(item.invoice) ?? "", "id");
  tx.remove("invoiceitem", id);
  tx.raise("invoiceitem.deleted", item);
  if (draft !== undefined) {
    const terms = termsOf(tx, draft.id);
    const lines = terms.lines.filter(({ line }) => itemOfLine(line) !== id);
    saveInvoice(tx, recalculated(tx, draft, { ...terms, lines }), "invoice.updated");
  }
  return { id, object: "invoiceitem", deleted: true };
}

export function listInvoiceItems(tx: Transaction, params: Stripe.InvoiceItemListParams): object {
  const { customer, invoice, pending, created } = params;
  const items = tx.where(
    "invoiceitem",
    (item) =>
      (customer === undefined || idOf(item.customer) === customer) &&
      (invoice === undefined || idOf(item.invoice) === invoice) &&
      (pending === undefined || (item.invoice === null) === pending),
  );
  // Items call the time that they were made `date`.
  const { data, ...list } = listOf(
    items.map((item) => ({ ...item, created: item.date })),
    "/v1/invoiceitems",
    { ...params, ...(created === undefined ? {} : { created }) },
  );
  return { ...list, data: data.map(({ created: _created, ...item }) => item) };
}
