// Draft invoices: made for a customer by itself, by a subscription or by hand.
import type Stripe from "stripe";
import { taxIdsOf } from "../customers/tax-id.ts";
import { discountOf } from "../customers/customer.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { type DraftLine, type KeptLine, lineOfItem, makeLine, type Period, taxRates } from "./invoice-line.ts";
import { NO_TERMS, recalculated, saveInvoice, type TransferTerms } from "./record.ts";

/** Stripe finalizes a draft about an hour after its webhooks have arrived. */
export const DRAFT_SECONDS = 3600;
const DAY = 86_400;

export interface DraftInvoice {
  customer: string;
  currency: string;
  billing_reason: Stripe.Invoice.BillingReason;
  subscription?: Stripe.Subscription | undefined;
  quote?: string | undefined;
  /** Lines of a subscription; pending invoice items come before them. */
  lines?: readonly DraftLine[] | undefined;
  /** Lines of another invoice, to be copied. */
  copied_lines?: readonly KeptLine[] | undefined;
  /** Takes the customer's pending invoice items of that currency in; of the subscription, when it has one. */
  pending_items?: boolean | undefined;
  collection_method?: Stripe.Invoice.CollectionMethod | undefined;
  /** true unless said. */
  auto_advance?: boolean | undefined;
  automatically_finalizes_at?: number | undefined;
  days_until_due?: number | null | undefined;
  due_date?: number | null | undefined;
  /** Ids; the customer's discount unless said. */
  discounts?: readonly string[] | undefined;
  /** Ids. */
  default_tax_rates?: readonly string[] | undefined;
  default_payment_method?: string | null | undefined;
  default_source?: string | null | undefined;
  application_fee_amount?: number | null | undefined;
  /** Of the total, as subscriptions say it; worked out when the invoice is finalized. */
  application_fee_percent?: number | null | undefined;
  transfer_data?: TransferTerms | null | undefined;
  on_behalf_of?: string | null | undefined;
  period?: Period | undefined;
  description?: string | null | undefined;
  metadata?: Stripe.Metadata | undefined;
  footer?: string | null | undefined;
  custom_fields?: { name: string; value: string }[] | null | undefined;
  statement_descriptor?: string | null | undefined;
  payment_settings?: Stripe.Invoice.PaymentSettings | undefined;
  chosen_number?: string | undefined;
  /** More fields of the invoice, as they shall be on it. */
  extra?: Partial<Stripe.Invoice> | undefined;
}

/** @throws StripeFailure when there is no such customer, or it is deleted */
export function customerOf(tx: Transaction, id: string, param = "customer"): Stripe.Customer {
  const customer = tx.get("customer", id, param) as Stripe.Customer | Stripe.DeletedCustomer;
  if (customer.deleted === true) throw noSuch("customer", id, param);
  return customer;
}

/** Makes the draft, with its lines, and raises invoice.created. */
export function draftInvoice(world: Transaction, input: DraftInvoice): Stripe.Invoice {
  const tx = world.atTimeOf(input.customer);
  const { draft, items } = composeInvoice(tx, input, tx.newId("invoice"));
  for (const item of items) tx.put("invoiceitem", { ...item, invoice: draft.id });
  saveInvoice(tx, draft, "invoice.created");
  giveCurrency(tx, input.customer, draft.currency);
  return draft;
}

/** A customer is charged in one currency: that of the first invoice. */
function giveCurrency(tx: Transaction, id: string, currency: string): void {
  const customer = tx.find("customer", id);
  if (customer === undefined || (customer.currency ?? null) !== null) return;
  tx.change("customer", { ...customer, currency }, "customer.updated");
}

/** The invoice as it would be, and the pending items that are in it. Keeps its terms alone. */
export function composeInvoice(
  tx: Transaction,
  input: DraftInvoice,
  id: string,
): { draft: Stripe.Invoice; items: Stripe.InvoiceItem[] } {
  const customer = customerOf(tx, input.customer);
  const items = input.pending_items === true ? pendingItems(tx, input) : [];
  const lines: KeptLine[] = [
    // Stripe: "pending invoice items (including prorations) in reverse chronological order", then subscription items.
    ...items.toReversed().map((item) => lineOfItem(tx, id, item)),
    ...(input.lines ?? []).map((line) => makeLine(tx, id, input.currency, line)),
    ...(input.copied_lines ?? []).map((each) => copiedLine(tx, id, each)),
  ];
  const terms = {
    ...NO_TERMS,
    lines,
    application_fee_amount: input.application_fee_amount ?? null,
    application_fee_percent: input.application_fee_percent ?? null,
    transfer_data: input.transfer_data ?? null,
    chosen_number: input.chosen_number ?? null,
    days_until_due: input.days_until_due ?? null,
  };
  const draft = blank("invoice", {
    ...basics(tx, input),
    ...customerFields(tx, customer, input.currency),
    ...moneyFields(tx, input, customer),
    id,
    ...input.extra,
  }) as unknown as Stripe.Invoice;
  return { draft: recalculated(tx, draft, terms), items };
}

function copiedLine(tx: Transaction, invoice: string, { line, ...kept }: KeptLine): KeptLine {
  return { ...kept, line: { ...line, id: `il_${tx.world.random.text(24)}`, invoice } };
}

function basics(tx: Transaction, input: DraftInvoice): Partial<Stripe.Invoice> {
  const { auto_advance = true, collection_method = "charge_automatically", period } = input;
  const finalizes = input.automatically_finalizes_at ?? tx.now + DRAFT_SECONDS;
  const account = accountOf(tx);
  return {
    account_country: account?.country ?? "US",
    account_name: account?.settings?.dashboard.display_name ?? "Sandbox",
    attempt_count: 0,
    attempted: false,
    auto_advance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: auto_advance ? finalizes : null,
    billing_reason: input.billing_reason,
    collection_method,
    created: tx.now,
    currency: input.currency,
    custom_fields: input.custom_fields ?? null,
    description: input.description ?? null,
    due_date: input.due_date ?? null,
    footer: input.footer ?? null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: "self" },
    livemode: tx.scope.livemode,
    metadata: input.metadata ?? {},
    next_payment_attempt: auto_advance && collection_method === "charge_automatically" ? finalizes : null,
    on_behalf_of: input.on_behalf_of ?? null,
    parent: parentOf(input),
    period_end: period?.end ?? tx.now,
    period_start: period?.start ?? tx.now,
    statement_descriptor: input.statement_descriptor ?? null,
    status: "draft",
    test_clock: tx.clockOf(input.customer),
    webhooks_delivered_at: tx.now,
  };
}

function accountOf(tx: Transaction): Stripe.Account | undefined {
  return tx.find("account", tx.scope.account);
}

function parentOf({ subscription, quote }: DraftInvoice): Stripe.Invoice.Parent | null {
  if (subscription !== undefined) {
    const details = { metadata: { ...subscription.metadata }, subscription: subscription.id };
    return { quote_details: null, subscription_details: details, type: "subscription_details" };
  }
  if (quote === undefined) return null;
  return { quote_details: { quote }, subscription_details: null, type: "quote_details" };
}

/** What the invoice shows of its customer, until it is finalized. */
export function customerFields(
  tx: Transaction,
  customer: Stripe.Customer,
  currency: string,
): Partial<Stripe.Invoice> & { starting_balance: number } {
  // The balance is in the customer's own currency.
  const isItsCurrency = (customer.currency ?? currency) === currency;
  const ids = taxIdsOf(tx, customer.id);
  return {
    customer: customer.id,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: customer.shipping,
    customer_tax_exempt: customer.tax_exempt ?? "none",
    customer_tax_ids: ids.map(({ type, value }) => ({ type, value })),
    starting_balance: isItsCurrency ? customer.balance : 0,
  };
}

function moneyFields(tx: Transaction, input: DraftInvoice, customer: Stripe.Customer): Partial<Stripe.Invoice> {
  const inherited = idOf(discountOf(tx, customer));
  return {
    default_payment_method: input.default_payment_method ?? null,
    default_source: input.default_source ?? null,
    default_tax_rates: taxRates(tx, input.default_tax_rates ?? [], "default_tax_rates"),
    discounts: [...(input.discounts ?? (inherited === null ? [] : [inherited]))],
    payment_settings: input.payment_settings ?? {
      default_mandate: null,
      payment_method_options: null,
      payment_method_types: null,
    },
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  };
}

/** The oldest first. Items of a subscription go onto its invoices alone. */
export function pendingItems(
  tx: Transaction,
  { customer, currency, subscription }: DraftInvoice,
): Stripe.InvoiceItem[] {
  return tx.where("invoiceitem", (item) => {
    const owner = item.parent?.subscription_details?.subscription;
    const fits = owner === undefined || owner === subscription?.id;
    return item.invoice === null && idOf(item.customer) === customer && item.currency === currency && fits;
  });
}

/** @throws StripeFailure 400 when an invoice that is sent has no date to be paid by */
export function dueDate(
  now: number,
  method: string | undefined,
  { due_date, days_until_due }: { due_date?: number | undefined; days_until_due?: number | undefined },
): number | null {
  if (method !== "send_invoice") {
    const param = due_date !== undefined ? "due_date" : days_until_due !== undefined ? "days_until_due" : undefined;
    if (param === undefined) return null;
    throw invalidRequest(`You can only specify ${param} if \`collection_method\` is \`send_invoice\`.`, { param });
  }
  if (due_date !== undefined && days_until_due !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: due_date, days_until_due.", {
      param: "due_date",
    });
  }
  if (due_date !== undefined) {
    if (due_date > now) return due_date;
    throw invalidRequest("The due date must be in the future.", { param: "due_date" });
  }
  if (days_until_due !== undefined) return now + days_until_due * DAY;
  const message = "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.";
  throw invalidRequest(message, { param: "days_until_due", code: "parameter_missing" });
}
