// A database server that is stopped and started while deliveries go on: what ended is written when it is back.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { newEndpoint, newTenant, openTarget, startWorker, statuses, tell, until } from "./support/delivery-scene.ts";
import { findBinaries, serverEnvironment, serverUser } from "./support/postgres-binaries.ts";
import { freePort } from "./support/free-port.ts";

/** As soon as it answers. */
async function opened(url: string): Promise<Database> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await openServer({ url, poolSize: 4 });
    } catch (error) {
      if (tried === 100) throw error;
      await sleep(200);
    }
  }
}

interface OwnServer {
  url: string;
  start(): void;
  /** Every connection is cut, and what runs is rolled back. */
  stop(signal: "SIGINT" | "SIGQUIT"): Promise<void>;
  remove(): void;
}

async function ownServer(): Promise<OwnServer> {
  const user = serverUser();
  const folder = mkdtempSync("/tmp/billhook-restart-");
  chmodSync(folder, 0o755);
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const place = join(folder, "data");
  const { initdb, postgres } = findBinaries(undefined, folder, user);
  const how = { ...user, cwd: folder, env: serverEnvironment() };
  const made = spawnSync(initdb, ["-D", place, "--username=postgres", "--auth=trust", "--no-sync", "--locale=C"], how);
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`);
  const port = await freePort();
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="];
  let child: ChildProcess | undefined;
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start: () => {
      const args = ["-D", place, ...settings.flatMap((setting) => ["-c", setting])];
      child = spawn(postgres, args, { ...how, stdio: "ignore" });
    },
    stop: async (signal) => {
      if (child?.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

it("a server that is stopped and started twice costs no delivery, and repeats none that was not in flight", async () => {
  const server = await ownServer();
  server.start();
  const database = await opened(server.url);
  const target = await openTarget((response) => setTimeout(() => response.end(), 5));
  try {
    await migrate(database);
    const tenant = await newTenant(database);
    await newEndpoint(database, tenant, target.url);
    for (let round = 0; round < 4; round += 1) await tell(database, tenant, 250);
    const errors: unknown[] = [];
    const worker = startWorker(database, { onError: (error) => errors.push(error) });
    for (const [index, signal] of (["SIGINT", "SIGQUIT"] as const).entries()) {
      await until(() => target.got.length > 150 * (index + 1));
      await server.stop(signal);
      await sleep(500);
      server.start();
    }
    await until(
      () =>
        statuses(database, tenant).then(
          ({ delivered }) => delivered === 1000,
          () => false,
        ),
      60_000,
    );
    await worker.stop();
    const ids = target.got.map(({ id }) => id);
    expect(new Set(ids).size).toBe(1000);
    expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(2 * 64);
    expect(errors.length).toBeGreaterThan(0);
    expect((await database.query("select from delivery_queue")).rowCount).toBe(0);
  } finally {
    await database.close();
    await target.close();
    await server.stop("SIGQUIT");
    server.remove();
  }
}, 120_000);
