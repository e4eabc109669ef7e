// What our copies of Stripe's objects say of an account's subscriptions.
import type { AccountKey } from "../accounts/account-table.ts";
import { isLive } from "../accounts/account-status.ts";
import type { SubscriptionRequest } from "../accounts/subscription-request-table.ts";
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

/** Whether one of its subscriptions began with a trial. */
export async function hadTrial(tx: Queryable, account: AccountKey): Promise<boolean> {
  const values = [account.tenantId, account.livemode, account.accountId];
  return (await tx.query({ text: HAD_TRIAL, values })).rowCount > 0;
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

const HAD_TRIAL = `select 1 ${OF_ACCOUNT} and stored.trial_start is not null limit 1`;

const HEADS = `
  select (select status from checkout_sessions where livemode = $1 and stripe_account = $2 and id = $3) as "sessionStatus",
         (select status from subscriptions where livemode = $1 and stripe_account = $2 and id = $4) as "subscriptionStatus"`;
