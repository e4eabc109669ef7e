// Waiters of one node, without their sockets: memory of each, and how soon all have heard of what one commit after the other changes.
// Usage: node bench/status.ts [waiters] [--save]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { statusWatch } from "../src/billing/status-watch.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { observe } from "../src/inbox/observe.ts";
import { processOnce } from "../src/inbox/process.ts";
import { ensurePlatformTenant } from "../src/tenants/platform.ts";
import { saying } from "./saved.ts";

const { values, positionals } = parseArgs({
  options: { save: { type: "boolean", default: false } },
  allowPositionals: true,
});
const count = Number(positionals[0] ?? 10_000);
const { say, end } = saying("status", "People who wait for a status, on one node", values.save);
const folder = mkdtempSync(join(tmpdir(), "billhook-bench-status-"));
const database = await openEmbedded(join(folder, "data"));
await migrate(database);
const platformTenant = await ensurePlatformTenant(database);
const stripe = { has: () => false, retrieve: () => Promise.resolve({ outcome: "missing" as const }) };
const watch = statusWatch({
  ...{ database, stripe, platformTenant, clock: systemClock, log: silentLog },
  wake: () => undefined,
});

async function tell(status: string, second: number): Promise<void> {
  const object = (index: number) => ({
    id: `pi_${String(index)}`,
    object: "payment_intent",
    status,
    amount: 1,
    currency: "usd",
    created: 1,
  });
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: Math.min(500, count - from) }, (_, index) => object(from + index));
    const fetched = some.map((one) => ({ livemode: false, account: "", object: one, asOf: second, apiVersion: null }));
    await observe(database, fetched, platformTenant);
  }
  const options = {
    ...{ database, clock: systemClock, log: silentLog, leaseSeconds: 30, maxAttempts: 3, batchSize: 100 },
    context: { kind: database.kind, platformTenant },
    metrics: { batch: () => undefined, retried: () => undefined, failed: () => undefined },
    newLease: () => newId("node"),
    committed: (objects: readonly string[]) => watch.changed(objects),
  };
  while ((await processOnce(options)).claimed > 0);
}

await tell("processing", 1000);
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
let first = 0;
let heard = 0;
let began = performance.now();
const all = (target: () => number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (target() < count) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
for (let index = 0; index < count; index += 1) {
  const grant = {
    tenantId: platformTenant,
    livemode: false,
    stripeAccount: "",
    accountId: null,
    objectId: `pi_${String(index)}`,
  };
  watch.wait(grant, {
    told: (state) => {
      if (state.status === "pending") first += 1;
      else heard += 1;
    },
    failed: (error) => console.error(error),
    ended: () => undefined,
  });
}
await all(() => first);
const known = performance.now() - began;
globalThis.gc?.();
const each = (process.memoryUsage().heapUsed - before) / count;
began = performance.now();
watch.changedElsewhere();
await tell("succeeded", 2000);
const processed = performance.now() - began;
await all(() => heard);
const told = performance.now() - began;
say(`${String(count)} waiters: first state of all in ${known.toFixed(0)} ms; ${each.toFixed(0)} bytes each (heap)`);
say(
  `all ${String(count)} payments processed in ${processed.toFixed(0)} ms, the last waiter told ${(told - processed).toFixed(0)} ms later`,
);
end();
await watch.stop();
await database.close();
rmSync(folder, { recursive: true, force: true });
