// Wiring: one process of Billhook, from its configuration to a server that listens and loops that work.
import type { FastifyInstance } from "fastify";

import { buildApi } from "./api/server.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { newId } from "./base/ids.ts";
import type { Log } from "./base/log.ts";
import type { Secret } from "./base/secret.ts";
import { createMetrics, type Metrics } from "./app-metrics.ts";
import type { Config, WebhookSecret } from "./config.ts";
import type { Database } from "./db/database.ts";
import { openEmbedded } from "./db/embedded.ts";
import { migrate, migrationState } from "./db/migrate.ts";
import { openServer } from "./db/server.ts";
import { keepUp, keepUpAll } from "./db/upkeep.ts";
import { enqueueRoutable, queueState, releaseAllLeases } from "./inbox/event-tables.ts";
import { fetchOnce } from "./inbox/fetch.ts";
import { ensurePartitions } from "./inbox/partitions.ts";
import { processOnce } from "./inbox/process.ts";
import { type Receiver, receiver } from "./inbox/receive.ts";
import { type Recent, recentObservations } from "./inbox/recent.ts";
import { stripeClient } from "./stripe/client.ts";
import { retrieveObject } from "./stripe/retrieve.ts";
import { ensurePlatformTenant } from "./tenants/platform.ts";
import { type ClaimLoop, claimLoop, type Found } from "./work/claim-loop.ts";
import { every, type Schedule } from "./work/schedule.ts";
import { listener, notifier } from "./work/wake-ups.ts";

export interface AppOptions {
  log: Log;
  clock?: Clock;
  operatorToken: Secret;
  webhookSecrets: readonly WebhookSecret[];
  version: string;
}

export interface App {
  api: FastifyInstance;
  database: Database;
  platformTenant: string;
  /** Migrations that this start applied. */
  migrations: string[];
  /** Starts the background work of this process's roles. Listening is the caller's: `api.listen`. */
  start(): void;
  /** Answers what has come, finishes what is claimed, and closes. Nothing is cut off. */
  stop(): Promise<void>;
}

/** One process holds parsed payloads for this many bytes of text between receipt and processing. */
const RECENT_BYTES = 16 * 1024 * 1024;
const CHANNEL = "billhook_events";
const BATCH_SIZE = { server: Number(process.env.BATCH ?? 200), embedded: 100 } as const;
const CONCURRENCY = { server: Number(process.env.CONC ?? 2), embedded: 1 } as const;
/** Under load a batch's statements are shared by more events; an event that comes alone is processed at once. */
const GATHER_FOR_MS = Number(process.env.GATHER ?? 25);
const ROUTE_EVERY_SECONDS = 5;
const UPKEEP_EVERY_SECONDS = 30;
const DAY_SECONDS = 86_400;
const PARTITIONS_EVERY_SECONDS = 6 * 3600;

/** Opens the database, migrates it, and wires a process that is ready to listen and to work. Throws with a sentence that says what to do. */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const clock = options.clock ?? systemClock;
  const database = await openDatabase(config);
  try {
    const migrations = await migrate(database);
    const platformTenant = await ensurePlatformTenant(database);
    await ensurePartitions(database, clock);
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
  const recent = recentObservations(RECENT_BYTES);
  const work = config.roles.includes("work") ? undefined : notifier(database, CHANNEL, onError("notify"));
  let background: Background | undefined;
  let stopping = false;

  function onError(what: string): (error: unknown) => void {
    return (error) => {
      if (!stopping) options.log.error(`background work failed: ${what}`, { error });
    };
  }
  const wake = (): void => {
    background?.events.wake();
    work?.notify();
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
    readiness: () => readiness(database, stopping),
    refused: metrics.receive.refused,
    metrics: async () => metrics.expose(await queueState(database).catch(() => undefined), receiving.waiting()),
    wake,
    platformTenant,
    publicUrl: config.publicUrl,
    stopping: () => stopping,
    version: options.version,
  });
  return {
    api,
    database,
    platformTenant,
    migrations,
    start: () => {
      if (config.roles.includes("work")) background ??= startBackground(parts, metrics, recent, onError);
    },
    stop: async () => {
      stopping = true;
      await api.close();
      await receiving.idle();
      await background?.stop();
      await work?.stop();
      await database.close();
    },
  };
}

async function readiness(database: Database, stopping: boolean): Promise<{ ready: boolean; checks: Record<string, string> }> {
  const state = stopping ? undefined : await migrationState(database).catch(() => undefined);
  const schema = state === undefined ? "unknown" : state.pending.length === 0 ? "current" : `${state.pending.length} migrations pending`;
  return {
    ready: schema === "current",
    checks: { process: stopping ? "stopping" : "running", database: state === undefined ? "unreachable" : "reachable", schema },
  };
}

function foundBy(claimed: number, batchSize: number): Found {
  return claimed === 0 ? "none" : claimed < batchSize ? "some" : "full";
}

interface Background {
  events: ClaimLoop;
  stop(): Promise<void>;
}

/** What runs in the background, on one page. */
function startBackground(parts: Parts, metrics: Metrics, recent: Recent, onError: (what: string) => (error: unknown) => void): Background {
  const { config, options, clock, database, platformTenant } = parts;
  const newLease = (): string => newId("node");
  const events = claimLoop({
    name: "stripe events",
    run: async () => foundBy(await processOnce({
      database,
      clock,
      log: options.log,
      context: { kind: database.kind, platformTenant, recent },
      metrics: metrics.process,
      leaseSeconds: config.workLeaseSeconds,
      maxAttempts: config.workMaxAttempts,
      batchSize: BATCH_SIZE[database.kind],
      newLease,
    }), BATCH_SIZE[database.kind]),
    concurrency: CONCURRENCY[database.kind],
    pollEvery: 500,
    gatherFor: GATHER_FOR_MS,
    pauseAfterError: 1000,
    onError: onError("stripe events"),
  });
  const loops = [events];
  const secretKey = config.stripeSecretKey;
  if (secretKey !== undefined) {
    const client = stripeClient({ secretKey: secretKey.reveal(), ...(config.stripeApiBase === undefined ? {} : { apiBase: config.stripeApiBase }) });
    loops.push(claimLoop({
      name: "stripe fetches",
      run: async () => (await fetchOnce({
        database,
        clock,
        log: options.log,
        platformTenant,
        livemode: config.livemode,
        retrieve: (wanted) => retrieveObject(client, wanted, clock),
        leaseSeconds: config.workLeaseSeconds,
        newLease,
        onObserved: events.wake,
        metrics: metrics.fetch,
      })) ? "full" : "none",
      concurrency: 1,
      pollEvery: 1000,
      gatherFor: 0,
      pauseAfterError: 5000,
      onError: onError("stripe fetches"),
    }));
  }
  const schedules: Schedule[] = [
    every(ROUTE_EVERY_SECONDS, async () => {
      if ((await enqueueRoutable(database, 1000)) > 0) events.wake();
    }, onError("routing")),
    every(UPKEEP_EVERY_SECONDS, async () => {
      await keepUp(database);
    }, onError("upkeep")),
    every(DAY_SECONDS, () => keepUpAll(database), onError("upkeep")),
    every(PARTITIONS_EVERY_SECONDS, async () => {
      await ensurePartitions(database, clock);
    }, onError("partitions")),
  ];
  const url = config.databaseDirectUrl;
  const wakeUps = url === undefined ? undefined : listener(url.reveal(), CHANNEL, events.wake, onError("listen"));
  return {
    events,
    stop: async () => {
      await Promise.all([...loops, ...schedules].map((one) => one.stop()));
      await wakeUps?.stop();
    },
  };
}

export type { Receiver };
