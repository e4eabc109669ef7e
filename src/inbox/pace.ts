// The pace of processing: in a burst, answers come before projections, for a while. Pure.

export interface Pace {
  /** A burst is being answered. */
  receiving: boolean;
  /** Seconds that the oldest event of the last batch had waited. */
  lag: number;
  /** Milliseconds since a batch ended. */
  rested: number;
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

/** In a burst a batch begins so long after the one before it (milliseconds): about a fiftieth of the time is work. */
const BURST_REST_MS = 1000;

/** Which of a process's workers (0, 1, …) may work: in a burst the first alone, and rarely. Cheap: asked at every wake-up. */
export function mayWork(worker: number, { receiving, lag, rested }: Pace): boolean {
  return !receiving || lag >= PATIENCE || (worker === 0 && rested >= BURST_REST_MS);
}

/** So many events of a burst are worked on at once: answers wait while a batch is worked on. */
const BURST_BATCH = 50;
/** Once the burst's oldest event has waited long enough: more of them share the statements, and answers wait longer. */
const LATE_BATCH = { server: 200, embedded: 100 } as const;
/**
 * Off a backlog that nobody adds to. What a batch asks costs nearly the same whatever its size is (decision 0021). Bounded
 * by the locks of a server, one for each object, and embedded by the requests that wait for its one transaction.
 */
const WHOLE_BATCH = { server: 500, embedded: 200 } as const;

/** Events that a batch takes now. */
export function batchSizeNow(kind: "server" | "embedded", { receiving, lag }: Pace): number {
  if (!receiving) return WHOLE_BATCH[kind];
  return lag < PATIENCE ? BURST_BATCH : LATE_BATCH[kind];
}

/** Milliseconds to rest after a batch: none while there is a backlog. */
export function restAfter(full: boolean): number {
  return full ? 0 : GATHER_MS;
}
