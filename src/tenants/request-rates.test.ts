// Request limits of two nodes that share their counts.
import { expect, it } from "vitest";

import { manualClock } from "../base/clock.ts";
import type { Queryable } from "../db/database.ts";
import { requestRates } from "./request-rates.ts";

/** The shared counters, as the database would keep them. */
function sharedCounters(): Queryable {
  const counts = new Map<string, number>();
  const query = async (statement: { values?: unknown[] } | string): Promise<{ rows: unknown[]; rowCount: number }> => {
    const [keys, hits] = (typeof statement === "string" ? [] : (statement.values ?? [])) as [string[], number[]];
    const rows = keys.map((key, index) => {
      counts.set(key, (counts.get(key) ?? 0) + (hits[index] ?? 0));
      return { key, hits: counts.get(key) };
    });
    return { rows, rowCount: rows.length };
  };
  return { query } as Queryable;
}

it("a key's and a tenant's requests of a minute are counted over all nodes, the tightest tells", async () => {
  const clock = manualClock(60_000 * 1000);
  const database = sharedCounters();
  const [one, two] = [1, 2].map(() => requestRates(database, clock, { key: 4, tenant: 6, source: undefined }));
  const a = { keyId: "key_a", tenantId: "ten_1", source: "203.0.113.1" };
  expect(one?.count(a)).toEqual({ limit: 4, remaining: 3, resetSeconds: 60, exceeded: false });
  one?.count(a);
  two?.count(a);
  await one?.flush();
  await two?.flush();
  expect(two?.count(a)).toMatchObject({ remaining: 0, exceeded: false });
  expect(two?.count(a)).toMatchObject({ limit: 4, exceeded: true });
  await two?.flush();
  await one?.flush();
  const b = { ...a, keyId: "key_b" };
  expect(two?.count(b)).toMatchObject({ limit: 6, exceeded: false });
  expect(two?.count(b)).toMatchObject({ limit: 6, exceeded: true });
  clock.advance(60_000);
  expect(two?.count(a)).toMatchObject({ remaining: 3, exceeded: false });
});

it("a source is limited where a proxy tells it, and nobody else is", () => {
  const clock = manualClock(0);
  const nobody = { keyId: undefined, tenantId: undefined, source: "203.0.113.1" };
  const without = requestRates(sharedCounters(), clock, { key: 1, tenant: 1, source: undefined });
  expect(without.count(nobody)).toBeUndefined();
  const behind = requestRates(sharedCounters(), clock, { key: 1, tenant: 1, source: 1 });
  expect([behind.count(nobody)?.exceeded, behind.count(nobody)?.exceeded]).toEqual([false, true]);
  expect(behind.count({ ...nobody, source: "203.0.113.2" })?.exceeded).toBe(false);
});
