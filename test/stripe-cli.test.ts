// The real Stripe CLI drives the sandbox: every event type that it can trigger is raised there, reaches Billhook signed, and becomes the right row.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { PLATFORM_ACCOUNT } from "../sandbox/core/kinds.ts";
import type { Database } from "../src/db/database.ts";
import { openServer } from "../src/db/server.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { compareWithSandbox, sandboxObjects } from "./support/sandbox-oracle.ts";
import { freePort } from "./support/free-port.ts";
import { serve, type Served } from "./support/serve.ts";

const CLI = join(import.meta.dirname, "../node_modules/@stripe/cli-linux-x64/bin/stripe");
/** The package is for Linux on x64; elsewhere the CLI may be installed by hand, and these cases have nothing to run. */
const PRESENT = existsSync(CLI);
const KEY = "sk_test_1234567890abcdef";
const run = promisify(execFile);

/** What the CLI offers and this sandbox does not, with the reason. */
const OUT_OF_REACH: Readonly<Record<string, string>> = {
  "v1.billing.meter.error_report_triggered":
    "the CLI sends it to https://meter-events.stripe.com, whatever --api-base says",
  "v1.billing.meter.no_meter_found": "the CLI sends it to https://meter-events.stripe.com, whatever --api-base says",
};

/** Names of the CLI that are not the names of the events they raise. */
const RAISES: Readonly<Record<string, string>> = {
  "subscription.payment_failed": "invoice.payment_failed",
  "subscription.payment_succeeded": "invoice.payment_succeeded",
};

interface Outcome {
  trigger: string;
  event: string;
  cli: string;
  billhook: string;
}

describe.runIf(PRESENT)("the Stripe CLI", () => {
  let folder: string;
  let served: Served;
  let database: Database;
  let sandbox: string;
  let home: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "billhook-cli-"));
    home = join(folder, "home");
    const url = await readyDatabase();
    const port = await freePort();
    sandbox = `http://127.0.0.1:${port}`;
    served = await serve({ DATABASE_URL: url, DATA_DIR: join(folder, "data"), SANDBOX_PORT: String(port) });
    await served.ready();
    database = await openServer({ url, poolSize: 4 });
  }, 60_000);

  afterAll(async () => {
    await database.close();
    await served.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  async function stripe(...args: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: home, STRIPE_CLI_TELEMETRY_OPTOUT: "1" };
    const { stdout } = await run(CLI, args, { env, timeout: 60_000 });
    return stdout;
  }

  async function trigger(name: string): Promise<Outcome> {
    const event = RAISES[name] ?? name.replace(/\.(eu|gb)$/, "");
    try {
      await stripe("trigger", name, "--api-base", sandbox, "--api-key", KEY);
      return { trigger: name, event, cli: "ok", billhook: "" };
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      return { trigger: name, event, cli: `${stdout} ${stderr}`.replaceAll(/\s+/g, " ").slice(-200), billhook: "" };
    }
  }

  it("triggers every event that it supports; each arrives signed, is processed, and ends in the sandbox's own state", async () => {
    const help = await stripe("trigger", "--help");
    const names = [...help.matchAll(/^ {2}([a-z_0-9]+\.[a-z_.0-9]+)$/gm)].map((match) => match[1] ?? "");
    expect(names.length).toBeGreaterThan(100);

    const outcomes: Outcome[] = [];
    const waiting = names.filter((name) => OUT_OF_REACH[name] === undefined);
    const worker = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) outcomes.push(await trigger(name));
    };
    await Promise.all([worker(), worker(), worker()]);
    await settled();

    for (const outcome of outcomes) outcome.billhook = await statusOf(outcome.event);
    const bad = outcomes.filter(({ cli, billhook }) => cli !== "ok" || billhook !== "processed");
    console.log(table(outcomes));
    expect(bad).toEqual([]);
  }, 300_000);

  it("leaves Billhook's rows equal to the sandbox's objects", async () => {
    const compare = async () => {
      await settled();
      return compareWithSandbox(database, await sandboxObjects(sandbox), PLATFORM_ACCOUNT);
    };
    let { compared, differences } = await compare();
    // Payouts go on by the clock, also between the two that are compared. What differs for good, differs at each look.
    for (let looks = 1; looks < 5 && differences.length > 0; looks += 1) ({ compared, differences } = await compare());
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(200);
  }, 60_000);

  /** Everything that the sandbox raised is delivered, and nothing waits in Billhook. */
  async function settled(): Promise<void> {
    await fetch(`${sandbox}/_sandbox/idle`, { method: "POST" });
    const pending = async (): Promise<unknown> => (await database.query({ text: PENDING, values: [] })).rows[0];
    await expect.poll(pending, { timeout: 30_000 }).toEqual({ pending: 0 });
  }

  async function statusOf(type: string): Promise<string> {
    const { rows } = await database.query<{ status: string; source: string }>({ text: STATUS, values: [type] });
    return rows[0]?.status ?? "never came";
  }
});

function table(outcomes: readonly Outcome[]): string {
  const passed = ({ cli, billhook }: Outcome): boolean => cli === "ok" && billhook === "processed";
  const lines = outcomes
    .toSorted((one, other) => (one.trigger < other.trigger ? -1 : 1))
    .map(
      (outcome) =>
        `${passed(outcome) ? "pass" : "FAIL"}  ${outcome.trigger}${passed(outcome) ? "" : `: cli ${outcome.cli}; Billhook ${outcome.billhook}`}`,
    );
  const missing = Object.entries(OUT_OF_REACH).map(([name, reason]) => `none  ${name}: ${reason}`);
  return [
    ...lines,
    ...missing,
    `${outcomes.filter(passed).length} of ${outcomes.length} triggers passed, ${missing.length} out of reach`,
  ].join("\n");
}

const PENDING = `
  select (select count(*) from stripe_event_queue)::int + (select count(*) from stripe_fetches)::int as pending
`;

/** A type without a projection of its own is kept as it is: \`ignored\` counts as processed. Connected accounts have no tenant yet. */
const STATUS = `
  select case when o.status is null or o.status = 'ignored' then 'processed' else o.status end as status
  from stripe_events e left join stripe_event_outcomes o on o.event_id = e.id and o.created = e.created
  where e.type = $1 and e.source = 'webhook'
  order by coalesce(o.status, '') = 'failed' desc, coalesce(o.status, '') = 'unrouted'
  limit 1
`;
