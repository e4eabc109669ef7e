// The worker thread in which the embedded PostgreSQL (PGlite) runs. It speaks PostgreSQL's wire protocol in array buffers.
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

import { PGlite } from "@electric-sql/pglite";

import { DurableNodeFS, type Tracer } from "./embedded-fs.ts";
import { EXIT_DATABASE_LOST, type Reply, type Request, type WorkerOptions } from "./embedded-protocol.ts";

const FLUSH_AT = 256 * 1024;
const LONGJMP_STATUS = 100;

// search_path and the worker limits are PGlite's own; -F (no fsync) is left out on purpose.
const FIXED_PARAMETERS = ["--single", "-O", "-j"];
const FIXED_SETTINGS: Record<string, string> = {
  search_path: "public",
  exit_on_error: "false",
  log_checkpoints: "false",
  max_worker_processes: "0",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  max_parallel_maintenance_workers: "0",
  io_method: "sync",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  // fdatasync is a no-op in Emscripten, and cannot be patched.
  wal_sync_method: "fsync",
  // Measured: p99 of a group insert 77 → 38 ms.
  wal_init_zero: "off",
};

const port = parentPort;
if (port === null) throw new Error("embedded-worker.ts runs in a worker thread only");

/** Ends the process, not only the thread: what was not answered yet stays unanswered. */
function lost(reason: unknown): never {
  const sentence = reason instanceof Error ? reason.message : String(reason);
  writeSync(2, `The embedded database stopped: ${sentence}. Nothing that was answered is lost; start again.\n`);
  process.exit(EXIT_DATABASE_LOST);
}

const options = workerData as WorkerOptions;
const tracer = options.tracer === undefined ? undefined : ((await import(options.tracer)) as { trace: Tracer }).trace;
const files = new DurableNodeFS(options.folder, (error) => lost(`fsync failed (${String(error)})`), tracer);

async function start(): Promise<PGlite> {
  const settings = { ...options.settings, ...FIXED_SETTINGS };
  let lastError = "";
  const pglite = new PGlite({
    fs: files,
    pgliteWasmModule: options.program,
    startParams: [
      ...FIXED_PARAMETERS,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    onStderr: (text) => {
      if (/\b(FATAL|PANIC)\b/.test(text)) lastError = text;
      return false;
    },
  });
  try {
    await pglite.waitReady;
  } catch (error) {
    throw new Error(lastError === "" ? String(error) : lastError, { cause: error });
  }
  endOnTrap(pglite, () => lastError);
  checkThatCommitsReachTheDisk(pglite);
  return pglite;
}

/** PGlite swallows what it does not know (a trap, a PANIC) and would go on in a broken memory. */
function endOnTrap(pglite: PGlite, lastError: () => string): void {
  const mod = pglite.Module;
  const once = mod._PostgresMainLoopOnce.bind(mod);
  mod._PostgresMainLoopOnce = () => {
    try {
      once();
    } catch (error) {
      if ((error as { status?: number }).status === LONGJMP_STATUS) throw error;
      lost(lastError() || error);
    }
  };
}

/** Refuses to serve when a commit returns without an fsync: an update of PGlite could bring that back silently. */
function checkThatCommitsReachTheDisk(pglite: PGlite): void {
  const before = files.fsyncs;
  const { failed } = query(pglite, "select pg_logical_emit_message(true, 'billhook', 'does a commit reach the disk?')");
  if (failed || files.fsyncs === before)
    throw new Error("a commit returned without an fsync, so that a power cut could lose it");
}

/** Sends wire-protocol bytes and passes the answer on in pieces. PGlite works synchronously: it is all there on return. */
function exchange(pglite: PGlite, bytes: Uint8Array, emit: (piece: Uint8Array<ArrayBuffer>) => void): void {
  let pieces: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    if (size === 0) return;
    const joined = new Uint8Array(size);
    let offset = 0;
    for (const piece of pieces) {
      joined.set(piece, offset);
      offset += piece.length;
    }
    pieces = [];
    size = 0;
    emit(joined);
  };
  const onRawData = (view: Uint8Array): void => {
    // The view is PostgreSQL's own buffer, reused at once.
    pieces.push(view.slice());
    size += view.length;
    if (size >= FLUSH_AT) flush();
  };
  pglite.execProtocolRawStream(bytes, { syncToFs: false, onRawData }).catch(lost);
  flush();
}

const ERROR_RESPONSE = 0x45;

/** A statement of the worker's own. */
function query(pglite: PGlite, sql: string): { failed: boolean } {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5 + text.length);
  message.write("Q");
  message.writeInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  let failed = false;
  exchange(pglite, message, (piece) => {
    for (let at = 0; at < piece.length; at += 1 + new DataView(piece.buffer).getInt32(at + 1)) {
      if (piece[at] === ERROR_RESPONSE) failed = true;
    }
  });
  return { failed };
}

/** A startup packet of ours stands in for the client's, so that PGOPTIONS cannot turn synchronous_commit off. */
function startupPacket(): Uint8Array {
  const body = Buffer.from("user\0postgres\0database\0postgres\0client_encoding\0UTF8\0\0");
  const packet = Buffer.alloc(8 + body.length);
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE(196608, 4);
  body.copy(packet, 8);
  return packet;
}

/** Single-user PostgreSQL never checkpoints by itself: without this the WAL, and the recovery, grow without bound. */
function checkpointWhenDue(pglite: PGlite): void {
  if (files.walBytes < options.checkpointBytes || pglite.isInTransaction()) return;
  files.walBytes = 0;
  if (query(pglite, "checkpoint").failed)
    writeSync(2, "The embedded database could not checkpoint; it tries again later.\n");
}

function serve(pglite: PGlite): void {
  let current = 0;
  port?.on("message", (request: Request) => {
    if (request === "stop") {
      void stop(pglite);
      return;
    }
    let bytes: Uint8Array = new Uint8Array(request.bytes);
    if (bytes[0] === 0) {
      // A new client, perhaps after one that broke off: there is one session, and it must not show what was before.
      if (pglite.isInTransaction()) query(pglite, "rollback");
      if (current > 0) query(pglite, "discard all");
      current = request.session;
      bytes = startupPacket();
    }
    exchange(pglite, bytes, (piece) => {
      const reply: Reply = { session: request.session, bytes: piece.buffer };
      port.postMessage(reply, [piece.buffer]);
    });
    checkpointWhenDue(pglite);
  });
}

async function stop(pglite: PGlite): Promise<void> {
  await pglite.close();
  port?.postMessage("stopped" satisfies Reply);
  port?.close();
}

try {
  serve(await start());
  port.postMessage("ready" satisfies Reply);
} catch (error) {
  port.postMessage({ failed: error instanceof Error ? error.message : String(error) } satisfies Reply);
  port.close();
}
