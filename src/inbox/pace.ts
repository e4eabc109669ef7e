// The pace of processing: in a burst, answers come before projections, for a while. Pure.

export interface Pace {
  /** A burst is being answered. */
  receiving: boolean;
  /** Seconds that the oldest event of the last batch had waited. */
  lag: number;
}

/** So many requests wait for their commit at once only in a burst: answers and projections then compete for processors. */
const BURST = 8;
/** In seconds. Once the oldest event has waited this long, projections get what they need. */
const PATIENCE = 5;
/** Events that come alone are processed at once; those that come close together share a batch's statements. */
const GATHER_MS = 20;

export function isReceiving(waiting: number): boolean {
  return waiting > BURST;
}

/** Which of a process's workers (0, 1, …) may work: in a burst the first alone. */
export function mayWork(worker: number, { receiving, lag }: Pace): boolean {
  return worker === 0 || !receiving || lag >= PATIENCE;
}

/** In a burst even the first worker rests so long after a batch (milliseconds): about an eighth of its time is work. */
const BURST_REST_MS = 300;

/** Milliseconds to rest after a batch: none while there is a backlog and no burst. */
export function restAfter({ full, receiving, lag }: Pace & { full: boolean }): number {
  if (receiving && lag < PATIENCE) return BURST_REST_MS;
  return full ? 0 : GATHER_MS;
}
