// What passes between the main thread and the embedded database's worker: whole groups of wire-protocol messages.

/** What the worker is started with. */
export interface EngineOptions {
  /** PostgreSQL's data folder, which exists. */
  folder: string;
  /** WAL bytes after which the worker checkpoints. */
  checkpointBytes: number;
  /** Server settings beside those that durability fixes. */
  settings: Record<string, string>;
  /** URL of a module that exports `trace: Tracer`; tests only. */
  tracer: string | undefined;
}

/** A WebAssembly.Module, which threads can share. */
export type CompiledProgram = object;

export interface WorkerOptions extends EngineOptions {
  /** PostgreSQL's. */
  program: CompiledProgram;
}

/** To the worker: bytes of a session, or the order to stop. */
export type Request = { session: number; bytes: ArrayBuffer } | "stop";

/** From the worker. */
export type Reply = { session: number; bytes: ArrayBuffer } | "ready" | "stopped" | { failed: string };

/** Exit code of a process whose database can no longer be trusted (EX_IOERR). */
export const EXIT_DATABASE_LOST = 74;

/** After these the server answers: Query, Sync, Flush, CopyDone, CopyFail, PasswordMessage. */
const ENDS_A_GROUP = new Set(["Q", "S", "H", "c", "f", "p"].map((letter) => letter.charCodeAt(0)));

/** Gathers what a client writes into groups that the server answers as a whole. */
export class MessageGroups {
  #pending: Buffer[] = [];
  #bytes = 0;

  /** The group that this write completes, in a buffer that can be handed over; undefined: not complete yet. */
  push(write: Buffer): ArrayBuffer | undefined {
    this.#pending.push(write);
    this.#bytes += write.length;
    // A startup packet has no type: it begins with its length, whose first byte is 0.
    if (write[0] !== 0 && !ENDS_A_GROUP.has(typeOfLastMessage(write))) return undefined;
    const group = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const part of this.#pending) {
      group.set(part, offset);
      offset += part.length;
    }
    this.#pending = [];
    this.#bytes = 0;
    return group.buffer;
  }
}

/** `pg` writes whole messages, mostly one at a time; were that to change, a group would be cut in two. */
function typeOfLastMessage(write: Buffer): number {
  let at = 0;
  let type = -1;
  while (at + 5 <= write.length) {
    type = write.readUInt8(at);
    at += 1 + write.readInt32BE(at + 1);
  }
  if (at !== write.length)
    throw new Error("pg wrote a part of a protocol message, which the embedded database does not take");
  return type;
}
