// The table of environment variables: name, form, default, and what it is for. The README's table and .env.example are made from it.
import {
  apiKey,
  brandText,
  clientId,
  domainName,
  flag,
  hostAndPortList,
  hostName,
  keyBrand,
  listOf,
  mailAddress,
  oneOf,
  origin,
  originElse,
  originList,
  path,
  percentage,
  portRanges,
  postgresUrl,
  secretList,
  secretText,
  smtpUrl,
  trustedProxies,
  variable,
  webhookSecretList,
  webUrl,
  wholeNumber,
} from "./base/settings.ts";
import type { Variable } from "./base/settings.ts";
import { RETENTION_VARIABLES } from "./config-retention.ts";

export const ROLES = ["api", "work"] as const;
export const CONNECT_METHODS = ["account_link", "oauth", "express_oauth"] as const;
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export const ENVIRONMENTS = ["development", "production", "test"] as const;

export const GROUP_SUBSCRIPTIONS = ["one", "many"] as const;
const OFF_OR_ON = ["off", "on"] as const;
const MIB = 1024 * 1024;
const SECRET = { secret: true } as const;

/** "off": no sandbox. */
function sandboxPort(text: string): number | "off" {
  return text === "off" ? "off" : wholeNumber(0, 65_535)(text);
}

/** The dashboard, the cookie of its session and every address that Stripe is given begin at the root. */
const publicOrigin = originElse(
  (path) =>
    `Billhook cannot live below a path: remove ${path}, and give it a host name of its own, such as https://billing.example.com.`,
);

export const VARIABLES = {
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
  publicUrl: variable(
    "PUBLIC_URL",
    publicOrigin,
    undefined,
    "Where Stripe and browsers reach Billhook: scheme, host and port, without a path.",
    { defaultDoc: "`http://localhost:PORT`" },
  ),
  frontendUrl: variable("FRONTEND_URL", webUrl, undefined, "Where the links in mails lead: the dashboard.", {
    defaultDoc: "`PUBLIC_URL`",
  }),
  corsOrigins: variable(
    "CORS_ORIGINS",
    originList,
    undefined,
    "Origins whose pages may call the API from a browser, separated by commas.",
    { defaultDoc: "that of `FRONTEND_URL`" },
  ),
  trustProxy: variable(
    "TRUST_PROXY",
    trustedProxies,
    undefined,
    "Which proxies are believed about a request's source address (`X-Forwarded-For`): how many stand in front, or their addresses and networks by commas.",
    { defaultDoc: "none: the source is whoever connects" },
  ),
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
  databaseApiUrl: variable(
    "DATABASE_API_URL",
    postgresUrl,
    undefined,
    "The same database by the API's own login, which may take the role `billhook_tenant` and nothing else.",
    { ...SECRET, defaultDoc: "a login made on `DATABASE_URL`, its password derived from `SECRET_KEY`" },
  ),
  databasePoolSize: variable(
    "DATABASE_POOL_SIZE",
    wholeNumber(2, 500),
    10,
    "The most connections that one process opens to the database: a third of them as the API's login, the others as the owner.",
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
  stripeTestSecretKey: variable(
    "STRIPE_TEST_SECRET_KEY",
    apiKey("STRIPE_TEST_SECRET_KEY", ["sk", "rk"], ["test"]),
    undefined,
    "The test key of the same account beside a live `STRIPE_SECRET_KEY`: then both modes are served at once.",
    SECRET,
  ),
  stripeTestPublishableKey: variable(
    "STRIPE_TEST_PUBLISHABLE_KEY",
    apiKey("STRIPE_TEST_PUBLISHABLE_KEY", ["pk"], ["test"]),
    undefined,
    "The publishable key beside `STRIPE_TEST_SECRET_KEY`.",
  ),
  connectMethod: variable(
    "STRIPE_CONNECT_METHOD",
    oneOf(CONNECT_METHODS),
    "account_link",
    "How tenants connect Stripe accounts: `account_link` makes the account and Stripe asks for the rest, `oauth` lets in an account that is there already, `express_oauth` is OAuth for Express accounts, which Stripe gives to no new platform.",
  ),
  connectClientId: variable(
    "STRIPE_CONNECT_CLIENT_ID",
    clientId,
    undefined,
    "The Connect client id (`ca_…`) of the mode of `STRIPE_SECRET_KEY`, from Stripe's Connect settings. OAuth needs it, and so does ending a connection at Stripe.",
  ),
  testConnectClientId: variable(
    "STRIPE_TEST_CONNECT_CLIENT_ID",
    clientId,
    undefined,
    "The Connect client id of test mode beside `STRIPE_TEST_SECRET_KEY`.",
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
  platformFeePercent: variable(
    "PLATFORM_FEE_PERCENT",
    percentage,
    15,
    "The platform's share, in percent, of invoices on connected accounts, where neither the tenant nor the call has its own.",
  ),
  stripeApiBase: variable(
    "STRIPE_API_BASE",
    origin,
    undefined,
    "Another address for Stripe's API, for tests; `https` in production.",
    { defaultDoc: "Stripe's own" },
  ),

  sandboxPort: variable(
    "SANDBOX_PORT",
    sandboxPort,
    12_111,
    "The port of the local Stripe sandbox, which runs while `STRIPE_SECRET_KEY` is unset; `0` takes any free one, `off` runs none.",
  ),
  sandboxHost: variable(
    "SANDBOX_HOST",
    hostName,
    "127.0.0.1",
    "The address that the sandbox listens on. Its control endpoints answer to this machine alone.",
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
    "After so many attempts an event is `failed`: kept, counted and replayable. Of attempts that never end, because the process dies, 50, or this if it is more.",
  ),
  catchUpEverySeconds: variable(
    "CATCH_UP_EVERY_SECONDS",
    wholeNumber(0, 86_400),
    600,
    "How often Stripe's list of events is read for what no webhook brought, for each account; `0`: only by `billhook catch-up`.",
  ),
  driftEverySeconds: variable(
    "DRIFT_EVERY_SECONDS",
    wholeNumber(0, 604_800),
    3600,
    "How often a sample of local rows is held against Stripe's objects; `0`: only by `billhook drift`.",
  ),

  webhookAllowedHosts: variable(
    "WEBHOOK_ALLOWED_HOSTS",
    hostAndPortList,
    [],
    "Receivers of webhooks that may be called although they are in a private network: `host:port` by commas, `http://host:port` for one without TLS.",
    { defaultDoc: "none: https on public addresses alone, and in development loopback" },
  ),
  webhookPorts: variable(
    "WEBHOOK_PORTS",
    portRanges,
    undefined,
    "The ports of tenants' webhook URLs: a list such as `443,8443,10000-20000`.",
    { defaultDoc: "443, and from 1024 on those of no well-known service" },
  ),
  webhookConcurrency: variable(
    "WEBHOOK_CONCURRENCY",
    wholeNumber(1, 10_000),
    256,
    "How many webhooks one process posts at the same time; of one tenant a quarter of them.",
  ),
  webhookEndpointConcurrency: variable(
    "WEBHOOK_ENDPOINT_CONCURRENCY",
    wholeNumber(1, 64),
    16,
    "How many of them go to one endpoint; fewer to one that is slow or fails.",
  ),
  ...RETENTION_VARIABLES,

  rateLimitKey: variable(
    "RATE_LIMIT_PER_KEY",
    wholeNumber(1, 1_000_000_000),
    6000,
    "How many requests one API key may send a minute, to all nodes together.",
  ),
  rateLimitTenant: variable(
    "RATE_LIMIT_PER_TENANT",
    wholeNumber(1, 1_000_000_000),
    12_000,
    "How many requests a tenant's keys and people may send a minute.",
  ),
  rateLimitSource: variable(
    "RATE_LIMIT_PER_SOURCE",
    wholeNumber(1, 1_000_000_000),
    12_000,
    "How many requests a source address may send a minute, where `TRUST_PROXY` is set.",
  ),
  secretKeys: variable(
    "SECRET_KEY",
    secretList(32),
    undefined,
    "What tokens are signed and secrets are sealed with, at least 32 characters, the same on every node. Several by commas while it is being rotated: the first is the new one.",
    { ...SECRET, defaultDoc: "generated into `DATA_DIR`; needed with `DATABASE_URL` and in production" },
  ),
  trialCredits: variable("TRIAL_CREDITS", wholeNumber(0, 1_000_000_000), 0, "The credits that a new account is given."),
  subscriptionsPerGroup: variable(
    "SUBSCRIPTIONS_PER_GROUP",
    oneOf(GROUP_SUBSCRIPTIONS),
    "one",
    "How many active subscriptions of one plan group an account may have. With `many` each request begins one of its own: send an `Idempotency-Key`, so that none is begun twice.",
  ),
  apiKeyPrefix: variable(
    "API_KEY_PREFIX",
    keyBrand,
    undefined,
    "Your brand in front of new API keys: `acme` makes `acme_sk_live_…`.",
  ),
  operatorToken: variable(
    "OPERATOR_TOKEN",
    secretText(16),
    undefined,
    "The token for `/api/v1/admin/…` and the command line; at least 16 characters.",
    { ...SECRET, defaultDoc: "generated into `DATA_DIR`" },
  ),
  smtpUrl: variable(
    "SMTP_URL",
    smtpUrl,
    undefined,
    "The mail server: `smtp://user:password@host:port`, or `smtps://`. Without it mails are kept in the database and not sent.",
    SECRET,
  ),
  mailFrom: variable(
    "MAIL_FROM",
    mailAddress,
    undefined,
    "Who mails are from: `Name <address>`. Needed with `SMTP_URL`.",
  ),
  mailgunKey: variable(
    "MAILGUN_API_KEY",
    secretText(8),
    undefined,
    "Sends mails by Mailgun instead: the account's key, or the domain's sending key.",
    SECRET,
  ),
  mailgunDomain: variable(
    "MAILGUN_DOMAIN",
    domainName,
    undefined,
    "The domain that Mailgun sends for. Needed with `MAILGUN_API_KEY`.",
  ),
  mailgunFrom: variable(
    "MAILGUN_SENDER_EMAIL",
    mailAddress,
    undefined,
    "Who those mails are from: `Name <address>`. Needed with `MAILGUN_API_KEY`.",
  ),
  mailgunApiBase: variable(
    "MAILGUN_API_BASE",
    origin,
    "https://api.mailgun.net",
    "Mailgun's address: `https://api.eu.mailgun.net` for a domain that was made in the EU.",
  ),
  productName: variable(
    "PRODUCT_NAME",
    brandText,
    undefined,
    "What mails call your product, such as `Acme`. Without it they name none.",
  ),
  paymentFailedMails: variable(
    "PAYMENT_FAILED_MAILS",
    oneOf(OFF_OR_ON),
    "off",
    "`on` mails people whose payment failed. Stripe does that by itself where its dashboard says so (Billing, Revenue recovery, Emails): turn one of the two on.",
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
