import { expect, it } from "vitest";

import { batchSizeNow, mayWork, restAfter } from "./pace.ts";

const workers = [0, 1];

it("lets one worker alone work while a burst is answered, once a second, until its oldest event has waited five", () => {
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 1, rested: 1000 }))).toEqual([true, false]);
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 1, rested: 900 }))).toEqual([false, false]);
  expect(workers.map((worker) => mayWork(worker, { receiving: true, lag: 6, rested: 0 }))).toEqual([true, true]);
});

it("takes few events at once while a burst is answered, and whole batches when its oldest event has waited five seconds", () => {
  expect(batchSizeNow(200, { receiving: true, lag: 1, rested: 1000 })).toBe(50);
  expect(batchSizeNow(20, { receiving: true, lag: 1, rested: 1000 })).toBe(20);
  expect(batchSizeNow(200, { receiving: true, lag: 6, rested: 0 })).toBe(200);
  expect(batchSizeNow(200, { receiving: false, lag: 1, rested: 0 })).toBe(200);
});

it("works a backlog off with all workers and no rest", () => {
  expect(workers.map((worker) => mayWork(worker, { receiving: false, lag: 1, rested: 0 }))).toEqual([true, true]);
  expect(restAfter(true)).toBe(0);
});

it("lets events gather after a batch that was not full", () => {
  expect(restAfter(false)).toBe(20);
});
