// The platform is the first tenant, made at the first start.
import { newId } from "../base/ids.ts";
import type { Database } from "../db/database.ts";
import { findPlatform, insertPlatform } from "./tenant-table.ts";

/** The id of the platform's tenant. Of several processes that start at once one makes it, and all get the same. */
export async function ensurePlatformTenant(database: Database): Promise<string> {
  return database.transaction(async (tx) => {
    await insertPlatform(tx, newId("ten"));
    const platform = await findPlatform(tx);
    if (platform === undefined) throw new Error("the platform's tenant could not be made");
    return platform.id;
  });
}
