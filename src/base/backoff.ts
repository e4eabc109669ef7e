// How long to wait before the next attempt. Pure.
import { randomFraction } from "./random.ts";

export interface BackoffPlan {
  /** Milliseconds after the first failed attempt. */
  first: number;
  /** Each further wait is this many times the one before; ≥ 1. */
  factor: number;
  /** No wait is longer, in milliseconds. */
  max: number;
  /** The part of a wait that is drawn by lot, 0 to 1: attempts that failed together do not come back together. */
  jitter: number;
  /** 0 ≤ r < 1; given by tests. */
  random?: () => number;
}

/** Milliseconds to wait after the `attempt`-th attempt (1 = the first) has failed: whole, between (1 − jitter)·w and w. */
export function backoff(attempt: number, { first, factor, max, jitter, random = randomFraction }: BackoffPlan): number {
  if (!Number.isInteger(attempt) || attempt < 1)
    throw new RangeError(`an attempt is counted from 1, not ${String(attempt)}`);
  const whole = Math.min(max, first * factor ** (attempt - 1));
  return Math.round(whole * (1 - jitter * random()));
}
