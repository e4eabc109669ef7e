// What packs and plans may look like in requests, and how they are answered: parts of schemas. Pure.
import { z } from "zod";

import { newId } from "../base/ids.ts";
import { MOST } from "../billing/charge-limits.ts";
import { KEY } from "../billing/pack-sync-found.ts";
import { INTERVALS, isSyncPending, LONGEST_INTERVAL, type Offer } from "../credits/offer.ts";
import { plainLine } from "./people-fields.ts";
import { isoTime } from "./query-fields.ts";
import type { ApiDependencies } from "./route.ts";
import type { ResumableContext } from "../billing/resumable.ts";

const MOST_CREDITS = 1_000_000_000_000;
/** Stripe's, of a product. */
const MOST_FEATURES = 15;
const LONGEST_FEATURE = 80;
const MOST_TRIAL_DAYS = 730;

export const key = z
  .string()
  .regex(KEY, "must be letters, digits, dots, dashes and underscores, 100 at most")
  .meta({ description: "Your own name for it, once in a mode: files name it by this." });
export const name = plainLine(250).meta({ description: "Stands on Stripe's pages." });
const amountOf = (least: number) =>
  z.int().min(least).max(MOST).meta({
    description: "In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs.",
  });
export const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, "must be a currency code such as usd")
  .transform((code) => code.toLowerCase());

export const packFields = {
  key: key.nullable(),
  name,
  credits: z.int().min(1).max(MOST_CREDITS).meta({ description: "What one pack brings." }),
  amount: amountOf(1),
  currency,
  active: z.boolean().meta({ description: "false: not sold any more. It is never deleted." }),
};

export const planFields = {
  key: key.nullable(),
  name,
  amount: amountOf(0),
  currency,
  billing_interval: z.enum(INTERVALS),
  interval_count: z.int().min(1).max(LONGEST_INTERVAL.day).meta({ description: "Every so many intervals." }),
  features: z.array(plainLine(LONGEST_FEATURE)).max(MOST_FEATURES),
  plan_group: key.meta({
    description: "An account has one active subscription in a group, or many: see `SUBSCRIPTIONS_PER_GROUP`.",
  }),
  trial_days: z.int().min(1).max(MOST_TRIAL_DAYS).nullable(),
  is_active: z.boolean().meta({ description: "false: not sold any more. It is never deleted." }),
};

export const standingFields = {
  price_id: z.string().nullable().meta({ description: "Of Stripe: what it is sold at. null until Stripe has it." }),
  product_id: z.string().nullable(),
  sync_pending: z.boolean().meta({
    description: "Stripe has not been told of the last change yet: until then it is sold on its former terms.",
  }),
  sync_error: z
    .strictObject({ code: z.string(), message: z.string() })
    .nullable()
    .meta({ description: "Why the last try to tell Stripe failed." }),
  created_at: isoTime,
  updated_at: isoTime,
};

const common = { id: z.string(), livemode: z.boolean(), key: z.string().nullable(), name: z.string() };
const price = { amount: z.int().meta({ description: "In the smallest unit of the currency." }), currency: z.string() };

export const CreditPackAnswer = z
  .strictObject({ ...common, credits: z.int(), ...price, active: z.boolean(), ...standingFields })
  .meta({ id: "CreditPack" });

export const PlanAnswer = z
  .strictObject({
    ...common,
    price: z.int().meta({ description: "As `amount`." }),
    ...price,
    billing_interval: z.enum(INTERVALS),
    interval_count: z.int(),
    is_active: z.boolean(),
    features: z.array(z.string()),
    plan_group: z.string(),
    trial_days: z.int().nullable(),
    ...standingFields,
  })
  .meta({ id: "Plan" });

function standingOf(offer: Offer) {
  const { errorCode: code, errorMessage: message } = offer;
  return {
    price_id: offer.priceId,
    product_id: offer.productId,
    sync_pending: isSyncPending(offer),
    sync_error: code === null || message === null ? null : { code, message },
    created_at: offer.createdAt.toISOString(),
    updated_at: offer.updatedAt.toISOString(),
  };
}

export function packView(offer: Offer): z.output<typeof CreditPackAnswer> {
  const { id, livemode, key: ownKey, name: ownName, credits, amount, currency: code, active } = offer;
  return {
    ...{ id, livemode, key: ownKey, name: ownName, credits: credits ?? 0, amount, currency: code, active },
    ...standingOf(offer),
  };
}

export function planView(offer: Offer): z.output<typeof PlanAnswer> {
  const { id, livemode, key: ownKey, name: ownName, amount, currency: code, interval, intervalCount } = offer;
  if (interval === null) throw new Error(`${id} is no plan`);
  return {
    ...{ id, livemode, key: ownKey, name: ownName, price: amount, amount, currency: code },
    ...{ billing_interval: interval, interval_count: intervalCount ?? 1, is_active: offer.active },
    ...{ features: [...offer.features], plan_group: offer.planGroup ?? "default", trial_days: offer.trialDays },
    ...standingOf(offer),
  };
}

/** What the syncing of packs and plans works with. */
export function syncingOf(deps: ApiDependencies): ResumableContext {
  const { database, stripe, clock, log, platformTenant, wake } = deps;
  return { database, stripe, clock, log, platformTenant, wake, newLease: () => newId("node") };
}
