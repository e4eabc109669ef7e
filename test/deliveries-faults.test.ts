// Receivers that hang, drip, reset and flood, a dead endpoint's backlog, a database that goes away: others are served, nothing is lost.
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { deliveryLanes } from "../src/outbox/delivery-lanes.ts";
import { listDeliveries, readDelivery } from "../src/outbox/delivery-reads.ts";
import { guardedPost } from "../src/outbox/guarded-post.ts";
import {
  type Behaviour,
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

/** As a deliverer posts, but with less patience. */
const impatient: typeof guardedPost = (post) => guardedPost({ ...post, timeoutMs: 1500 });

const BOMB = gzipSync(Buffer.alloc(50 * 1024 * 1024));

const FAULTS: [what: string, behave: Behaviour, code: string | null, status: number | null][] = [
  ["hangs", () => undefined, "timeout", null],
  [
    "drips a byte a second",
    (response) => {
      response.writeHead(200, { "content-length": "100" });
      const timer = setInterval(() => response.write("x"), 1000);
      response.once("close", () => {
        clearInterval(timer);
      });
    },
    "timeout",
    null,
  ],
  ["resets the connection", (response) => response.socket?.resetAndDestroy(), "reset", null],
  ["answers 500", (response) => response.writeHead(500).end(), null, 500],
];

describe.each(BOTH)("faults of receivers, %s database", (kind) => {
  let pipe: Pipe;
  const targets: Target[] = [];
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(async () => {
    await Promise.all(targets.map((target) => target.close()));
    await pipe.close();
  });

  async function target(behave?: Behaviour): Promise<Target> {
    const one = await openTarget(behave);
    targets.push(one);
    return one;
  }

  it.each(FAULTS)(
    "a receiver that %s fails that attempt alone, and it is tried again",
    async (_, behave, code, status) => {
      const worker = startWorker(pipe.database, { post: impatient });
      const tenant = await newTenant(pipe.database);
      await newEndpoint(pipe.database, tenant, (await target(behave)).url);
      await tell(pipe.database, tenant, 1);
      const one = async () => (await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 }))[0];
      await until(async () => (await one())?.attempts === 1);
      const read = await readDelivery(pipe.database, {
        tenantId: tenant,
        livemode: false,
        id: (await one())?.id ?? "",
      });
      expect(read).toMatchObject({ status: "pending", nextAttemptAt: expect.any(Date) });
      expect(read?.attemptList).toMatchObject([{ errorCode: code, statusCode: status }]);
      await worker.stop();
    },
  );

  it("50 MB of gzip cost neither memory nor time: its 200 is taken, and 16 KiB at most are kept", async () => {
    const worker = startWorker(pipe.database, { post: impatient });
    const tenant = await newTenant(pipe.database);
    const bomb = await target((response) => response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB));
    await newEndpoint(pipe.database, tenant, bomb.url);
    await tell(pipe.database, tenant, 1);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 1);
    expect(bomb.got[0]?.headers["accept-encoding"]).toBe("identity");
    const [delivery] = await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 });
    const read = await readDelivery(pipe.database, { tenantId: tenant, livemode: false, id: delivery?.id ?? "" });
    expect(read?.attemptList[0]?.responseBody?.length).toBeLessThanOrEqual(16 * 1024);
    await worker.stop();
  });

  it("what one endpoint gets at a time is bounded, and a backlog of one that hangs holds up nobody", async () => {
    const limits = { all: 16, perEndpoint: 4 };
    const worker = startWorker(pipe.database, { limits });
    const [dead, well] = await Promise.all([newTenant(pipe.database), newTenant(pipe.database)]);
    const hanging = await target(() => undefined);
    for (let index = 0; index < 20; index += 1) await newEndpoint(pipe.database, dead, hanging.url);
    await tell(pipe.database, dead, 25);
    await until(() => hanging.open() > 0);
    await sleep(200);
    const quick = await target();
    await newEndpoint(pipe.database, well, quick.url);
    const began = performance.now();
    await tell(pipe.database, well, 200);
    await until(async () => (await statuses(pipe.database, well)).delivered === 200);
    expect(performance.now() - began).toBeLessThan(12_000);
    // A quarter of all places is a tenant's part.
    expect(hanging.most()).toBeLessThanOrEqual(4);
    expect(quick.most()).toBeLessThanOrEqual(4);
    await worker.stop(0);
    await pipe.database.query({ text: "delete from delivery_queue where tenant_id = $1", values: [dead] });
  });

  it("a stop lets exchanges end, sends nothing twice, and gives back what it had claimed", async () => {
    const tenant = await newTenant(pipe.database);
    const slow = await target((response) => setTimeout(() => response.end(), 100));
    await newEndpoint(pipe.database, tenant, slow.url);
    await tell(pipe.database, tenant, 300);
    const first = startWorker(pipe.database);
    await until(() => slow.got.length > 4);
    await first.stop(5000);
    const after = slow.got.length;
    expect(after).toBeLessThan(300);
    const { rows } = await pipe.database.query({
      text: "select count(*) as count from delivery_queue where tenant_id = $1 and (lease is not null or next_attempt_at > now())",
      values: [tenant],
    });
    expect(rows).toEqual([{ count: 0 }]);
    expect((await statuses(pipe.database, tenant)).delivered).toBe(after);
    const second = startWorker(pipe.database);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 300);
    expect(slow.got).toHaveLength(300);
    await second.stop();
  });

  it("an exchange that lasts longer than its claim keeps it: nobody else begins it meanwhile", async () => {
    const tenant = await newTenant(pipe.database);
    const slow = await target((response) => setTimeout(() => response.end(), 4000));
    await newEndpoint(pipe.database, tenant, slow.url);
    const workers = [1, 2].map(() => startWorker(pipe.database, { leaseSeconds: 2 }));
    await tell(pipe.database, tenant, 1);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 1);
    expect(slow.got).toHaveLength(1);
    await Promise.all(workers.map((worker) => worker.stop()));
  });
});

describe("a PostgreSQL that goes away", () => {
  it("in the middle of deliveries: results wait for it, nothing is lost, and duplicates are no more than were in flight", async () => {
    const pipe = await openPipe("server");
    const tenant = await newTenant(pipe.database);
    const target = await openTarget((response) => setTimeout(() => response.end(), 5));
    await newEndpoint(pipe.database, tenant, target.url);
    for (let round = 0; round < 4; round += 1) await tell(pipe.database, tenant, 250);
    const errors: unknown[] = [];
    const worker = startWorker(pipe.database, { onError: (error) => errors.push(error) });
    const client = new pg.Client({ connectionString: pipe.url });
    await client.connect();
    for (let kill = 1; kill <= 5; kill += 1) {
      await until(() => target.got.length > kill * 120);
      // What a restart does to every connection.
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    }
    await until(
      async () => (await statuses(pipe.database, tenant).catch(() => ({ delivered: 0 }))).delivered === 1000,
      60_000,
    );
    const ids = new Set(target.got.map(({ id }) => id));
    expect(ids.size).toBe(1000);
    // Results are held until they are written: only a claim that was lost could be sent again.
    expect(target.got.length - ids.size).toBeLessThanOrEqual(5 * 64);
    await worker.stop();
    await client.end();
    await target.close();
    await pipe.close();
  });
});

describe("the lanes of deliveries", () => {
  const item = (tenantId: string, endpointId: string) => ({ tenantId, endpointId, claimedUntil: Infinity });

  it("slow endpoints have half of the places together, whatever tenants they belong to", () => {
    const lanes = deliveryLanes({ all: 40, perEndpoint: 8 });
    const ends = Array.from({ length: 60 }, (_, n) => item(`ten_${n}`, `whe_${n}`));
    lanes.add(ends);
    const began = [];
    for (let one = lanes.begin(0); one !== undefined; one = lanes.begin(0)) began.push(one);
    expect(began).toHaveLength(40);
    lanes.look(3000);
    expect(lanes.room(20).all).toBeGreaterThan(0);
    for (const one of began) lanes.end(one, 15_000, false);
    lanes.add(ends.map(({ tenantId, endpointId }) => item(tenantId, endpointId)));
    let slow = 0;
    for (let one = lanes.begin(15_000); one !== undefined; one = lanes.begin(15_000)) slow += 1;
    // 20 of those that hung, and 20 that nobody knows yet.
    expect(slow).toBe(40);
    lanes.add([item("ten_new", "whe_new")]);
    expect(lanes.begin(15_000)).toBeUndefined();
  });

  it("an endpoint gets more places as it answers, and one when it does not", () => {
    const lanes = deliveryLanes({ all: 64, perEndpoint: 8 });
    const runOf = (now: number): ReturnType<typeof item>[] => {
      const begun = [];
      for (let one = lanes.begin(now); one !== undefined; one = lanes.begin(now)) begun.push(one);
      return begun;
    };
    lanes.add(Array.from({ length: 100 }, () => item("ten_a", "whe_a")));
    let running = runOf(0);
    expect(running).toHaveLength(2);
    for (let round = 1; round <= 4; round += 1) {
      for (const one of running) lanes.end(one, round, true);
      running = runOf(round);
    }
    expect(running).toHaveLength(8);
    for (const one of running) lanes.end(one, 5000, false);
    expect(lanes.givenBack().length).toBeGreaterThan(0);
    lanes.add(Array.from({ length: 100 }, () => item("ten_a", "whe_a")));
    expect(runOf(5000)).toHaveLength(1);
  });

  it("an endpoint that answers late but takes what it is sent keeps its places, among the slow ones", () => {
    const lanes = deliveryLanes({ all: 64, perEndpoint: 4 });
    const begin = (now: number): ReturnType<typeof item>[] => {
      lanes.add(Array.from({ length: 4 }, () => item("ten_a", "whe_a")));
      const begun = [];
      for (let one = lanes.begin(now); one !== undefined; one = lanes.begin(now)) begun.push(one);
      return begun;
    };
    const places = [];
    for (let round = 0; round < 5; round += 1) {
      const running = begin(round * 10_000);
      places.push(running.length);
      lanes.look(round * 10_000 + 3000);
      for (const one of running) lanes.end(one, round * 10_000 + 3000, true);
      lanes.givenBack();
    }
    expect(places).toEqual([2, 3, 4, 4, 4]);
    // Slow: nothing is claimed ahead.
    expect(lanes.room(100_000).rooms.get("whe_a") ?? 0).toBeLessThanOrEqual(4);
    for (const one of begin(60_000)) lanes.end(one, 61_000, false);
    lanes.givenBack();
    expect(begin(62_000)).toHaveLength(1);
  });

  it("what was claimed too long ago is not begun, and given back", () => {
    const lanes = deliveryLanes({ all: 4, perEndpoint: 2 });
    lanes.add([{ ...item("ten_a", "whe_a"), claimedUntil: 1000 }]);
    expect(lanes.begin(900)).toBeUndefined();
    expect(lanes.givenBack()).toHaveLength(1);
    expect(lanes.waiting()).toBe(0);
  });
});
