// Writes src/db/embedded-snapshot.bin: a data folder fresh from initdb, from which every embedded database starts.
// Run it after each update of PGlite: node scripts/make-snapshot.ts
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

import { PGlite } from "@electric-sql/pglite";

import { packSnapshot, type SnapshotEntry } from "../src/db/embedded-snapshot.ts";

const TARGET = new URL("../src/db/embedded-snapshot.bin", import.meta.url);

const folder = mkdtempSync(join(tmpdir(), "billhook-snapshot-"));
try {
  const root = join(folder, "postgres");
  const pglite = await PGlite.create(root);
  const version = (await pglite.query<{ version: string }>("select version()")).rows[0]?.version ?? "";
  await pglite.exec("vacuum freeze");
  await pglite.exec("select pg_switch_wal()");
  await pglite.exec("checkpoint");
  await pglite.close();
  const packed = packSnapshot(entriesOf(root));
  const compressed = brotliCompressSync(packed, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: packed.length,
    },
  });
  writeFileSync(TARGET, compressed);
  process.stdout.write(`${version}\n${String(packed.length)} bytes, ${String(compressed.length)} compressed\n`);
} finally {
  rmSync(folder, { recursive: true });
}

function entriesOf(root: string): SnapshotEntry[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({
      path: relative(root, path),
      content: statSync(path).isDirectory() ? undefined : readFileSync(path),
    }));
}
