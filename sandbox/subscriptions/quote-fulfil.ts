// What an accepted quote becomes: a subscription, the schedule of one that begins later, or an invoice.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { draftInvoice } from "../invoices/invoice.ts";
import { DAY } from "./billing-cycle.ts";
import type { QuoteLine } from "./quote-totals.ts";
import { createSchedule } from "./schedule.ts";
import { createSubscription } from "./subscription.ts";

type Quote = Stripe.Quote;
type Line = QuoteLine & { found: Stripe.Price };

const DEFAULT_DUE_DAYS = 30;

/** A quote's lines are not on the wire: they stand beside it. */
export function keepLines(tx: Transaction, id: string, lines: readonly QuoteLine[]): void {
  tx.put("_extra", { id, object: "quote_lines", created: tx.now, lines });
}

export function linesOf(tx: Transaction, id: string): QuoteLine[] {
  return (tx.find("_extra", id)?.lines ?? []) as QuoteLine[];
}

/** Makes what the quote offers. Returns the quote's fields that name it. */
export function fulfil(tx: Transaction, quote: Quote): Partial<Quote> {
  const lines = linesOf(tx, quote.id).map((line): Line => ({ ...line, found: tx.get("price", line.price) }));
  const recurring = lines.filter(({ found }) => found.recurring !== null);
  if (recurring.length === 0) return { invoice: invoiceFor(tx, quote, lines).id };
  const once = lines.filter(({ found }) => found.recurring === null);
  const { effective_date } = quote.subscription_data;
  if (effective_date !== null && effective_date > tx.now) {
    return { subscription_schedule: scheduleFor(tx, quote, recurring, once, effective_date).id };
  }
  const subscription = subscriptionFor(tx, quote, recurring, once);
  return { subscription: subscription.id, invoice: subscription.latest_invoice };
}

function invoiceFor(tx: Transaction, quote: Quote, lines: readonly Line[]): Stripe.Invoice {
  const period = { start: tx.now, end: tx.now };
  const { amount = null, destination } = quote.transfer_data ?? {};
  const to = idOf(destination);
  return draftInvoice(tx, {
    customer: idOf(quote.customer) ?? "",
    currency: quote.currency ?? "usd",
    billing_reason: "quote_accept",
    quote: quote.id,
    lines: lines.map(({ found, quantity, tax_rates }) => ({ price: found, quantity, period, tax_rates })),
    discounts: quote.discounts.flatMap((discount) => idOf(discount) ?? []),
    default_tax_rates: ratesOf(quote),
    collection_method: quote.collection_method,
    ...(quote.collection_method === "send_invoice" ? { due_date: tx.now + dueDays(quote) * DAY } : {}),
    application_fee_amount: quote.application_fee_amount,
    on_behalf_of: idOf(quote.on_behalf_of),
    transfer_data: to === null ? null : { destination: to, ...(amount === null ? {} : { amount }) },
  });
}

function dueDays({ invoice_settings }: Quote): number {
  return invoice_settings.days_until_due ?? DEFAULT_DUE_DAYS;
}

function ratesOf({ default_tax_rates }: Quote): string[] {
  return (default_tax_rates ?? []).flatMap((rate) => idOf(rate) ?? []);
}

/** What the quote says of a subscription, at once or in a schedule's phase. */
function termsOf(quote: Quote, recurring: readonly Line[], once: readonly Line[]) {
  const { description, metadata } = quote.subscription_data;
  const { amount_percent = null, destination } = quote.transfer_data ?? {};
  const to = idOf(destination);
  const onBehalfOf = idOf(quote.on_behalf_of);
  return {
    items: recurring.map(({ price, quantity, tax_rates }) => ({ price, quantity, tax_rates })),
    add_invoice_items: once.map(({ price, quantity }) => ({ price, quantity })),
    discounts: quote.discounts.map((discount) => ({ discount: idOf(discount) ?? "" })),
    default_tax_rates: ratesOf(quote),
    metadata: metadata ?? {},
    collection_method: quote.collection_method,
    ...(description === null ? {} : { description }),
    ...(quote.application_fee_percent === null ? {} : { application_fee_percent: quote.application_fee_percent }),
    ...(onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf }),
    ...(to === null
      ? {}
      : { transfer_data: { destination: to, ...(amount_percent === null ? {} : { amount_percent }) } }),
  };
}

function scheduleFor(
  tx: Transaction,
  quote: Quote,
  recurring: readonly Line[],
  once: readonly Line[],
  start_date: number,
): Stripe.SubscriptionSchedule {
  const sent = quote.collection_method === "send_invoice";
  const invoice_settings = sent ? { invoice_settings: { days_until_due: dueDays(quote) } } : {};
  const phase = { ...termsOf(quote, recurring, once), ...invoice_settings };
  return createSchedule(tx, { customer: idOf(quote.customer) ?? "", start_date, phases: [phase] });
}

function subscriptionFor(
  tx: Transaction,
  quote: Quote,
  recurring: readonly Line[],
  once: readonly Line[],
): Stripe.Subscription {
  const { trial_period_days } = quote.subscription_data;
  return createSubscription(
    tx,
    {
      ...termsOf(quote, recurring, once),
      customer: idOf(quote.customer) ?? "",
      ...(quote.collection_method === "send_invoice" ? { days_until_due: dueDays(quote) } : {}),
      ...(trial_period_days === null ? {} : { trial_period_days }),
    },
    { deferred: true },
  );
}
