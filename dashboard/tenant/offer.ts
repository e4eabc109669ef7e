// Plans and credit packs as one shape: what is sold, for how much, and how it stands at Stripe.
import type { Schemas } from "./tenant-reads.ts";

type Plan = Schemas["Plan"];
type Pack = Schemas["CreditPack"];

export type Interval = Plan["billing_interval"];

export interface Offer {
  kind: "plan" | "pack";
  id: string;
  key: string | null;
  name: string;
  /** Minor units. */
  amount: number;
  currency: string;
  isActive: boolean;
  /** Of a pack. */
  credits: number | null;
  /** Of a plan: `every month`. */
  every: string | null;
  features: readonly string[];
  trialDays: number | null;
  priceId: string | null;
  productId: string | null;
  isSyncPending: boolean;
  syncError: { code: string; message: string } | null;
  createdAt: string;
  updatedAt: string;
}

function common(offer: Plan | Pack) {
  const { id, key, name, amount, currency } = offer;
  return {
    ...{ id, key, name, amount, currency, priceId: offer.price_id, productId: offer.product_id },
    ...{ isSyncPending: offer.sync_pending, syncError: offer.sync_error },
    ...{ createdAt: offer.created_at, updatedAt: offer.updated_at },
  };
}

export function offerOfPlan(plan: Plan): Offer {
  const { billing_interval: interval, interval_count: count } = plan;
  return {
    ...common(plan),
    ...{ kind: "plan", isActive: plan.is_active, credits: null, features: plan.features, trialDays: plan.trial_days },
    every: count === 1 ? `every ${interval}` : `every ${count} ${interval}s`,
  };
}

export function offerOfPack(pack: Pack): Offer {
  return {
    ...common(pack),
    ...{ kind: "pack", isActive: pack.active, credits: pack.credits, features: [], trialDays: null, every: null },
  };
}
