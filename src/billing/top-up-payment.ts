// The payment of an automatic top-up: asked for, looked at, looked for, and canceled when nobody is there to confirm it.
import { readAccount } from "../accounts/account-table.ts";
import type { ErrorCode } from "../base/errors.ts";
import { PublicError } from "../base/errors.ts";
import { timeOfId } from "../base/ids.ts";
import { type BegunPurchase, recordIntent } from "../credits/purchase-table.ts";
import type { TopUp } from "../credits/top-up-table.ts";
import type { Queryable } from "../db/database.ts";
import { queueCreditsAdded } from "../inbox/billing-mails.ts";
import { observe } from "../inbox/observe.ts";
import { PURCHASE_FIELD, settleNow } from "../inbox/purchase-heads.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { type StripeClient, StripeError } from "../stripe/client.ts";
import { sellingAccountOf } from "./selling-account.ts";
import { ACCOUNT_FIELD } from "./stripe-customer.ts";
import { ask, observationOf } from "./subscription-calls.ts";
import { letGo, putOff, refused, type TopUpContext, type UnderWay } from "./top-up-ends.ts";

const CLOCKS_DIFFER_SECONDS = 3600;
const UNATTENDED = "The bank asks for the card's owner.";

/** Failures that say nothing of the card, and that no customer can mend. */
const NOT_THE_CARDS: ReadonlySet<ErrorCode> = new Set([
  "stripe_permission_denied",
  "stripe_not_connected",
  "stripe_account_restricted",
  "stripe_conflict",
]);

type PaymentIntent = Omit<Awaited<ReturnType<StripeClient["paymentIntents"]["create"]>>, "lastResponse">;

/** Where the tenant may sell now, or why it may not. */
export async function sellingAccount(
  { platformTenant }: TopUpContext,
  tx: Queryable,
  topUp: TopUp,
): Promise<string | PublicError> {
  return sellingAccountOf(tx, topUp, platformTenant).catch((error: unknown) => {
    if (error instanceof PublicError) return error;
    throw error;
  });
}

/** Under the purchase's key: asked again after a crash, it is the same payment. */
export async function pay(context: TopUpContext, underWay: UnderWay, paymentMethodId: string): Promise<void> {
  const { database, stripe } = context;
  const { topUp, purchase } = underWay;
  const customer = (await readAccount(database, topUp, topUp.accountId))?.stripeCustomerId;
  if (customer === null || customer === undefined)
    return refused(context, underWay, "The account has no customer at Stripe.");
  // It may have been disconnected since it began.
  const selling = await sellingAccount(context, database, topUp);
  if (selling instanceof PublicError) return putOff(context, underWay, selling.message, { unknown: true });
  if (selling !== purchase.stripeAccount) return putOff(context, underWay, "Another Stripe account is connected now.");
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
    await takeUp(context, underWay, answer);
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    // Tried again with the same key, when the lease ends.
    if (error.transient) return;
    // An earlier try may have charged all the same, and its answer been lost.
    if (NOT_THE_CARDS.has(error.code)) return lookFor(context, underWay, error.message);
    const intent = error.cause instanceof StripeError ? error.cause.payment_intent : undefined;
    await giveBack(context, underWay, intent?.id, error.message);
  }
}

/** It is on its way, or what it needed was found out by a process that died. */
export async function lookAt(context: TopUpContext, underWay: UnderWay, intentId: string): Promise<void> {
  const answer = await ask<PaymentIntent>(context.stripe, underWay.purchase, undefined, (client, options) =>
    client.paymentIntents.retrieve(intentId, {}, options),
  ).catch((error: unknown) => {
    if (!(error instanceof StripeCallError)) throw error;
    return undefined;
  });
  if (answer !== undefined) await takeUp(context, underWay, answer);
}

/**
 * The call is not repeated, and nobody knows what became of it: whether Stripe has charged, the customer's payments tell. One
 * that is not among them, and succeeds all the same, is known by its metadata when its event comes. `otherwise`: why it is put
 * off when Stripe has nothing of it.
 */
export async function lookFor(context: TopUpContext, underWay: UnderWay, otherwise: string): Promise<void> {
  const { topUp, purchase, wanted } = underWay;
  const customer = (await readAccount(context.database, topUp, topUp.accountId))?.stripeCustomerId ?? null;
  if (customer === null) return putOff(context, underWay, otherwise);
  try {
    const found = await findPayment(context, purchase, customer);
    await (found === undefined ? putOff(context, underWay, otherwise) : takeUp(context, underWay, found));
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    // Looked for again when the lease ends.
    if (error.transient) return;
    if (!NOT_THE_CARDS.has(error.code)) return refused(context, underWay, error.message);
    // Of an account that is not ours any more nothing can be found out.
    if (!wanted && error.code === "stripe_not_connected") return letGo(context, underWay);
    await putOff(context, underWay, error.message, { unknown: true });
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
async function takeUp(context: TopUpContext, underWay: UnderWay, answer: StripeAnswer<PaymentIntent>): Promise<void> {
  await record(context, underWay.purchase, answer);
  const { status, id } = answer.value;
  if (status !== "succeeded" && status !== "processing" && status !== "canceled") {
    await giveBack(context, underWay, id, UNATTENDED);
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
  underWay: UnderWay,
  intentId: string | undefined,
  reason: string,
): Promise<void> {
  const { purchase } = underWay;
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
  await refused(context, underWay, reason);
}
