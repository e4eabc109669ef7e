// Time, passed in so that tests can own it. The only reader of the system's clocks.

export interface Clock {
  /** Milliseconds since 1970, UTC. May jump when the host's clock is set. */
  now(): number;
  /** Milliseconds since an unknown start; never goes back. For durations and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export interface ManualClock extends Clock {
  advance(milliseconds: number): void;
}

/** A clock that stands still until it is told to move: for tests and simulations. */
export function manualClock(start = 0): ManualClock {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    advance: (milliseconds) => {
      passed += milliseconds;
    },
  };
}
