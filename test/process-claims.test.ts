// What one claim takes, and what becomes of a batch whose claims are lost while it runs; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Database } from "../src/db/database.ts";
import { processOnce } from "../src/inbox/process.ts";
import { replayRange } from "../src/inbox/replay.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
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

  if (kind === "server") {
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
