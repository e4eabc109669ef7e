// A subscription that was asked for and never paid gives way to another wish: it is ended at Stripe first, so that nobody pays it any more.
import { isLive } from "../accounts/account-status.ts";
import {
  endSubscriptionRequest,
  type NewSubscriptionRequest,
  type SubscriptionRequest,
} from "../accounts/subscription-request-table.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { ask, type CheckoutSession, observationOf, type StripeSubscription } from "./subscription-calls.ts";
import { readRequestHeads } from "./subscription-reads.ts";
import type { CustomerContext } from "./stripe-customer.ts";

/** Stripe keeps idempotency keys, and sessions stay open, for 24 hours: after this nothing is gone on with. */
const RESUMED_SECONDS = 23 * 3600;

/**
 * What becomes of the request that holds the place another one wants.
 *
 * @returns resumed: they are the same, go on with it · gone: look again whether the place is free · stays: it is paid
 */
export async function giveWay(
  context: CustomerContext,
  scope: TenantScope,
  holding: SubscriptionRequest,
  wanted: NewSubscriptionRequest,
): Promise<"resumed" | "gone" | "stays"> {
  const heads = await readRequestHeads(scope, holding);
  if (isLive(heads.subscriptionStatus) || heads.sessionStatus === "complete") return "stays";
  const ended = heads.sessionStatus === "expired" || hasEnded(heads.subscriptionStatus);
  if (!ended && sameTerms(holding, wanted) && holding.age < RESUMED_SECONDS) return "resumed";
  if (ended || (await release(context, holding))) {
    await context.database.transaction((tx) => endSubscriptionRequest(tx, holding));
    return "gone";
  }
  return "stays";
}

const hasEnded = (status: string | null): boolean => status === "canceled" || status === "incomplete_expired";

function sameTerms(one: NewSubscriptionRequest, two: NewSubscriptionRequest): boolean {
  const termsOf = ({ mode, priceId, quantity, trialDays, promotionCodeId, automaticTax, stripeAccount }: typeof one) =>
    JSON.stringify([mode, priceId, quantity, trialDays, promotionCodeId, automaticTax, stripeAccount]);
  return termsOf(one) === termsOf(two);
}

/** Ends it at Stripe. Whether nobody can pay it any more. */
export async function release(context: CustomerContext, request: SubscriptionRequest): Promise<boolean> {
  if (request.subscriptionId !== null) return endIncomplete(context, request, request.subscriptionId);
  if (request.sessionId !== null) return expireSession(context, request, request.sessionId);
  // Its page or secret was never handed out, nor will be: whoever is waiting for Stripe's answer finds the place gone.
  return true;
}

async function expireSession(
  context: CustomerContext,
  request: SubscriptionRequest,
  sessionId: string,
): Promise<boolean> {
  const answer = await ask<CheckoutSession>(context.stripe, request, `${request.id}:expire`, (client, options) =>
    client.checkout.sessions.expire(sessionId, {}, options),
  ).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
    // It is open no more: look what it is.
    return ask<CheckoutSession>(context.stripe, request, undefined, (client, options) =>
      client.checkout.sessions.retrieve(sessionId, {}, options),
    );
  });
  await observed(context, request, answer);
  return answer.value.status === "expired";
}

/** Its invoice goes first: once that is void nobody can pay it under our feet. */
async function endIncomplete(
  context: CustomerContext,
  request: SubscriptionRequest,
  subscriptionId: string,
): Promise<boolean> {
  const look = () =>
    ask<StripeSubscription>(context.stripe, request, undefined, (client, options) =>
      client.subscriptions.retrieve(subscriptionId, {}, options),
    );
  const found = await look();
  const { status, latest_invoice: invoice } = found.value;
  if (status !== "incomplete") {
    await observed(context, request, found);
    return hasEnded(status);
  }
  const invoiceId = typeof invoice === "string" ? invoice : invoice?.id;
  try {
    if (invoiceId !== undefined) {
      await ask(context.stripe, request, `${request.id}:void`, (client, options) =>
        client.invoices.voidInvoice(invoiceId, {}, options),
      );
    }
    await ask(context.stripe, request, `${request.id}:end`, (client, options) =>
      client.subscriptions.cancel(subscriptionId, {}, options),
    );
  } catch (error) {
    // It was paid meanwhile, or has ended with its invoice: the last look tells.
    if (!isRefusal(error)) throw error;
  }
  const now = await look();
  await observed(context, request, now);
  return hasEnded(now.value.status);
}

function isRefusal(error: unknown): boolean {
  return error instanceof StripeCallError && !error.transient && error.code === "stripe_refused";
}

async function observed(
  { database, platformTenant, wake }: CustomerContext,
  request: SubscriptionRequest,
  answer: StripeAnswer<CheckoutSession | StripeSubscription>,
): Promise<void> {
  await observe(database, [observationOf(request, answer)], platformTenant);
  wake();
}
