// `billhook doctor`: what is wrong, each finding with its cause and how to mend it, worst first.
import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import { ConfigError } from "../base/config-error.ts";
import { loadConfig } from "../config.ts";
import type { Found, Report } from "../operations/doctor-report.ts";
import { readCommandConfig } from "./command-config.ts";
import { asFailure, EXIT } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { throughDoor } from "./open-door.ts";
import { print, printJson } from "./output.ts";
import { oneLine } from "./table.ts";

interface Flags {
  strict?: true;
  url?: string;
  json?: true;
}

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("find what is wrong, and how to mend it")
    .description(
      "Looks at settings, database, Stripe, webhooks, events, tenants, packs and mail, and tells each finding with its cause and\n" +
        "how to mend it, worst first. Beside a running server it asks that server. It changes nothing. Exit code 1 when there is\n" +
        "an error; with --strict also for a warning.",
    )
    .option("--strict", "exit code 1 for a warning too");
  withCommon(command).action(runDoctor);
}

async function runDoctor({ strict, url, json }: Flags): Promise<void> {
  const report = await askForReport(url);
  if (json === true) printJson(report);
  else tell(report);
  const { severity } = report;
  if (severity === "error" || (strict === true && severity === "warning")) process.exitCode = EXIT.failed;
}

async function askForReport(url: string | undefined): Promise<Report> {
  const at = { open: false };
  try {
    return await throughDoor(url, async (door) => {
      at.open = true;
      const report = (await door.call("GET", "/doctor/")).json as Report;
      if (isServer(door.where)) return report;
      // Nobody has started with these settings yet.
      const { withFound } = await import("../operations/doctor-report.ts");
      return withFound(report, servingProblems());
    });
  } catch (error) {
    if (error instanceof ConfigError) return reportAlone(problemsOf(error));
    const failure = asFailure(error);
    // A server that was named and does not answer is not this one.
    if (at.open || failure.exitCode === EXIT.usage || readCommandConfig(url).serverUrl !== undefined) throw error;
    const code = failure.body.code === "schema_old" ? "schema_old" : "database_unreachable";
    return reportWithout([
      { code, subject: "database", values: { reason: failure.body.message } },
      ...servingProblems(),
    ]);
  }
}

const isServer = (where: string): boolean => /^https?:/.test(where);

/** What would keep a server from starting. */
function servingProblems(): Found[] {
  try {
    loadConfig();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return problemsOf(error);
    throw error;
  }
}

function problemsOf({ problems }: ConfigError): Found[] {
  return problems.map(({ variable, problem }) => ({
    code: "setting_invalid",
    subject: variable,
    values: { variable, problem },
  }));
}

/** Where not even the settings can be read there is nothing else to look at. */
async function reportAlone(known: readonly Found[]): Promise<Report> {
  const { reportOf } = await import("../operations/doctor-report.ts");
  return reportOf(systemClock.now(), known, []);
}

/** What can be told without a database: settings, Stripe's answer, the network. */
async function reportWithout(known: readonly Found[]): Promise<Report> {
  const { config } = readCommandConfig(undefined);
  const { diagnose } = await import("../operations/doctor.ts");
  const { stripeAccess } = await import("../stripe/access.ts");
  const { configuredSecrets, signingSecret } = await import("../app-doctor.ts");
  const context = {
    ...{ config, database: undefined, clock: systemClock, flushReceipts: () => Promise.resolve() },
    stripe: stripeAccess({ keys: config.stripeKeys, apiBase: config.stripeApiBase, clock: systemClock }),
    webhookSecrets: configuredSecrets(config).map(signingSecret),
  };
  return diagnose(context, { known });
}

function tell({ findings, checks }: Report): void {
  for (const { severity, code, subject, title, cause, mend } of findings) {
    const about = subject === null ? "" : `  ${oneLine(subject)}`;
    print(`${severity.toUpperCase().padEnd("WARNING".length)}  ${code}${about}`);
    print(`  ${title}. ${oneLine(cause)}`);
    if (severity !== "ok") print(`  → ${oneLine(mend)}`);
    print("");
  }
  const count = (name: string): number => findings.filter(({ severity }) => severity === name).length;
  const skipped = checks.filter(({ outcome }) => outcome === "skipped").length;
  const left = skipped === 0 ? "" : `, ${skipped} of them could not be made`;
  print(
    `${checks.length} checks${left}: ${count("error")} errors, ${count("warning")} warnings, ${count("notice")} notices.`,
  );
}
