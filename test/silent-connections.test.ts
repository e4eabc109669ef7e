// A machine between Billhook and its PostgreSQL that is gone: connections that are open say nothing any more, new ones work.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type App, openApp } from "../src/app.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { readConfig } from "../src/config.ts";
import { openServer } from "../src/db/server.ts";
import { limitedTo, within } from "../src/db/database.ts";
import { databaseFailure } from "../src/db/failure.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { OPERATOR_TOKEN, SECRET, SECRET_KEY, serve, signed } from "./support/serve.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

interface Way {
  /** The database, by this way. */
  url: string;
  /** What is open swallows from now on all that is said on it; `also`: what is opened, too, until it ends. */
  silence(also?: "new ones"): void;
  end(): void;
  close(): void;
}

async function wayTo(database: string): Promise<Way> {
  const target = new URL(database);
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  let isMute = false;
  const server: Server = createServer((socket) => {
    const behind = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      open.add(from);
      if (isMute) silent.add(from);
      from.on("error", () => undefined);
      from.on("data", (bytes) => {
        if (!silent.has(from)) to.write(bytes);
      });
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(database);
  url.host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url: url.href,
    silence: (also) => {
      for (const socket of open) silent.add(socket);
      isMute = also !== undefined;
    },
    end: () => {
      isMute = false;
    },
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "billhook-silent-"));
let way: Way;
beforeAll(async () => {
  way = await wayTo(await readyDatabase());
});
afterAll(() => {
  way.close();
  rmSync(folder, { recursive: true, force: true });
});

const body = (id: string): string =>
  JSON.stringify(event("invoice.paid", newInvoice({ id: `in_${id}` }), { id: `evt_${id}`, apiVersion: NEW_API }));

it("a statement with a limit ends in time as one whose connection is lost, alone or in a transaction, and the next one works", async () => {
  const database = await openServer({ url: way.url, poolSize: 2 });
  type Ask = (limitMs: number) => Promise<{ rows: { one: number }[] }>;
  const one: Ask = (limitMs) => within(database, limitMs).query<{ one: number }>("select 1 as one");
  const inTransaction: Ask = (limitMs) => database.transaction((tx) => tx.query("select 1 as one"), { limitMs });
  for (const ask of [one, inTransaction]) {
    await Promise.all([one(10_000), inTransaction(10_000)]);
    way.silence();
    const began = performance.now();
    // As many as there are connections.
    for (const { reason } of (await Promise.allSettled([ask(300), ask(300)])) as PromiseRejectedResult[])
      expect(databaseFailure(reason)).toBe("unavailable");
    expect(performance.now() - began).toBeLessThan(2_000);
    expect((await ask(10_000)).rows).toEqual([{ one: 1 }]);
  }
  await database.close();
});

it("a database for short statements gives each a limit, one's own goes before, and the next statement works", async () => {
  const database = await openServer({ url: way.url, poolSize: 2 });
  const short = limitedTo(database, 300);
  const values = [1];
  const asks = [
    () => short.query("select 1 as one"),
    () => short.query({ text: "select $1::int as one", values }),
    () => short.transaction((tx) => tx.query("select 1 as one"), { unhurried: true }),
  ];
  for (const ask of asks) {
    await ask();
    way.silence();
    await expect(ask()).rejects.toThrow("Query read timeout");
    expect((await ask()).rows).toEqual([{ one: 1 }]);
  }
  const slow = "select 1 as one from pg_sleep(0.6)";
  await expect(short.query(slow)).rejects.toThrow("Query read timeout");
  expect((await short.query({ text: slow, limitMs: 10_000 })).rows).toEqual([{ one: 1 }]);
  expect((await short.transaction((tx) => tx.query(slow), { limitMs: 10_000 })).rows).toEqual([{ one: 1 }]);
  await database.close();
});

it("the server asks each connection's machine whether it is there, and ends what nobody waits for", async () => {
  const database = await openServer({ url: way.url, poolSize: 1 });
  const settings = `select name, setting from pg_settings
    where name in ('jit', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', 'tcp_user_timeout',
                   'client_connection_check_interval') order by name`;
  const { rows } = await database.query<{ name: string; setting: string }>(settings);
  expect(rows.map(({ name, setting }) => `${name} ${setting}`)).toEqual([
    ...["client_connection_check_interval 10000", "jit off", "tcp_keepalives_count 3", "tcp_keepalives_idle 10"],
    ...["tcp_keepalives_interval 5", "tcp_user_timeout 30000"],
  ]);
  await database.close();
});

it("events on a silent connection are answered 503 in time, and the next are stored, processed and probed on new ones", async () => {
  const server = await serve({ DATABASE_URL: way.url, DATA_DIR: folder });
  try {
    await server.ready();
    const send = async (id: string): Promise<[number, string | null]> => {
      const sent = body(id);
      const headers = { "content-type": "application/json", "stripe-signature": signed(sent) };
      const options = { method: "POST", headers, body: sent, signal: AbortSignal.timeout(20_000) };
      const response = await fetch(`${server.url}/stripe/webhook/`, options);
      await response.arrayBuffer();
      return [response.status, response.headers.get("retry-after")];
    };
    const probe = async (path: string): Promise<string> =>
      (await fetch(server.url + path, { signal: AbortSignal.timeout(20_000) })).text();
    const processed = async (): Promise<number> =>
      Number(/^billhook_events_processed_total\{outcome="processed"\} (\d+)$/m.exec(await probe("/metrics"))?.[1]);
    expect((await send("before"))[0]).toBe(200);
    await expect.poll(processed, { timeout: 10_000 }).toBe(1);

    way.silence("new ones");
    const began = performance.now();
    const after = async <Answer>(answer: Promise<Answer>): Promise<{ answer: Answer; ms: number }> => ({
      answer: await answer,
      ms: performance.now() - began,
    });
    const [first, ready, metrics] = await Promise.all(
      [send("first"), probe("/readyz"), probe("/metrics")].map((answer) => after<unknown>(answer)),
    );
    expect(first?.answer).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(first?.ms).toBeLessThan(12_000);
    expect(ready).toMatchObject({ answer: expect.stringContaining("unreachable") });
    expect(ready?.ms).toBeLessThan(5_000);
    expect(metrics).toMatchObject({ answer: expect.stringContaining("billhook_events_received_total 1") });
    expect(metrics?.ms).toBeLessThan(10_000);
    way.end();
    // Each of the pool's connections that was silent costs one refusal more.
    await expect.poll(async () => (await send("first"))[0], { timeout: 40_000 }).toBe(200);
    for (const id of ["second", "third"]) expect((await send(id))[0]).toBe(200);
    await expect.poll(processed, { timeout: 40_000 }).toBe(4);
  } finally {
    await server.end("SIGKILL");
  }
}, 120_000);

/** One in this process, whose statements have half a second. */
async function openNode(
  url: string,
  more: { roles?: string; isCommand?: boolean } = {},
): Promise<{ app: App; address: string; close: () => Promise<void> }> {
  const own = mkdtempSync(join(tmpdir(), "billhook-silent-node-"));
  const env = { NODE_ENV: "test", DATA_DIR: own, DATABASE_URL: url, SECRET_KEY };
  const app = await openApp(readConfig({ ...env, BILLHOOK_ROLES: more.roles ?? "api,work" }), {
    ...{ log: silentLog, operatorToken: new Secret(OPERATOR_TOKEN) },
    ...(more.isCommand === true ? {} : { secretKeys: [new Secret(SECRET_KEY)] }),
    webhookSecrets: [{ secret: new Secret(SECRET), variable: "STRIPE_WEBHOOK_SECRET" }],
    ...{ version: "0.0.0-test", longestStatementMs: 500 },
  });
  const address = await app.api.listen({ host: "127.0.0.1", port: 0 });
  app.start();
  const close = async (): Promise<void> => {
    await app.stop();
    rmSync(own, { recursive: true, force: true });
  };
  return { app, address, close };
}

it("requests on silent connections end in time, as many as there may be, and the next ones are answered", async () => {
  const own = await wayTo(await readyDatabase());
  const { address, close } = await openNode(own.url);
  try {
    const status = async (path: string): Promise<number> => {
      const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
      const response = await fetch(address + path, { headers, signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      return response.status;
    };
    const ask = (): Promise<number> => status("/api/v1/admin/customers/");
    const wave = (): Promise<number[]> => Promise.all(Array.from({ length: 12 }, ask));
    // Half a second is short for the first twelve of a new node.
    await expect.poll(wave, { timeout: 10_000 }).toEqual(Array.from({ length: 12 }, () => 200));
    let statuses: number[] = [];
    // The node's own work may have met all that were silent before: then the whole wave went out on new ones, and goes again.
    for (let tries = 20; tries > 0 && statuses.every((status) => status === 200); tries -= 1) {
      own.silence();
      // More than there are connections.
      statuses = await wave();
    }
    expect(statuses).toContain(503);
    await expect.poll(wave, { timeout: 10_000 }).toEqual(Array.from({ length: 12 }, () => 200));
  } finally {
    // What it had begun beside the requests ends, too.
    own.close();
    await close();
  }
}, 60_000);

it("a batch that waits for longer than a statement may is given up and begun again, and its event is blamed for nothing", async () => {
  const url = await readyDatabase();
  const [{ app, address, close }, other] = await Promise.all([openNode(url), openServer({ url, poolSize: 1 })]);
  try {
    const told = async (): Promise<string> => (await fetch(`${address}/metrics`)).text();
    const sent = body("locked");
    await other.transaction(async (tx) => {
      await tx.query("lock table invoices in access exclusive mode");
      const headers = { "content-type": "application/json", "stripe-signature": signed(sent) };
      expect((await fetch(`${address}/stripe/webhook/`, { method: "POST", headers, body: sent })).status).toBe(200);
      await sleep(4_000);
      expect(await told()).toMatch(/^billhook_events_pending 1$/m);
    });
    await app.settled(20_000);
    expect(await told()).toMatch(/^billhook_events_processed_total\{outcome="processed"\} 1$/m);
    expect(await told()).toMatch(/^billhook_events_retried_total 0$/m);
    expect((await other.query("select * from stripe_event_outcomes")).rows).toEqual([]);
  } finally {
    await Promise.all([close(), other.close()]);
  }
}, 60_000);

it("a node that only answers stops at once, though its connections are silent and its figures are on their way", async () => {
  const own = await wayTo(await readyDatabase());
  const { close } = await openNode(own.url, { roles: "api" });
  try {
    // Its figures are written every five seconds.
    await sleep(4_000);
    own.silence();
    await sleep(4_000);
    const began = performance.now();
    await Promise.race([close(), sleep(8_000)]);
    expect(performance.now() - began).toBeLessThan(6_000);
  } finally {
    own.close();
  }
}, 60_000);

it("what an operator asks of all that is stored may take longer than a request's statements, and so may what a command asks", async () => {
  const url = await readyDatabase();
  const [node, command] = [await openNode(url), await openNode(url, { isCommand: true })];
  const other = await openServer({ url, poolSize: 1 });
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" };
  const list = async ({ address }: { address: string }): Promise<number> =>
    (await fetch(`${address}/api/v1/admin/stripe-events/`, { headers })).status;
  const rebuild = async (): Promise<string> => {
    const body = JSON.stringify({ check: true });
    return (await fetch(`${node.address}/api/v1/admin/rebuild/`, { method: "POST", headers, body })).text();
  };
  try {
    const { promise: asked, resolve: begin } = Promise.withResolvers<undefined>();
    const locked = other.transaction(async (tx) => {
      await tx.query("lock table stripe_events in access exclusive mode");
      begin(undefined);
      await sleep(2_000);
    });
    await asked;
    const answers = await Promise.all([list(node), list(command), rebuild()]);
    await locked;
    expect(answers).toEqual([503, 200, expect.stringContaining('"done"')]);
  } finally {
    await Promise.all([node.close(), command.close(), other.close()]);
  }
}, 60_000);
