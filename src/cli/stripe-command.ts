// `billhook stripe setup`: the two webhook endpoints on the Stripe account, made or mended.
import { type Command, Option } from "commander";

import { systemClock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import { BadValue, webhookSecretList } from "../base/settings.ts";
import { type Config, loadEnvironment } from "../config.ts";
import type { SetupLine, SetupResult } from "../operations/stripe-setup.ts";
import type { EndpointRole } from "../operations/stripe-setup-plan.ts";
import { readCommandConfig } from "./command-config.ts";
import { EXIT, failed, misused } from "./command-failure.ts";
import { signature } from "./deliver-events.ts";
import { mustTakeVariables, readEnvVariable, writeEnvVariable } from "./env-file.ts";
import { note, print, printJson } from "./output.ts";

interface Flags {
  url?: string;
  apiVersion?: string;
  writeEnv?: string;
  mode?: "live" | "test";
  dryRun?: true;
  rotate?: true;
  json?: true;
}

type Secrets = Record<EndpointRole, readonly string[]>;
type Told = Map<EndpointRole, readonly string[]>;

const VARIABLES: Record<EndpointRole, string> = {
  platform: "STRIPE_WEBHOOK_SECRET",
  connect: "STRIPE_CONNECT_WEBHOOK_SECRET",
};
const WEBHOOK_PATH = "/stripe/webhook/";
const PROBE_MS = 5_000;

export function addStripe(program: Command): void {
  const stripe = program.command("stripe").summary("set up the Stripe account").description("The Stripe account.");
  stripe
    .command("setup")
    .summary("make or mend the webhook endpoints on the Stripe account")
    .description(
      "Makes two webhook endpoints on the account of STRIPE_SECRET_KEY, one for its own events and one for those of\n" +
        "connected accounts, with the event types that Billhook reads, and prints their signing secrets or writes them into\n" +
        "a file. Run again it mends what has changed. Endpoints on other addresses are left alone.",
    )
    .option("--url <url>", "where Stripe sends events; default: PUBLIC_URL with /stripe/webhook/")
    .option("--api-version <version>", "the API version of the events; default: the one that Billhook is built for")
    .option("--write-env <file>", "write the secrets into this file of variables, such as .env, and print none")
    .addOption(
      new Option("--mode <mode>", "of which key; default: that of STRIPE_SECRET_KEY").choices(["live", "test"]),
    )
    .option("--rotate", "new endpoints with new secrets in place of those that are there")
    .option("--dry-run", "only say what would be done; exit code 1 when that is something")
    .option("--json", "print JSON")
    .action(runSetup);
}

async function runSetup(flags: Flags): Promise<void> {
  if (flags.json === true && flags.writeEnv !== undefined) {
    throw misused("--json prints the secrets and --write-env writes them: give one of the two.");
  }
  const { config } = readCommandConfig(undefined);
  const livemode = flags.mode === undefined ? config.livemode : flags.mode === "live";
  const { stripeAccess } = await import("../stripe/access.ts");
  const { STRIPE_API_VERSION } = await import("../stripe/client.ts");
  const { setUpStripe } = await import("../operations/stripe-setup.ts");
  const { SETUP_EVENT_TYPES } = await import("../operations/stripe-setup-events.ts");
  const stripe = stripeAccess({ keys: config.stripeKeys, apiBase: config.stripeApiBase, clock: systemClock });
  if (!stripe.has(livemode)) throw noKey(livemode, config);
  const url = webhookUrl(flags.url ?? config.publicUrl, config);
  if (flags.writeEnv !== undefined) await mustBeWritable(flags.writeEnv);
  const kept = keptSecrets(flags.writeEnv);
  const wish = {
    url,
    apiVersion: flags.apiVersion ?? STRIPE_API_VERSION,
    eventTypes: SETUP_EVENT_TYPES,
    secrets: await configuredSecrets(flags.writeEnv),
    rotate: flags.rotate === true,
  };
  const { keep } = kept;
  const options = { stripe, livemode, wish, dryRun: flags.dryRun === true, keep, accepts: accepting(url) };
  const result = await setUpStripe(options).catch((error: unknown) => {
    // Stripe shows a secret once: what was made before the failure is told all the same.
    if (kept.whyNotWritten !== undefined) note(notWritten(flags.writeEnv, kept.whyNotWritten).message);
    tellSecrets(kept.toTell, flags.json === true);
    throw error;
  });
  if (flags.json === true) printJson(asJson(result, kept.toTell, { url, livemode }));
  else tell(result, kept, flags);
  if (kept.whyNotWritten !== undefined) throw notWritten(flags.writeEnv, kept.whyNotWritten);
  const open = result.lines.some(({ action }) => action === "left" || (options.dryRun && action !== "nothing"));
  if (open) process.exitCode = EXIT.failed;
}

/** Before Stripe is asked for a secret that it shows once. */
async function mustBeWritable(file: string): Promise<void> {
  await mustTakeVariables(file, Object.values(VARIABLES)).catch((error: unknown) => {
    throw misused(`--write-env: the secrets cannot be written into ${file} (${reasonOf(error)}); nothing was made.`);
  });
}

interface KeptSecrets {
  keep: (role: EndpointRole, secrets: readonly string[]) => Promise<void>;
  written: Told;
  /** Those that stand in no file. */
  toTell: Told;
  whyNotWritten: unknown;
}

/** A file that cannot be written stops nothing: what was made is told instead, as without one. */
function keptSecrets(file: string | undefined): KeptSecrets {
  const kept: KeptSecrets = {
    written: new Map(),
    toTell: new Map(),
    whyNotWritten: undefined,
    keep: async (role, secrets) => {
      kept.toTell.set(role, secrets);
      if (file === undefined) return;
      try {
        await writeEnvVariable(file, VARIABLES[role], secrets.join(","));
      } catch (error) {
        kept.whyNotWritten ??= error;
        return;
      }
      kept.toTell.delete(role);
      kept.written.set(role, secrets);
    },
  };
  return kept;
}

function notWritten(file: string | undefined, why: unknown): Error {
  const message = `${file ?? ""} could not be written (${reasonOf(why)}): set what is printed there yourself, and start Billhook again.`;
  return failed("not_written", "Not written", message, why);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function noKey(livemode: boolean, { stripeKeys }: Config): Error {
  const none = stripeKeys.live === undefined && stripeKeys.test === undefined;
  const mode = livemode ? "live" : "test";
  const message = none
    ? "There is no Stripe account to set up: set STRIPE_SECRET_KEY. Without it Billhook runs against its own sandbox, which needs no setting up."
    : `There is no key for ${mode} mode: set ${livemode ? "STRIPE_SECRET_KEY" : "STRIPE_TEST_SECRET_KEY"}, or leave --mode out.`;
  return failed("stripe_not_configured", "Stripe not configured", message);
}

/** Stripe itself refuses plain http in live mode, and cannot reach this machine: that is for a Stripe that runs here. */
function webhookUrl(given: string, { stripeApiBase }: Config): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw misused(`"${given}" is no address for webhooks: give it as https://billing.example.com${WEBHOOK_PATH}.`);
  }
  if (url.protocol === "http:" && stripeApiBase === undefined) {
    throw misused(`Stripe sends events to https addresses only: set PUBLIC_URL, or give --url https://….`);
  }
  const isWhole = /\/(?:stripe\/webhook|account\/stripe-webhook|api\/webhooks\/stripe)\/?$/.test(url.pathname);
  return isWhole ? url.href : `${url.href.replace(/\/+$/, "")}${WEBHOOK_PATH}`;
}

/** Those of the file where one is written, else of the environment. */
async function configuredSecrets(file: string | undefined): Promise<Secrets> {
  const read = async (role: EndpointRole): Promise<readonly string[]> => {
    const name = VARIABLES[role];
    const text = (file === undefined ? undefined : await readEnvVariable(file, name)) ?? loadEnvironment()[name];
    try {
      return text === undefined || text.trim() === "" ? [] : webhookSecretList(text);
    } catch (error) {
      if (error instanceof BadValue) throw misused(`${name}: ${error.message}`);
      throw error;
    }
  };
  return { platform: await read("platform"), connect: await read("connect") };
}

/** Asks the server itself: what is signed so but is no event is refused for that, not for its signature. */
function accepting(url: string): (secret: string) => Promise<boolean | undefined> {
  const body = JSON.stringify({ object: "billhook.setup" });
  return async (secret) => {
    const headers = {
      "content-type": "application/json",
      "stripe-signature": signature(body, new Secret(secret), systemClock),
    };
    try {
      const signal = AbortSignal.timeout(PROBE_MS);
      // Stripe follows no redirect, so that a server behind one does not answer it.
      const answer = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
      const { code } = (await answer.json()) as { code?: unknown };
      return code === "not_a_stripe_event" ? true : code === "signature_mismatch" ? false : undefined;
    } catch {
      // Not there, or not Billhook: the caller says what to do.
      return undefined;
    }
  };
}

function asJson(result: SetupResult, kept: Told, { url, livemode }: { url: string; livemode: boolean }) {
  return { url, livemode, endpoints: result.lines, foreign: result.foreign, secrets: variablesOf(kept) };
}

function variablesOf(kept: Told): Record<string, string> {
  return Object.fromEntries([...kept].map(([role, secrets]) => [VARIABLES[role], secrets.join(",")]));
}

function tell({ lines, foreign }: SetupResult, { toTell, written }: KeptSecrets, { writeEnv }: Flags): void {
  for (const line of lines) print(lineText(line));
  if (foreign.length > 0) print(`left alone, on other addresses: ${foreign.join(", ")}`);
  const names = Object.keys(variablesOf(written));
  if (names.length > 0)
    print(`wrote ${names.join(" and ")} into ${writeEnv ?? ""}: start Billhook again, so that it knows them`);
  if (toTell.size === 0) return;
  note("\nSet these, and start Billhook again; Stripe does not show them a second time:");
  tellSecrets(toTell, false);
}

function tellSecrets(kept: Told, json: boolean): void {
  const secrets = variablesOf(kept);
  if (Object.keys(secrets).length === 0) return;
  if (json) printJson({ secrets });
  else for (const [name, value] of Object.entries(secrets)) print(`${name}=${value}`);
}

function lineText({ role, endpoint, sentence }: SetupLine): string {
  return `${role.padEnd("platform".length)}  ${endpoint ?? "–"}  ${sentence}`;
}
