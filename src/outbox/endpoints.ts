// What is done to endpoints: made, changed, given another secret, enabled, disabled, deleted; each told in the audit log.
import { audit, type AuditEntry } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { idOfOperation } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";
import type { Queryable } from "../db/database.ts";
import {
  newSealedSigningKey,
  newWebhookSecret,
  openSecrets,
  sealSecret,
  stillValid,
  whatOpens,
  withoutSigningKeys,
} from "./endpoint-secrets.ts";
import {
  countEndpoints,
  type DisabledReason,
  type Endpoint,
  type EndpointKey,
  FAILING_DAYS,
  findEndpoint,
  insertEndpoint,
  lockEndpoint,
  makeOneAtATime,
  type NewEndpoint,
  type Ordering,
  removeEndpoint,
  updateEndpoint,
} from "./endpoint-table.ts";
import { cancelRecoveries } from "./recoveries.ts";

/** Of one tenant: each event is matched against all of them. */
export const MOST_ENDPOINTS = 50;

/** Each replaced secret that is still valid is a signature in every delivery's header. */
const MOST_PREVIOUS_SECRETS = 5;

/** Seconds that a replaced secret goes on signing, where nothing else is said. */
export const DEFAULT_GRACE = 86_400;

/** Who does it, and from which address. */
export type Act = Pick<AuditEntry, "actor" | "source">;

/** We ourselves. */
export const SYSTEM: Act = { actor: { kind: "system", id: null }, source: null };

export interface WantedEndpoint {
  tenantId: string;
  url: string;
  description: string | null;
  enabledEvents: string[];
  /** Null: both modes. */
  livemode: boolean | null;
  ordering: Ordering;
  /** Also sign with an ed25519 key. */
  ed25519: boolean;
  /** Stands for this wish, however often it is carried out: see `Call.idempotencyKey`. */
  operationId: string | undefined;
}

/** With its secret, whole. */
export interface WithSecret {
  endpoint: Endpoint;
  secret: string;
}

/** Throws `endpoint_limit`. A wish that was carried out before, and whose answer was lost, gives the same endpoint again. */
export async function createEndpoint(
  tx: Queryable,
  ring: KeyRing,
  wanted: WantedEndpoint,
  act: Act,
): Promise<WithSecret> {
  const { tenantId, ed25519, operationId, ...state } = wanted;
  const id = idOfOperation("whe", operationId);
  await makeOneAtATime(tx, tenantId);
  const before = await findEndpoint(tx, { tenantId, id });
  if (before !== undefined) return { endpoint: before, secret: openSecrets(ring, before, 0).secrets[0] ?? "" };
  if ((await countEndpoints(tx, tenantId)) >= MOST_ENDPOINTS) throw publicError("endpoint_limit");
  const ed25519Sealed = ed25519 ? newSealedSigningKey(ring, tenantId) : null;
  const made = await insertNew(tx, ring, { tenantId, id, first: false, ...state, ed25519Sealed });
  if (made === undefined) throw new Error("an endpoint could not be stored");
  await audit(tx, {
    tenantId,
    ...act,
    action: "webhook_endpoint.created",
    target: id,
    after: auditView(made.endpoint),
  });
  return made;
}

/** undefined: there is one with this id, or a first one already. */
export async function insertNew(
  tx: Queryable,
  ring: KeyRing,
  endpoint: Omit<NewEndpoint, "secretSealed">,
): Promise<WithSecret | undefined> {
  const secret = newWebhookSecret();
  const secretSealed = sealSecret(ring, endpoint.tenantId, secret);
  const made = await insertEndpoint(tx, { ...endpoint, secretSealed });
  return made === undefined ? undefined : { endpoint: made, secret };
}

/** What is undefined stays as it is. */
export interface EndpointChange {
  /** Null: nothing is delivered until there is one; of the first endpoint only. */
  url?: string | null | undefined;
  description?: string | null | undefined;
  enabledEvents?: string[] | undefined;
  livemode?: boolean | null | undefined;
  ordering?: Ordering | undefined;
  ed25519?: boolean | undefined;
}

/** Throws `not_found`, `first_endpoint`. */
export async function changeEndpoint(
  tx: Queryable,
  ring: KeyRing,
  key: EndpointKey,
  change: EndpointChange,
  act: Act,
): Promise<Endpoint> {
  const before = await mustLock(tx, key);
  if (change.url === null && !before.first) {
    throw publicError("invalid_request", {
      message: "Only the first endpoint may be without a url: disable or delete this one instead.",
      param: "url",
    });
  }
  if (change.livemode !== undefined && change.livemode !== before.livemode && before.first) {
    throw publicError("first_endpoint", {
      message: "The first endpoint takes the events of both modes: create another one for one mode.",
      param: "livemode",
    });
  }
  const changed = await updateEndpoint(tx, applied(ring, before, change));
  if (changed.url === null) await stopDelivering(tx, changed);
  await auditChange(tx, "webhook_endpoint.updated", before, changed, act);
  return changed;
}

function applied(ring: KeyRing, before: Endpoint, change: EndpointChange): Endpoint {
  const { url, description, enabledEvents, livemode, ordering, ed25519 } = change;
  const moved = url !== undefined && url !== before.url;
  return {
    ...before,
    url: url === undefined ? before.url : url,
    description: description === undefined ? before.description : description,
    enabledEvents: enabledEvents ?? before.enabledEvents,
    livemode: livemode === undefined ? before.livemode : livemode,
    ordering: ordering ?? before.ordering,
    ed25519Sealed: signingKeyAfter(ring, before, ed25519),
    // Also where an earlier version, which leaves them there, has switched it off.
    previousSecrets:
      ed25519 === false || before.ed25519Sealed === null
        ? withoutSigningKeys(before.previousSecrets)
        : before.previousSecrets,
    // Another receiver has not failed yet.
    failingSince: moved ? null : before.failingSince,
  };
}

function signingKeyAfter(ring: KeyRing, before: Endpoint, wanted: boolean | undefined): string | null {
  if (wanted === undefined) return before.ed25519Sealed;
  if (!wanted) return null;
  return whatOpens(ring, before).signingKey ? before.ed25519Sealed : newSealedSigningKey(ring, before.tenantId);
}

export interface Rotation {
  /** How long the old secret goes on signing, and the ed25519 key with it. 0: they and all older ones stop at once. */
  graceSeconds: number;
  /** Milliseconds. */
  now: number;
}

/** The new secret, whole. Throws `not_found`, `too_many_secrets`. */
export async function rotateSecret(
  tx: Queryable,
  ring: KeyRing,
  key: EndpointKey,
  rotation: Rotation,
  act: Act,
): Promise<WithSecret> {
  const before = await mustLock(tx, key);
  const rotated = withNewSecret(ring, before, rotation);
  const endpoint = await updateEndpoint(tx, rotated.endpoint);
  const after = { grace_seconds: rotation.graceSeconds };
  await audit(tx, { tenantId: key.tenantId, ...act, action: "webhook_endpoint.secret_rotated", target: key.id, after });
  return { endpoint, secret: rotated.secret };
}

/**
 * Of a locked endpoint; not written yet. The ed25519 key, where there is one, is replaced with the secret. What no SECRET_KEY
 * opens any more signs nothing: where that is both, neither is kept.
 */
export function withNewSecret(ring: KeyRing, before: Endpoint, { graceSeconds, now }: Rotation): WithSecret {
  const { tenantId, ed25519Sealed } = before;
  const opens = whatOpens(ring, before);
  const valid = stillValid(before.previousSecrets, now);
  if (graceSeconds > 0 && valid.length >= MOST_PREVIOUS_SECRETS) throw publicError("too_many_secrets");
  const replaced = {
    sealed: before.secretSealed,
    until: new Date(now + graceSeconds * 1000).toISOString(),
    ...(ed25519Sealed !== null && opens.signingKey ? { ed25519Sealed } : {}),
  };
  const secret = newWebhookSecret();
  const rotated = {
    ...before,
    secretSealed: sealSecret(ring, tenantId, secret),
    previousSecrets: graceSeconds === 0 ? [] : [...(opens.secret || opens.signingKey ? [replaced] : []), ...valid],
    ed25519Sealed: ed25519Sealed === null ? null : newSealedSigningKey(ring, tenantId),
  };
  return { endpoint: rotated, secret };
}

/** An endpoint that is enabled already stays as it is. What it missed is not sent: that is a recovery. */
export async function enableEndpoint(tx: Queryable, key: EndpointKey, act: Act): Promise<Endpoint> {
  const before = await mustLock(tx, key);
  if (before.status === "enabled") return before;
  const changed = await updateEndpoint(tx, enabled(before));
  await auditChange(tx, "webhook_endpoint.enabled", before, changed, act);
  return changed;
}

/** Of a locked endpoint; not written yet. */
export function enabled(before: Endpoint): Endpoint {
  return { ...before, status: "enabled", disabledReason: null, disabledAt: null, failingSince: null };
}

/**
 * What waits to be delivered to it is ended behind the commit, by `cancelInPieces`: events meanwhile are kept, and can be
 * recovered. An endpoint that is disabled already keeps its reason.
 *
 * @returns undefined: it is gone, was disabled already, or has not failed for FAILING_DAYS any more
 */
export async function disableEndpoint(
  tx: Queryable,
  key: EndpointKey,
  reason: DisabledReason,
  act: Act = SYSTEM,
): Promise<Endpoint | undefined> {
  const before = await lockEndpoint(tx, key);
  if (before === undefined || before.status === "disabled") return undefined;
  const { rows } = await tx.query<{ now: Date }>("select now() as now");
  const disabledAt = rows[0]?.now ?? null;
  if (reason === "failing" && !hasFailedLongEnough(before, disabledAt)) return undefined;
  const changed = await updateEndpoint(tx, { ...before, status: "disabled", disabledReason: reason, disabledAt });
  await stopDelivering(tx, changed);
  await auditChange(tx, "webhook_endpoint.disabled", before, changed, act);
  return changed;
}

/** Not where something was delivered meanwhile, or it has another url, and fails again only since then. */
function hasFailedLongEnough({ failingSince }: Endpoint, now: Date | null): boolean {
  return failingSince !== null && now !== null && now.getTime() - failingSince.getTime() >= FAILING_DAYS * 86_400_000;
}

/** Its past deliveries stay to be read. Throws `not_found`, `first_endpoint`. */
export async function deleteEndpoint(tx: Queryable, key: EndpointKey, act: Act): Promise<void> {
  const before = await mustLock(tx, key);
  if (before.first) throw publicError("first_endpoint");
  await stopDelivering(tx, before);
  await removeEndpoint(tx, key);
  const { tenantId, id: target } = key;
  await audit(tx, { tenantId, ...act, action: "webhook_endpoint.deleted", target, before: auditView(before) });
}

/** Recoveries that run are canceled. What waits to be delivered is, too: by `cancelInPieces`, behind the commit. */
export async function stopDelivering(tx: Queryable, { tenantId, id }: EndpointKey): Promise<void> {
  await cancelRecoveries(tx, { tenantId, endpointId: id });
}

/** Throws `not_found`. */
export async function mustLock(tx: Queryable, key: EndpointKey): Promise<Endpoint> {
  const found = await lockEndpoint(tx, key);
  if (found === undefined) throw publicError("not_found", { message: NO_ENDPOINT });
  return found;
}

export const NO_ENDPOINT = "There is no endpoint with this id: check it.";

/** Writes what differs; nothing where nothing does. */
export async function auditChange(
  tx: Queryable,
  action: string,
  before: Endpoint,
  changed: Endpoint,
  act: Act,
): Promise<void> {
  const [old, now] = [auditView(before), auditView(changed)];
  const differing = Object.keys(now).filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]));
  if (differing.length === 0) return;
  const only = (view: Record<string, unknown>): object =>
    Object.fromEntries(differing.map((name) => [name, view[name]]));
  const { tenantId, id: target } = changed;
  await audit(tx, { tenantId, ...act, action, target, before: only(old), after: only(now) });
}

/** Without its secrets. */
export function auditView(endpoint: Endpoint): Record<string, unknown> {
  return {
    url: endpoint.url,
    description: endpoint.description,
    enabled_events: endpoint.enabledEvents,
    livemode: endpoint.livemode,
    ordering: endpoint.ordering,
    status: endpoint.status,
    disabled_reason: endpoint.disabledReason,
    ed25519: endpoint.ed25519Sealed !== null,
  };
}
