// The operator's routes of packs and plans: lists and single ones with what differs at Stripe, and syncs.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { type Offer, type OfferFields, type OfferKind, OFFER_KINDS } from "../credits/offer.ts";
import { DEFAULT_GROUP } from "../credits/plan-table.ts";
import { syncOffers } from "../billing/pack-sync-all.ts";
import { driftOf } from "../billing/pack-sync-drift.ts";
import { findOffer, OFFER_ROWS, PREFIX } from "../billing/pack-sync-rows.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import { ownerFields, readAnyOperation } from "./any-tenants.ts";
import { CreditPackAnswer, packFields, packView, PlanAnswer, planFields, planView, syncingOf } from "./offer-fields.ts";
import { id, listOf, pageFields, scopeFields, searchText } from "./query-fields.ts";
import { type Operation, operation } from "./route.ts";

const TAG = "Operator";

const drift = z
  .array(z.string())
  .meta({ description: "What is different at Stripe: ours is right, and the next sync mends it." });

const listed = {
  credit_pack: z.strictObject({ ...CreditPackAnswer.shape, ...ownerFields, drift }).meta({ id: "ListedPack" }),
  plan: z.strictObject({ ...PlanAnswer.shape, ...ownerFields, drift }).meta({ id: "ListedPlan" }),
};
const VIEWS = { credit_pack: packView, plan: planView };

function viewOf(offer: Offer, differences: ReadonlyMap<string, string[]>) {
  return { ...VIEWS[offer.kind](offer), tenant_id: offer.tenantId, drift: differences.get(offer.id) ?? [] };
}

const flag = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .optional();

export function listOffersOperation(kind: OfferKind): Operation {
  return operation({
    tag: TAG,
    query: z.strictObject({
      tenant: id.optional().meta({ description: "Default: the platform." }),
      livemode: scopeFields.livemode,
      is_active: flag,
      billing_interval: (kind === "plan" ? planFields.billing_interval : z.never()).optional(),
      text: searchText.meta({
        description: "A whole id, ours or Stripe's of its price or product, a whole key, or a part of the name.",
      }),
      ...pageFields,
    }),
    answers: { 200: listOf(listed[kind]) },
    run: async ({ deps, query }) => {
      const { tenant, livemode = deps.livemode, is_active: active, billing_interval: interval, text } = query;
      const { cursor, limit } = query;
      const after = readIdCursor(PREFIX[kind], cursor);
      const filter = {
        tenantId: tenant ?? deps.platformTenant,
        livemode,
        active,
        interval,
        text,
        after,
        limit: limit + 1,
      };
      const [offers, differences] = await deps.database.transaction(async (tx) => {
        const found = await OFFER_ROWS[kind].read(tx, filter);
        return [found, await driftOf(tx, livemode, found)];
      });
      return pageOf(
        offers,
        limit,
        (offer) => viewOf(offer, differences),
        (offer) => [offer.id],
      );
    },
  });
}

/** In whichever mode it is. */
export function readOfferOperation(kind: OfferKind): Operation {
  return readAnyOperation({
    prefix: PREFIX[kind],
    answer: listed[kind],
    read: async (tx, key) => {
      const offer = await findOffer(tx, key);
      if (offer === undefined) throw publicError("not_found");
      return viewOf(offer, await driftOf(tx, offer.livemode, [offer]));
    },
  });
}

const MOST_ITEMS = 500;

/** As a file has them: the key tells which is which. */
const packItem = z
  .strictObject({ ...packFields, key: packFields.key.unwrap(), active: packFields.active.default(true) })
  .transform((item): OfferFields => ({ ...item, interval: null, intervalCount: null, ...NO_PLAN }));
const NO_PLAN = { features: [], planGroup: null, trialDays: null };

const planItem = z
  .strictObject({
    ...planFields,
    key: planFields.key.unwrap(),
    interval_count: planFields.interval_count.default(1),
    features: planFields.features.default([]),
    plan_group: planFields.plan_group.default(DEFAULT_GROUP),
    trial_days: planFields.trial_days.default(null),
    is_active: planFields.is_active.default(true),
  })
  .transform(({ key, name, amount, currency, features, ...item }): OfferFields => ({
    ...{ key, name, amount, currency, features, credits: null, active: item.is_active },
    ...{ interval: item.billing_interval, intervalCount: item.interval_count },
    ...{ planGroup: item.plan_group, trialDays: item.trial_days },
  }));
const ITEMS = { credit_pack: packItem, plan: planItem } satisfies Record<OfferKind, z.ZodType<OfferFields>>;

const SyncAnswer = z
  .strictObject({
    dry_run: z.boolean(),
    actions: z.array(
      z.strictObject({
        tenant_id: z.string(),
        livemode: z.boolean(),
        kind: z.enum(OFFER_KINDS),
        id: z.string().nullable().meta({ description: "null: it would be made." }),
        key: z.string().nullable(),
        name: z.string(),
        at: z.enum(["billhook", "stripe"]),
        action: z.string(),
      }),
    ),
    failures: z.array(
      z.strictObject({
        tenant_id: z.string(),
        id: z.string().nullable(),
        name: z.string(),
        code: z.string(),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: "OfferSync" });

export function syncOffersOperation(kind: OfferKind): Operation {
  return operation({
    tag: TAG,
    body: z.strictObject({
      tenant: id.optional().meta({ description: "Default: the platform. `all`: and every tenant that is connected." }),
      livemode: z.boolean().optional(),
      from_stripe: z.boolean().default(false).meta({ description: "Stripe is right, not the rows." }),
      dry_run: z.boolean().default(false).meta({ description: "Only say what would be done." }),
      items: z.array(ITEMS[kind]).max(MOST_ITEMS).optional().meta({
        description: "What a file has; by default the rows as they are. What it leaves out stays as it is.",
      }),
    }),
    answers: { 200: SyncAnswer },
    run: async ({ deps, body }) => {
      const { tenant = deps.platformTenant, livemode = deps.livemode, from_stripe: fromStripe, dry_run: dryRun } = body;
      const request = { kind, tenant, livemode, fromStripe, dryRun, items: body.items };
      const { actions, failures } = await syncOffers(syncingOf(deps), request);
      return {
        dry_run: dryRun,
        actions: actions.map(({ tenantId, ...rest }) => ({ tenant_id: tenantId, ...rest })),
        failures: failures.map(({ tenantId, ...rest }) => ({ tenant_id: tenantId, ...rest })),
      };
    },
  });
}
