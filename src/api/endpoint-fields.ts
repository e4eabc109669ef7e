// What endpoints look like on the wire, and what callers may say of them: parts of schemas.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import type { KeyRing } from "../base/key-ring.ts";
import { type AddressPolicy, checkUrl, MAX_URL_LENGTH } from "../outbox/address-policy.ts";
import { maskedSecret, publicKeyOf, stillValid } from "../outbox/endpoint-secrets.ts";
import { DISABLED_REASONS, type Endpoint, ENDPOINT_STATUSES, ORDERINGS } from "../outbox/endpoint-table.ts";
import { NO_ENDPOINT } from "../outbox/endpoints.ts";
import { isKnownPattern } from "../outbox/event-types.ts";
import type { Caller } from "./caller.ts";
import { isoTime } from "./query-fields.ts";

/** How it is written is checked with the policy of this installation: see `acceptedUrl`. */
export const endpointUrl = z.string().trim().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "https, to a public address. In development loopback addresses are taken too, over http as well. What waits when it changes is delivered to the new one.",
});

const MOST_PATTERNS = 100;

export const enabledEvents = z
  .array(z.string().max(100))
  .min(1)
  .max(MOST_PATTERNS)
  .transform((patterns, context) => {
    const unknown = patterns.filter((pattern) => !isKnownPattern(pattern));
    if (unknown.length === 0) return [...new Set(patterns)];
    context.addIssue({
      code: "custom",
      message: `has no event types for ${quoted(unknown)}: take those of GET /api/v1/event-types/, a family such as \`invoice.*\`, or \`*\``,
    });
    return z.NEVER;
  })
  .meta({ description: "Event types, families such as `invoice.*`, or `*` for all." });

const SHOWN = 5;

function quoted(patterns: readonly string[]): string {
  const shown = patterns.slice(0, SHOWN).map((pattern) => JSON.stringify(pattern));
  return patterns.length > SHOWN ? `${shown.join(", ")} and others` : shown.join(", ");
}

export const endpointMode = z
  .boolean()
  .nullable()
  .meta({ description: "The mode whose events it takes; null: both. A key may only say its own." });

export const ordering = z.enum(ORDERINGS).meta({
  description:
    "none: events may arrive in any order · per_object: an event of an object waits until the older one of it has ended. A change counts for events told from then on.",
});

export const signature = z.enum(["v1", "v1a"]).meta({
  description: "v1: HMAC with the secret · v1a: an ed25519 signature beside it, to be verified with `public_key`.",
});

export const graceSeconds = z
  .int()
  .min(0)
  .max(7 * 86_400);

export const EndpointAnswer = z
  .strictObject({
    id: z.string(),
    object: z.literal("webhook_endpoint"),
    url: z.string().nullable().meta({ description: "null: of the first endpoint, while it has none." }),
    description: z.string().nullable(),
    enabled_events: z.array(z.string()),
    livemode: endpointMode,
    ordering,
    first: z.boolean().meta({ description: "Whether it is the one of `/api/v1/auth/tenants/webhooks/config/`." }),
    status: z.enum(ENDPOINT_STATUSES),
    disabled_reason: z.enum(DISABLED_REASONS).nullable().meta({
      description: "by_tenant: one of you did it · gone: it answered 410 · failing: nothing was delivered for days.",
    }),
    disabled_at: isoTime.nullable(),
    failing_since: isoTime.nullable().meta({ description: "Since when every attempt has failed." }),
    secret: z.string().meta({ description: "Whole where it was made by this request, else as `whsec_****...MnOp`." }),
    previous_secrets_until: z.array(isoTime).meta({
      description: "When replaced secrets and their ed25519 keys stop: until then deliveries are signed with them too.",
    }),
    signature,
    public_key: z
      .string()
      .nullable()
      .meta({ description: "`whpk_…`, for `v1a` signatures. Replaced with the secret." }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "WebhookEndpoint" });

/** `secret` is given where it was made by this request. */
export function viewOfEndpoint(
  endpoint: Endpoint,
  { ring, now, secret }: { ring: KeyRing; now: number; secret?: string | undefined },
): z.output<typeof EndpointAnswer> {
  return {
    id: endpoint.id,
    object: "webhook_endpoint",
    url: endpoint.url,
    description: endpoint.description,
    enabled_events: endpoint.enabledEvents,
    livemode: endpoint.livemode,
    ordering: endpoint.ordering,
    first: endpoint.first,
    status: endpoint.status,
    disabled_reason: endpoint.disabledReason,
    disabled_at: endpoint.disabledAt?.toISOString() ?? null,
    failing_since: endpoint.failingSince?.toISOString() ?? null,
    secret: secret ?? maskedSecret(ring, endpoint),
    previous_secrets_until: stillValid(endpoint.previousSecrets, now).map(({ until }) => until),
    signature: endpoint.ed25519Sealed === null ? "v1" : "v1a",
    public_key: publicKeyOf(ring, endpoint),
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}

/** As it is stored: in the form that was checked. Throws `invalid_request` with what is wrong. */
export function acceptedUrl(text: string, policy: AddressPolicy, param = "url"): string {
  const checked = checkUrl(text, policy);
  if ("refused" in checked) throw publicError("invalid_request", { message: checked.refused, param });
  return checked.url.href;
}

/** A key sees what takes its mode's events; a person sees all. Throws `not_found`. */
export function mustSee({ identity, livemode }: Caller, endpoint: Endpoint | undefined): Endpoint {
  const sees = endpoint !== undefined && (identity.kind !== "key" || (endpoint.livemode ?? livemode) === livemode);
  if (!sees) throw publicError("not_found", { message: NO_ENDPOINT });
  return endpoint;
}

/** Throws `forbidden` where a test key would change what live events go through. */
export function mustBeAllowedToChange({ identity, livemode }: Caller, mode: boolean | null): void {
  if (identity.kind !== "key" || livemode || mode === false) return;
  throw publicError("forbidden", {
    message: "This endpoint takes live events too: use a live secret key, or sign in.",
  });
}
