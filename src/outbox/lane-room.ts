// How much may be claimed for one endpoint, and how a tenant's endpoints share what all of them may hold. Pure.

/** What is known of an endpoint's exchanges. */
export interface LaneState {
  /** Places: grows with each quick delivery and with a window of late ones, halves with each failure. */
  window: number;
  /** Milliseconds, of the latest exchanges. */
  average: number;
  slow: boolean;
  waiting: { readonly length: number };
  running: { readonly size: number };
}

const MOST_AHEAD = 128;

/** How many more of its deliveries may be claimed. */
export function roomOf({ slow, window, average, running, waiting }: LaneState, milliseconds: number): number {
  const ahead = slow ? 0 : Math.min(MOST_AHEAD, Math.floor((window * milliseconds) / Math.max(1, average)));
  return Math.max(0, window + ahead - running.size - waiting.length);
}

/** For how many milliseconds it has something to begin. */
export function lastsOf({ window, average, waiting }: LaneState): number {
  return (waiting.length * average) / window;
}

/**
 * The most that one may take, so that of what they need all together take `left`, rounded up for each: who needs little leaves
 * the rest to the others, who take as much as each other.
 */
export function shareOf(needs: readonly number[], left: number): number {
  let rest = left;
  for (const [index, need] of needs.toSorted((a, b) => a - b).entries()) {
    const share = rest / (needs.length - index);
    if (need > share) return Math.ceil(share);
    rest -= need;
  }
  return left;
}
