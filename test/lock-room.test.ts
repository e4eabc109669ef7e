// A batch locks each of its objects, in a table of locks that the server shares among all: there may be less room than objects.
import { afterAll, beforeAll, expect, it } from "vitest";

import { eventLoops } from "../src/inbox/event-loops.ts";
import { silentLog } from "../src/base/log.ts";
import { openPipe, type Pipe } from "./support/pipe.ts";
import { createDatabase, type PostgresServer, startPostgres } from "./support/postgres.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

let server: PostgresServer;
let pipe: Pipe;
beforeAll(async () => {
  server = await startPostgres({
    source: "local",
    settings: { max_locks_per_transaction: "10", max_connections: "16" },
  });
  pipe = await openPipe("server", silentLog, await createDatabase(server.url, "little_room"));
}, 60_000);
afterAll(async () => {
  await pipe.close();
  await server.stop();
});

const customersOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, number) => newCustomer({ id: `cus_${prefix}${number}` }));
const arrive = (customers: ReturnType<typeof customersOf>): Promise<void> =>
  pipe.arrive(
    customers.map((customer) => ({ event: { ...event("customer.created", customer, { apiVersion: NEW_API }) } })),
  );
const projected = async (prefix: string): Promise<number> =>
  (await pipe.database.query({ text: "select id from customers where id like $1", values: [`cus_${prefix}%`] }))
    .rowCount;

it("a batch of more objects than the server has room to lock is halved until it fits, and no event counts a failed attempt", async () => {
  const customers = customersOf("room", 2000);
  await arrive(customers);
  await expect(
    pipe.database.transaction((tx) =>
      tx.query({
        text: "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as one (key)",
        values: [customers.map(({ id }) => id)],
      }),
    ),
  ).rejects.toMatchObject({ code: "53200" });

  const failed: number[] = [];
  await pipe.drain({
    batchSize: customers.length,
    metrics: { batch: () => undefined, retried: () => failed.push(1), failed: () => failed.push(1) },
  });
  expect([await projected("room"), failed]).toEqual([customers.length, []]);
});

it("batches off a backlog keep to a part of that room, so that others have some", async () => {
  await arrive(customersOf("part", 300));
  const sizes: number[] = [];
  const { batchSize: _ours, ...options } = pipe.processOptions();
  const metrics = { ...options.metrics, batch: ({ processed }: { processed: number }) => sizes.push(processed) };
  const errors: unknown[] = [];
  const loops = eventLoops({
    process: { ...options, metrics },
    receiving: { waiting: () => 0, crowd: () => 0, sinceRush: () => Infinity },
    onError: (error) => errors.push(error),
  });
  await expect.poll(() => projected("part"), { timeout: 10_000 }).toBe(300);
  await Promise.all(loops.map((loop) => loop.stop()));
  expect([Math.max(...sizes), errors]).toEqual([50, []]);
});
