import { expect, it } from "vitest";

import { batchSizeNow, isReceiving, mayWork, type Pace, restAfter } from "./pace.ts";

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
  const between = [10, 15, 23].map((crowd) => isReceiving({ waiting: 0, crowd }));
  expect(between).toEqual([false, false, false]);
  expect([isReceiving({ waiting: 0, crowd: 40 }), isReceiving({ waiting: 9, crowd: 0 })]).toEqual([true, true]);
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
