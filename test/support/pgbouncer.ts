// PgBouncer for tests, as deploy/ tells people to run it: deploy/pgbouncer.ini with other addresses, deploy/database.sql before it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import { createDatabase, type PostgresServer } from "./postgres.ts";
import { serverEnvironment, serverUser } from "./postgres-binaries.ts";
import { freePort } from "./free-port.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const PLACES = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/opt/homebrew/bin"];
/** The first that keeps prepared statements in transaction mode. */
const OLDEST = 1.21;

/** PGBOUNCER_PATH if it is set, else the first that is installed here and new enough. Throws with what to install. */
export function pgbouncerPath(env: NodeJS.ProcessEnv = process.env): string {
  const given = env.PGBOUNCER_PATH ?? "";
  const folders = [...(env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""), ...PLACES];
  const found = given !== "" ? [given] : folders.map((folder) => join(folder, "pgbouncer")).filter(existsSync);
  const versions = found.map((path) => ({ path, version: versionOf(path) }));
  const good = versions.find(({ version }) => isNewEnough(version));
  if (good !== undefined) return good.path;
  const here = versions.map(({ path, version }) => `${path} is ${version}`).join(", ");
  throw new Error(
    `These tests need PgBouncer 1.21 or newer: install it (Debian 13, Ubuntu 24.04: \`apt-get install pgbouncer\`; ` +
      `Debian 12: .ci/run builds it; macOS: \`brew install pgbouncer\`), or set PGBOUNCER_PATH. Found: ${here || "none"}.`,
  );
}

/** Whether its tests are left out, which a line says; on a build machine they never are. */
export function withoutPgbouncer(env: NodeJS.ProcessEnv = process.env): boolean {
  if ((env.CI ?? "") !== "") return false;
  try {
    pgbouncerPath(env);
    return false;
  } catch (error) {
    process.stderr.write(`The tests of several nodes are left out. ${error instanceof Error ? error.message : ""}\n`);
    return true;
  }
}

function versionOf(path: string): string {
  return /PgBouncer (\S+)/.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout)?.[1] ?? "no PgBouncer";
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major + minor / 100 >= OLDEST;
}

const OWNER_PASSWORD = "owner-of-the-tests";
const POOLER_PASSWORD = "pooler-of-the-tests";

/** A database as deploy/database.sql makes it. Returns its owner's address, past the pooler. */
export async function ownedDatabase(server: PostgresServer): Promise<string> {
  const url = new URL(await createDatabase(server.url, "billhook"));
  const sql = readFileSync(join(DEPLOY, "database.sql"), "utf8")
    .replace(":'owner_password'", `'${OWNER_PASSWORD}'`)
    .replace(":'pooler_password'", `'${POOLER_PASSWORD}'`);
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(sql).finally(() => client.end());
  url.username = "billhook";
  url.password = OWNER_PASSWORD;
  return url.href;
}

export interface Pgbouncer {
  /** The owner's address of the database, through the pooler. */
  url: string;
  log(): string;
  /** Leads it to another server, as an operator does: the file's line, then RELOAD. */
  repoint(server: PostgresServer): Promise<void>;
  /** The rows of a command on its console. */
  console(command: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** `settings` replace lines of deploy/pgbouncer.ini. */
export async function startPgbouncer(
  server: PostgresServer,
  settings: Record<string, string | number> = {},
): Promise<Pgbouncer> {
  const program = pgbouncerPath();
  const user = serverUser();
  const folder = mkdtempSync(join("/tmp", "billhook-pgbouncer-"));
  const [ini, users, port] = [join(folder, "pgbouncer.ini"), join(folder, "userlist.txt"), await freePort()];
  const write = (to: PostgresServer): void =>
    writeFileSync(ini, configured(to, { listen_addr: "127.0.0.1", listen_port: port, auth_file: users, ...settings }));
  write(server);
  writeFileSync(users, `"billhook_pooler" "${POOLER_PASSWORD}"\n`);
  if (user !== undefined) for (const file of [folder, ini, users]) chownSync(file, user.uid, user.gid);
  chmodSync(folder, 0o700);
  // It ends when the pipe closes: also when the test run is killed.
  const script = '"$0" -q "$1" & child=$!; cat > /dev/null; kill -9 "$child"; wait "$child"';
  const shell = spawn("sh", ["-c", script, program, ini], {
    ...user,
    cwd: "/",
    env: serverEnvironment(),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  const stop = async (): Promise<void> => {
    await ended(shell);
    rmSync(folder, { recursive: true, force: true });
  };
  const at = (name: string, password: string, database: string): string =>
    `postgres://${name}:${password}@127.0.0.1:${port}/${database}`;
  const url = at("billhook", OWNER_PASSWORD, "billhook");
  try {
    await answers(url, () => text);
  } catch (error) {
    await stop();
    throw error;
  }
  const consoleUrl = at("billhook_pooler", POOLER_PASSWORD, "pgbouncer");
  const console: Pgbouncer["console"] = async (command) => ask(consoleUrl, command);
  return {
    url,
    log: () => text,
    console,
    repoint: async (to) => {
      write(to);
      await console("RELOAD");
    },
    stop,
  };
}

function configured({ url }: PostgresServer, settings: Record<string, string | number>): string {
  const { hostname, port } = new URL(url);
  const lines = { ...settings, billhook: `host=${hostname} port=${port} dbname=billhook` };
  return Object.entries(lines).reduce(
    (text, [name, value]) => {
      const line = new RegExp(`^${name} = .*$`, "m");
      if (!line.test(text)) throw new Error(`deploy/pgbouncer.ini has no line ${name}`);
      return text.replace(line, `${name} = ${value}`);
    },
    readFileSync(join(DEPLOY, "pgbouncer.ini"), "utf8"),
  );
}

async function answers(url: string, log: () => string): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    try {
      await ask(url, "select 1");
      return;
    } catch (error) {
      if (left === 1) throw new Error(`PgBouncer does not answer: ${log()}`, { cause: error });
      await sleep(25);
    }
  }
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function ended(shell: ChildProcess): Promise<void> {
  if (shell.exitCode !== null || shell.signalCode !== null) return;
  const exit = once(shell, "exit");
  shell.stdin?.end();
  await exit;
}
