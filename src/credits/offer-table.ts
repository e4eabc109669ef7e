// Packs and plans towards Stripe: which prices they were ever sold at, and what Stripe is still to be told. Tables: offer_prices, offer_syncs
import type { Queryable } from "../db/database.ts";
import type { OfferRef, Terms } from "./offer.ts";

/** Who works on one, and for how long nobody else does. */
export interface SyncLease {
  name: string;
  seconds: number;
}

/** In the commit of the change itself: it is told to Stripe by whoever claims it next. */
export async function markChanged(tx: Queryable, ref: OfferRef): Promise<void> {
  await tx.query({ text: MARK, values: keyOf(ref) });
}

/** Of an offer that was found at Stripe. */
export async function markImported(
  tx: Queryable,
  ref: OfferRef,
  { account, productOwned }: { account: string; productOwned: boolean },
): Promise<void> {
  await tx.query({ text: MARK_IMPORTED, values: [...keyOf(ref), account, productOwned] });
}

/** Takes an offer over. false: somebody works on it. `pendingOnly`: only one that Stripe is still to be told of. */
export async function claimSync(
  tx: Queryable,
  ref: OfferRef,
  lease: SyncLease,
  { pendingOnly }: { pendingOnly: boolean },
): Promise<boolean> {
  const values = [...keyOf(ref), lease.name, lease.seconds, pendingOnly];
  return (await tx.query({ text: CLAIM, values })).rowCount === 1;
}

/** Takes over what is due, in the modes that there is a key for. */
export async function claimDueSyncs(
  tx: Queryable,
  { modes, limit }: { modes: readonly boolean[]; limit: number },
  lease: SyncLease,
): Promise<OfferRef[]> {
  return (await tx.query<OfferRef>({ text: CLAIM_DUE, values: [lease.name, lease.seconds, modes, limit] })).rows;
}

/** Renews the lease. false: it was lost, and another one goes on. */
export async function renewSync(tx: Queryable, ref: OfferRef, lease: SyncLease): Promise<boolean> {
  return (await tx.query({ text: RENEW, values: [...keyOf(ref), lease.name, lease.seconds] })).rowCount === 1;
}

/** Where its product and price are from now on. */
export async function recordPlace(
  tx: Queryable,
  ref: OfferRef,
  { account, productOwned }: { account: string; productOwned: boolean },
): Promise<void> {
  await tx.query({ text: RECORD_PLACE, values: [...keyOf(ref), account, productOwned] });
}

/** Stripe has that revision. What was changed meanwhile is due at once. */
export async function finishSync(tx: Queryable, ref: OfferRef, lease: string, revision: number): Promise<void> {
  await tx.query({ text: FINISH, values: [...keyOf(ref), lease, revision] });
}

export interface SyncFailure {
  code: string;
  message: string;
}

/** Lets go. `after` null: nobody goes on with it until it is changed or asked for. */
export async function putOffSync(
  tx: Queryable,
  ref: OfferRef,
  lease: string,
  { after, failure }: { after: number | null; failure: SyncFailure },
): Promise<void> {
  const values = [...keyOf(ref), lease, after, failure.code, failure.message];
  await tx.query({ text: PUT_OFF, values });
}

/** One that never came to be. */
export async function forgetSync(tx: Queryable, ref: OfferRef): Promise<void> {
  await tx.query({ text: FORGET, values: keyOf(ref) });
}

/** Offers of tenants whose Stripe account is another one now, or that have one again, are due. Returns how many. */
export async function requeueMoved(tx: Queryable): Promise<number> {
  return (await tx.query(REQUEUE_MOVED)).rowCount;
}

export interface OfferPrice extends Terms {
  account: string;
  priceId: string;
  productId: string;
  offerId: string;
}

/** Prices that an offer is or was sold at; those that are known stay as they are. */
export async function recordPrices(
  tx: Queryable,
  { tenantId, livemode }: Omit<OfferRef, "id">,
  prices: readonly OfferPrice[],
): Promise<void> {
  if (prices.length === 0) return;
  const sorted = [...prices].sort((a, b) => (a.priceId < b.priceId ? -1 : 1));
  await tx.query({ text: RECORD_PRICES, values: [tenantId, livemode, JSON.stringify(sorted)] });
}

/** Every price of these offers, or of all of the tenant's; the newest first. */
export async function readPrices(
  tx: Queryable,
  { tenantId, livemode }: Omit<OfferRef, "id">,
  offerIds?: readonly string[],
): Promise<OfferPrice[]> {
  return (await tx.query<OfferPrice>({ text: READ_PRICES, values: [tenantId, livemode, offerIds ?? null] })).rows;
}

function keyOf({ tenantId, livemode, id }: OfferRef): unknown[] {
  return [tenantId, livemode, id];
}

/** What pack and plan tables select of an offer's standing, from `sync`. */
export const SYNC_COLUMNS = `
  sync.stripe_account as "stripeAccount", coalesce(sync.product_owned, true) as "productOwned",
  coalesce(sync.revision, 1) as revision, coalesce(sync.synced_revision, 0) as "syncedRevision",
  coalesce(sync.attempts, 0) as attempts, sync.error_code as "errorCode", sync.error_message as "errorMessage"`;

export const JOIN_SYNC = `
  left join offer_syncs as sync
    on sync.tenant_id = offer.tenant_id and sync.livemode = offer.livemode and sync.offer_id = offer.id`;

const OF_KEY = "tenant_id = $1 and livemode = $2 and offer_id = $3";

const MARK = `
  insert into offer_syncs as known (tenant_id, livemode, offer_id) values ($1, $2, $3)
  on conflict (tenant_id, livemode, offer_id) do update
  set revision = known.revision + 1, attempts = 0, error_code = null, error_message = null,
      next_sync_at = case when known.lease is null then now() else known.next_sync_at end`;

const MARK_IMPORTED = `
  insert into offer_syncs as known (tenant_id, livemode, offer_id, stripe_account, product_owned) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, livemode, offer_id) do update
  set stripe_account = excluded.stripe_account, product_owned = excluded.product_owned, revision = known.revision + 1,
      attempts = 0, error_code = null, error_message = null,
      next_sync_at = case when known.lease is null then now() else known.next_sync_at end`;

const FREE = "(lease is null or next_sync_at <= now())";

const CLAIM = `
  update offer_syncs
  set lease = $4, next_sync_at = now() + $5::int * interval '1 second', attempts = attempts + 1
  where ${OF_KEY} and ${FREE} and (not $6::boolean or revision > synced_revision)`;

const CLAIM_DUE = `
  with due as (
    select tenant_id, livemode, offer_id from offer_syncs
    where next_sync_at <= now() and livemode = any ($3::boolean[])
    order by next_sync_at limit $4 for update skip locked)
  update offer_syncs as sync
  set lease = $1, next_sync_at = now() + $2::int * interval '1 second', attempts = attempts + 1
  from due where (sync.tenant_id, sync.livemode, sync.offer_id) = (due.tenant_id, due.livemode, due.offer_id)
  returning sync.tenant_id as "tenantId", sync.livemode, sync.offer_id as id`;

const RENEW = `
  update offer_syncs set next_sync_at = now() + $5::int * interval '1 second' where ${OF_KEY} and lease = $4`;

const RECORD_PLACE = `update offer_syncs set stripe_account = $4, product_owned = $5 where ${OF_KEY}`;

const FINISH = `
  update offer_syncs
  set synced_revision = greatest(synced_revision, $5::int), synced_at = now(), lease = null, attempts = 0,
      error_code = null, error_message = null, next_sync_at = case when revision > $5::int then now() end
  where ${OF_KEY} and lease = $4`;

// What was changed while it was worked on is tried at once: the failure was of what it was before.
const PUT_OFF = `
  update offer_syncs
  set lease = null, next_sync_at = now() + $5::float8 * interval '1 second', error_code = $6, error_message = $7
  where ${OF_KEY} and lease = $4`;

const FORGET = `delete from offer_syncs where ${OF_KEY}`;

const REQUEUE_MOVED = `
  update offer_syncs as sync set next_sync_at = now(), attempts = 0, revision = sync.revision + 1
  from connections as connection
  where connection.tenant_id = sync.tenant_id and connection.livemode = sync.livemode and connection.disconnected_at is null
    and sync.lease is null
    and case when sync.stripe_account is null then sync.error_code = 'stripe_not_connected'
             else sync.stripe_account <> connection.stripe_account and sync.revision = sync.synced_revision end`;

const RECORD_PRICES = `
  insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, credits, amount,
    currency, billing_interval, interval_count)
  select $1, $2, account, "priceId", "productId", "offerId", credits, amount, currency, "interval", "intervalCount"
  from jsonb_to_recordset($3::jsonb) as price (account text, "priceId" text, "productId" text, "offerId" text, credits bigint,
    amount bigint, currency text, "interval" text, "intervalCount" smallint)
  on conflict (tenant_id, livemode, stripe_account, stripe_price_id) do nothing`;

const READ_PRICES = `
  select stripe_account as account, stripe_price_id as "priceId", stripe_product_id as "productId", offer_id as "offerId",
         credits, amount, currency, billing_interval as interval, interval_count as "intervalCount"
  from offer_prices
  where tenant_id = $1 and livemode = $2 and ($3::text[] is null or offer_id = any ($3::text[]))
  order by created_at desc, stripe_price_id desc`;
