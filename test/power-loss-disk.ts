// A disk that loses its power: replays a trace of file operations up to a cut and tells what may be left of the files.
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";

import type { TraceRecord } from "./power-loss-trace.ts";

/** What a file system may write back on its own, at any time and in any order. */
const PAGE = 4096;

type Change = { position: number; body: Uint8Array } | { size: number };

class DiskFile {
  content: Buffer;
  size: number;
  pending: Change[] = [];
  readonly folder: boolean;

  constructor(content: Buffer, folder: boolean) {
    this.content = content;
    this.size = content.length;
    this.folder = folder;
  }

  apply(change: Change): void {
    const end = "size" in change ? change.size : Math.max(this.size, change.position + change.body.length);
    if (end > this.content.length) {
      const grown = Buffer.alloc(Math.max(end, this.content.length * 2));
      this.content.copy(grown, 0, 0, this.size);
      this.content = grown;
    }
    if ("size" in change) this.content.fill(0, Math.min(end, this.size));
    else this.content.set(change.body, change.position);
    this.size = end;
  }
}

/** What of the unsynced may survive: nothing, a random part, or all of it. */
export type Survivors = "none" | "some" | "all";

/**
 * A file system that journals names in order and contents not at all (ext4, xfs): an fsync makes the file's content and
 * every earlier change of names durable. What is not synced survives in part: a prefix of the changes of names, any
 * subset of the 4 KB pages written.
 */
export class PowerLossDisk {
  readonly #names = new Map<string, DiskFile>();
  readonly #open = new Map<number, DiskFile>();
  readonly #syncs: boolean;
  #durableNames: Map<string, DiskFile>;
  #namesSince: (() => void)[] = [];

  /** Starts with a folder that is wholly on disk. `syncs: false`: a disk to which no fsync ever reaches. */
  constructor(root: string, syncs: boolean) {
    this.#syncs = syncs;
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const folder = entry.isDirectory();
      this.#names.set(relative(root, path), new DiskFile(folder ? Buffer.alloc(0) : readFileSync(path), folder));
    }
    this.#names.set("", new DiskFile(Buffer.alloc(0), true));
    this.#durableNames = new Map(this.#names);
  }

  replay(entry: TraceRecord, body: Uint8Array): void {
    switch (entry.op) {
      case "create": {
        const file = new DiskFile(Buffer.alloc(0), entry.folder);
        this.#rename((names) => names.set(entry.path, file));
        break;
      }
      case "open":
        this.#open.set(entry.file, this.#at(entry.path));
        break;
      case "write":
        this.#opened(entry.file).pending.push({ position: entry.position, body: Uint8Array.from(body) });
        break;
      case "truncate":
        this.#at(entry.path).pending.push({ size: entry.size });
        break;
      case "truncate-open":
        this.#opened(entry.file).pending.push({ size: entry.size });
        break;
      case "rename": {
        const file = this.#at(entry.path);
        this.#rename((names) => {
          names.delete(entry.path);
          names.set(entry.to, file);
        });
        break;
      }
      case "remove":
        this.#rename((names) => names.delete(entry.path));
        break;
      case "fsync":
        if (this.#syncs) this.#sync(this.#opened(entry.file));
        break;
    }
  }

  /** Writes what is left after the cut. The disk cannot be used afterwards. */
  cut(target: string, survivors: Survivors, random: () => number): void {
    const kept = { none: () => false, some: () => random() < 0.5, all: () => true }[survivors];
    const names = { none: 0, some: Math.floor(random() * (this.#namesSince.length + 1)), all: this.#namesSince.length }[
      survivors
    ];
    for (const change of this.#namesSince.slice(0, names)) change();
    mkdirSync(target, { recursive: true, mode: 0o700 });
    for (const [path, file] of [...this.#durableNames].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (file.folder) {
        mkdirSync(join(target, path), { recursive: true, mode: 0o700 });
        continue;
      }
      for (const change of file.pending.flatMap(pagesOf)) if (kept()) file.apply(change);
      const out = openSync(join(target, path), "w", 0o600);
      writeSync(out, file.content, 0, file.size, 0);
      ftruncateSync(out, file.size);
      closeSync(out);
    }
  }

  #sync(file: DiskFile): void {
    for (const change of file.pending) file.apply(change);
    file.pending = [];
    for (const change of this.#namesSince) change();
    this.#namesSince = [];
  }

  #rename(change: (names: Map<string, DiskFile>) => void): void {
    change(this.#names);
    this.#namesSince.push(() => {
      change(this.#durableNames);
    });
  }

  #at(path: string): DiskFile {
    const file = this.#names.get(path);
    if (file === undefined) throw new Error(`the trace names ${path}, which is not there`);
    return file;
  }

  #opened(descriptor: number): DiskFile {
    const file = this.#open.get(descriptor);
    if (file === undefined) throw new Error(`the trace uses descriptor ${String(descriptor)}, which is not open`);
    return file;
  }
}

function pagesOf(change: Change): Change[] {
  if ("size" in change) return [change];
  const pages: Change[] = [];
  for (let from = 0; from < change.body.length;) {
    const to = Math.min(change.body.length, from + PAGE - ((change.position + from) % PAGE));
    pages.push({ position: change.position + from, body: change.body.subarray(from, to) });
    from = to;
  }
  return pages;
}
