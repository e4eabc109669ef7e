// Routes of a tenant's API keys: list, regenerate, revoke.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { listKeys } from "../tenants/api-keys.ts";
import type { KeyRow } from "../tenants/api-keys.ts";
import { regenerateKeys, revokeKeys } from "../tenants/key-changes.ts";
import { KEY_TYPES, keyTypeOf, maskedKey } from "../tenants/key-format.ts";
import { actOf, scopeOf, tenantOf } from "./caller.ts";
import { line } from "./people-fields.ts";
import { isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "API keys";
const MAX_GRACE_SECONDS = 604_800;

const keyType = z.enum(["live", "test", "all"]);
const TypeName = z.enum(["live_public", "live_secret", "test_public", "test_secret"]);

const KeyAnswer = z
  .strictObject({
    id: z.string(),
    type: TypeName,
    key: z.string().meta({ description: "Of a secret key: `sk_live_****...3456`." }),
    masked: z.boolean(),
    created_at: isoTime,
    last_used_at: isoTime.nullable(),
    expires_at: isoTime.nullable().meta({ description: "The end of a replaced key's grace." }),
  })
  .meta({ id: "ApiKey" });

export const listApiKeys = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ keys: z.array(KeyAnswer), warning: z.string() }) },
  run: async (call) => {
    const { caller } = call;
    const tenant = tenantOf(caller);
    const keys = await listKeys(scopeOf(call), tenant.id);
    // A key sees its own mode alone.
    const seen = keys.filter(({ livemode }) => tenant.role !== null || livemode === caller.livemode);
    const order = (row: KeyRow): number => KEY_TYPES.indexOf(keyTypeOf(row));
    return {
      keys: seen.sort((a, b) => order(a) - order(b)).map(viewOfKey),
      warning: "Secret keys are masked. Store them securely when first generated.",
    };
  },
});

function viewOfKey(row: KeyRow): z.output<typeof KeyAnswer> {
  return {
    id: row.id,
    type: keyTypeOf(row),
    key: row.publicKey ?? maskedKey(row),
    masked: row.publicKey === null,
    created_at: row.createdAt.toISOString(),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    expires_at: row.expiresAt?.toISOString() ?? null,
  };
}

const confirm = z.boolean().optional().meta({ description: "Must be `true`." });

export const regenerateApiKeys = operation({
  tag: TAG,
  body: z.strictObject({
    key_type: keyType,
    confirm,
    grace_seconds: z.int().min(0).max(MAX_GRACE_SECONDS).default(0).meta({
      description: "How long the old keys still work.",
    }),
  }),
  answers: {
    200: z.strictObject({
      message: z.string(),
      keys: z.partialRecord(TypeName, z.string()),
      warning: z.string(),
    }),
  },
  run: async (call) => {
    const { deps, body, caller } = call;
    mustConfirm(body.confirm);
    const { key_type: choice, grace_seconds: graceSeconds } = body;
    const change = { choice, graceSeconds, brand: deps.people.keyBrand };
    const keys = await regenerateKeys(scopeOf(call), change, actOf(caller));
    const fate =
      graceSeconds === 0
        ? "Old keys have been invalidated. Update your integrations immediately to avoid disruption."
        : `Old keys work for another ${graceSeconds} seconds. Update your integrations by then.`;
    return { message: "API keys regenerated successfully", keys, warning: `⚠️ ${fate}` };
  },
});

export const revokeApiKeys = operation({
  tag: TAG,
  body: z.strictObject({ key_type: keyType, reason: line(500), confirm }),
  answers: {
    200: z.strictObject({
      message: z.string(),
      revoked_keys: z.array(TypeName),
      reason: z.string(),
      warning: z.string(),
    }),
  },
  run: async (call) => {
    const { body, caller } = call;
    mustConfirm(body.confirm);
    const { key_type: choice, reason } = body;
    const revoked = await revokeKeys(scopeOf(call), { choice, reason }, actOf(caller));
    const which = choice === "all" ? "the API" : `the API in ${choice} mode`;
    return {
      message: "API keys revoked successfully",
      revoked_keys: revoked,
      reason,
      warning: `⚠️ Tenant is now unable to access ${which}. Regenerate keys when ready.`,
    };
  },
});

function mustConfirm(given: boolean | undefined): void {
  if (given !== true) throw publicError("confirmation_required", { param: "confirm" });
}
