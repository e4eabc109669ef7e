// An event that the database refuses: what is read together with it does not share its fate.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { processOnce } from "../src/inbox/process.ts";
import { replayRange } from "../src/inbox/replay.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

const OBJECTS = 12;
const MORE_THAN_ATTEMPTS = 10;

/** No row may name an event of this kind as its newest one. */
const REFUSE = [
  `create function refuse_poison() returns trigger language plpgsql as $$ begin
     if new.head_event_id like '%_poison' then raise exception 'refused' using errcode = '22008'; end if;
     return new;
   end $$`,
  "create trigger refuse_poison before insert or update on customers for each row execute function refuse_poison()",
];

describe.each(BOTH)("an event that is refused, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    for (const statement of REFUSE) await pipe.database.query(statement);
  });
  afterAll(() => pipe.close());

  it("is given up alone: others of its object and second, read again with it, are processed", async () => {
    for (let number = 0; number < OBJECTS; number += 1) {
      const said = (what: string) => {
        const customer = newCustomer({ id: `cus_${number}`, name: what });
        return {
          event: { ...event("customer.updated", customer, { id: `evt_${number}_${what}`, created: BEGIN + number }) },
        };
      };
      await pipe.arrive([said("0_first")]);
      await pipe.drain();
      // Of one second, and the last of them by its id: it would be the row's newest.
      await pipe.arrive([said("1_good"), said("2_poison")]);
    }
    for (let round = 0; round < MORE_THAN_ATTEMPTS; round += 1) {
      await pipe.drain();
      await pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
    }
    const failed = "select event_id as id from stripe_event_outcomes where status = 'failed' order by created";
    const poisoned = Array.from({ length: OBJECTS }, (_, number) => ({ id: `evt_${number}_2_poison` }));
    expect((await pipe.database.query(failed)).rows).toEqual(poisoned);
    const good = "select count(*) as count from customers where name = '1_good'";
    expect((await pipe.database.query(good)).rows).toEqual([{ count: OBJECTS }]);
    expect((await pipe.database.query("select count(*) as count from stripe_event_queue")).rows).toEqual([
      { count: 0 },
    ]);
  });

  it("while it is tried again after a replay stands in its object's row as before", async () => {
    const own = await openPipe(kind);
    const { database } = own;
    for (const [at, what] of ["old", "new_poison"].entries()) {
      const customer = newCustomer({ id: "cus_replayed", name: what });
      const said = event("customer.updated", customer, { id: `evt_${what}`, created: BEGIN + at });
      await own.arrive([{ event: { ...said } }]);
      await own.drain();
    }
    for (const statement of REFUSE) await database.query(statement);
    await replayRange(database, { types: [] });
    for (let round = 0; round < 3; round += 1) {
      await processOnce({ ...own.processOptions(), maxAttempts: 100 });
      expect((await database.query("select name from customers")).rows).toEqual([{ name: "new_poison" }]);
      await database.query("update stripe_event_queue set next_attempt_at = now()");
    }
    expect((await database.query("select distinct event_id from stripe_event_attempts")).rows).not.toEqual([]);
    await own.close();
  });
});
