// Routes of plans: anyone lists those that are sold; a tenant's admin creates, retrieves and updates its own.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { changeOffer, createOffer } from "../billing/plans-and-packs.ts";
import type { Offer, OfferFields } from "../credits/offer.ts";
import { DEFAULT_GROUP, readPlans } from "../credits/plan-table.ts";
import { tenantScope } from "../db/tenant-scope.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import { modeOf } from "./account-admin-routes.ts";
import { actOf, readerOf, scopeOf } from "./caller.ts";
import { PlanAnswer, planFields, planView, syncingOf } from "./offer-fields.ts";
import { idParams, listOf, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Plans";

export const listPlansRoute = operation({
  tag: TAG,
  query: z.strictObject({
    ...pageFields,
    plan_group: planFields.plan_group.optional(),
    is_active: z
      .enum(["true", "false"])
      .transform((text) => text === "true")
      .optional()
      .meta({ description: "Inactive ones are for the tenant's people and secret keys only." }),
  }),
  answers: { 200: listOf(PlanAnswer) },
  run: async ({ deps, query, caller, headers }) => {
    const { tenantId, livemode, all } = readerOf(deps, caller, headers);
    const { cursor, limit, plan_group: group, is_active: active } = query;
    const after = readIdCursor("pln", cursor);
    const filter = { tenantId, livemode, active: all ? active : true, group, sold: !all, after, limit: limit + 1 };
    const found = await tenantScope(deps.apiDatabase, { tenantId }).transaction((tx) => readPlans(tx, filter));
    if (!all && active === false) return { data: [], has_more: false, next_cursor: null };
    const view = (plan: Offer): z.output<typeof PlanAnswer> =>
      all ? planView(plan) : { ...planView(plan), sync_pending: false, sync_error: null };
    return pageOf(found, limit, view, ({ id }) => [id]);
  },
});

export const createPlanRoute = operation({
  tag: TAG,
  body: z.strictObject({
    ...planFields,
    key: planFields.key.optional(),
    interval_count: planFields.interval_count.default(1),
    features: planFields.features.default([]),
    plan_group: planFields.plan_group.default(DEFAULT_GROUP),
    trial_days: planFields.trial_days.default(null),
    is_active: planFields.is_active.default(true),
  }),
  idempotent: true,
  answers: {
    201: PlanAnswer.meta({
      description: "With `sync_pending`: Stripe does not answer, and it is made there as soon as it does.",
    }),
  },
  run: async (call) => {
    const { deps, body, caller, reply, idempotencyKey } = call;
    const fields: OfferFields = {
      ...{ key: body.key ?? null, name: body.name, amount: body.amount, currency: body.currency, credits: null },
      ...{ interval: body.billing_interval, intervalCount: body.interval_count, features: body.features },
      ...{ planGroup: body.plan_group, trialDays: body.trial_days, active: body.is_active },
    };
    const offer = await createOffer(syncingOf(deps), scopeOf(call), {
      ...{ kind: "plan", livemode: caller.livemode, fields },
      ...{ operationId: idempotencyKey ?? null, act: actOf(caller) },
    });
    reply.status(201);
    return planView(offer);
  },
});

export const readPlanRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: PlanAnswer },
  run: async (call) => {
    const { id } = call.params;
    const [found] = await scopeOf(call).transaction((tx) => readPlans(tx, { ...modeOf(call.caller), ids: [id] }));
    if (found === undefined) throw publicError("not_found");
    return planView(found);
  },
});

/** Ours by the wire's names. */
const OWN_NAMES: Readonly<Record<string, keyof OfferFields>> = {
  ...{ billing_interval: "interval", interval_count: "intervalCount", plan_group: "planGroup" },
  ...{ trial_days: "trialDays", is_active: "active" },
};

export const updatePlanRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject(planFields).partial(),
  answers: { 200: PlanAnswer },
  run: async (call) => {
    const { deps, params, body, caller } = call;
    if (!isId(params.id, "pln")) throw publicError("not_found");
    const given = Object.entries(body).filter(([, value]) => value !== undefined);
    const changes = Object.fromEntries(
      given.map(([name, value]) => [OWN_NAMES[name] ?? name, value]),
    ) as Partial<OfferFields>;
    const ref = { ...modeOf(caller), id: params.id };
    return planView(await changeOffer(syncingOf(deps), scopeOf(call), { ref, changes, act: actOf(caller) }));
  },
});
