// Claims of deliveries: what each endpoint gets of one, what becomes of a dead worker's, and what a claim leaves alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Claim, ClaimLimits } from "../src/outbox/claimed-delivery.ts";
import { cancelInPieces } from "../src/outbox/delivery-cancel.ts";
import { deliveryLanes } from "../src/outbox/delivery-lanes.ts";
import { claimDeliveries } from "../src/outbox/delivery-tables.ts";
import { disableEndpoint } from "../src/outbox/endpoints.ts";
import { newEndpoint, newTenant, openTarget, startWorker, statuses, tell, until } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const LIMITS: ClaimLimits = { all: 64, perEndpoint: 2, rooms: new Map(), without: [], behind: "" };
const NOBODY = "http://127.0.0.1:9/";

interface Waiting {
  lease: string | null;
  seconds: number;
}

describe.each(BOTH)("a claim of deliveries, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const claim = (lease: string, limits: Partial<ClaimLimits> = {}): Promise<Claim> =>
    pipe.database.transaction((tx) => claimDeliveries(tx, lease, 60, { ...LIMITS, ...limits }));

  /** What other tests have left. */
  const claimRest = (): Promise<Claim> => claim("node_before", { all: 1000, perEndpoint: 1000 });

  /** Two events of one object; the older one waits for an hour. */
  async function blocked(): Promise<{ endpointId: string; newer: string }> {
    await claimRest();
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, NOBODY, { ordering: "per_object" });
    await tell(pipe.database, tenant, 2, { objectOf: () => "in_0" });
    const { rows } = await pipe.database.query<{ id: string }>({
      text: "select delivery_id as id from delivery_queue where endpoint_id = $1 order by event_id",
      values: [id],
    });
    await pipe.database.query({
      text: "update delivery_queue set next_attempt_at = now() + interval '20 hours' where delivery_id = $1",
      values: [rows[0]?.id],
    });
    return { endpointId: id, newer: rows[1]?.id ?? "" };
  }

  /** Seconds until it is due. */
  async function wait(id: string): Promise<Waiting | undefined> {
    const { rows } = await pipe.database.query<Waiting>({
      text: "select lease, extract(epoch from next_attempt_at - now())::float8 as seconds from delivery_queue where delivery_id = $1",
      values: [id],
    });
    return rows[0];
  }

  it("writes what no index has", async () => {
    const { rows } = await pipe.database.query<{ indexdef: string }>(
      "select indexdef from pg_indexes where tablename = 'delivery_queue'",
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { indexdef } of rows) expect(indexdef).not.toContain("lease");
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, NOBODY);
    await tell(pipe.database, tenant, 1);
    const read = { text: "select * from delivery_queue where endpoint_id = $1", values: [id] };
    const [before] = (await pipe.database.query(read)).rows;
    expect((await claim("node_one")).claimed).toHaveLength(1);
    const [after] = (await pipe.database.query(read)).rows;
    expect(after).toEqual({ ...before, lease: "node_one", lease_until: expect.any(Date) as Date });
  });

  it("gives nothing to a hundred endpoints whose deliveries are all claimed, and all of it to the one that has some", async () => {
    await claimRest();
    for (let tenants = 0; tenants < 2; tenants += 1) {
      const tenant = await newTenant(pipe.database);
      for (let made = 0; made < 50; made += 1) await newEndpoint(pipe.database, tenant, NOBODY);
      await tell(pipe.database, tenant, 1);
    }
    expect((await claim("node_hung", { all: 200 })).claimed).toHaveLength(100);
    const busy = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, busy, NOBODY);
    await tell(pipe.database, busy, 100);
    const { claimed } = await claim("node_free", { rooms: new Map([[id, 64]]) });
    expect(new Set(claimed.map(({ endpointId }) => endpointId))).toEqual(new Set([id]));
    expect(claimed).toHaveLength(64);
  });

  it("puts off what a dead worker held, and waits now for an older one: the next claim does not meet it again", async () => {
    const { newer } = await blocked();
    await pipe.database.query({
      text: "update delivery_queue set lease = 'node_dead', lease_until = now() - interval '1 second' where delivery_id = $1",
      values: [newer],
    });
    expect(await claim("node_next")).toMatchObject({ claimed: [], parked: 1 });
    expect(await claim("node_next")).toMatchObject({ claimed: [], parked: 0 });
    expect((await wait(newer))?.lease).toBeNull();
  });

  it("puts off what waits for an older one for a quarter of an hour at most, because that may be canceled", async () => {
    const { newer } = await blocked();
    expect((await claim("node_next")).parked).toBe(1);
    const { seconds = 0 } = (await wait(newer)) ?? {};
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThanOrEqual(900);
  });

  it("keeps what is under way when its endpoint is disabled: a receiver's 200 is written down", async () => {
    let answer: (() => void) | undefined;
    const slow = await openTarget((response) => (answer = () => response.end()));
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, slow.url);
    await tell(pipe.database, tenant, 5);
    const worker = startWorker(pipe.database, { limits: { all: 1, perEndpoint: 1 } });
    await until(() => slow.got.length === 1);
    await pipe.database.transaction((tx) => disableEndpoint(tx, { tenantId: tenant, id }, "by_tenant"));
    await cancelInPieces(pipe.database, { tenantId: tenant, endpointId: id }, 100, () => true);
    answer?.();
    await until(async () => ((await statuses(pipe.database, tenant)).pending ?? 0) === 0);
    await worker.stop();
    await slow.close();
    expect(slow.got).toHaveLength(1);
    expect(await statuses(pipe.database, tenant)).toEqual({ canceled: 4, delivered: 1 });
  });
});

describe("what a worker asks for", () => {
  it("is no more than a tenant may hold, shared by its endpoints", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = (endpoint: number) => ({ tenantId: "ten_1", endpointId: `whe_${endpoint}`, claimedUntil: 60_000 });
    lanes.add(Array.from({ length: 100 }, (_, number) => item(number % 50)));
    const { rooms, without } = lanes.room(1000);
    const asked = [...rooms.values()].reduce((sum, room) => sum + room, 0);
    expect(without).toEqual([]);
    // 128 in all; a part of one is a whole one.
    expect(asked).toBeGreaterThanOrEqual(28);
    expect(asked).toBeLessThanOrEqual(28 + 50);
    lanes.add(Array.from({ length: 28 }, (_, number) => item(number)));
    expect(lanes.room(1000).without).toEqual(["ten_1"]);
    expect([...lanes.room(1000).rooms.values()].every((room) => room === 0)).toBe(true);
    expect(lanes.givenBack()).toEqual([]);
  });
});
