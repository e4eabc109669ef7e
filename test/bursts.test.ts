// While a burst is answered, projections wait: also in the moments between two commits in which nobody waits for one.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manualClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { eventLoops } from "../src/inbox/event-loops.ts";
import { type Delivery, receiver } from "../src/inbox/receive.ts";
import type { ClaimLoop } from "../src/work/claim-loop.ts";
import { signature, SIGNING_SECRET } from "./support/api-door.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

/** As many as a burst's batch takes, at most: see pace.ts. */
const BURST_BATCH = 50;

function delivery(id: string): Delivery {
  const customer = newCustomer({ id: `cus_${id}` });
  const body = JSON.stringify(event("customer.created", customer, { id: `evt_${id}`, apiVersion: NEW_API }));
  return { body: Buffer.from(body), signature: signature(body), fromLoopback: true };
}

/** A wave of 64 that is answered whole, in 8 ms by the clock of the test. */
const WAVE = 64;

describe.each(BOTH)("a burst, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  let sent = 0;
  function door() {
    const sizes: number[] = [];
    const errors: unknown[] = [];
    const { batchSize: _ours, ...options } = pipe.processOptions();
    const metrics = { ...options.metrics, batch: ({ processed }: { processed: number }) => sizes.push(processed) };
    // The receiver's time is the test's own: a machine that stands still for a moment ends no burst.
    const clock = manualClock(Date.now());
    let loops: ClaimLoop[] = [];
    const receiving = receiver({
      ...{ database: pipe.database, clock, log: silentLog, platformTenant: pipe.platformTenant },
      secrets: [{ secret: SIGNING_SECRET, name: "STRIPE_WEBHOOK_SECRET" }],
      ...{ allowUnsigned: false, maxWaiting: 1000, maxWaitingBytes: 64 * 1024 * 1024 },
      metrics: { received: () => undefined, batch: () => undefined },
      onStored: () => {
        for (const loop of loops) loop.wake();
      },
    });
    return {
      ...{ clock, errors, sizes },
      begin: (): void => {
        loops = eventLoops({ process: { ...options, metrics }, receiving, onError: (error) => errors.push(error) });
      },
      stop: () => Promise.all(loops.map((loop) => loop.stop())),
      wave: async (): Promise<void> => {
        const answers = Array.from({ length: WAVE }, () => receiving.receive(delivery(`${kind}${String(sent++)}`)));
        clock.advance(8);
        await Promise.all(answers);
        clock.advance(2);
        await sleep(2);
        expect(receiving.waiting()).toBe(0);
      },
    };
  }

  it("no whole batch begins before the burst is over, though all that came is answered again and again", async () => {
    const { begin, clock, errors, sizes, stop, wave } = door();
    const before = sent;
    for (let number = 0; number < 20; number += 1) await wave();
    begin();
    const until = performance.now() + 2500;
    try {
      for (let number = 0; number < 20 || performance.now() < until; number += 1) await wave();
      const during = [...sizes];
      expect(during.length).toBeGreaterThan(0);
      expect(Math.max(...during)).toBeLessThanOrEqual(BURST_BATCH);
      clock.advance(1000);
      const done = (): number => sizes.reduce((sum, size) => sum + size, 0);
      await expect.poll(done, { timeout: 30_000 }).toBe(sent - before);
    } finally {
      await stop();
    }
    expect(errors).toEqual([]);
    expect(Math.max(...sizes)).toBeGreaterThan(BURST_BATCH);
  });

  it("its first wave, out of calm, is not worked on while more may come, and is when none do", async () => {
    const { begin, clock, errors, sizes, stop, wave } = door();
    begin();
    try {
      // Whoever looks for work has looked, and sleeps.
      await sleep(50);
      await wave();
      await sleep(300);
      expect(sizes.filter((size) => size > 0)).toEqual([]);
      clock.advance(100);
      await expect.poll(() => sizes.reduce((sum, size) => sum + size, 0), { timeout: 10_000 }).toBe(WAVE);
    } finally {
      await stop();
    }
    expect(errors).toEqual([]);
  });
});
