// One process of Billhook, from its configuration to its graceful end.
import { flushCompileCache } from "node:module";

import { systemClock } from "../base/clock.ts";
import { ConfigError } from "../base/config-error.ts";
import type { Secret } from "../base/secret.ts";
import type { App } from "../app.ts";
import { loadConfig, loadEnvironment } from "../config.ts";
import type { Config, Environment, WebhookSecret } from "../config.ts";
import { failed } from "./command-failure.ts";
import { dashboardFolder, ensureDashboard } from "./dashboard-build.ts";
import { type LocalStripe, openLocalStripe } from "./local-stripe.ts";
import { openLogging, reopenOnHangup } from "./logging.ts";
import type { Logging } from "./logging.ts";
import { print } from "./output.ts";
import { ensureOperatorToken, ensureSecretKey, ensureWebhookSecrets } from "./secret-files.ts";
import { localAddress, recordServerAddress } from "./server-address.ts";
import type { ServeFlags } from "./serve-command.ts";
import { operatorLinkSentence, startText } from "./start-text.ts";
import { stopSignal } from "./stop-signal.ts";
import { startTelemetry } from "./telemetry.ts";
import { readVersion } from "./version.ts";

/** What was opened, to be closed in the opposite order. */
interface Running {
  app: App;
  address: string;
  local: LocalStripe | undefined;
  forgetAddress: () => Promise<void>;
}

/** Resolves never: it ends the process. Rejects when it cannot start. */
export async function serve(flags: ServeFlags): Promise<void> {
  const stop = stopSignal();
  // Before the app is loaded, so that what it loads can be traced.
  const telemetry = await startTelemetry(loadEnvironment());
  const config = servingConfig(flags);
  const logging = openLogging({ level: config.logLevel, format: config.logFormat, file: config.logFile });
  endOnBugs(logging);
  stop.explain((reason) => logging.log.warn(reason));
  if (config.logFile === undefined) stop.onHangup();
  else reopenOnHangup(logging);
  config.warnings.forEach((warning) => logging.log.warn(warning));
  const started = systemClock.monotonic();
  const running = await run(config, logging).catch((error: unknown) => {
    logging.close();
    throw error;
  });
  await announce(config, running, logging, systemClock.monotonic() - started);
  const signal = await stop.requested;
  await end(running, logging, signal);
  await telemetry.shutdown();
  logging.close();
  // Nothing is left to do, whatever a library may still hold open.
  process.exit(0);
}

function servingConfig(flags: ServeFlags): Config {
  const overrides: Record<string, string> = {
    ...(flags.roles === undefined ? {} : { BILLHOOK_ROLES: flags.roles }),
    ...(flags.port === undefined ? {} : { PORT: String(flags.port) }),
    ...(flags.host === undefined ? {} : { HOST: flags.host }),
    ...(flags.json === true ? { LOG_FORMAT: "json" } : {}),
  };
  const config = loadConfig(overrides satisfies Environment);
  if (config.databaseUrl === undefined && config.roles.length < 2) {
    const problem = "the embedded database serves one process, which needs both roles: remove it, or set DATABASE_URL.";
    throw new ConfigError([{ variable: "BILLHOOK_ROLES", problem }]);
  }
  return config;
}

async function run(config: Config, logging: Logging): Promise<Running> {
  const { openApp } = await import("../app.ts");
  const operatorToken: Secret = config.operatorToken ?? (await ensureOperatorToken(config.dataDir));
  const webhookSecrets: readonly WebhookSecret[] =
    config.webhookSecrets === "generate" ? await ensureWebhookSecrets(config.dataDir) : config.webhookSecrets;
  const secretKeys = config.secretKeys === "generate" ? [await ensureSecretKey(config.dataDir)] : config.secretKeys;
  // Tests build it themselves, once for all their servers.
  if (config.roles.includes("api") && config.environment !== "test") await ensureDashboard(logging.log, systemClock);
  // Before the sandbox opens its file there: whoever comes second is told which process holds the folder.
  const { takeFolder } = await import("../db/embedded.ts");
  const folderLock = config.databaseUrl === undefined ? takeFolder(config.dataDir) : undefined;
  const local = await openLocalStripe(config).catch((error: unknown) => {
    folderLock?.release();
    throw error;
  });
  // In the log too, for who reads nothing else.
  if (local !== undefined) logging.log.info(`${SANDBOX_NOTICE} (sandbox: ${local.url})`);
  let prepared = false;
  const app = await openApp(local?.configured(config) ?? config, {
    log: logging.log,
    clock: systemClock,
    operatorToken,
    webhookSecrets,
    secretKeys,
    version: readVersion(),
    dashboardFolder: dashboardFolder(),
    prepared: () => prepared,
    folderLock,
  }).catch(async (error: unknown) => {
    await local?.close();
    throw error;
  });
  try {
    const address = await listen(config, app);
    await app.endStartLinks();
    app.start();
    await local?.introduce(address, webhookSecrets, app);
    prepared = true;
    return { app, address, local, forgetAddress: await recordAddress(config, address, logging) };
  } catch (error) {
    await local?.close();
    await app.stop();
    throw error;
  }
}

/** Commands find the server without it too, unless it listens on another port than PORT says: so a folder that cannot be written is no failure. */
async function recordAddress(config: Config, address: string, { log }: Logging): Promise<() => Promise<void>> {
  const nothing = (): Promise<void> => Promise.resolve();
  return recordServerAddress(config.dataDir, address).catch((error: unknown) => {
    log.debug("the server's address could not be written into DATA_DIR", { error });
    return nothing;
  });
}

/** Every process listens: one that only works is probed and measured like the others. */
async function listen(config: Config, app: App): Promise<string> {
  await app.api.listen({ host: config.host, port: config.port }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw failed("cannot_listen", "Cannot listen", listenProblem(code, config), error);
  });
  const bound = app.api.server.address();
  return localAddress(config.host, typeof bound === "object" && bound !== null ? bound.port : config.port);
}

function listenProblem(code: string, { host, port }: Config): string {
  if (code === "EADDRINUSE") return `Port ${port} is taken: stop what listens there, or set PORT to another one.`;
  if (code === "EACCES") return `Port ${port} may not be used by this user: set PORT to one above 1023.`;
  return `It cannot listen on ${host}:${port} (${code}): set HOST and PORT to an address of this machine.`;
}

async function announce(config: Config, { app, address, local }: Running, logging: Logging, ms: number): Promise<void> {
  const { log } = logging;
  const version = readVersion();
  const { rows } = await app.database.query<{ version: string }>(SERVER_VERSION);
  const databaseVersion = rows[0]?.version ?? "unknown";
  app.migrations.forEach((migration) => log.unit("migration.applied", { migration, outcome: "applied" }));
  log.unit("process.started", {
    version,
    environment: config.environment,
    database: app.database.kind,
    database_version: databaseVersion,
    roles: config.roles.join(","),
    port: Number(new URL(address).port),
    duration_ms: Math.round(ms),
    outcome: "ready",
  });
  logging.flush();
  // In production the output belongs to a collector of JSON lines, unless somebody looks at a terminal.
  const forPeople = config.logFormat !== "json" && (config.environment !== "production" || process.stdout.isTTY);
  // In development a log of JSON lines has no link: it is a log that somebody collects, and each start would sign its readers in.
  const operatorLink = forPeople || config.environment === "production" ? await app.operatorLink() : undefined;
  if (forPeople) {
    const facts = { config, version, databaseVersion, address, migrations: app.migrations, sandbox: local?.url };
    print(startText({ ...facts, operatorLink }));
  } else if (operatorLink !== undefined) {
    // In the sentence, not in a field: no other line may carry a link. A warning, since LOG_LEVEL=warn is usual in production.
    log.warn(operatorLinkSentence(operatorLink, config, address));
  }
  // Now, because a process that is killed keeps nothing of what it compiled for the next start.
  flushCompileCache();
}

async function end({ app, local, forgetAddress }: Running, { log }: Logging, signal: string): Promise<void> {
  const started = systemClock.monotonic();
  log.info("stopping: answering what has come, finishing what is claimed", { signal });
  await forgetAddress();
  // First, so that nothing new comes; what it could not deliver it delivers after the next start.
  await local?.close();
  await app.stop();
  log.unit("process.stopped", { signal, duration_ms: Math.round(systemClock.monotonic() - started), outcome: "clean" });
}

/** After a bug nothing is certain: what is stored is safe, and a new process takes over what was claimed. */
function endOnBugs(logging: Logging): void {
  const endWith =
    (what: string) =>
    (error: unknown): void => {
      logging.log.error(what, { error });
      logging.flush();
      process.exit(1);
    };
  process.on("uncaughtException", endWith("an exception was not caught: the process ends"));
  process.on("unhandledRejection", endWith("a rejection was not caught: the process ends"));
}

const SANDBOX_NOTICE =
  "no STRIPE_SECRET_KEY is set: this runs against its own Stripe sandbox, with no real money. " +
  "To use a Stripe account, set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET and start again";

const SERVER_VERSION = "select current_setting('server_version') as version";
