// The platform is the first tenant, made at the first start. Table: tenants
import { newId } from "../base/ids.ts";
import type { Database } from "../db/database.ts";

/** The id of the platform's tenant. Of several processes that start at once one makes it, and all get the same. */
export async function ensurePlatformTenant(database: Database): Promise<string> {
  return database.transaction(async (tx) => {
    await tx.query({ text: MAKE, values: [newId("ten")] });
    const { rows } = await tx.query<{ id: string }>("select id from tenants where platform");
    const [platform] = rows;
    if (platform === undefined) throw new Error("the platform's tenant could not be made");
    return platform.id;
  });
}

const MAKE = "insert into tenants (id, platform) values ($1, true) on conflict (platform) where platform do nothing";
