// Wiring: one process of Billhook, from its configuration to a server that listens and loops that work.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { FastifyInstance } from "fastify";

import { buildApi } from "./api/server.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import type { Log } from "./base/log.ts";
import { Secret } from "./base/secret.ts";
import { type Background, CHANNEL, startBackground } from "./app-background.ts";
import { createMetrics } from "./app-metrics.ts";
import type { Config, WebhookSecret } from "./config.ts";
import type { Database } from "./db/database.ts";
import { openEmbedded } from "./db/embedded.ts";
import { migrate, schemaStanding } from "./db/migrate.ts";
import { openServer } from "./db/server.ts";
import { queueState, releaseAllLeases } from "./inbox/event-tables.ts";
import { ensurePartitions } from "./inbox/partitions.ts";
import { receiver } from "./inbox/receive.ts";
import { keepNothing, recentObservations } from "./inbox/recent.ts";
import { unknownEventIds } from "./inbox/stripe-event-reads.ts";
import { firstOperatorLink } from "./tenants/first-operator.ts";
import { keyUse } from "./tenants/key-use.ts";
import { openPeople } from "./tenants/open-people.ts";
import { ensurePlatformTenant } from "./tenants/platform.ts";
import { requestRates } from "./tenants/request-rates.ts";
import { notifier } from "./work/wake-ups.ts";

export interface AppOptions {
  log: Log;
  clock?: Clock;
  operatorToken: Secret;
  webhookSecrets: readonly WebhookSecret[];
  /** The current one first. Undefined: a command's own process, which signs nothing that outlives it. */
  secretKeys?: readonly Secret[];
  version: string;
  /** False while something must still be done before the process may be called ready. */
  prepared?: () => boolean;
}

export interface App {
  api: FastifyInstance;
  database: Database;
  platformTenant: string;
  /** Migrations that this start applied. */
  migrations: string[];
  /** A link by which the platform's first owner joins; undefined when there is one, or an invitation that waits. */
  operatorLink(): Promise<string | undefined>;
  /** Those of these ids that no stored event has. */
  unknownEvents(ids: readonly string[]): Promise<string[]>;
  /** Resolves when nothing waits to be processed, or after so many milliseconds. */
  settled(atMostMs: number): Promise<void>;
  /** Starts the background work of this process's roles. Listening is the caller's: `api.listen`. */
  start(): void;
  /** Answers what has come, finishes what is claimed, and closes. Nothing is cut off. */
  stop(): Promise<void>;
}

/** Payloads that one process holds between receipt and processing: 12,000 events of 4 kB. */
const RECENT_BYTES = 48 * 1024 * 1024;

/** How often `settled` looks. */
const SETTLING_MS = 25;

/** How long a stop waits for requests that have begun. */
const LAST_REQUESTS_MS = 10_000;

/** Opens the database, migrates it, and wires a process that is ready to listen and to work. Throws with a sentence that says what to do. */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const clock = options.clock ?? systemClock;
  const database = await openDatabase(config);
  try {
    const migrations = await migrate(database);
    const platformTenant = await ensurePlatformTenant(database);
    await ensurePartitions(database, clock).catch((error: unknown) => {
      // Until the next try the default partition takes what comes.
      options.log.warn("this month's partition could not be made: the default one is used", { error });
    });
    // One folder, one process: what a killed one had claimed is ours at once.
    if (database.kind === "embedded") await releaseAllLeases(database);
    return wire({ config, options, clock, database, platformTenant }, migrations);
  } catch (error) {
    await database.close();
    throw error;
  }
}

export async function openDatabase(config: Config): Promise<Database> {
  return config.databaseUrl === undefined
    ? openEmbedded(config.dataDir)
    : openServer({ url: config.databaseUrl.reveal(), poolSize: config.databasePoolSize });
}

interface Parts {
  config: Config;
  options: AppOptions;
  clock: Clock;
  database: Database;
  platformTenant: string;
}

function wire(parts: Parts, migrations: string[]): App {
  const { config, options, clock, database, platformTenant } = parts;
  const metrics = createMetrics();
  const works = config.roles.includes("work");
  const recent = works ? recentObservations(RECENT_BYTES, clock) : keepNothing;
  const others = works ? undefined : notifier(database, CHANNEL, onError("notify"));
  let background: Background | undefined;
  let stopping = false;

  function onError(what: string): (error: unknown) => void {
    return (error) => {
      if (!stopping) options.log.error(`background work failed: ${what}`, { error });
    };
  }
  const wake = (): void => {
    background?.wake();
    others?.notify();
  };
  const receiving = receiver({
    database,
    clock,
    log: options.log,
    secrets: options.webhookSecrets.map(({ secret, variable }) => ({ secret: secret.reveal(), name: variable })),
    allowUnsigned: config.allowUnsignedWebhooks,
    platformTenant,
    maxWaiting: config.receiveMaxWaiting,
    maxWaitingBytes: config.receiveMaxWaitingBytes,
    metrics: metrics.receive,
    recent,
    onStored: wake,
  });
  const api = buildApi({
    database,
    log: options.log,
    clock,
    receiver: receiving,
    operatorToken: options.operatorToken,
    readiness: () => readiness(database, { stopping, prepared: options.prepared?.() ?? true }),
    refused: metrics.receive.refused,
    maxCollectingBytes: config.receiveMaxWaitingBytes,
    metrics: async () => metrics.expose(await queueState(database).catch(() => undefined), receiving.waiting()),
    wake,
    platformTenant,
    ...callersOf(parts),
    stopping: () => stopping,
    version: options.version,
  });
  return {
    api,
    database,
    platformTenant,
    migrations,
    operatorLink: () => firstOperatorLink(database, { platformTenant, frontendUrl: config.frontendUrl }),
    unknownEvents: (ids) => unknownEventIds(database, ids),
    settled: (atMostMs) => settled(database, clock, atMostMs),
    start: () => {
      if (works) background ??= startBackground({ ...parts, log: options.log, metrics, recent, receiving, onError });
    },
    stop: async () => {
      stopping = true;
      // A request that never ends must not hold up the stop: what is answered by then was stored, the rest is sent again.
      const cutOff = setTimeout(() => {
        api.server.closeAllConnections();
      }, LAST_REQUESTS_MS);
      await Promise.all([api.close(), background?.stop()]);
      clearTimeout(cutOff);
      await receiving.idle();
      await others?.stop();
      await database.close();
    },
  };
}

/** What the API needs to tell who calls, and from where. */
function callersOf({ config, options, clock, database }: Parts) {
  const { publicUrl, frontendUrl, livemode, corsOrigins, trustProxy, apiKeyPrefix: keyBrand } = config;
  const secretKeys = options.secretKeys ?? [new Secret(randomBytes(32).toString("base64url"))];
  const people = openPeople({ database, clock, secretKeys, publicUrl, frontendUrl, keyBrand });
  const rates = requestRates(database, clock, config.rateLimits);
  return { people, keyUse: keyUse(database, clock), rates, livemode, publicUrl, corsOrigins, trustProxy };
}

async function settled(database: Database, clock: Clock, atMostMs: number): Promise<void> {
  const until = clock.monotonic() + atMostMs;
  while ((await queueState(database)).pending > 0 && clock.monotonic() < until) await sleep(SETTLING_MS);
}

async function readiness(
  database: Database,
  { stopping, prepared }: { stopping: boolean; prepared: boolean },
): Promise<{ ready: boolean; checks: Record<string, string> }> {
  const schema = await schemaStanding(database).catch(() => undefined);
  return {
    ready: !stopping && prepared && (schema === "current" || schema === "newer"),
    checks: {
      process: stopping ? "stopping" : prepared ? "running" : "preparing",
      database: schema === undefined ? "unreachable" : "reachable",
      schema: schema ?? "unknown",
    },
  };
}
