// The API's own login on a test's server database, as `billhook serve` makes it: routes that lack a grant fail in the tests.
import { Secret } from "../../src/base/secret.ts";
import { apiRoleName, apiUrlOf, ensureApiRole } from "../../src/db/api-role.ts";
import type { Database } from "../../src/db/database.ts";
import { openServer } from "../../src/db/server.ts";

export interface ApiHandle {
  database: Database;
  close(): Promise<void>;
}

/** `url`: the owner's; undefined for the embedded database, which has one session and so no other handle. */
export async function openApiHandle(owner: Database, url: string | undefined): Promise<ApiHandle> {
  if (url === undefined) return { database: owner, close: () => Promise.resolve() };
  const login = { name: apiRoleName(url), password: new Secret("the-password-of-these-tests") };
  await ensureApiRole(owner, login);
  const database = await openServer({ url: apiUrlOf(url, login), poolSize: 4 });
  // The login goes with the run's databases.
  return { database, close: () => database.close() };
}
