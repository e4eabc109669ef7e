// The tour's billing part: invoices, subscriptions, schedules, quotes and test clocks.
import type Stripe from "stripe";

import { CARD, type Catalogue, USD } from "./sandbox-tour.ts";

const HOUR = 3600;

export async function invoiceTour(
  stripe: Stripe,
  customer: string,
  { once, taxRate, coupon }: Catalogue,
): Promise<void> {
  const item = await stripe.invoiceItems.create({
    customer,
    amount: 2000,
    currency: USD,
    description: "Work",
    tax_rates: [taxRate],
  });
  await stripe.invoiceItems.update(item.id, { description: "More work" });
  await stripe.invoiceItems.retrieve(item.id);
  await stripe.invoiceItems.list({ customer });
  const gone = await stripe.invoiceItems.create({ customer, amount: 1, currency: USD });
  await stripe.invoiceItems.del(gone.id);
  const invoice = await stripe.invoices.create({
    customer,
    pending_invoice_items_behavior: "include",
    discounts: [{ coupon }],
    auto_advance: false,
  });
  await stripe.invoices.update(invoice.id, { description: "For work", metadata: { job: "7" } });
  await stripe.invoices.listLineItems(invoice.id);
  await stripe.invoices.finalizeInvoice(invoice.id);
  await stripe.invoices.pay(invoice.id, { expand: ["payments", "customer"] });
  await stripe.invoices.retrieve(invoice.id, { expand: ["payments.data.payment.payment_intent"] });
  await stripe.invoices.list({ customer, status: "paid" });
  const payments = await stripe.invoicePayments.list({ invoice: invoice.id });
  await stripe.invoicePayments.retrieve(payments.data[0]?.id ?? "");
  const note = await stripe.creditNotes.create({ invoice: invoice.id, amount: 500, refund_amount: 500 });
  await stripe.creditNotes.update(note.id, { memo: "Sorry" });
  await stripe.creditNotes.retrieve(note.id);
  await stripe.creditNotes.listLineItems(note.id);
  await stripe.creditNotes.list({ invoice: invoice.id });
  const sent = await billed(stripe, customer, once);
  await stripe.invoices.sendInvoice(sent);
  await stripe.invoices.voidInvoice(sent);
  const bad = await billed(stripe, customer, once);
  await stripe.invoices.finalizeInvoice(bad);
  const openNote = await stripe.creditNotes.create({ invoice: bad, amount: 100 });
  await stripe.creditNotes.voidCreditNote(openNote.id);
  await stripe.invoices.markUncollectible(bad);
  await stripe.invoices.pay(bad, { paid_out_of_band: true });
  const draft = await billed(stripe, customer, once);
  await stripe.invoices.del(draft);
  await stripe.invoices.createPreview({ customer, invoice_items: [{ amount: 900, currency: USD }] });
}

async function billed(stripe: Stripe, customer: string, price: string): Promise<string> {
  const invoice = await stripe.invoices.create({ customer, collection_method: "send_invoice", days_until_due: 14 });
  await stripe.invoiceItems.create({ customer, invoice: invoice.id, pricing: { price } });
  return invoice.id;
}

export async function subscriptionTour(
  stripe: Stripe,
  customer: string,
  { monthly, dearer, promotion }: Catalogue,
): Promise<void> {
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: monthly, quantity: 2 }],
    discounts: [{ promotion_code: promotion }],
    expand: ["latest_invoice.payments"],
  });
  const item = subscription.items.data[0]?.id ?? "";
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item, price: dearer }],
    proration_behavior: "always_invoice",
  });
  await stripe.subscriptionItems.update(item, { quantity: 3 });
  await stripe.subscriptionItems.retrieve(item);
  await stripe.subscriptionItems.list({ subscription: subscription.id });
  await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: "void" } });
  await stripe.subscriptions.update(subscription.id, { pause_collection: "", cancel_at_period_end: true });
  await stripe.subscriptions.retrieve(subscription.id, { expand: ["customer", "items.data.price.product"] });
  await stripe.subscriptions.list({ customer, status: "all" });
  await stripe.subscriptions.cancel(subscription.id, { cancellation_details: { comment: "Enough" } });
  const trial = await stripe.subscriptions.create({ customer, items: [{ price: monthly }], trial_period_days: 7 });
  await stripe.subscriptions.update(trial.id, { trial_end: "now" });
  await stripe.subscriptions.create({ customer, items: [{ price: monthly }], payment_behavior: "default_incomplete" });
  const quote = await stripe.quotes.create({ customer, line_items: [{ price: monthly, quantity: 1 }] });
  await stripe.quotes.update(quote.id, { description: "An offer" });
  await stripe.quotes.finalizeQuote(quote.id);
  await stripe.quotes.accept(quote.id);
  await stripe.quotes.retrieve(quote.id);
  await stripe.quotes.listLineItems(quote.id);
  const meter = await stripe.billing.meters.create({
    display_name: "Calls",
    event_name: "call",
    default_aggregation: { formula: "sum" },
  });
  await stripe.billing.meters.retrieve(meter.id);
  await stripe.billing.meters.list();
  await stripe.billing.meterEvents.create({
    event_name: "call",
    payload: { stripe_customer_id: customer, value: "3" },
  });
}

export async function scheduleTour(stripe: Stripe, customer: string, { monthly, dearer }: Catalogue): Promise<void> {
  const schedule = await stripe.subscriptionSchedules.create({
    customer,
    start_date: "now",
    phases: [
      { items: [{ price: monthly, quantity: 1 }], duration: { interval: "month", interval_count: 1 } },
      { items: [{ price: dearer, quantity: 1 }], duration: { interval: "month", interval_count: 1 } },
    ],
  });
  await stripe.subscriptionSchedules.update(schedule.id, { metadata: { deal: "1" } });
  await stripe.subscriptionSchedules.retrieve(schedule.id);
  await stripe.subscriptionSchedules.list({ customer });
  await stripe.subscriptionSchedules.release(schedule.id);
}

export async function clockTour(stripe: Stripe, { monthly }: Catalogue): Promise<void> {
  const start = Math.floor(Date.UTC(2026, 0, 31) / 1000);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start, name: "A year" });
  const customer = await stripe.customers.create({
    test_clock: clock.id,
    payment_method: CARD,
    invoice_settings: { default_payment_method: CARD },
  });
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: monthly }], trial_period_days: 10 });
  for (const days of [8, 11, 45]) {
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + days * 24 * HOUR });
    await stripe.testHelpers.testClocks.retrieve(clock.id);
  }
  await stripe.testHelpers.testClocks.list();
  await stripe.testHelpers.testClocks.del(clock.id);
}
