// `billhook restore FILE`: a backup becomes the database at DATABASE_URL, or the embedded one in DATA_DIR.
import { existsSync } from "node:fs";

import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import type { Config } from "../config.ts";
import type { RestoreOptions } from "../operations/restore.ts";
import type { BackupSummary } from "../operations/restore-load.ts";
import { asBackupFailure, knownRing } from "./backup-command.ts";
import { readCommandConfig } from "./command-config.ts";
import { misused } from "./command-failure.ts";
import { note, print, printJson } from "./output.ts";

interface Flags {
  replace?: true;
  anyKey?: true;
  json?: true;
}

export function addRestore(program: Command): void {
  program
    .command("restore")
    .summary("make a backup the database")
    .description(
      "Reads FILE to its end, then loads it into the empty database at DATABASE_URL, or as the embedded one in DATA_DIR, compares\n" +
        "every row with the file, and migrates it to this version. All of it is done, or nothing. Servers must be stopped.",
    )
    .argument("<file>", "written by `billhook backup`")
    .option("--replace", "the database that is there goes, in the same moment")
    .option("--any-key", "also without the SECRET_KEY of that time: what it sealed stays closed for ever")
    .option("--json", "print JSON")
    .action(runRestore);
}

async function runRestore(file: string, flags: Flags): Promise<void> {
  if (!existsSync(file)) throw misused(`There is no file ${file}: give one that \`billhook backup\` has written.`);
  const { config } = readCommandConfig(undefined);
  const { checkBackupFile } = await import("../operations/restore.ts");
  const key: RestoreOptions["key"] = flags.anyKey === true ? "any" : { ring: await knownRing(config) };
  const told = rowsTold(flags.json === true);
  const options: RestoreOptions = { key, replace: flags.replace === true, told };
  const summary = await checkBackupFile(file, key)
    .then(() => load(config, file, options))
    .catch((error: unknown) => {
      throw asBackupFailure(error);
    });
  tell(config, summary, flags);
}

async function load(config: Config, file: string, options: RestoreOptions): Promise<BackupSummary> {
  const { readFileBytes, restoreIntoFolder, restoreIntoServer } = await import("../operations/restore.ts");
  const bytes = (): AsyncIterable<Uint8Array> => readFileBytes(file);
  const url = config.databaseDirectUrl?.reveal();
  if (url === undefined) return restoreIntoFolder(config.dataDir, bytes, options);
  const database = await openTarget(url);
  try {
    return await restoreIntoServer(database, bytes, options);
  } finally {
    await database.close();
  }
}

/** Past a pooler, where there is one: it is one long transaction. */
export async function openTarget(url: string) {
  const { openServer } = await import("../db/server.ts");
  const { RESTORE_NAME } = await import("../operations/restore.ts");
  return openServer({ url, poolSize: 1, name: RESTORE_NAME });
}

const TOLD_EVERY_MS = 3000;

/** A line on stderr every few seconds. */
export function rowsTold(json: boolean): (rows: number) => void {
  let told = systemClock.monotonic();
  return (rows) => {
    if (json || systemClock.monotonic() - told < TOLD_EVERY_MS) return;
    told = systemClock.monotonic();
    note(`${rows} rows loaded`);
  };
}

function tell({ databaseUrl, dataDir }: Config, { header, tables, rows }: BackupSummary, { json }: Flags): void {
  if (json === true) {
    printJson({ tables, rows, made_at: header.made_at, version: header.version });
    return;
  }
  const where = databaseUrl === undefined ? dataDir : "the database at DATABASE_URL";
  print(`${rows} rows of ${tables} tables as of ${header.made_at} are in ${where}, each compared with the file.`);
  note(
    "Prove it with `billhook rebuild --check` and `billhook ledger verify`, then start the server: what happened at",
  );
  note("Stripe since is fetched by its first catch-up, up to 30 days back. See docs/backup.md for what is sent again.");
}
