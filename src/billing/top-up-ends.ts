// How an automatic top-up that was not paid ends: refused, put off, stopped or let go; and who is told.
import { readAccount } from "../accounts/account-table.ts";
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { packOfPrice } from "../credits/pack-table.ts";
import { type BegunPurchase, cancelPurchase } from "../credits/purchase-table.ts";
import { failTopUp, putOffTopUp, stopTopUp, type TopUp } from "../credits/top-up-table.ts";
import type { Queryable } from "../db/database.ts";
import type { BillingMails } from "../inbox/billing-mails.ts";
import type { Money } from "../mail/mail-fields.ts";
import { isOneAddress, queueMail } from "../mail/queue-mail.ts";
import { insertFacts } from "../outbox/event-table.ts";
import type { CustomerContext } from "./stripe-customer.ts";

export interface TopUpContext extends CustomerContext {
  clock: Pick<Clock, "now">;
  log: Log;
  platformFeePercent: number;
  mails: BillingMails;
}

/** A top-up whose purchase is under way. */
export interface UnderWay {
  topUp: TopUp;
  purchase: BegunPurchase;
  /** The account asks for just this still; else nothing is charged for it any more. */
  wanted: boolean;
}

/** From an hour to a day. A card that was refused four times in a row is not tried again by itself. */
const BACKOFF = { first: 3_600_000, factor: 3, max: 86_400_000, jitter: 0.1 };
const MOST_FAILURES = 4;

/** By the bank, or for what only its customer can mend: counted, told and mailed. What nobody wants any more is only over. */
export async function refused(context: TopUpContext, underWay: UnderWay, reason: string): Promise<void> {
  const { topUp, purchase, wanted } = underWay;
  if (!wanted) return letGo(context, underWay);
  const { tenantId, accountId, failures } = topUp;
  const giveUp = failures + 1 >= MOST_FAILURES;
  const after = backoff(failures + 1, BACKOFF) / 1000;
  await context.database.transaction(async (tx) => {
    await failTopUp(tx, topUp, purchase.id, { error: reason, after, giveUp });
    await tell(context, tx, topUp, { purchaseId: purchase.id, reason });
    await mail(context, tx, topUp, {
      ...{ purchaseId: purchase.id, reason, page: "payment-method" },
      price: { amount: purchase.amount, currency: purchase.currency },
    });
  });
  context.log.warn("an automatic top-up failed", {
    ...{ tenant: tenantId, account: accountId, purchase: purchase.id, outcome: giveUp ? "gave up" : "later" },
  });
}

/**
 * For what no card and no customer has a part in: nothing is counted, and nobody is told. Stripe has nothing of the purchase;
 * `unknown`: nobody can say so now, and it stays under way, or an answer that was lost would be charged a second time.
 */
export async function putOff(
  context: TopUpContext,
  underWay: UnderWay,
  reason: string,
  { unknown = false }: { unknown?: boolean } = {},
): Promise<void> {
  const { topUp, purchase, wanted } = underWay;
  if (!wanted && !unknown) return letGo(context, underWay);
  await context.database.transaction(async (tx) => {
    // The purchase before its top-up, as a settlement locks them.
    if (!unknown) await cancelPurchase(tx, purchase);
    await putOffTopUp(tx, topUp, purchase.id, { error: reason, after: backoff(1, BACKOFF) / 1000, stays: unknown });
  });
  logPutOff(context, topUp, purchase.id);
}

/** The same before a purchase was written. */
export async function putOffBegin(
  context: TopUpContext,
  tx: Queryable,
  topUp: TopUp,
  reason: string,
): Promise<undefined> {
  await putOffTopUp(tx, topUp, null, { error: reason, after: backoff(1, BACKOFF) / 1000 });
  logPutOff(context, topUp, undefined);
}

function logPutOff({ log }: TopUpContext, { tenantId, accountId }: TopUp, purchase: string | undefined): void {
  log.warn("an automatic top-up was put off", {
    ...{ tenant: tenantId, account: accountId, outcome: "later", ...(purchase === undefined ? {} : { purchase }) },
  });
}

/** It was turned off, or asks for something else: what it asks for now may begin at once. */
export async function letGo({ database, log }: TopUpContext, { topUp, purchase }: UnderWay): Promise<void> {
  await database.transaction(async (tx) => {
    await cancelPurchase(tx, purchase);
    await putOffTopUp(tx, topUp, purchase.id, { error: null, after: 0 });
  });
  const { tenantId, accountId } = topUp;
  log.info("an automatic top-up was let go", {
    ...{ tenant: tenantId, account: accountId, purchase: purchase.id, outcome: "not wanted any more" },
  });
}

export interface Stop {
  reason: string;
  /** What it would have cost; undefined: nobody knows, and it cannot be mailed. */
  price: Money | undefined;
}

/** What it asks for cannot be bought: turned off, and told once. */
export async function stop(
  context: TopUpContext,
  tx: Queryable,
  topUp: TopUp,
  { reason, price }: Stop,
): Promise<undefined> {
  if (!(await stopTopUp(tx, topUp, reason))) return;
  // Of the purchase that does not come about.
  const purchaseId = newId("pur");
  await tell(context, tx, topUp, { purchaseId, reason });
  if (price !== undefined) await mail(context, tx, topUp, { purchaseId, reason, price, page: "credits" });
  const { tenantId, accountId } = topUp;
  context.log.warn("an automatic top-up was stopped", {
    ...{ tenant: tenantId, account: accountId, outcome: "gave up" },
  });
}

/** Why the pack that it asks for is not sold at its price: `selling` is where the tenant sells now. */
export async function whyNotSold(tx: Queryable, topUp: TopUp, selling: string): Promise<Stop> {
  const { tenantId, livemode, priceId, quantity } = topUp;
  const sold = await packOfPrice(tx, { tenantId, livemode, stripeAccount: selling, priceId });
  const price = sold && { amount: sold.amount * quantity, currency: sold.currency };
  const reason =
    sold?.active === true
      ? "Nothing was charged: the price of the credit pack has changed. Choose it again at its new price, or another one."
      : "Nothing was charged: the credit pack is not sold any more. Choose another one.";
  return { reason, price };
}

async function tell(
  { clock }: TopUpContext,
  tx: Queryable,
  { tenantId, livemode, accountId }: TopUp,
  { purchaseId, reason }: { purchaseId: string; reason: string },
): Promise<void> {
  await insertFacts(tx, [
    {
      ...{ tenantId, livemode, type: "credit.top_up_failed", naturalKey: `${accountId}:${purchaseId}` },
      ...{ stripeAccount: "", objectType: "account", objectId: accountId, observationId: purchaseId },
      occurredAt: Math.floor(clock.now() / 1000),
      object: { id: purchaseId, object: "credit_top_up", account_id: accountId, reason },
    },
  ]);
}

/** Stripe mails nobody of a payment without an invoice. A tenant's customers hear from their tenant. */
async function mail(
  { mails, platformTenant }: TopUpContext,
  tx: Parameters<typeof queueMail>[0],
  topUp: TopUp,
  { purchaseId, reason, price, page }: { purchaseId: string; reason: string; price: Money; page: string },
): Promise<void> {
  const { tenantId, accountId } = topUp;
  const account = await readAccount(tx, topUp, accountId);
  const to = account?.email ?? "";
  if (tenantId !== platformTenant || account === undefined || !isOneAddress(to)) return;
  const fields = {
    ...{ link: `${mails.frontendUrl}/dashboard/${page}`, reason, amount: price },
    ...(account.name === null ? {} : { name: account.name }),
  };
  await queueMail(tx, { tenantId, cause: `top_up_failed:${purchaseId}`, to, template: "payment_failed", fields });
}
