// Which way the operator's commands go: to the server that runs on this DATA_DIR, or into the database by this process.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { failed, misused } from "./command-failure.ts";
import { readCommandConfig } from "./command-config.ts";
import { operatorDoor } from "./operator-door.ts";
import type { OperatorDoor, Transport } from "./operator-door.ts";
import { ensureOperatorToken } from "./secret-files.ts";
import { localAddress, recordedServer } from "./server-address.ts";
import { unanswered, unbroken } from "./server-trouble.ts";
import { readVersion } from "./version.ts";

/** Runs `work` with the door that is open, and closes it. */
export async function throughDoor<T>(url: string | undefined, work: (door: OperatorDoor) => Promise<T>): Promise<T> {
  const door = await openWay(url, doorToDatabase);
  try {
    return await work(door);
  } finally {
    await door.close();
  }
}

/**
 * A server that was named is asked. Else with DATABASE_URL this process asks the database itself; an embedded database
 * belongs to one process, so a server that holds it is asked over HTTP, and without one this process opens it.
 */
export async function openWay<Own>(
  url: string | undefined,
  openOwn: (config: Config) => Promise<Own>,
): Promise<OperatorDoor | Own> {
  const { config, serverUrl } = readCommandConfig(url);
  if (serverUrl !== undefined) return doorToServer(config, serverUrl);
  if (config.databaseUrl !== undefined) return openOwn(config);
  const recorded = await recordedServer(config.dataDir);
  if (recorded !== undefined && (await answers(recorded))) return doorToServer(config, recorded);
  if (!existsSync(join(config.dataDir, "postgres"))) {
    throw failed(
      "no_database",
      "No database",
      `There is no database in ${config.dataDir}: start it with \`billhook serve\`, or set DATA_DIR or DATABASE_URL.`,
    );
  }
  return openOwn(config).catch(async (error: unknown) => {
    if (!isHeld(error)) throw error;
    const configured = localAddress(config.host, config.port);
    if (configured !== recorded && (await answers(configured))) return doorToServer(config, configured);
    const pid = /process \d+/.exec(error.message)?.[0] ?? "another process";
    const tried = [recorded, configured].filter(
      (address, index, all) => address !== undefined && all.indexOf(address) === index,
    );
    throw failed(
      "server_not_answering",
      "Server not answering",
      `The database in ${config.dataDir} is held by ${pid}, which does not answer at ${tried.join(" or ")}: give its address with --url, or stop it.`,
      error,
    );
  });
}

/** The embedded database's own words for "somebody else has this folder open". */
function isHeld(error: unknown): error is Error {
  return error instanceof Error && error.message.includes("is already open in");
}

const HEALTH_MS = 2000;

/** Whether a Billhook answers there. Nothing secret is sent to find out. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS), redirect: "error" });
    await answer.body?.cancel();
    return answer.status < 500 && answer.headers.has("x-request-id");
  } catch {
    // Refused, too slow, or no HTTP: each means that no Billhook answers.
    return false;
  }
}

async function doorToServer(config: Config, url: string): Promise<OperatorDoor> {
  return operatorDoor({
    transport: overHttp(url),
    token: (await knownToken(config)).reveal(),
    where: url,
    queueWaits: false,
  });
}

async function knownToken(config: Config): Promise<Secret> {
  if (config.operatorToken !== undefined) return config.operatorToken;
  // Only read here: a new token would be none that the server knows.
  if (!existsSync(join(config.dataDir, "operator-token"))) {
    throw misused(
      `There is no operator token in ${config.dataDir}: set OPERATOR_TOKEN, or DATA_DIR to the server's own folder.`,
    );
  }
  return ensureOperatorToken(config.dataDir);
}

function overHttp(url: string): Transport {
  return async ({ method, path, headers, body }) => {
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "error",
    }).catch((error: unknown) => {
      throw unanswered(url, error);
    });
    return { status: answer.status, chunks: answer.body === null ? nothing() : unbroken(url, answer.body) };
  };
}

async function* nothing(): AsyncIterable<Uint8Array> {
  // An answer without a body.
}

/** The same API in this process, without listening and without its background work. */
async function doorToDatabase(config: Config): Promise<OperatorDoor> {
  const [{ openApp }, { openDatabase }] = [await import("../app.ts"), await import("../app-database.ts")];
  const { openLogging } = await import("./logging.ts");
  if (config.databaseUrl !== undefined) await refuseOldSchema(() => openDatabase(config));
  const logging = openLogging({ level: "warn", format: config.logFormat, descriptor: 2 });
  const operatorToken = new Secret(randomBytes(32).toString("base64url"));
  const app = await openApp(
    // Not `work`: what is enqueued here is announced to the processes that do.
    { ...config, roles: ["api"] },
    { log: logging.log, clock: systemClock, operatorToken, webhookSecrets: [], version: readVersion() },
  );
  return operatorDoor({
    transport: async ({ method, path, headers, body }) => {
      const answer = await app.api.inject({
        method,
        url: path,
        headers,
        ...(body === undefined ? {} : { payload: body }),
        payloadAsStream: true,
      });
      return { status: answer.statusCode, chunks: answer.stream() };
    },
    token: operatorToken.reveal(),
    where: config.databaseUrl === undefined ? `the database in ${config.dataDir}` : "the database at DATABASE_URL",
    queueWaits: config.databaseUrl === undefined,
    close: async () => {
      await app.stop();
      logging.close();
    },
  });
}

/** A question must not migrate a server's database under the processes that run on it. */
async function refuseOldSchema(open: () => Promise<Database>): Promise<void> {
  const { migrationState } = await import("../db/migrate.ts");
  const database = await open();
  try {
    const { pending } = await migrationState(database);
    if (pending.length === 0) return;
    const what = pending.length === 1 ? "1 migration" : `${pending.length} migrations`;
    throw failed(
      "schema_old",
      "Old schema",
      `The database lacks ${what} of this version: run \`billhook migrate\` first.`,
    );
  } finally {
    await database.close();
  }
}
