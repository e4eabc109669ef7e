// What `serve` tells a person when it is ready: what runs where, and how to send a first signed event. Pure but for one look for files.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import type { OperatorLink } from "../app.ts";
import type { Config } from "../config.ts";
import { pairs } from "./table.ts";
import { PACKAGE_ROOT } from "./version.ts";

export interface StartFacts {
  config: Config;
  version: string;
  databaseVersion: string;
  address: string;
  migrations: readonly string[];
  /** Where the Stripe sandbox listens; undefined with a real key. */
  sandbox: string | undefined;
  /** By which somebody becomes or is the operator; undefined in production once there is one. */
  operatorLink: OperatorLink | undefined;
}

const WEBHOOK_PATHS = ["/stripe/webhook/", "/account/stripe-webhook/", "/api/webhooks/stripe/"];

export function startText(facts: StartFacts): string {
  const { config, version, address, migrations, sandbox } = facts;
  const where = pairs(
    [
      ["database", databaseText(facts)],
      ["migrations", migrationsText(migrations)],
      ["roles", config.roles.join(", ")],
      ["node", `${process.version}, process ${process.pid}`],
      ["address", address],
      ...(sandbox === undefined
        ? []
        : [["Stripe", `${sandbox}, the local sandbox: no real money`] as [string, string]]),
      ...addressPairs(config, address),
    ],
    "  ",
  );
  const first = config.environment === "production" ? "" : `\n\n${firstEventText(config)}`;
  const stripe = sandbox === undefined ? "" : `\n\n${sandboxText(sandbox)}`;
  const begin = facts.operatorLink === undefined ? "" : `\n\n${linkText(facts.operatorLink, config, address)}`;
  return `\nBillhook ${version} is ready.${begin}\n\n${where}${stripe}${first}\n`;
}

function linkText({ kind, url }: OperatorLink, config: Config, address: string): string {
  const open = `  ${reachable(url, config, address)}`;
  return kind === "sign_in"
    ? `Open this to begin: it signs you in as the operator, once, within 15 minutes (each start prints a new one).\n\n${open}`
    : `Open this to become the platform's first owner: it works once, within 15 minutes (each start prints a new one until there is an owner).\n\n${open}`;
}

/** For a log that no terminal shows. */
export function operatorLinkSentence({ url }: OperatorLink, config: Config, address: string): string {
  return `nobody operates this platform: whoever opens this first becomes its owner, once, within 15 minutes (the next start logs a new one): ${reachable(url, config, address)}`;
}

/** The default address names port PORT, also when a free one was taken instead. */
function reachable(url: string, { port }: Config, address: string): string {
  const unreachable = "http://localhost:0/";
  return port === 0 && url.startsWith(unreachable) ? `${address}/${url.slice(unreachable.length)}` : url;
}

function sandboxText(url: string): string {
  return [
    "No STRIPE_SECRET_KEY is set, so this runs against its own Stripe sandbox. Make something happen there:",
    "",
    `  ${stripeCli()} trigger invoice.paid --api-base ${url} --api-key sk_test_1234567890abcdef`,
    "",
    "To use your own Stripe account instead, set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET (both are in Stripe's",
    "dashboard under Developers), and start again.",
  ].join("\n");
}

/** The clone brings Stripe's command line for Linux on x64; elsewhere it is installed by itself. */
function stripeCli(): string {
  const brought = fileURLToPath(new URL("node_modules/@stripe/cli-linux-x64/bin/stripe", PACKAGE_ROOT));
  return existsSync(brought) ? nearPath(brought) : "stripe";
}

function migrationsText(migrations: readonly string[]): string {
  return migrations.length === 0 ? "up to date" : `${migrations.length} applied, up to ${migrations.at(-1) ?? ""}`;
}

function addressPairs(config: Config, address: string): [string, string][] {
  const [path, ...others] = WEBHOOK_PATHS;
  // The default names port PORT, also when a free one was taken instead.
  const publicUrl = config.port === 0 && config.publicUrl === "http://localhost:0" ? address : config.publicUrl;
  return [
    ["API reference", `${publicUrl}/api/docs`],
    ["Stripe webhooks", `${publicUrl}${path ?? ""}`],
    ...others.map((other): [string, string] => ["", `${publicUrl}${other}`]),
    ["signing secrets", secretsText(config)],
    ["operator token", config.operatorToken === undefined ? join(config.dataDir, "operator-token") : "OPERATOR_TOKEN"],
  ];
}

/** A server's address without its user and password. */
function databaseText({ config, databaseVersion }: StartFacts): string {
  const url = config.databaseUrl?.reveal();
  if (url === undefined) return `embedded PostgreSQL ${databaseVersion} in ${config.dataDir}`;
  const { host, pathname, searchParams } = new URL(url);
  const place = host === "" ? (searchParams.get("host") ?? "this machine") : host;
  return `PostgreSQL ${databaseVersion} at ${place}${pathname}`;
}

function secretsText(config: Config): string {
  if (config.webhookSecrets === "generate") return `generated, in ${join(config.dataDir, "webhook-secrets.json")}`;
  const names = [...new Set(config.webhookSecrets.map(({ variable }) => variable))];
  return names.length === 0 ? "none: unsigned events are taken from this machine" : names.join(", ");
}

/** With what another shell lacks in front, so that the line works where it is pasted. */
function firstEventText(config: Config): string {
  const example = fileURLToPath(new URL("examples/first-invoice", PACKAGE_ROOT));
  if (!existsSync(example)) return "Send a signed event from a file:\n\n  npx billhook send event.json";
  const path = nearPath(example);
  const folder = config.dataDir === "./data" ? "" : `DATA_DIR=${quoted(config.dataDir)} `;
  return [
    "Send the first signed events, an invoice's life, shuffled and each of them twice, and see what came of it:",
    "",
    `  ${folder}npx billhook send ${quoted(path)} --shuffle --duplicate 2`,
    `  ${folder}npx billhook objects show in_first`,
  ].join("\n");
}

function nearPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
