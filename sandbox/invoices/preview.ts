// Invoices that are only looked at: what a change of a subscription would cost, and what its next invoice comes to.
import type Stripe from "stripe";
import { invalidRequest, type StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { cancelSubscription, createSubscription, updateSubscription } from "../subscriptions/subscription.ts";
import { commonOf } from "../subscriptions/subscription-invoice.ts";
import { cycleAt } from "../subscriptions/billing-cycle.ts";
import { recurrenceOf } from "../subscriptions/subscription-item.ts";
import { wordOf } from "../subscriptions/subscription-pause.ts";
import { openingLines, usageLines } from "../subscriptions/subscription-lines.ts";
import { discountsFrom } from "./discounts.ts";
import { composeInvoice, customerOf, DRAFT_SECONDS, type DraftInvoice, pendingItems } from "./draft.ts";
import { createInvoiceItem, deleteInvoiceItem, type ItemInput, updateInvoiceItem } from "./invoice-item.ts";
import { lookAt } from "./look.ts";

type Params = Stripe.InvoiceCreatePreviewParams;

/** The invoice that the change would make, or the next one of the subscription. */
export function createPreview(world: Transaction, params: Params): Stripe.Invoice {
  const of = params.subscription ?? subscriptionOfSchedule(world, params.schedule);
  const subscription = of === undefined ? undefined : world.get("subscription", of, "subscription");
  const customer = params.customer ?? idOf(subscription?.customer);
  if (customer === null) {
    throw invalidRequest("You must specify one of `customer`, `subscription` or `schedule` to preview an invoice.", {
      param: "customer",
      code: "parameter_missing",
    });
  }
  customerOf(world, customer);
  const tx = world.atTimeOf(customer);
  return lookAt(tx, (inner) => {
    addItems(inner, customer, params, subscription);
    const invoice =
      subscription === undefined
        ? newOrManual(inner, customer, params)
        : changedSubscription(inner, subscription, params);
    return asPreview(invoice);
  });
}

function subscriptionOfSchedule(tx: Transaction, id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  return idOf(tx.get("subscription_schedule", id, "schedule").subscription) ?? undefined;
}

/** The items that the look supposes: new ones, or others in place of those there are. */
function addItems(
  tx: Transaction,
  customer: string,
  { invoice_items = [], currency }: Params,
  subscription: Stripe.Subscription | undefined,
): void {
  for (const { invoiceitem, ...wanted } of invoice_items) {
    const rates = wanted.tax_rates === undefined || wanted.tax_rates === "" ? [] : wanted.tax_rates;
    const input = { ...wanted, tax_rates: rates } as unknown as ItemInput;
    const known = currency ?? subscription?.currency;
    if (invoiceitem === undefined)
      createInvoiceItem(tx, { ...(known === undefined ? {} : { currency: known }), ...input, customer });
    else if (Object.keys(wanted).length === 0) deleteInvoiceItem(tx, invoiceitem);
    else updateInvoiceItem(tx, invoiceitem, input);
  }
}

function newOrManual(tx: Transaction, customer: string, params: Params): Stripe.Invoice {
  const { items, ...details } = params.subscription_details ?? {};
  if (items !== undefined && items.length > 0) {
    const { trial_end, default_tax_rates, billing_cycle_anchor: _anchor, ...rest } = details;
    const created = createSubscription(tx, {
      ...(rest as Stripe.SubscriptionCreateParams),
      customer,
      items: items as unknown as Stripe.SubscriptionCreateParams.Item[],
      payment_behavior: "default_incomplete",
      ...(trial_end === undefined ? {} : { trial_end }),
      ...(default_tax_rates === undefined ? {} : { default_tax_rates }),
      ...(params.discounts === undefined ? {} : { discounts: params.discounts }),
    });
    return tx.get("invoice", idOf(created.latest_invoice) ?? "");
  }
  const owner = customerOf(tx, customer);
  const currency = params.currency ?? owner.currency ?? "usd";
  const input: DraftInvoice = {
    ...looked(tx, params, customer),
    customer,
    currency,
    billing_reason: "upcoming",
    pending_items: true,
  };
  if (pendingItems(tx, input).length === 0) throw nothingUpcoming(customer);
  return composeInvoice(tx, input, tx.newId("invoice")).draft;
}

function nothingUpcoming(customer: string): StripeFailure {
  return invalidRequest(`No upcoming invoices for customer: ${customer}`, {
    code: "invoice_upcoming_none",
    status: 404,
  });
}

function looked(tx: Transaction, params: Params, customer: string): Partial<DraftInvoice> {
  if (params.discounts === undefined) return {};
  return { discounts: discountsFrom(tx, params.discounts, { customer }) };
}

/** With `always_invoice` the invoice that the change makes at once; else the next one, with its prorations. */
function changedSubscription(tx: Transaction, subscription: Stripe.Subscription, params: Params): Stripe.Invoice {
  const { cancel_now, billing_cycle_anchor, ...details } = params.subscription_details ?? {};
  const id = subscription.id;
  const latest = idOf(subscription.latest_invoice);
  if (cancel_now === true) {
    const prorate = details.proration_behavior !== "none";
    cancelSubscription(tx, id, { invoice_now: true, prorate });
  } else if (Object.keys(details).length > 0 || billing_cycle_anchor !== undefined) {
    const anchor = wordOf(billing_cycle_anchor) === "now" ? { billing_cycle_anchor: "now" as const } : {};
    updateSubscription(tx, id, { ...details, ...anchor } as Stripe.SubscriptionUpdateParams);
  }
  const after = tx.get("subscription", id);
  const made = idOf(after.latest_invoice);
  if (made !== null && made !== latest) return tx.get("invoice", made);
  if (after.status === "canceled") throw nothingUpcoming(idOf(subscription.customer) ?? "");
  const customer = idOf(after.customer) ?? "";
  return composeUpcoming(tx, after, looked(tx, params, customer), params.preview_mode === "recurring");
}

/** The invoice that the subscription's next renewal will make. Nothing is kept, and it has an id that names nothing. */
export function upcomingInvoice(world: Transaction, subscription: Stripe.Subscription): Stripe.Invoice {
  const tx = world.atTimeOf(subscription.customer);
  return lookAt(tx, (inner) => asPreview(composeUpcoming(inner, subscription, {}, false)));
}

function composeUpcoming(
  tx: Transaction,
  subscription: Stripe.Subscription,
  more: Partial<DraftInvoice>,
  isRecurring: boolean,
): Stripe.Invoice {
  const items = subscription.items.data;
  const end = Math.min(...items.map(({ current_period_end }) => current_period_end));
  const start = Math.min(...items.map(({ current_period_start }) => current_period_start));
  const ends = subscription.cancel_at_period_end || (subscription.cancel_at !== null && subscription.cancel_at <= end);
  const next = items
    .filter(({ current_period_end }) => current_period_end === end)
    .map((item) => {
      const { start: from, end: to } = cycleAt(subscription.billing_cycle_anchor, recurrenceOf(item.price), end);
      return { ...item, current_period_start: from, current_period_end: to };
    });
  const used = usageLines(
    tx,
    subscription,
    items.filter((item) => item.current_period_end === end),
  );
  const lines = ends ? used : [...used, ...openingLines(tx, subscription, next)];
  const input: DraftInvoice = {
    ...commonOf(tx.at(end), subscription),
    billing_reason: "upcoming",
    lines,
    pending_items: !isRecurring,
    period: { start, end },
    ...more,
  };
  if (lines.length === 0 && pendingItems(tx, input).length === 0)
    throw nothingUpcoming(idOf(subscription.customer) ?? "");
  return composeInvoice(tx.at(end), input, tx.newId("invoice")).draft;
}

/** As Stripe shows it: a draft that never was. */
function asPreview(invoice: Stripe.Invoice): Stripe.Invoice {
  return {
    ...invoice,
    id: `upcoming_${invoice.id}`,
    amount_paid: 0,
    amount_remaining: invoice.amount_due,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatically_finalizes_at: null,
    billing_reason: "upcoming",
    effective_at: null,
    ending_balance: 0,
    hosted_invoice_url: null,
    invoice_pdf: null,
    next_payment_attempt: invoice.collection_method === "charge_automatically" ? invoice.created + DRAFT_SECONDS : null,
    number: null,
    status: "draft",
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    webhooks_delivered_at: null,
  };
}
