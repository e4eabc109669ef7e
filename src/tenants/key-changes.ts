// Replacing and revoking a tenant's API keys, each told in the audit log.
import { audit } from "../audit/audit-log.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { endKeys, makeKeys, typesIn } from "./api-keys.ts";
import type { KeyType } from "./key-format.ts";
import type { Act } from "./people-context.ts";

export type KeyChoice = "live" | "test" | "all";

/** New keys, whole; the old ones stop at once or after the grace. `brand` stands before them. */
export async function regenerateKeys(
  scope: TenantScope,
  { choice, graceSeconds, brand }: { choice: KeyChoice; graceSeconds: number; brand: string },
  act: Act,
): Promise<Partial<Record<KeyType, string>>> {
  const { tenantId } = scope;
  const types = typesIn(choice);
  return scope.transaction(async (tx) => {
    const ended = await endKeys(tx, { tenantId, types, reason: "regenerated", graceSeconds, told: "key.regenerated" });
    const made = await makeKeys(tx, { tenantId, types, brand, by: act.actor.id });
    const change = { before: { types: ended }, after: { types, grace_seconds: graceSeconds } };
    await audit(tx, { tenantId, ...act, action: "api_keys.regenerated", target: tenantId, ...change });
    return made;
  });
}

/** Returns the types of keys that stopped. */
export async function revokeKeys(
  scope: TenantScope,
  { choice, reason }: { choice: KeyChoice; reason: string },
  act: Act,
): Promise<KeyType[]> {
  const { tenantId } = scope;
  return scope.transaction(async (tx) => {
    const types = typesIn(choice);
    const ended = await endKeys(tx, { tenantId, types, reason, graceSeconds: 0, told: "key.revoked" });
    const change = { before: { types: ended }, after: { reason } };
    await audit(tx, { tenantId, ...act, action: "api_keys.revoked", target: tenantId, ...change });
    return ended;
  });
}
