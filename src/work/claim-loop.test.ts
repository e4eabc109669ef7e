import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { claimLoop, type ClaimLoopOptions, type Found } from "./claim-loop.ts";

function loop(run: ClaimLoopOptions["run"], more: Partial<ClaimLoopOptions> = {}) {
  return claimLoop({
    name: "test",
    run,
    concurrency: 1,
    pollEvery: 60_000,
    gatherFor: () => 0,
    pauseAfterError: 10,
    onError: () => undefined,
    ...more,
  });
}

describe("the claim loop", () => {
  it("runs until there is nothing left, then sleeps until it is woken", async () => {
    const left: Found[] = ["full", "some", "none"];
    let runs = 0;
    const events = loop(() => {
      runs++;
      return Promise.resolve(left.shift() ?? "none");
    });
    await sleep(20);
    expect(runs).toBe(3);
    events.wake();
    await sleep(20);
    expect(runs).toBe(4);
    await events.stop();
  });

  it("lets work gather after a unit that was not full, whoever wakes it", async () => {
    const found: Found[] = ["some", "some", "none"];
    let runs = 0;
    const events = loop(
      () => {
        runs++;
        return Promise.resolve(found.shift() ?? "none");
      },
      { gatherFor: () => 50 },
    );
    await sleep(20);
    events.wake();
    expect(runs).toBe(1);
    await sleep(50);
    expect(runs).toBe(2);
    await events.stop();
  });

  it("does not lose a wake-up that comes while it looks", async () => {
    let runs = 0;
    const events = loop(async () => {
      runs++;
      if (runs === 1) {
        await sleep(10);
        events.wake();
      }
      return "none";
    });
    await sleep(50);
    expect(runs).toBe(2);
    await events.stop();
  });

  it("ends only after the unit that is running, and starts no other", async () => {
    let done = 0;
    const events = loop(async () => {
      await sleep(30);
      done++;
      return "full";
    });
    await sleep(5);
    await events.stop();
    expect(done).toBe(1);
  });

  it("tells an error, pauses and goes on", async () => {
    const told: unknown[] = [];
    let runs = 0;
    const events = loop(
      () => {
        runs++;
        return runs === 1 ? Promise.reject(new Error("no database")) : Promise.resolve("none");
      },
      { onError: (error) => told.push(error) },
    );
    await sleep(40);
    expect(told).toHaveLength(1);
    expect(runs).toBe(2);
    await events.stop();
  });
});
