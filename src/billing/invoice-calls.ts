// What the making of a connected-account invoice asks of Stripe: each POST under a key made of our own row's id.
import { type ConnectedInvoice, type InvoiceItem, RECORD_FIELD } from "../connections/connected-invoice.ts";
import type { FetchedObject } from "../inbox/observe.ts";
import type { StripeAccess, StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { RequestOptions, StripeClient } from "../stripe/client.ts";
import type { StripeObject } from "../stripe/envelope.ts";

export type StripeInvoice = Awaited<ReturnType<StripeClient["invoices"]["retrieve"]>>;
type StripeCustomer = Awaited<ReturnType<StripeClient["customers"]["create"]>>;

/** In an invoice item's metadata: its place, so that a look at the draft tells what is missing. */
const ITEM_FIELD = "billhook_item";

type Owner = Pick<ConnectedInvoice, "id" | "livemode" | "account" | "keyRound">;
type Ask<T> = (client: StripeClient, options: RequestOptions) => Promise<T>;
type Patience = "request" | "background";

/** Stripe's parameters by our own fields' paths. */
const FIELDS = {
  email: "customer_email",
  name: "customer_name",
  currency: "currency",
  description: "memo",
  days_until_due: "days_until_due",
  application_fee_amount: "application_fee_percent",
};

function post<T>(
  stripe: StripeAccess,
  { id, livemode, account, keyRound }: Owner,
  step: string,
  patience: Patience,
  ask: Ask<T>,
): Promise<StripeAnswer<T>> {
  const idempotencyKey = `${id}:${step}:${String(keyRound)}`;
  return stripe.call({ livemode, account, idempotencyKey, fields: FIELDS, patience }, ask);
}

export function createCustomer(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  patience: Patience,
): Promise<StripeAnswer<StripeCustomer>> {
  const { customerEmail: email, customerName: name } = invoice;
  const parameters = { ...(email === null ? {} : { email }), ...(name === null ? {} : { name }) };
  return post(stripe, invoice, "customer", patience, (client, options) => client.customers.create(parameters, options));
}

/** A draft, on which nothing of the customer's that waits is taken in, and which Stripe does not send by itself. */
export function createDraft(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  customer: string,
  patience: Patience,
): Promise<StripeAnswer<StripeInvoice>> {
  const { applicationFeeAmount: fee, memo } = invoice;
  const parameters = {
    customer,
    currency: invoice.currency,
    collection_method: "send_invoice",
    days_until_due: invoice.daysUntilDue ?? 30,
    pending_invoice_items_behavior: "exclude",
    auto_advance: false,
    metadata: { ...invoice.metadata, [RECORD_FIELD]: invoice.id },
    ...(memo === null ? {} : { description: memo }),
    ...(fee === null || fee === 0 ? {} : { application_fee_amount: fee }),
  } as const;
  // The customer is part of the key: only a refusal for its sake lets another one take its place.
  return post(stripe, invoice, `invoice:${customer}`, patience, (client, options) =>
    client.invoices.create(parameters, options),
  );
}

export async function addItem(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  { customer, draft, index, item }: { customer: string; draft: string; index: number; item: InvoiceItem },
  patience: Patience,
): Promise<void> {
  const { currency } = invoice;
  await post(stripe, invoice, `item:${String(index)}`, patience, (client, options) =>
    client.invoiceItems.create(
      {
        customer,
        invoice: draft,
        currency,
        description: item.description ?? "",
        unit_amount_decimal: client.Decimal.from(item.amount),
        quantity: item.quantity,
        metadata: { [ITEM_FIELD]: String(index) },
      },
      options,
    ),
  );
}

export function finalizeInvoice(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  draft: string,
  patience: Patience,
): Promise<StripeAnswer<StripeInvoice>> {
  return post(stripe, invoice, "finalize", patience, (client, options) =>
    client.invoices.finalizeInvoice(draft, { auto_advance: false }, options),
  );
}

/** @param occasion tells one sending from another: the first, or a request that asks for it again */
export function sendInvoice(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  { stripeInvoiceId, occasion }: { stripeInvoiceId: string; occasion: string },
  patience: Patience,
): Promise<StripeAnswer<StripeInvoice>> {
  return post(stripe, invoice, `send:${occasion}`, patience, (client, options) =>
    client.invoices.sendInvoice(stripeInvoiceId, {}, options),
  );
}

export function voidInvoice(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  { stripeInvoiceId, occasion }: { stripeInvoiceId: string; occasion: string },
): Promise<StripeAnswer<StripeInvoice>> {
  return post(stripe, invoice, `void:${occasion}`, "request", (client, options) =>
    client.invoices.voidInvoice(stripeInvoiceId, {}, options),
  );
}

/** undefined: there is none. */
export async function retrieveInvoice(
  stripe: StripeAccess,
  { livemode, account }: Owner,
  stripeInvoiceId: string,
  patience: Patience,
): Promise<StripeAnswer<StripeInvoice> | undefined> {
  try {
    return await stripe.call({ livemode, account, patience }, (client, options) =>
      client.invoices.retrieve(stripeInvoiceId, {}, options),
    );
  } catch (error) {
    if (error instanceof StripeCallError && error.stripeStatus === 404) return undefined;
    throw error;
  }
}

/** Lists, unlike searches, show what was made a moment ago. */
const PAGE = 100;
/** Our clock and Stripe's may differ by so many seconds. */
const SKEW = 3_600;

/** The invoice of this record, by its id or among the customer's: what a call made whose answer was lost. */
export async function lookUpInvoice(
  stripe: StripeAccess,
  invoice: ConnectedInvoice,
  patience: Patience,
): Promise<StripeAnswer<StripeInvoice> | undefined> {
  const { id, livemode, account, stripeInvoiceId, stripeCustomerId: customer } = invoice;
  if (stripeInvoiceId !== null) return retrieveInvoice(stripe, invoice, stripeInvoiceId, patience);
  // Without a customer none was asked for.
  if (customer === null) return undefined;
  const created = { gte: Math.floor(invoice.createdAt.getTime() / 1000) - SKEW };
  let after: string | undefined;
  for (;;) {
    const from = after === undefined ? {} : { starting_after: after };
    const page = await stripe.call({ livemode, account, patience }, (client, options) =>
      client.invoices.list({ customer, created, limit: PAGE, ...from }, options),
    );
    const found = page.value.data.find((one) => one.metadata?.[RECORD_FIELD] === id);
    // Asked for by its id once more, as an answer of its own.
    if (found?.id !== undefined) return retrieveInvoice(stripe, invoice, found.id, patience);
    after = page.value.data.at(-1)?.id;
    if (!page.value.has_more || after === undefined) return undefined;
  }
}

/** How many of the items, the first ones, are on the draft. */
export async function countItems(
  stripe: StripeAccess,
  { livemode, account }: Owner,
  draft: string,
  patience: Patience,
): Promise<number> {
  const { value } = await stripe.call({ livemode, account, patience }, (client, options) =>
    client.invoiceItems.list({ invoice: draft, limit: PAGE }, options),
  );
  const places = new Set(value.data.map(({ metadata }) => metadata?.[ITEM_FIELD]));
  let count = 0;
  while (places.has(String(count))) count += 1;
  return count;
}

/** Its items go first: Stripe would keep them for the customer's next invoice. */
export async function deleteDraft(
  stripe: StripeAccess,
  { livemode, account }: Owner,
  draft: string,
  patience: Patience,
): Promise<void> {
  const target = { livemode, account, patience };
  const { value } = await stripe.call(target, (client, options) =>
    client.invoiceItems.list({ invoice: draft, limit: PAGE }, options),
  );
  for (const { id } of value.data) {
    await unlessGone(stripe.call(target, (client, options) => client.invoiceItems.del(id, {}, options)));
  }
  await unlessGone(stripe.call(target, (client, options) => client.invoices.del(draft, {}, options)));
}

async function unlessGone(deleting: Promise<unknown>): Promise<void> {
  try {
    await deleting;
  } catch (error) {
    if (!(error instanceof StripeCallError) || error.stripeStatus !== 404) throw error;
  }
}

/** The answer as an observation: what it says reaches our rows by the same way as Stripe's events. */
export function observationOf(
  { livemode, account }: Owner,
  { value, asOf, apiVersion, replayedAt }: StripeAnswer<StripeInvoice | StripeCustomer>,
): FetchedObject {
  return { livemode, account, object: value as unknown as StripeObject, asOf, apiVersion, replayedAt };
}
