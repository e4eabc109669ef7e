// Routes of a tenant's credit packs: list, create, retrieve, update.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { changeOffer, createOffer } from "../billing/plans-and-packs.ts";
import type { OfferFields } from "../credits/offer.ts";
import { readPacks } from "../credits/pack-table.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import { modeOf } from "./account-admin-routes.ts";
import { actOf, scopeOf } from "./caller.ts";
import { CreditPackAnswer, packFields, packView, syncingOf } from "./offer-fields.ts";
import { idParams, listOf, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Credit packs";

const MADE = CreditPackAnswer.meta({
  description: "With `sync_pending`: Stripe does not answer, and it is made there as soon as it does.",
});

export const listPacksRoute = operation({
  tag: TAG,
  query: z.strictObject({
    ...pageFields,
    active: z
      .enum(["true", "false"])
      .transform((text) => text === "true")
      .optional(),
  }),
  answers: { 200: listOf(CreditPackAnswer) },
  run: async (call) => {
    const { cursor, limit, active } = call.query;
    const after = readIdCursor("pack", cursor);
    const found = await scopeOf(call).transaction((tx) =>
      readPacks(tx, { ...modeOf(call.caller), active, after, limit: limit + 1 }),
    );
    return pageOf(found, limit, packView, ({ id }) => [id]);
  },
});

export const createPackRoute = operation({
  tag: TAG,
  body: z.strictObject({
    ...packFields,
    key: packFields.key.optional(),
    active: packFields.active.default(true),
  }),
  idempotent: true,
  answers: { 201: MADE },
  run: async (call) => {
    const { deps, body, caller, reply, idempotencyKey } = call;
    const { key = null, ...rest } = body;
    const fields: OfferFields = { ...NO_PLAN, ...rest, key };
    const offer = await createOffer(syncingOf(deps), scopeOf(call), {
      ...{ kind: "credit_pack", livemode: caller.livemode, fields },
      ...{ operationId: idempotencyKey ?? null, act: actOf(caller) },
    });
    reply.status(201);
    return packView(offer);
  },
});

const NO_PLAN = { interval: null, intervalCount: null, features: [], planGroup: null, trialDays: null };

export const readPackRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: CreditPackAnswer },
  run: async (call) => {
    const { id } = call.params;
    const [found] = await scopeOf(call).transaction((tx) => readPacks(tx, { ...modeOf(call.caller), ids: [id] }));
    if (found === undefined) throw publicError("not_found");
    return packView(found);
  },
});

export const changePackRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject(packFields).partial(),
  answers: { 200: CreditPackAnswer },
  run: async (call) => {
    const { deps, params, body, caller } = call;
    if (!isId(params.id, "pack")) throw publicError("not_found");
    const changes = Object.fromEntries(
      Object.entries(body).filter(([, value]) => value !== undefined),
    ) as Partial<OfferFields>;
    const ref = { ...modeOf(caller), id: params.id };
    return packView(await changeOffer(syncingOf(deps), scopeOf(call), { ref, changes, act: actOf(caller) }));
  },
});
