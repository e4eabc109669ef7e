// Migrations: numbered, forward-only SQL files, each applied once in its own transaction. Table: billhook_migrations
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Database, Queryable } from "./database.ts";

export interface Migration {
  number: number;
  name: string;
  sql: string;
  checksum: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** The migrations that this build brings, in order. Throws when the files are not numbered 1, 2, 3, … */
export function readMigrations(folder = join(import.meta.dirname, "migrations")): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort();
  return files.map((file, index) => {
    const number = Number(FILE_NAME.exec(file)?.[1]);
    if (number !== index + 1)
      throw new Error(`Migration files must be numbered without gaps: ${file} stands at place ${index + 1}.`);
    const sql = readFileSync(join(folder, file), "utf8");
    return {
      number,
      name: file.slice(0, -".sql".length),
      sql,
      checksum: createHash("sha256").update(sql).digest("hex"),
    };
  });
}

export interface MigrationState {
  applied: { number: number; name: string; checksum: string }[];
  pending: Migration[];
}

/** What is applied and what is not. Throws when the database is newer than this build, or an applied file has changed. */
export async function migrationState(database: Queryable, migrations = readMigrations()): Promise<MigrationState> {
  const { rows: known } = await database.query<{ exists: boolean }>(
    "select to_regclass('billhook_migrations') is not null as exists",
  );
  const applied =
    known[0]?.exists === true ? (await database.query<MigrationState["applied"][number]>(APPLIED)).rows : [];
  for (const { number, name, checksum } of applied) {
    const ours = migrations[number - 1];
    if (ours === undefined) {
      throw new Error(
        `The database has migration ${name}, which this version does not know. Start the version that made it, or a newer one.`,
      );
    }
    if (ours.checksum !== checksum) {
      throw new Error(
        `Migration ${name} was changed after it was applied. Applied migrations are history: add a new one instead.`,
      );
    }
  }
  return { applied, pending: migrations.slice(applied.length) };
}

/** How the schema stands to this build. `newer`: another node has migrated further; what this build uses is still there. */
export async function schemaStanding(database: Queryable): Promise<"current" | "pending" | "newer"> {
  const ours = readMigrations().length;
  const { rows } = await database.query<{ applied: number }>(COUNT_APPLIED);
  const applied = rows[0]?.applied ?? 0;
  return applied === ours ? "current" : applied < ours ? "pending" : "newer";
}

/** Applies what is pending, one node at a time. Returns the names of what it applied. */
export async function migrate(database: Database, migrations = readMigrations()): Promise<string[]> {
  const done: string[] = [];
  let left = Infinity;
  while (left > 0) {
    left = await database.transaction(async (tx) => {
      // Must come first: a second node waits here until the first has committed, and then sees its work.
      await tx.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await tx.query(CREATE_TABLE);
      const { pending } = await migrationState(tx, migrations);
      const next = pending[0];
      if (next === undefined) return 0;
      await tx.query({
        text: "select set_config('billhook.embedded', $1, true)",
        values: [database.kind === "embedded" ? "on" : "off"],
      });
      await tx.query(next.sql);
      await tx.query({ text: RECORD, values: [next.number, next.name, next.checksum] });
      done.push(next.name);
      return pending.length - 1;
    });
  }
  return done;
}

/** Taken by who changes the schema, for a transaction. */
export const MIGRATION_LOCK = "hashtextextended('billhook migrations', 0)";
const CREATE_TABLE = `
  create table if not exists billhook_migrations (
    number int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`;
const APPLIED = "select number, name, checksum from billhook_migrations order by number";
const COUNT_APPLIED = "select count(*) as applied from billhook_migrations";
const RECORD = "insert into billhook_migrations (number, name, checksum) values ($1, $2, $3)";
