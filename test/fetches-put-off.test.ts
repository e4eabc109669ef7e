// Fetches of objects that change all the time, or whose answers come too early: each is made in the end; on both databases.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { queueFetches } from "../src/inbox/fetch-table.ts";
import { type FetchAnswer, fetchPool } from "../src/inbox/fetch.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, DAY, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

describe.each(BOTH)("a fetch, %s database", (kind) => {
  let pipe: Pipe;
  /** Stripe's, Unix. */
  let second = BEGIN;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());
  beforeEach(async () => {
    await pipe.database.query("delete from stripe_fetches");
  });

  async function passes(seconds: number): Promise<void> {
    second += seconds;
    await pipe.database.query({
      text: "update stripe_fetches set next_attempt_at = next_attempt_at - $1::int * interval '1 second'",
      values: [seconds],
    });
  }

  async function fetchDue(retrieve: () => FetchAnswer | Promise<FetchAnswer>): Promise<void> {
    const pool = fetchPool({
      ...{ database: pipe.database, log: silentLog, clock: systemClock, platformTenant: pipe.platformTenant },
      ...{ livemode: false, leaseSeconds: 30, newLease: () => newId("node"), paused: () => [] },
      ...{ onObserved: () => undefined, metrics: { fetched: () => undefined } },
      retrieve: async () => retrieve(),
    });
    await pool.run();
    await pool.idle();
    // What the pool's work threw, it throws at its next look.
    await pool.run();
    await pool.idle();
    await pipe.drain();
  }

  const found = (object: FetchedCustomer): FetchAnswer => {
    const text = JSON.stringify(object);
    return { outcome: "found", object, text, asOf: second - 2, apiVersion: NEW_API };
  };
  type FetchedCustomer = ReturnType<typeof newCustomer> & Record<string, unknown>;
  const named = (id: string, type: string, at = second) => {
    const created = new Date(at * 1000).toISOString();
    const common = { id: `evt_${id}_${type}_${second}`, object: "v2.core.event", livemode: false, context: null };
    const related = { type: "customer", id, url: `/v1/customers/${id}` };
    return pipe.arrive([{ event: { ...common, type: `v1.${type}`, created, related_object: related } }]);
  };
  const rowsOf = async (text: string) => (await pipe.database.query(text)).rows;

  it("of an object that changes every second is made while it changes, tells what it includes, and ends with the last change", async () => {
    const asked: number[] = [];
    const answer = (): FetchAnswer => {
      asked.push(second);
      return found({ ...newCustomer({ id: "cus_busy", name: `at ${second}` }) });
    };
    const begun = second;
    for (let round = 0; round < 12; round += 1) {
      await named("cus_busy", round === 0 ? "customer.created" : "customer.updated");
      await pipe.drain();
      await passes(1);
      await fetchDue(answer);
    }
    const busy = second;
    // Every two or three seconds, not at each change.
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(asked[0]).toBe(begun + 3);
    const [row] = await rowsOf("select name from customers where id = 'cus_busy'");
    expect(Number(String(row?.name).slice(3))).toBeGreaterThan(busy - 4);
    expect(await rowsOf("select type from stripe_events where type = 'customer.created' and source = 'pull'")).toEqual([
      { type: "customer.created" },
    ]);
    await passes(5);
    await fetchDue(answer);
    expect(await rowsOf("select name from customers where id = 'cus_busy'")).toEqual([{ name: `at ${second}` }]);
    expect(await rowsOf("select * from stripe_fetches")).toEqual([]);
    // Each thing that was named is told once.
    const told = "source = 'pull' and type in ('customer.created', 'customer.updated')";
    expect(await rowsOf(`select created from stripe_events where ${told} order by created`)).toEqual(
      Array.from({ length: 12 }, (_, round) => ({ created: begun + round })),
    );
  });

  it("whose object is named again while Stripe answers too early waits longer after a failure, as any other", async () => {
    await named("cus_again", "customer.updated");
    await pipe.drain();
    await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
    await fetchDue(async () => {
      await queueFetches(pipe.database, [
        {
          ...{ livemode: false, account: "", objectType: "customer", objectId: "cus_again" },
          since: second,
          reason: "x",
        },
      ]);
      return found({ ...newCustomer({ id: "cus_again" }) });
    });
    await passes(3);
    await fetchDue(() => ({ outcome: "retry", reason: "no answer" }));
    expect(await rowsOf("select attempts, last_error, lease from stripe_fetches")).toEqual([
      { attempts: 1, last_error: "no answer", lease: null },
    ]);
  });

  // A test clock stands still at a second that Stripe's own clock does not reach for days.
  describe("of an object on a test clock ahead of Stripe's time", () => {
    const ahead = second + 40 * DAY;
    const clocked = (id: string, name: string) => ({ ...newCustomer({ id, name, test_clock: "clock_1" }) });
    async function askedUntilNothingWaits(answer: () => FetchAnswer): Promise<number> {
      let asked = 0;
      for (let round = 0; round < 6; round += 1) {
        await passes(3600);
        await fetchDue(() => {
          asked += 1;
          return answer();
        });
      }
      expect(await rowsOf("select * from stripe_fetches")).toEqual([]);
      return asked;
    }

    it("is made once for a tie, and hides nothing that happens in the same second later", async () => {
      const updated = (id: string, name: string, previous?: object) => ({
        event: {
          ...event("customer.updated", clocked("cus_tie", name), {
            ...{ id, created: ahead, apiVersion: NEW_API },
            ...(previous === undefined ? {} : { previous: { ...previous } }),
          }),
        },
      });
      await pipe.arrive([updated("evt_tie_1", "A"), updated("evt_tie_2", "B")]);
      await pipe.drain();
      expect(await rowsOf("select object_id, reason from stripe_fetches")).toEqual([
        { object_id: "cus_tie", reason: "order_ambiguous" },
      ]);
      expect(await askedUntilNothingWaits(() => found(clocked("cus_tie", "B")))).toBe(1);
      await pipe.arrive([updated("evt_tie_3", "C", { name: "B" })]);
      await pipe.drain();
      expect(await rowsOf("select name from customers where id = 'cus_tie'")).toEqual([{ name: "C" }]);
    });

    it("tells what thin events name, each time with the object as it is by then", async () => {
      for (const [name, type] of [
        ["Ann", "customer.created"],
        ["Bea", "customer.updated"],
      ] as const) {
        await named("cus_clock", type, ahead);
        await pipe.drain();
        expect(await askedUntilNothingWaits(() => found(clocked("cus_clock", name)))).toBeLessThanOrEqual(2);
        expect(await rowsOf("select name from customers where id = 'cus_clock'")).toEqual([{ name }]);
      }
      const told = "object_id = 'cus_clock' and source = 'pull' and type not like '%.retrieved'";
      expect(await rowsOf(`select type, created from stripe_events where ${told} order by id`)).toEqual([
        { type: "customer.created", created: ahead },
        { type: "customer.updated", created: ahead },
      ]);
    });
  });
});
