// The main thread's side of the embedded database: starts the worker, and gives `pg` streams that look like sockets.
import { writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Duplex } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";

import {
  type CompiledProgram,
  type EngineOptions,
  EXIT_DATABASE_LOST,
  MessageGroups,
  type Reply,
  type Request,
  type WorkerOptions,
} from "./embedded-protocol.ts";

const TERMINATE = "X".charCodeAt(0);

export interface Engine {
  /** A new connection. There is one session behind it: the one before must have ended. */
  connect(): Duplex;
  /** Shuts PostgreSQL down cleanly. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL on an existing data folder. From then on the death of its thread ends the process. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  // V8 13.6 shares the code of a WebAssembly module between threads, and now and then frees some that one of them still uses:
  // a SIGSEGV in `NativeModule::FreeCode`, below `Runtime_TierUpWasmToJSWrapper`. Code that is kept costs a few MB.
  setFlagsFromString("--no-wasm-code-gc");
  const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), {
    workerData: { ...options, program: await program() } satisfies WorkerOptions,
    name: "postgres",
    // What the process was started with (--input-type, --eval, …) is not for the thread.
    execArgv: [],
  });
  let sessions = 0;
  let current: SessionStream | undefined;
  await started(worker);

  const ends = Promise.withResolvers<undefined>();
  let stopping = false;
  worker.on("error", (error: Error) => {
    endProcess(`its thread failed: ${error.message}`);
  });
  worker.on("exit", (code) => {
    if (stopping) ends.resolve(undefined);
    else if (code === EXIT_DATABASE_LOST) process.exit(code);
    else endProcess(`its thread ended with code ${String(code)}`);
  });
  worker.on("message", (reply: Reply) => {
    if (typeof reply === "object" && "bytes" in reply && reply.session === sessions)
      current?.push(Buffer.from(reply.bytes));
  });

  return {
    connect: () => {
      sessions += 1;
      current = new SessionStream(worker, sessions);
      return current;
    },
    stop: () => {
      stopping = true;
      worker.postMessage("stop" satisfies Request);
      return ends.promise;
    },
  };
}

/** Node has it, and its types lack it. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { compile: (bytes: Buffer) => Promise<CompiledProgram> };
};

let compiled: Promise<CompiledProgram> | undefined;

/** Once in a process, with the code that V8 makes of it while it runs: what opens next has it, in half the processor time. */
function program(): Promise<CompiledProgram> {
  const file = new URL("pglite.wasm", import.meta.resolve("@electric-sql/pglite"));
  compiled ??= readFile(file)
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      compiled = undefined;
      throw error;
    });
  return compiled;
}

/** The first word of the worker: ready, or why not. */
async function started(worker: Worker): Promise<void> {
  const first = Promise.withResolvers<undefined>();
  worker.once("message", (reply: Reply) => {
    if (reply === "ready") first.resolve(undefined);
    else
      first.reject(
        new Error(
          `The embedded database does not start: ${typeof reply === "object" && "failed" in reply ? reply.failed : "its thread ended"}`,
        ),
      );
  });
  const failed = (reason: unknown): void => {
    first.reject(new Error(`The embedded database does not start: ${String(reason)}`));
  };
  worker.once("error", failed);
  worker.once("exit", failed);
  try {
    await first.promise;
  } finally {
    worker.off("error", failed);
    worker.off("exit", failed);
  }
}

/** Half a process that answers without its database is worse than none: a supervisor can restart a dead one. */
function endProcess(reason: string): never {
  writeSync(2, `The embedded database is gone: ${reason}. Nothing that was answered is lost; start again.\n`);
  process.exit(EXIT_DATABASE_LOST);
}

/** What `pg` takes for a socket. */
class SessionStream extends Duplex {
  readonly #worker: Worker;
  readonly #session: number;
  readonly #groups = new MessageGroups();

  constructor(worker: Worker, session: number) {
    super();
    this.#worker = worker;
    this.#session = session;
  }

  connect(): this {
    process.nextTick(() => this.emit("connect"));
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#send(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    for (const { chunk } of chunks) this.#send(chunk);
    done();
  }

  #send(write: Buffer): void {
    // The session outlives its client: the next startup resets it.
    if (write[0] === TERMINATE) return;
    const bytes = this.#groups.push(write);
    if (bytes !== undefined) this.#worker.postMessage({ session: this.#session, bytes } satisfies Request, [bytes]);
  }

  /** Answers are pushed as they come; `pg` reads at once. */
  override _read(): void {
    return;
  }

  override _final(done: (error?: Error) => void): void {
    this.push(null);
    done();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
