// `billhook backup` beside a server under load is one moment of it, and `billhook restore` that is killed leaves one database or the other.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openEmbedded } from "../src/db/embedded.ts";
import { openServer } from "../src/db/server.ts";
import { compileCache } from "./support/compile-cache.ts";
import { freshDatabase } from "./support/postgres.ts";
import { type Ended, runBillhook } from "./support/run-billhook.ts";
import { OPERATOR_TOKEN, post, SECRET_KEY, serve, type Served } from "./support/serve.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

const KILLS = process.env.BILLHOOK_TEST_LONG === "1" ? 40 : 4;
const folder = mkdtempSync(join(tmpdir(), "billhook-backup-command-"));
const file = join(folder, "a.backup");
const dataDir = join(folder, "data");
const env = { OPERATOR_TOKEN, SECRET_KEY, SANDBOX_PORT: "off" };
const billhook = (where: string, ...args: string[]): Promise<Ended> =>
  runBillhook(args, {
    ...env,
    ...(where.startsWith("postgres") ? { DATABASE_URL: where, DATA_DIR: folder } : { DATA_DIR: where }),
  });
const paid = (number: number): string =>
  JSON.stringify(
    event("invoice.paid", newInvoice({ id: `in_b${number}`, ...PAID }), {
      ...{ id: `evt_b${number}`, created: BEGIN + number, apiVersion: NEW_API },
    }),
  );

let server: Served;
const answered = new Set<string>();
/** Answered before the backup was asked for. */
let before: string[] = [];
let made: Ended;

beforeAll(async () => {
  server = await serve({ DATA_DIR: dataDir });
  await server.ready();
  let [number, stop] = [0, false];
  const load = async (): Promise<void> => {
    while (!stop) {
      const mine = number++;
      if ((await post(server.url, paid(mine))) === 200) answered.add(`evt_b${mine}`);
    }
  };
  const loading = Promise.all(Array.from({ length: 4 }, load));
  while (answered.size < 300) await sleep(10);
  before = [...answered];
  made = await billhook(dataDir, "backup", file);
  stop = true;
  await loading;
}, 120_000);
afterAll(async () => {
  await server.end("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("a backup that was taken beside a server under load", () => {
  it("is a file for its user alone, says what is not inside, and is not overwritten", async () => {
    expect([made.code, made.out]).toEqual([
      0,
      expect.stringMatching(/a\.backup: \d+ rows of \d+ tables .* whole\.\n$/),
    ]);
    expect(made.err).toContain("Keep SECRET_KEY too");
    expect([statSync(file).mode & 0o777, existsSync(`${file}.part`)]).toEqual([0o600, false]);
    const again = await billhook(dataDir, "backup", file);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("--force")]);
    const nowhere = await billhook(dataDir, "backup", join(folder, "no", "a.backup"));
    expect([nowhere.code, nowhere.err]).toEqual([
      2,
      expect.stringContaining(`no folder ${join(folder, "no")}: make it`),
    ]);
    const bytes = readFileSync(file);
    for (const secret of [SECRET_KEY, OPERATOR_TOKEN]) expect(bytes.includes(secret)).toBe(false);
  });

  it("holds every event that was answered before, restored on a server with no differences in rows and ledger", async () => {
    const url = await freshDatabase();
    const restored = await billhook(url, "restore", file);
    expect([restored.code, restored.err]).toEqual([0, expect.stringContaining("billhook rebuild --check")]);
    const checked = await billhook(url, "rebuild", "--check");
    expect([checked.code, checked.out]).toEqual([0, expect.stringContaining("no differences")]);
    expect((await billhook(url, "ledger", "verify")).code).toBe(0);
    const database = await openServer({ url, poolSize: 1 });
    const { rows } = await database.query<{ id: string }>("select id from stripe_events");
    const stored = new Set(rows.map(({ id }) => id));
    expect(before.filter((id) => !stored.has(id))).toEqual([]);
    expect(stored.size).toBeGreaterThanOrEqual(before.length);
    await database.close();
  }, 60_000);

  it("is refused by a command when it is cut off, and by a server's folder that is in use", async () => {
    const held = await billhook(dataDir, "restore", file, "--replace");
    expect([held.code, held.err]).toEqual([1, expect.stringContaining("Stop that process first")]);
    const short = join(folder, "short.backup");
    const whole = await billhook(dataDir, "backup", short);
    expect([whole.code, whole.err]).toEqual([0, expect.stringContaining("Keep SECRET_KEY too")]);
    const nothing = await billhook(dataDir, "restore", join(folder, "nope"));
    expect([nothing.code, nothing.err]).toEqual([2, expect.stringContaining(`no file ${join(folder, "nope")}: give`)]);
    truncateSync(short, statSync(short).size - 100);
    const where = join(folder, "cut");
    const cut = await billhook(where, "restore", short, "--json");
    expect([cut.code, JSON.parse(cut.err)]).toEqual([1, expect.objectContaining({ code: "backup_cut_off" })]);
    expect(existsSync(where)).toBe(false);
  }, 60_000);
});

describe("a restore that is killed", () => {
  /** Killed after so many milliseconds; false: it had ended. */
  async function killed(args: string[], where: Record<string, string>, after: number): Promise<boolean> {
    const launcher = join(import.meta.dirname, "../bin/billhook.mjs");
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [launcher, ...args], {
      env: { PATH, ...compileCache(), NODE_ENV: "test", ...env, ...where },
      stdio: "ignore",
    });
    const ended = new Promise<boolean>((resolve) => {
      child.once("exit", (_code, signal) => {
        resolve(signal === "SIGKILL");
      });
    });
    await sleep(after);
    child.kill("SIGKILL");
    return ended;
  }

  it(`at ${KILLS} moments leaves a folder's old database or the new one, each whole`, async () => {
    const where = join(folder, "killed");
    const began = performance.now();
    expect((await billhook(where, "restore", file)).code).toBe(0);
    const took = performance.now() - began;
    const first = await openEmbedded(where);
    const { rows: whole } = await first.query<{ count: number }>("select count(*) as count from stripe_events");
    await first.close();
    let kills = 0;
    for (let round = 0; round < KILLS; round++) {
      const old = await openEmbedded(where);
      await old.query("update tenants set company_name = 'the old one'");
      await old.close();
      if (await killed(["restore", file, "--replace"], { DATA_DIR: where }, (0.1 + 0.9 * Math.random()) * took))
        kills += 1;
      const now = await openEmbedded(where);
      const { rows } = await now.query<{ count: number; old: boolean }>(
        "select (select count(*) from stripe_events) as count, bool_and(company_name = 'the old one') as old from tenants",
      );
      expect(rows[0]?.count).toBe(whole[0]?.count);
      await now.close();
    }
    expect(kills).toBeGreaterThan(0);
  }, 600_000);

  it("leaves a server's old database", async () => {
    const url = await freshDatabase();
    expect((await billhook(url, "restore", file)).code).toBe(0);
    const database = await openServer({ url, poolSize: 1, name: "a test" });
    const counted = async (): Promise<unknown> =>
      (await database.query("select count(*) as events, (select count(*) from facts) as facts from stripe_events"))
        .rows;
    const old = await counted();
    for (let round = 0; round < 2; round++)
      await killed(["restore", file, "--replace"], { DATABASE_URL: url, DATA_DIR: folder }, 700 + Math.random() * 1500);
    // What the killed one had begun is rolled back as soon as the server sees that it is gone.
    await expect.poll(counted, { timeout: 10_000 }).toEqual(old);
    await database.close();
  }, 120_000);
});
