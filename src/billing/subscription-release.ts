// A subscription that was asked for and never paid gives way to another wish: it is ended at Stripe first, so that nobody pays it any more.
// One that lost its place while Stripe was making it is withdrawn.
import { isLive } from "../accounts/account-status.ts";
import {
  claimLostRequests,
  endSubscriptionRequest,
  endWithdrawal,
  type NewSubscriptionRequest,
  type SubscriptionRequest,
} from "../accounts/subscription-request-table.ts";
import { PublicError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { Found } from "../work/claim-loop.ts";
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
  const found = await look(context, request, subscriptionId);
  if (found.value.status === "incomplete") return end(context, request, found.value);
  await observed(context, request, found);
  return hasEnded(found.value.status);
}

/**
 * Ends one that has lost its place, unless it was paid. A trial, and what is free at first, begin without a payment: they
 * stay where their page or secret was handed out, because somebody began them. Whether it has ended.
 */
export async function withdraw(context: CustomerContext, request: SubscriptionRequest): Promise<boolean> {
  const { subscriptionId, handed } = request;
  if (subscriptionId === null) return release(context, request);
  const found = await look(context, request, subscriptionId);
  const { status } = found.value;
  if (status === "incomplete" || (!handed && !hasEnded(status) && wasFree(found.value)))
    return end(context, request, found.value);
  await observed(context, request, found);
  return hasEnded(status);
}

/** Its first invoice is its only one, and nothing was to be paid, nor was a balance used up for it. */
function wasFree({ latest_invoice: invoice, status }: StripeSubscription): boolean {
  if (invoice === null) return status === "trialing";
  return typeof invoice === "object" && invoice.billing_reason === "subscription_create" && invoice.total <= 0;
}

/** How long one look takes at most, with its calls. */
const LEASE_SECONDS = 120;
const AT_ONCE = 5;
/** After a refusal: the account may be connected again. */
const REFUSED_SECONDS = 3600;

export interface LostContext extends CustomerContext {
  log: Log;
}

/** Withdraws subscriptions that were found without their place: whoever asked for them died before it could. */
export async function withdrawLost(context: LostContext): Promise<Found> {
  const { database, stripe } = context;
  const modes = [true, false].filter((livemode) => stripe.has(livemode));
  const lost = await database.transaction((tx) =>
    claimLostRequests(tx, { modes, limit: AT_ONCE, seconds: LEASE_SECONDS }),
  );
  for (const request of lost) await withdrawOne(context, request);
  return lost.length === 0 ? "none" : lost.length < AT_ONCE ? "some" : "full";
}

async function withdrawOne(context: LostContext, request: SubscriptionRequest): Promise<void> {
  const { database, log } = context;
  const named = { tenant: request.tenantId, object_id: request.subscriptionId ?? request.id };
  try {
    const ended = await withdraw(context, request);
    await endWithdrawal(database, request, ended ? "withdrawn" : "stays");
    if (ended) log.warn("a subscription that had lost its place was withdrawn", { ...named, outcome: "done" });
    else
      log.error("a subscription without its place was paid for: two of one plan group go on", {
        ...named,
        outcome: "kept",
      });
  } catch (error) {
    if (!(error instanceof PublicError)) throw error;
    const transient = error instanceof StripeCallError && error.transient;
    // Otherwise it is looked at when the lease ends.
    if (!transient) await endWithdrawal(database, request, { later: REFUSED_SECONDS });
    log.warn("a subscription that has lost its place could not be withdrawn", {
      ...named,
      code: error.code,
      outcome: "retry",
    });
  }
}

function look(
  context: CustomerContext,
  request: SubscriptionRequest,
  subscriptionId: string,
): Promise<StripeAnswer<StripeSubscription>> {
  return ask<StripeSubscription>(context.stripe, request, undefined, (client, options) =>
    client.subscriptions.retrieve(subscriptionId, { expand: ["latest_invoice"] }, options),
  );
}

async function end(
  context: CustomerContext,
  request: SubscriptionRequest,
  { id: subscriptionId, status, latest_invoice: invoice }: StripeSubscription,
): Promise<boolean> {
  const invoiceId = typeof invoice === "string" ? invoice : invoice?.id;
  try {
    if (status === "incomplete" && invoiceId !== undefined) {
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
  const now = await look(context, request, subscriptionId);
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
