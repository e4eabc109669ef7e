// The database as the doctor sees it: what it must be before money is trusted to it, its migrations, its indexes, its disk.
import { stat, statfs } from "node:fs/promises";

import type { Database, Queryable } from "../db/database.ts";
import { readMigrations } from "../db/migrate.ts";
import { check, type Examined } from "./doctor-check.ts";
import { type ExpectedIndex, indexesOf } from "./doctor-indexes.ts";
import { atMost, type Found } from "./doctor-report.ts";

export interface DatabaseFacts {
  kind: Database["kind"];
  version: number;
  versionName: string;
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
  autovacuum: string;
  role: string;
  used: number;
  most: number;
  pool: number;
  /** Seconds by which the database's clock is ahead. */
  ahead: number;
}

export const databaseCheck = check({
  code: "database",
  title: "Database",
  needs: "database",
  look: async ({ ask, clock, config, databaseKind: kind }): Promise<DatabaseFacts> => {
    const began = clock.now();
    const { rows } = await ask.query<Omit<DatabaseFacts, "kind" | "ahead" | "pool"> & { now: number }>(SETTINGS);
    const ended = clock.now();
    const facts = rows[0];
    if (facts === undefined) throw new Error("the database did not tell its settings");
    const { now, ...settings } = facts;
    // Its clock was read somewhere between: nothing is held against it that the round trip may be.
    const ahead = now * 1000 < began ? now - began / 1000 : now * 1000 > ended ? now - ended / 1000 : 0;
    return { ...settings, kind, pool: config.databasePoolSize, ahead };
  },
  judge: judgeDatabase,
});

const OLDEST = 150_000;
const SKEW_SECONDS = 10;
const NEARLY_FULL = 0.9;

export function judgeDatabase(facts: DatabaseFacts): Found[] {
  const found: Found[] = [];
  if (facts.version < OLDEST) found.push({ code: "server_too_old", values: { version: facts.versionName } });
  for (const [setting, value] of [
    ["fsync", facts.fsync],
    ["full_page_writes", facts.fullPageWrites],
  ] as const) {
    if (value !== "on") found.push({ code: "fsync_off", subject: setting, values: { setting } });
  }
  if (facts.synchronousCommit === "off")
    found.push({ code: "synchronous_commit_off", subject: facts.role, values: { role: facts.role } });
  // Embedded there is none: see db/upkeep.ts.
  if (facts.kind === "server" && facts.autovacuum !== "on") found.push({ code: "autovacuum_off" });
  if (facts.kind === "server" && facts.used > facts.most * NEARLY_FULL)
    found.push({ code: "connections_full", values: { used: facts.used, most: facts.most, pool: facts.pool } });
  if (Math.abs(facts.ahead) >= SKEW_SECONDS)
    found.push({ code: "database_clock_skewed", values: { seconds: Math.round(Math.abs(facts.ahead)) } });
  return found;
}

export const migrationsCheck = check({
  code: "migrations",
  title: "Migrations",
  needs: "database",
  look: async ({ ask }) => {
    const { rows } = await ask.query<{ number: number; name: string; checksum: string }>(APPLIED);
    return { ours: readMigrations(), applied: rows };
  },
  judge: ({ ours, applied }): Found[] => {
    const changed = applied.find(
      ({ number, checksum }) => ours[number - 1]?.checksum !== checksum && number <= ours.length,
    );
    if (changed !== undefined) {
      const reason = `${changed.name} was changed after it was applied.`;
      return [{ code: "schema_broken", subject: changed.name, values: { reason } }];
    }
    const pending = ours.slice(applied.length);
    if (pending[0] !== undefined) {
      const values = { count: pending.length, first: pending[0].name };
      return [{ code: "schema_pending", subject: pending[0].name, values }];
    }
    return applied.length > ours.length ? [{ code: "schema_newer" }] : [];
  },
});

export const indexesCheck = check({
  code: "indexes",
  title: "Indexes",
  needs: "database",
  look: async ({ ask }) => ({
    expected: indexesOf(readMigrations().map(({ sql }) => sql)),
    // What a pending migration makes is not missing.
    applied:
      (await ask.query<{ count: number }>("select count(*) as count from billhook_migrations")).rows[0]?.count ?? 0,
    present: (await ask.query<{ name: string; table: string; valid: boolean }>(INDEXES)).rows,
  }),
  judge: ({ expected, applied, present }): Found[] => {
    const names = new Set(present.map(({ name }) => name));
    const tables = new Set(present.map(({ table }) => table));
    const missing = expected
      .filter((one) => one.migration <= applied && !names.has(one.index) && tables.has(one.table))
      .map(missingIndex);
    const invalid = present
      .filter(({ valid }) => !valid)
      .map(({ name, table }): Found => ({ code: "index_invalid", subject: name, values: { index: name, table } }));
    return [...atMost(missing), ...atMost(invalid)];
  },
});

function missingIndex({ index, table, statement }: ExpectedIndex): Found {
  return { code: "index_missing", subject: index, values: { index, table, statement } };
}

/** Fewer rows are read in a few milliseconds. */
const LARGE = 50_000;
const OFTEN = 500;

export const scansCheck = check({
  code: "scans",
  title: "Reads of whole tables",
  needs: "database",
  // Embedded one process reads everything, and its statistics begin anew with it.
  look: async ({ ask, databaseKind }) =>
    databaseKind === "embedded"
      ? []
      : (await ask.query<{ table: string; rows: number; scans: number }>({ text: SCANNED, values: [LARGE, OFTEN] }))
          .rows,
  judge: (tables): Found[] =>
    atMost(tables.map((values): Found => ({ code: "table_scanned", subject: values.table, values: { ...values } }))),
});

export interface DiskFacts {
  what: string;
  path: string;
  /** Bytes. */
  free: number;
  total: number;
}

const MB = 1_000_000;
const FULL_BYTES = 500 * MB;
const LOW_BYTES = 5_000 * MB;
const LOW_PART = 0.1;

export const diskCheck = check({
  code: "disk",
  title: "Disk",
  needs: "database",
  look: lookAtDisk,
  judge: (facts) => ("reason" in facts ? [{ code: "disk_unknown", values: facts }] : judgeDisk(facts)),
});

export function judgeDisk({ what, path, free, total }: DiskFacts): Found[] {
  const values = { what, path, free: Math.floor(free / MB), total: Math.floor(total / MB) };
  if (free < FULL_BYTES) return [{ code: "disk_full", subject: path, values }];
  return free < LOW_BYTES && free < total * LOW_PART ? [{ code: "disk_low", subject: path, values }] : [];
}

/** A server tells where its files are to those whom it trusts, and that place is this machine's only where it runs here. */
async function lookAtDisk(examined: Examined): Promise<DiskFacts | { reason: string; size: number }> {
  const { ask, databaseKind, config } = examined;
  if (databaseKind === "embedded") return spaceAt("the embedded database", config.dataDir);
  const { rows } = await ask.query<{ local: boolean; size: number }>(WHERE);
  const size = Math.round((rows[0]?.size ?? 0) / MB);
  if (rows[0]?.local !== true) return { reason: "The database server is another machine.", size };
  const folder = await dataDirectory(ask);
  if (folder === undefined) return { reason: "The server does not tell this role where its files are.", size };
  // In a container next door the path is another one's.
  const isHere = await stat(folder).then(
    () => true,
    () => false,
  );
  return isHere ? spaceAt("the database", folder) : { reason: "The server's files are not on this machine.", size };
}

async function dataDirectory(ask: Queryable): Promise<string | undefined> {
  try {
    const { rows } = await ask.query<{ folder: string }>("select current_setting('data_directory') as folder");
    return rows[0]?.folder;
  } catch {
    // Only members of pg_read_all_settings may know.
    return undefined;
  }
}

async function spaceAt(what: string, path: string): Promise<DiskFacts> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { what, path, free: bavail * bsize, total: blocks * bsize };
}

const SETTINGS = `
  select current_setting('server_version_num')::int as version, current_setting('server_version') as "versionName",
         current_setting('fsync') as fsync, current_setting('full_page_writes') as "fullPageWrites",
         current_setting('synchronous_commit') as "synchronousCommit", current_setting('autovacuum') as autovacuum,
         current_user as role, (select count(*) from pg_stat_activity where backend_type = 'client backend') as used,
         current_setting('max_connections')::int as most,
         extract(epoch from clock_timestamp())::float8 as now`;

const APPLIED = "select number, name, checksum from billhook_migrations order by number";

const INDEXES = `
  select index_class.relname as name, class.relname as table, ind.indisvalid as valid
  from pg_index as ind
  join pg_class as class on class.oid = ind.indrelid
  join pg_class as index_class on index_class.oid = ind.indexrelid
  where class.relnamespace = 'public'::regnamespace
  order by index_class.relname`;

// Those of queues are read whole by design while they are short, and are short.
const SCANNED = `
  select relname as table, n_live_tup as rows, seq_scan as scans from pg_stat_user_tables
  where n_live_tup >= $1 and seq_scan >= $2 and seq_tup_read >= seq_scan * n_live_tup / 2
  order by seq_tup_read desc`;

const WHERE = `
  select coalesce(inet_server_addr() << '127.0.0.0/8' or inet_server_addr() = '::1', true) as local,
         pg_database_size(current_database()) as size`;
