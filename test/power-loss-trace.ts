// Loaded into the embedded database's worker by the power-loss test: writes every file operation to one trace, in order.
import { openSync, writeSync } from "node:fs";
import { relative } from "node:path";

import type { EmscriptenNode, NodeFsOperations } from "../src/db/embedded-fs.ts";

/** One operation. Paths are relative to the data folder; `file` is a host descriptor, valid from its open on. */
export type TraceRecord =
  | { op: "create"; path: string; folder: boolean }
  | { op: "open"; path: string; file: number }
  | { op: "write"; file: number; position: number; bytes: number }
  | { op: "truncate"; path: string; size: number }
  | { op: "truncate-open"; file: number; size: number }
  | { op: "rename"; path: string; to: string }
  | { op: "remove"; path: string }
  | { op: "fsync"; file: number };

/** The trace's file, named in the module's URL because a worker takes no other argument: `…?trace=<path>`. */
const path = new URL(import.meta.url).searchParams.get("trace") ?? "";

/** Each record is a JSON line, and after a write its bytes. */
export function trace(operations: NodeFsOperations, root: string): void {
  const out = openSync(path, "a");
  const record = (entry: TraceRecord, body?: Uint8Array): void => {
    const head = Buffer.from(`${JSON.stringify(entry)}\n`);
    writeSync(out, body === undefined ? head : Buffer.concat([head, body]));
  };
  const at = (node: EmscriptenNode, name?: string): string =>
    relative(root, operations.realPath(node) + (name === undefined ? "" : `/${name}`));
  traceNames({ ...operations.node_ops }, operations, record, at);
  traceContents({ ...operations.stream_ops }, operations, record, at);
}

type Record = (entry: TraceRecord, body?: Uint8Array) => void;
type PathOf = (node: EmscriptenNode, name?: string) => string;

function traceNames(
  real: NodeFsOperations["node_ops"],
  { node_ops: ops }: NodeFsOperations,
  record: Record,
  at: PathOf,
): void {
  ops.mknod = (parent, name, mode, device) => {
    const node = real.mknod(parent, name, mode, device);
    record({ op: "create", path: at(parent, name), folder: (mode & 0o170000) === 0o040000 });
    return node;
  };
  ops.setattr = (node, attributes) => {
    real.setattr(node, attributes);
    if (attributes.size !== undefined) record({ op: "truncate", path: at(node), size: attributes.size });
  };
  ops.rename = (node, folder, name) => {
    const from = at(node);
    real.rename(node, folder, name);
    record({ op: "rename", path: from, to: at(folder, name) });
  };
  ops.unlink = (parent, name) => {
    real.unlink(parent, name);
    record({ op: "remove", path: at(parent, name) });
  };
  ops.rmdir = (parent, name) => {
    real.rmdir(parent, name);
    record({ op: "remove", path: at(parent, name) });
  };
}

function traceContents(
  real: NodeFsOperations["stream_ops"],
  { stream_ops: ops }: NodeFsOperations,
  record: Record,
  at: PathOf,
): void {
  ops.open = (stream) => {
    real.open(stream);
    record({ op: "open", path: at(stream.node), file: stream.nfd });
  };
  ops.write = (stream, buffer, offset, length, position) => {
    const written = real.write(stream, buffer, offset, length, position);
    const body = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, written);
    record({ op: "write", file: stream.nfd, position, bytes: written }, body);
    return written;
  };
  ops.setattr = (stream, attributes) => {
    real.setattr(stream, attributes);
    if (attributes.size !== undefined) record({ op: "truncate-open", file: stream.nfd, size: attributes.size });
  };
  ops.fsync = (stream) => {
    const result = real.fsync?.(stream) ?? 0;
    record({ op: "fsync", file: stream.nfd });
    return result;
  };
}
