// A batch locks each of its objects, in a table of locks that the server shares among all: there may be less room than objects.
import { afterAll, beforeAll, expect, it } from "vitest";

import { batchSizeNow } from "../src/inbox/pace.ts";
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

it("a batch of more objects than the server has room to lock is halved until it fits, and no event counts an attempt more", async () => {
  const size = batchSizeNow("server", { receiving: false, backlog: true, lag: 0, rested: 0 });
  const customers = Array.from({ length: 4 * size }, (_, number) => newCustomer({ id: `cus_room${number}` }));
  await pipe.arrive(
    customers.map((customer) => ({ event: { ...event("customer.created", customer, { apiVersion: NEW_API }) } })),
  );
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
  const { rows } = await pipe.database.query("select count(*)::int as customers from customers");
  expect([rows, failed]).toEqual([[{ customers: customers.length }], []]);
});
