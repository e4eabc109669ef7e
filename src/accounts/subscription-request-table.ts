// Subscriptions that were asked for: written before Stripe is asked, each holding its plan group's one place in its account,
// or one of its own beside it.
// Table: subscription_requests
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface RequestRef {
  tenantId: string;
  livemode: boolean;
  /** subr_… */
  id: string;
}

/** What Stripe is asked with: the same at each try. */
export interface SubscriptionTerms {
  mode: "checkout" | "elements";
  priceId: string;
  quantity: number;
  trialDays: number;
  /** promo_… */
  promotionCodeId: string | null;
  automaticTax: boolean;
}

export interface NewSubscriptionRequest extends RequestRef, SubscriptionTerms {
  accountId: string;
  planId: string;
  planGroup: string;
  /** It takes no place from others of its group: an account may have many of them. */
  ownPlace: boolean;
  /** null: the platform sells itself. */
  applicationFeePercent: number | null;
  /** "" for the platform's own. */
  stripeAccount: string;
  requestKey: string | null;
}

export interface SubscriptionRequest extends NewSubscriptionRequest {
  sessionId: string | null;
  subscriptionId: string | null;
  holds: boolean;
  /** Its page or secret was handed out while it had its place. */
  handed: boolean;
  /** Seconds since it was made. */
  age: number;
}

/** False: its place is taken, or this request was made before. */
export async function insertSubscriptionRequest(tx: Queryable, request: NewSubscriptionRequest): Promise<boolean> {
  const { tenantId, livemode, id, accountId, planId, planGroup, mode, priceId, quantity, trialDays } = request;
  const { promotionCodeId, automaticTax, applicationFeePercent, stripeAccount, requestKey, ownPlace } = request;
  const place = ownPlace ? `${planGroup}:${id}` : planGroup;
  const values = [
    ...[tenantId, livemode, id, accountId, planId, place, mode, priceId, quantity, trialDays, promotionCodeId],
    ...[automaticTax, applicationFeePercent, stripeAccount, requestKey],
  ];
  return (await tx.query({ text: INSERT, values })).rowCount === 1;
}

/** What an earlier run of the same request wrote. */
export async function findByRequestKey(
  tx: Queryable,
  { tenantId, livemode, requestKey }: { tenantId: string; livemode: boolean; requestKey: string },
): Promise<SubscriptionRequest | undefined> {
  const values = [tenantId, livemode, requestKey];
  return (await tx.query<SubscriptionRequest>({ text: BY_KEY, values })).rows[0];
}

/** The one that holds the group's place. */
export async function findHolding(
  tx: Queryable,
  { tenantId, livemode, accountId, planGroup }: Omit<RequestRef, "id"> & { accountId: string; planGroup: string },
): Promise<SubscriptionRequest | undefined> {
  const values = [tenantId, livemode, accountId, planGroup];
  return (await tx.query<SubscriptionRequest>({ text: HOLDING, values })).rows[0];
}

/** Of Stripe's answer. What is known already stays. False: it has given its place to another one meanwhile. */
export async function recordRequestAnswer(
  tx: Queryable,
  { tenantId, livemode, id }: RequestRef,
  { sessionId, subscriptionId }: { sessionId?: string; subscriptionId?: string },
): Promise<boolean> {
  const values = [tenantId, livemode, id, sessionId ?? null, subscriptionId ?? null];
  return (await tx.query<{ holds: boolean }>({ text: RECORD, values })).rows[0]?.holds === true;
}

/**
 * It never came to be, or has ended: its place is free. False: it is not what the caller has seen any more; Stripe has
 * answered meanwhile.
 */
export async function endSubscriptionRequest(tx: Queryable, seen: SubscriptionRequest): Promise<boolean> {
  const values = [seen.tenantId, seen.livemode, seen.id, seen.sessionId, seen.subscriptionId];
  return (await tx.query({ text: END, values })).rowCount > 0;
}

/** What one of Stripe's objects says of the request that it may belong to. */
export interface RequestLink {
  /** Whose event it was: another tenant's request is never found. */
  tenantId: string;
  livemode: boolean;
  stripeAccount: string;
  customerId: string | null;
  sessionId: string | null;
  subscriptionId: string | null;
  /** The request that a subscription names; believed where its customer is the request's account's. */
  claim: string | null;
}

/**
 * Brings the requests of these objects to what is known of their sessions and subscriptions, asked behind the statements
 * that write those. Their locks are taken before they are read: of two workers the later one sees the rows of both.
 */
export async function followSubscriptionRequests(tx: Queryable, links: readonly RequestLink[]): Promise<void> {
  if (links.length === 0) return;
  const { rows: found } = await tx.query<RequestRef>({
    name: "lock_subscription_requests",
    text: LOCK,
    values: [
      textArray(links.map((link) => link.tenantId)),
      booleanArray(links.map((link) => link.livemode)),
      textArray(links.map((link) => link.stripeAccount)),
      textArray(links.map((link) => link.customerId)),
      textArray(links.map((link) => link.sessionId)),
      textArray(links.map((link) => link.subscriptionId)),
      textArray(links.map((link) => link.claim)),
    ],
  });
  await settleSubscriptionRequests(tx, found);
}

/** The same of these: for who has just recorded their objects. Locked by the caller, or written by it. */
export async function settleSubscriptionRequests(tx: Queryable, requests: readonly RequestRef[]): Promise<void> {
  if (requests.length === 0) return;
  await tx.query({
    name: "settle_subscription_requests",
    text: SETTLE,
    values: [
      textArray(requests.map((one) => one.tenantId)),
      booleanArray(requests.map((one) => one.livemode)),
      textArray(requests.map((one) => one.id)),
    ],
  });
}

/** The plan group that a subscription was begun in here; undefined: it was begun elsewhere. */
export async function groupOfSubscription(
  tx: Queryable,
  { tenantId, livemode, accountId }: Omit<RequestRef, "id"> & { accountId: string },
  subscriptionId: string,
): Promise<string | undefined> {
  const values = [tenantId, livemode, accountId, subscriptionId];
  return (await tx.query<{ group: string }>({ text: GROUP, values })).rows[0]?.group;
}

/** Takes for so many seconds those whose subscription is there without its place. */
export async function claimLostRequests(
  tx: Queryable,
  { modes, limit, seconds }: { modes: readonly boolean[]; limit: number; seconds: number },
): Promise<SubscriptionRequest[]> {
  return (await tx.query<SubscriptionRequest>({ text: CLAIM_LOST, values: [modes, limit, seconds] })).rows;
}

/** withdrawn: it has ended · stays: it was paid · later: it is looked at again after so many seconds */
export async function endWithdrawal(
  tx: Queryable,
  { tenantId, livemode, id }: RequestRef,
  fate: "withdrawn" | "stays" | { later: number },
): Promise<void> {
  const after = fate === "withdrawn" ? null : fate === "stays" ? "infinity" : `${String(fate.later)} seconds`;
  await tx.query({ text: END_WITHDRAWAL, values: [tenantId, livemode, id, after] });
}

const INSERT = `
  insert into subscription_requests (tenant_id, livemode, id, account_id, plan_id, plan_group, mode, price_id, quantity,
    trial_days, promotion_code_id, automatic_tax, application_fee_percent, stripe_account, request_key)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
  on conflict do nothing`;

// The group of a request with a place of its own has the request's id behind it.
const PLAIN_GROUP = "replace(plan_group, ':' || id, '')";

const READ = `
  select tenant_id as "tenantId", livemode, id, account_id as "accountId", plan_id as "planId",
         ${PLAIN_GROUP} as "planGroup", plan_group <> ${PLAIN_GROUP} as "ownPlace", mode, price_id as "priceId", quantity, trial_days as "trialDays", promotion_code_id as "promotionCodeId",
         automatic_tax as "automaticTax", application_fee_percent::float8 as "applicationFeePercent",
         stripe_account as "stripeAccount", request_key as "requestKey", stripe_session_id as "sessionId",
         subscription_id as "subscriptionId", holds, handed, extract(epoch from now() - created_at)::float8 as age
  from subscription_requests`;

const GROUP = `
  select ${PLAIN_GROUP} as "group" from subscription_requests
  where tenant_id = $1 and livemode = $2 and account_id = $3 and subscription_id = $4`;

const CLAIM_LOST = `
  with claimed as (
    update subscription_requests as lost set withdraw_at = now() + $3 * interval '1 second'
    from (
      select tenant_id, livemode, id from subscription_requests
      where withdraw_at <= now() and withdraw_at < 'infinity' and livemode = any ($1::boolean[])
      order by withdraw_at limit $2 for update skip locked) as due
    where lost.tenant_id = due.tenant_id and lost.livemode = due.livemode and lost.id = due.id
    returning lost.*)
  ${READ.replace("from subscription_requests", "from claimed")}`;

const END_WITHDRAWAL = `
  update subscription_requests
  set withdraw_at = case when $4::text is null or $4::text = 'infinity' then $4::text::timestamptz
                         else now() + $4::text::interval end
  where tenant_id = $1 and livemode = $2 and id = $3`;

const BY_KEY = `${READ} where tenant_id = $1 and livemode = $2 and request_key = $3`;

const HOLDING = `${READ} where tenant_id = $1 and livemode = $2 and account_id = $3 and plan_group = $4 and holds`;

const RECORD = `
  update subscription_requests
  set stripe_session_id = coalesce(stripe_session_id, $4), subscription_id = coalesce(subscription_id, $5),
      handed = handed or holds
  where tenant_id = $1 and livemode = $2 and id = $3
  returning holds`;

const END = `
  update subscription_requests set holds = false, ended_at = coalesce(ended_at, now())
  where tenant_id = $1 and livemode = $2 and id = $3 and stripe_session_id is not distinct from $4::text
    and subscription_id is not distinct from $5::text`;

// `offset 0` and `limit 1`: looked up by index, whatever the plan's age.
const of = (condition: string): string => `
    select stored.tenant_id, stored.livemode, stored.id
    from wanted cross join lateral (
      select * from subscription_requests as stored
      where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode
        and stored.stripe_account = wanted.stripe_account and ${condition} offset 0) as stored`;

const LOCK = `
  with wanted as materialized (
    select * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      as wanted (tenant_id, livemode, stripe_account, customer_id, session_id, subscription_id, claim)),
  found as (
    ${of("stored.stripe_session_id = wanted.session_id")}
    union
    ${of("stored.subscription_id = wanted.subscription_id")}
    union
    ${of(`stored.id = wanted.claim and exists (
        select from accounts as account
        where account.tenant_id = stored.tenant_id and account.livemode = stored.livemode
          and account.id = stored.account_id and account.stripe_customer_id = wanted.customer_id offset 0)`)})
  select stored.tenant_id as "tenantId", stored.livemode, stored.id
  from (select * from found order by tenant_id, livemode, id) as found
  cross join lateral (
    select * from subscription_requests as stored
    where stored.tenant_id = found.tenant_id and stored.livemode = found.livemode and stored.id = found.id
    limit 1 for update) as stored`;

// A session's page is shown only when its id is recorded; a subscription that names the request and is its account's customer's
// is its own. What has ended never holds its place again; what is there without its place is withdrawn, in a moment: mostly
// whoever asked for it does so at once.
const SETTLE = `
  update subscription_requests as stored
  set subscription_id = found.subscription_id, holds = stored.holds and not found.ended,
      withdraw_at = case when not stored.holds and found.there and not found.ended
                         then coalesce(stored.withdraw_at, now() + interval '10 seconds') end,
      ended_at = case when found.ended then coalesce(stored.ended_at, now()) else stored.ended_at end
  from (
    select wanted.*, coalesce(request.subscription_id, session.subscription_id, subscription.id) as subscription_id,
           subscription.id is not null as there,
           coalesce(subscription.status in ('canceled', 'incomplete_expired'), false)
             or (coalesce(session.status = 'expired', false) and subscription.id is null) as ended
    from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, id)
    join subscription_requests as request using (tenant_id, livemode, id)
    join accounts as account
      on account.tenant_id = request.tenant_id and account.livemode = request.livemode and account.id = request.account_id
    left join lateral (
      select * from checkout_sessions as made
      where made.livemode = request.livemode and made.stripe_account = request.stripe_account
        and made.id = request.stripe_session_id
      limit 1) as session on true
    left join lateral (
      select * from subscriptions as made
      where made.livemode = request.livemode and made.stripe_account = request.stripe_account
        and (made.id = coalesce(request.subscription_id, session.subscription_id)
          or (request.subscription_id is null and session.subscription_id is null
            and made.customer_id = account.stripe_customer_id and made.metadata->>'billhook_subscription' = request.id))
      order by made.stripe_created, made.id limit 1) as subscription on true) as found
  where stored.tenant_id = found.tenant_id and stored.livemode = found.livemode and stored.id = found.id`;
