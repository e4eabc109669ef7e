// A process of its own that starts one PostgreSQL and ends it, with its folder, when the pipe on stdin closes: so a test
// run that is killed with SIGKILL leaves neither a server nor files. Argument: JSON of SupervisorRequest. Answers with
// one line of JSON on stdout.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  globSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve as absolute } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import { freePort } from "./free-port.ts";
import { findBinaries, serverEnvironment, serverUser } from "./postgres-binaries.ts";
import type { Binaries, BinarySource, ServerUser } from "./postgres-binaries.ts";

export interface SupervisorRequest {
  source?: BinarySource;
  password: string;
  settings: Record<string, string>;
  /** What pg_hba.conf asks of who connects. */
  auth: "password" | "scram-sha-256";
  /** Copies this running server instead of making a cluster, and follows it. */
  standbyOf?: { url: string; folder: string };
}

export type SupervisorAnswer =
  { url: string; version: string; source: BinarySource; folder: string } | { error: string };

/** As a production server as far as promises go: a commit is on disk when it is answered. */
const SETTINGS: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  timezone: "UTC",
};

const START_LIMIT_MS = 30_000;
const request = JSON.parse(process.argv[2] ?? "") as SupervisorRequest;
const user = serverUser();
const folder = temporaryFolder(user);
let server: ChildProcess | undefined;

process.stdin.resume();
process.stdin.on("data", crash);
process.stdin.on("end", () => void stop(0));
process.stdin.on("error", () => void stop(0));
process.on("SIGTERM", () => void stop(0));
// Ctrl-C is for the test run, which closes the pipe when it has ended its own work.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);
// The reader is gone with the pipe: the end of stdin follows, and does the work.
process.stdout.on("error", () => undefined);

try {
  const binaries = findBinaries(request.source, folder, user);
  if (request.standbyOf === undefined) initialise(binaries);
  else await copyOf(request.standbyOf);
  answer({ ...(await start(binaries)), source: binaries.source, folder });
} catch (error) {
  answer({ error: error instanceof Error ? error.message : String(error) });
  await stop(1);
}

function answer(line: SupervisorAnswer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Readable by the server's user: /tmp when TMPDIR lies in a folder that only root enters. */
function temporaryFolder(owner: ServerUser | undefined): string {
  const parent = owner === undefined || isOpenToAll(absolute(tmpdir())) ? tmpdir() : "/tmp";
  const made = mkdtempSync(join(parent, "billhook-postgres-"));
  chmodSync(made, 0o755);
  if (owner !== undefined) chownSync(made, owner.uid, owner.gid);
  return made;
}

function isOpenToAll(path: string): boolean {
  const parent = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isOpenToAll(parent));
}

function initialise(binaries: Binaries): void {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, request.password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const options = ["--username=postgres", `--pwfile=${passwordFile}`, `--auth=${request.auth}`, "--encoding=UTF8"];
  const run = spawnSync(binaries.initdb, ["-D", join(folder, "data"), "--locale=C", "--no-sync", ...options], {
    ...user,
    cwd: folder,
    env: serverEnvironment(),
    encoding: "utf8",
  });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw new Error(`initdb failed: ${run.stderr}${run.stdout}`);
}

/** As pg_basebackup would, which the npm package lacks. The server must be at rest. */
async function copyOf(primary: { url: string; folder: string }): Promise<void> {
  const data = join(folder, "data");
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  try {
    await client.query("select pg_backup_start('standby', fast => true)");
    cpSync(join(primary.folder, "data"), data, {
      recursive: true,
      filter: (file) => !/\/postmaster\.(pid|opts)$|\/pg_wal\/[^/]+$/.test(file),
    });
    const { rows } = await client.query<{ label: string }>("select labelfile as label from pg_backup_stop(false)");
    writeFileSync(join(data, "backup_label"), rows[0]?.label ?? "");
  } finally {
    await client.end();
  }
  const { hostname, port, username, password } = new URL(primary.url);
  request.settings.primary_conninfo = `host=${hostname} port=${port} user=${username} password=${password} application_name=standby`;
  writeFileSync(join(data, "standby.signal"), "");
  chmodSync(data, 0o700);
  if (user === undefined) return;
  for (const file of [data, ...globSync(join(data, "**"))]) chownSync(file, user.uid, user.gid);
}

async function start(binaries: Binaries): Promise<{ url: string; version: string }> {
  const settings = { ...SETTINGS, ...request.settings };
  const log = join(folder, "postgres.log");
  // A free port may be taken again before the server binds it: then another one.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]);
    const out = openSync(log, "a");
    const child = spawn(binaries.postgres, ["-D", join(folder, "data"), ...args], {
      ...user,
      cwd: folder,
      env: serverEnvironment(),
      stdio: ["ignore", out, out],
    });
    server = child;
    const url = `postgres://postgres:${request.password}@127.0.0.1:${port}/postgres`;
    const version = await ready(child, url);
    if (version !== undefined) {
      child.on("exit", () => void died(log));
      return { url, version };
    }
    const lines = lastLines(log);
    if (attempt === 3 || !lines.includes("could not bind")) throw new Error(`PostgreSQL does not start:\n${lines}`);
  }
}

/** The server's version once it answers; undefined when it ended or the time is up. */
async function ready(child: ChildProcess, url: string): Promise<string | undefined> {
  const until = performance.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>("show server_version");
      return rows[0]?.server_version ?? "";
    } catch {
      await sleep(25); // not yet
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return undefined;
}

const lastLines = (file: string): string => readFileSync(file, "utf8").split("\n").slice(-40).join("\n");

/** The server ended although nobody asked it to: the tests that follow fail, and this says why. */
async function died(log: string): Promise<void> {
  process.stderr.write(`The tests' PostgreSQL has died. Its last words:\n${lastLines(log)}\n`);
  await stop(1);
}

/** As if the machine were gone: the server and each process of it at once. */
function crash(): void {
  const child = server;
  server = undefined;
  if (child?.pid === undefined) return;
  child.removeAllListeners("exit");
  child.once("exit", () => process.stdout.write("crashed\n"));
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  child.kill("SIGKILL");
  for (const [pid, parent] of processes) if (parent === child.pid && pid !== undefined) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has seen its parent's end.
  }
}

/** The folder goes too, so the server need not write anything back: SIGQUIT is its immediate shutdown. */
async function stop(code: number): Promise<void> {
  const child = server;
  server = undefined;
  if (child?.exitCode === null && child.signalCode === null) {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(process.platform === "win32" ? "SIGTERM" : "SIGQUIT");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(timer);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}
