// `npm run bench:list`: an authenticated GET of a list over 64 connections, with row-level security and without. See README.md.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { audit } from "../src/audit/audit-log.ts";
import { newId } from "../src/base/ids.ts";
import type { Database } from "../src/db/database.ts";
import { openServer } from "../src/db/server.ts";
import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import { type LoadGenerator, type LoadResult, startLoadGenerator } from "./load-process.ts";
import { type RunningServer, startListServer } from "./servers.ts";

const CONNECTIONS = 64;
const LISTED = 20;
/** Others' rows stand between the tenant's own. */
const OTHERS = 20;
const ENTRIES = 250;
/** No round begins after this. */
const MEASURING_MS = 40_000;
const LIMIT_MS = 60_000;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, requests: { type: "string", default: "5000" } },
});
const [rounds, requests] = [Number(values.rounds), Number(values.requests)];
if (!(Number.isSafeInteger(rounds) && rounds > 0 && Number.isSafeInteger(requests) && requests >= CONNECTIONS)) {
  process.stderr.write(`--rounds takes a number from 1, --requests one from ${CONNECTIONS}\n`);
  process.exit(2);
}
setTimeout(() => {
  process.stderr.write("the bench took longer than a minute: stopped\n");
  process.exit(1);
}, LIMIT_MS).unref();

const postgres = await startPostgres();
const load = startLoadGenerator();
try {
  const url = await createDatabase(postgres.url, `bench_list_${newId("ten").slice(-10)}`);
  const servers = { on: await startListServer(url, "on"), off: await startListServer(url, "off") };
  const tenant = await registered(servers.on);
  const database = await openServer({ url, poolSize: 2 });
  await fill(database, tenant.id);
  await database.close();
  const measured = await measure(load, servers, tenant.key);
  report(measured);
  await Promise.all([servers.on.stop(), servers.off.stop()]);
} finally {
  await load.stop();
  await postgres.stop();
}
process.exit();

type Variant = "on" | "off";

async function registered({ port }: RunningServer): Promise<{ id: string; key: string }> {
  const body = {
    company_name: "Bench",
    email: "bench@example.com",
    password: "Correct-Horse-9-Battery",
    domain: "a.example",
  };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/tenants/register/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`the tenant was not registered: ${await answer.text()}`);
  const { tenant, api_keys } = (await answer.json()) as { tenant: { id: string }; api_keys: { live_secret: string } };
  return { id: tenant.id, key: api_keys.live_secret };
}

async function fill(database: Database, tenantId: string): Promise<void> {
  const tenants = [tenantId, ...Array.from({ length: OTHERS }, () => newId("ten"))];
  await database.transaction(async (tx) => {
    for (let entry = 0; entry < ENTRIES; entry += 1) {
      const actor = { kind: "system", id: null } as const;
      const what = { actor, action: "member.changed", target: newId("usr"), source: "127.0.0.1" };
      const change = { before: { role: "member" }, after: { role: "admin" } };
      await Promise.all(tenants.map((each) => audit(tx, { tenantId: each, ...what, ...change })));
    }
  });
  await database.query("analyze");
}

/** In turns, each variant first in every second round; the first round warms up and does not count. */
async function measure(
  generator: LoadGenerator,
  servers: Record<Variant, RunningServer>,
  bearer: string,
): Promise<Record<Variant, LoadResult[]>> {
  const measured: Record<Variant, LoadResult[]> = { on: [], off: [] };
  const began = performance.now();
  for (let round = 0; round <= rounds && performance.now() - began < MEASURING_MS; round += 1) {
    for (const variant of round % 2 === 0 ? (["on", "off"] as const) : (["off", "on"] as const)) {
      const { port, path } = servers[variant];
      const count = round === 0 ? Math.ceil(requests / 2) : requests;
      const order = { count, connections: CONNECTIONS, port, path: `${path}?limit=${LISTED}`, bearer };
      const result = await generator.send(order);
      if (round === 0) continue;
      measured[variant].push(result);
      process.stdout.write(`round ${round}, row-level security ${variant}: ${line([result])}\n`);
    }
  }
  return measured;
}

function report({ on, off }: Record<Variant, LoadResult[]>): void {
  const ratio = (of: (result: LoadResult) => number): string => (median(on.map(of)) / median(off.map(of))).toFixed(2);
  process.stdout.write(
    `\nGET of a list of ${LISTED} by a secret key, ${CONNECTIONS} connections, medians of ${on.length} rounds of ${requests} requests, ` +
      `PostgreSQL ${postgres.version}, load ${(loadavg()[0] ?? 0).toFixed(1)}\n` +
      `row-level security on:  ${line(on)}\nrow-level security off: ${line(off)}\n` +
      `on / off: requests/s ${ratio(({ sent, seconds }) => sent / seconds)}, p99 ${ratio(({ p99 }) => p99)}\n`,
  );
}

function line(results: readonly LoadResult[]): string {
  const rate = median(results.map(({ sent, seconds }) => sent / seconds));
  const [p50, p99] = [median(results.map((result) => result.p50)), median(results.map((result) => result.p99))];
  return `${rate.toFixed(0)} requests/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}
