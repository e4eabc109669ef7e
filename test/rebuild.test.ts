// Promise 9: all projections can be recomputed from the inbox and come out equal, and nothing is published again. And the billing log.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { billingLog, changesOfEvent } from "../src/inbox/billing-log.ts";
import { type Difference, rebuild, type RebuildProgress } from "../src/inbox/rebuild.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { everyHandledEvent } from "./support/stripe-fixtures-events.ts";
import { bodyOf, LIVES } from "./support/lives.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

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

  async function run(check: boolean): Promise<{ progress: RebuildProgress; differences: Difference[] }> {
    const differences: Difference[] = [];
    const progress = await rebuild({
      database: pipe.database,
      clock: systemClock,
      platformTenant: pipe.platformTenant,
      check,
      onProgress: () => undefined,
      onDifference: (difference) => differences.push(difference),
    });
    return { progress, differences };
  }

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

  it("tells an object's story in true order with what changed, however its events arrived", async () => {
    const { data } = await billingLog(pipe.database, { objectId: "in_1", limit: 100 });
    const status = data
      .toReversed()
      .flatMap((entry) =>
        entry.changes
          .filter((change) => change.field === "status")
          .map((change) => `${JSON.stringify(change.before)} → ${JSON.stringify(change.after)}`),
      );
    // The late update is told where it stands in true order: before the payment, which it cannot undo.
    expect(status).toEqual(expect.arrayContaining(['null → "draft"', '"draft" → "open"', '"open" → "paid"']));
    expect(data.filter((entry) => entry.head)).toHaveLength(1);
  });

  it("is found by customer, by account, and by time, a page at a time", async () => {
    const all = await billingLog(pipe.database, { customer: "cus_1", limit: 100 });
    expect(all.data).toHaveLength(8);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await billingLog(pipe.database, { customer: "cus_1", limit: 3, cursor });
      seen.push(...page.data.map((entry) => entry.event_id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(all.data.map((entry) => entry.event_id));
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
