// The form of a backup, version 1. One zstd frame of JSON lines: the header; for each table its columns, its rows and its tally;
// the end. After it a frame that zstd skips, with the SHA-256 of every byte before it.
import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";

import { z } from "zod";

import { failedBackup } from "./backup-failure.ts";

export const FORMAT = 1;

const Header = z.object({
  billhook_backup: z.number().int(),
  version: z.string(),
  made_at: z.string(),
  database: z.object({ kind: z.enum(["embedded", "server"]), version: z.string() }),
  migrations: z.array(z.object({ number: z.number().int(), name: z.string(), checksum: z.string() })),
  /** What tells the secret keys from others, the current one's first; null: not known where the backup was made. */
  secret_keys: z.array(z.string()).nullable(),
});
const Table = z.object({
  table: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
});
const TableEnd = z.object({ end: z.string(), rows: z.number().int(), sum: z.string() });
const Counters = z.array(z.object({ table: z.string(), column: z.string(), last: z.string().nullable() }));
const End = z.object({ done: z.object({ tables: z.number().int(), rows: z.number().int(), counters: Counters }) });
const Row = z.array(z.string().nullable());

export type BackupHeader = z.infer<typeof Header>;
export type BackupTable = z.infer<typeof Table>;
export type BackupTableEnd = z.infer<typeof TableEnd>;
export type BackupEnd = z.infer<typeof End>;

/** A row is told apart by its first byte alone: only its reader parses it. */
export type BackupLine =
  | { kind: "header"; header: BackupHeader }
  | { kind: "table"; table: BackupTable }
  | { kind: "row"; line: Buffer }
  | { kind: "table end"; end: BackupTableEnd }
  | { kind: "end"; end: BackupEnd };

const ROW_BEGINS = "[".charCodeAt(0);
const NEWLINE = "\n".charCodeAt(0);

export const lineText = (value: BackupHeader | BackupTable | BackupTableEnd | BackupEnd): string =>
  `${JSON.stringify(value)}\n`;

export function parseRow(line: Buffer): (string | null)[] {
  return Row.parse(JSON.parse(line.toString("utf8")));
}

// A skippable frame (RFC 8878, 3.1.2): `zstd -dc` reads a backup as it stands.
const SKIPPABLE = 0x184d2a50;
const MARK = "billhook backup sha256 ";
const SEAL_BYTES = 8 + MARK.length + 64;

function sealOf(digest: string): Buffer {
  const text = Buffer.from(`${MARK}${digest}`, "latin1");
  const seal = Buffer.alloc(8 + text.length);
  seal.writeUInt32LE(SKIPPABLE, 0);
  seal.writeUInt32LE(text.length, 4);
  text.copy(seal, 8);
  return seal;
}

/** Passes on what it gets, and the seal at the end. */
export function sealing(): Transform {
  const digest = createHash("sha256");
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(null, sealOf(digest.digest("hex")));
    },
  });
}

/** Passes on what stands before the seal; throws at the end when the seal is missing or another's. */
export async function* unsealed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const digest = createHash("sha256");
  let kept = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = Buffer.concat([kept, chunk]);
    const ready = Math.max(0, all.length - SEAL_BYTES);
    const part = all.subarray(0, ready);
    kept = Buffer.from(all.subarray(ready));
    digest.update(part);
    if (ready > 0) yield part;
  }
  if (kept.length < SEAL_BYTES || kept.toString("latin1", 8, 8 + MARK.length) !== MARK) throw failedBackup("cut_off");
  if (!kept.equals(sealOf(digest.digest("hex")))) throw failedBackup("changed");
}

/** The lines of a backup. Throws a PublicError-like sentence for what is none, is cut off, or was changed. */
export async function* backupLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<BackupLine> {
  let ended = false;
  let begun = false;
  for await (const line of splitLines(decompressed(unsealed(bytes)))) {
    const parsed: BackupLine = line[0] === ROW_BEGINS ? { kind: "row", line } : parseLine(line);
    if (begun !== (parsed.kind !== "header") || ended) throw failedBackup("malformed");
    begun = true;
    ended = parsed.kind === "end";
    yield parsed;
  }
  if (!ended) throw failedBackup("cut_off");
}

function parseLine(line: Buffer): BackupLine {
  let value: unknown;
  try {
    value = JSON.parse(line.toString("utf8"));
  } catch (error) {
    throw failedBackup("malformed", error);
  }
  const header = Header.safeParse(value);
  if (header.success) {
    // Before all else is looked at: what another version writes may mean something else.
    if (header.data.billhook_backup > FORMAT) throw failedBackup("newer_format");
    return { kind: "header", header: header.data };
  }
  const [table, end, done] = [Table.safeParse(value), TableEnd.safeParse(value), End.safeParse(value)];
  if (table.success) return { kind: "table", table: table.data };
  if (end.success) return { kind: "table end", end: end.data };
  if (done.success) return { kind: "end", end: done.data };
  throw failedBackup("malformed");
}

async function* decompressed(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflated = createZstdDecompress();
  const ended = pipeline(bytes, inflated);
  // Told by the reading itself, and of no interest to who stops reading.
  ended.catch(() => undefined);
  try {
    for await (const chunk of inflated) yield chunk as Buffer;
    await ended;
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("ZSTD_"))
      throw failedBackup("not_a_backup", error);
    throw error;
  }
}

/** Longer than any row can be: PostgreSQL's own limit of a value. */
const LONGEST_LINE = 1024 ** 3;

async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, at));
      yield parts.length === 1 ? chunk.subarray(from, at) : Buffer.concat(parts);
      parts = [];
      length = 0;
      from = at + 1;
    }
    if (from < chunk.length) parts.push(Buffer.from(chunk.subarray(from)));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw failedBackup("malformed");
  }
  if (length > 0) throw failedBackup("cut_off");
}
