// Automatic top-up: an account that has asked for it buys a pack with its saved payment method when its credits run low.
import { readAccount } from "../accounts/account-table.ts";
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { PublicError } from "../base/errors.ts";
import { newId, timeOfId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { AccountRef } from "../credits/ledger.ts";
import { activePackOfPrice } from "../credits/pack-table.ts";
import { type BegunPurchase, insertPurchase, lockBegunPurchase, recordIntent } from "../credits/purchase-table.ts";
import {
  beginTopUp,
  claimDueTopUps,
  endTopUps,
  failTopUp,
  FIRST,
  purchaseState,
  type TopUp,
  topUpsUntil,
} from "../credits/top-up-table.ts";
import type { Database } from "../db/database.ts";
import type { Queryable } from "../db/database.ts";
import { type BillingMails, queueCreditsAdded } from "../inbox/billing-mails.ts";
import { observe } from "../inbox/observe.ts";
import { PURCHASE_FIELD, settleNow } from "../inbox/purchase-heads.ts";
import { queueMail, isOneAddress } from "../mail/queue-mail.ts";
import { insertFacts } from "../outbox/event-table.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { type StripeClient, StripeError } from "../stripe/client.ts";
import type { Found } from "../work/claim-loop.ts";
import { feeAmountOf, feePercentOf, sellingAccountOf } from "./selling-account.ts";
import { ACCOUNT_FIELD, type CustomerContext } from "./stripe-customer.ts";
import { ask, observationOf } from "./subscription-calls.ts";

export interface TopUpContext extends CustomerContext {
  clock: Pick<Clock, "now">;
  log: Log;
  platformFeePercent: number;
  mails: BillingMails;
}

/** Of each kind: each has the whole lease for itself. */
const AT_ONCE = 1;
/** Longer than its calls take; a payment that is under way is looked at again so soon. */
const LEASE_SECONDS = 60;
/** From an hour to a day. A card that was refused four times in a row is not tried again by itself. */
const BACKOFF = { first: 3_600_000, factor: 3, max: 86_400_000, jitter: 0.1 };
const MOST_FAILURES = 4;
/** Stripe keeps idempotency keys for 24 hours. */
const KEYS_HOLD_SECONDS = 23 * 3600;
const CLOCKS_DIFFER_SECONDS = 3600;
const UNATTENDED = "The bank asks for the card's owner.";

/** How far a process has looked among all accounts that have asked for it. */
export interface TopUpRound {
  /** At most so many are looked at in one go. */
  size: number;
  after: AccountRef;
}

/** 50,000 at once took the embedded database a second, every two seconds; there nothing else runs meanwhile. */
const LOOKED_AT = { embedded: 2000, server: 20_000 } as const;

export const topUpRound = (kind: Database["kind"], size: number = LOOKED_AT[kind]): TopUpRound => ({
  size,
  after: FIRST,
});

/**
 * Goes on with what is due: with the next account of the round that is low, and with a payment that is under way. One of each,
 * so that many payments that take days keep no account from buying.
 */
export async function topUpDue(context: TopUpContext, round = topUpRound(context.database.kind)): Promise<Found> {
  const modes = [true, false].filter((livemode) => context.stripe.has(livemode));
  const wanted = { modes, limit: AT_ONCE, seconds: LEASE_SECONDS };
  const { low, underWay, until } = await context.database.transaction(async (tx) => {
    const { after, size } = round;
    const last = await topUpsUntil(tx, after, size);
    return {
      until: last,
      low: await claimDueTopUps(tx, { ...wanted, only: "low", after, until: last }),
      underWay: await claimDueTopUps(tx, { ...wanted, only: "under way" }),
    };
  });
  if (low.length === 0) round.after = until ?? FIRST;
  await Promise.all([...low, ...underWay].map((topUp) => goOn(context, topUp)));
  return low.length + underWay.length === 0 ? "none" : "full";
}

async function goOn(context: TopUpContext, topUp: TopUp): Promise<void> {
  const { database } = context;
  const begun = topUp.purchaseId === null ? await begin(context, topUp) : topUp;
  if (begun === undefined || begun.purchaseId === null || begun.paymentMethodId === null) return;
  const { purchaseId, paymentMethodId } = begun;
  const { state, intentId } = (await purchaseState(database, topUp, purchaseId)) ?? { state: "gone", intentId: null };
  // Its commit ends it; this one was paid by a version that did not.
  if (state === "paid") return endTopUps(database, [{ ...topUp, purchaseId }]);
  const purchase = await database.transaction((tx) => lockBegunPurchase(tx, { ...topUp, id: purchaseId }));
  if (purchase === undefined) return;
  if (state !== "pending") return fail(context, topUp, purchase, "The payment was canceled.");
  if (intentId !== null) return lookAt(context, topUp, purchase, intentId);
  // Under an older key Stripe would charge a second time.
  const age = (context.clock.now() - timeOfId(purchaseId)) / 1000;
  if (age > KEYS_HOLD_SECONDS) return lookFor(context, topUp, purchase);
  await pay(context, topUp, purchase, paymentMethodId);
}

/** It is on its way, or what it needed was found out by a process that died. */
async function lookAt(context: TopUpContext, topUp: TopUp, purchase: BegunPurchase, intentId: string): Promise<void> {
  const answer = await ask<PaymentIntent>(context.stripe, purchase, undefined, (client, options) =>
    client.paymentIntents.retrieve(intentId, {}, options),
  ).catch((error: unknown) => {
    if (!(error instanceof StripeCallError)) throw error;
    return undefined;
  });
  if (answer !== undefined) await takeUp(context, topUp, purchase, answer);
}

/**
 * Nobody knows what became of the call, and it is too late to repeat it: whether Stripe has charged, the customer's payments
 * tell. One that is not among them, and succeeds all the same, is known by its metadata when its event comes.
 */
async function lookFor(context: TopUpContext, topUp: TopUp, purchase: BegunPurchase): Promise<void> {
  const customer = (await readAccount(context.database, topUp, topUp.accountId))?.stripeCustomerId ?? null;
  const noAnswer = "Stripe did not answer for a day.";
  if (customer === null) return fail(context, topUp, purchase, noAnswer);
  try {
    const found = await findPayment(context, purchase, customer);
    await (found === undefined ? fail(context, topUp, purchase, noAnswer) : takeUp(context, topUp, purchase, found));
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    // Looked for again when the lease ends.
    if (!error.transient) await fail(context, topUp, purchase, error.message);
  }
}

async function findPayment(
  { stripe }: TopUpContext,
  purchase: BegunPurchase,
  customer: string,
): Promise<StripeAnswer<PaymentIntent> | undefined> {
  // Our clock is not Stripe's.
  const since = Math.floor(timeOfId(purchase.id) / 1000) - CLOCKS_DIFFER_SECONDS;
  let after: string | undefined;
  do {
    const page = await ask(stripe, purchase, undefined, (client, options) =>
      client.paymentIntents.list(
        { customer, created: { gte: since }, limit: 100, ...(after === undefined ? {} : { starting_after: after }) },
        options,
      ),
    );
    const found = page.value.data.find(({ metadata }) => metadata[PURCHASE_FIELD] === purchase.id);
    if (found !== undefined) return { ...page, value: found };
    after = page.value.has_more ? page.value.data.at(-1)?.id : undefined;
  } while (after !== undefined);
  return undefined;
}

/** Records how its payment stands; one that needs the person, who is not there, is given back. */
async function takeUp(
  context: TopUpContext,
  topUp: TopUp,
  purchase: BegunPurchase,
  answer: StripeAnswer<PaymentIntent>,
): Promise<void> {
  await record(context, purchase, answer);
  const { status, id } = answer.value;
  if (status !== "succeeded" && status !== "processing" && status !== "canceled") {
    await giveBack(context, topUp, purchase, id, UNATTENDED);
  }
}

/** Undefined: it cannot be bought, the account cannot pay, or another process was faster. */
async function begin(context: TopUpContext, topUp: TopUp): Promise<TopUp | undefined> {
  const { tenantId, livemode, accountId, priceId, quantity } = topUp;
  return context.database.transaction(async (tx) => {
    const account = await readAccount(tx, topUp, accountId);
    const pack = await activePackOfPrice(tx, { tenantId, livemode, priceId });
    const selling = await sellingAccount(context, tx, topUp);
    if (selling instanceof PublicError) {
      await failTopUp(tx, topUp, null, { error: selling.message, after: BACKOFF.first / 1000, giveUp: false });
      return undefined;
    }
    if (pack?.stripeAccount !== selling || account?.stripeCustomerAccount !== selling) {
      const error = "The pack is not sold any more: choose another one.";
      await failTopUp(tx, topUp, null, { error, after: 0, giveUp: true });
      return undefined;
    }
    if (account.paymentMethod === null) return undefined;
    const amount = pack.amount * quantity;
    const fee = feeAmountOf(amount, await feePercentOf(tx, tenantId, context));
    const [purchaseId, paymentMethodId] = [newId("pur"), account.paymentMethod.id];
    if (!(await beginTopUp(tx, topUp, { purchaseId, paymentMethodId }))) return undefined;
    await insertPurchase(tx, {
      ...{ tenantId, livemode, id: purchaseId, accountId, packId: pack.id, quantity, amount, priceId },
      ...{ credits: pack.credits * quantity, currency: pack.currency, stripeAccount: selling },
      applicationFeeAmount: fee,
    });
    return { ...topUp, purchaseId, paymentMethodId };
  });
}

/** Where the tenant may sell now, or why it may not. */
async function sellingAccount(context: TopUpContext, tx: Queryable, topUp: TopUp): Promise<string | PublicError> {
  return sellingAccountOf(tx, topUp, context.platformTenant).catch((error: unknown) => {
    if (error instanceof PublicError) return error;
    throw error;
  });
}

type PaymentIntent = Omit<Awaited<ReturnType<StripeClient["paymentIntents"]["create"]>>, "lastResponse">;

/** Under the purchase's key: asked again after a crash, it is the same payment. */
async function pay(
  context: TopUpContext,
  topUp: TopUp,
  purchase: BegunPurchase,
  paymentMethodId: string,
): Promise<void> {
  const { database, stripe } = context;
  const customer = (await readAccount(database, topUp, topUp.accountId))?.stripeCustomerId;
  if (customer === null || customer === undefined)
    return fail(context, topUp, purchase, "The account has no customer at Stripe.");
  // It may have been disconnected since it began.
  const selling = await sellingAccount(context, database, topUp);
  if (selling !== purchase.stripeAccount) {
    const reason = selling instanceof PublicError ? selling.message : "Another Stripe account is connected now.";
    return fail(context, topUp, purchase, reason);
  }
  const fee = purchase.applicationFeeAmount ?? 0;
  const metadata = { [PURCHASE_FIELD]: purchase.id, [ACCOUNT_FIELD]: topUp.accountId, billhook_tenant: topUp.tenantId };
  try {
    const answer = await ask<PaymentIntent>(stripe, purchase, `${purchase.id}:top-up`, (client, options) =>
      client.paymentIntents.create(
        {
          ...{ amount: purchase.amount, currency: purchase.currency, customer, payment_method: paymentMethodId },
          ...{ off_session: true, confirm: true, metadata },
          ...(fee === 0 ? {} : { application_fee_amount: fee }),
        },
        options,
      ),
    );
    await takeUp(context, topUp, purchase, answer);
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    // Tried again with the same key, when the lease ends.
    if (error.transient) return;
    const intent = error.cause instanceof StripeError ? error.cause.payment_intent : undefined;
    await giveBack(context, topUp, purchase, intent?.id, error.message);
  }
}

async function record(context: TopUpContext, purchase: BegunPurchase, answer: StripeAnswer<PaymentIntent>) {
  const { database, platformTenant, wake, mails } = context;
  await database.transaction(async (tx) => {
    await recordIntent(tx, purchase, answer.value.id);
    await observe(tx, [observationOf(purchase, answer)], platformTenant);
    const { bought } = await settleNow(tx, [purchase], database.kind);
    await queueCreditsAdded(tx, mails, bought);
  });
  wake();
}

/** Canceled at Stripe first, so that nothing pays it later. */
async function giveBack(
  context: TopUpContext,
  topUp: TopUp,
  purchase: BegunPurchase,
  intentId: string | undefined,
  reason: string,
): Promise<void> {
  if (intentId !== undefined) {
    const answer = await ask<PaymentIntent>(context.stripe, purchase, `${purchase.id}:cancel`, (client, options) =>
      client.paymentIntents.cancel(intentId, {}, options),
    ).catch((error: unknown) => {
      if (!(error instanceof StripeCallError)) throw error;
      return undefined;
    });
    // Not canceled: how it stands is looked at again when the lease ends, and asked under the same key.
    if (answer === undefined) return;
    await record(context, purchase, answer);
  }
  await fail(context, topUp, purchase, reason);
}

async function fail(context: TopUpContext, topUp: TopUp, purchase: BegunPurchase, reason: string): Promise<void> {
  const { database, clock, log } = context;
  const { id: purchaseId } = purchase;
  const { tenantId, livemode, accountId, failures } = topUp;
  const giveUp = failures + 1 >= MOST_FAILURES;
  await database.transaction(async (tx) => {
    await failTopUp(tx, topUp, purchaseId, { error: reason, after: backoff(failures + 1, BACKOFF) / 1000, giveUp });
    await insertFacts(tx, [
      {
        ...{ tenantId, livemode, type: "credit.top_up_failed", naturalKey: `${accountId}:${purchaseId}` },
        ...{ stripeAccount: "", objectType: "account", objectId: accountId, observationId: purchaseId },
        occurredAt: Math.floor(clock.now() / 1000),
        object: { id: purchaseId, object: "credit_top_up", account_id: accountId, reason },
      },
    ]);
    await mailFailure(context, tx, topUp, purchase, reason);
  });
  log.warn("an automatic top-up failed", {
    ...{ tenant: tenantId, account: accountId, purchase: purchaseId, outcome: giveUp ? "gave up" : "later" },
  });
}

/** Stripe mails nobody of a payment without an invoice. A tenant's customers hear from their tenant. */
async function mailFailure(
  { mails, platformTenant }: TopUpContext,
  tx: Parameters<typeof queueMail>[0],
  topUp: TopUp,
  purchase: BegunPurchase,
  reason: string,
): Promise<void> {
  const { tenantId, accountId } = topUp;
  const account = await readAccount(tx, topUp, accountId);
  const to = account?.email ?? "";
  if (tenantId !== platformTenant || account === undefined || !isOneAddress(to)) return;
  const fields = {
    ...{ link: `${mails.frontendUrl}/dashboard/payment-method`, reason },
    amount: { amount: purchase.amount, currency: purchase.currency },
    ...(account.name === null ? {} : { name: account.name }),
  };
  const cause = `top_up_failed:${purchase.id}`;
  await queueMail(tx, { tenantId, cause, to, template: "payment_failed", fields });
}
