// The platform is the first tenant, made at the first start.
import { newId } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";
import type { Database } from "../db/database.ts";
import { makeFirstEndpoint } from "../outbox/first-endpoint.ts";
import { findPlatform, insertPlatform } from "./tenant-table.ts";

/**
 * The id of the platform's tenant. Of several processes that start at once one makes it, and all get the same. With a ring
 * its first endpoint is made too: a command's own process has none, and what it sealed nobody could open.
 */
export async function ensurePlatformTenant(database: Database, ring?: KeyRing): Promise<string> {
  return database.transaction(async (tx) => {
    await insertPlatform(tx, newId("ten"));
    const platform = await findPlatform(tx);
    if (platform === undefined) throw new Error("the platform's tenant could not be made");
    if (ring !== undefined) await makeFirstEndpoint(tx, ring, platform.id);
    return platform.id;
  });
}
