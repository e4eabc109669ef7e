// A load of events on a served Billhook, of which every answered one must be there with its effects, whatever ends the server.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect } from "vitest";

import type { Database } from "../../src/db/database.ts";
import { BROKEN, post, REFUSED, serve, type Served } from "./serve.ts";
import { BEGIN, event, NEW_API } from "./stripe-fixtures.ts";
import { newInvoice, PAID } from "./stripe-fixtures-billing.ts";

export const CONNECTIONS = 16;

/** Starts servers that end with their test, whatever became of it. Once in a file. */
export function startedServers(): (env: Record<string, string>) => Promise<Served> {
  const started: Served[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.end("SIGKILL")));
  });
  return async (env) => {
    const server = await serve(env);
    started.push(server);
    await server.ready();
    return server;
  };
}

export interface Sent {
  /** Event ids that were answered 200. */
  answered: Set<string>;
  /** When the sending of each request began whose connection ended before its answer. */
  broken: number[];
  next: number;
}

export function nothingSent(): Sent {
  return { answered: new Set(), broken: [], next: 0 };
}

/** Each invoice is finalized and paid, two events, in the wrong order; sends until told to stop. */
export async function load(server: Served, sent: Sent, stop: { now: boolean }): Promise<void> {
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

export async function expectAllThere(database: Database, sent: Sent): Promise<void> {
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

export async function drained(server: Served): Promise<void> {
  for (let left = 400; left > 0; left--) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    if (/^billhook_events_pending 0$/m.test(text)) return;
    await sleep(50);
  }
  throw new Error(`events stay in the queue: ${server.log()}`);
}
