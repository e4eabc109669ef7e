// What one claim takes, and what becomes of a batch whose claims are lost while it runs; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { OLDEST_OBJECTS } from "../src/inbox/claim-order.ts";
import { claimEvents, claimObjects } from "../src/inbox/event-tables.ts";
import { processOnce } from "../src/inbox/process.ts";
import type { BatchResult } from "../src/inbox/project-batch.ts";
import { replayRange } from "../src/inbox/replay.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

describe.each(BOTH)("claims on events, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const arrive = (prefix: string, count: number): Promise<void> =>
    pipe.arrive(
      Array.from({ length: count }, (_, number) => {
        const id = `${prefix}${number}`;
        const customer = newCustomer({ id: `cus_${id}`, name: "Ada" });
        return { event: { ...event("customer.created", customer, { id: `evt_${id}`, apiVersion: NEW_API }) } };
      }),
    );
  async function count(text: string): Promise<number> {
    return (
      (await pipe.database.query<{ count: number }>(`select count(*)::int as count from ${text}`)).rows[0]?.count ?? 0
    );
  }

  it("a batch that loses one claim goes on at once with what is still its own, and leaves the lost one alone", async () => {
    await arrive("lost", 40);
    let transactions = 0;
    const robbed: Database = {
      ...pipe.database,
      transaction: async (work, options) => {
        transactions += 1;
        if (transactions === 2)
          await pipe.database.query("update stripe_event_queue set lease = 'another' where event_id = 'evt_lost7'");
        return pipe.database.transaction(work, options);
      },
    };
    await processOnce(pipe.processOptions({ database: robbed, batchSize: 100 }));
    // The claim, the batch that was rolled back, what is still ours, and that.
    expect(transactions).toBe(4);
    expect(await count("customers where id like 'cus_lost%'")).toBe(39);
    expect((await pipe.database.query("select event_id, attempts, lease from stripe_event_queue")).rows).toEqual([
      { event_id: "evt_lost7", attempts: 1, lease: "another" },
    ]);
    await pipe.database.query("delete from stripe_event_queue");
  });

  it("a claim takes twenty that were tried before and a hundred to fold anew, says that there are more, and counts no attempt of those", async () => {
    await arrive("anew", 130);
    await pipe.drain({ batchSize: 200 });
    expect(await replayRange(pipe.database, { types: [], objectId: undefined })).toBeGreaterThanOrEqual(130);
    await arrive("tried", 30);
    await pipe.database.query("update stripe_event_queue set attempts = 1 where event_id like 'evt_tried%'");
    const all = await count("stripe_event_queue where event_id not like 'evt_tried%'");
    const first = await processOnce(pipe.processOptions({ batchSize: 500 }));
    expect(first).toMatchObject({ claimed: 120, full: true });
    expect(await count("stripe_event_queue where attempts = 1 and lease is null and event_id like 'evt_tried%'")).toBe(
      10,
    );
    expect(await count("stripe_event_queue where attempts = 0 and lease is null and refold")).toBe(all - 100);
    await pipe.drain({ batchSize: 500 });
    expect(await count("customers where id like 'cus_tried%'")).toBe(30);
  });

  it("a claim off a backlog takes whole objects: the oldest, with what waits of them further back, each with one row in one batch", async () => {
    const told = (id: string, rounds: number) =>
      Array.from({ length: rounds }, (_, round) => ({
        event: {
          ...event("customer.updated", newCustomer({ id, name: `${id} ${round}` }), {
            ...{ id: `evt_${id}_${round}`, apiVersion: NEW_API, created: BEGIN + round },
          }),
        },
      }));
    // Ada's three are first, second and last, with thirty others between.
    const [first, second, last] = told("cus_whole_ada", 3);
    if (first === undefined || second === undefined || last === undefined) throw new Error("there are three");
    await pipe.arrive([first, second]);
    await pipe.arrive(Array.from({ length: 30 }, (_, number) => told(`cus_whole_${number}`, 1)).flat());
    await pipe.arrive([last]);
    const batches: BatchResult[] = [];
    const metrics = {
      batch: (one: BatchResult) => batches.push(one),
      retried: () => undefined,
      failed: () => undefined,
    };
    await processOnce(pipe.processOptions({ batchSize: 10, metrics }), { number: 0, of: 1 });
    expect(batches).toMatchObject([kind === "server" ? { processed: 12, rows: 10 } : { processed: 10, rows: 8 }]);
    expect((await pipe.database.query("select name from customers where id = 'cus_whole_ada'")).rows).toEqual([
      { name: "cus_whole_ada 2" },
    ]);
    await pipe.drain();
    expect(await count("customers where id like 'cus_whole_%'")).toBe(31);
  });

  it("what was tried before keeps nothing fresh from being claimed, also where much of it is older", async () => {
    await arrive("killed", 40);
    await pipe.database.query("update stripe_event_queue set attempts = 1");
    await arrive("fresh", 10);
    const { claimed } = await processOnce(pipe.processOptions({ batchSize: 20 }), { number: 0, of: 1 });
    expect([claimed, await count("customers where id like 'cus_fresh%'")]).toEqual([30, 10]);
    await pipe.drain();
    expect(await count("customers where id like 'cus_killed%'")).toBe(40);
  });

  it("two lanes claim no event of each other's, and all events together; of what another claims at the same time nothing twice", async () => {
    await arrive("lane", 60);
    const claim = (number: number, of: number) =>
      pipe.database.transaction((tx) =>
        claimObjects(tx, `${number} of ${of}`, 30, { events: 40, objects: 40 }, { number, of }),
      );
    const [even, odd, ...rest] = await Promise.all([claim(0, 2), claim(1, 2), claim(0, 1), claim(0, 1)]);
    const seqs = [even, odd, ...rest].flat().map(({ seq }) => seq);
    expect(new Set(seqs).size).toBe(seqs.length);
    const left = [...(await claim(0, 2)), ...(await claim(1, 2))];
    expect(seqs.length + left.length).toBe(60);
    await pipe.database.query("update stripe_event_queue set lease = null, attempts = 0, next_attempt_at = now()");
    await pipe.drain();
  });

  it("a batch reads no more than it has room for: what is left of very large events is given back, and counts no attempt", async () => {
    const large = Array.from({ length: 130 }, (_, number) => {
      const customer = newCustomer({ id: `cus_large${number}`, description: "x".repeat(100_000) });
      return { event: { ...event("customer.created", customer, { id: `evt_large${number}`, apiVersion: NEW_API }) } };
    });
    await pipe.arrive(large);
    const batches: BatchResult[] = [];
    const metrics = {
      batch: (one: BatchResult) => batches.push(one),
      retried: () => undefined,
      failed: () => undefined,
    };
    const options = pipe.processOptions({ batchSize: 200, metrics });
    const context = { ...options.context, mostText: 6_000_000 };
    await processOnce({ ...options, context });
    // Fifty are looked at, and with ten more it is enough.
    expect(batches).toMatchObject([{ processed: 60, released: 70 }]);
    expect(await count("stripe_event_queue where attempts = 0")).toBe(70);
    await pipe.drain({ batchSize: 200 });
    expect(await count("customers where id like 'cus_large%'")).toBe(130);
  });

  if (kind === "server") {
    it("what another claims and commits while a claim looks is passed over, and never claimed twice", async () => {
      await arrive("raced", 5);
      const looking = OLDEST_OBJECTS.replace("select ctid from chosen", "select ctid from chosen, pg_sleep(3)");
      expect(looking).not.toBe(OLDEST_OBJECTS);
      const slow = pipe.database.transaction((tx) =>
        tx.query({
          text: `with named as (select $1::text, $2::int) ${looking.replace("with due", ", due")}`,
          values: ["lease", 30, 10, 10, 0, 0],
        }),
      );
      await expect
        .poll(() => count("pg_stat_activity where state = 'active' and wait_event = 'PgSleep' and query like '%due%'"))
        .toBe(1);
      const claimed = await pipe.database.transaction((tx) => claimEvents(tx, "quick", 30, 10));
      expect([claimed.length, (await slow).rows]).toEqual([5, []]);
      await pipe.database.query("update stripe_event_queue set lease = null, attempts = 0, next_attempt_at = now()");
      await pipe.drain();
    });

    it("waits longer for a lock than the login's own limit, and blames no event", async () => {
      await pipe.database.query(
        "do $$ begin execute format('alter database %I set lock_timeout = 100', current_database()); end $$",
      );
      await pipe.database.query(
        "do $$ begin execute format('alter database %I set statement_timeout = 200', current_database()); end $$",
      );
      const other = await openPipe("server", undefined, pipe.url);
      await arrive("patient", 3);
      let locked = (): void => undefined;
      const held = new Promise<void>((resolve) => (locked = resolve));
      const blocking = pipe.database.transaction(async (tx) => {
        await tx.query("set local statement_timeout = 0");
        await tx.query("lock table customers in access exclusive mode");
        locked();
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      });
      await held;
      await other.drain();
      await blocking;
      expect(await count("customers where id like 'cus_patient%'")).toBe(3);
      expect(await count("stripe_event_attempts")).toBe(0);
      await other.close();
    });
  }
});
