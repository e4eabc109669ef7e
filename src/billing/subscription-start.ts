// Beginning a subscription: its request takes the plan group's one place in the account, and then Stripe is asked.
import {
  endSubscriptionRequest,
  findByRequestKey,
  findHolding,
  insertSubscriptionRequest,
  type NewSubscriptionRequest,
  recordRequestAnswer,
  settleSubscriptionRequests,
  type SubscriptionRequest,
  type SubscriptionTerms,
} from "../accounts/subscription-request-table.ts";
import { lockAccount } from "../accounts/account-table.ts";
import type { Clock } from "../base/clock.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";
import { activePlanOfPrice, planOfPrice, type SoldPlan } from "../credits/plan-table.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { feePercentOf, sellingAccountOf } from "./selling-account.ts";
import { recordStatusId } from "./status-grants.ts";
import { statusUrl } from "./status-url.ts";
import { askForCustomer, type CustomerContext } from "./stripe-customer.ts";
import {
  type CheckoutSession,
  clientSecretOf,
  createSubscription,
  createSubscriptionSession,
  findPromotionCode,
  observationOf,
  type StripeSubscription,
} from "./subscription-calls.ts";
import { hadTrial, liveSubscriptions } from "./subscription-reads.ts";
import { giveWay, withdraw } from "./subscription-release.ts";

export interface SubscriptionContext extends CustomerContext {
  people: { ring: KeyRing; frontendUrl: string };
  publicUrl: string;
  clock: Pick<Clock, "now">;
  platformFeePercent: number;
  /** Of one account; one, unless it is set. */
  subscriptionsPerGroup?: "one" | "many";
}

export interface WantedSubscription {
  livemode: boolean;
  accountId: string;
  mode: SubscriptionTerms["mode"];
  priceId: string;
  quantity: number;
  /** Undefined: as the plan has it. */
  trialDays: number | undefined;
  promotionCode: string | undefined;
  automaticTax: boolean;
  /** The same for each run of one request; undefined: the request is not repeated. */
  requestKey: string | undefined;
}

export interface StartedSubscription {
  statusUrl: string;
  stripeAccount: string;
  /** In the mode `checkout`. */
  session?: { id: string; url: string | null };
  /** In the mode `elements`. */
  subscription?: { id: string; clientSecret: string | null };
}

/** Other requests may come between a look and what follows from it. */
const ROUNDS = 3;

/**
 * Asks Stripe for a checkout session, or for an incomplete subscription. The same terms asked for again go on with what is
 * there; other terms take the place of what was never paid.
 *
 * @throws PublicError `subscription_exists`, `not_found` for a price that is no active plan of the tenant and mode,
 * `stripe_not_connected`
 */
export async function startSubscription(
  context: SubscriptionContext,
  scope: TenantScope,
  wanted: WantedSubscription,
): Promise<StartedSubscription> {
  if (!context.stripe.has(wanted.livemode)) throw publicError("stripe_not_configured");
  const known = await requestBefore(scope, wanted);
  if (known !== undefined) return askFor(context, scope, known);
  const request = await requestFor(context, scope, wanted);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const placed = await scope.transaction((tx) => place(tx, request, wanted));
    if (placed !== undefined) {
      const unasked = { sessionId: null, subscriptionId: null, holds: true, handed: false, age: 0 };
      return askFor(context, scope, { ...placed, ...unasked });
    }
    // A place of its own is taken by the same request alone.
    const same = request.ownPlace ? await requestBefore(scope, wanted) : undefined;
    if (same !== undefined) return askFor(context, scope, same);
    const holding = (await findHolding(scope, request)) ?? (await requestBefore(scope, wanted));
    // It has given its place free by now.
    if (holding === undefined) continue;
    const fate = await giveWay(context, scope, holding, request);
    if (fate === "resumed") return askFor(context, scope, holding);
    if (fate === "stays") throw publicError("subscription_exists");
  }
  throw publicError("subscription_exists", {
    message: "Several requests for a subscription of this account came at once: look at it, and try again.",
    retryAfter: 1,
  });
}

/** Undefined: its place is taken. An account's requests with a trial are placed one after the other: only one of them has it. */
async function place(
  tx: Queryable,
  request: NewSubscriptionRequest,
  { trialDays: wanted }: WantedSubscription,
): Promise<NewSubscriptionRequest | undefined> {
  let { trialDays } = request;
  if (trialDays > 0) {
    await lockAccount(tx, request);
    const had = await hadTrial(tx, request, instead(request));
    if (had) trialDays = trialOf({ trialDays }, wanted, had);
  }
  const placed = { ...request, trialDays };
  return (await insertSubscriptionRequest(tx, placed)) ? placed : undefined;
}

/** The group whose open request makes room for this one. */
const instead = ({ planGroup, ownPlace }: Pick<NewSubscriptionRequest, "planGroup" | "ownPlace">): string | null =>
  ownPlace ? null : planGroup;

async function requestBefore(
  scope: TenantScope,
  { livemode, requestKey }: WantedSubscription,
): Promise<SubscriptionRequest | undefined> {
  if (requestKey === undefined) return undefined;
  return findByRequestKey(scope, { tenantId: scope.tenantId, livemode, requestKey });
}

async function requestFor(
  context: SubscriptionContext,
  scope: TenantScope,
  wanted: WantedSubscription,
): Promise<NewSubscriptionRequest> {
  const { tenantId } = scope;
  const { livemode, accountId, priceId, mode, quantity, automaticTax, requestKey = null } = wanted;
  const ownPlace = context.subscriptionsPerGroup === "many";
  const terms = await scope.transaction(async (tx) => {
    const stripeAccount = await sellingAccountOf(tx, { tenantId, livemode }, context.platformTenant);
    const plan = await activePlanOfPrice(tx, { tenantId, livemode, priceId });
    if (plan?.stripeAccount !== stripeAccount) {
      const message = "No plan is sold at this price now: take a price_id from GET /api/v1/plans/.";
      throw publicError("not_found", { message, param: "price_id" });
    }
    const account = { tenantId, livemode, accountId };
    const had = await hadTrial(tx, account, instead({ planGroup: plan.planGroup, ownPlace }));
    const trialDays = trialOf(plan, wanted.trialDays, had);
    if (!ownPlace) await checkPlace(tx, { ...account, stripeAccount }, plan.planGroup);
    const percent = await feePercentOf(tx, tenantId, context);
    return { stripeAccount, planId: plan.id, planGroup: plan.planGroup, trialDays, applicationFeePercent: percent };
  });
  const { promotionCode } = wanted;
  const place = { livemode, stripeAccount: terms.stripeAccount };
  const promotionCodeId =
    promotionCode === undefined ? null : await findPromotionCode(context.stripe, place, promotionCode);
  const own = { tenantId, livemode, id: newId("subr"), accountId, requestKey, ownPlace };
  return { ...own, ...terms, mode, priceId, quantity, promotionCodeId, automaticTax };
}

/** The plan's own, once in an account's life; who asks for less gets less. Throws `invalid_request` for more. */
function trialOf({ trialDays }: Pick<SoldPlan, "trialDays">, wanted: number | undefined, had: boolean): number {
  const most = trialDays ?? 0;
  if (wanted === undefined) return had ? 0 : most;
  if (wanted === 0 || (wanted <= most && !had)) return wanted;
  throw publicError("invalid_request", {
    param: "trial_days",
    message: had
      ? "The account had its trial, or has asked for it already: leave trial_days out."
      : `The plan's trial has ${String(most)} days: ask for at most as many.`,
  });
}

/** Subscriptions that were not asked for here hold their places too. */
async function checkPlace(
  tx: Queryable,
  account: { tenantId: string; livemode: boolean; accountId: string; stripeAccount: string },
  planGroup: string,
): Promise<void> {
  for (const { priceId } of await liveSubscriptions(tx, account)) {
    if (priceId === null) continue;
    const plan = await planOfPrice(tx, { ...account, priceId });
    if (plan?.planGroup === planGroup) throw publicError("subscription_exists");
  }
}

/** Under the same key for the same customer: asked again, Stripe answers what it answered. */
async function askFor(
  context: SubscriptionContext,
  scope: TenantScope,
  request: SubscriptionRequest,
): Promise<StartedSubscription> {
  if (!request.holds) {
    const message = "What this request began has ended: send it again under a new Idempotency-Key.";
    throw publicError("subscription_unchangeable", { message });
  }
  try {
    return await (request.mode === "checkout"
      ? byCheckout(context, scope, request)
      : byElements(context, scope, request));
  } catch (error) {
    // Stripe has nothing of it, and will have nothing. A page that was handed out stays open, whatever Stripe says to us now.
    const nothing = request.sessionId === null && request.subscriptionId === null;
    if (error instanceof StripeCallError && !error.transient && nothing) {
      await context.database.transaction((tx) => endSubscriptionRequest(tx, request));
    }
    throw error;
  }
}

async function byCheckout(
  context: SubscriptionContext,
  scope: TenantScope,
  request: SubscriptionRequest,
): Promise<StartedSubscription> {
  const { frontendUrl } = context.people;
  const answer = await askForCustomer(context, scope, request, (customer) =>
    createSubscriptionSession(context.stripe, request, { customer, frontendUrl }),
  );
  const { id, url } = answer.value;
  const told = await recordAnswer(context, request, answer, { sessionId: id });
  return { ...told, session: { id, url } };
}

async function byElements(
  context: SubscriptionContext,
  scope: TenantScope,
  request: SubscriptionRequest,
): Promise<StartedSubscription> {
  const answer = await askForCustomer(context, scope, request, (customer) =>
    createSubscription(context.stripe, request, customer),
  );
  const { id } = answer.value;
  const told = await recordAnswer(context, request, answer, { subscriptionId: id });
  return { ...told, subscription: { id, clientSecret: clientSecretOf(answer.value) } };
}

async function recordAnswer(
  context: SubscriptionContext,
  request: SubscriptionRequest,
  answer: StripeAnswer<CheckoutSession | StripeSubscription>,
  ids: { sessionId?: string; subscriptionId?: string },
): Promise<StartedSubscription> {
  const { database, platformTenant, wake } = context;
  const { tenantId, livemode, stripeAccount, accountId } = request;
  const grant = { tenantId, livemode, stripeAccount, objectId: answer.value.id };
  const holds = await database.transaction(async (tx) => {
    const stillHolds = await recordRequestAnswer(tx, request, ids);
    await observe(tx, [observationOf(request, answer)], platformTenant);
    await recordStatusId(tx, { ...grant, accountId });
    await settleSubscriptionRequests(tx, [request]);
    return stillHolds;
  });
  wake();
  if (!holds) {
    // Should this come to nothing, the reducer finds it without its place, and it is withdrawn later.
    await withdraw(context, { ...request, sessionId: null, subscriptionId: null, ...ids });
    const message =
      "Another subscription was asked for meanwhile, and took the place of this one: look at the account.";
    throw publicError("subscription_exists", { message });
  }
  return { stripeAccount, statusUrl: statusUrl(context, grant) };
}
