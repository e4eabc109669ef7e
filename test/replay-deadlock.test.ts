// Replays that meet other work on the same events in a real PostgreSQL.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { replayEvent, replayRange } from "../src/inbox/replay.ts";
import { openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

let pipe: Pipe;
beforeAll(async () => {
  pipe = await openPipe("server");
});
afterAll(() => pipe.close());

async function count(text: string): Promise<number> {
  return (await pipe.database.query<{ count: number }>(`select count(*) as count from ${text}`)).rows[0]?.count ?? 0;
}

/** The run's other tests have databases of their own on the same server. */
const WAITING = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/** Another's transaction: it holds how the event ended, and then wants its place in the queue, which the replay holds. */
async function crossing(id: string, work: () => Promise<unknown>): Promise<unknown> {
  return pipe.database.transaction(async (tx) => {
    // The one that looks first whether there is a deadlock is the one that it ends: after a second, that is the replay.
    await tx.query("set local deadlock_timeout = '1min'");
    await tx.query({ text: "update stripe_event_outcomes set at = now() where event_id = $1", values: [id] });
    const crossed = work();
    while ((await count(WAITING)) === 0) await sleep(5);
    await tx.query({ text: "update stripe_event_queue set refold = true where event_id = $1", values: [id] });
    return crossed;
  });
}

it.each([
  ["of one event", (id: string) => replayEvent(pipe.database, id), true],
  ["of a range", () => replayRange(pipe.database, { types: [], status: "failed" }), 1],
])("a replay %s that meets a deadlock is tried again, and queues the event", async (_, replay, answer) => {
  const id = `evt_crossed_${String(answer)}`;
  const customer = newCustomer({ id: `cus_${id}` });
  await pipe.arrive([{ event: { ...event("customer.created", customer, { id, apiVersion: NEW_API }) } }]);
  await pipe.database.query(`
    insert into stripe_event_outcomes (created, event_id, status, livemode)
    select created, event_id, 'failed', false from stripe_event_queue`);
  const before = await deadlocks();
  let replayed: Promise<unknown> | undefined;
  await crossing(id, async () => {
    replayed = replay(id);
    // Awaited below: what it waits for is the end of this transaction.
    replayed.catch(() => undefined);
  });
  expect(await replayed).toBe(answer);
  // More than one where the next try was there before the other transaction woke up.
  await expect.poll(deadlocks, { timeout: 10_000 }).toBeGreaterThan(before);
  expect(await count("stripe_event_outcomes")).toBe(0);
  expect(await count(`stripe_event_queue where event_id = '${id}' and refold and attempts = 0`)).toBe(1);
  await pipe.drain();
  expect(await count(`customers where id = 'cus_${id}'`)).toBe(1);
});

async function deadlocks(): Promise<number> {
  const text = "select deadlocks from pg_stat_database where datname = current_database()";
  return (await pipe.database.query<{ deadlocks: number }>(text)).rows[0]?.deadlocks ?? 0;
}
