// Kills of a served Billhook under load, on one of the databases: a file for each, so that they run beside each other.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import type { Database } from "../../src/db/database.ts";
import { openEmbedded } from "../../src/db/embedded.ts";
import { openServer } from "../../src/db/server.ts";
import { folderOnDisk } from "./disk.ts";
import { drained, expectAllThere, load, nothingSent, type Sent, startedServers } from "./kill-scene.ts";
import type { Kind } from "./pipe.ts";
import { readyDatabase } from "./ready-database.ts";
import type { Served } from "./serve.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const ROUNDS = LONG ? 300 : 20;

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

/** Once in a file. */
export function killsUnderLoad(kind: Kind): void {
  describe(`kill -9 under load, ${kind} database`, () => {
    const start = startedServers();
    it(
      `${ROUNDS} kills lose no answered event, and every effect happens once`,
      async () => {
        const folder = folderOnDisk("billhook-kill-");
        const where = kind === "embedded" ? join(folder, "data") : await readyDatabase();
        const env =
          kind === "embedded"
            ? { DATA_DIR: where }
            : { DATABASE_URL: where, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" };
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
}
