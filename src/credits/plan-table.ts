// Plans as rows: what a tenant sells subscriptions by, in one mode. Table: plans
import type { Queryable } from "../db/database.ts";
import type { Interval, NewOffer, Offer, OfferFields, OfferRef } from "./offer.ts";
import { JOIN_SYNC, SYNC_COLUMNS } from "./offer-table.ts";
import { meansOffer, type OfferFilter } from "./pack-table.ts";

export const DEFAULT_GROUP = "default";

/** false: its key, or its operation, has a plan already. */
export async function insertPlan(tx: Queryable, plan: NewOffer): Promise<boolean> {
  const values = [...valuesOf(plan, plan), plan.operationId];
  return (await tx.query({ text: INSERT, values })).rowCount === 1;
}

/** Throws a unique violation for a key that another plan has. */
export async function updatePlan(tx: Queryable, ref: OfferRef, fields: OfferFields): Promise<void> {
  await tx.query({ text: UPDATE, values: valuesOf(ref, fields) });
}

function valuesOf({ tenantId, livemode, id }: OfferRef, fields: OfferFields): unknown[] {
  const { key, name, amount, currency, interval, intervalCount, features, planGroup, trialDays, active } = fields;
  return [
    ...[tenantId, livemode, id, key, name, amount, currency, interval, intervalCount ?? 1],
    ...[JSON.stringify(features), planGroup ?? DEFAULT_GROUP, trialDays, active],
  ];
}

/** What it is sold at from now on. */
export async function recordPlanPrice(
  tx: Queryable,
  { tenantId, livemode, id }: OfferRef,
  { productId, priceId }: { productId: string; priceId: string },
): Promise<void> {
  await tx.query({ text: RECORD_PRICE, values: [tenantId, livemode, id, productId, priceId] });
}

/** One that Stripe refused before it was ever sold. */
export async function deletePlan(tx: Queryable, { tenantId, livemode, id }: OfferRef): Promise<void> {
  await tx.query({ text: DELETE, values: [tenantId, livemode, id] });
}

export interface PlanFilter extends OfferFilter {
  group?: string | undefined;
  /** Only what can be subscribed to, on the terms of its Stripe price. */
  sold?: boolean;
}

/** Newest first. `lock`: until the transaction ends. */
export async function readPlans(
  tx: Queryable,
  filter: PlanFilter,
  { lock = false }: { lock?: boolean } = {},
): Promise<Offer[]> {
  const { tenantId, livemode, ids, keys, operationId, active, after, limit, group } = filter;
  const { interval = null, text = null, sold = false } = filter;
  const optional = [ids, keys, operationId, active, after, limit, group].map((value) => value ?? null);
  const values = [tenantId, livemode, ...optional, sold, interval, text];
  const { rows } = await tx.query<Offer>({ text: `${READ}${lock ? " for update of offer" : ""}`, values });
  return rows;
}

/** A plan as it is sold at one Stripe price, on that price's terms. */
export interface SoldPlan {
  id: string;
  key: string | null;
  name: string;
  /** Minor units, for one period of one seat. */
  amount: number;
  currency: string;
  interval: Interval;
  intervalCount: number;
  features: string[];
  /** An account has one active subscription in a group. */
  planGroup: string;
  trialDays: number | null;
  active: boolean;
  priceId: string;
  /** Where the price is: "" for the platform's own account. */
  stripeAccount: string;
}

/** What can be subscribed to now, the cheapest first. */
export async function activePlans(
  tx: Queryable,
  { tenantId, livemode }: { tenantId: string; livemode: boolean },
): Promise<SoldPlan[]> {
  const text = `${SOLD} order by price.amount, plan.id`;
  return (await tx.query<SoldPlan>({ text, values: [tenantId, livemode] })).rows;
}

/** The active plan of the tenant that is sold at this price now. */
export async function activePlanOfPrice(
  tx: Queryable,
  { tenantId, livemode, priceId }: { tenantId: string; livemode: boolean; priceId: string },
): Promise<SoldPlan | undefined> {
  const text = `${SOLD} and plan.stripe_price_id = $3`;
  return (await tx.query<SoldPlan>({ text, values: [tenantId, livemode, priceId] })).rows[0];
}

/** The plan that is or was sold at this price: what a subscription that was made then still is. */
export async function planOfPrice(
  tx: Queryable,
  { tenantId, livemode, stripeAccount, priceId }: Omit<OfferRef, "id"> & { stripeAccount: string; priceId: string },
): Promise<SoldPlan | undefined> {
  const values = [tenantId, livemode, stripeAccount, priceId];
  return (await tx.query<SoldPlan>({ text: OF_PRICE, values })).rows[0];
}

const INSERT = `
  insert into plans (tenant_id, livemode, id, key, name, amount, currency, billing_interval, interval_count, features,
    plan_group, trial_days, active, operation_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14) on conflict do nothing`;

const UPDATE = `
  update plans
  set key = $4, name = $5, amount = $6, currency = $7, billing_interval = $8, interval_count = $9, features = $10::jsonb,
      plan_group = $11, trial_days = $12, active = $13, updated_at = now()
  where tenant_id = $1 and livemode = $2 and id = $3`;

const RECORD_PRICE = `
  update plans set stripe_product_id = $4, stripe_price_id = $5 where tenant_id = $1 and livemode = $2 and id = $3`;

const DELETE = "delete from plans where tenant_id = $1 and livemode = $2 and id = $3 and stripe_price_id is null";

const NAMES: Readonly<Record<string, string>> = { billing_interval: "interval", interval_count: "intervalCount" };
const soldOr = (column: string): string =>
  `case when $10::boolean then price.${column} else offer.${column} end as "${NAMES[column] ?? column}"`;

const READ = `
  select 'plan' as kind, offer.tenant_id as "tenantId", offer.livemode, offer.id, offer.key, offer.name, null as credits,
         ${["amount", "currency", "billing_interval", "interval_count"].map(soldOr).join(", ")}, offer.features, offer.plan_group as "planGroup", offer.trial_days as "trialDays", offer.active,
         offer.stripe_product_id as "productId", offer.stripe_price_id as "priceId", offer.created_at as "createdAt",
         offer.updated_at as "updatedAt", ${SYNC_COLUMNS}
  from plans as offer ${JOIN_SYNC}
  left join offer_prices as price
    on price.tenant_id = offer.tenant_id and price.livemode = offer.livemode and price.stripe_account = sync.stripe_account
   and price.stripe_price_id = offer.stripe_price_id
  where (not $10::boolean or price.stripe_price_id is not null) and ($9::text is null or offer.plan_group = $9)
    and ($11::text is null or offer.billing_interval = $11)
    and offer.tenant_id = $1 and offer.livemode = $2
    and ($3::text[] is null or offer.id = any ($3::text[])) and ($4::text[] is null or offer.key = any ($4::text[]))
    and ($5::text is null or offer.operation_id = $5) and ($6::boolean is null or offer.active = $6)
    and ($7::text is null or offer.id < $7) and ${meansOffer("$12")}
  order by offer.id desc limit $8::bigint`;

const SOLD_COLUMNS = `
  plan.id, plan.key, plan.name, price.amount, price.currency, price.billing_interval as interval,
  price.interval_count as "intervalCount", plan.features, plan.plan_group as "planGroup", plan.trial_days as "trialDays",
  plan.active, price.stripe_price_id as "priceId", price.stripe_account as "stripeAccount"`;

const SOLD = `
  select ${SOLD_COLUMNS}
  from plans as plan
  join offer_syncs as sync on sync.tenant_id = plan.tenant_id and sync.livemode = plan.livemode and sync.offer_id = plan.id
  join offer_prices as price
    on price.tenant_id = plan.tenant_id and price.livemode = plan.livemode and price.stripe_account = sync.stripe_account
   and price.stripe_price_id = plan.stripe_price_id
  where plan.tenant_id = $1 and plan.livemode = $2 and plan.active`;

const OF_PRICE = `
  select ${SOLD_COLUMNS}
  from offer_prices as price
  join plans as plan on plan.tenant_id = price.tenant_id and plan.livemode = price.livemode and plan.id = price.offer_id
  where price.tenant_id = $1 and price.livemode = $2 and price.stripe_account = $3 and price.stripe_price_id = $4`;
