// Retention of Stripe's events: months go, and everything stands, is rebuilt and goes on as if they had not gone. Both databases.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { applyRetention } from "../src/app-retention.ts";
import { manualClock } from "../src/base/clock.ts";
import { type Log, silentLog } from "../src/base/log.ts";
import { type Environment, readConfig } from "../src/config.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import { dropPartition, monthAt, partitionsOf } from "../src/db/partitions.ts";
import { billingLog } from "../src/inbox/billing-log.ts";
import { STRIPE_EVENTS } from "../src/inbox/partitions.ts";
import { BOTH, openPipe, type Pipe, stateOf } from "./support/pipe.ts";
import { creditsOf, eventsOf, makeAccount, makePurchase, type Turn } from "./support/purchase-lives.ts";
import {
  arriveInBatches,
  differencesOf,
  dropUntil,
  letAge,
  makeMonths,
  placed,
  type Round,
  round,
  startOf,
} from "./support/retention-scene.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";
import { expectNothingToldAgain } from "./support/told-once.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const ROUNDS = LONG ? 150 : 2;

/** A counterexample is pages of bodies; its seed and path make it again, and the difference says what is wrong. */
const SHORT_REPORT = {
  endOnFailure: true,
  asyncReporter: ({ failed, seed, counterexamplePath, errorInstance }: fc.RunDetails<[Round]>) =>
    failed
      ? Promise.reject(new Error(`seed ${seed}, path ${counterexamplePath ?? "?"}`, { cause: errorInstance }))
      : Promise.resolve(),
};

/** Fetched observations are named anew at every run. */
const comparable = (state: unknown): unknown =>
  JSON.parse(JSON.stringify(state).replace(/obs_[0-9a-z]{26}/g, "obs")) as unknown;

const countEvents = async (pipe: Pipe): Promise<number> =>
  (await pipe.database.query<{ count: number }>("select count(*) as count from stripe_events")).rows[0]?.count ?? 0;

describe.each(BOTH)("retention of Stripe's events, %s database", (kind) => {
  let pipe: Pipe;
  /** The same arrivals, and nothing ever goes. */
  let whole: Pipe;
  let rounds = 0;
  beforeAll(async () => {
    [pipe, whole] = [await openPipe(kind), await openPipe(kind)];
  });
  afterAll(async () => {
    await pipe.close();
    await whole.close();
  });

  async function sameAsWhole({ lives, cut, batch }: Round): Promise<void> {
    const number = (rounds += 1);
    const suffixes = lives.map((_, index) => `-r${number}-${index}-`);
    await makeMonths(pipe, number);
    const first = lives.flatMap(({ before }, index) => placed(before, number, suffixes[index] ?? ""));
    const then = lives.flatMap(({ after }, index) => placed(after, number, suffixes[index] ?? ""));
    for (const one of [pipe, whole]) await arriveInBatches(one, first, batch);
    const before = await countEvents(pipe);
    await letAge(pipe);
    const { events } = await dropUntil(pipe, startOf(number, cut));
    expect(await countEvents(pipe)).toBe(before - events);
    expect(await differencesOf(pipe)).toEqual([]);
    for (const one of [pipe, whole]) await arriveInBatches(one, then, batch);
    expect(await differencesOf(pipe)).toEqual([]);
    for (const suffix of suffixes) {
      const [expected, found] = [await stateOf(whole.database, suffix), await stateOf(pipe.database, suffix)];
      expect(comparable(found)).toEqual(comparable(expected));
      expect(new Set(found.told).size).toBe(found.told.length);
    }
    dropped += events;
  }
  let dropped = 0;

  it(
    `${ROUNDS} rounds of lives that are cut by a drop: new, late and repeated events end in the rows, facts and events of a run without it`,
    async () => {
      await fc.assert(fc.asyncProperty(round, sameAsWhole), { numRuns: ROUNDS, ...SHORT_REPORT });
      expect(dropped).toBeGreaterThan(ROUNDS * 3);
      await expectNothingToldAgain(pipe);
      expect(await differencesOf(pipe)).toEqual([]);
    },
    LONG ? 1_800_000 : 120_000,
  );

  it("credits stay where the money is: refunds and disputes settle across a drop, and the ledger verifies", async () => {
    const number = (rounds += 1);
    await makeMonths(pipe, number);
    const { database, platformTenant: tenantId } = pipe;
    const accountId = await makeAccount(database, tenantId);
    const turns: Turn[][] = [
      [],
      [{ what: "refund", amount: 300, fails: false }],
      [
        { what: "refund", amount: 400, fails: true },
        { what: "dispute", amount: 500, ends: "won" },
      ],
      [{ what: "dispute", amount: 1000, ends: "lost" }],
      [
        { what: "refund", amount: 250, fails: false },
        { what: "dispute", amount: 750, ends: "open" },
      ],
    ];
    const lives = await Promise.all(
      turns.map(async (its, index) => {
        const { id: purchaseId, sessionId } = await makePurchase(database, { tenantId, accountId });
        return { purchaseId, sessionId, slow: index % 2 === 0, old: index % 3 === 0, turns: its };
      }),
    );
    // A step every four days instead of every second.
    const all = lives.flatMap((life) =>
      eventsOf(life).map((arrival) => {
        const later = (second: number): number => startOf(number) + (second - BEGIN) * 4 * 86_400;
        if ("event" in arrival) return { event: { ...arrival.event, created: later(Number(arrival.event.created)) } };
        return { fetched: { ...arrival.fetched, asOf: later(arrival.fetched.asOf) } };
      }),
    );
    const isEarly = (one: (typeof all)[number]): boolean =>
      ("event" in one ? one.event.created : one.fetched.asOf) < startOf(number, 1) + 10 * 86_400;
    await arriveInBatches(pipe, all.filter(isEarly), 7);
    await letAge(pipe);
    expect((await dropUntil(pipe, startOf(number, 1))).events).toBeGreaterThan(5);
    // All of it, so that what was dropped comes once more.
    await arriveInBatches(
      pipe,
      all.toReversed().filter((one) => "event" in one || !isEarly(one)),
      7,
    );
    await letAge(pipe);
    await dropUntil(pipe, startOf(number, 4));
    expect(await differencesOf(pipe)).toEqual([]);
    const { rows } = await database.query<{ balance: number }>({
      text: "select balance from credit_balances where account_id = $1",
      values: [accountId],
    });
    expect(rows[0]?.balance).toBe(lives.reduce((sum, life) => sum + creditsOf(life), 0));
    const wrong: unknown[] = [];
    await verifyLedger({ database, onDifference: (difference) => wrong.push(difference) });
    expect(wrong).toEqual([]);
  });

  const updated = (id: string, name: string, created: number, more: object = {}) => ({
    event: {
      ...event("customer.updated", newCustomer({ id: `cus_${id}`, name }), { id: `evt_${id}_${name}`, created }),
      ...more,
    },
  });

  it("nothing goes from the month on in which an event failed or waits, until it is processed", async () => {
    const number = (rounds += 1);
    await makeMonths(pipe, number);
    const start = startOf(number);
    const names = ["A", "B", "C", "D"];
    await arriveInBatches(
      pipe,
      names.map((name, index) => updated("stays", name, start + index)),
      7,
    );
    const second = startOf(number, 1);
    await pipe.arrive([updated("waits", "E", second)]);
    await letAge(pipe);
    expect((await dropUntil(pipe, startOf(number, 2))).events).toBe(3);
    await pipe.drain();
    await pipe.database.query({
      text: "insert into stripe_event_outcomes (created, event_id, status, livemode) values ($1, 'evt_waits_E', 'failed', false)",
      values: [second],
    });
    expect((await dropUntil(pipe, startOf(number, 2))).events).toBe(0);
    await pipe.database.query("delete from stripe_event_outcomes where status = 'failed'");
    expect(await dropUntil(pipe, startOf(number, 2))).toMatchObject({ events: 0, kept: 1 });
  });

  it("events of an account that nobody has connected stay whole, and an object's log begins with what stayed of it", async () => {
    const number = (rounds += 1);
    await makeMonths(pipe, number);
    const start = startOf(number);
    const of = { account: "acct_nobody" };
    // Nothing reads a balance: its events are ignored.
    const arriving = ["A", "B", "C"].flatMap((name, index) => [
      updated("unowned", name, start + index, of),
      updated("log", name, start + index),
      {
        event: {
          ...event("balance.available", { object: "balance" }, { id: `evt_balance_${name}`, created: start + index }),
        },
      },
    ]);
    await arriveInBatches(pipe, [...arriving, updated("log", "D", startOf(number, 2))], 7);
    await letAge(pipe);
    expect(await dropUntil(pipe, startOf(number, 1))).toMatchObject({ events: 5, kept: 4 });
    const { data } = await billingLog(pipe.database, { objectId: "cus_log", limit: 10 });
    expect(data.map(({ event_id: id }) => id)).toEqual(["evt_log_D", "evt_log_C"]);
    expect(data[0]?.changes).toEqual([{ field: "name", before: "C", after: "D" }]);
    const { rows } = await pipe.database.query(
      "select count(*) as count from stripe_event_outcomes where status = 'unrouted'",
    );
    expect(rows).toEqual([{ count: 3 }]);
    // How the balance's events ended, which are gone, is forgotten with them.
    const { rows: ends } = await pipe.database.query(
      "select event_id as id from stripe_event_outcomes where event_id like 'evt_balance_%'",
    );
    expect(ends).toEqual([]);
  });

  it("a look that is cut off loses nothing, and the next one ends it; two at once are as good as one", async () => {
    const number = (rounds += 1);
    await makeMonths(pipe, number);
    const start = startOf(number);
    const arriving = Array.from({ length: 600 }, (_, index) =>
      updated(`cut${index % 40}`, String(index), start + index),
    );
    await arriveInBatches(pipe, arriving, 300);
    await letAge(pipe);
    let looks = 0;
    const { dropped: none } = await dropUntil(pipe, startOf(number, 1), { goesOn: () => (looks += 1) < 4 });
    expect(none).toEqual([]);
    expect(await differencesOf(pipe)).toEqual([]);
    const both = await Promise.allSettled([dropUntil(pipe, startOf(number, 1)), dropUntil(pipe, startOf(number, 1))]);
    expect(both.some(({ status }) => status === "fulfilled")).toBe(true);
    await dropUntil(pipe, startOf(number, 1));
    const { rows } = await pipe.database.query("select name from customers where id like 'cus_cut%' order by id");
    expect(rows).toHaveLength(40);
    expect(await differencesOf(pipe)).toEqual([]);
    const { rows: left } = await pipe.database.query(
      "select count(*) as count from stripe_events where object_id like 'cus_cut%'",
    );
    expect(left).toEqual([{ count: 40 }]);
  });

  // Embedded there are no months.
  if (kind === "server")
    it("a month that something came to just now is left alone, and then dropped whole", async () => {
      const number = (rounds += 1);
      await makeMonths(pipe, number);
      const start = startOf(number);
      await arriveInBatches(pipe, [updated("late", "A", start), updated("late", "B", start + 1)], 7);
      const month = `stripe_events_${monthAt(start * 1000).name}`;
      expect((await dropUntil(pipe, startOf(number, 1))).dropped).not.toContain(month);
      await letAge(pipe);
      expect((await dropUntil(pipe, startOf(number, 1))).dropped).toEqual([month]);
      // What was known of it comes again, and something older than all of it: into what stayed of that month.
      await arriveInBatches(
        pipe,
        [updated("late", "B", start + 1), updated("late", "A", start), updated("late", "0", start)],
        7,
      );
      const { rows } = await pipe.database.query("select name from customers where id = 'cus_late'");
      expect(rows).toEqual([{ name: "B" }]);
      const { rows: places } = await pipe.database.query<{ place: string }>(
        "select distinct tableoid::regclass::text as place from stripe_events where object_id = 'cus_late'",
      );
      expect(places.map(({ place }) => place)).toEqual([expect.stringMatching(/_kept$/)]);
    });

  if (kind === "server")
    it("what one look puts in a month's place stays, also where another one is about to clear away what was left behind", async () => {
      const number = (rounds += 1);
      await makeMonths(pipe, number);
      await arriveInBatches(pipe, [updated("place", "A", startOf(number))], 1);
      await letAge(pipe);
      // Nothing else is left to be done by the other look.
      await dropUntil(pipe, startOf(number));
      const month = (await partitionsOf(pipe.database, STRIPE_EVENTS)).find(
        ({ from }) => from === startOf(number) * 1000,
      );
      if (month === undefined) throw new Error("the month has no partition");
      const copy = `${month.name}_other_kept`;
      await pipe.database.query(
        `create table ${copy} (like ${month.name} including all); insert into ${copy} select * from ${month.name}`,
      );
      const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      let other: Promise<unknown> | undefined;
      await dropPartition(
        pipe.database,
        STRIPE_EVENTS,
        month,
        async (tx) => {
          await tx.query(`lock table ${copy} in access share mode`);
          // Its month is gone then: what becomes of the look itself is the next one's to mend.
          other = dropUntil(pipe, startOf(number, 1)).catch(() => undefined);
          await expect.poll(async () => (await pipe.database.query(waiting)).rows.length, { timeout: 900 }).toBe(1);
          return true;
        },
        copy,
      );
      await other;
      const { rows } = await pipe.database.query("select id from stripe_events where object_id = 'cus_place'");
      expect(rows).toHaveLength(1);
      expect(await differencesOf(pipe)).toEqual([]);
    });

  it("one look of a node does it all by its settings, and says what it did", async () => {
    const number = (rounds += 1);
    await makeMonths(pipe, number);
    const start = startOf(number);
    await arriveInBatches(pipe, [updated("look", "A", start), updated("look", "B", start + 1)], 7);
    await letAge(pipe);
    const said: string[] = [];
    const log: Log = { ...silentLog, info: (message) => void said.push(message) };
    const look = async (settings: Environment) =>
      applyRetention(
        {
          ...{ config: readConfig(settings), database: pipe.database, log },
          clock: manualClock((startOf(number, 1) + 60 * 86_400) * 1000),
        },
        () => true,
      );
    expect((await look({})).stripeEvents).toEqual({ dropped: [], events: 0, kept: 0 });
    const { stripeEvents } = await look({ STRIPE_EVENTS_RETENTION_DAYS: "60" });
    expect(stripeEvents).toMatchObject({ events: 1, kept: 1 });
    expect(said).toContain(
      kind === "server" ? "a month of Stripe's events was let go" : "old events of Stripe's were let go",
    );
  });
});
