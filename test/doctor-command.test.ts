// `billhook doctor`: beside a server, without one, without a database, and with settings that cannot be read.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Report } from "../src/operations/doctor-report.ts";
import { freshDatabase } from "./support/postgres.ts";
import { type Ended, runBillhook } from "./support/run-billhook.ts";
import { freePort } from "./support/free-port.ts";
import { OPERATOR_TOKEN, post, SECRET, SECRET_KEY, serve, type Served } from "./support/serve.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "billhook-doctor-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});

const run = (args: string[], env: Record<string, string>): Promise<Ended> => runBillhook(["doctor", ...args], env);
/** The whole output is one JSON document. */
async function reportOf(env: Record<string, string>, code: number, args: string[] = []): Promise<Report> {
  const ended = await run(["--json", ...args], env);
  expect([ended.code, ended.err]).toEqual([code, ""]);
  return JSON.parse(ended.out) as Report;
}
const codesOf = ({ findings }: Report): string[] => findings.map(({ code }) => code);

describe("beside a first start, and after it", () => {
  let served: Served;
  let env: Record<string, string>;
  beforeAll(async () => {
    const port = await freePort();
    env = {
      ...{ DATA_DIR: newFolder(), PORT: String(port), PUBLIC_URL: `http://localhost:${port}` },
      ...{ OPERATOR_TOKEN, SECRET_KEY, STRIPE_WEBHOOK_SECRET: SECRET, SANDBOX_PORT: String(await freePort()) },
    };
    served = await serve(env);
    await served.ready();
  });
  afterAll(() => served.end("SIGKILL"));

  it("asks that server, which is in order: exit code 0, and every check was made", async () => {
    const report = await reportOf(env, 0, ["--strict"]);
    expect(report.findings.filter(({ severity }) => severity === "error" || severity === "warning")).toEqual([]);
    expect(report.checks.every(({ outcome }) => outcome === "ok" || outcome === "found")).toBe(true);
    const { code, out } = await run([], env);
    expect(code).toBe(0);
    expect(out).toMatch(/\d+ checks: 0 errors, 0 warnings, \d+ notices\.\n$/);
  });

  it("without the server opens the database itself: a warning, which only --strict makes an exit code", async () => {
    await served.end("SIGTERM");
    const report = await reportOf(env, 0);
    expect([report.severity, codesOf(report)[0]]).toEqual(["warning", "door_unreachable"]);
    expect(codesOf(report)).toContain("webhook_receipts");
    await reportOf(env, 1, ["--strict"]);
  });

  it("tells an error worst first, with its mend, by exit code 1", async () => {
    served = await serve(env);
    await served.ready();
    const body = JSON.stringify(
      event("customer.created", newCustomer({ id: "cus_1" }), { apiVersion: NEW_API, account: "acct_1" }),
    );
    expect(await post(served.url, body, "whsec_of_another")).toBe(400);
    const { code, out } = await run([], env);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^ERROR {4}webhook_secret_wrong {2}\/stripe\/webhook\/ connect test\n {2}.*\n {2}→ .*STRIPE_CONNECT_WEBHOOK_SECRET/,
    );
  });
});

describe("with nothing to ask", () => {
  it("no database is the first finding, and settings and network are told all the same", async () => {
    const env = { DATA_DIR: newFolder(), PORT: String(await freePort()), STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" };
    const report = await reportOf(env, 1);
    expect(codesOf(report)).toEqual(["database_unreachable", "setting_ignored", "door_unreachable"]);
    expect(report.findings[0]?.cause).toContain("billhook serve");
    expect(report.checks.find(({ code }) => code === "settings")?.outcome).toBe("found");
    expect(report.checks.find(({ code }) => code === "mails")?.outcome).toBe("skipped");
  });

  it("a database server that does not answer, and one whose schema is old", async () => {
    const base = { DATA_DIR: newFolder(), PORT: String(await freePort()), SECRET_KEY, SANDBOX_PORT: "off" };
    const gone = await reportOf({ ...base, DATABASE_URL: "postgres://nobody@127.0.0.1:9/none" }, 1);
    expect(gone.findings[0]).toMatchObject({ code: "database_unreachable", severity: "error" });
    expect(gone.findings[0]?.cause).toContain("DATABASE_URL");
    const old = await reportOf({ ...base, DATABASE_URL: await freshDatabase() }, 1);
    expect(old.findings[0]).toMatchObject({ code: "schema_old" });
    expect(old.findings[0]?.mend).toContain("billhook migrate");
  });

  it("settings that a server would not start with are findings, also those that a command does not need", async () => {
    const wrong = await reportOf({ DATA_DIR: newFolder(), PORT: "many", LOG_LEVEL: "loud" }, 1);
    expect(wrong.findings.map(({ code, subject }) => [code, subject])).toEqual([
      ["setting_invalid", "PORT"],
      ["setting_invalid", "LOG_LEVEL"],
    ]);
    const url = await freshDatabase();
    const env = { DATA_DIR: newFolder(), DATABASE_URL: url, PORT: String(await freePort()), SANDBOX_PORT: "off" };
    expect((await runBillhook(["migrate"], { ...env, SECRET_KEY })).code).toBe(0);
    const lacking = await reportOf(env, 1);
    expect(lacking.findings[0]).toMatchObject({ code: "setting_invalid", subject: "SECRET_KEY" });
    expect(lacking.checks.find(({ code }) => code === "migrations")?.outcome).toBe("ok");
  });

  it("a server that was named and does not answer is a failure of the command, not a finding", async () => {
    const ended = await run(["--url", "http://127.0.0.1:9"], { DATA_DIR: newFolder(), OPERATOR_TOKEN });
    expect([ended.code, ended.out]).toEqual([1, ""]);
    expect(ended.err).toContain("No server answers at http://127.0.0.1:9");
  });
});
