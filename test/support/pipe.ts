// The pipe without its HTTP door, for tests: real database, real receiver, real processor; what they made can be read back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { textArray } from "../../src/db/arrays.ts";
import type { Database } from "../../src/db/database.ts";
import { openEmbedded } from "../../src/db/embedded.ts";
import { migrate } from "../../src/db/migrate.ts";
import { openServer } from "../../src/db/server.ts";
import { type FetchedObject, observe } from "../../src/inbox/observe.ts";
import { insertEvents, type Lane } from "../../src/inbox/event-tables.ts";
import { processOnce, type ProcessOptions } from "../../src/inbox/process.ts";
import { incomingEvent } from "../../src/inbox/receive.ts";
import { PROJECTIONS } from "../../src/projections/registry.ts";
import { readEnvelope } from "../../src/stripe/envelope.ts";
import { ensurePlatformTenant } from "../../src/tenants/platform.ts";
import { readyDatabase, readyFolder } from "./ready-database.ts";

export type Kind = "embedded" | "server";
export const BOTH: readonly Kind[] = ["embedded", "server"];

/** A Stripe event as it would be sent, or an object as it was fetched. */
export type Arrival = { event: Record<string, unknown> } | { fetched: FetchedObject };

export interface Pipe {
  database: Database;
  /** The owner's address of the server's database; undefined embedded. */
  url: string | undefined;
  platformTenant: string;
  /** Stores arrivals in one batch; what was stored before is a duplicate. */
  arrive(arrivals: readonly Arrival[]): Promise<void>;
  /**
   * Processes until nothing is due, nor given back because another worker held its object. What failed waits for its retry. Of
   * a lane what it finds at once, by whole objects, as a worker does off a backlog.
   */
  drain(options?: Partial<ProcessOptions>, lane?: Lane): Promise<void>;
  processOptions(options?: Partial<ProcessOptions>): ProcessOptions;
  close(): Promise<void>;
}

/** `serverUrl`: an empty database of another server than the run's. */
export async function openPipe(kind: Kind, log: Log = silentLog, serverUrl?: string): Promise<Pipe> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-pipe-"));
  const url = kind === "embedded" ? undefined : (serverUrl ?? (await readyDatabase()));
  const database =
    url === undefined
      ? await openEmbedded(await readyFolder(join(folder, "data")))
      : await openServer({ url, poolSize: 8 });
  await migrate(database);
  const platformTenant = await ensurePlatformTenant(database);
  const processOptions = (options: Partial<ProcessOptions> = {}): ProcessOptions => ({
    database,
    clock: systemClock,
    log,
    context: { kind: database.kind, platformTenant },
    metrics: { batch: () => undefined, retried: () => undefined, failed: () => undefined },
    leaseSeconds: 30,
    maxAttempts: 3,
    batchSize: 50,
    newLease: () => newId("node"),
    ...options,
  });
  return {
    database,
    url,
    platformTenant,
    processOptions,
    arrive: (arrivals) => arrive(database, platformTenant, arrivals),
    drain: async (options, lane) => {
      do while ((await processOnce(processOptions(options), lane)).claimed > 0);
      while (lane === undefined && (await anyGivenBack(database)));
    },
    close: async () => {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits a moment when there is. No attempt is counted of what is given back, but is of what failed. */
async function anyGivenBack(database: Database): Promise<boolean> {
  const { rows } = await database.query(
    "select 1 from stripe_event_queue where lease is null and attempts = 0 and next_attempt_at < now() + interval '100 milliseconds' limit 1",
  );
  if (rows.length > 0) await setTimeout(5);
  return rows.length > 0;
}

async function arrive(database: Database, platformTenant: string, arrivals: readonly Arrival[]): Promise<void> {
  const events = arrivals.flatMap((arrival) => {
    if (!("event" in arrival)) return [];
    const payload = Buffer.from(JSON.stringify(arrival.event), "utf8");
    const reading = readEnvelope(payload);
    if (!reading.ok) throw new Error(`not an event: ${reading.detail}`);
    return [incomingEvent(reading.envelope, payload, platformTenant)];
  });
  if (events.length > 0) await insertEvents(database, events);
  await observe(
    database,
    arrivals.flatMap((arrival) => ("fetched" in arrival ? [arrival.fetched] : [])),
    platformTenant,
  );
}

/** Columns that say when or in which observation of several equal ones we learned something, and those of our own ids. */
const NOT_STATE = new Set(["updated_at", "tenant_id"]);

export interface State {
  rows: Record<string, Record<string, unknown>[]>;
  /** Without those of `*.updated`, which are told as batches come. */
  facts: string[];
  /** Those of them that tenants were told, as often as they were. */
  told: string[];
}

const UPDATED = PROJECTIONS.flatMap(({ updated }) => updated ?? []);

/** Every projection row, every fact and every event whose object id ends in `suffix`, as plain values. */
export async function stateOf(database: Database, suffix: string): Promise<State> {
  const [state = { rows: {}, facts: [], told: [] }] = await statesOf(database, [suffix]);
  return state;
}

/** As `stateOf` of each suffix, none of which ends with another, in one reading of all tables. */
export async function statesOf(database: Database, suffixes: readonly string[]): Promise<State[]> {
  const tables = PROJECTIONS.flatMap((projection) => [
    projection.table,
    ...(projection.children ?? []).map((child) => child.table),
  ]);
  const states = new Map(suffixes.map((suffix): [string, State] => [suffix, { rows: {}, facts: [], told: [] }]));
  const lengths = new Set(suffixes.map(({ length }) => length));
  /** Whose it is: each length is looked up, so that thousands of rows are not held against each suffix. */
  const ownerOf = (id: unknown): [string, State] | undefined => {
    for (const length of lengths) {
      const suffix = String(id).slice(-length);
      const state = states.get(suffix);
      if (state !== undefined) return [suffix, state];
    }
    return undefined;
  };
  const endings = textArray(suffixes.map((suffix) => `%${suffix}`));
  for (const table of tables) {
    const found = await database.query({
      text: `select * from ${table} where id like any ($1::text[]) order by livemode, stripe_account, id`,
      values: [endings],
    });
    for (const row of found.rows) {
      const [suffix, state] = ownerOf(row.id) ?? [];
      if (suffix !== undefined && state !== undefined) (state.rows[table] ??= []).push(plain(row, suffix));
    }
  }
  for (const [name, text] of [["facts", FACTS_OF] as const, ["told", TOLD_OF] as const]) {
    const found = await database.query<{ object_id: string; fact: string }>({ text, values: [endings, UPDATED] });
    for (const { object_id: id, fact } of found.rows) {
      const [suffix, state] = ownerOf(id) ?? [];
      if (suffix !== undefined && state !== undefined) state[name].push(fact.replaceAll(suffix, ""));
    }
  }
  for (const state of states.values()) {
    state.facts.sort();
    state.told.sort();
  }
  return suffixes.map((suffix) => states.get(suffix) ?? { rows: {}, facts: [], told: [] });
}

const FACTS_OF = `
  select object_id, type || ' ' || natural_key || ' ' || extract(epoch from occurred_at) || ' ' || observation_id as fact
  from facts where object_id like any ($1::text[]) and type <> all ($2)`;
const TOLD_OF = `
  select event.object_id, event.type || ' ' || coalesce(fact.natural_key, '?') as fact
  from events as event left join facts as fact on fact.event_id = event.id
  where event.object_id like any ($1::text[]) and event.type <> all ($2)`;

/** Made of ids too, and so of the suffix: `rebuild` compares it. */
const TRACKED_HASH = /\\"\(tracked\)\\":\[\\"[\w-]+\\"/g;

/** Without the suffix that tells one run from another, so that runs can be compared. */
function plain(row: Record<string, unknown>, suffix: string): Record<string, unknown> {
  const kept = Object.entries(row).filter(([name]) => !NOT_STATE.has(name));
  const text = JSON.stringify(Object.fromEntries(kept)).replaceAll(suffix, "");
  return JSON.parse(text.replace(TRACKED_HASH, "[")) as Record<string, unknown>;
}
