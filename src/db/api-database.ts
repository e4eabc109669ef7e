// The API's handle on a server: a pool of its own, by a login that row-level security binds in all that it can do.
import type { Log } from "../base/log.ts";
import { type ApiLogin, apiUrlOf, ensureApiRole, refusePrivilegedLogin, retireApiRoles } from "./api-role.ts";
import type { Database } from "./database.ts";
import { openServer } from "./server.ts";

/** By a login that somebody else made. Throws, with a sentence for the operator, when it is not bound. */
export async function openGivenLogin(url: string, poolSize: number): Promise<Database> {
  const database = await openServer({ url, poolSize, name: "billhook api" });
  try {
    await refusePrivilegedLogin(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

export interface OwnLogin {
  owner: Database;
  /** The owner's. */
  url: string;
  /** As `apiLoginsOf` gives them. */
  logins: readonly ApiLogin[];
  log: Pick<Log, "warn">;
}

/** Makes the login of the current key where it does not work yet, and opens it. Throws with a sentence for the operator. */
export async function openOwnLogin({ poolSize, ...own }: OwnLogin & { poolSize: number }): Promise<Database> {
  const { owner, url, logins } = own;
  const [login] = logins;
  if (login === undefined) throw new Error("there is no secret key");
  const open = (): Promise<Database> => openGivenLogin(apiUrlOf(url, login), poolSize);
  // Asked first: a try with a login that is not there would stand in the server's log, and a pooler may remember it.
  const { rowCount } = await owner.query({ text: CAN_LOG_IN, values: [login.name] });
  // Whatever is wrong with it, ensureApiRole mends it or says what it cannot.
  const known = rowCount === 0 ? undefined : await open().catch(() => undefined);
  const database = known ?? (await makeAndOpen(owner, login, open));
  await retireOthers(own);
  return database;
}

async function makeAndOpen(owner: Database, login: ApiLogin, open: () => Promise<Database>): Promise<Database> {
  await ensureApiRole(owner, login);
  try {
    return await open();
  } catch (error) {
    throw explained(error, login);
  }
}

/** The same without opening it: `billhook migrate`. Returns the login's name. */
export async function makeOwnLogin(own: OwnLogin): Promise<string> {
  const database = await openOwnLogin({ ...own, poolSize: 1 });
  await database.close();
  return own.logins[0]?.name ?? "";
}

/** No failure: the login of a key that is gone is a danger only where that key became known. */
async function retireOthers({ owner, url, logins, log }: OwnLogin): Promise<void> {
  try {
    const retired = await retireApiRoles(owner, url, logins);
    if (retired.length > 0)
      log.warn(`of a SECRET_KEY that is gone, the API's login was taken away: ${retired.join(", ")}`);
  } catch (error) {
    log.warn("the API's login of a SECRET_KEY that is gone could not be taken away: let an administrator do it", {
      error,
    });
  }
}

/** As PostgreSQL (class 28), and as poolers tell it. */
const REFUSED = /^(28...|08P01|42501)$/;

function explained(error: unknown, { name }: ApiLogin): unknown {
  if (!(error instanceof Error && "code" in error && REFUSED.test(String(error.code)))) return error;
  return new Error(
    `The API's login ${name} is there, and was refused (${error.message}). Where DATABASE_URL leads through a pooler, let the pooler take it too (PgBouncer: auth_query), and let pg_hba.conf take it; or make a login yourself (create role … login noinherit password '…'; grant billhook_tenant to …;) and set DATABASE_API_URL to its address.`,
    { cause: error },
  );
}

const CAN_LOG_IN = "select from pg_roles where rolname = $1 and rolcanlogin";
