// What our copies of Stripe's objects say of an account's subscriptions.
import type { AccountKey } from "../accounts/account-table.ts";
import { isLive } from "../accounts/account-status.ts";
import type { SubscriptionRequest } from "../accounts/subscription-request-table.ts";
import { firstIdAt, isId, timeOfId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";

export interface OwnSubscription {
  id: string;
  stripeAccount: string;
  status: string | null;
  priceId: string | null;
  quantity: number | null;
  /** Its first item: what a change of plan changes. */
  itemId: string | null;
  cancelScheduled: boolean;
  /** Unix seconds; null: it has not ended. */
  createdAt: number | null;
  endedAt: number | null;
}

/** Newest first, of the account's customer as it is now. Ended ones and those that never began are left out. */
export async function liveSubscriptions(tx: Queryable, account: AccountKey): Promise<OwnSubscription[]> {
  return (await ownSubscriptions(tx, account)).filter(({ status }) => isLive(status));
}

/** The same with those too. */
export async function ownSubscriptions(tx: Queryable, account: AccountKey): Promise<OwnSubscription[]> {
  const values = [account.tenantId, account.livemode, account.accountId];
  return (await tx.query<OwnSubscription>({ text: SUBSCRIPTIONS, values })).rows;
}

/** Clocks of nodes that make ids differ by less. */
const CLOCKS_DIFFER = 3_600_000;

/**
 * Whether one of its subscriptions began with a trial, also of a customer at Stripe that it had before, or one may begin that
 * was asked for. `instead`: the plan group whose open request makes room for the one that this is asked for.
 */
export async function hadTrial(
  tx: Queryable,
  { tenantId, livemode, accountId }: AccountKey,
  instead: string | null,
): Promise<boolean> {
  // Requests are looked up by their ids, which grow: none is older than its account.
  const oldest = firstIdAt("subr", isId(accountId, "acc") ? timeOfId(accountId) - CLOCKS_DIFFER : 0);
  return (await tx.query({ text: HAD_TRIAL, values: [tenantId, livemode, accountId, instead, oldest] })).rowCount > 0;
}

export interface RequestHeads {
  sessionStatus: string | null;
  subscriptionStatus: string | null;
}

/** Null: there is none yet, or nothing was told of it. */
export async function readRequestHeads(tx: Queryable, request: SubscriptionRequest): Promise<RequestHeads> {
  const { livemode, stripeAccount, sessionId, subscriptionId } = request;
  const values = [livemode, stripeAccount, sessionId, subscriptionId];
  const [heads] = (await tx.query<RequestHeads>({ text: HEADS, values })).rows;
  return heads ?? { sessionStatus: null, subscriptionStatus: null };
}

const OF_ACCOUNT = `
  from accounts as account
  join subscriptions as stored
    on stored.livemode = account.livemode and stored.stripe_account = account.stripe_customer_account
   and stored.customer_id = account.stripe_customer_id and stored.tenant_id = account.tenant_id
  where account.tenant_id = $1 and account.livemode = $2 and account.id = $3`;

const SUBSCRIPTIONS = `
  select stored.id, stored.stripe_account as "stripeAccount", stored.status, stored.price_id as "priceId", stored.quantity,
         (select item.id from subscription_items as item
          where item.livemode = stored.livemode and item.stripe_account = stored.stripe_account
            and item.subscription_id = stored.id
          order by item.price_id is distinct from stored.price_id, item.id limit 1) as "itemId",
         coalesce(stored.cancel_scheduled, false) as "cancelScheduled",
         extract(epoch from stored.stripe_created)::float8 as "createdAt", extract(epoch from stored.ended_at)::float8 as "endedAt"
  ${OF_ACCOUNT}
  order by stored.stripe_created desc nulls last, stored.id desc`;

// A session stays open for 24 hours; what was begun on it is a subscription by then.
const HAD_TRIAL = `
  select 1 where exists (select ${OF_ACCOUNT} and stored.trial_start is not null)
  or exists (
    select from subscription_requests as asked
    where asked.tenant_id = $1 and asked.livemode = $2 and asked.account_id = $3 and asked.holds
      and asked.plan_group is distinct from $4::text and asked.trial_days > 0
      and asked.created_at > now() - interval '24 hours')
  or exists (
    select from subscription_requests as asked
    join subscriptions as begun
      on begun.livemode = asked.livemode and begun.stripe_account = asked.stripe_account and begun.id = asked.subscription_id
    where asked.tenant_id = $1 and asked.livemode = $2 and asked.id >= $5 and asked.account_id = $3
      and begun.trial_start is not null)`;

const HEADS = `
  select (select status from checkout_sessions where livemode = $1 and stripe_account = $2 and id = $3) as "sessionStatus",
         (select status from subscriptions where livemode = $1 and stripe_account = $2 and id = $4) as "subscriptionStatus"`;
