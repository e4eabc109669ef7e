// Promise 9: all projections can be recomputed from the inbox and come out equal, and nothing is published again. And the billing log.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { billingLog, changesOfEvent, type LogEntry } from "../src/inbox/billing-log.ts";
import { type Difference, rebuild, type RebuildProgress } from "../src/inbox/rebuild.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";
import { everyHandledEvent } from "./support/stripe-fixtures-events.ts";
import { bodyOf, LIVES } from "./support/lives.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { slowListener } from "./support/slow-listener.ts";

describe.each(BOTH)("rebuild, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    const fixtures = everyHandledEvent().flatMap(({ old, new: newer }) => (old === null ? [newer] : [old, newer]));
    await pipe.arrive(
      fixtures.map((one, index) => ({ event: { ...one, id: `evt_f${index}`, created: BEGIN + index } })),
    );
    await pipe.drain();
  });
  afterAll(() => pipe.close());

  async function run(
    check: boolean,
    signal?: AbortSignal,
    database = pipe.database,
  ): Promise<{ progress: RebuildProgress; differences: Difference[] }> {
    const differences: Difference[] = [];
    const progress = await rebuild({
      database,
      clock: systemClock,
      platformTenant: pipe.platformTenant,
      check,
      onProgress: () => undefined,
      onDifference: (difference) => differences.push(difference),
      ...(signal === undefined ? {} : { signal }),
    });
    return { progress, differences };
  }

  it("that is stopped works on no page more, of no kind", async () => {
    const stopping = new AbortController();
    let pages = 0;
    const counting: typeof pipe.database = {
      ...pipe.database,
      transaction: (work, options) => {
        pages += 1;
        stopping.abort();
        return pipe.database.transaction(work, options);
      },
    };
    await pipe.database.query("update products set id = 'prod_nobody_sent_either'");
    await run(true, stopping.signal, counting);
    expect(pages).toBe(1);
    await run(false);
  });

  it("waits for whoever is told of a difference before it tells of the next, and ends behind the last", async () => {
    await pipe.database.query("update products set name = 'wrong'");
    await pipe.database.query("update prices set nickname = 'wrong'");
    const listener = slowListener();
    const { differing } = await rebuild({
      ...{ database: pipe.database, clock: systemClock, platformTenant: pipe.platformTenant, check: false },
      ...{ onProgress: () => undefined, onDifference: listener.hear },
    });
    expect(differing).toBeGreaterThan(1);
    expect(listener.noted()).toEqual({ heard: differing, atOnce: 1 });
  });

  it("finds no difference after ordinary processing, for every kind of object in both shapes", async () => {
    const { progress, differences } = await run(true);
    expect(differences).toEqual([]);
    expect(progress.done).toBe(progress.total);
    expect(progress.total).toBeGreaterThan(15);
  });

  it("--check names what differs and changes nothing; without it every difference is mended, and no fact is added", async () => {
    const facts = await pipe.database.query("select * from facts order by type, natural_key");
    await pipe.database.query("update invoices set status = 'open', amount_paid = 1");
    await pipe.database.query("delete from charges");
    await pipe.database.query("update subscription_items set quantity = 99");
    await pipe.database.query(
      "insert into products select (p).* from (select p from products p limit 1) as one on conflict do nothing",
    );
    await pipe.database.query("update products set id = 'prod_nobody_sent'");
    const check = await run(true);
    const found = new Set(check.differences.map((difference) => difference.table));
    expect([...found].sort()).toEqual(["charges", "invoices", "products", "subscriptions"]);
    expect(
      check.differences.find((difference) => difference.table === "invoices")?.columns.map((one) => one.column),
    ).toContain("status");
    expect((await run(true)).differences).toHaveLength(check.differences.length);

    expect((await run(false)).differences).toHaveLength(check.differences.length);
    expect((await run(true)).differences).toEqual([]);
    expect((await pipe.database.query("select * from facts order by type, natural_key")).rows).toEqual(facts.rows);
    expect((await pipe.database.query("select id from products where id = 'prod_nobody_sent'")).rows).toEqual([]);
  });

  it("leaves objects alone whose events still wait", async () => {
    await pipe.arrive([
      {
        event: {
          ...event(
            "customer.updated",
            { id: "cus_1", object: "customer", name: "later" },
            { id: "evt_later", created: BEGIN + 90_000 },
          ),
        },
      },
    ]);
    const { progress, differences } = await run(true);
    expect(progress.pending).toBe(1);
    expect(differences).toEqual([]);
    await pipe.drain();
    expect((await run(true)).differences).toEqual([]);
  });
});

describe.each(BOTH)("the billing log, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    const steps = LIVES["an invoice that fails, and is paid, with a late update"] ?? [];
    const events = steps.map((step, index) => {
      const { object, apiVersion } = bodyOf(step, index % 2 === 0 ? "old" : "new");
      return {
        event: {
          ...event(step.type, object, {
            id: `evt_s${index}`,
            created: BEGIN + index,
            apiVersion,
            ...(step.previous === undefined ? {} : { previous: step.previous }),
          }),
        },
      };
    });
    await pipe.arrive(events.reverse());
    await pipe.drain();
  });
  afterAll(() => pipe.close());

  /** The ids of a list, read in pages of three. */
  async function pageByPage(filter: Omit<Parameters<typeof billingLog>[1], "limit" | "cursor">): Promise<string[]> {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await billingLog(pipe.database, { ...filter, limit: 3, cursor });
      seen.push(...page.data.map((entry) => entry.event_id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return seen;
  }

  function changesOf(oldestFirst: readonly LogEntry[], field: string): (readonly [unknown, unknown])[] {
    return oldestFirst.flatMap(({ changes }) =>
      changes.filter((change) => change.field === field).map(({ before, after }) => [before, after] as const),
    );
  }

  function expectChained(oldestFirst: readonly LogEntry[]): void {
    const now = new Map<string, unknown>();
    for (const { field, before, after } of oldestFirst.flatMap((entry) => entry.changes)) {
      expect([field, before]).toEqual([field, now.get(field) ?? null]);
      now.set(field, after);
    }
  }

  it("tells an object's story in true order with what changed, however its events arrived", async () => {
    const { data } = await billingLog(pipe.database, { objectId: "in_1", limit: 100 });
    const told = data.toReversed();
    // The late update (s7) stands before the payment, which it cannot undo.
    const story = ["evt_s0", "evt_s1", "evt_s2", "evt_s3", "evt_s4", "evt_s7", "evt_s5", "evt_s6"];
    expect(told.map((entry) => entry.event_id)).toEqual(story);
    expect(changesOf(told, "status")).toEqual([
      [null, "draft"],
      ["draft", "open"],
      ["open", "paid"],
    ]);
    expectChained(told);
    expect(data.map((entry) => entry.head)).toEqual(data.map((_, index) => index === 0));
    expect(await pageByPage({ objectId: "in_1" })).toEqual(story.toReversed());
    const since = { objectId: "in_1", since: BEGIN + 4, until: BEGIN + 8 };
    expect(await pageByPage(since)).toEqual(["evt_s6", "evt_s5", "evt_s7", "evt_s4"]);
  });

  it("tells a story within one second in true order too, against the order of ids, page by page as in the whole", async () => {
    const names = ["A", "B", "C", "D", "E"];
    const events = names.map((name, index) => ({
      event: {
        ...event("customer.updated", newCustomer({ id: "cus_second", name }), {
          // The later, the smaller its id.
          id: `evt_t${9 - index}`,
          created: BEGIN + 100,
          apiVersion: NEW_API,
          ...(index === 0 ? {} : { previous: { name: names[index - 1] } }),
        }),
      },
    }));
    await pipe.arrive(events);
    await pipe.drain();
    const { data } = await billingLog(pipe.database, { objectId: "cus_second", limit: 100 });
    expect(data.map((entry) => entry.event_id)).toEqual(["evt_t5", "evt_t6", "evt_t7", "evt_t8", "evt_t9"]);
    expect(changesOf(data.toReversed(), "name").map(([, after]) => after)).toEqual(names);
    expectChained(data.toReversed());
    expect(await pageByPage({ objectId: "cus_second" })).toEqual(data.map((entry) => entry.event_id));
  });

  it("refuses the cursor of another list", async () => {
    const { next_cursor: cursor } = await billingLog(pipe.database, { objectId: "in_1", limit: 1 });
    await expect(
      billingLog(pipe.database, { objectId: "in_none", limit: 1, cursor: cursor ?? "" }),
    ).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("is found by customer, by account, and by time, a page at a time", async () => {
    const all = await billingLog(pipe.database, { customer: "cus_1", limit: 100 });
    expect(all.data).toHaveLength(8);
    expect(await pageByPage({ customer: "cus_1" })).toEqual(all.data.map((entry) => entry.event_id));
    const early = await billingLog(pipe.database, { until: BEGIN + 2, limit: 100 });
    expect(early.data.map((entry) => entry.event_id)).toEqual(["evt_s1", "evt_s0"]);
    expect((await billingLog(pipe.database, { account: "acct_none", limit: 100 })).data).toEqual([]);
  });

  it("says of one event what it changed", async () => {
    expect((await changesOfEvent(pipe.database, "evt_s5"))?.changes).toEqual(
      expect.arrayContaining([{ field: "status", before: "open", after: "paid" }]),
    );
    expect(await changesOfEvent(pipe.database, "evt_unknown")).toBeNull();
  });
});
