// `billhook import` as a process that is killed: whatever it had read by then, running it again ends with all that Stripe has.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterAll, beforeAll, expect, it } from "vitest";

import { openEmbedded } from "../src/db/embedded.ts";
import { compileCache } from "./support/compile-cache.ts";
import { readyFolder } from "./support/ready-database.ts";
import { runBillhook } from "./support/run-billhook.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./support/sandbox.ts";
import { freePort } from "./support/free-port.ts";
import { OPERATOR_TOKEN, SECRET, SECRET_KEY, serve } from "./support/serve.ts";

/** The day's run takes this many products; the long one, by IMPORT_TEST_OBJECTS, as many as are asked for. */
const PRODUCTS = Number(process.env.IMPORT_TEST_OBJECTS ?? 8000);
const KILLS = 5;
const MADE_OVER_SECONDS = 400_000;
/** A hundred pages take ten seconds, as Stripe's limit has it. */
const PATIENCE_MS = 180_000 + PRODUCTS * 4;

let sandbox: OpenSandbox;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  sandbox = await openSandbox();
  sandbox.seed();
  makeProducts();
  folder = mkdtempSync(join(tmpdir(), "billhook-import-killed-"));
  env = {
    ...{ DATA_DIR: await readyFolder(join(folder, "data")), PORT: String(await freePort()), SANDBOX_PORT: "off" },
    ...{ STRIPE_SECRET_KEY: SANDBOX_KEY, STRIPE_API_BASE: sandbox.url, STRIPE_WEBHOOK_SECRET: SECRET },
    ...{ OPERATOR_TOKEN, SECRET_KEY, LOG_LEVEL: "error" },
  };
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Made over days, as those of a business are. Of products: methods of payment, which every customer may have, are read one customer at a time. */
function makeProducts(): void {
  const [model] = sandbox.objects("product");
  if (model === undefined) throw new Error("the sandbox has no product");
  const now = Math.floor(Date.now() / 1000);
  sandbox.world.run((tx) => {
    for (let index = 0; index < PRODUCTS; index += 1) {
      const created = now - MADE_OVER_SECONDS + Math.floor((index * MADE_OVER_SECONDS) / PRODUCTS);
      const id = `prod_imported${String(index).padStart(6, "0")}`;
      tx.put("product", { ...model, id, name: `Product ${index}`, created });
    }
  });
}

/** Runs `billhook import` until it has read so many objects, and kills it; returns how many it had told of. */
async function killedAfter(objects: number): Promise<number> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["bin/billhook.mjs", "import", "--json"], {
    env: { PATH, ...compileCache(), NODE_ENV: "test", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let done = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { progress } = JSON.parse(line) as { progress?: { done: number } };
    done = progress?.done ?? done;
    if (done < objects) continue;
    child.kill("SIGKILL");
    break;
  }
  expect(await ended).toEqual([null, "SIGKILL"]);
  return done;
}

it(
  `${KILLS} kills of a run: the next one reads what is left, and then every row is Stripe's object`,
  async () => {
    // Progress is told a few times a second: by then a run has read more.
    const each = Math.floor(PRODUCTS / (KILLS * 3));
    let told = 0;
    for (let kill = 0; kill < KILLS; kill += 1) told += await killedAfter(each);
    const { code, out, err } = await runBillhook(["import", "--json"], env);
    expect([code, err]).toEqual([0, ""]);
    const last = JSON.parse(out.trim().split("\n").at(-1) ?? "{}") as { done?: { objects: number; failed: number } };
    expect(last.done?.failed).toBe(0);
    // Of a kind that was cut off only what was left is read. What a killed run had told of was stored.
    expect(told).toBeGreaterThanOrEqual(KILLS * each);

    const served = await serve(env);
    await served.ready();
    await expect.poll(async () => pendingOf(await (await fetch(`${served.url}/metrics`)).text()), WAIT).toBe("0");
    expect(await served.end("SIGTERM")).toBe(0);

    const database = await openEmbedded(env.DATA_DIR ?? "");
    const { rows } = await database.query<{ id: string; name: string; created: number }>(
      `select id, name, extract(epoch from stripe_created)::float8 as created from products order by id collate "C"`,
    );
    const { rows: runs } = await database.query("select objects from imports where object_type = 'product'");
    const { rows: left } = await database.query("select * from import_ranges");
    await database.close();
    const theirs = sandbox.objects("product").map(({ id, name, created }) => ({ id, name, created }));
    expect(rows).toEqual(theirs.sort((a, b) => (a.id < b.id ? -1 : 1)));
    // Each once: no page that was committed was read again.
    expect(runs).toEqual([{ objects: theirs.length }]);
    expect(left).toEqual([]);
  },
  PATIENCE_MS,
);

const WAIT = { timeout: PATIENCE_MS, interval: 100 };
const pendingOf = (metrics: string): string | undefined => /^billhook_events_pending (\d+)$/m.exec(metrics)?.[1];
