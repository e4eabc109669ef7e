// The lock that keeps a second process out of an embedded database's folder.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const LOCK_FILE = "lock";
const HOLDER_FILE = "lock.pid";
const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

/**
 * Takes the folder or throws at once, naming the process that holds it.
 *
 * Node has no file lock of its own, but its SQLite takes one on every system: a transaction that is open on an empty
 * file writes nothing, is seen from other containers on the same machine, and ends with its process, so a kill -9
 * leaves nothing stale and a reused pid means nothing. Nobody else may open the lock file in this process: closing
 * any handle of it would drop the lock (POSIX).
 */
export function lockFolder(folder: string): FolderLock {
  const lock = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
  try {
    lock.exec("begin immediate");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(
      `The database in ${folder} is already open in ${holderOf(folder)}. Stop that process first, or choose another DATA_DIR.`,
      { cause: error },
    );
  }
  writeFileSync(join(folder, HOLDER_FILE), `${String(process.pid)}\n`);
  return {
    release: () => {
      lock.close();
    },
  };
}

function holderOf(folder: string): string {
  try {
    return `process ${readFileSync(join(folder, HOLDER_FILE), "utf8").trim()}`;
  } catch {
    // The holder has taken the lock and not yet written its pid.
    return "another process";
  }
}
