// Wiring: one process of Billhook, from its configuration to a server that listens and loops that work.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { FastifyInstance } from "fastify";

import { readDashboard } from "./api/dashboard-assets.ts";
import { buildApi } from "./api/server.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { newId } from "./base/ids.ts";
import { keyRing } from "./base/key-ring.ts";
import type { Log } from "./base/log.ts";
import { Secret } from "./base/secret.ts";
import { ensureSamplePacks } from "./billing/pack-sync.ts";
import { creditDesk } from "./credits/credit-requests.ts";
import { STRIPE_OAUTH_BASE } from "./connect/oauth.ts";
import { CHANNEL, startBackground } from "./app-background.ts";
import { openApiDatabase, openDatabase, poolShares, prompt, type PromptOptions } from "./app-database.ts";
import { doctorOf, receiptsOf } from "./app-doctor.ts";
import { moveHoldOf, switchedBackground } from "./app-move.ts";
import { nodeStatus } from "./app-status.ts";
import { type Told, toldDeliveries } from "./app-told.ts";
import type { Metrics } from "./app-metrics.ts";
import { processStatistics } from "./app-statistics.ts";
import type { Config, WebhookSecret } from "./config.ts";
import { type Database, within } from "./db/database.ts";
import type { FolderLock } from "./db/embedded-lock.ts";
import { migrate, schemaStanding } from "./db/migrate.ts";
import { countUnmatched } from "./accounts/unmatched-purchase-table.ts";
import { releaseAllLeases } from "./inbox/event-tables.ts";
import { queueState } from "./inbox/queue-state.ts";
import { ensurePartitions } from "./inbox/partitions.ts";
import { type Receiver, receiver } from "./inbox/receive.ts";
import { unknownEventIds } from "./inbox/stripe-event-reads.ts";
import { policyOf } from "./outbox/address-policy.ts";
import { releaseAllDeliveries } from "./outbox/delivery-tables.ts";
import { deliveryQueueState } from "./outbox/delivery-reads.ts";
import { releaseAllCatchUps } from "./operations/catch-up-table.ts";
import type { WebhookReceipts } from "./operations/doctor-receipts.ts";
import { releaseAllRanges } from "./operations/import-table.ts";
import { type StripeAccess, stripeAccess } from "./stripe/access.ts";
import { endStartLinks, firstOperatorLink } from "./tenants/first-operator.ts";
import { keyUse } from "./tenants/key-use.ts";
import { openPeople } from "./tenants/open-people.ts";
import { ensurePlatformTenant } from "./tenants/platform.ts";
import { requestRates } from "./tenants/request-rates.ts";
import { signInLink } from "./tenants/sign-in-links.ts";
import { notifier } from "./work/wake-ups.ts";

export interface AppOptions extends PromptOptions {
  log: Log;
  clock?: Clock;
  operatorToken: Secret;
  webhookSecrets: readonly WebhookSecret[];
  /** The current one first. Undefined: a command's own process, which signs nothing that outlives it. */
  secretKeys?: readonly Secret[];
  version: string;
  /** Of the built dashboard; undefined: a command's own process serves none. */
  dashboardFolder?: string;
  /** How the API's own handle is opened: the bench measures what it costs. */
  openApi?: typeof openApiDatabase;
  /** False while something must still be done before the process may be called ready. */
  prepared?: () => boolean;
  /** Of the embedded database's folder, where it was taken before something else was opened in it. */
  folderLock?: FolderLock | undefined;
  /** See BackgroundParts. */
  pollDeliveriesMs?: number;
}

export interface OperatorLink {
  kind: "sign_in" | "invitation";
  url: string;
}

export interface App {
  api: FastifyInstance;
  database: Database;
  platformTenant: string;
  /** Migrations that this start applied. */
  migrations: string[];
  /** A link by which somebody becomes or is the platform's owner; undefined in production when somebody operates it. */
  operatorLink(): Promise<OperatorLink | undefined>;
  /** Of earlier starts. */
  endStartLinks(): Promise<void>;
  /** Those of these ids that no stored event has. */
  unknownEvents(ids: readonly string[]): Promise<string[]>;
  /** Resolves when nothing waits to be processed, or after so many milliseconds. */
  settled(atMostMs: number): Promise<void>;
  /** Gives a fresh sandbox something to sell: see billing/pack-sync.ts. */
  ensureSamplePacks(): Promise<void>;
  /** Starts the background work of this process's roles. Listening is the caller's: `api.listen`. */
  start(): void;
  /** Answers what has come, finishes what is claimed, and closes. Nothing is cut off. */
  stop(): Promise<void>;
}

/** How often `settled` looks. */
const SETTLING_MS = 25;

/** How long a stop waits for requests that have begun. */
const LAST_REQUESTS_MS = 10_000;

/** Opens the database, migrates it, and wires a process that is ready to listen and to work. Throws with a sentence that says what to do. */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const clock = options.clock ?? systemClock;
  const { secretKeys, folderLock } = options;
  const owner = await openDatabase(config, secretKeys === undefined ? undefined : poolShares(config).owner, folderLock);
  const told = toldDeliveries(prompt(owner, options), config, (error) => {
    options.log.error("other nodes could not be told of deliveries", { error });
  });
  const database = told.heard(owner);
  const opened: Pick<Database, "close">[] = [database, told];
  const close = async (): Promise<void> => {
    for (const one of opened.toReversed()) await one.close();
  };
  try {
    const migrations = await migrate(database);
    const ring = secretKeys === undefined ? undefined : keyRing(secretKeys);
    const platformTenant = await ensurePlatformTenant(database, ring);
    await ensurePartitions(database, clock).catch((error: unknown) => {
      // Until the next try the default partition takes what comes.
      options.log.warn("this month's partition could not be made: the default one is used", { error });
    });
    if (database.kind === "embedded") await takeOver(database);
    // A command's own process serves no tenant, and its passing key is no login's.
    const login =
      secretKeys === undefined
        ? database
        : await (options.openApi ?? openApiDatabase)({
            config,
            database,
            secretKeys,
            platformTenant,
            log: options.log,
          });
    const apiDatabase = login === database ? database : told.heard(login);
    if (apiDatabase !== database) opened.push(apiDatabase);
    const receipts = receiptsOf({ ...options, database: prompt(database, options), clock });
    // Closed first: its last counts go into the database.
    opened.push(receipts);
    return wire({ config, options, clock, database, apiDatabase, receipts, told, platformTenant, close }, migrations);
  } catch (error) {
    await close();
    throw error;
  }
}

interface Parts {
  config: Config;
  options: AppOptions;
  clock: Clock;
  database: Database;
  apiDatabase: Database;
  receipts: WebhookReceipts;
  told: Told;
  platformTenant: string;
  /** Closes the databases. */
  close: () => Promise<void>;
}

function wire(parts: Parts, migrations: string[]): App {
  const { config, options, clock, database, platformTenant } = parts;
  const serving = servingOf(parts);
  let stopping = false;
  const { metrics, ...statistics } = processStatistics(serving.database, clock);
  const onError = statistics.errors(options.log, () => stopping);
  const stripe = stripeOf(parts, metrics);
  const works = config.roles.includes("work");
  const others = works ? undefined : notifier(serving.database, CHANNEL, onError("notify"));
  const begin = () =>
    startBackground({
      ...{ ...parts, log: options.log, stripe, metrics, receiving, committed, onError },
      ring: options.secretKeys === undefined ? undefined : keyRing(options.secretKeys),
    });
  const background = switchedBackground(works ? begin : undefined);
  const wake = (): void => {
    background.current()?.wake();
    others?.notify();
  };
  const status = nodeStatus({ ...serving, log: options.log, stripe, wake, onError });
  const { committed } = status;
  const receiving = receiver({ ...receivingOf(parts), metrics: metrics.receive, onStored: wake });
  const api = buildApi({
    ...{ database: serving.database, apiDatabase: serving.apiDatabase, patientDatabase: database },
    stripe,
    log: options.log,
    clock,
    receiver: receiving,
    operatorToken: options.operatorToken,
    readiness: () => readiness(database, { stopping, prepared: options.prepared?.() ?? true }),
    refused: metrics.receive.refused,
    maxCollectingBytes: config.receiveMaxWaitingBytes,
    catchUpEverySeconds: config.catchUpEverySeconds,
    drift: { metrics: metrics.drift },
    metrics: () => scrape(parts, metrics, receiving),
    wake,
    ...{ wakeDeliveries: () => parts.told.wake(), deliveriesCanceled: metrics.deliver.canceled },
    status: status.watch,
    platformTenant,
    ...callersOf(serving),
    mail: { productName: config.productName, showsOneTimeLinks: config.environment !== "production" },
    move: moveHoldOf(parts, background, () => receiving.idle()),
    stopping: () => stopping,
    version: options.version,
  });
  return {
    api,
    database,
    platformTenant,
    migrations,
    operatorLink: () => operatorLink(parts),
    endStartLinks: () => endStartLinks(database, platformTenant),
    unknownEvents: (ids) => unknownEventIds(database, ids),
    settled: (atMostMs) => settled(database, clock, atMostMs),
    ensureSamplePacks: () => ensureSamplePacks(offersOf(parts, stripe, wake)),
    start: () => {
      statistics.start(onError, works);
      background.start();
    },
    stop: async () => {
      stopping = true;
      await Promise.all([closeDoor(api), background.stop()]);
      await receiving.idle();
      await others?.stop();
      await Promise.all([status.stop(), statistics.stop()]);
      await parts.close();
    },
  };
}

/** A command's own process asks what may take long, and nobody else waits for its connections. */
function servingOf(parts: Parts): Parts {
  const { options, database, apiDatabase } = parts;
  if (options.secretKeys === undefined) return parts;
  return { ...parts, database: prompt(database, options), apiDatabase: prompt(apiDatabase, options) };
}

/** One folder, one process: what a killed one had claimed is ours at once. */
async function takeOver(database: Database): Promise<void> {
  await Promise.all(
    [releaseAllLeases, releaseAllDeliveries, releaseAllRanges, releaseAllCatchUps].map((release) => release(database)),
  );
}

/** In production only while nobody operates the platform, and by an invitation: whoever opens it chooses how to come back. */
async function operatorLink({ config, database, platformTenant }: Parts): Promise<OperatorLink | undefined> {
  const { frontendUrl, environment } = config;
  if (environment !== "production") return { kind: "sign_in", url: await signInLink(database, frontendUrl) };
  const url = await firstOperatorLink(database, { platformTenant, frontendUrl });
  return url === undefined ? undefined : { kind: "invitation", url };
}

/** A request that never ends must not hold up the stop: what is answered by then was stored, the rest is sent again. */
async function closeDoor(api: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => {
    api.server.closeAllConnections();
  }, LAST_REQUESTS_MS);
  await api.close();
  clearTimeout(cutOff);
}

/** Who asks whether we are ready gives up soon, and Prometheus after 10 seconds: the answer must come before. */
const READY_LIMIT_MS = 3_000;
const METRICS_LIMIT_MS = 8_000;

/** What the database cannot say now is left out of this scrape. */
async function scrape({ database, clock }: Parts, metrics: Metrics, receiving: Receiver) {
  const inTime = within(database, METRICS_LIMIT_MS);
  const [queue, deliveries, unmatched] = await Promise.all([
    queueState(inTime).catch(() => undefined),
    deliveryQueueState(inTime, clock.now()).catch(() => undefined),
    countUnmatched(inTime).catch(() => undefined),
  ]);
  return metrics.expose(queue, receiving.waiting(), deliveries, unmatched);
}

function receivingOf({ config, options, clock, database, receipts, platformTenant }: Parts) {
  return {
    database,
    notes: receipts,
    clock,
    log: options.log,
    secrets: options.webhookSecrets.map(({ secret, variable }) => ({ secret: secret.reveal(), name: variable })),
    allowUnsigned: config.allowUnsignedWebhooks,
    platformTenant,
    maxWaiting: config.receiveMaxWaiting,
    maxWaitingBytes: config.receiveMaxWaitingBytes,
  };
}

function stripeOf({ config, options, clock }: Parts, metrics: Metrics): StripeAccess {
  const { stripeKeys: keys, stripeApiBase: apiBase } = config;
  return stripeAccess({ keys, apiBase, clock, log: options.log, metrics: metrics.stripe });
}

/** What the API needs to tell who calls, and from where. */
function callersOf({ config, options, clock, database, receipts }: Parts) {
  const { publicUrl, frontendUrl, livemode, corsOrigins, trustProxy, apiKeyPrefix: keyBrand } = config;
  const { platformFeePercent, trialCredits, subscriptionsPerGroup, publishableKeys } = config;
  const secretKeys = options.secretKeys ?? [new Secret(randomBytes(32).toString("base64url"))];
  const people = openPeople({ database, clock, secretKeys, publicUrl, frontendUrl, keyBrand });
  const rates = requestRates(database, clock, config.rateLimits);
  const connect = { ...config.connect, oauthBase: config.stripeApiBase ?? STRIPE_OAUTH_BASE };
  const keys = keyUse(database, clock);
  return {
    credits: creditDesk(),
    trialCredits,
    subscriptionsPerGroup,
    people,
    keyUse: keys,
    rates,
    livemode,
    platformFeePercent,
    publicUrl,
    publishableKeys,
    sandboxUrl: config.stripeApiBase,
    doctor: doctorOf(config, { ...options, receipts }),
    dashboard: options.dashboardFolder === undefined ? undefined : readDashboard(options.dashboardFolder),
    corsOrigins,
    trustProxy,
    connect,
    addressPolicy: policyOf(config),
    deliveriesRetentionDays: config.deliveriesRetentionDays,
  };
}

function offersOf({ options, database, clock, platformTenant }: Parts, stripe: StripeAccess, wake: () => void) {
  return { database, stripe, clock, log: options.log, platformTenant, wake, newLease: () => newId("node") };
}

async function settled(database: Database, clock: Clock, atMostMs: number): Promise<void> {
  const until = clock.monotonic() + atMostMs;
  while ((await queueState(database)).pending > 0 && clock.monotonic() < until) await sleep(SETTLING_MS);
}

async function readiness(
  database: Database,
  { stopping, prepared }: { stopping: boolean; prepared: boolean },
): Promise<{ ready: boolean; checks: Record<string, string> }> {
  const schema = await schemaStanding(within(database, READY_LIMIT_MS)).catch(() => undefined);
  return {
    ready: !stopping && prepared && (schema === "current" || schema === "newer"),
    checks: {
      process: stopping ? "stopping" : prepared ? "running" : "preparing",
      database: schema === undefined ? "unreachable" : "reachable",
      schema: schema ?? "unknown",
    },
  };
}
