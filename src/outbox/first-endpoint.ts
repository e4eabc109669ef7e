// A tenant's first endpoint: made with the tenant, and all that the single-endpoint view shows and changes.
import { audit } from "../audit/audit-log.ts";
import { newId } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";
import type { Queryable } from "../db/database.ts";
import { type Endpoint, firstEndpoint, lockEndpoint, updateEndpoint } from "./endpoint-table.ts";
import {
  type Act,
  auditChange,
  DEFAULT_GRACE,
  enabled,
  insertNew,
  stopDelivering,
  type WithSecret,
  withNewSecret,
} from "./endpoints.ts";

/** Without a url, for every event of both modes. undefined: the tenant has one already. */
export async function makeFirstEndpoint(
  tx: Queryable,
  ring: KeyRing,
  tenantId: string,
): Promise<WithSecret | undefined> {
  return insertNew(tx, ring, {
    ...{ tenantId, id: newId("whe"), first: true, url: null, description: null },
    ...{ enabledEvents: ["*"], livemode: null, ordering: "none", ed25519Sealed: null },
  });
}

export interface Configured {
  endpoint: Endpoint;
  /** Whole, where it was made now; else null. */
  secret: string | null;
}

/** Sets the url, and enables the endpoint where it was disabled: this view has no other way to. */
export async function configureFirst(
  tx: Queryable,
  ring: KeyRing,
  { tenantId, url, regenerate, now }: { tenantId: string; url: string; regenerate: boolean; now: number },
  act: Act,
): Promise<Configured> {
  const made = await makeFirstEndpoint(tx, ring, tenantId);
  const before = await lockFirst(tx, tenantId);
  if (before === undefined) throw new Error("the first endpoint could not be made");
  const rotates = regenerate && made === undefined;
  const { endpoint, secret } = rotates
    ? withNewSecret(ring, before, { graceSeconds: DEFAULT_GRACE, now })
    : { endpoint: before, secret: made?.secret ?? null };
  const moved = url !== before.url;
  const open = endpoint.status === "disabled" ? enabled(endpoint) : endpoint;
  const changed = await updateEndpoint(tx, { ...open, url, failingSince: moved ? null : open.failingSince });
  await auditChange(tx, "webhook_endpoint.updated", before, changed, act);
  if (rotates) {
    const after = { grace_seconds: DEFAULT_GRACE };
    await audit(tx, { tenantId, ...act, action: "webhook_endpoint.secret_rotated", target: changed.id, after });
  }
  return { endpoint: changed, secret };
}

/**
 * Takes the url away, and keeps the secret. What waits to be delivered is ended by `cancelInPieces`, behind the commit.
 * Returns its id; undefined: it had no url.
 */
export async function clearFirst(tx: Queryable, tenantId: string, act: Act): Promise<string | undefined> {
  const before = await lockFirst(tx, tenantId);
  if (before === undefined || before.url === null) return undefined;
  const changed = await updateEndpoint(tx, { ...before, url: null, failingSince: null });
  await stopDelivering(tx, changed);
  await auditChange(tx, "webhook_endpoint.updated", before, changed, act);
  return changed.id;
}

async function lockFirst(tx: Queryable, tenantId: string): Promise<Endpoint | undefined> {
  const found = await firstEndpoint(tx, tenantId);
  return found === undefined ? undefined : lockEndpoint(tx, found);
}
