// Where log lines go: a file descriptor or a file. Lines of one turn of the event loop are one write.
import { closeSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { makeFolder } from "../db/make-folder.ts";

/**
 * Not pino's own destination: that one retries for ever when the disk is full while the process exits, and throws the
 * whole process away when it fills up before. Here a line that cannot be written is lost, and counted in a later line.
 */
export interface LogDestination {
  write(line: string): void;
  /** Writes what waits, now. */
  flush(): void;
  /** Closes the file and opens it by its name again, as log rotation wants it. Nothing for a descriptor. */
  reopen(): void;
  /** Flushes, and closes what this destination has opened. */
  close(): void;
}

/** What may wait for a reader that has stopped reading. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const RETRY_MS = 5;
const RETRIES_ON_EXIT = 100;

export function logToDescriptor(descriptor: number): LogDestination {
  return destination(descriptor, undefined);
}

/** Opens (appends to) the file and creates its folder; throws where it cannot. */
export function logToFile(path: string): LogDestination {
  makeFolder(dirname(path), 0o777);
  return destination(openLog(path), path);
}

function openLog(path: string): number {
  return openSync(path, "a", 0o640);
}

function destination(first: number, path: string | undefined): LogDestination {
  let descriptor = first;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let lost = 0;
  let broken = false;
  let scheduled = false;

  function write(line: string): void {
    if (broken) return;
    const bytes = Buffer.from(line);
    if (waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      lost += 1;
      return;
    }
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (scheduled) return;
    scheduled = true;
    setImmediate(drain);
  }

  function drain(): void {
    scheduled = false;
    if (writeWaiting() === "again") {
      scheduled = true;
      setTimeout(drain, RETRY_MS).unref();
    }
  }

  /** Writes until nothing waits; "again" when the reader is full. */
  function writeWaiting(): "done" | "again" {
    if (lost > 0) {
      const note = Buffer.from(
        `${JSON.stringify({ level: "warn", msg: "log lines were lost: they could not be written", count: lost })}\n`,
      );
      waiting.push(note);
      waitingBytes += note.length;
      lost = 0;
    }
    let rest = Buffer.concat(waiting);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest));
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code === "EAGAIN") break;
        // A closed pipe will not come back; a full disk may.
        if (code === "EPIPE") broken = true;
        else lost += countLines(rest);
        rest = Buffer.alloc(0);
      }
    }
    waiting = rest.length > 0 ? [rest] : [];
    waitingBytes = rest.length;
    return rest.length > 0 ? "again" : "done";
  }

  function flush(): void {
    for (let attempt = 0; attempt < RETRIES_ON_EXIT && writeWaiting() === "again"; attempt += 1) pause(RETRY_MS);
  }

  function reopen(): void {
    if (path === undefined) return;
    flush();
    const next = openLog(path);
    closeSync(descriptor);
    descriptor = next;
  }

  function close(): void {
    flush();
    broken = true;
    if (path !== undefined) closeSync(descriptor);
  }

  return { write, flush, reopen, close };
}

function countLines(bytes: Buffer): number {
  return bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
}

/** Blocks: only on exit, when there is no event loop left to wait in. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
