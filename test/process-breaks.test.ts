// Batches that lose their connection to a PostgreSQL that answers all others: what ends it is found, and nothing waits behind it.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import type { Database, Queryable } from "../src/db/database.ts";
import { eventLoops } from "../src/inbox/event-loops.ts";
import { processOnce } from "../src/inbox/process.ts";
import { openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

let pipe: Pipe;
beforeAll(async () => {
  pipe = await openPipe("server");
});
afterAll(() => pipe.close());
beforeEach(async () => {
  await pipe.database.query("delete from stripe_event_queue");
  await pipe.database.query("delete from stripe_event_attempts");
});

const arrive = (prefix: string, count: number): Promise<void> =>
  pipe.arrive(
    Array.from({ length: count }, (_, number) => {
      const id = `${prefix}${number}_`;
      const customer = newCustomer({ id: `cus_${id}`, name: "Ada" });
      return { event: { ...event("customer.created", customer, { id: `evt_${id}`, apiVersion: NEW_API }) } };
    }),
  );
const projected = async (prefix: string): Promise<number> =>
  (await pipe.database.query({ text: "select 1 from customers where id like $1", values: [`cus_${prefix}%`] }))
    .rowCount;
const rows = async (text: string) => (await pipe.database.query(text)).rows;
const dueNow = () => pipe.database.query("update stripe_event_queue set lease = null, next_attempt_at = now()");
const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });

/** The server ends the connection of each batch that `ends` says, told what the batch asks. */
function ending(ends: (asked: string) => boolean): Database {
  const transaction: Database["transaction"] = (work, options) =>
    pipe.database.transaction((tx) => {
      if (options?.planOnce !== true) return work(tx);
      const query: Queryable["query"] = async (statement) => {
        if (typeof statement !== "string" && ends(JSON.stringify(statement.values ?? [])))
          await tx.query("select pg_terminate_backend(pg_backend_pid())");
        return tx.query(statement);
      };
      return work({ query });
    }, options);
  return { ...pipe.database, transaction };
}

it("an event that ends the connection of its batch stands alone in the end and is given up, and the others of its batch are projected", async () => {
  await arrive("killer", 9);
  const options = pipe.processOptions({ database: ending((asked) => asked.includes("cus_killer4_")), maxAttempts: 2 });
  await processOnce(options);
  expect(await projected("killer")).toBe(8);
  expect(await rows("select event_id, attempts, lease from stripe_event_queue")).toEqual([
    { event_id: "evt_killer4_", attempts: 1, lease: null },
  ]);
  await dueNow();
  await processOnce(options);
  expect(await rows("select event_id, status from stripe_event_outcomes")).toEqual([
    { event_id: "evt_killer4_", status: "failed" },
  ]);
  expect(await rows("select attempt, error from stripe_event_attempts order by attempt")).toEqual(
    [1, 2].map((attempt) => ({ attempt, error: expect.stringMatching(/^ConnectionBroken: .* broke under this work/) })),
  );
});

it("a connection that ends once under an event that stands alone counts no attempt", async () => {
  await arrive("failover", 1);
  let ended = 0;
  await processOnce(
    pipe.processOptions({ database: ending((asked) => asked.includes("cus_failover0_") && ended++ === 0) }),
  );
  expect([ended > 0, await projected("failover"), await rows("select * from stripe_event_attempts")]).toEqual([
    true,
    1,
    [],
  ]);
});

it.each([
  ["that goes away as a whole", withCode("connect ECONNREFUSED", "ECONNREFUSED"), undefined],
  ["that ends all connections because one of its processes crashed", undefined, withCode("crash", "57P02")],
])("a database %s, again and again under one event, never fails it", async (_, away, everybodys) => {
  const prefix = away === undefined ? "crash" : "away";
  await arrive(prefix, 1);
  let isAway = false;
  const broken = ending((asked) => asked.includes(`cus_${prefix}0_`) && (isAway = true));
  const database: Database = {
    ...broken,
    transaction: (work, options) => {
      if (isAway && away !== undefined) return Promise.reject(away);
      if (everybodys === undefined || options?.planOnce !== true) return broken.transaction(work, options);
      return pipe.database.transaction(async (tx) => {
        await work(tx);
        throw everybodys;
      }, options);
    },
  };
  for (let round = 0; round < 10; round += 1) {
    isAway = false;
    await dueNow();
    await expect(processOnce(pipe.processOptions({ database, maxAttempts: 2 }))).rejects.toThrow();
  }
  expect(await rows("select * from stripe_event_attempts")).toEqual([]);
  await dueNow();
  await pipe.drain();
  expect(await projected(prefix)).toBe(1);
});

it("after a batch whose size ended its connection the next ones are smaller, and grow again once none does", async () => {
  await arrive("size", 2000);
  const looks: number[] = [];
  let isNew = false;
  let most = 20;
  const database = ending((asked) => {
    const size = new Set(asked.match(/cus_(size|more)\d+_/g)).size;
    if (isNew && size > 0) looks.push(size);
    if (size > 0) isNew = false;
    return size > most;
  });
  const { batchSize: _ours, newLease, ...options } = pipe.processOptions({ database });
  const errors: unknown[] = [];
  const loops = eventLoops({
    process: { ...options, newLease: () => ((isNew = true), newLease()) },
    receiving: { waiting: () => 0, crowd: () => 0, sinceRush: () => Infinity },
    onError: (error) => errors.push(error),
  });
  await expect.poll(() => projected("size"), { timeout: 40_000 }).toBe(2000);
  expect(Math.max(...looks)).toBeGreaterThan(100);
  expect(Math.max(...looks.slice(-4))).toBeLessThanOrEqual(50);
  looks.length = 0;
  most = Infinity;
  await arrive("more", 1500);
  await expect.poll(() => projected("more"), { timeout: 20_000 }).toBe(1500);
  await Promise.all(loops.map((loop) => loop.stop()));
  expect(Math.max(...looks)).toBeGreaterThan(100);
  expect([errors, await rows("select * from stripe_event_attempts")]).toEqual([[], []]);
}, 90_000);
