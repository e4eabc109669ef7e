// Tables that are cut by month on a server: months are there ahead, every read finds its row wherever it stands, and old months go whole.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { firstIdAt, newId } from "../src/base/ids.ts";
import { monthAt, type MonthlyTable, partitionsOf } from "../src/db/partitions.ts";
import { ensurePartitions, STRIPE_EVENTS } from "../src/inbox/partitions.ts";
import { listDeliveries, readDelivery } from "../src/outbox/delivery-reads.ts";
import { deleteOldDeliveries, fanOutTo } from "../src/outbox/delivery-tables.ts";
import { deleteOldEvents, eventsFor, insertFacts, listEvents, readEvent } from "../src/outbox/event-table.ts";
import { DELIVERY_ATTEMPTS, dropOldAttempts, dropOldEvents, EVENTS } from "../src/outbox/outbox-partitions.ts";
import { newEndpoint, newTenant } from "./support/delivery-scene.ts";
import { openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

const DAY_MS = 86_400_000;
const NOW = systemClock.now();

describe("tables that are cut by month, server database", () => {
  let pipe: Pipe;
  let tenantId: string;
  const livemode = false;
  beforeAll(async () => {
    pipe = await openPipe("server");
    await ensurePartitions(pipe.database, systemClock);
  });
  beforeEach(async () => {
    tenantId = await newTenant(pipe.database);
  });
  afterAll(() => pipe.close());

  const names = async (table: MonthlyTable): Promise<string[]> =>
    (await partitionsOf(pipe.database, table)).map(({ name }) => name);

  /** Events that are told: one in this month, in each of the next two, and far beyond any partition. Their ids. */
  async function tellEverywhere(): Promise<string[]> {
    const places = [monthAt(NOW, 0), monthAt(NOW, 1), monthAt(NOW, 2), monthAt(NOW, 40)];
    const ids = places.map(({ from }) => firstIdAt("msg", from + DAY_MS).slice(0, 14) + newId("msg").slice(14));
    for (const id of ids) {
      await pipe.database.query({
        text: `insert into events (tenant_id, livemode, id, type, created, api_version, object_type, object_id, object)
               values ($1, $2, $3, 'invoice.paid', now(), '2026-11-21', 'invoice', $3, '{}')`,
        values: [tenantId, livemode, id],
      });
    }
    return ids;
  }

  const placesOf = async (table: string, ids: readonly string[], column: string): Promise<string[]> =>
    (
      await pipe.database.query<{ place: string }>({
        text: `select tableoid::regclass::text as place from ${table} where ${column} = any ($1) order by ${column}`,
        values: [ids],
      })
    ).rows.map(({ place }) => place);

  it("this month and the next two have their place ahead of time, and asking again makes nothing", async () => {
    const ahead = [1, 2].map((later) => monthAt(NOW, later).name);
    expect(await names(STRIPE_EVENTS)).toEqual([
      ...[0, 1, 2].map((later) => `stripe_events_${monthAt(NOW, later).name}`),
      "stripe_events_default",
    ]);
    for (const { name } of [EVENTS, DELIVERY_ATTEMPTS])
      expect(await names(name === "events" ? EVENTS : DELIVERY_ATTEMPTS)).toEqual([
        `${name}_first`,
        ...ahead.map((month) => `${name}_${month}`),
        `${name}_default`,
      ]);
    expect(await ensurePartitions(pipe.database, systemClock)).toEqual([]);
  });

  it("events, deliveries and attempts are found by every read, in the order of their ids, wherever they stand", async () => {
    const { database } = pipe;
    const ids = await tellEverywhere();
    const ahead = [1, 2].map((later) => monthAt(NOW, later).name);
    const placed = (table: string): string[] => [
      `${table}_first`,
      ...ahead.map((month) => `${table}_${month}`),
      `${table}_default`,
    ];
    expect(await placesOf("events", ids, "id")).toEqual(placed("events"));
    const keys = ids.map((id) => ({ tenantId, livemode, id }));
    for (const key of keys) expect((await readEvent(database, key))?.id).toBe(key.id);
    expect((await eventsFor(database, keys)).map(({ id }) => id).sort()).toEqual(ids);
    const page = { tenantId, livemode, limit: 3 };
    const newest = await listEvents(database, page);
    expect(newest.map(({ id }) => id)).toEqual(ids.toReversed());
    const rest = await listEvents(database, { ...page, until: ids[2], type: "invoice.*", limit: 10 });
    expect(rest.map(({ id }) => id)).toEqual([ids[1], ids[0]]);

    const { id: endpointId } = await newEndpoint(database, tenantId, "https://hooks.example/in");
    expect(await fanOutTo(database, { tenantId, livemode, endpointId }, ids, { again: false })).toHaveLength(4);
    const deliveries = (await listDeliveries(database, { tenantId, livemode, limit: 9 })).map(({ id }) => id).sort();
    for (const id of deliveries) {
      await database.query({
        text: `insert into delivery_attempts (tenant_id, livemode, delivery_id, id, attempt, at, url, request_headers, latency_ms)
               values ($1, $2, $3, $4, 1, now(), 'https://hooks.example/in', '{}', 7)`,
        values: [tenantId, livemode, id, newId("att")],
      });
      const read = await readDelivery(database, { tenantId, livemode, id });
      expect(read?.attemptList.map(({ latencyMs }) => latencyMs)).toEqual([7]);
      expect(read?.eventType).toBe("invoice.paid");
    }
    expect(await placesOf("delivery_attempts", deliveries, "delivery_id")).toEqual(placed("delivery_attempts"));
  });

  it("a look-up by id opens the partition of its time alone", async () => {
    const [id = ""] = await tellEverywhere();
    const { rows } = await pipe.database.query<{ "QUERY PLAN": string }>({
      text: `explain (analyze, costs off, timing off, summary off) select event.object from unnest($1::text[]) as wanted (id)
             cross join lateral (select * from events as stored
               where stored.tenant_id = '${tenantId}' and not stored.livemode and stored.id = wanted.id limit 1) as event`,
      values: [[id]],
    });
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan.match(/Scan .*on events_\w+ .*actual/g)).toHaveLength(1);
    expect(plan.match(/never executed/g)?.length).toBeGreaterThan(1);
  });

  it("a month that has rows in the default partition stays there, and they are deleted row by row when they are old", async () => {
    const { database } = pipe;
    const far = await tellEverywhere();
    const month = monthAt(NOW, 40);
    const made = await ensurePartitions(database, { now: () => month.from - 40 * DAY_MS });
    expect(made).not.toContain(`events_${month.name}`);
    expect(made).toContain(`stripe_events_${month.name}`);
    await database.query({
      text: "update events set created_at = now() - interval '91 days' where id = any ($1)",
      values: [far],
    });
    const { id: endpointId } = await newEndpoint(database, tenantId, "https://hooks.example/in");
    await database.query({
      text: `insert into recoveries (tenant_id, livemode, id, endpoint_id, since, until, total, per_second, cursor)
             values ($1, $2, $3, $4, now() - interval '1 day', now(), 1, 1, $5)`,
      values: [tenantId, livemode, newId("rcv"), endpointId, firstIdAt("msg", NOW)],
    });
    expect(await deleteOldEvents(database, 90, 100)).toBe(0);
    await database.query("update recoveries set status = 'done', ended_at = now()");
    expect(await deleteOldEvents(database, 90, 100)).toBe(1);
    expect(await placesOf("events", far, "id")).not.toContain("events_default");
    // Again ahead: there is room for it now.
    await database.query("delete from events_default");
    expect(await ensurePartitions(database, { now: () => month.from })).toContain(`events_${month.name}`);
  });

  it("a month of events goes whole when nobody waits for one of them; its facts stay, and tell nothing again", async () => {
    const { database } = pipe;
    const told = {
      ...{ tenantId, livemode, type: "invoice.paid", naturalKey: "in_old", stripeAccount: "", objectType: "invoice" },
      ...{ objectId: "in_old", occurredAt: BEGIN, observationId: "evt_old", object: { id: "in_old" } },
    };
    const { id: endpointId } = await newEndpoint(database, tenantId, "https://hooks.example/in");
    await database.transaction((tx) => insertFacts(tx, [told]));
    const later = monthAt(NOW, 1).to + 91 * DAY_MS;
    const first = async (now: number): Promise<unknown> => (await dropOldEvents(database, now, 90))[0];
    expect(await first(NOW)).toBeUndefined();
    expect(await first(later)).toEqual({ partition: "events_first", kept: "deliveries of its events are pending" });
    await database.query("delete from delivery_queue");
    await database.query("update deliveries set status = 'delivered', ended_at = now()");
    await database.query({
      text: `insert into recoveries (tenant_id, livemode, id, endpoint_id, since, until, total, per_second, cursor)
             values ($1, $2, $3, $4, now() - interval '1 day', now(), 1, 1, $5)`,
      values: [tenantId, livemode, newId("rcv"), endpointId, firstIdAt("msg", NOW - DAY_MS)],
    });
    expect(await first(later)).toMatchObject({ kept: "a recovery has still to look at its events" });
    await database.query("update recoveries set status = 'done', ended_at = now()");
    expect(await first(later)).toEqual({ partition: "events_first", kept: null });
    expect(await names(EVENTS)).not.toContain("events_first");

    // An event of a time whose month is gone is stored all the same, and found.
    await database.transaction((tx) =>
      insertFacts(tx, [
        { ...told, observationId: "evt_again" },
        { ...told, naturalKey: "in_new", objectId: "in_new" },
      ]),
    );
    const listed = await listEvents(database, { tenantId, livemode, limit: 10 });
    expect(listed.map(({ objectId }) => objectId)).toEqual(["in_new"]);
    const { rows } = await database.query({
      text: "select natural_key as key from facts where tenant_id = $1 order by 1",
      values: [tenantId],
    });
    expect(rows).toEqual([{ key: "in_new" }, { key: "in_old" }]);
  });

  it("a month of attempts goes when the last of its deliveries is gone", async () => {
    const { database } = pipe;
    const later = monthAt(NOW, 1).to + 31 * DAY_MS;
    const first = async (): Promise<unknown> => (await dropOldAttempts(database, later, 30))[0];
    expect(await first()).toEqual({ partition: "delivery_attempts_first", kept: "deliveries of its events are kept" });
    await database.query("update deliveries set status = 'failed', ended_at = now() - interval '31 days'");
    await database.query("delete from delivery_queue");
    expect(await deleteOldDeliveries(database, 30)).toBeGreaterThan(0);
    expect(await first()).toMatchObject({ kept: "one of its deliveries was attempted just now" });
    await database.query("update delivery_attempts set at = at - interval '2 hours'");
    expect(await first()).toEqual({ partition: "delivery_attempts_first", kept: null });
    expect(await names(DELIVERY_ATTEMPTS)).not.toContain("delivery_attempts_first");
  });

  it("an event of Stripe's whose month has no partition is received, found and known when it comes again", async () => {
    const old = {
      event: { ...event("customer.created", newCustomer({ id: "cus_old" }), { id: "evt_of_old", created: BEGIN }) },
    };
    for (let times = 0; times < 2; times += 1) {
      await pipe.arrive([old]);
      await pipe.drain();
    }
    expect(await placesOf("stripe_events", ["evt_of_old"], "id")).toEqual(["stripe_events_default"]);
    const { rows } = await pipe.database.query("select id from customers where id = 'cus_old'");
    expect(rows).toEqual([{ id: "cus_old" }]);
  });
});
