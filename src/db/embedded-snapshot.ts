// A fresh data folder for the embedded database, unpacked from a prepared snapshot: initdb would take ~800 MB and seconds.
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** A file, or a folder when it has no content. Paths are relative, folders come before what is in them. */
export interface SnapshotEntry {
  path: string;
  content: Buffer | undefined;
}

/** In the snapshot's first line: where a file's bytes begin, how many there are, and its size with the zeros that follow. */
interface Placed {
  path: string;
  offset: number;
  bytes: number;
  /** Absent: a folder. */
  size?: number;
}

/**
 * One JSON line that says what lies where, then the bytes. Equal files (template0, template1, postgres) are kept once,
 * and zeros at the end of a file (16 MB of them in the WAL) not at all.
 */
export function packSnapshot(entries: SnapshotEntry[]): Buffer {
  const offsets = new Map<string, number>();
  const bodies: Buffer[] = [];
  let end = 0;
  const placed = entries.map(({ path, content }): Placed => {
    if (content === undefined) return { path, offset: 0, bytes: 0 };
    const body = content.subarray(0, content.findLastIndex((byte) => byte !== 0) + 1);
    const hash = createHash("sha256").update(body).digest("hex");
    const offset = offsets.get(hash) ?? end;
    if (!offsets.has(hash)) {
      offsets.set(hash, offset);
      bodies.push(body);
      end += body.length;
    }
    return { path, offset, bytes: body.length, size: content.length };
  });
  return Buffer.concat([Buffer.from(`${JSON.stringify(placed)}\n`), ...bodies]);
}

/**
 * Makes `folder` from the snapshot unless it is there. It is written beside its place, synced as a whole, and then
 * renamed, so that a kill or a power cut leaves all of it or nothing; what an earlier try left is removed.
 */
export function createFromSnapshot(folder: string): void {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const snapshot = brotliDecompressSync(readFileSync(new URL("./embedded-snapshot.bin", import.meta.url)));
  const start = snapshot.indexOf("\n") + 1;
  const placed = JSON.parse(snapshot.toString("utf8", 0, start)) as Placed[];
  mkdirSync(unfinished, { mode: 0o700 });
  const folders = [unfinished];
  for (const { path, offset, bytes, size } of placed) {
    const target = join(unfinished, path);
    if (size === undefined) {
      mkdirSync(target, { mode: 0o700 });
      folders.push(target);
    } else {
      writeDurably(target, snapshot.subarray(start + offset, start + offset + bytes), size);
    }
  }
  for (const path of folders) syncFolder(path);
  renameSync(unfinished, folder);
  syncFolder(dirname(folder));
}

/** One open per file, not three: there are a thousand of them. */
function writeDurably(path: string, content: Uint8Array, size: number): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, content);
    ftruncateSync(file, size);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Windows cannot open a folder; NTFS journals its entries itself. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
