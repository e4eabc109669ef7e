// The core of deliveries where workers meet: order, claims that are renewed as they end, large backlogs that are canceled.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { whileMore } from "../src/app-deliveries.ts";
import type { ClaimedDelivery, ClaimLimits } from "../src/outbox/claimed-delivery.ts";
import { deliveryLanes } from "../src/outbox/delivery-lanes.ts";
import { claimDeliveries, fanOutTo, recordEnds, renewDeliveries } from "../src/outbox/delivery-tables.ts";
import { disableAndTell } from "../src/outbox/endpoint-disabled.ts";
import { deleteOldRecoveries } from "../src/outbox/recoveries.ts";
import {
  newEndpoint,
  newTenant,
  openTarget,
  startWorker,
  statuses,
  type Target,
  tell,
  until,
} from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const LIMITS: ClaimLimits = { all: 64, perEndpoint: 2, rooms: new Map(), without: [], behind: "" };

/** Embedded each takes three transactions of the one session. */
const ORDERED = { server: 2000, embedded: 500 } as const;

const numbersOf = (target: Target): number[] => [
  ...new Set(
    target.got.map(({ body }) => (JSON.parse(body) as { data: { object: { number: number } } }).data.object.number),
  ),
];

describe.each(BOTH)("the core of deliveries, %s database", (kind) => {
  let pipe: Pipe;
  const targets: Target[] = [];
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(async () => {
    await Promise.all(targets.map((target) => target.close()));
    await pipe.close();
  });

  async function target(...behave: Parameters<typeof openTarget>): Promise<Target> {
    const one = await openTarget(...behave);
    targets.push(one);
    return one;
  }
  const claim = (lease: string): ReturnType<typeof claimDeliveries> =>
    pipe.database.transaction((tx) => claimDeliveries(tx, lease, 60, LIMITS));

  it(`${ORDERED[kind]} events of one object are delivered in their order, and no claim looks at more than a few`, async () => {
    const tenant = await newTenant(pipe.database);
    const ordered = await target();
    await newEndpoint(pipe.database, tenant, ordered.url, { ordering: "per_object" });
    const count = ORDERED[kind];
    for (let told = 0; told < count; told += 500) await tell(pipe.database, tenant, 500, { objectOf: () => "in_0" });
    let claimed = 0;
    for (let look = 0; claimed === 0 && look < count; look += 1) {
      const { claimed: found, parked } = await claim(`clm_${look}`);
      expect(parked).toBeLessThanOrEqual(34);
      claimed += found.length;
    }
    expect(claimed).toBe(1);
    await pipe.database.query({
      text: "update delivery_queue set lease = null, lease_until = null, next_attempt_at = now()",
    });
    const workers = [1, 2].map(() => startWorker(pipe.database));
    await until(async () => (await statuses(pipe.database, tenant)).delivered === count, 90_000);
    await Promise.all(workers.map((worker) => worker.stop()));
    const ids = ordered.got.map(({ id }) => id);
    expect(ids).toHaveLength(count);
    expect(ids).toEqual(ids.toSorted());
  }, 120_000);

  it("in order, a worker that dies with an event in flight is taken over, and nothing passes by it", async () => {
    const tenant = await newTenant(pipe.database);
    const ordered = await target();
    await newEndpoint(pipe.database, tenant, ordered.url, { ordering: "per_object" });
    await tell(pipe.database, tenant, 20, { objectOf: () => "in_0" });
    // It claimed the oldest for two seconds, and died.
    const dead = await pipe.database.transaction((tx) => claimDeliveries(tx, "clm_dead", 2, LIMITS));
    expect(dead.claimed).toHaveLength(1);
    const workers = [1, 2].map(() => startWorker(pipe.database));
    await sleep(500);
    expect(ordered.got).toEqual([]);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 20);
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(numbersOf(ordered)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it("a large backlog of an endpoint that is gone holds up nobody's results, and is canceled", async () => {
    const [gone, well] = await Promise.all([newTenant(pipe.database), newTenant(pipe.database)]);
    const lost = await target((response) => response.writeHead(410).end());
    const quick = await target();
    await newEndpoint(pipe.database, gone, lost.url);
    await newEndpoint(pipe.database, well, quick.url);
    for (let piece = 0; piece < 6; piece += 1) await tell(pipe.database, gone, 500);
    await tell(pipe.database, well, 50);
    const worker = startWorker(pipe.database);
    await until(async () => (await statuses(pipe.database, well)).delivered === 50, 5000);
    await until(async () => ((await statuses(pipe.database, gone)).pending ?? 0) === 0, 30_000);
    await worker.stop();
    const { failed = 0, canceled = 0 } = await statuses(pipe.database, gone);
    expect(failed + canceled).toBe(3000);
    expect(lost.got.length).toBeLessThan(1000);
  });

  it("410 of an old url does not disable the endpoint that has another one by now", async () => {
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, "https://example.com/new");
    const lost = { key: { tenantId: tenant, id }, reason: "gone" as const };
    const tellOf = (url: string) => disableAndTell(pipe.database, { ...lost, url }, "https://app.example.com");
    expect(await tellOf("https://example.com/old")).toBe(false);
    expect(await tellOf("https://example.com/new")).toBe(true);
    expect(await tellOf("https://example.com/new")).toBe(false);
  });

  it("what an old url answered with 410 is delivered to the new one", async () => {
    const tenant = await newTenant(pipe.database);
    const well = await target((response) => response.writeHead(200).end());
    const old = await target((response) => {
      void pipe.database
        .query({ text: "update webhook_endpoints set url = $2 where tenant_id = $1", values: [tenant, well.url] })
        .then(() => response.writeHead(410).end());
    });
    await newEndpoint(pipe.database, tenant, old.url);
    await tell(pipe.database, tenant, 1);
    const worker = startWorker(pipe.database);
    await until(async () => old.got.length === 1);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 1, 15_000);
    await worker.stop();
    expect(well.got.map(({ id }) => id)).toEqual(old.got.map(({ id }) => id));
  });

  it("a resend makes one due now that waits for its next attempt", async () => {
    const tenant = await newTenant(pipe.database);
    let status = 500;
    const receiver = await target((response) => response.writeHead(status).end());
    const endpoint = await newEndpoint(pipe.database, tenant, receiver.url);
    await tell(pipe.database, tenant, 1);
    const worker = startWorker(pipe.database);
    const attempts = async () =>
      (
        await pipe.database.query({
          text: "select attempts from delivery_queue where tenant_id = $1",
          values: [tenant],
        })
      ).rows[0]?.attempts;
    await until(async () => (await attempts()) === 1);
    status = 200;
    const of = { tenantId: tenant, livemode: false, endpointId: endpoint.id };
    const events = receiver.got.map(({ id }) => id);
    const queued = await pipe.database.transaction((tx) => fanOutTo(tx, of, events, { again: true, hasten: true }));
    expect(queued).toHaveLength(1);
    worker.wake();
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 1, 2000);
    await worker.stop();
  });

  it("old recoveries are deleted, those that run are not", async () => {
    const tenant = await newTenant(pipe.database);
    const insert = (id: string, status: string) =>
      pipe.database.query({
        text: `insert into recoveries (tenant_id, livemode, id, endpoint_id, since, until, status, total, per_second, ended_at)
               values ($1, false, $2, 'whe_1', now(), now(), $3, 1, 1, now() - interval '40 days')`,
        values: [tenant, id, status],
      });
    await insert("rec_1", "done");
    await insert("rec_2", "running");
    expect(await deleteOldRecoveries(pipe.database, 30, 10)).toBe(1);
    await pipe.database.query({ text: "delete from recoveries where tenant_id = $1", values: [tenant] });
  });
});

describe("claims that are renewed as they end", () => {
  it("what ends while its claim is renewed by another transaction leaves the queue", async () => {
    const pipe = await openPipe("server");
    const tenant = await newTenant(pipe.database);
    await newEndpoint(pipe.database, tenant, "https://example.com/");
    await tell(pipe.database, tenant, 40);
    const { claimed } = await pipe.database.transaction((tx) =>
      claimDeliveries(tx, "clm_1", 60, { ...LIMITS, perEndpoint: 64 }),
    );
    expect(claimed).toHaveLength(40);
    const release = Promise.withResolvers<undefined>();
    const renewed = Promise.withResolvers<undefined>();
    const renewing = pipe.database.transaction(async (tx) => {
      await renewDeliveries(tx, claimed.toReversed(), 60);
      renewed.resolve(undefined);
      await release.promise;
    });
    await renewed.promise;
    const ends = claimed.map((delivery: ClaimedDelivery) => ({
      ...{ delivery, status: "delivered" as const, wait: 0, error: null },
    }));
    const ending = pipe.database.transaction((tx) => recordEnds(tx, ends));
    await sleep(300);
    release.resolve(undefined);
    await renewing;
    expect((await ending).size).toBe(40);
    expect((await pipe.database.query("select from delivery_queue")).rowCount).toBe(0);
    expect(await statuses(pipe.database, tenant)).toEqual({ delivered: 40 });
    await pipe.close();
  });
});

describe("what keeps up", () => {
  it("deletions go on until a piece is not full, and stop when told", async () => {
    const sizes = [10, 10, 10, 3, 10];
    let pieces = 0;
    const piece = async () => sizes[pieces++] ?? 0;
    await whileMore(10, systemClock, () => true, piece);
    expect(pieces).toBe(4);
    await whileMore(10, systemClock, () => false, piece);
    expect(pieces).toBe(4);
  });

  it("an endpoint that was failing before a restart begins as a slow one", () => {
    const lanes = deliveryLanes({ all: 8, perEndpoint: 8 });
    const item = { tenantId: "ten_a", endpointId: "whe_a", claimedUntil: Infinity, failing: true };
    lanes.add([item, { ...item }, { ...item }]);
    expect(lanes.begin(0)).toBeDefined();
    expect(lanes.begin(0)).toBeUndefined();
  });
});
