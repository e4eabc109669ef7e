// Credit packs as rows: what a tenant sells credits by, in one mode. Table: credit_packs
import type { Queryable } from "../db/database.ts";
import type { NewOffer, Offer, OfferFields, OfferRef } from "./offer.ts";
import { JOIN_SYNC, SYNC_COLUMNS } from "./offer-table.ts";

export interface OfferFilter {
  tenantId: string;
  livemode: boolean;
  ids?: readonly string[];
  keys?: readonly string[];
  operationId?: string;
  active?: boolean | undefined;
  /** Of plans. */
  interval?: string | undefined;
  /** A whole id, ours or Stripe's, a whole key, or a part of the name. */
  text?: string | undefined;
  /** The id that the page before ended with. */
  after?: string | undefined;
  limit?: number;
}

/** false: its key, or its operation, has a pack already. */
export async function insertPack(tx: Queryable, pack: NewOffer): Promise<boolean> {
  const { tenantId, livemode, id, key, name, credits, amount, currency, active, operationId } = pack;
  const values = [tenantId, livemode, id, key, name, credits, amount, currency, active, operationId];
  return (await tx.query({ text: INSERT, values })).rowCount === 1;
}

/** Throws a unique violation for a key that another pack has: see `isKeyTaken`. */
export async function updatePack(tx: Queryable, ref: OfferRef, fields: OfferFields): Promise<void> {
  const { tenantId, livemode, id } = ref;
  const { key, name, credits, amount, currency, active } = fields;
  await tx.query({ text: UPDATE, values: [tenantId, livemode, id, key, name, credits, amount, currency, active] });
}

/** What it is sold at from now on. */
export async function recordPackPrice(
  tx: Queryable,
  { tenantId, livemode, id }: OfferRef,
  { productId, priceId }: { productId: string; priceId: string },
): Promise<void> {
  await tx.query({ text: RECORD_PRICE, values: [tenantId, livemode, id, productId, priceId] });
}

/** One that Stripe refused before it was ever sold. */
export async function deletePack(tx: Queryable, { tenantId, livemode, id }: OfferRef): Promise<void> {
  await tx.query({ text: DELETE, values: [tenantId, livemode, id] });
}

/** Of `offer`, a row of packs or plans: whether a filter's text means it. A tenant has few. */
export const meansOffer = (text: string): string => `(
  ${text}::text is null or ${text} in (offer.id, offer.key, offer.stripe_price_id, offer.stripe_product_id)
  or strpos(lower(offer.name), lower(${text})) > 0)`;

/** Newest first. `lock`: until the transaction ends. */
export async function readPacks(
  tx: Queryable,
  filter: OfferFilter,
  { lock = false }: { lock?: boolean } = {},
): Promise<Offer[]> {
  const { tenantId, livemode, ids, keys, operationId, active, after, limit, text } = filter;
  const optional = [ids, keys, operationId, active, after, limit, text].map((value) => value ?? null);
  const values = [tenantId, livemode, ...optional];
  const { rows } = await tx.query<Offer>({ text: `${READ}${lock ? " for update of offer" : ""}`, values });
  return rows;
}

/** A pack as it is sold now: on the terms of its Stripe price, whatever has been changed since and Stripe was not told yet. */
export interface SoldPack {
  id: string;
  name: string;
  credits: number;
  /** Minor units, for one. */
  amount: number;
  currency: string;
  priceId: string;
  /** Where the price is: "" for the platform's own account. */
  stripeAccount: string;
}

/** What can be bought now, the cheapest first. */
export async function activePacks(
  tx: Queryable,
  { tenantId, livemode }: { tenantId: string; livemode: boolean },
): Promise<SoldPack[]> {
  const text = `${SOLD} order by price.amount, price.credits, pack.id`;
  return (await tx.query<SoldPack>({ text, values: [tenantId, livemode] })).rows;
}

/** The active pack of the tenant that is sold at this price now. */
export async function activePackOfPrice(
  tx: Queryable,
  { tenantId, livemode, priceId }: { tenantId: string; livemode: boolean; priceId: string },
): Promise<SoldPack | undefined> {
  const text = `${SOLD} and pack.stripe_price_id = $3`;
  return (await tx.query<SoldPack>({ text, values: [tenantId, livemode, priceId] })).rows[0];
}

/** The pack that is or was sold at this price, on the price's terms: of sessions that were begun before it changed. */
export async function packOfPrice(
  tx: Queryable,
  { tenantId, livemode, stripeAccount, priceId }: Omit<OfferRef, "id"> & { stripeAccount: string; priceId: string },
): Promise<(SoldPack & { active: boolean; /** Since when we know of it. */ soldSince: Date }) | undefined> {
  const { rows } = await tx.query<SoldPack & { active: boolean; soldSince: Date }>({
    text: OF_PRICE,
    values: [tenantId, livemode, stripeAccount, priceId],
  });
  return rows[0];
}

const INSERT = `
  insert into credit_packs (tenant_id, livemode, id, key, name, credits, amount, currency, active, operation_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`;

const UPDATE = `
  update credit_packs
  set key = $4, name = $5, credits = $6, amount = $7, currency = $8, active = $9, updated_at = now()
  where tenant_id = $1 and livemode = $2 and id = $3`;

const RECORD_PRICE = `
  update credit_packs set stripe_product_id = $4, stripe_price_id = $5 where tenant_id = $1 and livemode = $2 and id = $3`;

const DELETE =
  "delete from credit_packs where tenant_id = $1 and livemode = $2 and id = $3 and stripe_price_id is null";

const READ = `
  select 'credit_pack' as kind, offer.tenant_id as "tenantId", offer.livemode, offer.id, offer.key, offer.name, offer.credits,
         offer.amount, offer.currency, null as interval, null as "intervalCount", '{}'::text[] as features,
         null as "planGroup", null as "trialDays", offer.active, offer.stripe_product_id as "productId",
         offer.stripe_price_id as "priceId", offer.created_at as "createdAt", offer.updated_at as "updatedAt", ${SYNC_COLUMNS}
  from credit_packs as offer ${JOIN_SYNC}
  where offer.tenant_id = $1 and offer.livemode = $2
    and ($3::text[] is null or offer.id = any ($3::text[])) and ($4::text[] is null or offer.key = any ($4::text[]))
    and ($5::text is null or offer.operation_id = $5) and ($6::boolean is null or offer.active = $6)
    and ($7::text is null or offer.id < $7) and ${meansOffer("$9")}
  order by offer.id desc limit $8::bigint`;

const SOLD_COLUMNS = `
  pack.id, pack.name, price.credits, price.amount, price.currency, price.stripe_price_id as "priceId",
  price.stripe_account as "stripeAccount"`;

const SOLD = `
  select ${SOLD_COLUMNS}
  from credit_packs as pack
  join offer_syncs as sync on sync.tenant_id = pack.tenant_id and sync.livemode = pack.livemode and sync.offer_id = pack.id
  join offer_prices as price
    on price.tenant_id = pack.tenant_id and price.livemode = pack.livemode and price.stripe_account = sync.stripe_account
   and price.stripe_price_id = pack.stripe_price_id
  where pack.tenant_id = $1 and pack.livemode = $2 and pack.active`;

const OF_PRICE = `
  select ${SOLD_COLUMNS}, pack.active, price.created_at as "soldSince"
  from offer_prices as price
  join credit_packs as pack on pack.tenant_id = price.tenant_id and pack.livemode = price.livemode and pack.id = price.offer_id
  where price.tenant_id = $1 and price.livemode = $2 and price.stripe_account = $3 and price.stripe_price_id = $4`;
