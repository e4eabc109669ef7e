// `node --expose-gc FILE DATABASE_URL`: asks 2,000 statements that each carry 100 kB, one after the other, and prints how often the
// whole memory was collected meanwhile. A process of its own: its memory is nobody else's, and its flags make collections repeatable.
import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { openServer } from "../../src/db/server.ts";

let whole = 0;
/** Collects it ourselves, and waits until that is told: by then every earlier one has been, too. */
const told = async (): Promise<number> => {
  const before = whole;
  globalThis.gc?.();
  while (whole === before) await sleep(1);
  return whole;
};
const observer = new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries() as { detail?: NodeGCPerformanceDetail }[])
    if (detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR) whole += 1;
});

const database = await openServer({ url: process.argv[2] ?? "", poolSize: 1 });
observer.observe({ entryTypes: ["gc"] });
const before = await told();
const garbage: unknown[] = [];
for (let count = 0; count < 2_000; count++) {
  const values = [Buffer.allocUnsafe(100_000)];
  await database.query({ name: "length", text: "select length($1::bytea)", values, limitMs: 60_000 });
  for (let index = 0; index < 3_000; index++) garbage[index] = { index, text: `${String(count)}.${String(index)}` };
}
const after = await told();
await database.close();
console.log(String(after - before - 1));
