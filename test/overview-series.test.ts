// Figures over time: what came, was processed and delivered and how long it waited by minute, money and credits by day, counted from
// the rows themselves.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manualClock } from "../src/base/clock.ts";
import { countDays } from "../src/billing/daily-figures.ts";
import { processStatistics } from "../src/app-statistics.ts";
import { activity, readWaits } from "../src/inbox/activity-counts.ts";
import { readScheduledRuns, scheduledRuns } from "../src/work/scheduled-runs.ts";
import { every } from "../src/work/schedule.ts";
import { openScene, type Scene } from "./support/operator-scene.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newCharge, newRefund } from "./support/stripe-fixtures-payments.ts";

interface Point {
  at: string;
  [figure: string]: unknown;
}

interface Series {
  stripe_events: Point[];
  deliveries: Point[];
  waits: Point[];
  revenue: { currency: string; points: Point[] }[];
  credits: Point[];
  as_of: string | null;
}

const DAY = 86_400;

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(async () => scene.close());

  const series = async (range: string): Promise<Series> =>
    (await scene.get(`overview/series/?range=${range}`)) as unknown as Series;
  const now = (): number => Math.floor(Date.now() / 1000);

  it("what several processes counted adds up, by minute, hour and day", async () => {
    const { database } = scene.door.pipe;
    const clock = manualClock(Date.now());
    const nodes = [activity(clock), activity(clock)];
    for (const node of nodes) {
      node.count("received", 5);
      node.count("processed", 4);
      node.count("failed", 1);
      node.count("received", 0);
    }
    await Promise.all(nodes.map((node) => node.flush(database)));
    await nodes[0]?.flush(database);
    for (const [range, steps, seconds] of [
      ["hour", 60, 60],
      ["day", 24, 3600],
      ["month", 30, DAY],
    ] as const) {
      const { stripe_events: points } = await series(range);
      expect(points).toHaveLength(steps);
      const found = points.filter(({ received }) => received !== 0);
      expect(found).toMatchObject([{ received: 10, processed: 8, failed: 2 }]);
      const at = Date.parse(found[0]?.at ?? "") / 1000;
      expect([at % seconds, clock.now() / 1000 - at < seconds]).toEqual([0, true]);
    }
  });

  it("deliveries stand by how they ended, and waits by the longest that any process saw; where none looked nothing is claimed", async () => {
    const { database } = scene.door.pipe;
    // Hours ago, where nothing else of this file is counted.
    const clock = manualClock(Date.now() - 5 * 3_600_000);
    const nodes = [activity(clock), activity(clock)];
    nodes[0]?.count("delivered", 3);
    nodes[1]?.count("delivered", 4);
    nodes[1]?.count("given_up", 2);
    nodes[0]?.saw({ lag: 1500, oldest: 90_000 });
    nodes[0]?.saw({ lag: 200, oldest: 95_000 });
    nodes[1]?.saw({ lag: 2250, oldest: 0 });
    await Promise.all(nodes.map((node) => node.flush(database)));
    // The same again, and less: it says nothing new.
    nodes[0]?.saw({ lag: 100, oldest: 95_000 });
    await nodes[0]?.flush({ query: () => Promise.reject(new Error("nothing is to be written")) });
    const { deliveries, waits } = await series("day");
    expect(deliveries).toHaveLength(24);
    expect(deliveries.filter(({ delivered }) => delivered === 7)).toMatchObject([{ failed: 2 }]);
    expect(waits).toHaveLength(24);
    const at = deliveries.find(({ delivered }) => delivered === 7)?.at;
    expect(waits.find((point) => point.at === at)).toEqual({
      ...{ at, lag_seconds: 2.25, oldest_unprocessed_age_seconds: 95 },
    });
    expect(waits[0]).toMatchObject({ lag_seconds: null, oldest_unprocessed_age_seconds: null });
  });

  it("what waits is told as the overview tells it: what waits for a retry counts for the oldest alone", async () => {
    const { database } = scene.door.pipe;
    expect(await readWaits(database)).toEqual({ lag: 0, oldest: 0 });
    await database.query(`insert into stripe_event_queue (created, event_id, attempts, queued_at, next_attempt_at) values
      (1, 'evt_retried', 2, now() - interval '90 seconds', now() + interval '1 hour'),
      (2, 'evt_fresh', 0, now() - interval '30 seconds', now() + interval '1 hour')`);
    try {
      const { lag, oldest } = await readWaits(database);
      const shown = (await scene.get("overview/")) as unknown as Record<string, number>;
      for (const [seen, told, least] of [
        [lag, shown.lag_seconds, 30],
        [oldest, shown.oldest_unprocessed_age_seconds, 90],
      ] as const) {
        expect(seen).toBeGreaterThanOrEqual(least * 1000);
        // Asked a moment later: a little more, and of the same event.
        expect(told).toBeGreaterThanOrEqual((seen ?? Infinity) / 1000);
        expect(told).toBeLessThan(least + 30);
      }
    } finally {
      await database.query("delete from stripe_event_queue");
    }
  });

  it("a process counts the deliveries that end in it, but not canceled ones, and looks at what waits by itself", async () => {
    const { database } = scene.door.pipe;
    // Hours ago, as above.
    const clock = manualClock(Date.now() - 7 * 3_600_000);
    const statistics = processStatistics(database, clock);
    const failures: unknown[] = [];
    statistics.start(() => (error) => failures.push(error), false);
    for (const status of ["delivered", "delivered", "failed", "canceled"] as const)
      statistics.metrics.deliver.ended(status, undefined);
    const found = async () => {
      const { deliveries, waits } = await series("day");
      const index = deliveries.findIndex(({ delivered }) => delivered === 2);
      return { ...deliveries[index], ...waits[index] };
    };
    await expect
      .poll(found, { timeout: 30_000 })
      .toMatchObject({ delivered: 2, failed: 1, lag_seconds: 0, oldest_unprocessed_age_seconds: 0 });
    await statistics.stop();
    expect(failures).toEqual([]);
  });

  it("figures that could not be written are written by the next try, once", async () => {
    const { database } = scene.door.pipe;
    const counts = activity(manualClock(Date.now() - 3 * 3_600_000));
    counts.count("received", 7);
    await expect(counts.flush({ query: () => Promise.reject(new Error("gone")) })).rejects.toThrow("gone");
    await counts.flush(database);
    await counts.flush(database);
    const { stripe_events: points } = await series("day");
    expect(points.filter(({ received }) => received === 7)).toHaveLength(1);
  });

  it("money stands on the day of its charge, what was given back on the day of the refund, and late news is counted", async () => {
    const { database } = scene.door.pipe;
    const sell = async (id: string, ago: number, more: object = {}): Promise<void> => {
      const created = now() - ago * DAY;
      const sale = newCharge({ id, created, currency: "eur", amount: 500, amount_captured: 500, ...more });
      await scene.door.webhook(JSON.stringify(event("charge.succeeded", sale, { id: `evt_${id}`, created })));
    };
    await sell("ch_today", 0);
    await sell("ch_last_week", 7);
    await sell("ch_refused", 0, { status: "failed", captured: false });
    const refund = newRefund({ id: "re_today", created: now(), currency: "eur", amount: 200, charge: "ch_last_week" });
    await scene.door.webhook(JSON.stringify(event("refund.created", refund, { id: "evt_re_today", created: now() })));
    await scene.door.pipe.drain();
    const clock = manualClock(Date.now());
    await countDays(database, clock);
    const euros = async (): Promise<Point[]> =>
      (await series("month")).revenue.find(({ currency }) => currency === "eur")?.points ?? [];
    const sold = (points: readonly Point[]): unknown[] =>
      points.flatMap(({ gross, refunded, payments }, index) =>
        gross === 0 && refunded === 0 ? [] : [[29 - index, gross, refunded, payments]],
      );
    expect(sold(await euros())).toEqual([
      [7, 500, 0, 1],
      [0, 500, 200, 1],
    ]);
    await sell("ch_late", 7);
    await scene.door.pipe.drain();
    await countDays(database, clock);
    expect(sold(await euros())[0]).toEqual([7, 500, 0, 1]);
    clock.advance(3_600_000);
    await countDays(database, clock);
    expect(sold(await euros())[0]).toEqual([7, 1000, 0, 2]);
  });

  it("credits are counted by what became of them", async () => {
    const tenant = await registerTenant(scene.door);
    const headers = { "billhook-mode": "test" };
    const post = (path: string, body: object, key: string) =>
      send(scene.door, "POST", path, {
        ...{ token: tenant.access, body },
        headers: { ...headers, "idempotency-key": key },
      });
    const { json } = await post("/api/v1/accounts/", { email: "credits@series.example" }, "a");
    await post(`/api/v1/accounts/${String(json.id)}/credits/grant/`, { amount: 50, reason: "gift" }, "g");
    await post(`/api/v1/accounts/${String(json.id)}/credits/spend/`, { amount: 20, reason: "use" }, "s");
    await countDays(scene.door.pipe.database, manualClock(Date.now()));
    const { credits, as_of } = await series("month");
    expect(credits.at(-1)).toMatchObject({ granted: 50, bought: 0, spent: 20, reversed: 0, expired: 0 });
    expect(credits).toHaveLength(30);
    expect(as_of).not.toBeNull();
    expect((await series("hour")).credits).toEqual([]);
  });

  it("scheduled work is noted with its last outcome, of all nodes together", async () => {
    const { database } = scene.door.pipe;
    const runs = scheduledRuns({ now: () => Date.now() });
    const failures: unknown[] = [];
    let fails = false;
    const work = async (): Promise<void> => {
      if (fails) throw new Error("the disk is full");
    };
    const schedule = every(
      0.01,
      work,
      runs.watched("a test's work", (error) => failures.push(error)),
    );
    const noted = async () => {
      await runs.flush(database);
      return (await readScheduledRuns(database)).find(({ name }) => name === "a test's work");
    };
    await expect.poll(async () => (await noted())?.outcome).toBe("done");
    fails = true;
    await expect.poll(async () => (await noted())?.outcome).toBe("failed");
    await schedule.stop();
    const last = await noted();
    expect(last).toMatchObject({ error: "the disk is full", failures: failures.length });
    expect(last?.runs).toBeGreaterThan(failures.length);
  });
});
