// `billhook backup FILE`: the whole database as it stands at one moment, in one file that was read back before it counts.
import { createWriteStream, existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import { type KeyRing, keyRing } from "../base/key-ring.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import type { BackupSummary } from "../operations/restore-load.ts";
import { type CommandFailure, failed, misused } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { openWay } from "./open-door.ts";
import type { OperatorDoor } from "./operator-door.ts";
import { note, print, printJson } from "./output.ts";
import { ensureSecretKey } from "./secret-files.ts";
import { BrokenAnswer } from "./server-trouble.ts";
import { readVersion } from "./version.ts";

interface Flags {
  force?: true;
  url?: string;
  json?: true;
}

export function addBackup(program: Command): void {
  const backup = program
    .command("backup")
    .summary("write the whole database into a file")
    .description(
      "Writes every row as it stands at one moment into FILE, and reads it back. Beside a server with the embedded database that\n" +
        "server is asked, and answers others when it has been read. SECRET_KEY is not inside: without it the file is of little use.",
    )
    .argument("<file>", "where it is written; only its user can read it")
    .option("--force", "take the place of a file that is there");
  withCommon(backup).action(runBackup);
}

async function runBackup(file: string, flags: Flags): Promise<void> {
  if (existsSync(file) && flags.force !== true)
    throw misused(`There is a file ${file}: give another name, or --force to take its place.`);
  if (!existsSync(dirname(file))) throw misused(`There is no folder ${dirname(file)}: make it, or give another name.`);
  const part = `${file}.part`;
  const summary = await write(part, flags.url).catch(async (error: unknown) => {
    await rm(part, { force: true });
    throw asBackupFailure(error);
  });
  const { size } = await stat(part);
  await rename(part, file);
  await syncFolder(dirname(file));
  tell(file, size, summary, flags);
}

async function write(part: string, url: string | undefined): Promise<BackupSummary> {
  const { checkBackup } = await import("../operations/restore-load.ts");
  const { readFileBytes } = await import("../operations/restore.ts");
  const source = await openWay(url, openSource);
  try {
    const bytes = "bytes" in source ? await source.bytes("GET", "/backup/") : await backupOf(source);
    const into = createWriteStream(part, { mode: 0o600, flush: true });
    await pipeline(bytes, into).catch((error: unknown) => {
      throw error instanceof BrokenAnswer ? interrupted(error) : error;
    });
  } finally {
    await source.close();
  }
  return checkBackup(readFileBytes(part));
}

function interrupted(cause: unknown): CommandFailure {
  const message = "The backup ended half way: the server's log says why. Run it again.";
  return failed("backup_interrupted", "Backup interrupted", message, cause);
}

/** A database that this process has opened itself. */
export interface OwnSource {
  database: Database;
  /** Undefined: the secret key is not known here. */
  ring: KeyRing | undefined;
  close(): Promise<void>;
}

export async function openSource(config: Config): Promise<OwnSource> {
  const { openDatabase } = await import("../app-database.ts");
  const ring = await knownRing(config);
  const database = await openDatabase(config, 2);
  return { database, ring, close: () => database.close() };
}

/** The keys in SECRET_KEY, or in DATA_DIR. None is made: it would be none that anything was sealed with. */
export async function knownRing({ secretKeys, dataDir }: Config): Promise<KeyRing | undefined> {
  if (secretKeys !== "generate") return keyRing(secretKeys);
  return existsSync(join(dataDir, "secret-key")) ? keyRing([await ensureSecretKey(dataDir)]) : undefined;
}

/** Bytes of a backup that this process reads. What fails is told by the stream. */
export async function backupOf({ database, ring }: OwnSource): Promise<Readable> {
  const { writeBackup } = await import("../operations/backup.ts");
  const bytes = new PassThrough({ highWaterMark: 1024 * 1024 });
  writeBackup({ database, clock: systemClock, version: readVersion(), ring }, bytes).catch((error: unknown) => {
    bytes.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return bytes;
}

/** What a backup is refused for has its own code. */
export function asBackupFailure(error: unknown): unknown {
  const known = error instanceof Error && ["BackupFailure", "TargetInUse"].includes(error.name);
  if (!known) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "target_in_use";
  return failed(code, code === "target_in_use" ? "Target in use" : "Backup refused", error.message, error);
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders; its file systems keep a rename without it.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function tell(file: string, bytes: number, { header, tables, rows }: BackupSummary, { json }: Flags): void {
  const { made_at: madeAt, version, database, secret_keys: keys } = header;
  if (json === true) {
    printJson({ file, bytes, tables, rows, made_at: madeAt, version, database, secret_keys: keys });
    return;
  }
  print(`${file}: ${rows} rows of ${tables} tables as of ${madeAt}, ${bytes} bytes, read back and whole.`);
  note(
    keys === null
      ? "The secret key is not known here, so the file does not say which one it needs: keep SECRET_KEY beside it, not in it."
      : "Keep SECRET_KEY too (DATA_DIR/secret-key where it is not set), elsewhere: it opens what is sealed in the file, and is not inside.",
  );
}

export type Source = OperatorDoor | OwnSource;
