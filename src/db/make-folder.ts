// Folders that are there before something is kept in them.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { describeError } from "../base/log.ts";

/** Makes what is missing of a path, each for its user alone. Throws with a sentence for the operator. */
export function makeDataFolder(path: string): void {
  try {
    makeFolder(path, 0o700);
    if (!statSync(path).isDirectory()) throw new Error("it is a file");
  } catch (error) {
    const { message } = describeError(error);
    throw new Error(`${path} can be no folder for data: ${message}. Set DATA_DIR to one that this user may write.`, {
      cause: error,
    });
  }
}

/** Not Node's own way with `recursive`: that one spins for ever where a folder is there and none can be made in it, as in /proc. */
export function makeFolder(path: string, mode: number): void {
  const missing: string[] = [];
  // A drive that is not there is its own parent.
  for (let folder = resolve(path); !existsSync(folder) && missing[0] !== folder; folder = dirname(folder))
    missing.unshift(folder);
  for (const folder of missing) makeOne(folder, mode);
}

function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Another process was first.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
