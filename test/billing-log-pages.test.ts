// A page of the billing log, made from the observations around it, says what the whole lives of its objects say, and costs no more
// for an object with thousands of events, but for one that has ended.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { billingLog, changesOfEvent, type LogEntry, type LogFilter, type LogPage } from "../src/inbox/billing-log.ts";
import { placesAround } from "../src/inbox/object-stories.ts";
import { BOTH, openPipe, type Arrival, type Pipe } from "./support/pipe.ts";
import { bodyOf, LIVES } from "./support/lives.ts";
import { planWatch, type Reading } from "./support/plan-watch.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

/** Nobody has so many events: all that an object has is read, and put in order whole. */
const WHOLE = 1_000_000;
const RUNS = process.env.BILLHOOK_TEST_LONG === "1" ? 200 : 16;
/** Each run has days of its own. */
const RUN_SECONDS = 100_000;

/** One event of a life. */
interface Moment {
  wait: number;
  step: number;
  /** Its processing has failed for good, or it arrives when all others have been processed, or it names its object only. */
  fate: "processed" | "failed" | "late" | "thin";
  shape: "old" | "new";
  again: boolean;
  /** It says nothing of other objects. */
  bare: boolean;
  /** It says that the object is gone, and nothing else. */
  stub: boolean;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  wait: fc.constantFrom(0, 0, 0, 1, 1, 3),
  step: fc.nat(20),
  fate: fc.constantFrom("processed", "processed", "processed", "processed", "processed", "failed", "late", "thin"),
  shape: fc.constantFrom("old" as const, "new" as const),
  again: fc.boolean(),
  bare: fc.boolean(),
  stub: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
});

const LINKS = { customer: null, payment_intent: null, subscription: null, latest_charge: null };

/** Any steps of any life in any order, many a second: also what Stripe would never send. */
const lives = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.keys(LIVES)),
    moments: fc.array(moment, { minLength: 12, maxLength: 40 }),
    /** An ordinary life: its steps in their order, once each, behind what stands above. */
    ordered: fc.boolean(),
    account: fc.constantFrom("", "", "acct_own"),
    /** Its id is that of other objects, too. */
    shared: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
);

type Life = Parameters<Parameters<typeof lives.map>[0]>[0][number];

interface Made {
  processed: Arrival[];
  failed: Arrival[];
  late: Arrival[];
  objects: Set<string>;
}

function make(found: readonly Life[], run: number): Made {
  const made: Made = { processed: [], failed: [], late: [], objects: new Set() };
  for (const [number, { kind, moments, ordered, account, shared }] of found.entries()) {
    const steps = LIVES[kind] ?? [];
    let created = BEGIN + run * RUN_SECONDS;
    for (const [index, { wait, step, fate, shape, again, bare, stub }] of moments.entries()) {
      created += wait;
      const chosen = steps[(ordered ? index : step) % steps.length];
      if (chosen === undefined) continue;
      const named = (value: unknown): unknown =>
        JSON.parse(
          JSON.stringify(value).replace(
            /"((?:cus|sub|si|in|il|pi|ch|re|dp|cs|pm)_\w+)"/g,
            `"$1_${run}_${shared ? "all" : number}"`,
          ),
        );
      const { object: full, apiVersion } = named(bodyOf(chosen, shape)) as ReturnType<typeof bodyOf>;
      const objectId = shared ? `any_${run}` : full.id;
      const object = stub
        ? { id: objectId, object: full.object, deleted: true }
        : { ...full, ...(bare ? LINKS : {}), id: objectId };
      made.objects.add(String(object.id));
      if (chosen.type === "fetch") {
        made.processed.push({ fetched: { livemode: false, account, object, asOf: created, apiVersion } });
        continue;
      }
      const more = {
        ...(chosen.previous === undefined ? {} : { previous: named(chosen.previous) as Record<string, unknown> }),
        ...(account === "" ? {} : { account }),
      };
      // Ids do not grow with time.
      const id = `evt_${String((index * 7) % 41)}_${run}_${number}`;
      const sent = { ...event(chosen.type, object, { id, created, apiVersion, ...more }) };
      const group = fate === "thin" ? made.processed : made[fate];
      group.push({ event: { ...sent, ...(fate === "thin" ? { data: {}, thin: object } : {}) } });
      if (again && fate !== "thin") group.push({ event: sent });
    }
  }
  return made;
}

async function arrive(pipe: Pipe, { processed, failed, late }: Made): Promise<void> {
  await pipe.arrive(failed);
  await pipe.database.query(
    `with taken as (delete from stripe_event_queue returning created, event_id)
     insert into stripe_event_outcomes (created, event_id, status, livemode) select created, event_id, 'failed', false from taken`,
  );
  // What an event says is put away after it has arrived: at the door it would be refused.
  await pipe.arrive(
    processed.map((one) => ("event" in one && "thin" in one.event ? { event: whole(one.event) } : one)),
  );
  const thin = processed.flatMap((one) => ("event" in one && "thin" in one.event ? [String(one.event.id)] : []));
  await pipe.database.query({
    text: `update stripe_events set payload = '{"data":{}}' where id = any ($1)`,
    values: [thin],
  });
  await pipe.drain();
  await pipe.arrive(late);
}

function whole(sent: Record<string, unknown>): Record<string, unknown> {
  return { ...sent, data: { object: sent.thin } };
}

const objectOf = ({ account, object_type: type, object_id: id }: LogEntry): string =>
  `${account ?? ""} ${type} ${id ?? ""}`;

/** Which of two objects stands higher within a second is decided only as long as both are young. */
function byObject(entries: readonly LogEntry[]): unknown {
  const inSeconds = [...Map.groupBy(entries, ({ created }) => created)];
  return inSeconds.map(([second, all]) => [second, Object.fromEntries(Map.groupBy(all, objectOf))]);
}

async function expectSamePages(pipe: Pipe, filter: Omit<LogFilter, "cursor">, around: number): Promise<void> {
  let cursor: string | undefined;
  let read = 0;
  for (let page = 0; page < 200; page += 1) {
    const asked = { ...filter, cursor };
    const expected = await billingLog(pipe.database, asked, WHOLE);
    const { data, ...rest } = await billingLog(pipe.database, asked, around);
    const said = filter.objectId === undefined ? byObject(data) : data;
    expect([asked, rest, said]).toEqual([
      asked,
      { has_more: expected.has_more, next_cursor: expected.next_cursor },
      filter.objectId === undefined ? byObject(expected.data) : expected.data,
    ]);
    read += data.length;
    if (expected.next_cursor === null) {
      expect([asked, read]).toEqual([asked, await countStored(pipe, filter)]);
      return;
    }
    cursor = expected.next_cursor;
  }
  throw new Error(`the log does not end: ${JSON.stringify(filter)}`);
}

async function countStored(pipe: Pipe, { objectId, customer, since, until }: LogFilter): Promise<number> {
  const { rows } = await pipe.database.query<{ count: number }>({
    text: `select count(*) from stripe_events where ($1::text is null or object_id = $1) and ($2::text is null or customer_id = $2)
           and created >= coalesce($3, 0) and created < coalesce($4, ${String(Number.MAX_SAFE_INTEGER)})`,
    values: [objectId, customer, since, until].map((value) => value ?? null),
  });
  return rows[0]?.count ?? NaN;
}

describe.each(BOTH)("on the %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(async () => pipe.close());

  it("what stands around an event is looked up by the object's index, also by a plan from when nothing was stored", async () => {
    const asked: { name?: string; text: string }[] = [];
    const key = { livemode: false, account: "", objectType: "customer", objectId: "cus_planned" };
    const tx = { query: async (one: { name?: string; text: string }) => (asked.push(one), { rows: [], rowCount: 0 }) };
    await placesAround(tx, [{ created: BEGIN, id: "evt_1", key }]);
    const { text } = asked.find(({ name }) => name === "around_spans") ?? { text: "" };
    const rolledBack = new Error("rolled back");
    const work = pipe.database.transaction(async (tx) => {
      await tx.query("set local plan_cache_mode = force_generic_plan");
      await tx.query(`prepare around as ${text}`);
      const ask = `explain (analyze, timing off) execute around ('{f}', '{""}', '{customer}', '{cus_planned}', '{500}', '{500}', 21)`;
      await tx.query(ask);
      await tx.query(
        `insert into stripe_events (created, id, source, type, livemode, stripe_account, object_type, object_id, payload)
         select n, 'evt_' || n, 'webhook', 'customer.updated', false, '', 'customer',
                case when n % 2 = 0 then 'cus_planned' else 'cus_' || n end, '{}' from generate_series(1, 5000) as n`,
      );
      const { rows } = await tx.query<{ "QUERY PLAN": string }>(ask);
      const lines = rows.map((row) => row["QUERY PLAN"]);
      expect(lines.filter((line) => /Seq Scan|Sort|Rows Removed/.test(line))).toEqual([]);
      expect(lines.filter((line) => /Index Cond.*object_id/.test(line)).length).toBeGreaterThanOrEqual(3);
      throw rolledBack;
    });
    await expect(work).rejects.toBe(rolledBack);
  });

  let run = 0;
  it("a page is, of any lives, what it is when they are put in order whole", async () => {
    await fc.assert(
      fc.asyncProperty(lives, fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2, 5), async (found, around, limit) => {
        run += 1;
        const made = make(found, run);
        await arrive(pipe, made);
        const since = BEGIN + run * RUN_SECONDS;
        const times = [{}, { since: since + 2 }, { until: since + 6 }, { since: since + 1, until: since + 9 }];
        for (const time of times) {
          for (const objectId of made.objects) await expectSamePages(pipe, { objectId, ...time, limit }, around);
          const { until = since + RUN_SECONDS } = time;
          await expectSamePages(pipe, { since, ...time, until, limit: limit * 3 }, around);
        }
        for (const customer of made.objects) {
          if (!customer.startsWith("cus_")) continue;
          await expectSamePages(pipe, { customer, limit: limit * 2 }, around);
          for (const objectId of made.objects) await expectSamePages(pipe, { objectId, customer, limit }, around);
        }
        await pipe.drain();
      }),
      {
        numRuns: RUNS,
        endOnFailure: true,
      },
    );
  }, 600_000);

  it("an old event that ends an object stands above all younger ones, while it waits and when it is processed", async () => {
    const sent = (type: string, second: number): Arrival => ({
      event: {
        ...event(type, newCustomer({ id: "cus_ended", name: `N${second}` }), {
          ...{ id: `evt_ended_${type}_${second}`, created: BEGIN - RUN_SECONDS + second, apiVersion: NEW_API },
        }),
      },
    });
    await pipe.arrive(Array.from({ length: 40 }, (_, second) => sent("customer.updated", second)));
    await pipe.drain();
    const newest = { until: BEGIN, limit: 3 };
    const told = async (): Promise<unknown[]> => {
      await expectSamePages(pipe, newest, 2);
      await expectSamePages(pipe, { ...newest, objectId: "cus_ended" }, 2);
      const [byTime] = (await billingLog(pipe.database, newest, 2)).data;
      const [first] = (await billingLog(pipe.database, { ...newest, objectId: "cus_ended" }, 2)).data;
      return [byTime?.head, first?.type];
    };
    expect(await told()).toEqual([true, "customer.updated"]);
    await pipe.arrive([sent("customer.deleted", 1)]);
    expect(await told()).toEqual([false, "customer.deleted"]);
    await pipe.drain();
    expect(await told()).toEqual([false, "customer.deleted"]);
  });
});

describe("of an object with five thousand events", () => {
  const EVENTS = 5000;
  const watch = planWatch();
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe("server");
    const first = event("customer.updated", newCustomer({ id: "cus_long" }), { id: "evt_first", created: BEGIN });
    const gone = event("customer.deleted", newCustomer({ id: "cus_gone" }), { id: "evt_gone", created: BEGIN });
    await pipe.arrive([{ event: { ...first } }, { event: { ...gone } }]);
    await pipe.drain();
    await pipe.database.query(
      `insert into stripe_events (created, id, source, type, livemode, stripe_account, object_type, object_id, customer_id, payload)
       select ${BEGIN} + n / 3, 'evt_long' || n, 'webhook', 'customer.updated', false, '', 'customer', 'cus_long', 'cus_long',
              json_build_object('data', json_build_object('object', json_build_object('id', 'cus_long', 'object', 'customer', 'name', 'N' || n)))::text
       from generate_series(3, ${EVENTS}) as n`,
    );
    await pipe.database.query(
      `insert into stripe_events (created, id, source, type, livemode, stripe_account, object_type, object_id, payload)
       select created, 'evt_gone' || id, source, type, livemode, stripe_account, object_type, 'cus_gone', replace(payload, 'cus_long', 'cus_gone')
       from stripe_events where object_id = 'cus_long' and id like 'evt_long%'`,
    );
    await pipe.database.query("analyze stripe_events");
  }, 120_000);
  afterAll(async () => pipe.close());

  /** `touched`: rows that all its statements looked at, but for `others`; `queue`: how often it asked what waits. */
  const watchedPage = async (
    filter: LogFilter,
  ): Promise<{ page: LogPage; touched: number; others: number; queue: number }> => {
    watch.taken();
    const page = await billingLog(watch.watched(pipe.database), filter);
    const readings = watch.taken();
    const touchedBy = (some: readonly Reading[]): number => some.reduce((sum, one) => sum + one.touched, 0);
    const others = readings.filter(({ statement }) => /^\s*select 1 from stripe_events/.test(statement));
    const queue = readings.filter(({ statement }) => statement.includes("stripe_event_queue"));
    return { page, touched: touchedBy(readings) - touchedBy(others), others: touchedBy(others), queue: queue.length };
  };

  it.each([
    ["by time", { until: BEGIN + 1000 }],
    ["by customer", { customer: "cus_long" }],
    ["by object", { objectId: "cus_long", until: BEGIN + 1000 }],
    ["of its newest", { objectId: "cus_long" }],
  ])("a page %s reads some hundred of them, and says what each changed", async (_, filter) => {
    const { page, touched, others, queue } = await watchedPage({ ...filter, limit: 20 });
    expect([touched < 700, touched]).toEqual([true, touched]);
    // No other object may have the id: all in this time are asked. Half of the table is one object's, and may be read whole.
    expect(others).toBeLessThan(!("objectId" in filter) ? 1 : "until" in filter ? 3010 : 2 * EVENTS + 1);
    expect(queue).toBeLessThanOrEqual(1);
    expect(page.data).toHaveLength(20);
    expect(page.data.every(({ changes }) => changes.length === 1 && changes[0]?.field === "name")).toBe(true);
  });

  it.each([
    ["by time", { until: BEGIN + 1000 }],
    ["by customer", { customer: "cus_long" }],
    ["by object", { objectId: "cus_long" }],
  ])("the page that follows %s reads no more of them", async (_, filter) => {
    const { next_cursor: cursor } = await billingLog(pipe.database, { ...filter, limit: 20 });
    const { page, touched, others, queue } = await watchedPage({ ...filter, limit: 20, cursor: cursor ?? "" });
    expect([touched < 700, touched, others, page.data.length]).toEqual([true, touched, 0, 20]);
    expect(queue).toBeLessThanOrEqual(1);
  });

  it("each page of an ended one reads its whole life, twice at most: its end stands above all that is younger", async () => {
    const filter = { objectId: "cus_gone", limit: 20 };
    const first = await watchedPage(filter);
    const second = await watchedPage({ ...filter, cursor: first.page.next_cursor ?? "" });
    expect(first.page.data[0]).toMatchObject({ event_id: "evt_gone", head: true });
    for (const { touched, others, queue } of [first, second]) {
      expect([touched > EVENTS, touched < 3.2 * EVENTS, touched]).toEqual([true, true, touched]);
      expect([others, queue]).toEqual([0, 1]);
    }
  });

  it("an event in the middle says what it changed", async () => {
    const { changes } = (await changesOfEvent(watch.watched(pipe.database), "evt_long2500")) ?? {};
    expect(changes).toEqual([{ field: "name", before: "N2499", after: "N2500" }]);
    expect(watch.taken().every(({ touched }) => touched < 200)).toBe(true);
  });
});
