// The configuration: read once from the table of environment variables in config-variables.ts.
import { ConfigError } from "./base/config-error.ts";
import type { ConfigProblem } from "./base/config-error.ts";
import { Secret } from "./base/secret.ts";
import { BadValue } from "./base/settings.ts";
import type { Variable } from "./base/settings.ts";
import { envFileVariables } from "./config-env-file.ts";
import { type LogConfig, logConfig } from "./config-log.ts";
import { type MailConfig, mailConfig, mailProblems } from "./config-mail.ts";
import { misspelt, ourNearMisses } from "./config-names.ts";
import { type WebhookConfig, webhookConfig } from "./config-webhooks.ts";
import {
  type CONNECT_METHODS,
  type ENVIRONMENTS,
  type GROUP_SUBSCRIPTIONS,
  type ROLES,
  VARIABLES,
} from "./config-variables.ts";

/** What readConfig reads: `process.env`, or any object of its shape. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Role = (typeof ROLES)[number];

/** A signing secret of Stripe's, and the variable that it stands in. */
export interface WebhookSecret {
  secret: Secret;
  variable: string;
}

/** What there may be one of in each of Stripe's modes. */
export interface ByMode<T> {
  live?: T;
  test?: T;
}

export interface Config extends LogConfig, MailConfig, WebhookConfig {
  environment: (typeof ENVIRONMENTS)[number];
  host: string;
  /** 0: any free port. */
  port: number;
  /** Without a slash at its end. */
  publicUrl: string;
  /** Where mailed links lead. Without a slash at its end. */
  frontendUrl: string;
  corsOrigins: readonly string[];
  /** As Fastify's `trustProxy` takes it; undefined: nobody is believed. */
  trustProxy: number | string | undefined;
  dataDir: string;
  roles: readonly Role[];
  /** Undefined: the embedded database in `dataDir`. */
  databaseUrl: Secret | undefined;
  /** For LISTEN, past a pooler; the same as `databaseUrl` unless it is set. */
  databaseDirectUrl: Secret | undefined;
  /** By the API's own login; undefined: made on `databaseUrl`. */
  databaseApiUrl: Secret | undefined;
  databasePoolSize: number;
  /** By mode; both, where a test key stands beside a live one. */
  stripeKeys: ByMode<Secret>;
  publishableKeys: ByMode<string>;
  /** The default mode: that of STRIPE_SECRET_KEY; false without one. */
  livemode: boolean;
  /** Undefined: Stripe's own. Without a slash at its end. */
  stripeApiBase: string | undefined;
  /** 0 to 100: of invoices on connected accounts, where neither tenant nor call has its own. */
  platformFeePercent: number;
  /** How tenants connect accounts, and the Connect client ids. */
  connect: { method: (typeof CONNECT_METHODS)[number]; clientIds: ByMode<string> };
  /** In the order in which they are tried, none twice. "generate": nothing is configured, so make them in `dataDir`. */
  webhookSecrets: readonly WebhookSecret[] | "generate";
  /** Take unsigned events, from loopback only, and warn on each. Never in production, never where there is a secret. */
  allowUnsignedWebhooks: boolean;
  /** Where the local Stripe sandbox listens; undefined: there is none, because a Stripe key is set or it is turned off. */
  sandbox: { host: string; port: number } | undefined;
  receiveMaxWaiting: number;
  receiveMaxWaitingBytes: number;
  workLeaseSeconds: number;
  workMaxAttempts: number;
  /** Seconds between two looks at Stripe's list of events for each account; 0: only when a command asks. */
  catchUpEverySeconds: number;
  /** Seconds between two samples of local rows held against Stripe's objects; 0: only when a command asks. */
  driftEverySeconds: number;
  /** Requests a minute; a source's only where a proxy is trusted. */
  rateLimits: { key: number; tenant: number; source: number | undefined };
  /** The current one first. "generate": make it in `dataDir`. */
  secretKeys: readonly Secret[] | "generate";
  /** Given to a new account. */
  trialCredits: number;
  /** How many active subscriptions of one plan group an account may have. */
  subscriptionsPerGroup: (typeof GROUP_SUBSCRIPTIONS)[number];
  /** Stands before new API keys; empty: nothing does. */
  apiKeyPrefix: string;
  /** Undefined: make it in `dataDir`. */
  operatorToken: Secret | undefined;
  /** What is allowed but looks like a mistake: for the log at the start. Names variables, never values. */
  warnings: readonly string[];
}

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
  const publicUrl = read(VARIABLES.publicUrl) ?? `http://localhost:${String(port)}`;
  const frontendUrl = read(VARIABLES.frontendUrl) ?? publicUrl;
  const unsignedOff = whyUnsignedIsOff(configured.length > 0, stripeSecretKey !== undefined);
  const config: Config = {
    environment,
    host: read(VARIABLES.host) ?? (environment === "production" ? "0.0.0.0" : "127.0.0.1"),
    port,
    publicUrl,
    frontendUrl,
    corsOrigins: read(VARIABLES.corsOrigins) ?? [new URL(frontendUrl).origin],
    dataDir: read(VARIABLES.dataDir),
    roles: read(VARIABLES.roles),
    databaseUrl: secretOf(databaseUrl),
    databaseDirectUrl: secretOf(read(VARIABLES.databaseDirectUrl) ?? databaseUrl),
    databaseApiUrl: secretOf(read(VARIABLES.databaseApiUrl)),
    databasePoolSize: read(VARIABLES.databasePoolSize),
    ...stripeKeysOf(read, stripeSecretKey),
    stripeApiBase: read(VARIABLES.stripeApiBase),
    platformFeePercent: read(VARIABLES.platformFeePercent),
    ...{ trialCredits: read(VARIABLES.trialCredits), subscriptionsPerGroup: read(VARIABLES.subscriptionsPerGroup) },
    connect: connectSettings(read, stripeSecretKey),
    sandbox: sandboxOf(
      read(VARIABLES.sandboxHost),
      read(VARIABLES.sandboxPort),
      stripeSecretKey !== undefined || environment === "production",
    ),
    webhookSecrets: configured.length === 0 && stripeSecretKey === undefined ? "generate" : configured,
    allowUnsignedWebhooks: allowUnsigned && unsignedOff === undefined,
    receiveMaxWaiting: read(VARIABLES.receiveMaxWaiting),
    receiveMaxWaitingBytes: read(VARIABLES.receiveMaxWaitingBytes),
    workLeaseSeconds: read(VARIABLES.workLeaseSeconds),
    workMaxAttempts: read(VARIABLES.workMaxAttempts),
    catchUpEverySeconds: read(VARIABLES.catchUpEverySeconds),
    driftEverySeconds: read(VARIABLES.driftEverySeconds),
    ...callerSettings(read),
    ...mailConfig(read),
    ...webhookConfig(read),
    ...logConfig(read),
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
  const file = process.env.NODE_ENV === "test" ? {} : envFileVariables();
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

type Read = <Value, Default>(variable: Variable<Value, Default>) => Value | Default;

/** Who calls, from where, and how often. */
function callerSettings(
  read: Read,
): Pick<Config, "trustProxy" | "rateLimits" | "secretKeys" | "apiKeyPrefix" | "operatorToken"> {
  const [trustProxy, rateLimitSource] = [read(VARIABLES.trustProxy), read(VARIABLES.rateLimitSource)];
  return {
    trustProxy,
    rateLimits: {
      key: read(VARIABLES.rateLimitKey),
      tenant: read(VARIABLES.rateLimitTenant),
      source: trustProxy === undefined ? undefined : rateLimitSource,
    },
    secretKeys: read(VARIABLES.secretKeys)?.map((text) => new Secret(text)) ?? "generate",
    apiKeyPrefix: read(VARIABLES.apiKeyPrefix) ?? "",
    operatorToken: secretOf(read(VARIABLES.operatorToken)),
  };
}

/** STRIPE_CONNECT_CLIENT_ID is of the mode of STRIPE_SECRET_KEY. */
function connectSettings(read: Read, secretKey: string | undefined): Config["connect"] {
  const [own, test] = [read(VARIABLES.connectClientId), read(VARIABLES.testConnectClientId)];
  const clientIds: ByMode<string> = test === undefined ? {} : { test };
  if (own !== undefined) clientIds[secretKey === undefined ? "test" : modeOf(secretKey)] = own;
  return { method: read(VARIABLES.connectMethod), clientIds };
}

/** A key's own form says its mode. */
function stripeKeysOf(
  read: Read,
  secretKey: string | undefined,
): Pick<Config, "stripeKeys" | "publishableKeys" | "livemode"> {
  const [testSecretKey, publishable] = [read(VARIABLES.stripeTestSecretKey), read(VARIABLES.stripePublishableKey)];
  const testPublishable = read(VARIABLES.stripeTestPublishableKey);
  return {
    stripeKeys: {
      ...(testSecretKey === undefined ? {} : { test: new Secret(testSecretKey) }),
      ...(secretKey === undefined ? {} : { [modeOf(secretKey)]: new Secret(secretKey) }),
    },
    publishableKeys: {
      ...(testPublishable === undefined ? {} : { test: testPublishable }),
      ...(publishable === undefined ? {} : { [modeOf(publishable)]: publishable }),
    },
    livemode: secretKey !== undefined && modeOf(secretKey) === "live",
  };
}

/** Never beside a Stripe key, and never in production: there is one Stripe at a time, and money is real or it is not. */
function sandboxOf(host: string, port: number | "off", excluded: boolean): Config["sandbox"] {
  return excluded || port === "off" ? undefined : { host, port };
}

const secretOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));
const modeOf = (key: string): "live" | "test" => (key.split("_")[1] === "live" ? "live" : "test");

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
  for (const name of ["DATABASE_DIRECT_URL", "DATABASE_API_URL"].filter((name) => env[name] !== undefined)) {
    if (env.DATABASE_URL !== undefined) continue;
    add(name, "it is set without DATABASE_URL: set both, or remove it to use the embedded database.");
  }
  problems.push(...mailProblems(env, { mail: config.mail, production }));
  const { connect, stripeKeys } = config;
  const hasKey = stripeKeys.live !== undefined || stripeKeys.test !== undefined;
  if (connect.method !== "account_link" && hasKey && env.STRIPE_CONNECT_CLIENT_ID === undefined) {
    const problem = "STRIPE_CONNECT_METHOD asks for OAuth, which needs it: copy it from Stripe's Connect settings.";
    add("STRIPE_CONNECT_CLIENT_ID", problem);
  }
  keyDisagreements(env).forEach(({ variable, problem }) => {
    add(variable, problem);
  });
  if (production && config.stripeApiBase?.startsWith("http:") === true) {
    add("STRIPE_API_BASE", "in production it must be https, or the secret key travels in the clear.");
  }
  if (allowUnsigned && (production || (config.allowUnsignedWebhooks && config.trustProxy !== undefined))) {
    const where = production ? "in production" : "through the proxy that TRUST_PROXY names";
    add("STRIPE_WEBHOOK_ALLOW_UNSIGNED", `it is for development: remove it, or anyone could forge events ${where}.`);
  }
  return problems;
}

/** Which of Stripe's keys cannot stand beside each other. Those of a wrong form are reported as such. */
function keyDisagreements(env: Environment): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const [secret, publishable] = [text("STRIPE_SECRET_KEY"), text("STRIPE_PUBLISHABLE_KEY")];
  const [testSecret, testPublishable] = [text("STRIPE_TEST_SECRET_KEY"), text("STRIPE_TEST_PUBLISHABLE_KEY")];
  if (secret !== undefined && publishable !== undefined && modeOf(secret) !== modeOf(publishable)) {
    const problem =
      "its mode (test or live) is not that of STRIPE_SECRET_KEY: copy both from the same page of Stripe's dashboard.";
    problems.push({ variable: "STRIPE_PUBLISHABLE_KEY", problem });
  }
  if (testSecret !== undefined && (secret === undefined || (modeOf(secret) === "test" && secret !== testSecret))) {
    const problem =
      secret === undefined
        ? "it stands beside a live STRIPE_SECRET_KEY: without one, put the test key there."
        : "STRIPE_SECRET_KEY is another test key: make that one live, or remove this one.";
    problems.push({ variable: "STRIPE_TEST_SECRET_KEY", problem });
  }
  if (testPublishable !== undefined) {
    const hasTestKey = testSecret !== undefined || (secret !== undefined && modeOf(secret) === "test");
    const isOther = publishable !== undefined && modeOf(publishable) === "test" && publishable !== testPublishable;
    if (!hasTestKey || isOther) {
      const problem = isOther
        ? "STRIPE_PUBLISHABLE_KEY is another test key: remove one of them."
        : "it belongs beside STRIPE_TEST_SECRET_KEY: set both, or remove it.";
      problems.push({ variable: "STRIPE_TEST_PUBLISHABLE_KEY", problem });
    }
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
  if (!has("SECRET_KEY") && (production || has("DATABASE_URL"))) {
    problems.push({
      variable: "SECRET_KEY",
      problem: `${production ? "production" : "DATABASE_URL"} needs it, the same on every node: set it to the output of \`openssl rand -hex 32\`, and keep a copy.`,
    });
  }
  if (production && config.publicUrl.startsWith("http:")) {
    problems.push({
      variable: "PUBLIC_URL",
      problem: "production needs it, and https: set it to where Stripe and browsers reach Billhook.",
    });
  }
  if (!hasSecret && (production || (has("STRIPE_SECRET_KEY") && !allowUnsigned))) {
    const elsewise = production
      ? ""
      : ", or set STRIPE_WEBHOOK_ALLOW_UNSIGNED=true to take unsigned events from this machine only";
    problems.push({
      variable: "STRIPE_WEBHOOK_SECRET",
      problem: `with ${production ? "NODE_ENV=production" : "STRIPE_SECRET_KEY"} it is needed to tell Stripe's events from forged ones: run \`billhook stripe setup\`, or copy the endpoint's signing secret (whsec_…)${elsewise}.`,
    });
  }
  return problems;
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
