// `billhook ledger verify` as an operator runs it: what it says, and its exit code.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { ensurePlatformTenant } from "../src/tenants/platform.ts";
import { freshDatabase } from "./support/postgres.ts";
import { makeAccount } from "./support/purchase-lives.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-ledger-"));
let database: Database;
let url: string;
let accountId: string;

beforeAll(async () => {
  url = await freshDatabase();
  database = await openServer({ url, poolSize: 2 });
  await migrate(database);
  const tenantId = await ensurePlatformTenant(database);
  accountId = await makeAccount(database, tenantId, null, 40);
  await makeAccount(database, tenantId);
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function verify(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { PATH = "", HOME = "" } = process.env;
  const env = {
    ...{ PATH, HOME, NODE_ENV: "test", DATA_DIR: folder, DATABASE_URL: url, SANDBOX_PORT: "off" },
    SECRET_KEY: "a-secret-key-of-the-tests-that-is-long-enough",
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ["bin/billhook.mjs", "ledger", "verify", ...args], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

it("a ledger that agrees is proved, and one that does not is told by its account, with exit code 1", async () => {
  expect(await verify()).toEqual({ code: 0, out: "2 accounts: no differences.\n", err: "" });
  await database.query("update credit_balances set balance = balance + 2 where balance = 40");
  const wrong = await verify();
  expect(wrong.code).toBe(1);
  expect(wrong.out).toContain(`${accountId} (`);
  expect(wrong.out).toContain("balance: sum of entries: 42, must be 40");
  expect(wrong.out).toContain("2 accounts: 2 differences.");
  const lines = (await verify("--json")).out.trim().split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ done: { accounts: 2, differences: 2 } });
}, 60_000);
