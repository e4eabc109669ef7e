import { expect, it } from "vitest";

import { mayWork, restAfter } from "./pace.ts";

it("lets one worker alone work while a burst is answered, until its oldest event has waited five seconds", () => {
  expect([0, 1].map((worker) => mayWork(worker, { receiving: true, lag: 1 }))).toEqual([true, false]);
  expect([0, 1].map((worker) => mayWork(worker, { receiving: true, lag: 6 }))).toEqual([true, true]);
});

it("works a backlog off with all workers and no rest", () => {
  expect([0, 1].map((worker) => mayWork(worker, { receiving: false, lag: 1 }))).toEqual([true, true]);
  expect(restAfter({ full: true, receiving: false, lag: 1 })).toBe(0);
});

it("rests between batches while a burst is answered, and no longer once its oldest event has waited five seconds", () => {
  expect(restAfter({ full: true, receiving: true, lag: 1 })).toBe(300);
  expect(restAfter({ full: true, receiving: true, lag: 6 })).toBe(0);
});

it("lets events gather after a batch that was not full", () => {
  expect(restAfter({ full: false, receiving: false, lag: 0 })).toBe(20);
});
