// When a burst begins, from calm: an average tells it only once it has lasted.
import type { Clock } from "../base/clock.ts";

export interface Rush {
  /** So many wait from now on. */
  set(waiting: number): void;
  /** Milliseconds since the last one began; Infinity: there was none. */
  since(): number;
}

/** One begins when `many` wait at once, and have not for `calm` milliseconds. */
export function rush({ many, calm }: { many: number; calm: number }, clock: Pick<Clock, "monotonic">): Rush {
  let began = -Infinity;
  let last = -Infinity;
  return {
    set: (waiting) => {
      if (waiting < many) return;
      const now = clock.monotonic();
      if (now - last >= calm) began = now;
      last = now;
    },
    since: () => clock.monotonic() - began,
  };
}
