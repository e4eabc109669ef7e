// The host's files as the embedded PostgreSQL sees them, with what PGlite's own NodeFS lacks: an fsync that reaches the disk.
import { fstatSync, fsyncSync } from "node:fs";

import type { postgresMod } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

import { leaveParserUnoptimised } from "./embedded-memory.ts";

type PostgresMod = postgresMod.PostgresMod;

/** The part of an Emscripten file that is used here. */
export interface EmscriptenStream {
  nfd: number;
  node: EmscriptenNode;
}
export interface EmscriptenNode {
  name: string;
  parent: EmscriptenNode;
}

/** The part of Emscripten's NODEFS that is patched here, and traced by the power-loss test. */
export interface NodeFsOperations {
  realPath: (node: EmscriptenNode) => string;
  node_ops: {
    setattr: (node: EmscriptenNode, attributes: { size?: number }) => void;
    mknod: (parent: EmscriptenNode, name: string, mode: number, device: number) => EmscriptenNode;
    rename: (node: EmscriptenNode, folder: EmscriptenNode, name: string) => void;
    unlink: (parent: EmscriptenNode, name: string) => void;
    rmdir: (parent: EmscriptenNode, name: string) => void;
  };
  stream_ops: {
    setattr: (stream: EmscriptenStream, attributes: { size?: number }) => void;
    open: (stream: EmscriptenStream) => void;
    write: (stream: EmscriptenStream, buffer: Int8Array, offset: number, length: number, position: number) => number;
    fsync?: (stream: EmscriptenStream) => number;
  };
}

/** Sees every operation before the product does; the power-loss test brings one. */
export type Tracer = (operations: NodeFsOperations, root: string) => void;

export class DurableNodeFS extends NodeFS {
  /** fsyncs that the host has carried out. */
  fsyncs = 0;
  /** Bytes written to the WAL since the last checkpoint that we asked for. */
  walBytes = 0;
  readonly #failed: (error: unknown) => never;
  readonly #tracer: Tracer | undefined;

  /** `failed` must end the process: after a failed fsync nobody knows what is on the disk, and a retry would lie. */
  constructor(folder: string, failed: (error: unknown) => never, tracer?: Tracer) {
    super(folder);
    this.#failed = failed;
    this.#tracer = tracer;
  }

  override init(...[pglite, options]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    // Before NodeFS mounts: nodes keep a reference to the operations, so that the patch must be in place first.
    const preRun = [
      ...(options.preRun ?? []),
      (mod: PostgresMod) => {
        this.#patch(mod);
      },
    ];
    const postRun = [
      ...(options.postRun ?? []),
      (mod: PostgresMod) => {
        leaveParserUnoptimised(mod);
      },
    ];
    return super.init(pglite, { ...options, preRun, postRun });
  }

  #patch(mod: PostgresMod): void {
    const operations = mod.NODEFS as unknown as NodeFsOperations;
    const { stream_ops: streamOps } = operations;
    const write = streamOps.write;
    streamOps.write = (stream, buffer, offset, length, position) => {
      if (stream.node.parent.name === "pg_wal") this.walBytes += length;
      return write(stream, buffer, offset, length, position);
    };
    streamOps.fsync = (stream) => {
      try {
        fsyncSync(stream.nfd);
      } catch (error) {
        // Windows cannot fsync a folder; NTFS journals the entry itself.
        if (process.platform === "win32" && fstatSync(stream.nfd).isDirectory()) return 0;
        this.#failed(error);
      }
      this.fsyncs += 1;
      return 0;
    };
    this.#tracer?.(operations, this.rootDir);
  }
}
