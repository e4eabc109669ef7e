// `npm run bench:deliveries`: webhooks delivered a second, and how soon, against bare undici posting the same. See README.md.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { Pool } from "undici";

import { newId } from "../src/base/ids.ts";
import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { publishEvents } from "../src/outbox/event-table.ts";
import { eventType } from "../src/outbox/event-types.ts";
import { POST_HEADERS } from "../src/outbox/guarded-post.ts";
import { bodyOf } from "../src/outbox/webhook-body.ts";
import { signatureHeaders } from "../src/outbox/webhook-signature.ts";
import { newEndpoint, newTenant, type SceneEndpoint, startWorker } from "../test/support/delivery-scene.ts";
import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import type { ReceiverReport } from "./delivery-receiver.ts";
import { usageOf } from "./usage.ts";

const { values } = parseArgs({
  options: {
    deliveries: { type: "string", default: "10000" },
    seconds: { type: "string", default: "8" },
    fair: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    save: { type: "boolean", default: false },
  },
});
const [count, seconds, rounds] = [Number(values.deliveries), Number(values.seconds), Number(values.rounds)];
const LIMITS = { all: 256, perEndpoint: 16 };
const ENDPOINTS = [1, 10, 1000];
/** As the reducer publishes: what a batch has learned, in one commit. */
const TOGETHER = 50;
const FAIR_ROUNDS = 5;
const BAD_PATHS = ["dead", "slow"];
const EXAMPLE = eventType("invoice.paid")?.example ?? {};

type Kind = "server" | "embedded";

interface Figures {
  kind: Kind;
  endpoints: number;
  perSecond: number;
  barePerSecond: number;
  cpuMicroseconds: number;
  /** Milliseconds from the commit of an event to its receiver, at half of `perSecond`. */
  latency: { rate: number; p50: number; p95: number; p99: number };
}

interface Receiver {
  child: ChildProcess;
  port: number;
}

interface Scene {
  database: Database;
  receiver: Receiver;
  tenants: string[];
  endpoints: SceneEndpoint[];
  urls: string[];
}

const postgres =
  values.only === "embedded" ? undefined : await startPostgres({ settings: { shared_buffers: "512MB" } });
const receiver = await startReceiver();
const figures: Figures[] = [];
const fairness: string[] = [];
try {
  for (const kind of ["server", "embedded"] as const) {
    if (values.only !== undefined && values.only !== kind) continue;
    // --fair: nothing else.
    if (!values.fair) for (const endpoints of ENDPOINTS) figures.push(await measured(kind, endpoints));
    if (kind === "server") fairness.push(...(await fair(kind)));
  }
} finally {
  receiver.child.disconnect();
  await postgres?.stop();
}
const text = report();
process.stdout.write(`\n${text}`);
if (values.save) {
  const name = `${new Date().toISOString().slice(0, 10)}-${cpus().length}cpu-${Math.round(totalmem() / 2 ** 30)}gb-deliveries.md`;
  writeFileSync(fileURLToPath(new URL(`./results/${name}`, import.meta.url)), text);
}
process.exit();

async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL("./delivery-receiver.ts", import.meta.url)), { execArgv: [] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, port };
}

async function ask<Answer>(order: "count" | "take"): Promise<Answer> {
  const answered = once(receiver.child, "message");
  receiver.child.send(order);
  const [answer] = (await answered) as [Answer];
  return answer;
}

/** Each endpoint has an address of its own, so that no two share a connection. */
async function opened(kind: Kind, endpoints: number): Promise<Scene & { close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-bench-deliveries-"));
  const database =
    kind === "embedded"
      ? await openEmbedded(join(folder, "data"))
      : await openServer({
          url: await createDatabase(postgres?.url ?? "", `bench_${newId("ten").slice(-10)}`),
          poolSize: 7,
        });
  await migrate(database);
  const tenants: string[] = [];
  const made: SceneEndpoint[] = [];
  const urls: string[] = [];
  for (let index = 0; index < endpoints; index += 1) {
    const tenant = await newTenant(database);
    tenants.push(tenant);
    const url = `http://127.0.${(index >> 8) + 1}.${index & 255}:${receiver.port}/`;
    urls.push(url);
    made.push(await newEndpoint(database, tenant, url));
  }
  return {
    ...{ database, receiver, tenants, endpoints: made, urls },
    close: async () => {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function publish({ database, tenants }: Scene, from: number, many: number): Promise<void> {
  const events = Array.from({ length: many }, (_, index) => ({
    ...{ tenantId: tenants[(from + index) % tenants.length] ?? "", livemode: true, type: "invoice.paid" },
    ...{ objectType: "invoice", objectId: `in_${from + index}`, created: new Date() },
    object: { ...EXAMPLE, id: `in_${from + index}`, number: from + index },
  }));
  await database.transaction((tx) => publishEvents(tx, events));
}

function milliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function came(wanted: number): Promise<void> {
  const until = milliseconds() + 120_000;
  while ((await ask<{ count: number }>("count")).count < wanted) {
    if (milliseconds() > until) throw new Error("not all deliveries came within two minutes");
    await sleep(20);
  }
}

async function measured(kind: Kind, endpoints: number): Promise<Figures> {
  const scene = await opened(kind, endpoints);
  try {
    const [own, bare, used]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round <= rounds; round += 1) {
      const of = round === 0 ? Math.ceil(count / 4) : count;
      const rate = await bareRate(scene, of);
      const mine = await ownRate(scene, of);
      if (round === 0) continue;
      bare.push(rate);
      own.push(mine.perSecond);
      used.push(mine.cpuMicroseconds);
    }
    const [perSecond, barePerSecond] = [median(own), median(bare)];
    const latency = await latencyAt(scene, perSecond / 2);
    const found = { kind, endpoints, perSecond, barePerSecond, cpuMicroseconds: median(used), latency };
    process.stderr.write(`${line(found)}\n`);
    return found;
  } finally {
    await scene.close();
  }
}

/** A backlog, from the start of the worker to the last arrival. */
async function ownRate(scene: Scene, many: number): Promise<{ perSecond: number; cpuMicroseconds: number }> {
  for (let from = 0; from < many; from += 500) await publish(scene, from, Math.min(500, many - from));
  await scene.database.query("analyze delivery_queue");
  const cpu = process.cpuUsage();
  const began = milliseconds();
  const worker = startWorker(scene.database, { limits: LIMITS, leaseSeconds: 30 });
  await came(many);
  const { user, system } = process.cpuUsage(cpu);
  await worker.stop();
  const { at } = await ask<ReceiverReport>("take");
  const left = await scene.database.query<{ count: number }>("select count(*) as count from delivery_queue");
  if (left.rows[0]?.count !== 0 || at.length !== many) throw new Error(`${at.length} of ${many} deliveries came`);
  return { perSecond: (many * 1000) / ((at.at(-1) ?? 0) - began), cpuMicroseconds: (user + system) / many };
}

/** The same requests, signed before, over as many connections, and nothing else. */
async function bareRate({ tenants, endpoints, urls }: Scene, many: number): Promise<number> {
  const requests = Array.from({ length: many }, (_, number) => {
    const at = number % endpoints.length;
    const id = newId("msg");
    const told = { id, type: "invoice.paid", created: new Date(), livemode: true, apiVersion: "2026-11-21" };
    const object = JSON.stringify({ ...EXAMPLE, id: `in_${number}`, number });
    const body = bodyOf({ ...told, object }, { id: tenants[at] ?? "", companyName: "Acme" });
    const secrets = [endpoints[at]?.secret ?? ""];
    const headers = { ...POST_HEADERS, ...signatureHeaders({ id, timestamp: 1_790_000_000, body, secrets }) };
    return { at, body, headers };
  });
  const options = { connections: LIMITS.perEndpoint, pipelining: 1, keepAliveTimeout: 60_000 };
  const pools = urls.map((url) => new Pool(new URL(url).origin, options));
  const lanes = Math.min(LIMITS.all, LIMITS.perEndpoint * endpoints.length);
  let next = 0;
  const began = milliseconds();
  const lane = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const { at, body, headers } = request;
      const answer = await pools[at]?.request({ method: "POST", path: "/", body, headers });
      await answer?.body.dump();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { at } = await ask<ReceiverReport>("take");
  await Promise.all(pools.map((pool) => pool.close()));
  return (many * 1000) / ((at.at(-1) ?? 0) - began);
}

async function latencyAt(scene: Scene, rate: number): Promise<Figures["latency"]> {
  const worker = startWorker(scene.database, { limits: LIMITS, leaseSeconds: 30 });
  try {
    const { latencies } = await steady(scene, rate, seconds, () => {
      worker.wake();
    });
    return { rate, p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) };
  } finally {
    await worker.stop();
  }
}

/** Commits events at an even rate for so many seconds; how long each took from its commit to the receiver. */
async function steady(
  scene: Scene,
  rate: number,
  forSeconds: number,
  published: () => void,
): Promise<{ latencies: number[] }> {
  const committed: number[] = [];
  const together = Math.max(1, Math.min(TOGETHER, Math.round(rate / 50)));
  const began = milliseconds();
  const total = Math.round(rate * forSeconds);
  while (committed.length < total) {
    const due = Math.min(total, Math.floor(((milliseconds() - began) / 1000) * rate));
    const from = committed.length;
    const many = Math.min(together, total - from);
    if (due - from < many) {
      await sleep(1);
      continue;
    }
    await publish(scene, from, many);
    const at = milliseconds();
    for (let index = 0; index < many; index += 1) committed.push(at);
    published();
  }
  await came(committed.length);
  const { numbers, at } = await ask<ReceiverReport>("take");
  return { latencies: numbers.map((number, index) => Math.max(0, (at[index] ?? 0) - (committed[number] ?? 0))) };
}

/**
 * 10,000 messages to an endpoint that never answers, and as many to one that takes three seconds: another tenant's p95. In
 * turns of two phases on the same tables, since a machine changes as time goes: what waits for those two is put off, or due.
 */
async function fair(kind: Kind): Promise<string[]> {
  const scene = await opened(kind, 1);
  const worker = startWorker(scene.database, { limits: LIMITS, leaseSeconds: 30 });
  const wake = (): void => {
    worker.wake();
  };
  const bad: string[] = [];
  const putOff = (until: string): Promise<unknown> =>
    scene.database.query({
      text: `update delivery_queue set next_attempt_at = ${until} where lease is null and endpoint_id = any ($1)`,
      values: [bad],
    });
  try {
    await steady(scene, 200, 2, wake);
    for (const [index, path] of BAD_PATHS.entries()) {
      const tenant = await newTenant(scene.database);
      const url = `http://127.0.99.${index + 1}:${receiver.port}/${path}`;
      bad.push((await newEndpoint(scene.database, tenant, url)).id);
      for (let from = 0; from < 10_000; from += 500)
        await publish({ ...scene, tenants: [tenant] }, 1_000_000 + from, 500);
    }
    const [alone, beside]: [number[], number[]] = [[], []];
    for (let round = 0; round < FAIR_ROUNDS; round += 1) {
      for (const phase of [alone, beside]) {
        await putOff(phase === alone ? "'infinity'" : "now()");
        await scene.database.query("vacuum delivery_queue");
        wake();
        await sleep(3000);
        await ask<ReceiverReport>("take");
        phase.push(quantile(await steadyBeside(scene, wake), 0.95));
      }
    }
    const [was, is] = [median(alone), median(beside)];
    const told = `200 events/s to one tenant, p95 from commit to receiver, median of ${FAIR_ROUNDS} turns: ${was.toFixed(1)} ms alone, ${is.toFixed(1)} ms beside 10,000 to a dead and 10,000 to a slow endpoint (${(is / was).toFixed(2)}×)`;
    process.stderr.write(`${told}\n`);
    return [told];
  } finally {
    await worker.stop(0);
    await scene.close();
  }
}

/** The slow endpoint's own arrivals are not among the latencies. */
async function steadyBeside(scene: Scene, wake: () => void): Promise<number[]> {
  const began = milliseconds();
  const committed = new Map<number, number>();
  for (let number = 0; number < 200 * seconds; number += 4) {
    while (milliseconds() - began < number * 5) await sleep(1);
    await publish(scene, number, 4);
    for (let index = 0; index < 4; index += 1) committed.set(number + index, milliseconds());
    wake();
  }
  await sleep(1000);
  const { numbers, at } = await ask<ReceiverReport>("take");
  const latencies = numbers.flatMap((number, index) => {
    const from = committed.get(number);
    return from === undefined ? [] : [Math.max(0, (at[index] ?? 0) - from)];
  });
  if (latencies.length < committed.size) throw new Error(`${latencies.length} of ${committed.size} came`);
  return latencies;
}

function line({ kind, endpoints, perSecond, barePerSecond, cpuMicroseconds, latency }: Figures): string {
  const { rate, p50, p95, p99 } = latency;
  const cells = [
    ...[kind === "server" ? "PostgreSQL" : "embedded", String(endpoints), perSecond.toFixed(0)],
    ...[barePerSecond.toFixed(0), (perSecond / barePerSecond).toFixed(2), cpuMicroseconds.toFixed(0), rate.toFixed(0)],
    ...[p50, p95, p99].map((one) => one.toFixed(1)),
  ];
  return `| ${cells.join(" | ")} |`;
}

function report(): string {
  const memory = usageOf(process.pid)?.peakMb.toFixed(0) ?? "?";
  return [
    `# Deliveries, ${new Date().toISOString().slice(0, 10)}`,
    "",
    `${cpus().length} processors, load ${(loadavg()[0] ?? 0).toFixed(1)}, Node ${process.versions.node}, PostgreSQL ${postgres?.version ?? "not measured"}; medians of ${rounds} rounds of ${count} deliveries; half load for ${seconds} s; peak memory of the worker and the publisher ${memory} MB.`,
    "",
    "| database | endpoints | deliveries/s | bare undici/s | ratio | µs of processor per delivery | half load/s | p50 ms | p95 ms | p99 ms |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...figures.map(line),
    "",
    ...fairness.map((one) => `- ${one}`),
    "",
  ].join("\n");
}

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
