// `billhook ledger verify` as an operator runs it: what it says, and its exit code.
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
import { type Ended, runBillhook } from "./support/run-billhook.ts";

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

function verify(...args: string[]): Promise<Ended> {
  const env = {
    ...{ DATA_DIR: folder, DATABASE_URL: url, SANDBOX_PORT: "off" },
    SECRET_KEY: "a-secret-key-of-the-tests-that-is-long-enough",
  };
  return runBillhook(["ledger", "verify", ...args], env);
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
  // Goes on behind the place that a progress told: the second account is the last.
  const tenantId = (await database.query<{ id: string }>("select id from tenants")).rows[0]?.id ?? "";
  const { rows } = await database.query<{ id: string }>("select account_id as id from credit_balances order by 1");
  const placeOf = (id: string | undefined): string => `${tenantId}.test.${id ?? ""}`;
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual({
    progress: { accounts: 2, after: placeOf(rows[1]?.id) },
  });
  const rest = await verify("--after", placeOf(rows[0]?.id));
  expect(rest.out).toContain(`1 accounts: ${rows[0]?.id === accountId ? "no" : "2"} differences.`);
  const nonsense = await verify("--after", "nowhere");
  expect(nonsense.code).not.toBe(0);
  expect(nonsense.err).toContain("`after` is none of a proof's");
}, 60_000);
