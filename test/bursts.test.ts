// While a burst is answered, projections wait: also in the moments between two commits in which nobody waits for one.
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { eventLoops } from "../src/inbox/event-loops.ts";
import { type Delivery, receiver } from "../src/inbox/receive.ts";
import { keepNothing } from "../src/inbox/recent.ts";
import type { ClaimLoop } from "../src/work/claim-loop.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

const SECRET = "whsec_bursts";
/** As many as a burst's batch takes, at most: see pace.ts. */
const BURST_BATCH = 50;

function delivery(id: string): Delivery {
  const customer = newCustomer({ id: `cus_${id}` });
  const body = JSON.stringify(event("customer.created", customer, { id: `evt_${id}`, apiVersion: NEW_API }));
  const time = Math.floor(Date.now() / 1000);
  const mac = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex");
  return { body: Buffer.from(body), signature: `t=${time},v1=${mac}`, fromLoopback: true };
}

describe.each(BOTH)("a burst, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it("no whole batch begins before the burst is over, though all that came is answered again and again", async () => {
    const sizes: number[] = [];
    const { batchSize: _ours, ...options } = pipe.processOptions();
    const metrics = { ...options.metrics, batch: ({ processed }: { processed: number }) => sizes.push(processed) };
    const errors: unknown[] = [];
    const receiving = receiver({
      ...{ database: pipe.database, clock: systemClock, log: silentLog, platformTenant: pipe.platformTenant },
      secrets: [{ secret: SECRET, name: "STRIPE_WEBHOOK_SECRET" }],
      ...{ allowUnsigned: false, maxWaiting: 1000, maxWaitingBytes: 64 * 1024 * 1024, recent: keepNothing },
      metrics: { received: () => undefined, batch: () => undefined },
      onStored: () => {
        for (const loop of loops) loop.wake();
      },
    });
    let loops: ClaimLoop[] = [];
    let sent = 0;
    const burst = async (milliseconds: number): Promise<void> => {
      const until = performance.now() + milliseconds;
      while (performance.now() < until) {
        const wave = Array.from({ length: 64 }, () => delivery(`${kind}${String(sent++)}`));
        await Promise.all(wave.map((one) => receiving.receive(one)));
        expect(receiving.waiting()).toBe(0);
        await sleep(2);
      }
    };
    await burst(200);
    loops = eventLoops({
      process: { ...options, metrics },
      crowd: () => receiving.crowd(),
      onError: (error) => errors.push(error),
    });
    await burst(1500);
    const during = [...sizes];
    await expect.poll(() => sizes.reduce((sum, size) => sum + size, 0), { timeout: 30_000 }).toBe(sent);
    await Promise.all(loops.map((loop) => loop.stop()));
    expect(errors).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    expect(Math.max(0, ...during)).toBeLessThanOrEqual(BURST_BATCH);
    expect(Math.max(...sizes)).toBeGreaterThan(BURST_BATCH);
  });
});
