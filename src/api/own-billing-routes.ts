// Routes of a customer's own billing: the account, what can be bought, buying it, and what was bought and used.
import { z } from "zod";

import { readAccount } from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import { startCreditCheckout } from "../billing/credit-checkout.ts";
import { type OwnInvoice, type OwnSubscription, readOwnInvoices, readOwnSubscription } from "../billing/own-billing.ts";
import { readBalances, readEntries } from "../credits/ledger-reads.ts";
import { activePacks } from "../credits/pack-table.ts";
import { readPurchases, type ShownPurchase } from "../credits/purchase-reads.ts";
import { ownId, pageOfAll } from "../inbox/list-query.ts";
import { readTenants } from "../tenants/tenant-table.ts";
import { DefaultPaymentMethod, viewOfMethod } from "./account-admin-routes.ts";
import { accountOf } from "./account-caller.ts";
import { scopeOf } from "./caller.ts";
import { CreditEntry, viewOfEntry } from "./credit-routes.ts";
import { ACCOUNT_STATUSES } from "./people-fields.ts";
import { id, isoTime, listOf, longPageFields, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Own billing";

export const Subscription = z.strictObject({
  id: z.string(),
  status: z.string().nullable(),
  price_id: z.string().nullable(),
  quantity: z.int().nullable(),
  current_period_end: isoTime.nullable(),
  trial_end: isoTime.nullable(),
  cancel_at: isoTime.nullable().meta({ description: "When it ends, if it was canceled." }),
});

const OwnAccount = z
  .strictObject({
    id: z.string(),
    livemode: z.boolean(),
    email: z.string().nullable(),
    name: z.string().nullable(),
    credit_balance: z.int().meta({ description: "Below zero after a refund or dispute of credits that were spent." }),
    is_trial_user: z.boolean(),
    status: z.enum(ACCOUNT_STATUSES),
    period_end: isoTime.nullable(),
    trial_end: isoTime.nullable(),
    subscription: Subscription.nullable(),
    default_payment_method: DefaultPaymentMethod.nullable(),
    tenant: z.strictObject({ id: z.string(), company_name: z.string() }),
    created_at: isoTime,
  })
  .meta({ id: "OwnAccount" });

export const readOwnBilling = operation({
  tag: TAG,
  answers: { 200: OwnAccount },
  run: async (call) => {
    const { accountId, ...mode } = await accountOf(call, "read");
    return scopeOf(call).transaction(async (tx) => {
      const account = await readAccount(tx, mode, accountId);
      if (account === undefined) throw publicError("not_found");
      const subscription = await readOwnSubscription(tx, mode, account);
      const balances = await readBalances(tx, mode, [accountId]);
      const [tenant] = await readTenants(tx, [mode.tenantId]);
      const { livemode, name, isTrialUser, status, paymentMethod } = account;
      return {
        ...{ id: accountId, livemode, email: account.email, name },
        credit_balance: balances.get(accountId)?.balance ?? 0,
        ...{ is_trial_user: isTrialUser, status },
        period_end: account.periodEnd?.toISOString() ?? null,
        trial_end: account.trialEnd?.toISOString() ?? null,
        subscription: subscription === undefined ? null : viewOfSubscription(subscription),
        default_payment_method: viewOfMethod(paymentMethod),
        tenant: { id: mode.tenantId, company_name: tenant?.companyName ?? "" },
        created_at: account.createdAt.toISOString(),
      };
    });
  },
});

export function viewOfSubscription(found: OwnSubscription): z.output<typeof Subscription> {
  const { id: stripeId, status, quantity } = found;
  return {
    ...{ id: stripeId, status, price_id: found.priceId, quantity },
    current_period_end: found.currentPeriodEnd?.toISOString() ?? null,
    trial_end: found.trialEnd?.toISOString() ?? null,
    cancel_at: found.cancelAt?.toISOString() ?? null,
  };
}

const SoldPack = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    credits: z.int(),
    amount: z.int().meta({ description: "Minor units, for one pack." }),
    currency: z.string(),
    price_id: z.string(),
  })
  .meta({ id: "SoldPack" });

/** Everything that is sold, the cheapest first. */
export const listOwnPacks = operation({
  tag: TAG,
  query: z.strictObject(longPageFields),
  answers: { 200: listOf(SoldPack) },
  run: async (call) => {
    const { tenantId, livemode } = await accountOf(call, "read");
    const packs = await activePacks(scopeOf(call), { tenantId, livemode });
    return pageOfAll(packs, call.query, {
      item: ({ id: packId, name, credits, amount, currency, priceId }) => {
        return { id: packId, name, credits, amount, currency, price_id: priceId };
      },
      place: ({ amount, credits, id: packId }) => [amount, credits, packId],
      parts: ["integer", "integer", ownId("pack")],
    });
  },
});

const MOST_PACKS = 10_000;

export const purchaseCredits = operation({
  tag: TAG,
  body: z.strictObject({
    price_id: id.meta({ description: "Of an active pack: see `GET /account/credit-packs/`." }),
    quantity: z.int().min(1).max(MOST_PACKS).default(1).meta({ description: "How many packs." }),
  }),
  idempotent: true,
  answers: {
    201: z
      .strictObject({
        checkout_url: z.string().nullable().meta({
          description: "Stripe's page, for the buyer's browser. Null when this request was repeated and it has ended.",
        }),
        session_id: z.string(),
        status_url: z.string().meta({ description: "How the payment stands: whoever has it may ask, for a day." }),
      })
      .meta({ id: "StartedCheckout" }),
  },
  run: async (call) => {
    const { accountId, livemode } = await accountOf(call, "purchase");
    const { price_id: priceId, quantity } = call.body;
    const wanted = { livemode, accountId, priceId, quantity, requestKey: call.idempotencyKey };
    const { checkoutUrl, sessionId, statusUrl } = await startCreditCheckout(call.deps, scopeOf(call), wanted);
    call.reply.status(201);
    return { checkout_url: checkoutUrl, session_id: sessionId, status_url: statusUrl };
  },
});

export const STATES = ["pending", "paid", "canceled"] as const;

export const Purchase = z
  .strictObject({
    id: z.string(),
    status: z.enum(STATES).meta({ description: "`canceled`: nobody can pay it any more." }),
    credit_pack: z.strictObject({ id: z.string(), name: z.string().nullable() }).nullable(),
    quantity: z.int(),
    credits: z.int().meta({ description: "Of all packs together." }),
    credits_taken_back: z.int().meta({ description: "For refunds and disputes." }),
    amount: z.int().meta({ description: "Minor units, before discounts and tax." }),
    currency: z.string(),
    price_id: z.string().nullable(),
    session_id: z.string().nullable(),
    payment_intent_id: z.string().nullable(),
    expires_at: isoTime.nullable().meta({ description: "When its credits expire." }),
    created_at: isoTime,
  })
  .meta({ id: "CreditPurchase" });

export const listOwnPurchases = operation({
  tag: TAG,
  query: z.strictObject({ status: z.enum(STATES).optional(), ...pageFields }),
  answers: { 200: listOf(Purchase) },
  run: async (call) => {
    const { status: state, ...page } = call.query;
    const account = await accountOf(call, "read");
    const { items, next_cursor } = await readPurchases(scopeOf(call), account, { ...page, state });
    return { data: items.map(viewOfPurchase), has_more: next_cursor !== null, next_cursor };
  },
});

export function viewOfPurchase(purchase: ShownPurchase): z.output<typeof Purchase> {
  const { quantity, credits, amount, currency } = purchase;
  return {
    ...{ id: purchase.id, status: purchase.state },
    credit_pack: purchase.packId === null ? null : { id: purchase.packId, name: purchase.packName },
    ...{ quantity, credits, credits_taken_back: purchase.taken, amount, currency, price_id: purchase.priceId },
    ...{ session_id: purchase.sessionId, payment_intent_id: purchase.intentId },
    expires_at: purchase.expiresAt?.toISOString() ?? null,
    created_at: purchase.createdAt.toISOString(),
  };
}

export const readOwnLedger = operation({
  tag: TAG,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(CreditEntry) },
  run: async (call) => {
    const account = await accountOf(call, "read");
    const { items, next_cursor } = await readEntries(scopeOf(call), account, call.query);
    return { data: items.map(viewOfEntry), has_more: next_cursor !== null, next_cursor };
  },
});

export const Invoice = z
  .strictObject({
    id: z.string(),
    number: z.string().nullable(),
    status: z.string().nullable().meta({ description: "Stripe's: open, paid, void or uncollectible." }),
    total: z.int().nullable(),
    amount_due: z.int().nullable(),
    amount_paid: z.int().nullable(),
    currency: z.string().nullable(),
    hosted_invoice_url: z.string().nullable(),
    invoice_pdf: z.string().nullable(),
    due_at: isoTime.nullable(),
    paid_at: isoTime.nullable(),
    created_at: isoTime.nullable(),
  })
  .meta({ id: "OwnInvoice" });

export const listOwnInvoices = operation({
  tag: TAG,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(Invoice) },
  run: async (call) => {
    const { accountId, ...mode } = await accountOf(call, "read");
    return scopeOf(call).transaction(async (tx) => {
      const account = await readAccount(tx, mode, accountId);
      if (account === undefined) throw publicError("not_found");
      const { items, next_cursor } = await readOwnInvoices(tx, mode, account, call.query);
      return { data: items.map(viewOfInvoice), has_more: next_cursor !== null, next_cursor };
    });
  },
});

export function viewOfInvoice(invoice: OwnInvoice): z.output<typeof Invoice> {
  const { number, status, total, currency } = invoice;
  return {
    ...{ id: invoice.id, number, status, total, amount_due: invoice.amountDue, amount_paid: invoice.amountPaid },
    ...{ currency, hosted_invoice_url: invoice.hostedInvoiceUrl, invoice_pdf: invoice.invoicePdf },
    due_at: invoice.dueAt?.toISOString() ?? null,
    paid_at: invoice.paidAt?.toISOString() ?? null,
    created_at: invoice.createdAt?.toISOString() ?? null,
  };
}
