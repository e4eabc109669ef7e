// The login of the API's own pool on a server: it owns nothing, and can do nothing but take the tenants' role.
import { createHmac, hash, pbkdf2Sync } from "node:crypto";

import type { KeyRing } from "../base/key-ring.ts";
import { Secret } from "../base/secret.ts";
import { textArray } from "./arrays.ts";
import type { Database, Queryable } from "./database.ts";
import { TENANT_ROLE } from "./tenant-scope.ts";

export interface ApiLogin {
  name: string;
  password: Secret;
}

/** PostgreSQL cuts names off at 63 bytes. */
const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** Leaves room for a key's mark. */
const LONGEST = 54;

/**
 * A name for the login. Roles belong to the whole server, passwords to one Billhook: two of them on one server must not
 * share the login, so it carries the database's name, or its hash where that would not do as a name.
 */
export function apiRoleName(url: string): string {
  const database = decodeURIComponent(new URL(url).pathname.slice(1));
  const plain = `billhook_api_${database}`;
  return NAME.test(plain) && plain.length <= LONGEST ? plain : `billhook_api_${hash("sha256", database).slice(0, 16)}`;
}

/**
 * A login for each secret key, the current one's first, with a password derived from it. Each key has a login of its own,
 * because nodes with the older SECRET_KEY work on while the others start with the newer one: one password, changed under
 * them, would end them.
 */
export function apiLoginsOf(url: string, ring: KeyRing): ApiLogin[] {
  const marks = ring.keysFor("name of the database api login");
  return ring.keysFor("database api login").map((key, index) => ({
    name: `${apiRoleName(url)}_${marks[index]?.toString("hex", 0, 4) ?? ""}`,
    password: new Secret(key.toString("base64url")),
  }));
}

/** The same database, logged in as somebody else. */
export function apiUrlOf(url: string, login: ApiLogin): string {
  const changed = new URL(url);
  // As a query these would win over what stands before the host.
  for (const name of ["user", "password"]) changed.searchParams.delete(name);
  changed.username = encodeURIComponent(login.name);
  changed.password = encodeURIComponent(login.password.reveal());
  return changed.href;
}

/**
 * Makes the login, or gives it this password. `database` is the owner's. Several nodes may do so at once.
 * Throws, with a sentence for the operator, when the owner may not, or when a role of this name can do more than it should.
 */
export async function ensureApiRole(database: Database, { name, password }: ApiLogin): Promise<void> {
  if (database.kind === "embedded") throw new Error("the embedded database has one user and no logins");
  if (!NAME.test(name)) throw new Error(`"${name}" is no name for the API's database role.`);
  // As PostgreSQL itself keeps it: the password is neither sent nor logged.
  const verifier = scramVerifier(password.reveal());
  try {
    await database.transaction(async (tx) => {
      await tx.query(LOCK);
      const before = await standingOf(tx, name);
      if (before !== undefined) refuseExcess(before);
      await tx.query(
        `${before === undefined ? "create" : "alter"} role ${name} login noinherit password '${verifier}'`,
      );
      const after = await standingOf(tx, name);
      if (after?.takes_tenant_role !== true) await tx.query(`grant ${TENANT_ROLE} to ${name}`);
      if (after?.connects !== true) await tx.query(letConnect(name));
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new Error(
      `The owner of the database may not make the API's login. Let an administrator of the server run: create role ${name} login noinherit password '…'; grant ${TENANT_ROLE} to ${name}; and set DATABASE_API_URL to its address.`,
      { cause: error },
    );
  }
}

/**
 * Takes the logins away that belong to none of our secret keys: whoever learned a key that was rotated out could still use
 * its login. Returns their names. Throws when the owner may not.
 */
export async function retireApiRoles(database: Database, url: string, ours: readonly ApiLogin[]): Promise<string[]> {
  return database.transaction(async (tx) => {
    await tx.query(LOCK);
    const values = [`^${apiRoleName(url)}_[0-9a-f]{8}$`, textArray(ours.map(({ name }) => name))];
    const { rows } = await tx.query<{ name: string }>({ text: OTHERS, values });
    // What is connected by it stays so: its nodes end as they are replaced.
    for (const { name } of rows) await tx.query(`alter role ${name} nologin password null`);
    return rows.map(({ name }) => name);
  });
}

/** Throws, with a sentence for the operator, unless whoever is logged in here is bound by row-level security in all that it can do. */
export async function refusePrivilegedLogin(database: Queryable): Promise<void> {
  const { rows } = await database.query<{ name: string }>("select session_user as name");
  const standing = rows[0] === undefined ? undefined : await standingOf(database, rows[0].name);
  if (standing === undefined) throw new Error("The database did not tell whose login the API has.");
  refuseExcess(standing);
  if (!standing.takes_tenant_role) {
    throw new Error(
      `The API's database login ${standing.name} may not take the role ${TENANT_ROLE}. Let an administrator of the server run: grant ${TENANT_ROLE} to ${standing.name};`,
    );
  }
}

interface Standing {
  name: string;
  /** What the role can do beyond the tenants' role; null: nothing. */
  excess: string | null;
  takes_tenant_role: boolean;
  connects: boolean;
}

async function standingOf(tx: Queryable, name: string): Promise<Standing | undefined> {
  const { rows } = await tx.query<Standing>({ text: STANDING, values: [name, TENANT_ROLE] });
  return rows[0];
}

function refuseExcess({ name, excess }: Standing): void {
  if (excess === null) return;
  throw new Error(
    `The database role ${name} ${excess}: it cannot be the API's login, which must be bound to one tenant at a time. Name another in DATABASE_API_URL, or take that from it.`,
  );
}

const INSUFFICIENT_PRIVILEGE = "42501";

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === INSUFFICIENT_PRIVILEGE;
}

/** RFC 5803, as in pg_authid. The password is long and random: more iterations would guard nothing. */
function scramVerifier(password: string): string {
  if (!/^[\x21-\x7e]{16,}$/.test(password)) throw new Error("the API's password must be 16 or more ASCII characters");
  // The same each time: a pooler logs in by what it made of the verifier, and nodes that start together each write it.
  const salt = createHmac("sha256", password).update("salt of the api login").digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, "sha256");
  const keyed = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const storedKey = hash("sha256", keyed("Client Key"), "buffer");
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString("base64")}$${storedKey.toString("base64")}:${keyed("Server Key").toString("base64")}`;
}

const SCRAM_ITERATIONS = 4096;

// Of two nodes that alter one role at once, one would be refused.
const LOCK = "select pg_advisory_xact_lock(hashtextextended('billhook api role', 0))";

const OTHERS =
  "select rolname as name from pg_roles where rolname ~ $1 and rolcanlogin and rolname <> all ($2::text[])";

const letConnect = (name: string): string => `
  do $$ begin execute format('grant connect on database %I to ${name}', current_database()); end $$`;

const STANDING = `
  select role.rolname as name,
         case when role.rolsuper then 'is a superuser'
              when role.rolbypassrls then 'has BYPASSRLS'
              when role.rolcreaterole then 'may create roles'
              when exists (select from pg_class where relowner = role.oid) then 'owns tables'
              else 'is a member of ' || (
                select min(other.rolname) from pg_roles as other
                where other.rolname not in ($1, $2) and pg_has_role(role.oid, other.oid, 'MEMBER'))
         end as excess,
         pg_has_role(role.oid, $2, 'MEMBER') as takes_tenant_role,
         has_database_privilege(role.oid, current_database(), 'CONNECT') as connects
  from pg_roles as role where role.rolname = $1`;
