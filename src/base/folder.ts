// Folders that are there before something is kept in them.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { describeError } from "./log.ts";

/**
 * Makes what is missing of a path, each for its user alone. Throws with a sentence for the operator. Not Node's own way with
 * `recursive`: that one spins for ever where a folder is there and none can be made in it, as in /proc.
 */
export function makeDataFolder(path: string): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  try {
    for (const folder of missing) makeOne(folder);
    if (!statSync(path).isDirectory()) throw new Error("it is a file");
  } catch (error) {
    const { message } = describeError(error);
    throw new Error(`${path} can be no folder for data: ${message}. Set DATA_DIR to one that this user may write.`, {
      cause: error,
    });
  }
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process was first.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
