// Claims of deliveries: what each endpoint gets of one, what becomes of a dead worker's, and what a claim leaves alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import type { Claim, ClaimLimits } from "../src/outbox/claimed-delivery.ts";
import { cancelInPieces } from "../src/outbox/delivery-cancel.ts";
import { deliveryLanes } from "../src/outbox/delivery-lanes.ts";
import { claimDeliveries, recordEnds } from "../src/outbox/delivery-tables.ts";
import { disableEndpoint, enableEndpoint } from "../src/outbox/endpoints.ts";
import { newEndpoint, newTenant, statuses, tell } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const LIMITS: ClaimLimits = { all: 64, perEndpoint: 2, rooms: new Map(), without: [], behind: "" };
const ACT = { actor: { kind: "system", id: null }, source: null } as const;
const NOBODY = "http://127.0.0.1:9/";

/** What is known of an endpoint's deliveries. */
const TOLD = `
  select status, last_status_code as code, attempts,
         (select array_agg(status_code) from delivery_attempts as attempt where attempt.delivery_id = delivery.id) as codes,
         (select count(*)::int from delivery_queue as queue where queue.delivery_id = delivery.id) as queued
  from deliveries as delivery where endpoint_id = $1`;

const attemptWith = (statusCode: number) => ({
  ...{ id: newId("att"), at: Date.now(), url: NOBODY, requestHeaders: {}, statusCode, latencyMs: 1 },
  ...{ responseHeaders: {}, responseBody: "", errorCode: null },
});

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
  const claimRest = (): Promise<Claim> => claim("clm_before", { all: 1000, perEndpoint: 1000 });

  /** Two events of one object; the older one waits for twenty hours. */
  async function blocked(): Promise<{ tenant: string; endpointId: string; older: string; newer: string }> {
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
    return { tenant, endpointId: id, older: rows[0]?.id ?? "", newer: rows[1]?.id ?? "" };
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
    expect((await claim("clm_one")).claimed).toHaveLength(1);
    const [after] = (await pipe.database.query(read)).rows;
    expect(after).toEqual({ ...before, lease: "clm_one", lease_until: expect.any(Date) as Date });
  });

  it("gives nothing to a hundred endpoints whose deliveries are all claimed, and all of it to the one that has some", async () => {
    await claimRest();
    for (let tenants = 0; tenants < 2; tenants += 1) {
      const tenant = await newTenant(pipe.database);
      for (let made = 0; made < 50; made += 1) await newEndpoint(pipe.database, tenant, NOBODY);
      await tell(pipe.database, tenant, 1);
    }
    expect((await claim("clm_hung", { all: 200 })).claimed).toHaveLength(100);
    const busy = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, busy, NOBODY);
    await tell(pipe.database, busy, 100);
    const { claimed } = await claim("clm_free", { rooms: new Map([[id, 64]]) });
    expect(new Set(claimed.map(({ endpointId }) => endpointId))).toEqual(new Set([id]));
    expect(claimed).toHaveLength(64);
  });

  it("puts off what a dead worker held, and waits now for an older one: the next claim does not meet it again", async () => {
    const { newer } = await blocked();
    await pipe.database.query({
      text: "update delivery_queue set lease = 'clm_dead', lease_until = now() - interval '1 second' where delivery_id = $1",
      values: [newer],
    });
    expect(await claim("clm_next")).toMatchObject({ claimed: [], parked: 1 });
    expect(await claim("clm_next")).toMatchObject({ claimed: [], parked: 0 });
    expect((await wait(newer))?.lease).toBeNull();
  });

  it("puts off what waits for an older one until that is due or canceled, although its endpoint takes deliveries again by then", async () => {
    let scene = await blocked();
    // Canceled are those with the smaller ids first.
    while (scene.older > scene.newer) scene = await blocked();
    const { tenant, endpointId: id, newer } = scene;
    expect((await claim("clm_next")).parked).toBe(1);
    expect((await wait(newer))?.seconds).toBeGreaterThan(19 * 3600);
    const key = { tenantId: tenant, id };
    await pipe.database.transaction((tx) => disableEndpoint(tx, key, "by_tenant"));
    const one = { limit: 1, goesOn: (pieces: number) => pieces === 0, canceled: () => undefined };
    await cancelInPieces(pipe.database, { tenantId: tenant, endpointId: id }, one);
    await pipe.database.transaction((tx) => enableEndpoint(tx, key, ACT));
    const { claimed } = await claim("clm_next");
    expect(claimed.map((one) => one.id)).toEqual([newer]);
  });

  it("makes due what was behind one that has ended, also where a dead worker had it", async () => {
    const { older, newer } = await blocked();
    await pipe.database.query({
      text: "update delivery_queue set next_attempt_at = now() where delivery_id = $1",
      values: [older],
    });
    const { claimed } = await claim("clm_first");
    expect(claimed.map((one) => one.id)).toEqual([older]);
    await pipe.database.query({
      text: `update delivery_queue set lease = 'clm_dead', lease_until = now() - interval '1 second',
               next_attempt_at = now() + interval '1 hour' where delivery_id = $1`,
      values: [newer],
    });
    const ends = claimed.map((delivery) => ({ delivery, status: "delivered" as const, wait: 0, error: null }));
    await pipe.database.transaction((tx) => recordEnds(tx, ends));
    expect(await wait(newer)).toMatchObject({ lease: null });
    expect((await claim("clm_next")).claimed.map((one) => one.id)).toEqual([newer]);
  });

  it("is refused to a process from before leases, of what is free and of what is claimed; what that had it may end or give back", async () => {
    await claimRest();
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, NOBODY);
    await tell(pipe.database, tenant, 2);
    expect((await claim("clm_new", { perEndpoint: 1 })).claimed).toHaveLength(1);
    const { rows } = await pipe.database.query<{ id: string }>({
      text: "select delivery_id as id from delivery_queue where endpoint_id = $1 order by lease nulls last",
      values: [id],
    });
    for (const one of rows) {
      const claimAsBefore = pipe.database.query({
        text: `update delivery_queue set lease = 'node_old', next_attempt_at = now() + interval '30 seconds'
               where delivery_id = $1`,
        values: [one.id],
      });
      await expect(claimAsBefore).rejects.toThrow("delivery_queue_claimed");
    }
    // As the migration found it.
    await pipe.database.transaction(async (tx) => {
      const { rows: found } = await tx.query<{ definition: string }>(
        "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'delivery_queue_claimed'",
      );
      await tx.query("alter table delivery_queue drop constraint delivery_queue_claimed");
      await tx.query({
        text: "update delivery_queue set lease = 'node_old', lease_until = now() + interval '2 minutes' where endpoint_id = $1",
        values: [id],
      });
      await tx.query(`alter table delivery_queue add constraint delivery_queue_claimed ${found[0]?.definition ?? ""}`);
    });
    expect((await claim("clm_new")).claimed).toEqual([]);
    const [first = "", second = ""] = rows.map((one) => one.id);
    const asBefore = (values: string, where: string) =>
      pipe.database.query(`update delivery_queue set ${values} where delivery_id = '${where}' and lease = 'node_old'`);
    expect((await asBefore("lease = null, next_attempt_at = now() + interval '5 seconds'", first)).rowCount).toBe(1);
    const end = `delete from delivery_queue where delivery_id = '${second}' and lease = 'node_old'`;
    expect((await pipe.database.query(end)).rowCount).toBe(1);
  });

  it("keeps what is claimed when its endpoint is disabled: a receiver's 200 is written down", async () => {
    await claimRest();
    const tenant = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenant, NOBODY);
    await tell(pipe.database, tenant, 5);
    const { claimed } = await claim("clm_sends", { perEndpoint: 1 });
    await pipe.database.transaction((tx) => disableEndpoint(tx, { tenantId: tenant, id }, "by_tenant"));
    const all = { limit: 100, goesOn: () => true, canceled: () => undefined };
    await cancelInPieces(pipe.database, { tenantId: tenant, endpointId: id }, all);
    expect(await statuses(pipe.database, tenant)).toEqual({ canceled: 4, pending: 1 });
    const ends = claimed.map((delivery) => ({ delivery, status: "delivered" as const, wait: 0, error: null }));
    expect((await pipe.database.transaction((tx) => recordEnds(tx, ends))).size).toBe(1);
    expect(await statuses(pipe.database, tenant)).toEqual({ canceled: 4, delivered: 1 });
  });

  it.each(
    [false, true].flatMap((reversed) => [
      { was: "delivered", is: "pending", earlier: 200, later: 500, queued: 1, reversed } as const,
      { was: "pending", is: "delivered", earlier: 500, later: 200, queued: 0, reversed } as const,
    ]),
  )(
    "of two claims of one delivery that end together, the later one's $is counts, and the earlier one's $was does not (reversed: $reversed)",
    async ({ was, is, earlier, later, queued, reversed }) => {
      await claimRest();
      const tenant = await newTenant(pipe.database);
      const { id } = await newEndpoint(pipe.database, tenant, NOBODY);
      await tell(pipe.database, tenant, 1);
      const [first] = (await claim("clm_first")).claimed;
      await pipe.database.query({
        text: "update delivery_queue set lease_until = now() - interval '1 second' where endpoint_id = $1",
        values: [id],
      });
      const [second] = (await claim("clm_second")).claimed;
      if (first === undefined || second === undefined) throw new Error("it was not claimed twice");
      const ends = [
        { delivery: first, status: was, wait: 5000, error: null, attempt: attemptWith(earlier) },
        { delivery: second, status: is, wait: 5000, error: null, attempt: attemptWith(later) },
      ];
      const together = reversed ? ends.toReversed() : ends;
      const written = await pipe.database.transaction((tx) => recordEnds(tx, together));
      expect([...written].map(({ delivery }) => delivery.lease)).toEqual(["clm_second"]);
      const { rows } = await pipe.database.query({ text: TOLD, values: [id] });
      expect(rows).toEqual([{ status: is, code: later, attempts: 1, codes: [later], queued }]);
    },
  );
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

  it("is all that an endpoint has room for, beside others of its tenant that take nothing", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = (endpoint: string) => ({ tenantId: "ten_1", endpointId: endpoint, claimedUntil: 60_000 });
    const hung = Array.from({ length: 40 }, (_, number) => item(`whe_hung_${number}`));
    lanes.add([...hung, item("whe_busy")]);
    while (lanes.begin(0) !== undefined);
    // What an earlier claim had room for, and what of it was due.
    const before = lanes.room(1000).rooms.get("whe_busy") ?? 0;
    lanes.add(
      Array.from({ length: before }, () => item("whe_busy")),
      { after: "", upTo: "" },
    );
    const { rooms } = lanes.room(1000);
    expect(before).toBeGreaterThan(0);
    const alone = deliveryLanes({ all: 256, perEndpoint: 16 });
    alone.add([item("whe_busy")]);
    alone.begin(0);
    alone.add(Array.from({ length: before }, () => item("whe_busy")));
    expect(rooms.get("whe_busy")).toBe(alone.room(1000).rooms.get("whe_busy"));
    expect(rooms.get("whe_busy")).toBeGreaterThan(16);
  });

  it("is all that a quick endpoint can take, also where it was done before the claim, until one finds nothing for it", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = (endpoint: string) => ({ tenantId: `ten_${endpoint}`, endpointId: endpoint, claimedUntil: 60_000 });
    const deliver = (endpoint: string, times: number): void => {
      for (let time = 0; time < times; time += 1) {
        lanes.add([item(endpoint)]);
        const begun = lanes.begin(time);
        if (begun !== undefined) lanes.end(begun, time + 1, true);
      }
    };
    deliver("whe_b", 40);
    deliver("whe_a", 40);
    expect(lanes.waiting() + lanes.running()).toBe(0);
    const { rooms } = lanes.room(10);
    expect(rooms.get("whe_a")).toBeGreaterThan(100);
    expect(rooms.get("whe_b")).toBe(rooms.get("whe_a"));
    // A claim that came as far as the first one says nothing of the second.
    lanes.add([], { after: "", upTo: "whe_a" });
    expect([...lanes.room(10).rooms.keys()]).toEqual(["whe_b"]);
    lanes.add([], { after: "whe_a", upTo: "" });
    expect([...lanes.room(10).rooms.keys()]).toEqual([]);
    deliver("whe_a", 1);
    expect([...lanes.room(10).rooms]).toEqual([["whe_a", rooms.get("whe_a")]]);
  });

  it("names no more endpoints that rest than may run at a time", () => {
    const lanes = deliveryLanes({ all: 8, perEndpoint: 2 });
    for (let number = 10; number < 30; number += 1) {
      lanes.add([{ tenantId: `ten_${number}`, endpointId: `whe_${number}`, claimedUntil: 60_000 }]);
      const begun = lanes.begin(0);
      if (begun !== undefined) lanes.end(begun, 1, true);
    }
    expect([...lanes.room(10).rooms.keys()]).toEqual([22, 23, 24, 25, 26, 27, 28, 29].map((number) => `whe_${number}`));
  });

  it("is for a busy endpoint what the others of its tenant leave, who take one each", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = (endpoint: string) => ({ tenantId: "ten_1", endpointId: endpoint, claimedUntil: 60_000 });
    const deliverAll = (time: number): void => {
      for (let begun = lanes.begin(time); begun !== undefined; begun = lanes.begin(time))
        lanes.end(begun, time + 1, true);
    };
    const light = Array.from({ length: 49 }, (_, number) => `whe_light_${number}`);
    for (let time = 0; time < 40; time += 1) {
      lanes.add([...light, "whe_busy"].map(item));
      deliverAll(time);
    }
    // One claim finds one for each of the others, and all that it has room for of the busy one.
    const before = lanes.room(1000).rooms.get("whe_busy") ?? 0;
    lanes.add([...light, ...Array.from({ length: before }, () => "whe_busy")].map(item), { after: "", upTo: "" });
    deliverAll(50);
    const { rooms } = lanes.room(1000);
    expect(before).toBe(3);
    expect(rooms.get("whe_busy")).toBe(128 - 2 * 49);
    // Should more be due for all of them at once, that is not much more than they may hold.
    expect(rooms.get("whe_light_7")).toBe(4);
    // A claim that looks elsewhere says nothing of what they need.
    for (let claim = 0; claim < 3; claim += 1) lanes.add([], { after: "whe_z", upTo: "" });
    expect(lanes.room(1000).rooms).toEqual(rooms);
  });

  it("wakes a claim for an endpoint that one had no room for, although a later one had and looked elsewhere", () => {
    const lanes = deliveryLanes({ all: 64, perEndpoint: 4 });
    const item = () => ({ tenantId: "ten_1", endpointId: "whe_a", claimedUntil: 60_000 });
    lanes.add([item(), item(), item(), item()]);
    const begun = [lanes.begin(0), lanes.begin(0)].flatMap((one) => (one === undefined ? [] : [one]));
    expect(lanes.room(1).rooms.get("whe_a")).toBe(0);
    lanes.add([], { after: "", upTo: "" });
    expect(lanes.room(100).rooms.get("whe_a")).toBe(3);
    lanes.add([], { after: "whe_z", upTo: "" });
    expect(begun.map((one) => lanes.end(one, 1, true))).toEqual([true, true]);
    lanes.room(100);
    lanes.add([], { after: "", upTo: "" });
    const next = lanes.begin(2);
    expect(next !== undefined && lanes.end(next, 3, true)).toBe(false);
  });

  it("is asked for in time: before a quick endpoint, for which more may be due and claimed, has begun all that it has", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = () => ({ tenantId: "ten_1", endpointId: "whe_a", claimedUntil: 60_000 });
    const begin = (now: number) =>
      Array.from({ length: 16 }, () => lanes.begin(now)).filter((one) => one !== undefined);
    for (let time = 0; time < 40; time += 1) {
      lanes.add([item()]);
      for (const one of begin(time)) lanes.end(one, time + 1, true);
    }
    const claim = (found: (asked: number) => number): void => {
      const asked = lanes.room(1000).rooms.get("whe_a") ?? 0;
      lanes.add(Array.from({ length: found(asked) }, item), { after: "", upTo: "" });
    };
    claim((asked) => asked);
    let running = begin(40);
    // 128 are held: no claim brings more.
    expect(lanes.lasts(1000)).toBe(Infinity);
    for (let time = 41; time < 45; time += 1) {
      for (const one of running) lanes.end(one, time, true);
      running = begin(time);
      // Sixteen a millisecond.
      expect(Math.abs(lanes.lasts(1000) - lanes.waiting() / 16)).toBeLessThan(0.1);
    }
    expect(lanes.waiting()).toBe(48);
    claim((asked) => asked - 1);
    for (const one of running) lanes.end(one, 46, true);
    // All that was due is claimed.
    expect(lanes.lasts(1000)).toBe(Infinity);
  });

  it("waits for what falls due meanwhile, where a busy endpoint has no room for more", () => {
    const lanes = deliveryLanes({ all: 256, perEndpoint: 16 });
    const item = () => ({ tenantId: "ten_1", endpointId: "whe_a", claimedUntil: 60_000 });
    lanes.add([item(), item()]);
    // Both of its places are taken, and each exchange takes longer than until the next claim.
    while (lanes.begin(0) !== undefined);
    lanes.room(10);
    lanes.add([], { after: "", upTo: "" });
    expect(lanes.lasts(10)).toBe(Infinity);
    expect(lanes.lasts(1000)).toBe(0);
  });
});
