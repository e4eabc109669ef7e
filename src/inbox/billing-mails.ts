// Which mails follow from what a batch has learned: queued in its commit, once for each cause, checked again when they are sent.
//
// People hear from the platform about what they have there. A tenant's customers hear from their tenant, whom our events
// tell; of its own invoices being paid the tenant's owners are told.
import type { AccountKey } from "../accounts/account-table.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { Money } from "../mail/mail-fields.ts";
import { isOneAddress, queueMail } from "../mail/queue-mail.ts";
import type { StoredFact } from "../outbox/event-table.ts";
import { cardExpires, invoiceUnpaid, trialEnds } from "./mail-checks.ts";

export interface BillingMails {
  /** Where the buttons lead. */
  frontendUrl: string;
  /** Whether failed payments are mailed: Stripe may do so itself. */
  paymentFailed: boolean;
}

export interface Bought extends AccountKey {
  purchaseId: string;
}

/** A replay or an import learns what happened long ago: nobody is told of that any more. */
const FRESH = "interval '1 day'";

/** Behind the statements that write the rows of these facts and purchases. */
export async function queueBillingMails(
  tx: Queryable,
  mails: BillingMails,
  { facts, bought }: { facts: readonly StoredFact[]; bought: readonly Bought[] },
): Promise<void> {
  await queueCreditsAdded(tx, mails, bought);
  const of = (type: string): StoredFact[] => facts.filter((fact) => fact.type === type);
  await queueTrialEnding(tx, mails, of("subscription.trial_will_end"));
  if (mails.paymentFailed) await queuePaymentFailed(tx, mails, of("invoice.payment_failed"));
  await queueCardExpiring(tx, mails, of("payment_method.expiring"));
  await queueInvoicePaid(
    tx,
    mails,
    of("invoice.paid").filter(({ stripeAccount }) => stripeAccount !== ""),
  );
}

interface Recipient {
  email: string;
  name: string | null;
}

const named = (name: string | null): { name?: string } => (name === null || name.trim() === "" ? {} : { name });

/** For whoever settles purchases outside a batch, too. */
export async function queueCreditsAdded(
  tx: Queryable,
  { frontendUrl }: Pick<BillingMails, "frontendUrl">,
  bought: readonly Bought[],
): Promise<void> {
  if (bought.length === 0) return;
  const values = [
    textArray(bought.map(({ tenantId }) => tenantId)),
    booleanArray(bought.map(({ livemode }) => livemode)),
    textArray(bought.map(({ purchaseId }) => purchaseId)),
  ];
  const { rows } = await tx.query<
    Recipient & { id: string; tenantId: string; credits: number; balance: number; pack: string | null } & Money
  >({ text: CREDITS_ADDED, values });
  for (const { id, tenantId, email, name, credits, balance, amount, currency, pack } of rows) {
    if (!isOneAddress(email)) continue;
    const fields = {
      ...{ link: `${frontendUrl}/dashboard/credits`, credits, balance, amount: { amount, currency } },
      ...{ ...named(name), ...(pack === null ? {} : { pack }) },
    };
    await queueMail(tx, { tenantId, cause: `credits_added:${id}`, to: email, template: "credits_added", fields });
  }
}

interface FactRow extends Recipient {
  tenantId: string;
  livemode: boolean;
  account: string;
  id: string;
  naturalKey: string;
}

async function rowsOf<Row extends FactRow>(tx: Queryable, text: string, facts: readonly StoredFact[]): Promise<Row[]> {
  if (facts.length === 0) return [];
  const values = [
    textArray(facts.map(({ tenantId }) => tenantId)),
    booleanArray(facts.map(({ livemode }) => livemode)),
    textArray(facts.map(({ type }) => type)),
    textArray(facts.map(({ naturalKey }) => naturalKey)),
  ];
  return (await tx.query<Row>({ text, values })).rows.filter(({ email }) => isOneAddress(email));
}

async function queueTrialEnding(
  tx: Queryable,
  { frontendUrl }: BillingMails,
  facts: readonly StoredFact[],
): Promise<void> {
  type Row = FactRow & { ends: number; plan: string | null; amount: number | null; currency: string | null };
  for (const row of await rowsOf<Row>(tx, TRIAL_ENDING, facts)) {
    const { tenantId, livemode, account, id, email, ends, plan, amount, currency } = row;
    const fields = {
      ...{ link: `${frontendUrl}/dashboard/subscription`, ends, ...named(row.name) },
      ...(plan === null ? {} : { plan }),
      ...(amount === null || currency === null ? {} : { amount: { amount, currency } }),
    };
    const check = trialEnds({ livemode, account, id, ends });
    const cause = `trial_ending:${id}:${String(ends)}`;
    await queueMail(tx, { tenantId, cause, to: email, template: "trial_ending", fields, check });
  }
}

async function queuePaymentFailed(
  tx: Queryable,
  { frontendUrl }: BillingMails,
  facts: readonly StoredFact[],
): Promise<void> {
  type Row = FactRow & Money & { url: string | null; reason: string | null; next: number | null };
  for (const row of await rowsOf<Row>(tx, PAYMENT_FAILED, facts)) {
    const { tenantId, livemode, account, id, email, amount, currency, reason, next } = row;
    const fields = {
      ...{ link: row.url ?? `${frontendUrl}/dashboard/invoices`, amount: { amount, currency }, ...named(row.name) },
      ...(reason === null ? {} : { reason }),
      ...(next === null ? {} : { next_attempt: next }),
    };
    const check = invoiceUnpaid({ livemode, account, id });
    const cause = `payment_failed:${row.naturalKey}`;
    await queueMail(tx, { tenantId, cause, to: email, template: "payment_failed", fields, check });
  }
}

/** Of a card that is charged by default. Also asked by the daily look. */
export async function queueCardExpiring(
  tx: Queryable,
  { frontendUrl }: BillingMails,
  facts: readonly StoredFact[],
): Promise<void> {
  type Row = FactRow & { brand: string | null; last4: string | null; month: number; year: number };
  for (const row of await rowsOf<Row>(tx, CARD_EXPIRING, facts)) {
    const { tenantId, livemode, account, id, email, month, year } = row;
    const brand = /^[\w /-]{1,40}$/.test(row.brand ?? "") ? (row.brand ?? "") : "Card";
    const fields = {
      ...{ link: `${frontendUrl}/dashboard/payment-method`, ...named(row.name) },
      brand: brand.charAt(0).toUpperCase() + brand.slice(1),
      last4: /^\w{1,10}$/.test(row.last4 ?? "") ? (row.last4 ?? "") : "----",
      expires: `${String(month).padStart(2, "0")}/${String(year)}`,
    };
    const check = cardExpires({ livemode, account, id, month, year });
    const cause = `card_expiring:${row.naturalKey}`;
    await queueMail(tx, { tenantId, cause, to: email, template: "card_expiring", fields, check });
  }
}

async function queueInvoicePaid(
  tx: Queryable,
  { frontendUrl }: BillingMails,
  facts: readonly StoredFact[],
): Promise<void> {
  type Row = FactRow & Money & { personId: string; customer: string | null; number: string | null; fee: number | null };
  for (const row of await rowsOf<Row>(tx, INVOICE_PAID, facts)) {
    const { tenantId, id, email, amount, currency, customer, number, fee } = row;
    const fields = {
      link: `${frontendUrl}/tenant/invoices/${id}`,
      amount: { amount, currency },
      customer: customer ?? "A customer",
      ...(number === null ? {} : { number }),
      ...(fee === null || fee === 0 ? {} : { fee: { amount: fee, currency } }),
    };
    const cause = `connected_invoice_paid:${id}:${row.personId}`;
    await queueMail(tx, { tenantId, cause, to: email, template: "connected_invoice_paid", fields });
  }
}

const CREDITS_ADDED = `
  select purchase.id, purchase.tenant_id as "tenantId", account.email, account.name, purchase.credits, purchase.amount,
         purchase.currency, pack.name as pack, stored.balance
  from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, id)
  join credit_purchases as purchase using (tenant_id, livemode, id)
  join tenants as tenant on tenant.id = purchase.tenant_id and tenant.platform
  join accounts as account
    on account.tenant_id = purchase.tenant_id and account.livemode = purchase.livemode and account.id = purchase.account_id
  join credit_balances as stored
    on stored.tenant_id = account.tenant_id and stored.livemode = account.livemode and stored.account_id = account.id
  left join credit_packs as pack
    on pack.tenant_id = purchase.tenant_id and pack.livemode = purchase.livemode and pack.id = purchase.pack_id
  where account.email is not null and purchase.created_at > now() - interval '30 days'
  order by purchase.id`;

const FACT = `
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[]) as wanted (tenant_id, livemode, type, natural_key)
  join facts as fact using (tenant_id, livemode, type, natural_key)`;

const KEY = `
  fact.tenant_id as "tenantId", fact.livemode, fact.stripe_account as account, fact.natural_key as "naturalKey"`;

const OBJECT = (alias: string): string => `
    on ${alias}.livemode = fact.livemode and ${alias}.stripe_account = fact.stripe_account and ${alias}.id = fact.object_id
   and ${alias}.tenant_id = fact.tenant_id and not ${alias}.deleted`;

const ACCOUNT = (alias: string): string => `
  join tenants as tenant on tenant.id = fact.tenant_id and tenant.platform
  join accounts as account
    on account.tenant_id = fact.tenant_id and account.livemode = fact.livemode
   and account.stripe_customer_id = ${alias}.customer_id and account.stripe_customer_account = fact.stripe_account
   and account.email is not null`;

const TRIAL_ENDING = `
  select ${KEY}, account.email, account.name, subscription.id,
         extract(epoch from subscription.trial_end)::bigint as ends, plan.name as plan,
         price.amount * coalesce(subscription.quantity, 1) as amount, price.currency
  ${FACT} join subscriptions as subscription ${OBJECT("subscription")} ${ACCOUNT("subscription")}
  left join offer_prices as price
    on price.tenant_id = fact.tenant_id and price.livemode = fact.livemode and price.stripe_account = fact.stripe_account
   and price.stripe_price_id = subscription.price_id
  left join plans as plan
    on plan.tenant_id = price.tenant_id and plan.livemode = price.livemode and plan.id = price.offer_id
  where fact.occurred_at > now() - ${FRESH} and subscription.status = 'trialing' and subscription.trial_end > now()`;

const NAMED = `
  select intent.* from payment_intents as intent
  where intent.livemode = invoice.livemode and intent.stripe_account = invoice.stripe_account and not intent.deleted`;

// An invoice names its payment in old shapes; in new ones its payments do, where they are known, or the payment names it.
const PAYMENT_FAILED = `
  select ${KEY}, account.email, account.name, invoice.id, invoice.amount_due as amount, invoice.currency,
         invoice.hosted_invoice_url as url, extract(epoch from invoice.next_payment_attempt)::bigint as next,
         payment.last_payment_error_message as reason
  ${FACT} join invoices as invoice ${OBJECT("invoice")} ${ACCOUNT("invoice")}
  left join lateral (
    select intent.last_payment_error_message
    from (${NAMED} and intent.id = invoice.payment_intent_id
          union all
          select intent.* from invoice_payments as paid cross join lateral (${NAMED} and intent.id = paid.payment_intent_id) as intent
          where paid.livemode = invoice.livemode and paid.stripe_account = invoice.stripe_account and paid.invoice_id = invoice.id
          union all ${NAMED} and intent.customer_id = invoice.customer_id and intent.invoice_id = invoice.id) as intent
    where intent.last_payment_error_message is not null
    order by intent.head_created desc, intent.id desc limit 1) as payment on true
  where fact.occurred_at > now() - ${FRESH} and invoice.status = 'open' and invoice.amount_due > 0`;

// The month is over on its last day; a renewed card has another one.
const CARD_EXPIRING = `
  select ${KEY}, account.email, account.name, card.id, card.brand, card.last4, card.exp_month::int as month,
         card.exp_year::int as year
  ${FACT}
  join (
    select livemode, stripe_account, id, tenant_id, deleted, customer_id, brand, last4, exp_month, exp_year from payment_methods
    union all
    select livemode, stripe_account, id, tenant_id, deleted, customer_id, brand, last4, exp_month, exp_year from sources) as card
  ${OBJECT("card")} ${ACCOUNT("card")} and account.default_payment_method_id = card.id
  where fact.occurred_at > now() - ${FRESH} and card.exp_month between 1 and 12
    and fact.natural_key = card.id || ':' || card.exp_year || ':' || card.exp_month`;

const INVOICE_PAID = `
  select ${KEY}, person.email, null as name, person.id as "personId", invoice.id, invoice.total as amount, invoice.currency,
         coalesce(invoice.customer_name, invoice.customer_email) as customer, invoice.number,
         invoice.application_fee_amount as fee
  ${FACT}
  join connected_invoices as invoice
    on invoice.tenant_id = fact.tenant_id and invoice.livemode = fact.livemode and invoice.stripe_account = fact.stripe_account
   and invoice.stripe_invoice_id = fact.object_id and invoice.origin = 'billhook' and invoice.status = 'paid'
  join memberships as membership on membership.tenant_id = fact.tenant_id and membership.role = 'owner'
  join people as person on person.id = membership.person_id
  where fact.occurred_at > now() - ${FRESH}
  order by invoice.id, person.id`;
