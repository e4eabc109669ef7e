// Changing a subscription as its account asks: canceled, resumed, moved to another plan; and Stripe's own pages for it.
import { isLive } from "../accounts/account-status.ts";
import type { AccountKey } from "../accounts/account-table.ts";
import { groupOfSubscription } from "../accounts/subscription-request-table.ts";
import { publicError } from "../base/errors.ts";
import { activePlanOfPrice, planOfPrice, type SoldPlan } from "../credits/plan-table.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import { subscription as projection } from "../projections/subscription.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import { mustBeConnected, sellingAccountOf } from "./selling-account.ts";
import { askForCustomer, type CustomerContext } from "./stripe-customer.ts";
import { ask, observationOf, type StripeSubscription } from "./subscription-calls.ts";
import { liveSubscriptions, ownSubscriptions, type OwnSubscription } from "./subscription-reads.ts";

/** One request for a change. */
export interface SubscriptionChange {
  account: AccountKey;
  /** Undefined: the only one that there is. */
  subscriptionId: string | undefined;
  /** The same for each run of one request: tells one change from another in Stripe's key. */
  occasion: string;
  /** Of a request that runs again, when its first run began, in Unix seconds: Stripe may have done what it asks. */
  begunBefore: number | undefined;
}

/** As Stripe has answered. Times are Unix seconds. */
export interface ChangedSubscription {
  id: string;
  status: string | null;
  plan: SoldPlan | undefined;
  priceId: string | null;
  quantity: number | null;
  currentPeriodEnd: number | null;
  trialEnd: number | null;
  cancelAt: number | null;
  cancelScheduled: boolean;
}

export async function cancelSubscription(
  context: CustomerContext,
  scope: TenantScope,
  change: SubscriptionChange,
  { atPeriodEnd }: { atPeriodEnd: boolean },
): Promise<ChangedSubscription> {
  // Named by nobody: where the first run has ended one, another that was begun since then is none of its business.
  const unnamed = change.subscriptionId === undefined && !atPeriodEnd;
  const before = unnamed ? await endedSince(scope, change) : undefined;
  const own = before ?? (await wanted(scope, change)) ?? (await endedSince(scope, change));
  if (own === undefined) throw publicError("not_found", { message: NO_SUCH });
  if (!isLive(own.status)) return asItIs(context, scope, change, own);
  const key = `${own.id}:cancel:${change.occasion}`;
  const answer = await ask<StripeSubscription>(context.stripe, placeOf(change, own), key, (client, options) =>
    atPeriodEnd
      ? client.subscriptions.update(own.id, { cancel_at_period_end: true }, options)
      : client.subscriptions.cancel(own.id, {}, options),
  );
  return changed(context, scope, change, own, answer);
}

/**
 * Takes a cancellation back that has not come yet, or goes on after a pause. Throws `subscription_unchangeable` where there
 * is neither, unless an earlier run of the same request may have done it.
 */
export async function resumeSubscription(
  context: CustomerContext,
  scope: TenantScope,
  change: SubscriptionChange,
): Promise<ChangedSubscription> {
  const own = await mustHave(scope, change);
  const place = placeOf(change, own);
  const key = `${own.id}:resume:${change.occasion}`;
  if (own.status === "paused") {
    const answer = await ask<StripeSubscription>(context.stripe, place, key, (client, options) =>
      client.subscriptions.resume(own.id, {}, options),
    );
    return changed(context, scope, change, own, answer);
  }
  if (!own.cancelScheduled) {
    if (change.begunBefore !== undefined) return asItIs(context, scope, change, own);
    const message = "The subscription is neither paused nor going to end: there is nothing to resume.";
    throw publicError("subscription_unchangeable", { message });
  }
  const now = await ask<StripeSubscription>(context.stripe, place, undefined, (client, options) =>
    client.subscriptions.retrieve(own.id, {}, options),
  );
  const { value } = now;
  // An earlier run may have done it, and its events are still to come.
  if (!value.cancel_at_period_end && value.cancel_at === null) return changed(context, scope, change, own, now);
  // A cancellation in Stripe's portal may be a date instead; Stripe refuses both parameters together.
  const parameters = value.cancel_at_period_end ? { cancel_at_period_end: false } : { cancel_at: "" as const };
  const answer = await ask<StripeSubscription>(context.stripe, place, key, (client, options) =>
    client.subscriptions.update(own.id, parameters, options),
  );
  return changed(context, scope, change, own, answer);
}

export interface WantedPlan {
  priceId: string;
  /** Undefined: as many as before. */
  quantity: number | undefined;
  proration: "create_prorations" | "always_invoice" | "none";
}

/**
 * Moves it to another plan of the same group. Throws `not_found`, `invalid_request` for one of another group,
 * `subscription_unchangeable` where nobody knows its group.
 */
export async function changePlan(
  context: CustomerContext,
  scope: TenantScope,
  change: SubscriptionChange,
  { priceId, quantity, proration }: WantedPlan,
): Promise<ChangedSubscription> {
  const own = await mustHave(scope, change);
  const { tenantId, livemode } = change.account;
  const plan = await activePlanOfPrice(scope, { tenantId, livemode, priceId });
  if (plan?.stripeAccount !== own.stripeAccount) {
    const message = "No plan is sold at this price now: take a price_id from GET /api/v1/plans/.";
    throw publicError("not_found", { message, param: "price_id" });
  }
  const group = await groupOf(scope, change, own);
  if (group === undefined) {
    const message =
      "What the subscription is to is no plan that is known here: begin a subscription to the plan, and cancel this one.";
    throw publicError("subscription_unchangeable", { message });
  }
  if (group !== plan.planGroup) {
    throw publicError("invalid_request", {
      param: "price_id",
      message: "The plan is of another group: begin a subscription to it, and cancel this one.",
    });
  }
  if (own.itemId === null) throw publicError("subscription_unchangeable");
  const item = { id: own.itemId, price: priceId, quantity: quantity ?? own.quantity ?? 1 };
  const key = `${own.id}:plan:${change.occasion}`;
  const answer = await ask<StripeSubscription>(context.stripe, placeOf(change, own), key, (client, options) =>
    client.subscriptions.update(own.id, { items: [item], proration_behavior: proration }, options),
  );
  return changed(context, scope, change, own, answer);
}

/** Stripe's page on which a customer changes cards, plans and addresses. */
export async function openBillingPortal(
  context: CustomerContext & { people: { frontendUrl: string } },
  scope: TenantScope,
  account: AccountKey,
  { returnUrl, occasion }: { returnUrl: string | undefined; occasion: string },
): Promise<{ url: string }> {
  const { tenantId, livemode } = account;
  if (!context.stripe.has(livemode)) throw publicError("stripe_not_configured");
  const stripeAccount = await sellingAccountOf(scope, { tenantId, livemode }, context.platformTenant);
  const back = returnUrl ?? `${context.people.frontendUrl}/dashboard/subscription`;
  const { value } = await askForCustomer(context, scope, { ...account, stripeAccount }, (customer) =>
    ask(
      context.stripe,
      { livemode, stripeAccount },
      `${account.accountId}:portal:${customer}:${occasion}`,
      (client, options) => client.billingPortal.sessions.create({ customer, return_url: back }, options),
    ),
  );
  return { url: value.url };
}

const placeOf = ({ account }: SubscriptionChange, { stripeAccount }: OwnSubscription) => ({
  livemode: account.livemode,
  stripeAccount,
});

const NO_SUCH = "The account has no such subscription that could be changed.";

async function mustHave(scope: TenantScope, change: SubscriptionChange): Promise<OwnSubscription> {
  const own = await wanted(scope, change);
  if (own === undefined) throw publicError("not_found", { message: NO_SUCH });
  return own;
}

/** Our clock is not Stripe's. */
const CLOCKS_DIFFER_SECONDS = 30;

/**
 * The account's own, if it is live. A request that runs again never changes one that was begun after it. Throws
 * `invalid_request` when there are several and none is named, `stripe_not_connected`.
 */
async function wanted(
  scope: TenantScope,
  { account, subscriptionId, begunBefore = Infinity }: SubscriptionChange,
): Promise<OwnSubscription | undefined> {
  const live = (await liveSubscriptions(scope, account)).filter(
    ({ createdAt }) => (createdAt ?? 0) <= begunBefore + CLOCKS_DIFFER_SECONDS,
  );
  if (subscriptionId === undefined && live.length > 1) {
    throw publicError("invalid_request", {
      param: "subscription_id",
      message: "The account has several subscriptions: name one as subscription_id.",
    });
  }
  const found = live.find(({ id }) => subscriptionId === undefined || id === subscriptionId);
  if (found !== undefined) await mustBeConnected(scope, account, found.stripeAccount);
  return found;
}

/** The one that an earlier run of this request may have canceled. */
async function endedSince(
  scope: TenantScope,
  { account, subscriptionId, begunBefore }: SubscriptionChange,
): Promise<OwnSubscription | undefined> {
  if (begunBefore === undefined) return undefined;
  const ended = (await ownSubscriptions(scope, account)).find(
    ({ id, endedAt }) =>
      (subscriptionId === undefined || id === subscriptionId) &&
      endedAt !== null &&
      endedAt >= begunBefore - CLOCKS_DIFFER_SECONDS,
  );
  if (ended !== undefined) await mustBeConnected(scope, account, ended.stripeAccount);
  return ended;
}

/** What is asked has been done: how it stands at Stripe. */
async function asItIs(
  context: CustomerContext,
  scope: TenantScope,
  change: SubscriptionChange,
  own: OwnSubscription,
): Promise<ChangedSubscription> {
  const answer = await ask<StripeSubscription>(context.stripe, placeOf(change, own), undefined, (client, options) =>
    client.subscriptions.retrieve(own.id, {}, options),
  );
  return changed(context, scope, change, own, answer);
}

/** Of its plan; of the one that it was begun with here, where Stripe's portal has moved it to a price of none. */
async function groupOf(
  scope: TenantScope,
  change: SubscriptionChange,
  own: OwnSubscription,
): Promise<string | undefined> {
  const plan = own.priceId === null ? undefined : await planOf(scope, change, own, own.priceId);
  return plan?.planGroup ?? groupOfSubscription(scope, change.account, own.id);
}

function planOf(
  scope: TenantScope,
  { account: { tenantId, livemode } }: SubscriptionChange,
  { stripeAccount }: OwnSubscription,
  priceId: string,
): Promise<SoldPlan | undefined> {
  return planOfPrice(scope, { tenantId, livemode, stripeAccount, priceId });
}

/** What Stripe answered becomes our state in the same way as its events; the caller is told it at once. */
async function changed(
  { database, platformTenant, wake }: CustomerContext,
  scope: TenantScope,
  change: SubscriptionChange,
  own: OwnSubscription,
  answer: StripeAnswer<StripeSubscription>,
): Promise<ChangedSubscription> {
  const observation = observationOf(placeOf(change, own), answer);
  await observe(database, [observation], platformTenant);
  wake();
  const row = rowOf(observation.object);
  const priceId = textOf(row.price_id);
  return {
    id: own.id,
    status: textOf(row.status),
    plan: priceId === null ? undefined : await planOf(scope, change, own, priceId),
    priceId,
    quantity: numberOf(row.quantity),
    currentPeriodEnd: numberOf(row.current_period_end),
    trialEnd: numberOf(row.trial_end),
    cancelAt: numberOf(row.cancel_at),
    cancelScheduled: row.cancel_scheduled === true,
  };
}

/** As our copy of it will be. Nothing of a subscription's row comes from anything but the object. */
function rowOf(object: StripeObject): ReturnType<typeof projection.row> {
  const observation = { id: "", source: "pull", type: "subscription.retrieved", created: 0, livemode: false } as const;
  const told = { account: "", apiVersion: null, objectType: "subscription", objectId: null };
  return projection.row(object, { ...observation, ...told, object });
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
