// Promise 8 under kill -9: no event stays untold, and no more is told twice than was in flight. With real processes, under load.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { openEmbedded } from "../src/db/embedded.ts";
import { openServer } from "../src/db/server.ts";
import { newEndpoint, newTenant, openTarget, statuses, tell, until } from "./support/delivery-scene.ts";
import { readyDatabase, readyFolder } from "./support/ready-database.ts";
import { serve, type Served } from "./support/serve.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const KILLS = LONG ? 50 : 5;
const CONCURRENCY = 16;
const ENDPOINTS = 4;

const started: Served[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.end("SIGKILL")));
});

describe("kill -9 of the process that delivers", () => {
  it(
    `${KILLS} kills under load lose no delivery, and repeat none that was not in flight`,
    async () => {
      const url = await readyDatabase();
      const folder = mkdtempSync(join(tmpdir(), "billhook-deliver-kill-"));
      const database = await openServer({ url, poolSize: 4 });
      const target = await openTarget((response) => setTimeout(() => response.end(), Math.random() * 20));
      const tenants = await Promise.all(Array.from({ length: ENDPOINTS }, () => newTenant(database)));
      for (const tenant of tenants) await newEndpoint(database, tenant, target.url);
      const env = {
        ...{ DATABASE_URL: url, DATA_DIR: folder, WORK_LEASE_SECONDS: "2", BILLHOOK_ROLES: "api,work" },
        ...{ WEBHOOK_CONCURRENCY: String(CONCURRENCY), WEBHOOK_ENDPOINT_CONCURRENCY: "4" },
      };
      let told = 0;
      const loading = { on: true };
      const load = (async () => {
        while (loading.on) {
          await sleep(20);
          if (told * ENDPOINTS - target.got.length > 300) continue;
          for (const tenant of tenants) await tell(database, tenant, 5);
          told += 5;
        }
      })();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const before = target.got.length;
        const server = await serve(env);
        started.push(server);
        await until(() => target.got.length > before + 20 || server.child.exitCode !== null, 60_000);
        await sleep(Math.random() * 300);
        await server.end("SIGKILL");
      }
      loading.on = false;
      await load;
      const last = await serve(env);
      started.push(last);
      for (const tenant of tenants)
        await until(async () => (await statuses(database, tenant)).delivered === told, 90_000);
      expect(await last.end("SIGTERM")).toBe(0);
      const ids = target.got.map(({ id }) => id);
      expect(new Set(ids).size).toBe(told * ENDPOINTS);
      // In flight is what has begun and is not written down.
      expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(KILLS * CONCURRENCY);
      expect((await database.query("select * from delivery_queue")).rows).toEqual([]);
      await database.close();
      await target.close();
      rmSync(folder, { recursive: true, force: true });
    },
    LONG ? 900_000 : 180_000,
  );

  it("2 kills on an embedded database lose no delivery, and repeat none that was not in flight", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-deliver-kill-"));
    const target = await openTarget((response) => setTimeout(() => response.end(), Math.random() * 20));
    const before = await openEmbedded(await readyFolder(folder));
    const tenants = await Promise.all(Array.from({ length: ENDPOINTS }, () => newTenant(before)));
    for (const tenant of tenants) {
      await newEndpoint(before, tenant, target.url);
      await tell(before, tenant, 200);
    }
    await before.close();
    const env = { DATA_DIR: folder, WEBHOOK_CONCURRENCY: String(CONCURRENCY), WEBHOOK_ENDPOINT_CONCURRENCY: "4" };
    for (let kill = 0; kill < 2; kill += 1) {
      const seen = target.got.length;
      const server = await serve(env);
      started.push(server);
      await until(() => target.got.length > seen + 100 || server.child.exitCode !== null, 60_000);
      await server.end("SIGKILL");
    }
    const last = await serve(env);
    started.push(last);
    const different = (): number => new Set(target.got.map(({ id }) => id)).size;
    await until(() => different() === ENDPOINTS * 200, 60_000);
    expect(await last.end("SIGTERM")).toBe(0);
    expect(target.got.length - different()).toBeLessThanOrEqual(2 * CONCURRENCY);
    const after = await openEmbedded(folder);
    for (const tenant of tenants) expect(await statuses(after, tenant)).toEqual({ delivered: 200 });
    expect((await after.query("select from delivery_queue")).rowCount).toBe(0);
    await after.close();
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  }, 180_000);
});
