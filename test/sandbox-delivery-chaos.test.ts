// Chaos and faults of the sandbox: repeated, shuffled, late and lost deliveries lose no event; faults befall as asked.
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { fateOf, NO_CHAOS, readChaos } from "../sandbox/delivery/chaos.ts";
import { takeFault } from "../sandbox/delivery/faults.ts";
import { DueQueue, RETRY_SCHEDULES } from "../sandbox/delivery/schedule.ts";
import type { SandboxOptions } from "../sandbox/sandbox.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { openReceiver, type WebhookReceiver } from "./support/webhook-receiver.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Scene {
  sandbox: OpenSandbox;
  receiver: WebhookReceiver;
  /** Raises so many events. Returns their ids. */
  raise(count: number): string[];
  idle(): Promise<void>;
}

async function scene(options: SandboxOptions): Promise<Scene> {
  const sandbox = await openSandbox(options);
  const receiver = await openReceiver();
  closing.push(sandbox.close, receiver.close);
  await sandbox.call("POST", "/_sandbox/endpoints", `url=${receiver.url}&secret=whsec_test`);
  return {
    sandbox,
    receiver,
    raise: (count) => {
      for (let made = 0; made < count; made += 1) {
        sandbox.world.run((tx) => tx.raise("customer.created", { id: `cus_${made}`, object: "customer" }));
      }
      return sandbox.events().map(({ id }) => id);
    },
    idle: async () => {
      const { json } = await sandbox.call("POST", "/_sandbox/idle", "timeout_ms=20000");
      expect(json).toMatchObject({ idle: true });
    },
  };
}

const idsOf = ({ received }: WebhookReceiver): string[] => received.map(({ event }) => event.id);

describe("chaos", () => {
  it("repeats, shuffles, delays and drops deliveries, and every event arrives at least once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const { receiver, raise, idle, sandbox } = await scene({
          seed,
          retrySchedule: [0.05],
          chaos: { seed, duplicate: 0.2, reorder: { share: 1, ms: 100 }, delay: { share: 0.1, ms: 300 }, drop: 0.05 },
        });
        const ids = raise(300);
        await idle();
        const got = idsOf(receiver);
        expect(new Set(got)).toEqual(new Set(ids));
        expect(got.length - ids.length).toBeGreaterThan(30);
        expect(got.length - ids.length).toBeLessThan(90);
        expect([...new Set(got)]).not.toEqual(ids);
        expect(sandbox.events().every(({ pending_webhooks }) => pending_webhooks === 0)).toBe(true);
      }),
      { numRuns: 3 },
    );
  });

  it("befalls the same deliveries in every run with one seed", () => {
    const settings = readChaos({ duplicate: 0.5, reorder: 0.5, drop: 0.2, seed: 7 }, NO_CHAOS);
    const fates = (given: typeof settings) =>
      Array.from({ length: 200 }, (_, place) => fateOf(given, `evt_${place}`, "we_1"));
    expect(fates(settings)).toEqual(fates(settings));
    expect(fates({ ...settings, seed: 8 })).not.toEqual(fates(settings));
    const dropped = fates(settings).filter((fate) => fate.dropped === "once").length;
    expect(dropped).toBeGreaterThan(20);
    expect(dropped).toBeLessThan(60);
  });

  it("is set while it runs, and what it forgets stands in the list of events alone", async () => {
    const { sandbox, receiver, raise, idle } = await scene({});
    const set = await sandbox.call("POST", "/_sandbox/chaos", "drop=1&forget=true&delay[share]=0.1&delay[ms]=5");
    expect(set.json).toMatchObject({ drop: 1, forget: true, delay: { share: 0.1, ms: 5 }, duplicate: 0 });
    const [id] = raise(1);
    await idle();
    expect(receiver.received).toEqual([]);
    const listed = await sandbox.stripe.events.list({ delivery_success: false });
    expect(listed.data.map((event) => event.id)).toEqual([id]);
    expect((await sandbox.call("POST", "/_sandbox/chaos", "drop=2")).json).toMatchObject({ error: { param: "drop" } });
    await sandbox.call("POST", `/_sandbox/events/${id}/resend`);
    await receiver.got(1);
  });
});

it("without chaos deliveries begin in the order of their events", async () => {
  const { receiver, raise, idle } = await scene({ deliveryConcurrency: 1 });
  const ids = raise(100);
  await idle();
  expect(idsOf(receiver)).toEqual(ids);
});

it("what waits can be sent at once", async () => {
  const { sandbox, receiver, raise, idle } = await scene({ retrySchedule: "live" });
  receiver.answer(500, 200);
  raise(1);
  await receiver.got(1);
  await expect
    .poll(async () => (await sandbox.call("POST", "/_sandbox/deliveries/flush")).json)
    .toMatchObject({ due: 1 });
  await idle();
  expect(receiver.received).toHaveLength(2);
});

describe("the schedule", () => {
  it("of live mode ends after three days, that of test mode after a few hours", () => {
    const hours = (name: keyof typeof RETRY_SCHEDULES) =>
      RETRY_SCHEDULES[name].reduce<number>((sum, each) => sum + each, 0) / 3600;
    expect(RETRY_SCHEDULES.live).toHaveLength(15);
    expect(hours("live")).toBeCloseTo(72.8, 0);
    expect(hours("local")).toBeCloseTo(72, -1);
    expect(RETRY_SCHEDULES.test).toHaveLength(3);
    expect(hours("test")).toBeLessThan(5);
  });

  it("gives what is due in the order of its times, and of arrival where they are the same", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 20 }), (dues, now) => {
        const queue = new DueQueue<{ due: number; place: number }>();
        const jobs = dues.map((due, place) => ({ due, place }));
        for (const job of jobs) queue.add(job);
        const sorted = [...jobs].sort((one, other) => one.due - other.due || one.place - other.place);
        expect([...queue.take(now), ...queue.take(Infinity)]).toEqual(sorted);
      }),
    );
  });
});

it("a fault befalls as many calls as asked, of the path asked for", async () => {
  const sandbox = await openSandbox();
  closing.push(sandbox.close);
  const fault = "status=429&count=2&path=/v1/customers/*/sources&method=post&reason=endpoint-rate";
  expect((await sandbox.call("POST", "/_sandbox/faults", fault)).json).toMatchObject({ data: [{ left: 2 }] });
  const take = (method: string, path: string) => takeFault(sandbox.world, method, path);
  expect(take("POST", "/v1/customers")).toBeUndefined();
  expect(take("GET", "/v1/customers/cus_1/sources")).toBeUndefined();
  const answer = take("POST", "/v1/customers/cus_1/sources");
  expect(answer).toMatchObject({ status: 429, headers: { "stripe-rate-limited-reason": "endpoint-rate" } });
  expect(JSON.parse(answer?.body ?? "")).toMatchObject({ error: { code: "rate_limit" } });
  expect(take("POST", "/v1/customers/cus_1/sources/src_1")).toBeDefined();
  expect(take("POST", "/v1/customers/cus_1/sources")).toBeUndefined();
  expect((await sandbox.call("POST", "/_sandbox/faults", "count=2")).status).toBe(400);
  await sandbox.call("POST", "/_sandbox/faults", "status=503&count=9");
  await sandbox.call("DELETE", "/_sandbox/faults");
  expect(take("GET", "/v1/customers")).toBeUndefined();
});

it("the control endpoints show the objects of every account and mode", async () => {
  const { sandbox, raise } = await scene({});
  const [id] = raise(1);
  const { json } = await sandbox.call("GET", "/_sandbox/objects/event");
  expect(json).toMatchObject({ data: [{ scope: "test/acct_1SandboxPlatform00", object: { id } }] });
  const status = await sandbox.call("GET", "/_sandbox/status");
  expect(status.json).toMatchObject({
    scopes: [{ scope: "test/acct_1SandboxPlatform00", objects: { event: 1, webhook_endpoint: 1 } }],
    endpoints: 1,
    listen: { listening: 0 },
  });
});
