// Promise 1: an event that was answered 200 is never lost. Promise 2: every effect happens exactly once. With kill -9, under load.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { openServer } from "../src/db/server.ts";
import { BROKEN, post, REFUSED, serve, type Served } from "./support/serve.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { BOTH, type Kind } from "./support/pipe.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const ROUNDS = LONG ? 300 : 20;
const CONNECTIONS = 16;

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

interface Sent {
  /** Event ids that were answered 200. */
  answered: Set<string>;
  /** When the sending of each request began whose connection ended before its answer. */
  broken: number[];
  next: number;
}

/** Each invoice is finalized and paid, two events, in the wrong order; sends until told to stop. */
async function load(server: Served, sent: Sent, stop: { now: boolean }): Promise<void> {
  const worker = async (): Promise<void> => {
    while (!stop.now) {
      const number = sent.next++;
      const invoice = Math.floor(number / 2);
      const id = `evt_k${number}`;
      const [type, says] = number % 2 === 0 ? (["invoice.paid", PAID] as const) : (["invoice.finalized", {}] as const);
      const body = event(type, newInvoice({ id: `in_k${invoice}`, ...says }), {
        id,
        created: BEGIN + invoice,
        apiVersion: NEW_API,
      });
      const began = performance.now();
      const status = await post(server.url, JSON.stringify(body));
      if (status === 200) sent.answered.add(id);
      if (status === BROKEN) sent.broken.push(began);
      // Refused at once, again and again: the loop would take the processor from the server that ends.
      if (status === REFUSED) await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

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

async function expectAllThere(database: Database, sent: Sent): Promise<void> {
  const { rows: stored } = await database.query<{ id: string }>("select id from stripe_events");
  const ids = new Set(stored.map((row) => row.id));
  expect([...sent.answered].filter((id) => !ids.has(id))).toEqual([]);
  expect(ids.size).toBe(stored.length);
  expect((await database.query("select * from stripe_event_queue")).rows).toEqual([]);
  expect((await database.query("select * from stripe_event_outcomes")).rows).toEqual([]);
  const paid = new Set(
    [...ids].filter((id) => Number(id.slice(5)) % 2 === 0).map((id) => `in_k${Number(id.slice(5)) / 2}`),
  );
  const { rows: invoices } = await database.query<{ id: string; status: string }>(
    "select id, status from invoices order by id",
  );
  expect(invoices.filter((row) => row.status === "paid").map((row) => row.id)).toEqual([...paid].sort());
  const { rows: facts } = await database.query<{ natural_key: string }>(
    "select natural_key from facts where type = 'invoice.paid' order by 1",
  );
  expect(facts.map((fact) => fact.natural_key)).toEqual([...paid].sort());
}

async function drained(server: Served): Promise<void> {
  for (let left = 400; left > 0; left--) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    if (/^billhook_events_pending 0$/m.test(text)) return;
    await sleep(50);
  }
  throw new Error(`events stay in the queue: ${server.log()}`);
}

async function open(kind: Kind, where: string): Promise<Database> {
  return kind === "embedded" ? openEmbedded(where) : openServer({ url: where, poolSize: 2 });
}

describe.each(BOTH)("kill -9 under load, %s database", (kind) => {
  it(
    `${ROUNDS} kills lose no answered event, and every effect happens once`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "billhook-kill-"));
      const where = kind === "embedded" ? join(folder, "data") : await readyDatabase();
      const env =
        kind === "embedded" ? { DATA_DIR: where } : { DATABASE_URL: where, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" };
      const sent: Sent = { answered: new Set(), broken: [], next: 0 };
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

describe("several processes on one PostgreSQL", () => {
  it("share the work, and take over what a killed one had claimed", async () => {
    const url = await readyDatabase();
    const folder = mkdtempSync(join(tmpdir(), "billhook-share-"));
    const env = { DATABASE_URL: url, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" };
    const door = await start({ ...env, BILLHOOK_ROLES: "api" });
    const [first, second] = await Promise.all([
      start({ ...env, BILLHOOK_ROLES: "work" }),
      start({ ...env, BILLHOOK_ROLES: "work" }),
    ]);
    const sent: Sent = { answered: new Set(), broken: [], next: 0 };
    const stop = { now: false };
    const loading = load(door, sent, stop);
    await sleep(600);
    await first.end("SIGKILL");
    await sleep(600);
    stop.now = true;
    await loading;
    await drained(door);
    const processed = await (await fetch(`${second.url}/metrics`)).text();
    expect(
      Number(/^billhook_events_processed_total\{outcome="processed"\} (\d+)/m.exec(processed)?.[1]),
    ).toBeGreaterThan(0);
    const database = await openServer({ url, poolSize: 2 });
    await expectAllThere(database, sent);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }, 90_000);

  it("SIGTERM answers what has come, finishes what is claimed, and exits 0", async () => {
    const url = await readyDatabase();
    const folder = mkdtempSync(join(tmpdir(), "billhook-term-"));
    const server = await start({ DATABASE_URL: url, DATA_DIR: folder });
    const sent: Sent = { answered: new Set(), broken: [], next: 0 };
    const stop = { now: false };
    const loading = load(server, sent, stop);
    await sleep(400);
    const signalled = performance.now();
    const ending = server.end("SIGTERM");
    // The load runs on into the stop: a few more are sent while it lasts.
    await sleep(20);
    stop.now = true;
    await loading;
    expect(await ending).toBe(0);
    expect(sent.answered.size).toBeGreaterThan(CONNECTIONS);
    expect(sent.broken.filter((began) => began < signalled)).toEqual([]);
    const database = await openServer({ url, poolSize: 2 });
    const { rows } = await database.query<{ id: string }>("select id from stripe_events");
    const ids = new Set(rows.map((row) => row.id));
    expect([...sent.answered].filter((id) => !ids.has(id))).toEqual([]);
    // What was answered but not yet claimed waits for the next start; what was claimed was finished.
    expect((await database.query("select * from stripe_event_queue where lease is not null")).rows).toEqual([]);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it("a request that is never finished holds up the exit for no more than 15 s", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-half-"));
    const server = await start({ DATABASE_URL: await readyDatabase(), DATA_DIR: folder });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(socket, "connect");
    // The server may end this connection in any way that it likes.
    socket.on("error", () => undefined);
    const head = ["POST /stripe/webhook/ HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"];
    socket.write([...head, "content-length: 1000", "", '{"id": "evt_half'].join("\r\n"));
    await sleep(200);
    const signalled = performance.now();
    expect(await server.end("SIGTERM")).toBe(0);
    expect(performance.now() - signalled).toBeLessThan(15_000);
    socket.destroy();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});
