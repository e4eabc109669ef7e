// Invoices made and changed by hand: POST /v1/invoices and POST /v1/invoices/*.
import type Stripe from "stripe";
import { currencyOf, given } from "../catalogue/given.ts";
import { createShippingRate } from "../catalogue/shipping-rate.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { discountsFrom } from "./discounts.ts";
import { customerOf, type DraftInvoice, DRAFT_SECONDS, draftInvoice, dueDate, pendingItems } from "./draft.ts";
import { taxRates } from "./invoice-line.ts";
import { keepTerms, recalculated, saveInvoice, type Terms, termsOf } from "./record.ts";

type CreateParams = Stripe.InvoiceCreateParams;

export function createInvoice(world: Transaction, params: CreateParams): Stripe.Invoice {
  if (params.from_invoice !== undefined) return reviseInvoice(world, params, params.from_invoice.invoice);
  if (params.customer === undefined) throw parameterMissing("customer");
  const customer = customerOf(world, params.customer);
  const tx = world.atTimeOf(customer.id);
  const subscription =
    params.subscription === undefined ? undefined : tx.get("subscription", params.subscription, "subscription");
  const takesItems = params.pending_invoice_items_behavior === "include" || subscription !== undefined;
  const currency = currencyFor(tx, params, customer, takesItems);
  const owner = { customer: customer.id };
  const { custom_fields, discounts } = params;
  const input: DraftInvoice = {
    customer: customer.id,
    currency,
    billing_reason: subscription === undefined ? "manual" : "subscription_update",
    subscription,
    pending_items: takesItems,
    collection_method: params.collection_method,
    auto_advance: params.auto_advance ?? params.automatically_finalizes_at !== undefined,
    automatically_finalizes_at: params.automatically_finalizes_at,
    days_until_due: params.days_until_due,
    due_date: dueDate(tx.now, params.collection_method, params),
    discounts: discounts === undefined ? undefined : discountsFrom(tx, discounts, owner),
    default_tax_rates: params.default_tax_rates,
    default_payment_method: methodOf(tx, params.default_payment_method),
    default_source: params.default_source,
    application_fee_amount: params.application_fee_amount,
    transfer_data: params.transfer_data,
    on_behalf_of: params.on_behalf_of,
    description: params.description,
    metadata: mergeMetadata({}, params.metadata),
    footer: params.footer,
    custom_fields: custom_fields === "" ? null : custom_fields,
    statement_descriptor: params.statement_descriptor,
    payment_settings: settingsOf(params.payment_settings),
    chosen_number: params.number,
    extra: { ...shipping(tx, params), ...rendering(params.rendering), effective_at: params.effective_at ?? null },
  };
  if (takesItems && pendingItems(tx, input).length === 0) throw nothingToInvoice(subscription !== undefined);
  return draftInvoice(tx, input);
}

function nothingToInvoice(isOfSubscription: boolean): Error {
  return isOfSubscription
    ? invalidRequest("Nothing to invoice for subscription", { code: "invoice_no_subscription_line_items" })
    : invalidRequest("Nothing to invoice for customer", { code: "invoice_no_customer_line_items" });
}

/** What is asked for, else what the customer's pending items are in, else the customer's own. */
function currencyFor(
  tx: Transaction,
  { currency }: CreateParams,
  customer: Stripe.Customer,
  takesItems: boolean,
): string {
  if (currency !== undefined) return currencyOf(currency);
  const pending = takesItems
    ? tx.all("invoiceitem").find((item) => item.invoice === null && idOf(item.customer) === customer.id)
    : undefined;
  return customer.currency ?? pending?.currency ?? "usd";
}

function methodOf(tx: Transaction, id: string | undefined): string | undefined {
  return id === undefined ? undefined : tx.get("payment_method", id, "default_payment_method").id;
}

type SettingsParams = CreateParams["payment_settings"];

function settingsOf(params: SettingsParams, old?: Stripe.Invoice.PaymentSettings): Stripe.Invoice.PaymentSettings {
  return {
    default_mandate: given(params?.default_mandate, old?.default_mandate),
    payment_method_options: old?.payment_method_options ?? null,
    payment_method_types: given(params?.payment_method_types, old?.payment_method_types),
  };
}

type RenderingParams = CreateParams["rendering"];

function rendering(params: RenderingParams): Partial<Stripe.Invoice> {
  if (params === undefined) return {};
  return {
    rendering: {
      amount_tax_display: given(params.amount_tax_display),
      pdf: params.pdf === undefined ? null : { page_size: params.pdf.page_size ?? "auto" },
      template: params.template ?? null,
      template_version: given(params.template_version),
    },
  };
}

function shipping(tx: Transaction, params: Stripe.InvoiceUpdateParams | CreateParams): Partial<Stripe.Invoice> {
  const { shipping_cost: cost, shipping_details: details } = params;
  return {
    ...(cost === undefined ? {} : { shipping_cost: shippingCost(tx, given(cost)) }),
    ...(details === undefined
      ? {}
      : {
          shipping_details: shippingDetails(given(details)),
        }),
  };
}

function shippingDetails(
  details: Stripe.InvoiceCreateParams.ShippingDetails | null,
): Stripe.Invoice.ShippingDetails | null {
  if (details === null) return null;
  return { ...details, phone: given(details.phone) } as Stripe.Invoice.ShippingDetails;
}

function shippingCost(
  tx: Transaction,
  cost: Stripe.InvoiceCreateParams.ShippingCost | null,
): Stripe.Invoice.ShippingCost | null {
  if (cost === null) return null;
  const made = cost.shipping_rate_data;
  const rate =
    made === undefined
      ? tx.get("shipping_rate", cost.shipping_rate ?? "", "shipping_cost[shipping_rate]")
      : createShippingRate(tx, made);
  const amount = rate.fixed_amount?.amount ?? 0;
  return { amount_subtotal: amount, amount_tax: 0, amount_total: amount, shipping_rate: rate.id };
}

/** A draft with the lines of an open invoice, which is voided once the draft is finalized. */
function reviseInvoice(world: Transaction, params: CreateParams, id: string): Stripe.Invoice {
  const original = world.get("invoice", id, "from_invoice[invoice]");
  const tx = world.atTimeOf(original.customer);
  if (original.status !== "open") {
    throw invalidRequest("You can only revise open invoices.", { param: "from_invoice[invoice]" });
  }
  return draftInvoice(tx, {
    customer: idOf(original.customer) ?? "",
    currency: original.currency,
    billing_reason: "manual",
    copied_lines: termsOf(tx, id).lines,
    collection_method: original.collection_method,
    auto_advance: params.auto_advance ?? false,
    due_date: original.due_date,
    discounts: original.discounts.flatMap((discount) => idOf(discount) ?? []),
    default_tax_rates: original.default_tax_rates.map((rate) => rate.id),
    description: params.description ?? original.description,
    metadata: mergeMetadata(original.metadata, params.metadata ?? {}),
    extra: { from_invoice: { action: "revision", invoice: id } },
  });
}

/** What only a draft may change: money, and how it is collected. */
const DRAFT_ONLY = [
  "account_tax_ids",
  "automatic_tax",
  "automatically_finalizes_at",
  "collection_method",
  "custom_fields",
  "days_until_due",
  "default_tax_rates",
  "discounts",
  "due_date",
  "effective_at",
  "footer",
  "issuer",
  "number",
  "shipping_cost",
] as const;

export function updateInvoice(world: Transaction, id: string, params: Stripe.InvoiceUpdateParams): Stripe.Invoice {
  const old = world.get("invoice", id);
  const tx = world.atTimeOf(old.customer);
  const draftOnly = DRAFT_ONLY.find((name) => params[name] !== undefined);
  if (draftOnly !== undefined && old.status !== "draft") {
    throw invalidRequest(
      `Finalized invoices can't be updated in this way: \`${draftOnly}\` can only be set on a draft.`,
      {
        param: draftOnly,
        code: "invoice_not_editable",
      },
    );
  }
  const changed = { ...old, ...texts(tx, old, params), ...collection(tx, old, params) };
  const terms = changedTerms(termsOf(tx, id), params);
  keepTerms(tx, id, terms);
  const after = old.status === "draft" ? recalculated(tx, changed, terms) : changed;
  return equal(old, after) ? old : saveInvoice(tx, after, "invoice.updated");
}

function texts(tx: Transaction, old: Stripe.Invoice, params: Stripe.InvoiceUpdateParams): Partial<Stripe.Invoice> {
  return {
    custom_fields: given(params.custom_fields, old.custom_fields),
    default_payment_method: methodOf(tx, params.default_payment_method) ?? old.default_payment_method,
    default_source: given(params.default_source, idOf(old.default_source)),
    description: params.description ?? old.description,
    effective_at: given(params.effective_at, old.effective_at),
    footer: params.footer ?? old.footer,
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    number: given(params.number, old.number),
    on_behalf_of: given(params.on_behalf_of, idOf(old.on_behalf_of)),
    payment_settings: settingsOf(params.payment_settings, old.payment_settings),
    statement_descriptor: params.statement_descriptor ?? old.statement_descriptor,
    ...rendering(params.rendering),
    ...shipping(tx, params),
  };
}

function collection(tx: Transaction, old: Stripe.Invoice, params: Stripe.InvoiceUpdateParams): Partial<Stripe.Invoice> {
  const method = params.collection_method ?? old.collection_method;
  const isDue =
    params.due_date !== undefined || params.days_until_due !== undefined || method !== old.collection_method;
  const advances = params.auto_advance ?? old.auto_advance ?? false;
  const isDraft = old.status === "draft";
  const finalizes = params.automatically_finalizes_at ?? old.automatically_finalizes_at ?? tx.now + DRAFT_SECONDS;
  const next = isDraft ? finalizes : (old.next_payment_attempt ?? tx.now + DRAFT_SECONDS);
  const { discounts, default_tax_rates: rates } = params;
  const owner = { customer: idOf(old.customer), invoice: old.id };
  return {
    collection_method: method,
    due_date: isDue ? dueDate(tx.now, method, params) : old.due_date,
    auto_advance: advances,
    automatically_finalizes_at: isDraft && advances ? finalizes : null,
    next_payment_attempt:
      advances && method === "charge_automatically" && (isDraft || old.status === "open") ? next : null,
    discounts: discounts === undefined ? old.discounts : discountsFrom(tx, discounts, owner),
    default_tax_rates:
      rates === undefined ? old.default_tax_rates : taxRates(tx, given(rates) ?? [], "default_tax_rates"),
  };
}

function changedTerms(old: Terms, params: Stripe.InvoiceUpdateParams): Terms {
  const { transfer_data, application_fee_amount, days_until_due } = params;
  return {
    ...old,
    application_fee_amount: application_fee_amount ?? old.application_fee_amount,
    transfer_data: given(transfer_data, old.transfer_data),
    days_until_due: days_until_due ?? old.days_until_due,
  };
}
