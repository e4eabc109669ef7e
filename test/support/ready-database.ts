// Migrated databases for tests that are not about a first start: copies of one that was made once. An embedded one is there in a quarter of the time.
import { createHash, randomBytes } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import pg from "pg";

import { openEmbedded } from "../../src/db/embedded.ts";
import { migrate, readMigrations } from "../../src/db/migrate.ts";
import { openServer } from "../../src/db/server.ts";
import { askServer, createDatabase } from "./postgres.ts";

const MODULES = join(import.meta.dirname, "../../node_modules");
const DATABASE_ROOM = join(import.meta.dirname, "../../src/db");
const CACHE = join(MODULES, ".cache", "billhook-ready");

/** A data folder with a migrated database, at a path where nothing is yet. Returns the path. */
export async function readyFolder(folder: string): Promise<string> {
  const model = await embeddedModel();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(join(model, "postgres"), join(folder, "postgres"), { recursive: true });
  return folder;
}

/** Kept from run to run, until a migration or the engine is another. */
async function embeddedModel(): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(join(MODULES, "@electric-sql/pglite/package.json")));
  for (const file of globSync(["embedded*", "migrate.ts"], { cwd: DATABASE_ROOM }).sort())
    hash.update(readFileSync(join(DATABASE_ROOM, file)));
  for (const { checksum } of readMigrations()) hash.update(checksum);
  const version = hash.digest("hex").slice(0, 16);
  const model = join(CACHE, version);
  if (existsSync(model)) return model;
  mkdirSync(CACHE, { recursive: true });
  const made = mkdtempSync(join(CACHE, "making-"));
  const database = await openEmbedded(made);
  await migrate(database);
  await database.close();
  try {
    renameSync(made, model);
  } catch (error) {
    // Another process of the tests was first.
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(model)) throw error;
  }
  return model;
}

/** A migrated database on the run's server. It is dropped when the run ends. Only inside vitest. */
export async function readyDatabase(): Promise<string> {
  const { inject } = await import("vitest");
  const [server, run] = [inject("postgresUrl"), inject("postgresRun")];
  const model = `${run}_ready`;
  await askServer(server, async (ask) => {
    // One process makes it, the others wait.
    await ask("select pg_advisory_lock(hashtextextended($1, 0))", [model]);
    if ((await ask("select from pg_database where datname = $1", [model])).length === 0) await makeModel(server, model);
  });
  return createDatabase(server, `${run}_${randomBytes(5).toString("hex")}`, model);
}

async function makeModel(server: string, model: string): Promise<void> {
  const making = `${model}_making`;
  // What a making that failed has left.
  await askServer(server, async (ask) => {
    await ask(`drop database if exists ${pg.escapeIdentifier(making)} with (force)`);
  });
  const database = await openServer({ url: await createDatabase(server, making), poolSize: 1 });
  await migrate(database);
  await database.close();
  await askServer(server, async (ask) => {
    await ask(`alter database ${pg.escapeIdentifier(making)} rename to ${pg.escapeIdentifier(model)}`);
    // A copy is refused while somebody is connected.
    await ask(`alter database ${pg.escapeIdentifier(model)} with allow_connections false`);
  });
}
