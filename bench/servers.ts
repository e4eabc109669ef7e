// The two products as running servers: each a process of its own, told apart by nothing but its name.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { usageOf } from "./usage.ts";
import type { Usage } from "./usage.ts";

export interface RunningServer {
  pid: number;
  port: number;
  path: string;
  usage(): Usage | undefined;
  /** SIGTERM, and SIGKILL after ten seconds. */
  stop(): Promise<void>;
}

export interface BillhookOptions {
  secret: string;
  /** Undefined: the embedded database in `dataDir`. */
  databaseUrl?: string;
  dataDir: string;
  roles: "api" | "work" | "api,work";
  /** Flags of Node's own, for profiles and comparisons. */
  nodeFlags?: readonly string[];
  /** The clone whose program runs: this one, unless it is set. Of no use to the embedded receiver. */
  root?: string;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BENCH = fileURLToPath(new URL(".", import.meta.url));
const START_LIMIT_MS = 60_000;
/** Nobody who measures is told to slow down. */
const CALLERS = {
  SECRET_KEY: "bench-secret-key-that-is-long-enough",
  RATE_LIMIT_PER_KEY: "1000000",
  RATE_LIMIT_PER_TENANT: "1000000",
};

export async function startBillhook(options: BillhookOptions): Promise<RunningServer> {
  const port = await freePort();
  const env: NodeJS.ProcessEnv = {
    ...clean(process.env),
    ...{ STRIPE_WEBHOOK_SECRET: options.secret, DATA_DIR: options.dataDir, BILLHOOK_ROLES: options.roles },
    // The peer logs nothing for an event, so Billhook writes no line for one either.
    ...{ PORT: String(port), SANDBOX_PORT: "off", LOG_LEVEL: "warn", OPERATOR_TOKEN: "bench-operator-token" },
    ...CALLERS,
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
  };
  const root = options.root ?? ROOT;
  const withoutWorker = options.databaseUrl === undefined && options.roles === "api";
  const program = withoutWorker ? [join(BENCH, "embedded-receiver.ts")] : [join(root, "bin", "billhook.mjs"), "serve"];
  const args = [...startFlags(root), ...(options.nodeFlags ?? []), ...program];
  // Its working folder has no .env.
  const child = spawn(process.execPath, args, { cwd: options.dataDir, env, stdio: ["ignore", "ignore", "inherit"] });
  const running = runningServer(child, port, "/stripe/webhook/");
  try {
    await untilReady(child, `http://127.0.0.1:${port}/readyz`);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** Node's flags of `npm start`. */
function startFlags(root: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { start: string } };
  return scripts.start.split(" ").filter((word) => word.startsWith("--"));
}

export interface PeerOptions {
  secret: string;
  databaseUrl: string;
  poolSize: number;
}

export async function startPeer({ secret, databaseUrl, poolSize }: PeerOptions): Promise<RunningServer> {
  const env = { STRIPE_WEBHOOK_SECRET: secret, DATABASE_URL: databaseUrl, PEER_POOL_SIZE: String(poolSize) };
  return startOwn("peer-server.ts", env, "/webhooks");
}

/** Billhook's API with its scopes, or with plain transactions of the owner in their place. */
export async function startListServer(databaseUrl: string, scopes: "on" | "off"): Promise<RunningServer> {
  const env = { ...CALLERS, NODE_ENV: "test", DATABASE_URL: databaseUrl, SCOPES: scopes };
  return startOwn("list-server.ts", env, "/api/v1/auth/tenants/audit-log/");
}

/** A program of this folder that prints its port when it listens. */
async function startOwn(file: string, settings: Record<string, string>, path: string): Promise<RunningServer> {
  const child = spawn(process.execPath, [join(BENCH, file)], {
    cwd: BENCH,
    env: { ...clean(process.env), NODE_ENV: "production", ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await firstLine(child);
  const port = Number(/^listening (\d+)$/.exec(line)?.[1]);
  if (!(port > 0)) throw new Error(`${file} did not start: ${line || "it ended"}`);
  return runningServer(child, port, path);
}

/** Installs the peer where it is missing: only under bench/, by its own lockfile. */
export function installPeer(): void {
  if (existsSync(join(BENCH, "node_modules", "@supabase", "stripe-sync-engine"))) return;
  process.stdout.write("installing the peer under bench/ …\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const run = spawnSync(npm, ["ci", "--prefix", BENCH, "--no-audit", "--no-fund"], { cwd: BENCH, stdio: "inherit" });
  if (run.status !== 0) throw new Error("npm ci --prefix bench failed: the peer cannot be measured");
}

export interface Folder {
  path: string;
  remove(): void;
}

/** On the disk that TMPDIR is on, which must be a real one: commits are measured. */
export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "billhook-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  return {
    path,
    remove: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

function runningServer(child: ChildProcess, port: number, path: string): RunningServer {
  const pid = child.pid ?? 0;
  children.add(child);
  child.once("exit", () => children.delete(child));
  return {
    ...{ pid, port, path },
    usage: () => usageOf(pid),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** What this run has started and not yet ended; nothing of it outlives the run. */
const children = new Set<ChildProcess>();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(20);
  }
  throw new Error(child.exitCode === null ? `no answer from ${url}` : `billhook serve ended with ${child.exitCode}`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) return "";
  for await (const line of createInterface({ input: child.stdout })) return line;
  return "";
}

/** The developer's own settings must not reach what is measured. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(STRIPE|BILLHOOK|WORK|RECEIVE|DATABASE|OPERATOR|LOG|OTEL|PG|NODE)_?|^(PORT|HOST|DATA_DIR|PUBLIC_URL)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
