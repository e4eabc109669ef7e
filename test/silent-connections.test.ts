// A machine between Billhook and its PostgreSQL that is gone: connections that are open say nothing any more, new ones work.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { openServer } from "../src/db/server.ts";
import { within } from "../src/db/database.ts";
import { databaseFailure } from "../src/db/failure.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { serve, signed } from "./support/serve.ts";
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
  const one = () => within(database, 300).query<{ one: number }>("select 1 as one");
  const inTransaction = () => database.transaction((tx) => tx.query("select 1 as one"), { limitMs: 300 });
  for (const ask of [one, inTransaction]) {
    await Promise.all([one(), inTransaction()]);
    way.silence();
    const began = performance.now();
    // As many as there are connections.
    for (const { reason } of (await Promise.allSettled([ask(), ask()])) as PromiseRejectedResult[])
      expect(databaseFailure(reason)).toBe("unavailable");
    expect(performance.now() - began).toBeLessThan(2_000);
    expect((await ask()).rows).toEqual([{ one: 1 }]);
  }
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
      (await fetch(server.url + path, { signal: AbortSignal.timeout(10_000) })).text();
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
