// The average of a number that changes by leaps, over time and not over its changes; what was long ago fades.
import type { Clock } from "../base/clock.ts";

export interface TimeAverage {
  /** The number is this from now on. */
  set(value: number): void;
  /** Between the smallest and the greatest that it was; after `span` milliseconds of one number, two thirds of the way to it. */
  get(): number;
}

/** Begins at 0. */
export function timeAverage(span: number, clock: Pick<Clock, "monotonic">): TimeAverage {
  let average = 0;
  let value = 0;
  let since = clock.monotonic();

  function get(): number {
    const now = clock.monotonic();
    average = value + (average - value) * Math.exp((since - now) / span);
    since = now;
    return average;
  }

  return {
    set: (next) => {
      get();
      value = next;
    },
    get,
  };
}
