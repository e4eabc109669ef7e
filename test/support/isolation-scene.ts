// A database with rows of several tenants in every table that has tenants, and the two handles on it: the owner's and the API's.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";
import { inject } from "vitest";

import { newId } from "../../src/base/ids.ts";
import { Secret } from "../../src/base/secret.ts";
import { type ApiLogin, apiRoleName, apiUrlOf, ensureApiRole } from "../../src/db/api-role.ts";
import type { Database, Queryable } from "../../src/db/database.ts";
import { openEmbedded } from "../../src/db/embedded.ts";
import { migrate } from "../../src/db/migrate.ts";
import { openServer } from "../../src/db/server.ts";
import { ensurePlatformTenant } from "../../src/tenants/platform.ts";
import type { Kind } from "./pipe.ts";
import { createDatabase } from "./postgres.ts";
import { readyFolder } from "./ready-database.ts";

export interface Scene {
  /** On a server no superuser: one as a managed PostgreSQL gives it, who may create roles and databases. */
  owner: Database;
  /** On a server the API's login, over one connection; embedded the owner's session. */
  api: Database;
  /** Of the owner; "" embedded. */
  url: string;
  login: ApiLogin;
  platformTenant: string;
  close(): Promise<void>;
}

const PASSWORD = "the-password-of-these-tests";

export async function openScene(kind: Kind): Promise<Scene> {
  return kind === "embedded" ? embeddedScene() : serverScene();
}

async function embeddedScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-isolation-"));
  const owner = await openEmbedded(await readyFolder(join(folder, "data")));
  await migrate(owner);
  const platformTenant = await ensurePlatformTenant(owner);
  const login = { name: "", password: new Secret(PASSWORD) };
  const close = async (): Promise<void> => {
    await owner.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { owner, api: owner, url: "", login, platformTenant, close };
}

async function serverScene(): Promise<Scene> {
  const given = inject("postgresUrl");
  const unique = randomBytes(5).toString("hex");
  const ownerName = `billhook_owner_${unique}`;
  await ask(given, [
    `create role ${ownerName} login createdb createrole password '${PASSWORD}'`,
    // Of several databases on this server, the first one's owner made the role: the others are given it.
    `do $$ begin create role billhook_tenant nologin noinherit; exception when duplicate_object or unique_violation then null; end $$`,
    `grant billhook_tenant to ${ownerName} with admin option`,
  ]);
  const ownerUrl = apiUrlOf(given, { name: ownerName, password: new Secret(PASSWORD) });
  const name = `${inject("postgresRun")}_${unique}`;
  const url = await createDatabase(ownerUrl, name);
  const owner = await openServer({ url, poolSize: 4 });
  await migrate(owner);
  const platformTenant = await ensurePlatformTenant(owner);
  const login = { name: apiRoleName(url), password: new Secret(PASSWORD) };
  await ensureApiRole(owner, login);
  const api = await openServer({ url: apiUrlOf(url, login), poolSize: 1 });
  const close = async (): Promise<void> => {
    await api.close();
    await owner.close();
    await ask(given, [
      `drop database ${name} with (force)`,
      `drop role ${login.name}`,
      `drop owned by ${ownerName}`,
      `drop role ${ownerName}`,
    ]);
  };
  return { owner, api, url, login, platformTenant, close };
}

export async function ask(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

interface Column {
  name: string;
  type: string;
  /** Must be given a value. */
  required: boolean;
}

export interface TenantTable {
  name: string;
  /** The column that says whose a row is: `id` in tenants. */
  owned: string;
  columns: Column[];
  /** Its rows may have no tenant (yet). */
  nullable: boolean;
  /** Other tables' rows point to its rows. */
  referenced: boolean;
}

/** Every table whose rows are a tenant's, as the catalogue has them. */
export async function tenantTables(database: Queryable): Promise<TenantTable[]> {
  return (await database.query<TenantTable>(TENANT_TABLES)).rows;
}

/** What a check or a foreign key asks of a table's columns: everything else is made up by type. */
const FITTING: Record<string, (number: number) => Record<string, unknown>> = {
  memberships: (number) => ({ role: "member", person_id: personId(number) }),
  invitations: () => ({ role: "member" }),
  api_keys: () => ({ kind: "secret" }),
  stripe_events: () => ({ source: "webhook" }),
  mails: () => ({ status: "queued" }),
  // One stands at a time, and there are two modes.
  connections: () => ({ status: "disconnected", disconnected_at: new Date(0), disconnected_reason: "unlinked" }),
  account_creations: (number) => ({ livemode: number % 2 === 0 }),
  audit_log: () => ({ actor_kind: "system" }),
  credit_entries: () => ({ kind: "grant" }),
  connected_invoices: () => ({ origin: "billhook" }),
  plans: () => ({ billing_interval: "month" }),
  subscription_requests: () => ({ mode: "checkout", holds: false }),
  unmatched_purchases: () => ({ status: "open" }),
};

export const personId = (number: number): string => `usr_${String(number)}`;

let made = 1000;

/** An insert of one new row for a tenant, or for none. `also` replaces made-up values. */
export function insertOf(
  table: TenantTable,
  tenantId: string | null,
  also: Record<string, unknown> = {},
): { text: string; values: unknown[] } {
  made += 1;
  const given = { ...FITTING[table.name]?.(made), ...also, [table.owned]: tenantId };
  const named = table.columns.filter((column) => column.required || column.name in given);
  const values = named.map(({ name, type }) =>
    name in given ? written(type, given[name as keyof typeof given]) : valueOf(type, made),
  );
  const places = values.map((_, index) => `$${String(index + 1)}`).join(", ");
  return { text: `insert into ${table.name} (${named.map(({ name }) => name).join(", ")}) values (${places})`, values };
}

/** A row's own value: the driver would write a JSON list as an array of PostgreSQL's. */
function written(type: string, value: unknown): unknown {
  return /^jsonb?$/.test(type) && Array.isArray(value) ? JSON.stringify(value) : value;
}

function valueOf(type: string, number: number): unknown {
  if (type === "boolean") return false;
  if (/^(bigint|integer|smallint|numeric)/.test(type)) return number;
  if (type.startsWith("timestamp")) return new Date(1_700_000_000_000 + number * 1000);
  if (type === "bytea") return randomBytes(16);
  if (/^jsonb?$/.test(type)) return "{}";
  if (type.endsWith("[]")) return [];
  return `made ${String(number)}`;
}

/** How many rows each tenant has in each table: `${table} ${tenant}` → count. */
export type Populated = Map<string, number>;

/** Fills every table with up to `most` rows of each tenant, and of none where that can be. */
export async function populate(
  database: Database,
  tables: readonly TenantTable[],
  tenants: readonly string[],
  rowsOf: (table: string, tenant: string) => number,
): Promise<Populated> {
  const counts: Populated = new Map();
  await database.transaction(async (tx) => {
    for (const tenant of tenants) await tx.query({ text: "insert into tenants (id) values ($1)", values: [tenant] });
    for (const table of tables) {
      for (const tenant of table.name === "tenants" ? [] : [...tenants, ...(table.nullable ? [null] : [])]) {
        const rows = tenant === null ? 2 : rowsOf(table.name, tenant);
        for (let row = 0; row < rows; row += 1) {
          if (table.name === "memberships") await addPerson(tx, made + 1);
          await tx.query(insertOf(table, tenant));
        }
        if (tenant !== null) counts.set(`${table.name} ${tenant}`, rows);
      }
    }
    for (const tenant of tenants) counts.set(`tenants ${tenant}`, 1);
  });
  return counts;
}

async function addPerson(tx: Queryable, number: number): Promise<void> {
  await tx.query({
    text: "insert into people (id, email, name, password_hash) values ($1, $2, 'Ada', 'never to be read')",
    values: [personId(number), `ada${String(number)}@example.com`],
  });
}

/** The next row's number, so that a membership of it has a person. */
export async function addNextPerson(tx: Queryable): Promise<void> {
  await addPerson(tx, made + 1);
}

export const newTenants = (count: number): string[] => Array.from({ length: count }, () => newId("ten"));

const TENANT_TABLES = `
  select class.relname as name, owned.attname as owned, not owned.attnotnull as nullable,
         exists (select from pg_constraint where confrelid = class.oid) as referenced,
         (select json_agg(json_build_object(
            'name', attname, 'type', format_type(atttypid, atttypmod),
            'required', attnotnull and not atthasdef and attidentity = '') order by attnum)
          from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped) as columns
  from pg_class as class
  join pg_attribute as owned on owned.attrelid = class.oid and not owned.attisdropped
   and owned.attname = case class.relname when 'tenants' then 'id' else 'tenant_id' end
  where class.relkind in ('r', 'p') and not class.relispartition and class.relnamespace = 'public'::regnamespace
  order by class.relname`;
