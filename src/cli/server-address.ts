// Where the server of a DATA_DIR listens: a file that `serve` writes there, so that commands beside it find it.
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Config } from "../config.ts";

const FILE = "server.json";

/** The address under which a process on this machine reaches a server that listens so. */
export function localAddress(host: string, port: number): string {
  const reachable = host === "0.0.0.0" || host === "::" || host === "[::]" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** Told on stop: removes the file, unless another server has written its own meanwhile. */
export async function recordServerAddress(dataDir: string, url: string): Promise<() => Promise<void>> {
  const path = join(dataDir, FILE);
  const text = `${JSON.stringify({ url, pid: process.pid })}\n`;
  await writeFile(path, text, { mode: 0o600 });
  return async () => {
    if ((await readText(path)) === text) await unlink(path);
  };
}

/** The recorded server, when its process is still there. A server that was killed leaves its file behind. */
export async function recordedServer(dataDir: string): Promise<string | undefined> {
  const text = await readText(join(dataDir, FILE));
  if (text === undefined) return undefined;
  const { url, pid } = parsed(text);
  if (typeof url !== "string" || !/^http:\/\/[\w.:[\]-]+$/.test(url)) return undefined;
  return typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? url : undefined;
}

/** Where to look for a server, best first: what was asked for, what the folder says, what the configuration says. */
export async function serverAddress(config: Config, asked: string | undefined): Promise<string> {
  return asked ?? (await recordedServer(config.dataDir)) ?? localAddress(config.host, config.port);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // Half written by a process that was killed: as good as no file.
    return {};
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code)))
      return undefined;
    throw error;
  }
}
