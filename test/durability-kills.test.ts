// Promise 1: an event that was answered 200 is never lost. Promise 2: every effect happens exactly once. With kill -9, under load.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { openServer } from "../src/db/server.ts";
import { folderOnDisk } from "./support/disk.ts";
import { drained, expectAllThere, load, nothingSent, type Sent, startedServers } from "./support/kill-scene.ts";
import { BOTH, type Kind } from "./support/pipe.ts";
import { readyDatabase } from "./support/ready-database.ts";
import type { Served } from "./support/serve.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const ROUNDS = LONG ? 300 : 20;
const start = startedServers();

/** Kills the server at a random moment of a load that runs on, and that was being answered, however slow the machine is. */
async function killUnderLoad(server: Served, sent: Sent): Promise<void> {
  const stop = { now: false };
  const before = sent.answered.size;
  const loading = load(server, sent, stop);
  for (let waited = 0; waited < 10_000 && sent.answered.size <= before + 5; waited += 10) await sleep(10);
  await sleep(Math.random() * 300);
  await server.end("SIGKILL");
  stop.now = true;
  await loading;
}

async function open(kind: Kind, where: string): Promise<Database> {
  return kind === "embedded" ? openEmbedded(where) : openServer({ url: where, poolSize: 2 });
}

describe.each(BOTH)("kill -9 under load, %s database", (kind) => {
  it(
    `${ROUNDS} kills lose no answered event, and every effect happens once`,
    async () => {
      const folder = folderOnDisk("billhook-kill-");
      const where = kind === "embedded" ? join(folder, "data") : await readyDatabase();
      const env =
        kind === "embedded" ? { DATA_DIR: where } : { DATABASE_URL: where, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" };
      const sent = nothingSent();
      for (let round = 0; round < ROUNDS; round++) await killUnderLoad(await start(env), sent);
      const last = await start(env);
      await drained(last);
      expect(await last.end("SIGTERM")).toBe(0);
      expect(sent.answered.size).toBeGreaterThan(ROUNDS * 5);
      const database = await open(kind, where);
      await expectAllThere(database, sent);
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
    LONG ? 3_600_000 : 180_000,
  );
});
