// Deliveries, at their edges: metrics by name, who may be retried, resent, disabled; how long an exchange may take.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createMetrics } from "../src/app-metrics.ts";
import { EXCHANGE_MS } from "../src/outbox/delivery-attempt.ts";
import { deliveryQueueState } from "../src/outbox/delivery-reads.ts";
import { claimDeliveries, fanOutTo, retryDelivery } from "../src/outbox/delivery-tables.ts";
import { disableEndpoint } from "../src/outbox/endpoints.ts";
import { noteOutcomes } from "../src/outbox/endpoint-table.ts";
import { newEndpoint, newTenant, openTarget, startWorker, tell } from "./support/delivery-scene.ts";
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
