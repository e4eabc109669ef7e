import { expect, it } from "vitest";

import { setImmediate as turn } from "node:timers/promises";

import { manualClock } from "../base/clock.ts";
import { groupCommit } from "./group-commit.ts";
import { batchSizeNow, isReceiving, mayWork, mostAfter, type Pace, type Receiving, restAfter } from "./pace.ts";
import { rush } from "./rush.ts";
import { timeAverage } from "./time-average.ts";

const workers = [0, 1];

const QUIET: Pace = { receiving: false, backlog: false, lag: 0, rested: 0 };
const working = (pace: Partial<Pace>) => workers.map((worker) => mayWork(worker, { ...QUIET, ...pace }));

it("lets one worker alone work while a burst is answered, once a second, until its oldest event has waited five", () => {
  const burst = { receiving: true, backlog: true, lag: 1 };
  expect(working({ ...burst, rested: 1000 })).toEqual([true, false]);
  expect(working({ ...burst, rested: 900 })).toEqual([false, false]);
  expect(working({ ...burst, lag: 6 })).toEqual([true, true]);
});

it("a burst is on while many wait, or have of late on average, and a steady stream is none", () => {
  const calm = { waiting: 0, crowd: 0, sinceRush: Infinity };
  const between = [10, 15, 23].map((crowd) => isReceiving({ ...calm, crowd }));
  expect(between).toEqual([false, false, false]);
  expect([isReceiving({ ...calm, crowd: 40 }), isReceiving({ ...calm, waiting: 9 })]).toEqual([true, true]);
  expect([99, 100].map((sinceRush) => isReceiving({ ...calm, sinceRush }))).toEqual([true, false]);
});

it.each([1100, 2000])(
  "a steady stream of %i a second, 5 ms a commit, is no burst between its commits: nearly always fewer wait on average",
  async (rate) => {
    const clock = manualClock();
    const average = timeAverage(100, clock);
    const begin = rush({ many: 40, calm: 100 }, clock);
    let commitEnds = Infinity;
    let end: (() => void) | undefined;
    const commits = groupCommit<number, number>({
      write: async (items) => {
        commitEnds = clock.monotonic() + 5;
        await new Promise<void>((resolve) => (end = resolve));
        return items;
      },
      ...{ sizeOf: () => 1, maxInFlight: 2, minBeside: 64, slowAfter: 60_000, maxBatch: 256 },
      ...{ maxWaiting: 5000, maxWaitingBytes: 5000, isItemsFault: () => false },
      onWaiting: (count) => {
        average.set(count);
        begin.set(count);
      },
    });
    // As independent requests come: the gaps between them are exponential, here by their quantiles in a mixed order.
    const gaps = Array.from(
      { length: 4000 },
      (_, n) => (-Math.log(1 - (((n * 1597) % 4000) + 0.5) / 4000) * 1000) / rate,
    );
    const seen: Receiving[] = [];
    let next = 0;
    for (const gap of gaps) {
      next += gap;
      while (commitEnds <= next) {
        clock.advance(commitEnds - clock.monotonic());
        commitEnds = Infinity;
        end?.();
        await turn();
        await turn();
        seen.push({ waiting: 0, crowd: average.get(), sinceRush: begin.since() });
      }
      clock.advance(next - clock.monotonic());
      void commits.add(next);
      await turn();
      await turn();
    }
    const bursts = seen.filter(isReceiving);
    expect(seen.length).toBeGreaterThan(200);
    expect(bursts.length / seen.length).toBeLessThan(0.02);
  },
);

it("behind batches that lost their connection the next grow by what succeeded, not by how many did", () => {
  const broken = mostAfter(Infinity, 31, true);
  expect(broken).toBe(15);
  expect([15, 15].reduce((most, size) => mostAfter(most, size, false), broken)).toBe(30);
  expect([mostAfter(60, 15, false), mostAfter(Infinity, 50, false), mostAfter(30, 1, true)]).toEqual([60, Infinity, 1]);
});

it("takes few events at once while a burst is answered, more when its oldest has waited five seconds, and the most off a backlog", () => {
  const sizes = (pace: Partial<Pace>, locks = 6400) =>
    (["server", "embedded"] as const).map((kind) => batchSizeNow(kind, { ...QUIET, ...pace }, locks));
  expect(sizes({ receiving: true, lag: 1, rested: 1000 })).toEqual([50, 50]);
  expect(sizes({ receiving: true, lag: 6 })).toEqual([200, 100]);
  expect(sizes({ lag: 1 })).toEqual([400, 200]);
  expect(sizes({ lag: 1 }, 1600)).toEqual([100, 100]);
  expect(sizes({ lag: 1 }, 100)).toEqual([50, 50]);
});

it("works a backlog off with all workers and no rest", () => {
  expect(working({ backlog: true, lag: 1 })).toEqual([true, true]);
  expect(restAfter(true, 500)).toBe(0);
});

it("leaves what comes by itself to one worker, and to another when that one does not come to an end", () => {
  expect(working({})).toEqual([true, false]);
  expect(working({ rested: 200 })).toEqual([true, true]);
});

it("lets events gather after a batch that was not full, and longer where they come in a stream", () => {
  expect(restAfter(false, 15)).toBe(20);
  expect(restAfter(false, 16)).toBe(100);
});
