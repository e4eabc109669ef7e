import { expect, it } from "vitest";

import { batchSizeNow, mayWork, type Pace, restAfter } from "./pace.ts";

const workers = [0, 1];

it("lets one worker alone work while a burst is answered, once a second, until its oldest event has waited five", () => {
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 1, rested: 1000 }))).toEqual([true, false]);
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 1, rested: 900 }))).toEqual([false, false]);
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 6, rested: 0 }))).toEqual([true, true]);
});

it("takes few events at once while a burst is answered, more when its oldest has waited five seconds, and the most off a backlog", () => {
  const sizes = (pace: Pace) => [batchSizeNow("server", pace), batchSizeNow("embedded", pace)];
  expect(sizes({ receiving: true, lag: 1, rested: 1000 })).toEqual([50, 50]);
  expect(sizes({ receiving: true, lag: 6, rested: 0 })).toEqual([200, 100]);
  expect(sizes({ receiving: false, lag: 1, rested: 0 })).toEqual([500, 200]);
});

it("works a backlog off with all workers and no rest", () => {
  expect(workers.map((worker) => mayWork(worker, { receiving: false, lag: 1, rested: 0 }))).toEqual([true, true]);
  expect(restAfter(true)).toBe(0);
});

it("lets events gather after a batch that was not full", () => {
  expect(restAfter(false)).toBe(20);
});
