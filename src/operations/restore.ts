// Restoring: a backup becomes the database of a server, in one commit, or of a folder, by one rename.
import { createReadStream, existsSync, rmSync } from "node:fs";
import { join } from "node:path";

import { makeDataFolder } from "../db/make-folder.ts";
import type { Database, Queryable } from "../db/database.ts";
import { openEmbedded } from "../db/embedded.ts";
import { finishReplacing, replaceDatabase } from "../db/embedded-folder.ts";
import { lockFolder } from "../db/embedded-lock.ts";
import { MIGRATION_LOCK } from "../db/migrate.ts";
import { dropOwnSchema, insideOf, usedTables } from "../db/own-schema.ts";
import { checkBackup, checkKey, checkSchema, type HeldKey, loadBackup, type BackupSummary } from "./restore-load.ts";

export interface RestoreOptions {
  key: HeldKey;
  /** What is there goes. */
  replace: boolean;
  told?: (rows: number) => void;
}

/** The bytes of a backup file, from its beginning. */
export const readFileBytes = (path: string): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: 1024 * 1024 });

/** Reads the whole file first: what is wrong with it is said before anything is touched. */
export async function checkBackupFile(path: string, key: HeldKey): Promise<BackupSummary> {
  const summary = await checkBackup(readFileBytes(path));
  checkSchema(summary.header);
  checkKey(summary.header, key);
  return summary;
}

const RESTORING = "restoring";

/** Builds the new database beside the old one. Killed at any moment it leaves the old one, or the new one, whole. */
export async function restoreIntoFolder(
  dataDir: string,
  bytes: () => AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<BackupSummary> {
  makeDataFolder(dataDir);
  const lock = lockFolder(dataDir);
  const building = join(dataDir, RESTORING);
  try {
    finishReplacing(dataDir);
    if (existsSync(join(dataDir, "postgres")) && !options.replace)
      throw new TargetInUse(`There is a database in ${dataDir}`);
    rmSync(building, { recursive: true, force: true });
    const database = await openEmbedded(building);
    let summary: BackupSummary;
    try {
      summary = await loadBackup(database, bytes(), options);
      await database.query("analyze");
    } finally {
      await database.close();
    }
    replaceDatabase(dataDir, join(building, "postgres"));
    return summary;
  } finally {
    rmSync(building, { recursive: true, force: true });
    lock.release();
  }
}

/** All in one transaction: until its commit the server holds what it held before. `database` is the owner's. */
export async function restoreIntoServer(
  database: Database,
  bytes: () => AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<BackupSummary> {
  const summary = await database.transaction(async (tx) => {
    for (const setting of SETTINGS) await tx.query(`set local ${setting}`);
    // Nodes that start now wait here until the commit, and find what was restored.
    await tx.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await refuseNodes(tx);
    const used = options.replace ? [] : await usedTables(tx);
    if (used.length > 0)
      throw new TargetInUse(`The database holds rows of Billhook's (in ${used.slice(0, 3).join(", ")})`);
    await dropOwnSchema(tx);
    return loadBackup(insideOf(tx, database.kind), bytes(), options);
  });
  await database.query("analyze");
  return summary;
}

/** Takes away again what `restoreIntoServer` has made. */
export async function emptyServer(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await dropOwnSchema(tx);
  });
}

/** The target is not empty, and nobody said that it may go. */
export class TargetInUse extends Error {
  override readonly name = "TargetInUse";

  constructor(found: string) {
    super(`${found}: nothing was touched. Choose an empty one, or give --replace to put the backup in its place.`);
  }
}

/** Throws while nodes are connected: they would go on with what they remember of rows that are gone. */
async function refuseNodes(tx: Queryable): Promise<void> {
  const { rows } = await tx.query<{ nodes: number }>({ text: NODES, values: [RESTORE_NAME] });
  const nodes = rows[0]?.nodes ?? 0;
  if (nodes === 0) return;
  throw new Error(`${nodes} connections of Billhook to this database are open: stop its nodes and commands first.`);
}

/** As what the restoring connection shows itself. */
export const RESTORE_NAME = "billhook restore";

const SETTINGS = ["lock_timeout = '10s'", "statement_timeout = 0", "idle_in_transaction_session_timeout = 0"];
const NODES = `
  select count(*) as nodes from pg_stat_activity
  where datname = current_database() and application_name like 'billhook%' and application_name <> $1`;
