// Signing secrets of endpoints: made, sealed, masked, and opened for whoever signs. Pure but for chance.
import { generateKeyPairSync, randomBytes } from "node:crypto";

import type { KeyRing } from "../base/key-ring.ts";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;
const SIGNING_KEY_PREFIX = "whsk_";
const PUBLIC_KEY_PREFIX = "whpk_";

/** What a signing secret is sealed with, so that it opens in its own tenant's rows alone. */
export const webhookSecretContext = (tenantId: string): string => `tenants.webhook_secret:${tenantId}`;
const signingKeyContext = (tenantId: string): string => `webhook_endpoints.ed25519:${tenantId}`;

/** `whsec_` and 32 random bytes in base64. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString("base64");
}

export function sealSecret(ring: KeyRing, tenantId: string, secret: string): string {
  return ring.seal(secret, webhookSecretContext(tenantId));
}

/** A new ed25519 key, sealed: `whsk_` and the base64 of its 32 bytes with the public key's 32 behind them. */
export function newSealedSigningKey(ring: KeyRing, tenantId: string): string {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const bytes = [d, x].map((part) => Buffer.from(part ?? "", "base64url"));
  return ring.seal(SIGNING_KEY_PREFIX + Buffer.concat(bytes).toString("base64"), signingKeyContext(tenantId));
}

/** A replaced secret that still signs. */
export interface PreviousSecret {
  sealed: string;
  /** ISO 8601. */
  until: string;
  /** The key that was replaced with it. Absent where there was none, and in what earlier versions have written. */
  ed25519Sealed?: string;
}

export interface SealedSecrets {
  tenantId: string;
  secretSealed: string;
  previousSecrets: readonly PreviousSecret[];
  ed25519Sealed: string | null;
}

export interface OpenSecrets {
  /** The current one first, then replaced ones whose grace lasts. */
  secrets: string[];
  /** `whsk_…`, in the same order; none where the tenant has not asked for v1a signatures. */
  ed25519Keys: string[];
}

/**
 * What deliveries are signed with at `now` (milliseconds). Throws when the SECRET_KEY that sealed the current one is gone; a
 * replaced one that does not open is left out, so that a new secret mends it.
 */
export function openSecrets(ring: KeyRing, endpoint: SealedSecrets, now: number): OpenSecrets {
  const { tenantId, secretSealed, previousSecrets, ed25519Sealed } = endpoint;
  const context = webhookSecretContext(tenantId);
  const valid = stillValid(previousSecrets, now);
  const previous = valid.map(({ sealed }) => openedOrNull(ring, sealed, context));
  const sealedKeys = ed25519Sealed === null ? [] : [ed25519Sealed, ...valid.flatMap((one) => one.ed25519Sealed ?? [])];
  const keys = sealedKeys.map((sealed) => openedOrNull(ring, sealed, signingKeyContext(tenantId)));
  return {
    secrets: [ring.open(secretSealed, context), ...previous.filter((secret) => secret !== null)],
    ed25519Keys: keys.filter((key) => key !== null),
  };
}

/** Whether the secret, and the ed25519 key where there is one, open with the SECRET_KEYs of today. */
export function whatOpens(ring: KeyRing, endpoint: SealedSecrets): { secret: boolean; signingKey: boolean } {
  const { tenantId, secretSealed, ed25519Sealed } = endpoint;
  return {
    secret: openedOrNull(ring, secretSealed, webhookSecretContext(tenantId)) !== null,
    signingKey: ed25519Sealed !== null && openedOrNull(ring, ed25519Sealed, signingKeyContext(tenantId)) !== null,
  };
}

/** null: the SECRET_KEY that sealed it is gone. */
function openedOrNull(ring: KeyRing, sealed: string, context: string): string | null {
  try {
    return ring.open(sealed, context);
  } catch {
    // Whoever asks goes on without it: rotating the secret is what mends an endpoint.
    return null;
  }
}

export function stillValid(previous: readonly PreviousSecret[], now: number): PreviousSecret[] {
  return previous.filter(({ until }) => Date.parse(until) > now);
}

/** The secrets go on signing, the ed25519 keys that were replaced with them do not. */
export function withoutSigningKeys(previous: readonly PreviousSecret[]): PreviousSecret[] {
  return previous.map(({ sealed, until }) => ({ sealed, until }));
}

/** `whsec_****...MnOp`; without its end where the SECRET_KEY that sealed it is gone. */
export function maskedSecret(ring: KeyRing, { tenantId, secretSealed }: SealedSecrets): string {
  const secret = openedOrNull(ring, secretSealed, webhookSecretContext(tenantId));
  return `${PREFIX}****${secret === null ? "" : `...${secret.slice(-4)}`}`;
}

/** `whpk_…`, for receivers that verify v1a signatures; null where there are none, or the SECRET_KEY is gone. */
export function publicKeyOf(ring: KeyRing, { tenantId, ed25519Sealed }: SealedSecrets): string | null {
  if (ed25519Sealed === null) return null;
  const key = openedOrNull(ring, ed25519Sealed, signingKeyContext(tenantId));
  if (key === null) return null;
  const bytes = Buffer.from(key.slice(SIGNING_KEY_PREFIX.length), "base64");
  return PUBLIC_KEY_PREFIX + bytes.subarray(32).toString("base64");
}
