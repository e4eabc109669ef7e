// Deliveries, at their edges: metrics by name, whose attempts are shown, who may be retried, resent, disabled; how long an
// exchange may take.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { deliverySchedules } from "../src/app-deliveries.ts";
import { createMetrics } from "../src/app-metrics.ts";
import { systemClock } from "../src/base/clock.ts";
import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { readConfig } from "../src/config.ts";
import { EXCHANGE_MS } from "../src/outbox/delivery-attempt.ts";
import { deliveryQueueState, listDeliveries, MOST_PENDING, readDelivery } from "../src/outbox/delivery-reads.ts";
import { claimDeliveries, deleteOldDeliveries, fanOutTo, retryDelivery } from "../src/outbox/delivery-tables.ts";
import { disableEndpoint } from "../src/outbox/endpoints.ts";
import { noteOutcomes } from "../src/outbox/endpoint-table.ts";
import { newEndpoint, newTenant, openTarget, startWorker, statuses, tell, until } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const LIMITS = { all: 64, perEndpoint: 8, rooms: new Map<string, number>(), without: [], behind: "" };

describe.each(BOTH)("deliveries that are told of, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it("the metrics count a delivery by their names", async () => {
    const metrics = createMetrics();
    const target = await openTarget();
    const tenantId = await newTenant(pipe.database);
    await newEndpoint(pipe.database, tenantId, target.url);
    await tell(pipe.database, tenantId, 1);
    const text = async () =>
      (await metrics.expose(undefined, 0, await deliveryQueueState(pipe.database, Date.now()))).text.split("\n");
    expect(await text()).toContain("billhook_deliveries_pending 1");
    const worker = startWorker(pipe.database, { metrics: metrics.deliver });
    await expect.poll(text, { timeout: 10_000 }).toContain('billhook_deliveries_ended_total{status="delivered"} 1');
    await worker.stop();
    await target.close();
    expect(await text()).toEqual(
      expect.arrayContaining([
        'billhook_delivery_attempts_total{outcome="delivered"} 1',
        ...["billhook_delivery_attempt_seconds_count 1", "billhook_delivery_lag_seconds_count 1"],
        ...["billhook_deliveries_pending 0", "billhook_oldest_undelivered_age_seconds 0"],
      ]),
    );
  });

  it("a delivery that could not be signed is counted as that, and is no exchange of 0 seconds", async () => {
    const metrics = createMetrics();
    const target = await openTarget();
    const tenantId = await newTenant(pipe.database);
    await newEndpoint(pipe.database, tenantId, target.url);
    await tell(pipe.database, tenantId, 1);
    const text = async () => (await metrics.expose(undefined, 0)).text.split("\n");
    const ring = keyRing([new Secret("another_secret_key_with_enough_characters")]);
    const worker = startWorker(pipe.database, { metrics: metrics.deliver, ring });
    const counted = 'billhook_delivery_attempts_total{outcome="unsigned"} 1';
    await expect.poll(text, { timeout: 10_000 }).toContain(counted);
    await worker.stop();
    await target.close();
    expect(target.got).toEqual([]);
    expect(await text()).toContain("billhook_delivery_attempt_seconds_count 0");
  });

  it("the metrics count what is canceled because its endpoint is gone, and what the look for such endpoints finds", async () => {
    const metrics = createMetrics();
    const { database } = pipe;
    const text = async () => (await metrics.expose(undefined, 0)).text.split("\n");
    const counted = (canceled: number) =>
      expect
        .poll(text, { timeout: 10_000 })
        .toContain(`billhook_deliveries_ended_total{status="canceled"} ${canceled}`);
    const tenantId = await newTenant(database);
    const gone = await openTarget((response) => response.writeHead(410).end());
    const { id } = await newEndpoint(database, tenantId, gone.url);
    await tell(database, tenantId, 120);
    const later = `update delivery_queue set next_attempt_at = now() + interval '1 hour'
                   where delivery_id <> (select min(delivery_id) from delivery_queue where endpoint_id = $1)`;
    await database.query({ text: later, values: [id] });
    const worker = startWorker(database, { metrics: metrics.deliver });
    await counted(119);
    await worker.stop();
    await gone.close();
    expect(await statuses(database, tenantId)).toEqual({ failed: 1, canceled: 119 });

    const other = await newTenant(database);
    await newEndpoint(database, other, "https://example.com/");
    await tell(database, other, 3);
    await database.query({ text: "delete from webhook_endpoints where tenant_id = $1", values: [other] });
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const parts = { config: readConfig({}), clock: systemClock, database, metrics, onError: () => () => undefined };
    const schedules = deliverySchedules(parts);
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await counted(122);
    for (const schedule of schedules) await schedule.stop();
  });

  it("the metrics say up to which number they count what waits", async () => {
    const { text } = await createMetrics().expose(undefined, 0);
    expect(text).toMatch(new RegExp(`^# HELP billhook_deliveries_pending .*counted to ${MOST_PENDING} at most`, "m"));
  });

  it("a delivery that was deleted as old and is made again shows the attempts since then alone", async () => {
    const { database } = pipe;
    const target = await openTarget();
    const tenantId = await newTenant(database);
    const { id: endpointId } = await newEndpoint(database, tenantId, target.url);
    await tell(database, tenantId, 1);
    const worker = startWorker(database);
    const read = async () => (await listDeliveries(database, { tenantId, livemode: false, limit: 2 }))[0];
    await until(async () => (await read())?.status === "delivered");
    const [id, eventId] = [(await read())?.id ?? "", (await read())?.eventId ?? ""];
    for (const [table, column] of [
      ["delivery_attempts", "at"],
      ...["created_at", "ended_at"].map((at) => ["deliveries", at]),
    ])
      await database.query({
        text: `update ${table} set ${column} = ${column} - interval '31 days' where tenant_id = $1`,
        values: [tenantId],
      });
    expect((await readDelivery(database, { tenantId, livemode: false, id }))?.attemptList).toHaveLength(1);
    await deleteOldDeliveries(database, 30);
    expect(await read()).toBeUndefined();
    const of = { tenantId, livemode: false, endpointId };
    expect(await database.transaction((tx) => fanOutTo(tx, of, [eventId], { again: true }))).toEqual([id]);
    await until(async () => (await read())?.status === "delivered");
    await worker.stop();
    await target.close();
    // The node's clock is behind the database's.
    await database.query({
      text: "update delivery_attempts set at = at - interval '50 minutes' where tenant_id = $1",
      values: [tenantId],
    });
    const again = await readDelivery(database, { tenantId, livemode: false, id });
    expect(again?.attempts).toBe(1);
    expect(again?.attemptList.map(({ attempt, statusCode }) => [attempt, statusCode])).toEqual([[1, 200]]);
  });

  it("a retry to an endpoint that takes the other mode by now is refused, and a resend leaves out what is under way", async () => {
    const tenantId = await newTenant(pipe.database);
    const { id: endpointId } = await newEndpoint(pipe.database, tenantId, "https://example.com/");
    await tell(pipe.database, tenantId, 3);
    const claim = () => pipe.database.transaction((tx) => claimDeliveries(tx, "clm_1", 60, LIMITS));
    const { claimed } = await claim();
    expect(claimed).toHaveLength(3);
    const [first] = claimed;
    const of = { tenantId, livemode: false, endpointId };
    const events = claimed.map(({ eventId }) => eventId);
    const resend = () => pipe.database.transaction((tx) => fanOutTo(tx, of, events, { again: true, hasten: true }));
    expect(await resend()).toEqual([]);
    const free =
      "update delivery_queue set lease = null, lease_until = null, next_attempt_at = now() + interval '1 hour' where delivery_id = $1";
    await pipe.database.query({ text: free, values: [first?.id] });
    expect(await resend()).toEqual([first?.id]);
    const key = { tenantId, livemode: false, id: first?.id ?? "" };
    expect(await retryDelivery(pipe.database, key)).toBe("queued");
    const mode = (livemode: boolean) =>
      pipe.database.query({
        text: "update webhook_endpoints set livemode = $2 where id = $1",
        values: [endpointId, livemode],
      });
    await mode(true);
    expect(await retryDelivery(pipe.database, key)).toBe("unavailable");
    await mode(false);
    expect(await retryDelivery(pipe.database, key)).toBe("queued");
  });

  it("an endpoint that recovered, and has failed again for less than five days, is not disabled as failing", async () => {
    const tenantId = await newTenant(pipe.database);
    const { id: endpointId } = await newEndpoint(pipe.database, tenantId, "https://example.com/");
    const note = (failedAt: Date | null) => noteOutcomes(pipe.database, [{ tenantId, endpointId, failedAt }]);
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
    const disable = () =>
      pipe.database.transaction((tx) => disableEndpoint(tx, { tenantId, id: endpointId }, "failing"));
    await note(daysAgo(6));
    await note(null);
    await note(daysAgo(4.9));
    expect(await disable()).toBeUndefined();
    await note(null);
    await note(daysAgo(5.1));
    expect(await disable()).toMatchObject({ status: "disabled", disabledReason: "failing" });
  });

  it("an exchange with a receiver may take 15 seconds, where nothing else is said", async () => {
    const tenantId = await newTenant(pipe.database);
    const target = await openTarget();
    await newEndpoint(pipe.database, tenantId, target.url);
    await tell(pipe.database, tenantId, 1);
    const given: number[] = [];
    const worker = startWorker(pipe.database, {
      post: async ({ timeoutMs }) => {
        given.push(timeoutMs);
        return { outcome: "answered", statusCode: 200, headers: {}, body: "", latencyMs: 1, retryAfter: null };
      },
    });
    await expect.poll(() => [...new Set(given)], { timeout: 10_000 }).toEqual([EXCHANGE_MS]);
    await worker.stop();
    await target.close();
    expect(EXCHANGE_MS).toBe(15_000);
  });
});
