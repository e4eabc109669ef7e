// The embedded database: PostgreSQL (PGlite) in a worker thread, on a folder that only this process may open.
import { join } from "node:path";

import { makeDataFolder } from "./make-folder.ts";
import { type Database, databaseOnPool } from "./database.ts";
import { startEngine } from "./embedded-engine.ts";
import { finishReplacing, refuseForeign, refuseMoved } from "./embedded-folder.ts";
import { type FolderLock, lockFolder } from "./embedded-lock.ts";
import { createFromSnapshot } from "./embedded-snapshot.ts";

export interface EmbeddedOptions {
  /** WAL bytes after which a checkpoint is made; more means fewer checkpoints and a longer recovery. */
  checkpointBytes?: number;
  /** Server settings beside those that durability fixes. */
  settings?: Record<string, string>;
  /** Of the folder, where `takeFolder` has taken it already; the database releases it. */
  lock?: FolderLock | undefined;
  /** URL of a module whose `trace` sees every file operation; tests only. */
  tracer?: string;
}

const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const SETTINGS: Record<string, string> = {
  // PGlite's 160 MB would all become resident. Measured: no faster than 16 MB, the host caches the files anyway.
  shared_buffers: "16MB",
  wal_buffers: "1MB",
  // One session does everything: the defaults of a server with a hundred of them would cost memory for nothing.
  maintenance_work_mem: "16MB",
  temp_buffers: "1MB",
  jit: "off",
  autovacuum: "off",
};

/** Makes the folder, and keeps every other process out of it. Throws, with a sentence for the operator, where one is in it. */
export function takeFolder(folder: string): FolderLock {
  makeDataFolder(folder);
  refuseForeign(folder, process.geteuid?.());
  return lockFolder(folder);
}

/**
 * Opens the database in `folder`, and creates it when it is not there. Throws, with a sentence for the operator, when
 * another process holds the folder or when the database does not start. Once it is open, a database that breaks ends
 * the process with code 74.
 */
export async function openEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<Database> {
  const lock = options.lock ?? takeFolder(folder);
  try {
    finishReplacing(folder);
    refuseMoved(folder);
    const data = join(folder, "postgres");
    createFromSnapshot(data);
    const engine = await startEngine({
      folder: data,
      checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
      settings: { ...SETTINGS, ...options.settings },
      tracer: options.tracer,
    });
    const connection = { user: "postgres", database: "postgres", host: "embedded", password: "", ssl: false };
    // One session, for as long as the process lives: a new one would have to prepare its statements again.
    const pool = { max: 1, min: 1, idleTimeoutMillis: 0, stream: () => engine.connect() };
    return databaseOnPool("embedded", { ...connection, ...pool }, async () => {
      await engine.stop();
      lock.release();
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}
