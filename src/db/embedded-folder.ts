// What may happen to the folder of an embedded database as a whole: it is replaced by another one, or its contents move away.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const CURRENT = "postgres";
/** Complete and synced: it takes the place of the current one, now or at the next start. */
const NEXT = "postgres.next";
const REPLACED = "postgres.replaced";
const MOVED = "moved.json";

/**
 * Puts the database in `built` in the place of the one in `folder`, which the caller has locked. Killed at any moment it leaves
 * the old one, or the new one after the next start, and never a part of both.
 */
export function replaceDatabase(folder: string, built: string): void {
  syncTree(built);
  rmSync(join(folder, NEXT), { recursive: true, force: true });
  renameSync(built, join(folder, NEXT));
  syncPath(folder);
  finishReplacing(folder);
}

/** Goes on with a replacement that was interrupted. The caller has locked the folder. */
export function finishReplacing(folder: string): void {
  const [current, next, replaced] = [CURRENT, NEXT, REPLACED].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(next)) {
    if (existsSync(current)) {
      rmSync(replaced, { recursive: true, force: true });
      renameSync(current, replaced);
    }
    renameSync(next, current);
    // What moved away was the one before.
    rmSync(join(folder, MOVED), { force: true });
    syncPath(folder);
  }
  rmSync(replaced, { recursive: true, force: true });
}

/** From now on nobody opens the database in this folder: what it would take in would be lost. On disk when it returns. */
export function markMoved(folder: string, { to, at }: { to: string; at: string }): void {
  const draft = join(folder, `${MOVED}.part`);
  writeFileSync(draft, `${JSON.stringify({ to, at })}\n`, { mode: 0o600 });
  syncPath(draft);
  renameSync(draft, join(folder, MOVED));
  syncPath(folder);
}

/** Throws with a sentence for the operator. */
export function refuseMoved(folder: string): void {
  const path = join(folder, MOVED);
  if (!existsSync(path)) return;
  throw new Error(
    `The database in ${folder} was moved to ${wherein(path)}: set DATABASE_URL to it and start again. What is left in the folder is older; to go back to it all the same, remove ${path}.`,
  );
}

function wherein(path: string): string {
  try {
    const { to, at } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    return `${String(to)} at ${String(at)}`;
  } catch {
    // Whoever wrote into it, the folder is not to be used.
    return "a server";
  }
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(folder);
}

/** Windows opens no folders, and syncs only what was opened for writing; NTFS keeps renames by itself. */
function syncPath(path: string): void {
  if (process.platform === "win32") return;
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Throws where `user` (a uid, 0: root) would open a database that another user made: files that root writes into it are
 * root's, and keep its owner's next start out.
 */
export function refuseForeign(folder: string, user: number | undefined): void {
  const owner = statSync(join(folder, CURRENT), { throwIfNoEntry: false })?.uid;
  if (user !== 0 || owner === undefined || owner === 0) return;
  throw new Error(
    `The database in ${folder} belongs to the user with the id ${String(owner)}, and root's files would keep that one out: run this as its owner, for example with \`sudo -u '#${String(owner)}'\`.`,
  );
}
