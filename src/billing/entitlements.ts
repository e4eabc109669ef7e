// Whether a customer may use something now: status, plans, features and balance in one read.
import type { AccountKey, AccountStatus } from "../accounts/account-table.ts";
import { isEntitling } from "../accounts/account-status.ts";
import type { Queryable } from "../db/database.ts";

export interface EntitledPlan {
  id: string;
  key: string | null;
  name: string;
  group: string;
  priceId: string;
  quantity: number | null;
  features: string[];
  subscriptionId: string;
  subscriptionStatus: string;
  /** Unix seconds. */
  currentPeriodEnd: number | null;
  cancelScheduled: boolean;
}

export interface Entitlements {
  status: AccountStatus;
  isTrialUser: boolean;
  periodEnd: Date | null;
  trialEnd: Date | null;
  /** What has expired does not count, though the job that writes it comes later. */
  creditBalance: number;
  /** Of subscriptions that entitle, the newest first. */
  plans: EntitledPlan[];
}

/** Undefined: there is no such account. */
export async function readEntitlements(tx: Queryable, account: AccountKey): Promise<Entitlements | undefined> {
  const values = [account.tenantId, account.livemode, account.accountId];
  const { rows } = await tx.query<Entitlements>({ name: "read_entitlements", text: READ, values });
  return rows.map((row) => ({
    ...row,
    plans: row.plans.filter(({ subscriptionStatus }) => isEntitling(subscriptionStatus)),
  }))[0];
}

// The price says which plan: one that was replaced since is still what was subscribed to.
const READ = `
  select account.status, account.is_trial_user as "isTrialUser", account.period_end as "periodEnd",
         account.trial_end as "trialEnd",
         coalesce((
           select stored.balance - coalesce((
             select sum(lot.remaining)::bigint from credit_lots as lot
             where lot.tenant_id = stored.tenant_id and lot.livemode = stored.livemode and lot.account_id = stored.account_id
               and lot.open and lot.expires_at <= statement_timestamp()), 0)
           from credit_balances as stored
           where stored.tenant_id = account.tenant_id and stored.livemode = account.livemode
             and stored.account_id = account.id), 0) as "creditBalance",
         coalesce((
           select json_agg(json_build_object(
             'id', plan.id, 'key', plan.key, 'name', plan.name, 'group', plan.plan_group, 'priceId', price.stripe_price_id,
             'quantity', item.quantity, 'features', plan.features, 'subscriptionId', subscription.id,
             'subscriptionStatus', subscription.status,
             'currentPeriodEnd', extract(epoch from subscription.current_period_end)::bigint,
             'cancelScheduled', coalesce(subscription.cancel_scheduled, false))
             order by subscription.stripe_created desc nulls last, subscription.id desc, item.id)
           from subscriptions as subscription
           join subscription_items as item
             on item.livemode = subscription.livemode and item.stripe_account = subscription.stripe_account
            and item.subscription_id = subscription.id
           join offer_prices as price
             on price.tenant_id = account.tenant_id and price.livemode = account.livemode
            and price.stripe_account = subscription.stripe_account and price.stripe_price_id = item.price_id
           join plans as plan
             on plan.tenant_id = price.tenant_id and plan.livemode = price.livemode and plan.id = price.offer_id
           where subscription.livemode = account.livemode and subscription.tenant_id = account.tenant_id
             and subscription.stripe_account = account.stripe_customer_account
             and subscription.customer_id = account.stripe_customer_id), '[]') as plans
  from accounts as account
  where account.tenant_id = $1 and account.livemode = $2 and account.id = $3`;
