// What the two products have written, read from their databases: whether a queue is empty, and whether every event and
// object is there in its last state.
import pg from "pg";

import { openEmbedded } from "../src/db/embedded.ts";
import { lastStates } from "./events.ts";
import type { StreamOptions } from "./events.ts";

/** Both call their tables the same. */
const TABLE_OF: Record<string, string> = {
  customer: "customers",
  product: "products",
  price: "prices",
  payment_method: "payment_methods",
  setup_intent: "setup_intents",
  subscription: "subscriptions",
  invoice: "invoices",
  payment_intent: "payment_intents",
  charge: "charges",
  refund: "refunds",
  dispute: "disputes",
};
const WITHOUT_STATUS = new Set(["customer", "product", "price", "payment_method"]);

/** Answers a statement with its rows. */
export type Ask = (text: string) => Promise<Record<string, unknown>[]>;

export async function withDatabase<T>(url: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(async (text) => (await client.query<Record<string, unknown>>(text)).rows);
  } finally {
    await client.end();
  }
}

/** Of a Billhook that has ended. */
export async function withEmbedded<T>(folder: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const database = await openEmbedded(folder);
  try {
    return await work(async (text) => (await database.query(text)).rows);
  } finally {
    await database.close();
  }
}

export interface Written {
  events: number;
  /** Undefined for the peer, which keeps no events. */
  eventsStored: number | undefined;
  eventsLeft: number | undefined;
  objects: number;
  objectsProjected: number;
  /** Rows whose status is not the object's last one: a late or equally old event has won. */
  wrongStatus: number;
}

export async function writtenBy(
  product: "billhook" | "peer",
  ask: Ask,
  streams: readonly StreamOptions[],
): Promise<Written> {
  const written: Written = {
    events: streams.reduce((sum, { count }) => sum + count, 0),
    eventsStored: product === "peer" ? undefined : await countOf(ask, "select count(*) from stripe_events"),
    eventsLeft: product === "peer" ? undefined : await countOf(ask, LEFT),
    ...{ objects: 0, objectsProjected: 0, wrongStatus: 0 },
  };
  const expected = streams.flatMap((stream) => [...lastStates(stream)]);
  for (const [kind, table] of Object.entries(TABLE_OF)) {
    const objects = new Map(expected.filter(([name]) => name === kind).flatMap(([, states]) => [...states]));
    const status = WITHOUT_STATUS.has(kind) ? "null" : "status::text";
    const rows = await ask(`select id, ${status} as status from ${product === "peer" ? "stripe." : ""}${table}`);
    written.objects += objects.size;
    written.objectsProjected += rows.filter(({ id }) => objects.has(String(id))).length;
    if (!WITHOUT_STATUS.has(kind)) {
      written.wrongStatus += rows.filter((row) => objects.get(String(row.id)) !== row.status).length;
    }
  }
  return written;
}

/** Throws when something is missing: a fast product that loses events is not fast. */
export function requireAll(written: Written): void {
  const { events, eventsStored = events, eventsLeft = 0, objects, objectsProjected } = written;
  if (eventsStored !== events || eventsLeft !== 0 || objectsProjected !== objects) {
    throw new Error(`not everything was written: ${JSON.stringify(written)}`);
  }
}

export async function queueIsEmpty(ask: Ask): Promise<boolean> {
  // By the index, which forgets dead entries: past the dead rows of a drained table each look took 0.6 ms.
  return (await ask("select seq from stripe_event_queue order by seq limit 1")).length === 0;
}

export async function queueLength(ask: Ask): Promise<number> {
  return countOf(ask, "select count(*) from stripe_event_queue");
}

async function countOf(ask: Ask, text: string): Promise<number> {
  const [row] = await ask(text);
  return Number(row?.count);
}

/** Still queued, or given up. */
const LEFT = `
  select (select count(*) from stripe_event_queue)
       + (select count(*) from stripe_event_outcomes where status <> 'ignored') as count`;
