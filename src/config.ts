// The configuration: one table of environment variables, read once. The README's table and .env.example are made from it.
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { ConfigError } from "./base/config-error.ts";
import type { ConfigProblem } from "./base/config-error.ts";
import { nearMisses } from "./base/near-misses.ts";
import type { NearMiss } from "./base/near-misses.ts";
import { Secret } from "./base/secret.ts";
import {
  apiKey,
  BadValue,
  flag,
  hostName,
  listOf,
  oneOf,
  origin,
  path,
  postgresUrl,
  secretText,
  variable,
  webhookSecretList,
  webUrl,
  wholeNumber,
} from "./base/settings.ts";
import type { Variable } from "./base/settings.ts";

/** What readConfig reads: `process.env`, or any object of its shape. */
export type Environment = Readonly<Record<string, string | undefined>>;

const ROLES = ["api", "work"] as const;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const LOG_FORMATS = ["auto", "json", "pretty"] as const;
const ENVIRONMENTS = ["development", "production", "test"] as const;

export type Role = (typeof ROLES)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A signing secret of Stripe's, and the variable that it stands in. */
export interface WebhookSecret {
  secret: Secret;
  variable: string;
}

export interface Config {
  environment: (typeof ENVIRONMENTS)[number];
  host: string;
  /** 0: any free port. */
  port: number;
  /** Without a slash at its end. */
  publicUrl: string;
  dataDir: string;
  roles: readonly Role[];
  /** Undefined: the embedded database in `dataDir`. */
  databaseUrl: Secret | undefined;
  /** For LISTEN, past a pooler; the same as `databaseUrl` unless it is set. */
  databaseDirectUrl: Secret | undefined;
  databasePoolSize: number;
  stripeSecretKey: Secret | undefined;
  stripePublishableKey: string | undefined;
  /** The mode of `stripeSecretKey`; false without one. */
  livemode: boolean;
  /** Undefined: Stripe's own. Without a slash at its end. */
  stripeApiBase: string | undefined;
  /** In the order in which they are tried, none twice. "generate": nothing is configured, so make them in `dataDir`. */
  webhookSecrets: readonly WebhookSecret[] | "generate";
  /** Take unsigned events, from loopback only, and warn on each. Never in production, never where there is a secret. */
  allowUnsignedWebhooks: boolean;
  receiveMaxWaiting: number;
  receiveMaxWaitingBytes: number;
  workLeaseSeconds: number;
  workMaxAttempts: number;
  /** Undefined: make it in `dataDir`. */
  operatorToken: Secret | undefined;
  logLevel: LogLevel;
  logFormat: LogFormat;
  logFile: string | undefined;
  /** What is allowed but looks like a mistake: for the log at the start. Names variables, never values. */
  warnings: readonly string[];
}

const MIB = 1024 * 1024;
const SECRET = { secret: true } as const;

const VARIABLES = {
  environment: variable(
    "NODE_ENV",
    oneOf(ENVIRONMENTS),
    "development",
    "`production` refuses to start without a Stripe key and a webhook secret. `test` reads no `.env` file.",
  ),
  host: variable("HOST", hostName, undefined, "The address to listen on.", {
    defaultDoc: "`0.0.0.0` in production, else `127.0.0.1`",
  }),
  port: variable("PORT", wholeNumber(0, 65_535), 8000, "The port to listen on; `0` takes any free one."),
  publicUrl: variable("PUBLIC_URL", webUrl, undefined, "Where Stripe and browsers reach Billhook.", {
    defaultDoc: "`http://localhost:PORT`",
  }),
  dataDir: variable("DATA_DIR", path, "./data", "The folder of the embedded database and of generated secrets."),
  roles: variable(
    "BILLHOOK_ROLES",
    listOf(ROLES),
    ROLES,
    "What this process is for: `api` receives and answers, `work` processes events. Each listens, for probes and metrics. The embedded database serves one process, which needs both.",
    { defaultDoc: "`api,work`" },
  ),

  databaseUrl: variable(
    "DATABASE_URL",
    postgresUrl,
    undefined,
    "A PostgreSQL server, 15 or later, also through PgBouncer 1.21 or later.",
    { ...SECRET, defaultDoc: "the embedded database in `DATA_DIR`" },
  ),
  databaseDirectUrl: variable(
    "DATABASE_DIRECT_URL",
    postgresUrl,
    undefined,
    "The same server without the pooler, for `LISTEN`.",
    { ...SECRET, defaultDoc: "`DATABASE_URL`" },
  ),
  databasePoolSize: variable(
    "DATABASE_POOL_SIZE",
    wholeNumber(2, 500),
    10,
    "The most connections that one process opens to `DATABASE_URL`.",
  ),

  stripeSecretKey: variable(
    "STRIPE_SECRET_KEY",
    apiKey("STRIPE_SECRET_KEY", ["sk", "rk"]),
    undefined,
    "The platform's secret or restricted key; its mode (test or live) is the default mode.",
    SECRET,
  ),
  stripePublishableKey: variable(
    "STRIPE_PUBLISHABLE_KEY",
    apiKey("STRIPE_PUBLISHABLE_KEY", ["pk"]),
    undefined,
    "The publishable key of the same account and mode, handed to browsers.",
  ),
  connectSecrets: variable(
    "STRIPE_CONNECT_WEBHOOK_SECRET",
    webhookSecretList,
    undefined,
    "The signing secret of the endpoint for connected accounts; several, separated by commas, while one is being rotated. Tried first.",
    SECRET,
  ),
  platformSecrets: variable(
    "STRIPE_WEBHOOK_SECRET",
    webhookSecretList,
    undefined,
    "The signing secret of the platform's endpoint; several by commas.",
    { ...SECRET, defaultDoc: "generated into `DATA_DIR` in development without a Stripe key" },
  ),
  endpointSecrets: variable(
    "STRIPE_ENDPOINT_SECRET",
    webhookSecretList,
    undefined,
    "Another name for `STRIPE_WEBHOOK_SECRET`, tried last; several by commas.",
    SECRET,
  ),
  allowUnsigned: variable(
    "STRIPE_WEBHOOK_ALLOW_UNSIGNED",
    flag,
    false,
    "`true` takes unsigned events from this machine, in development with a Stripe key and without a webhook secret only.",
  ),
  stripeApiBase: variable(
    "STRIPE_API_BASE",
    origin,
    undefined,
    "Another address for Stripe's API, for tests; `https` in production.",
    { defaultDoc: "Stripe's own" },
  ),

  receiveMaxWaiting: variable(
    "RECEIVE_MAX_WAITING",
    wholeNumber(1, 1_000_000),
    4096,
    "How many received events may wait for their commit before more are answered 503.",
  ),
  receiveMaxWaitingBytes: variable(
    "RECEIVE_MAX_WAITING_BYTES",
    wholeNumber(MIB, 4096 * MIB),
    64 * MIB,
    "How many bytes of received events may wait likewise; at least one event's 1 MiB.",
  ),
  workLeaseSeconds: variable(
    "WORK_LEASE_SECONDS",
    wholeNumber(1, 3600),
    30,
    "How long claimed work is a process's own; a killed one's is taken over after that.",
  ),
  workMaxAttempts: variable(
    "WORK_MAX_ATTEMPTS",
    wholeNumber(1, 100),
    8,
    "After so many attempts an event is `failed`: kept, counted and replayable.",
  ),

  operatorToken: variable(
    "OPERATOR_TOKEN",
    secretText(16),
    undefined,
    "The token for `/api/v1/admin/…` and the command line; at least 16 characters.",
    { ...SECRET, defaultDoc: "generated into `DATA_DIR`" },
  ),
  logLevel: variable(
    "LOG_LEVEL",
    oneOf(LOG_LEVELS),
    "info",
    "`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.",
  ),
  logFormat: variable("LOG_FORMAT", oneOf(LOG_FORMATS), "auto", "`json`, `pretty`, or `auto`: pretty on a terminal."),
  logFile: variable("LOG_FILE", path, undefined, "JSON lines go to this file too; it is opened again on SIGHUP."),
};

export const CONFIG_VARIABLES: readonly Variable[] = Object.values(VARIABLES);

export interface ReadOptions {
  /** false: a command that serves nothing, such as `migrate`; it needs no Stripe key and no webhook secret. Default true. */
  serving?: boolean;
}

/** Pure. Throws a ConfigError that lists everything that is wrong. */
export function readConfig(env: Environment, { serving = true }: ReadOptions = {}): Config {
  const problems: ConfigProblem[] = [];
  const read = <Value, Default>({ name, parse, default: fallback }: Variable<Value, Default>): Value | Default => {
    const text = env[name];
    if (text === undefined) return fallback;
    try {
      if (text.trim() === "") throw new BadValue("it is set but empty: give it a value, or remove it.");
      return parse(text.trim());
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push({ variable: name, problem: error.message });
      return fallback;
    }
  };
  const environment = read(VARIABLES.environment);
  const port = read(VARIABLES.port);
  const databaseUrl = read(VARIABLES.databaseUrl);
  const stripeSecretKey = read(VARIABLES.stripeSecretKey);
  const configured = configuredSecrets(
    [VARIABLES.connectSecrets, VARIABLES.platformSecrets, VARIABLES.endpointSecrets],
    read,
  );
  const allowUnsigned = read(VARIABLES.allowUnsigned);
  const unsignedOff = whyUnsignedIsOff(configured.length > 0, stripeSecretKey !== undefined);
  const config: Config = {
    environment,
    host: read(VARIABLES.host) ?? (environment === "production" ? "0.0.0.0" : "127.0.0.1"),
    port,
    publicUrl: read(VARIABLES.publicUrl) ?? `http://localhost:${String(port)}`,
    dataDir: read(VARIABLES.dataDir),
    roles: read(VARIABLES.roles),
    databaseUrl: secretOf(databaseUrl),
    databaseDirectUrl: secretOf(read(VARIABLES.databaseDirectUrl) ?? databaseUrl),
    databasePoolSize: read(VARIABLES.databasePoolSize),
    stripeSecretKey: secretOf(stripeSecretKey),
    stripePublishableKey: read(VARIABLES.stripePublishableKey),
    livemode: stripeSecretKey !== undefined && modeOf(stripeSecretKey) === "live",
    stripeApiBase: read(VARIABLES.stripeApiBase),
    webhookSecrets: configured.length === 0 && stripeSecretKey === undefined ? "generate" : configured,
    allowUnsignedWebhooks: allowUnsigned && unsignedOff === undefined,
    receiveMaxWaiting: read(VARIABLES.receiveMaxWaiting),
    receiveMaxWaitingBytes: read(VARIABLES.receiveMaxWaitingBytes),
    workLeaseSeconds: read(VARIABLES.workLeaseSeconds),
    workMaxAttempts: read(VARIABLES.workMaxAttempts),
    operatorToken: secretOf(read(VARIABLES.operatorToken)),
    logLevel: read(VARIABLES.logLevel),
    logFormat: read(VARIABLES.logFormat),
    logFile: read(VARIABLES.logFile),
    warnings: warningsOf(env, allowUnsigned ? unsignedOff : undefined),
  };
  problems.push(
    ...misspelt(env),
    ...disagreements(env, config, allowUnsigned),
    ...(serving ? missing(env, config, allowUnsigned) : []),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The environment with the `.env` file of the working folder under it: what is really set wins, and NODE_ENV=test reads no file. */
export function loadEnvironment(): Environment {
  const file = process.env.NODE_ENV !== "test" && existsSync(".env") ? parseEnv(readFileSync(".env", "utf8")) : {};
  for (const [name, value] of Object.entries(file)) {
    // OpenTelemetry's SDK reads these from the process itself.
    if (name.startsWith("OTEL_") && value !== undefined) process.env[name] ??= value;
  }
  return { ...file, ...process.env };
}

/** readConfig of the process's environment; `overrides` are what the command line says. */
export function loadConfig(overrides: Environment = {}, options: ReadOptions = {}): Config {
  return readConfig({ ...loadEnvironment(), ...overrides }, options);
}

const secretOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));
const modeOf = (key: string): string | undefined => key.split("_")[1];

type SecretList = Variable<string[], undefined>;
/** Connect first, then the platform's; a secret that stands in two variables counts where it is first. */
function configuredSecrets(
  variables: SecretList[],
  read: (variable: SecretList) => string[] | undefined,
): WebhookSecret[] {
  const found = new Map<string, WebhookSecret>();
  for (const list of variables) {
    for (const text of read(list) ?? []) {
      if (!found.has(text)) found.set(text, { secret: new Secret(text), variable: list.name });
    }
  }
  return [...found.values()];
}

/** What is there but does not fit together. */
function disagreements(env: Environment, config: Config, allowUnsigned: boolean): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (name: string, problem: string): void => void problems.push({ variable: name, problem });
  const production = config.environment === "production";
  if (env.DATABASE_DIRECT_URL !== undefined && env.DATABASE_URL === undefined) {
    add("DATABASE_DIRECT_URL", "it is set without DATABASE_URL: set both, or remove it to use the embedded database.");
  }
  const [secretKey, publishableKey] = [config.stripeSecretKey?.reveal(), config.stripePublishableKey];
  if (secretKey !== undefined && publishableKey !== undefined && modeOf(secretKey) !== modeOf(publishableKey)) {
    add(
      "STRIPE_PUBLISHABLE_KEY",
      "its mode (test or live) is not that of STRIPE_SECRET_KEY: copy both from the same page of Stripe's dashboard.",
    );
  }
  if (production && config.stripeApiBase?.startsWith("http:") === true) {
    add("STRIPE_API_BASE", "in production it must be https, or the secret key travels in the clear.");
  }
  if (production && allowUnsigned) {
    add(
      "STRIPE_WEBHOOK_ALLOW_UNSIGNED",
      "it is for development: remove it, or anyone could forge events in production.",
    );
  }
  return problems;
}

/** What a server needs to start. A variable that is there and bad is reported as such, not as missing. */
function missing(env: Environment, config: Config, allowUnsigned: boolean): ConfigProblem[] {
  const has = (name: string): boolean => env[name] !== undefined;
  const hasSecret = [VARIABLES.connectSecrets, VARIABLES.platformSecrets, VARIABLES.endpointSecrets].some(({ name }) =>
    has(name),
  );
  const production = config.environment === "production";
  const problems: ConfigProblem[] = [];
  if (production && !has("STRIPE_SECRET_KEY")) {
    problems.push({
      variable: "STRIPE_SECRET_KEY",
      problem: "production needs it: copy it from Stripe's dashboard under Developers, API keys.",
    });
  }
  if (!hasSecret && (production || (has("STRIPE_SECRET_KEY") && !allowUnsigned))) {
    const elsewise = production
      ? ""
      : ", or set STRIPE_WEBHOOK_ALLOW_UNSIGNED=true to take unsigned events from this machine only";
    problems.push({
      variable: "STRIPE_WEBHOOK_SECRET",
      problem: `with ${production ? "NODE_ENV=production" : "STRIPE_SECRET_KEY"} it is needed to tell Stripe's events from forged ones: copy the endpoint's signing secret (whsec_…)${elsewise}.`,
    });
  }
  return problems;
}

const OUR_PREFIXES = /^(STRIPE|BILLHOOK|WORK|RECEIVE|DATABASE|OPERATOR)_/i;
function ourNearMisses(env: Environment): NearMiss[] {
  const set = Object.keys(env).filter((name) => env[name] !== undefined && OUR_PREFIXES.test(name));
  return nearMisses(
    set,
    CONFIG_VARIABLES.map(({ name }) => name),
  );
}

/** A near miss of a variable that is not set is taken for it. */
function misspelt(env: Environment): ConfigProblem[] {
  return ourNearMisses(env)
    .filter(({ meant }) => env[meant] === undefined)
    .map(({ name, meant }) => ({ variable: name, problem: `there is no such variable: did you mean ${meant}?` }));
}

/** Undefined: STRIPE_WEBHOOK_ALLOW_UNSIGNED has an effect. */
function whyUnsignedIsOff(hasSecret: boolean, hasKey: boolean): string | undefined {
  if (hasSecret) return "a webhook secret is configured, so every event must be signed";
  return hasKey ? undefined : "without STRIPE_SECRET_KEY secrets are generated, so every event must be signed";
}

function warningsOf(env: Environment, unsignedOff: string | undefined): string[] {
  const near = ourNearMisses(env)
    .filter(({ meant }) => env[meant] !== undefined)
    .map(({ name, meant }) => `${name} is not read; ${meant} is`);
  return unsignedOff === undefined ? near : [...near, `STRIPE_WEBHOOK_ALLOW_UNSIGNED has no effect: ${unsignedOff}`];
}
