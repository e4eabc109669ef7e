// Packs and plans by one set of verbs, whichever table they are in; and the Stripe account that a tenant's are on.
import { publicError } from "../base/errors.ts";
import { connectedAccountOf } from "../connections/connection-table.ts";
import type { NewOffer, Offer, OfferFields, OfferKind, OfferRef } from "../credits/offer.ts";
import {
  deletePack,
  insertPack,
  type OfferFilter,
  readPacks,
  recordPackPrice,
  updatePack,
} from "../credits/pack-table.ts";
import { deletePlan, insertPlan, readPlans, recordPlanPrice, updatePlan } from "../credits/plan-table.ts";
import type { Queryable } from "../db/database.ts";

interface OfferRows {
  /** false: its key or its operation has one already. */
  insert(tx: Queryable, offer: NewOffer): Promise<boolean>;
  update(tx: Queryable, ref: OfferRef, fields: OfferFields): Promise<void>;
  recordPrice(tx: Queryable, ref: OfferRef, ids: { productId: string; priceId: string }): Promise<void>;
  remove(tx: Queryable, ref: OfferRef): Promise<void>;
  read(tx: Queryable, filter: OfferFilter, options?: { lock?: boolean }): Promise<Offer[]>;
}

export const OFFER_ROWS: Record<OfferKind, OfferRows> = {
  credit_pack: {
    insert: insertPack,
    update: updatePack,
    recordPrice: recordPackPrice,
    remove: deletePack,
    read: readPacks,
  },
  plan: { insert: insertPlan, update: updatePlan, recordPrice: recordPlanPrice, remove: deletePlan, read: readPlans },
};

export const PREFIX = { credit_pack: "pack", plan: "pln" } as const satisfies Record<OfferKind, string>;

export function kindOfId(id: string): OfferKind {
  return id.startsWith(`${PREFIX.plan}_`) ? "plan" : "credit_pack";
}

export async function findOffer(
  tx: Queryable,
  { id, tenantId, livemode }: OfferRef,
  options: { lock?: boolean } = {},
): Promise<Offer | undefined> {
  const [found] = await OFFER_ROWS[kindOfId(id)].read(tx, { tenantId, livemode, ids: [id] }, options);
  return found;
}

/** Where a tenant's products and prices are: "" for the platform. Throws `stripe_not_connected`. */
export async function accountFor(
  tx: Queryable,
  tenant: { tenantId: string; livemode: boolean },
  platformTenant: string,
): Promise<string> {
  if (tenant.tenantId === platformTenant) return "";
  const account = await connectedAccountOf(tx, tenant);
  if (account !== undefined) return account;
  const mode = tenant.livemode ? "live" : "test";
  throw publicError("stripe_not_connected", {
    message: `No Stripe account is connected in ${mode} mode: connect one, and send this again.`,
  });
}
