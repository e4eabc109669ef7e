// Rounds on PostgreSQL: one product on an empty database, warmed up, loaded, drained, checked. And the backlog.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import type { StreamOptions } from "./events.ts";
import { startLoadGenerator } from "./load-process.ts";
import type { LoadGenerator, LoadResult } from "./load-process.ts";
import { startBillhook, startPeer, temporaryFolder } from "./servers.ts";
import type { RunningServer } from "./servers.ts";
import { queueIsEmpty, queueLength, requireAll, withDatabase, writtenBy } from "./stores.ts";
import type { Ask, Written } from "./stores.ts";
import { processorTicks, usageOf } from "./usage.ts";

export type Product = "billhook" | "peer";

/** What all scenarios of a run share: the same server, generator, secret and events. */
export interface Bench {
  postgres: { url: string; version: string; pid: number | undefined };
  load: LoadGenerator;
  secret: string;
  /** Unix seconds: when the events' lives begin. */
  from: number;
  newDatabase(): Promise<string>;
  close(): Promise<void>;
}

export interface RoundOptions {
  product: Product;
  connections: number;
  count: number;
  /** Of the peer. */
  poolSize: number;
  nodeFlags?: readonly string[];
  /** Of Billhook: another clone. */
  root?: string;
}

/** Milliseconds, megabytes, events a second. `undefined` where this system cannot tell. */
export interface Round {
  product: Product;
  connections: number;
  /** Of the events that warm it up, as many as are measured: what a process that has just started does. */
  freshAnsweredPerSecond: number;
  freshP99: number;
  answeredPerSecond: number;
  /** All events, divided by the time from the first request until the last one is projected. */
  projectedPerSecond: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  peakMb: number | undefined;
  postgresPrivateMb: number | undefined;
  /** Processor time per event, from the first request until the last one is projected. */
  cpuMicros: { product: number; postgres: number; load: number } | undefined;
  /** Percent of the processors' time, in the same while, that other machines on the same hardware took. */
  stolenPercent: number | undefined;
  written: Written;
}

/** Equal for both. A checkpoint in the midst of a round would be luck: there is one before each. */
const SETTINGS = { shared_buffers: "512MB", max_wal_size: "8GB", checkpoint_timeout: "30min", max_connections: "100" };
const SEEDS = { warmUp: 9001, measured: 1 };
const DRAIN_LIMIT_MS = 180_000;

export async function openBench(): Promise<Bench> {
  const server = await startPostgres({ settings: SETTINGS });
  const load = startLoadGenerator();
  const run = `billhook_bench_${process.pid}`;
  let databases = 0;
  return {
    postgres: { url: server.url, version: server.version, pid: postmasterPid(server.folder) },
    load,
    secret: `whsec_bench${process.pid}`,
    from: Math.floor(Date.now() / 1000) - 3600,
    newDatabase: () => createDatabase(server.url, `${run}_${++databases}`),
    close: async () => {
      await load.stop();
      await server.stop();
    },
  };
}

function postmasterPid(folder: string | undefined): number | undefined {
  if (folder === undefined) return undefined;
  return Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")[0]);
}

export async function measureRound(bench: Bench, options: RoundOptions): Promise<Round> {
  const { product, connections, count } = options;
  const databaseUrl = await bench.newDatabase();
  const folder = temporaryFolder();
  const server =
    product === "peer"
      ? await startPeer({ secret: bench.secret, databaseUrl, poolSize: options.poolSize })
      : await startBillhook({
          ...{ secret: bench.secret, databaseUrl, dataDir: folder.path, roles: "api,work" },
          ...(options.nodeFlags === undefined ? {} : { nodeFlags: options.nodeFlags }),
          ...(options.root === undefined ? {} : { root: options.root }),
        });
  try {
    return await withDatabase(databaseUrl, async (ask) => {
      const drained = async (): Promise<void> => (product === "peer" ? undefined : untilEmpty(ask));
      const streams = [stream(bench, SEEDS.warmUp, count), stream(bench, SEEDS.measured, count)] as const;
      const fresh = await bench.load.send(order(bench, server, streams[0], connections));
      await drained();
      await ask("checkpoint");
      const before = cpuOf(bench, server);
      const stolen = stolenSince();
      const sent = await bench.load.send(order(bench, server, streams[1], connections));
      await drained();
      const seconds = product === "peer" ? sent.seconds : (Number(process.hrtime.bigint()) - sent.startedAt) / 1e9;
      const micros = perEvent(before, cpuOf(bench, server), count);
      const stolenPercent = stolen();
      const usage = server.usage();
      const postgres = bench.postgres.pid === undefined ? undefined : usageOf(bench.postgres.pid);
      await server.stop();
      const written = await writtenBy(product, ask, streams);
      requireAll(written);
      return {
        ...{ product, connections, freshAnsweredPerSecond: count / fresh.seconds, freshP99: fresh.p99 },
        ...{ answeredPerSecond: count / sent.seconds, projectedPerSecond: count / seconds },
        ...{ p50: sent.p50, p95: sent.p95, p99: sent.p99, max: sent.max },
        ...{ peakMb: usage?.peakMb, postgresPrivateMb: postgres?.privateMb },
        cpuMicros: micros === undefined ? undefined : { ...micros, load: (sent.cpuSeconds * 1e6) / count },
        stolenPercent,
        written,
      };
    });
  } finally {
    await server.stop();
    folder.remove();
    await dropDatabase(bench, databaseUrl);
  }
}

/** Tells what was stolen from now on until it is asked. */
function stolenSince(): () => number | undefined {
  const before = processorTicks();
  return () => {
    const after = processorTicks();
    if (before === undefined || after === undefined) return undefined;
    return (100 * (after.stolen - before.stolen)) / (after.all - before.all);
  };
}

interface Cpu {
  product: number;
  postgres: number;
}

function cpuOf(bench: Bench, server: RunningServer): Cpu | undefined {
  const product = server.usage()?.cpuSeconds;
  const postgres = bench.postgres.pid === undefined ? undefined : usageOf(bench.postgres.pid)?.cpuSeconds;
  return product === undefined || postgres === undefined ? undefined : { product, postgres };
}

function perEvent(before: Cpu | undefined, after: Cpu | undefined, events: number): Cpu | undefined {
  if (before === undefined || after === undefined) return undefined;
  const micros = (part: keyof Cpu): number => ((after[part] - before[part]) * 1e6) / events;
  return { product: micros("product"), postgres: micros("postgres") };
}

export interface Backlog {
  count: number;
  /** With no worker running. */
  answeredPerSecond: number;
  p99: number;
  drainedPerSecond: number;
  /** Processor time per event while receiving, and while working it off. */
  receiveMicros: Cpu | undefined;
  drainMicros: Cpu | undefined;
  peakMb: number | undefined;
  /** Resident memory of the worker when this share of the backlog was gone. */
  residentMb: { share: number; mb: number }[];
  written: Written;
}

const SAMPLE_EVERY_MS = 500;

/** Events come in while nobody works; then a process starts that works them off. */
export async function measureBacklog(bench: Bench, count: number): Promise<Backlog> {
  const databaseUrl = await bench.newDatabase();
  const folder = temporaryFolder();
  const started = { secret: bench.secret, databaseUrl, dataDir: folder.path };
  const events = stream(bench, SEEDS.measured, count);
  try {
    const receiving = await startBillhook({ ...started, roles: "api" });
    let sent: LoadResult;
    let receiveMicros: Cpu | undefined;
    try {
      const before = cpuOf(bench, receiving);
      sent = await bench.load.send(order(bench, receiving, events, 64));
      receiveMicros = perEvent(before, cpuOf(bench, receiving), count);
    } finally {
      await receiving.stop();
    }
    return await withDatabase(databaseUrl, async (ask) => {
      await ask("checkpoint");
      const working = await startBillhook({ ...started, roles: "api,work" });
      try {
        const drain = await sampleDrain(bench, ask, working, count);
        const peakMb = working.usage()?.peakMb;
        await working.stop();
        const written = await writtenBy("billhook", ask, [events]);
        requireAll(written);
        return {
          count,
          answeredPerSecond: count / sent.seconds,
          p99: sent.p99,
          receiveMicros,
          ...drain,
          peakMb,
          written,
        };
      } finally {
        await working.stop();
      }
    });
  } finally {
    folder.remove();
    await dropDatabase(bench, databaseUrl);
  }
}

async function sampleDrain(
  bench: Bench,
  ask: Ask,
  working: RunningServer,
  count: number,
): Promise<Pick<Backlog, "drainedPerSecond" | "drainMicros" | "residentMb">> {
  const began = performance.now();
  const before = cpuOf(bench, working);
  const waiting = await queueLength(ask);
  const shares = [0.1, 0.25, 0.5, 0.75, 1];
  const residentMb: Backlog["residentMb"] = [];
  for (;;) {
    const left = await queueLength(ask);
    const seconds = (performance.now() - began) / 1000;
    const mb = working.usage()?.residentMb;
    while (shares[0] !== undefined && 1 - left / count >= shares[0]) {
      const share = shares.shift() ?? 1;
      if (mb !== undefined) residentMb.push({ share, mb });
    }
    if (left === 0) {
      const drainMicros = perEvent(before, cpuOf(bench, working), waiting);
      return { drainedPerSecond: waiting / seconds, drainMicros, residentMb };
    }
    if (seconds * 1000 > DRAIN_LIMIT_MS) throw new Error(`after ${seconds} s the backlog still has ${left} events`);
    await sleep(left < count / 20 ? 20 : SAMPLE_EVERY_MS);
  }
}

export function stream(bench: Bench, seed: number, count: number): StreamOptions {
  return { seed, count, from: bench.from };
}

export function order(bench: Bench, server: RunningServer, events: StreamOptions, connections: number) {
  return { ...events, connections, port: server.port, path: server.path, secret: bench.secret };
}

async function untilEmpty(ask: Ask): Promise<void> {
  const until = performance.now() + DRAIN_LIMIT_MS;
  while (!(await queueIsEmpty(ask))) {
    if (performance.now() > until) throw new Error("the queue is not empty after three minutes");
    await sleep(10);
  }
}

async function dropDatabase(bench: Bench, url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await withDatabase(bench.postgres.url, (ask) => ask(`drop database if exists "${name}" with (force)`));
}
