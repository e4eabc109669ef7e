// `billhook move` under load: every event that was answered 200 anywhere is in the new database, each effect once; a move that fails
// changes nothing.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, expect, it } from "vitest";

import { openServer } from "../src/db/server.ts";
import { freshDatabase } from "./support/postgres.ts";
import { readyFolder } from "./support/ready-database.ts";
import { type Ended, runBillhook } from "./support/run-billhook.ts";
import { OPERATOR_TOKEN, post, SECRET_KEY, serve, type Served } from "./support/serve.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-move-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const started: Served[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.end("SIGKILL")));
});

async function start(env: Record<string, string>): Promise<Served> {
  const server = await serve(env);
  started.push(server);
  await server.ready();
  return server;
}

const billhook = (dataDir: string, ...args: string[]): Promise<Ended> =>
  runBillhook(args, { OPERATOR_TOKEN, SECRET_KEY, SANDBOX_PORT: "off", DATA_DIR: dataDir });

interface Load {
  /** Where it is posted; changed by the test. */
  url: string;
  answered: Set<string>;
  /** Statuses other than 200 that came, each with how often. */
  refused: Map<number, number>;
  /** Ends when every event that was begun has been answered 200. */
  stop(): Promise<void>;
}

/** Posts events as Stripe does: what is not answered 200 is posted again until it is. Each invoice is finalized and paid. */
function load(url: string): Load {
  let [next, stopped] = [0, false];
  const state: Omit<Load, "stop"> = { url, answered: new Set(), refused: new Map() };
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const number = next++;
      const [type, says] = number % 2 === 0 ? (["invoice.paid", PAID] as const) : (["invoice.finalized", {}] as const);
      const invoice = Math.floor(number / 2);
      const id = `evt_m${number}`;
      const options = { id, created: BEGIN + invoice, apiVersion: NEW_API };
      const body = JSON.stringify(event(type, newInvoice({ id: `in_m${invoice}`, ...says }), options));
      for (let status = 0; status !== 200;) {
        status = await post(state.url, body);
        if (status === 200) state.answered.add(id);
        else {
          state.refused.set(status, (state.refused.get(status) ?? 0) + 1);
          await sleep(20);
        }
      }
      await sleep(5);
    }
  };
  const working = Promise.all(Array.from({ length: 4 }, worker));
  return Object.assign(state, {
    stop: async () => {
      stopped = true;
      await working;
    },
  });
}

async function drained(server: Served): Promise<void> {
  for (let left = 600; left > 0; left--) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    if (/^billhook_events_pending 0$/m.test(text)) return;
    await sleep(50);
  }
  throw new Error(`events stay in the queue: ${server.log()}`);
}

async function answer(
  server: Served,
  path: string,
): Promise<{ status: number; code: unknown; retryAfter: string | null }> {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${OPERATOR_TOKEN}` } });
  const { code } = (await response.json()) as { code?: unknown };
  return { status: response.status, code, retryAfter: response.headers.get("retry-after") };
}

it("loses no answered event and doubles no effect; the old server takes nothing in any more, and its folder does not open", async () => {
  const dataDir = join(folder, "load");
  const target = await freshDatabase();
  const old = await start({ DATA_DIR: dataDir });
  const loading = load(old.url);
  while (loading.answered.size < 200) await sleep(10);

  const moved = await billhook(dataDir, "move", "--to", target);
  expect([moved.code, moved.err]).toEqual([0, expect.stringContaining("Now set DATABASE_URL")]);
  expect(moved.out).toMatch(/^\d+ rows of \d+ tables are in 127\.0\.0\.1:\d+\/\S+, each compared\.\n$/);
  expect(moved.out + moved.err).not.toContain(new URL(target).password || "no password");
  // Stripe and everybody else is told to come again; probes are answered.
  expect([...loading.refused.keys()]).toEqual([503]);
  const body = JSON.stringify(
    event("invoice.paid", newInvoice({ id: "in_late" }), { id: "evt_late", apiVersion: NEW_API }),
  );
  expect(await post(old.url, body)).toBe(503);
  expect(await answer(old, "/api/v1/admin/overview/")).toEqual({ status: 503, code: "moved", retryAfter: "10" });
  expect([(await fetch(`${old.url}/healthz`)).status, (await fetch(`${old.url}/readyz`)).status]).toEqual([200, 503]);

  const next = await start({ DATABASE_URL: target, DATA_DIR: dataDir });
  loading.url = next.url;
  expect(await old.end("SIGTERM")).toBe(0);
  const [answeredBefore] = [loading.answered.size];
  while (loading.answered.size < answeredBefore + 100) await sleep(10);
  await loading.stop();
  await drained(next);
  expect(await next.end("SIGTERM")).toBe(0);

  const database = await openServer({ url: target, poolSize: 1 });
  const { rows: stored } = await database.query<{ id: string }>("select id from stripe_events");
  const ids = new Set(stored.map(({ id }) => id));
  expect([...loading.answered].filter((id) => !ids.has(id))).toEqual([]);
  expect([ids.size, ids.has("evt_late")]).toEqual([loading.answered.size, false]);
  const paid = [...ids].filter((id) => Number(id.slice(5)) % 2 === 0).map((id) => `in_m${Number(id.slice(5)) / 2}`);
  const { rows: facts } = await database.query<{ key: string }>(
    "select natural_key as key from facts where type = 'invoice.paid'",
  );
  expect(facts.map(({ key }) => key).sort()).toEqual(paid.sort());
  const { rows: told } = await database.query<{ id: string }>(
    "select object_id as id from events where type = 'invoice.paid' order by 1",
  );
  expect(told.map(({ id }) => id)).toEqual(paid.sort());
  await database.close();
  const checked = await runBillhook(["rebuild", "--check"], { SECRET_KEY, DATABASE_URL: target, DATA_DIR: dataDir });
  expect([checked.code, checked.out]).toEqual([0, expect.stringContaining("no differences")]);

  const opened = await billhook(dataDir, "migrate");
  expect([opened.code, opened.err]).toEqual([1, expect.stringMatching(/was moved to 127\.0\.0\.1.*set DATABASE_URL/)]);
}, 240_000);

it("that fails leaves the target empty, and the server goes on with all that it was sent", async () => {
  const dataDir = join(folder, "fails");
  const used = await freshDatabase();
  const server = await start({ DATA_DIR: dataDir });
  const target = await openServer({ url: used, poolSize: 1, name: "a test" });
  await target.query("create table tenants (id text)");
  await target.query("insert into tenants values ('ten_other')");
  const loading = load(server.url);
  while (loading.answered.size < 50) await sleep(10);

  const refused = await billhook(dataDir, "move", "--to", used);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("holds rows of Billhook's")]);
  // It was seen before the server was asked for anything.
  expect([...loading.refused.keys()]).toEqual([]);

  // Its owner may not make tables there: the copying fails when the server is held already.
  await target.query("drop table tenants");
  await target.query(
    "create function refuse() returns event_trigger language plpgsql as $$ begin raise exception 'not here'; end $$",
  );
  await target.query(
    "create event trigger refuse on ddl_command_start when tag in ('CREATE INDEX') execute function refuse()",
  );
  const failed = await billhook(dataDir, "move", "--to", used);
  expect([failed.code, failed.err]).toEqual([1, expect.stringContaining("not here")]);
  await target.query("drop event trigger refuse");
  expect((await target.query("select relname from pg_class where relname = 'stripe_events'")).rows).toEqual([]);
  expect(existsSync(join(dataDir, "moved.json"))).toBe(false);

  const sofar = loading.answered.size;
  while (loading.answered.size < sofar + 50) await sleep(10);
  await loading.stop();
  await drained(server);

  // And now it moves without the server.
  expect(await server.end("SIGTERM")).toBe(0);
  const moved = await billhook(dataDir, "move", "--to", used, "--json");
  expect([moved.code, JSON.parse(moved.out)]).toEqual([
    0,
    expect.objectContaining({ to: expect.stringContaining("127.0.0.1") }),
  ]);
  const { rows } = await target.query<{ count: number }>("select count(*) as count from stripe_events");
  expect(rows[0]?.count).toBe(loading.answered.size);
  await target.close();
}, 240_000);

it("to a server that is not there names --to, and changes nothing", async () => {
  const dataDir = await readyFolder(join(folder, "unreachable"));
  const ended = await billhook(dataDir, "move", "--to", "postgres://somebody:secret@127.0.0.1:9/billhook");
  expect([ended.code, ended.out]).toEqual([1, ""]);
  expect(ended.err).toMatch(/^billhook: The database does not let this process in \(.*\): check --to, and .*\n$/);
  expect(ended.err).not.toContain("secret");
  expect(existsSync(join(dataDir, "moved.json"))).toBe(false);
});
