// The lines of a draft, one by one: added, changed, taken off; and listed, of any invoice.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { discountsFrom } from "./discounts.ts";
import { changedItem, createInvoiceItem, draftOf, itemOfLine, type ItemInput, periodOf } from "./invoice-item.ts";
import { type KeptLine, lineAmount, lineOfItem, pricingOf } from "./invoice-line.ts";
import { keepTerms, recalculated, saveInvoice, termsOf } from "./record.ts";
import type { Tax } from "./totals.ts";

type LineParams = Stripe.InvoiceUpdateLineItemParams;
type MetadataParams = Stripe.InvoiceAddLinesParams["invoice_metadata"];

export function addLines(world: Transaction, id: string, params: Stripe.InvoiceAddLinesParams): Stripe.Invoice {
  const before = draftOf(world, id, "id");
  const tx = world.atTimeOf(before.customer);
  for (const { invoice_item, tax_amounts, tax_rates, ...rest } of params.lines) {
    if (invoice_item !== undefined) attachItem(tx, id, invoice_item);
    else {
      const rates = tax_rates === undefined || tax_rates === "" ? {} : { tax_rates };
      const input = { ...rest, ...rates, currency: before.currency, invoice: id } as ItemInput;
      createInvoiceItem(tx, input);
      giveTaxes(tx, id, taxesFrom(tx, tax_amounts));
    }
  }
  return withMetadata(tx, id, params.invoice_metadata);
}

/** A pending item comes onto the draft. */
function attachItem(tx: Transaction, invoice: string, id: string): void {
  const draft = tx.get("invoice", invoice);
  const item = tx.get("invoiceitem", id, "lines[0][invoice_item]");
  if (item.invoice !== null) {
    throw invalidRequest("This invoice item is already attached to an invoice.", { param: "lines[0][invoice_item]" });
  }
  tx.put("invoiceitem", { ...item, invoice });
  const terms = termsOf(tx, invoice);
  saveInvoice(
    tx,
    recalculated(tx, draft, { ...terms, lines: [...terms.lines, lineOfItem(tx, invoice, item)] }),
    "invoice.updated",
  );
}

/** The last line has taxes that the caller has worked out. */
function giveTaxes(tx: Transaction, invoice: string, taxes: Tax[] | null): void {
  if (taxes === null) return;
  const terms = termsOf(tx, invoice);
  const last = terms.lines.length - 1;
  const lines = terms.lines.map((each, at) => (at === last ? { ...each, taxes } : each));
  saveInvoice(tx, recalculated(tx, tx.get("invoice", invoice), { ...terms, lines }), "invoice.updated");
}

type TaxAmounts = LineParams["tax_amounts"];

/** Taxes that are given with their rate, which is made for them; it is in no list for sale. */
function taxesFrom(tx: Transaction, params: TaxAmounts): Tax[] | null {
  const amounts = given(params);
  if (amounts === null) return null;
  return amounts.map(({ amount, tax_rate_data: rate, taxability_reason, taxable_amount }) => {
    const made = blank("tax_rate", {
      id: tx.newId("tax_rate"),
      active: false,
      created: tx.now,
      livemode: tx.scope.livemode,
      metadata: {},
      rate_type: "percentage",
      ...rate,
    }) as unknown as Stripe.TaxRate;
    tx.put("tax_rate", made);
    return {
      amount,
      tax_behavior: rate.inclusive ? "inclusive" : "exclusive",
      tax_rate_details: { tax_rate: made.id },
      taxability_reason: taxability_reason ?? "not_available",
      taxable_amount,
      type: "tax_rate_details",
    };
  });
}

function withMetadata(tx: Transaction, id: string, given: MetadataParams): Stripe.Invoice {
  const invoice = tx.get("invoice", id);
  if (given === undefined) return invoice;
  return saveInvoice(tx, { ...invoice, metadata: mergeMetadata(invoice.metadata, given) }, "invoice.updated");
}

export function updateLines(world: Transaction, id: string, params: Stripe.InvoiceUpdateLinesParams): Stripe.Invoice {
  const draft = draftOf(world, id, "id");
  const tx = world.atTimeOf(draft.customer);
  for (const [at, { id: line, ...change }] of params.lines.entries()) {
    changeLine(tx, id, line, change, `lines[${at}][id]`);
  }
  saveInvoice(tx, recalculated(tx, tx.get("invoice", id), termsOf(tx, id)), "invoice.updated");
  return withMetadata(tx, id, params.invoice_metadata);
}

export function updateLine(world: Transaction, id: string, line: string, params: LineParams): Stripe.InvoiceLineItem {
  const draft = draftOf(world, id, "id");
  const tx = world.atTimeOf(draft.customer);
  changeLine(tx, id, line, params, "id");
  saveInvoice(tx, recalculated(tx, draft, termsOf(tx, id)), "invoice.updated");
  return lineOf(tx, id, line, "id").line;
}

function lineOf(tx: Transaction, invoice: string, id: string, param: string): KeptLine {
  const found = termsOf(tx, invoice).lines.find(({ line }) => line.id === id);
  if (found === undefined) throw noSuch("invoice line item", id, param);
  return found;
}

/** Keeps the changed line in the terms; the invoice is worked out anew by the caller. */
function changeLine(tx: Transaction, invoice: string, id: string, params: LineParams, param: string): void {
  const old = lineOf(tx, invoice, id, param);
  const item = tx.find("invoiceitem", itemOfLine(old.line) ?? "");
  const made = item === undefined ? changedLine(tx, old, params) : lineAnew(tx, invoice, item, params);
  const taxes = params.tax_amounts === undefined ? old.taxes : taxesFrom(tx, params.tax_amounts);
  const changed: KeptLine = { ...made, line: { ...made.line, id }, taxes };
  const terms = termsOf(tx, invoice);
  const lines = terms.lines.map((each) => (each.line.id === id ? changed : each));
  keepTerms(tx, invoice, { ...terms, lines });
}

function lineAnew(tx: Transaction, invoice: string, item: Stripe.InvoiceItem, params: LineParams): KeptLine {
  const { tax_amounts: _taxes, ...rest } = params;
  const changed = changedItem(tx, item, rest as Parameters<typeof changedItem>[2]);
  return lineOfItem(tx, invoice, tx.put("invoiceitem", changed));
}

/** A line of a subscription: what it is for stays, what it says and costs may change. */
function changedLine(tx: Transaction, old: KeptLine, params: LineParams): KeptLine {
  const { line } = old;
  const price = tx.find("price", params.pricing?.price ?? idOf(line.pricing?.price_details?.price) ?? "") ?? null;
  const quantity = params.quantity ?? line.quantity ?? 1;
  const isPriced = params.quantity !== undefined || params.pricing !== undefined;
  const anew = isPriced ? lineAmount(tx, { price, quantity, period: line.period }, line.currency) : line.amount;
  const amount = params.amount ?? anew;
  const { discounts, tax_rates } = params;
  const owner = { customer: idOf(tx.find("invoice", line.invoice ?? "")?.customer) };
  const rates = tax_rates === undefined ? old.rates : (given(tax_rates) ?? null);
  return {
    ...old,
    product: idOf(price?.product) ?? old.product,
    rates,
    line: {
      ...line,
      amount,
      subtotal: amount,
      description: params.description ?? line.description,
      discountable: params.discountable ?? line.discountable,
      discounts: discounts === undefined ? line.discounts : discountsFrom(tx, discounts, owner),
      metadata: mergeMetadata(line.metadata, params.metadata ?? {}),
      period: periodOf(params.period, line.period),
      pricing: isPriced ? pricingOf(price, line.currency, amount, quantity) : line.pricing,
      quantity,
      quantity_decimal: String(quantity) as unknown as Stripe.Decimal,
    },
  };
}

/** `delete` takes the invoice item away with its line; `unassign` leaves it pending. */
export function removeLines(world: Transaction, id: string, params: Stripe.InvoiceRemoveLinesParams): Stripe.Invoice {
  const draft = draftOf(world, id, "id");
  const tx = world.atTimeOf(draft.customer);
  for (const [at, { id: line, behavior }] of params.lines.entries()) {
    const item = tx.find("invoiceitem", itemOfLine(lineOf(tx, id, line, `lines[${at}][id]`).line) ?? "");
    if (item === undefined && behavior === "unassign") {
      throw invalidRequest("Only lines of invoice items can be unassigned.", { param: `lines[${at}][behavior]` });
    }
    if (item !== undefined && behavior === "unassign") tx.put("invoiceitem", { ...item, invoice: null });
    if (item !== undefined && behavior === "delete") {
      tx.remove("invoiceitem", item.id);
      tx.raise("invoiceitem.deleted", item);
    }
  }
  const gone = new Set(params.lines.map((line) => line.id));
  const terms = termsOf(tx, id);
  const lines = terms.lines.filter(({ line }) => !gone.has(line.id));
  saveInvoice(tx, recalculated(tx, tx.get("invoice", id), { ...terms, lines }), "invoice.updated");
  return withMetadata(tx, id, params.invoice_metadata);
}

/** In the order of the invoice. */
export function listLines(tx: Transaction, id: string, params: ListParameters): object {
  tx.get("invoice", id);
  const lines = termsOf(tx, id).lines.map(({ line }) => line);
  // A list shows the newest first; lines have an order of their own.
  return listOf(lines.toReversed(), `/v1/invoices/${id}/lines`, params);
}
