// Routes of the single-endpoint view: a tenant's first endpoint, read, set and emptied as the API's first version has it.
import { z } from "zod";

import { retried } from "../db/retried.ts";
import { maskedSecret } from "../outbox/endpoint-secrets.ts";
import { type Endpoint, firstEndpoint } from "../outbox/endpoint-table.ts";
import { clearFirst, configureFirst } from "../outbox/first-endpoint.ts";
import { actOf, scopeOf, tenantOf } from "./caller.ts";
import { cancelWaiting } from "./endpoint-cancel.ts";
import { acceptedUrl, endpointUrl, mustBeAllowedToChange } from "./endpoint-fields.ts";
import { operation } from "./route.ts";

const TAG = "Webhook endpoints";

/** Takes the events of both modes. */
const BOTH_MODES = null;

const TEST_URL = "/api/v1/auth/tenants/webhooks/test/";

export const readWebhookConfig = operation({
  tag: TAG,
  answers: {
    200: z.strictObject({
      webhook_url: z.string().nullable(),
      webhook_secret: z.string().nullable().meta({
        description: "As `whsec_****...MnOp`; null: there is none until a URL is set.",
      }),
      configured: z.boolean(),
      instructions: z.strictObject({ message: z.string(), signature_header: z.string(), documentation: z.string() }),
    }),
  },
  run: async (call) => {
    const { deps, caller } = call;
    const first = await firstEndpoint(scopeOf(call), tenantOf(caller).id);
    const url = first?.url ?? null;
    return {
      webhook_url: url,
      webhook_secret: first === undefined ? null : maskedSecret(deps.people.ring, first),
      configured: url !== null,
      instructions: {
        message: "Use the webhook secret to verify webhook signatures",
        signature_header: "X-Webhook-Signature",
        documentation: `${deps.publicUrl}/api/docs`,
      },
    };
  },
});

export const configureWebhook = operation({
  tag: TAG,
  body: z.strictObject({
    webhook_url: endpointUrl,
    regenerate_secret: z.boolean().default(false).meta({
      description:
        "Makes a new secret, and a new ed25519 key where there is one. Deliveries are signed with the old ones too for 24 hours.",
    }),
  }),
  idempotent: true,
  answers: {
    200: z.strictObject({
      message: z.string(),
      webhook_url: z.string(),
      webhook_secret: z.string().meta({ description: "Whole where it was made by this request, else masked." }),
      test_url: z.string(),
      warning: z.string().optional().meta({ description: "Where a new secret was made." }),
    }),
  },
  run: async (call) => {
    const { deps, body, caller } = call;
    const url = acceptedUrl(body.webhook_url, deps.addressPolicy, "webhook_url");
    mustBeAllowedToChange(caller, BOTH_MODES);
    const { ring } = deps.people;
    const wanted = {
      ...{ tenantId: tenantOf(caller).id, url },
      ...{ regenerate: body.regenerate_secret, now: deps.clock.now() },
    };
    const { endpoint, secret } = await retried(scopeOf(call), (tx) => configureFirst(tx, ring, wanted, actOf(caller)));
    return {
      message: "Webhook configured successfully",
      webhook_url: url,
      webhook_secret: secret ?? maskedSecret(ring, endpoint),
      test_url: TEST_URL,
      ...(secret === null ? {} : { warning: warningOf(endpoint) }),
    };
  },
});

const WARNING = "⚠️ New webhook secret generated. Update your webhook handler to verify signatures.";

const warningOf = ({ id, ed25519Sealed }: Endpoint): string =>
  ed25519Sealed === null
    ? WARNING
    : `${WARNING} Its ed25519 key is new too: GET /api/v1/webhook-endpoints/${id}/ shows its public_key.`;

export const removeWebhookConfig = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ message: z.string(), note: z.string() }) },
  run: async (call) => {
    const { caller } = call;
    const cleared = await retried(scopeOf(call), (tx) => clearFirst(tx, tenantOf(caller).id, actOf(caller)));
    if (cleared !== undefined) await cancelWaiting(call, cleared);
    return {
      message: "Webhook configuration removed",
      note: "Webhook secret was preserved. You can reconfigure the URL anytime.",
    };
  },
});
