// Which databases a process opens, and as whom: the owner's for the pipe and the operator, the API's own for tenants.
import { keyRing } from "./base/key-ring.ts";
import type { Log } from "./base/log.ts";
import type { Secret } from "./base/secret.ts";
import type { Config } from "./config.ts";
import { makeOwnLogin, openGivenLogin, openOwnLogin } from "./db/api-database.ts";
import { apiLoginsOf } from "./db/api-role.ts";
import { type Database, limitedTo } from "./db/database.ts";
import { openEmbedded } from "./db/embedded.ts";
import type { FolderLock } from "./db/embedded-lock.ts";
import { holdable } from "./db/held-database.ts";
import { openServer } from "./db/server.ts";
import { tenantScope } from "./db/tenant-scope.ts";
import { readTenants } from "./tenants/tenant-table.ts";

/** The owner's, over all connections that a process may have. */
export async function openDatabase(
  config: Config,
  poolSize = config.databasePoolSize,
  lock?: FolderLock,
): Promise<Database> {
  return config.databaseUrl === undefined
    ? holdable(await openEmbedded(config.dataDir, { lock }))
    : openServer({ url: config.databaseUrl.reveal(), poolSize });
}

/** Milliseconds: far longer than a statement of a request or of the work on a queue takes. What an operator or a night's upkeep asks may take longer. */
const LONGEST_STATEMENT_MS = 60_000;

export interface PromptOptions {
  /** Shorter in tests. */
  longestStatementMs?: number;
}

/** For whoever serves: no statement keeps its connection for longer than that. */
export function prompt(
  database: Database,
  { longestStatementMs = LONGEST_STATEMENT_MS }: PromptOptions = {},
): Database {
  return limitedTo(database, longestStatementMs);
}

/**
 * DATABASE_POOL_SIZE in two parts. The owner's is the larger: it takes what Stripe sends, processes it, and looks up who
 * calls. A process that is no `api` still answers who asks it.
 */
export function poolShares({ roles, databasePoolSize: all }: Pick<Config, "roles" | "databasePoolSize">): {
  owner: number;
  api: number;
} {
  const api = roles.includes("api") ? Math.max(1, Math.floor(all / 3)) : 1;
  return { owner: all - api, api };
}

export interface ApiDatabaseParts {
  config: Config;
  /** The owner's, migrated. */
  database: Database;
  secretKeys: readonly Secret[];
  log: Pick<Log, "warn">;
}

/** The API's pool on a server; embedded, where there is one session, the owner's. Throws with a sentence for the operator. */
export async function openApiDatabase(parts: ApiDatabaseParts & { platformTenant: string }): Promise<Database> {
  const { config, database, platformTenant } = parts;
  const own = ownLoginOf(parts);
  if (own === undefined) return database;
  const { api: poolSize } = poolShares(config);
  const given = config.databaseApiUrl;
  const opened = given === undefined ? openOwnLogin({ ...own, poolSize }) : openGivenLogin(given.reveal(), poolSize);
  const apiDatabase = await opened;
  try {
    await refuseAnotherDatabase(apiDatabase, platformTenant);
    return apiDatabase;
  } catch (error) {
    await apiDatabase.close();
    throw error;
  }
}

/** Makes the API's login ahead of the first start. Returns its name; undefined where there is none to make. */
export async function makeApiLogin(parts: ApiDatabaseParts): Promise<string | undefined> {
  const own = ownLoginOf(parts);
  return own === undefined || parts.config.databaseApiUrl !== undefined ? undefined : makeOwnLogin(own);
}

/** Undefined: embedded. */
function ownLoginOf({ config, database, secretKeys, log }: ApiDatabaseParts) {
  const url = config.databaseUrl?.reveal();
  if (url === undefined) return undefined;
  return { owner: database, url, logins: apiLoginsOf(url, keyRing(secretKeys)), log };
}

/** What a tenant reads there must be what the owner wrote here. */
async function refuseAnotherDatabase(apiDatabase: Database, platformTenant: string): Promise<void> {
  const found = await readTenants(tenantScope(apiDatabase, { tenantId: platformTenant }), [platformTenant]);
  if (found.length === 1) return;
  throw new Error(
    "DATABASE_API_URL leads to another database than DATABASE_URL: set it to the same one, by the API's login.",
  );
}
