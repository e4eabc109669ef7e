// Invoices of subscriptions: drafted with what the subscription says, finalized, and collected at once where it should be.
import type Stripe from "stripe";
import { invalidRequest, StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { defaultPaymentMethod } from "../customers/customer.ts";
import { draftInvoice } from "../invoices/draft.ts";
import { finalizeInvoice } from "../invoices/finalize.ts";
import { createInvoiceItem, payInvoice, paymentIntentOf } from "../invoices/invoice.ts";
import type { DraftLine } from "../invoices/invoice-line.ts";
import type { TransferTerms } from "../invoices/record.ts";
import { cardErrorOf } from "../payments/payment-intent.ts";
import type { Period } from "./billing-cycle.ts";
import { saveSubscription } from "./subscription-save.ts";
import type { Proration } from "./subscription-lines.ts";

const DAY = 86_400;

type Subscription = Stripe.Subscription;

interface Draft {
  reason: Stripe.Invoice.BillingReason;
  lines: readonly DraftLine[];
  period?: Period;
  auto_advance?: boolean;
}

/** The draft, with the pending items of the subscription; it is the subscription's latest invoice from now on. */
export function draftFor(tx: Transaction, subscription: Subscription, draft: Draft): Stripe.Invoice {
  const invoice = draftInvoice(tx, {
    ...commonOf(tx, subscription),
    billing_reason: draft.reason,
    lines: draft.lines,
    pending_items: true,
    period: draft.period ?? { start: tx.now, end: tx.now },
    auto_advance: draft.auto_advance ?? true,
  });
  saveSubscription(tx, { ...tx.get("subscription", subscription.id), latest_invoice: invoice.id });
  return invoice;
}

/** What each invoice takes over from its subscription. */
export function commonOf(tx: Transaction, subscription: Subscription) {
  const { discounts, payment_settings: settings, transfer_data: transfer, days_until_due } = subscription;
  const sent = subscription.collection_method === "send_invoice";
  return {
    customer: customerOf(subscription),
    currency: subscription.currency,
    subscription,
    collection_method: subscription.collection_method,
    days_until_due: sent ? days_until_due : null,
    due_date: sent ? tx.now + (days_until_due ?? 0) * DAY : null,
    ...(discounts.length === 0 ? {} : { discounts: discounts.flatMap((discount) => idOf(discount) ?? []) }),
    default_tax_rates: (subscription.default_tax_rates ?? []).map(({ id }) => id),
    default_payment_method: idOf(subscription.default_payment_method),
    default_source: idOf(subscription.default_source),
    application_fee_percent: subscription.application_fee_percent,
    transfer_data: transfer === null ? null : transferTerms(transfer),
    on_behalf_of: idOf(subscription.on_behalf_of),
    description: subscription.invoice_settings.description ?? subscription.description,
    footer: subscription.invoice_settings.footer,
    custom_fields: subscription.invoice_settings.custom_fields,
    payment_settings: {
      default_mandate: null,
      payment_method_options: settings?.payment_method_options ?? null,
      payment_method_types: settings?.payment_method_types ?? null,
    } as Stripe.Invoice.PaymentSettings,
  };
}

function transferTerms({ destination, amount_percent }: Stripe.Subscription.TransferData): TransferTerms {
  return { destination: idOf(destination) ?? "", ...(amount_percent === null ? {} : { amount_percent }) };
}

export interface Collection {
  behavior?: string | undefined;
  off_session?: boolean | undefined;
}

/**
 * Finalizes the draft and tries to collect it as the payment behavior says. Returns the invoice as it is then.
 * @throws StripeFailure 402 for error_if_incomplete: the whole call is undone
 */
export function collect(tx: Transaction, subscription: Subscription, draft: string, by: Collection): Stripe.Invoice {
  if (subscription.collection_method === "send_invoice") return tx.get("invoice", draft);
  const finalized = finalizeInvoice(tx, draft);
  if (finalized.status !== "open" || by.behavior === "default_incomplete") return finalized;
  if (!canPay(tx, subscription)) {
    if (by.behavior === "unpaid") return payInvoice(tx, draft, { attempt: "automatic" });
    throw noPaymentMethod();
  }
  const invoice = payInvoice(tx, draft, { attempt: "automatic", off_session: by.off_session ?? false });
  if (by.behavior === "error_if_incomplete" && invoice.status === "open") throw paymentFailed(tx, draft);
  return invoice;
}

/** Has anything to be charged: its own method, or the customer's. */
export function canPay(tx: Transaction, subscription: Subscription): boolean {
  return (
    subscription.default_payment_method !== null ||
    subscription.default_source !== null ||
    defaultPaymentMethod(tx, customerOf(subscription)) !== null
  );
}

function noPaymentMethod(): StripeFailure {
  const message =
    "This customer has no attached payment source or default payment method. Please consider adding a default payment " +
    "method. For more information, visit " +
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.";
  return invalidRequest(message, { code: "resource_missing" });
}

/** Unlike other declines it leaves nothing behind. */
function paymentFailed(tx: Transaction, invoice: string): StripeFailure {
  const id = paymentIntentOf(tx, invoice);
  const intent = id === null ? undefined : tx.find("payment_intent", id);
  if (intent?.status === "requires_payment_method") {
    const failure = cardErrorOf(intent);
    return new StripeFailure(failure.status, failure.body);
  }
  const message =
    "Payment for this subscription requires additional user action before it can be completed successfully. Payment " +
    "can be completed using the PaymentIntent associated with `subscription.latest_invoice`.";
  return new StripeFailure(402, {
    type: "card_error",
    code: "subscription_payment_intent_requires_action",
    message,
  });
}

/** Prorations become invoice items, which the next invoice of the subscription takes in. */
export function addProrations(tx: Transaction, subscription: Subscription, prorations: readonly Proration[]): void {
  for (const { item, amount, period, description } of prorations) {
    createInvoiceItem(tx, {
      customer: customerOf(subscription),
      subscription: subscription.id,
      subscription_item: item.id,
      currency: subscription.currency,
      amount,
      price: item.price,
      quantity: item.quantity ?? 1,
      description,
      period,
      proration: true,
      discountable: false,
      tax_rates: (item.tax_rates ?? []).map(({ id }) => id),
      metadata: item.metadata,
    });
  }
}

/** Things to be billed once, on the next invoice of the subscription. */
export function addInvoiceItems(
  tx: Transaction,
  subscription: Subscription,
  items: readonly Stripe.SubscriptionCreateParams.AddInvoiceItem[] = [],
): void {
  for (const [
    place,
    { price, price_data, quantity, discounts, tax_rates, metadata, discountable, period },
  ] of items.entries()) {
    if (price === undefined && price_data === undefined) {
      throw invalidRequest("Each of `add_invoice_items` needs a `price` or `price_data`.", {
        param: `add_invoice_items[${place}]`,
        code: "parameter_missing",
      });
    }
    createInvoiceItem(tx, {
      customer: customerOf(subscription),
      subscription: subscription.id,
      ...(price === undefined ? {} : { pricing: { price } }),
      ...(price_data === undefined ? {} : { price_data }),
      ...(quantity === undefined ? {} : { quantity }),
      ...(discounts === undefined ? {} : { discounts }),
      ...(tax_rates === undefined || tax_rates === "" || tax_rates === null ? {} : { tax_rates }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(discountable === undefined ? {} : { discountable }),
      ...(period?.start.timestamp === undefined || period.end.timestamp === undefined
        ? {}
        : { period: { start: period.start.timestamp, end: period.end.timestamp } }),
    });
  }
}

export function hasPendingItems(tx: Transaction, { id }: Subscription): boolean {
  return tx.all("invoiceitem").some((item) => {
    return item.invoice === null && item.parent?.subscription_details?.subscription === id;
  });
}

/** Ended subscriptions collect nothing more by themselves. Their first invoice, never paid, is void. */
export function openInvoicesOf(tx: Transaction, { id }: Subscription): Stripe.Invoice[] {
  return tx.where("invoice", ({ status, parent }) => {
    const of = idOf(parent?.subscription_details?.subscription);
    return of === id && (status === "draft" || status === "open");
  });
}

export function stopCollecting(tx: Transaction, subscription: Subscription): void {
  for (const invoice of openInvoicesOf(tx, subscription)) {
    const stopped = { auto_advance: false, next_payment_attempt: null, automatically_finalizes_at: null };
    tx.change("invoice", { ...invoice, ...stopped }, "invoice.updated");
  }
}

export function customerOf({ customer }: Pick<Subscription, "customer">): string {
  return idOf(customer) ?? "";
}
