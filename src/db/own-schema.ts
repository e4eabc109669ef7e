// What of a schema is Billhook's own: told by the migrations, so that what else lies beside it is neither copied nor dropped.
import type { Database, Queryable } from "./database.ts";
import { type Migration, readMigrations } from "./migrate.ts";

const TABLE =
  /\bcreate\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?"?([a-z_][a-z0-9_]*)"?(?!\w)(?!\s+partition\s+of)/gi;
const RENAMED = /\brename\s+to\s+"?([a-z_][a-z0-9_]*)/gi;
const FUNCTION = /\bcreate\s+(?:or\s+replace\s+)?function\s+([a-z_][a-z0-9_]*)/gi;

/** Names of tables that a migration has made at some time. */
export function ownTables(migrations: readonly Migration[] = readMigrations()): ReadonlySet<string> {
  return new Set([...namesIn(migrations, TABLE), ...namesIn(migrations, RENAMED), "billhook_migrations"]);
}

function namesIn(migrations: readonly Migration[], pattern: RegExp): string[] {
  return migrations.flatMap(({ sql }) => [...sql.matchAll(pattern)].map(([, name]) => (name ?? "").toLowerCase()));
}

/** The tables of ours that hold a row, the migrations' own left out: none in a database that was never used. */
export async function usedTables(tx: Queryable): Promise<string[]> {
  const used: string[] = [];
  for (const { name, table } of await present(tx)) {
    if (name === "billhook_migrations") continue;
    const { rows } = await tx.query<{ used: boolean }>(`select exists (select from ${table}) as used`);
    if (rows[0]?.used === true) used.push(name);
  }
  return used;
}

/** Drops our tables and functions, and leaves what else there is. */
export async function dropOwnSchema(tx: Queryable): Promise<void> {
  const tables = (await present(tx)).map(({ table }) => table);
  if (tables.length > 0) await tx.query(`drop table ${tables.join(", ")} cascade`);
  const known = [...namesIn(readMigrations(), FUNCTION)];
  const { rows } = await tx.query<{ name: string; signature: string }>(FUNCTIONS);
  for (const { name, signature } of rows)
    if (known.includes(name)) await tx.query(`drop function ${signature} cascade`);
}

async function present(tx: Queryable): Promise<{ name: string; table: string }[]> {
  const known = ownTables();
  const { rows } = await tx.query<{ name: string; table: string }>(TABLES);
  return rows.filter(({ name }) => known.has(name));
}

/** A transaction in the shape of a database: what is committed in pieces elsewhere is part of this one commit here. */
export function insideOf(tx: Queryable, kind: Database["kind"]): Database {
  return {
    kind,
    connections: 1,
    query: (statement) => tx.query(statement),
    transaction: (work) => work(tx),
    close: () => Promise.resolve(),
  };
}

const TABLES = `
  select relname as name, oid::regclass::text as table from pg_class
  where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`;
const FUNCTIONS = `
  select proname as name, oid::regprocedure::text as signature from pg_proc
  where pronamespace = current_schema()::regnamespace`;
