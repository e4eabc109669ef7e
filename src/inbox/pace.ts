// The pace of processing: in a burst, answers come before projections, for a while. Pure.

export interface Pace {
  /** A burst is being answered. */
  receiving: boolean;
  /** The last batch was full: there is more in the queue at once. */
  backlog: boolean;
  /** Seconds that the oldest event of the last batch had waited. */
  lag: number;
  /** Milliseconds since a batch ended, or since a burst began behind calm. */
  rested: number;
}

/** So many requests wait for their commit at once only in a burst: answers and projections then compete for processors. */
const BURST = 8;
/** In seconds. Once the oldest event has waited this long, projections get what they need. */
const PATIENCE = 5;
/** Events that come alone are processed at once; those that come close together share a batch's statements. */
const GATHER_MS = 20;
/** So many in one batch are a stream: more of them share the statements of the next. */
const STREAM = 16;
const STREAM_GATHER_MS = 100;
/** After so long without the end of a batch another worker takes over: the one whose turn it is may wait for a lock. */
const STANDBY_MS = 200;

/**
 * As many on average, of late, are one in the moments between two commits, too, when none waits: whole batches that began there
 * held answers up. More than of a steady stream, of 2,000 a second and 5 ms a commit say.
 */
const CROWD = 24;

/** A burst that begins is one for so long by its first crowd alone: the average has risen by then, or it was none. */
const RUSH_MS = 100;

export interface Receiving {
  /** Requests that wait for their commit now. */
  waiting: number;
  /** On average, of late. */
  crowd: number;
  /** Milliseconds since a crowd came out of calm. */
  sinceRush: number;
}

export function isReceiving({ waiting, crowd, sinceRush }: Receiving): boolean {
  return waiting > BURST || crowd > CROWD || sinceRush < RUSH_MS;
}

/** In a burst a batch begins so long after its beginning and after the one before it (milliseconds): about a fiftieth of the time is work. */
export const BURST_REST_MS = 1000;

/**
 * Which of a process's workers (0, 1, …) may work: all on a backlog, else the first alone, so that what comes gathers, and in
 * a burst rarely. Cheap: asked at every wake-up.
 */
export function mayWork(worker: number, { receiving, backlog, lag, rested }: Pace): boolean {
  if (receiving && lag < PATIENCE) return worker === 0 && rested >= BURST_REST_MS;
  return worker === 0 || backlog || rested >= STANDBY_MS;
}

/** So many events of a burst are worked on at once: answers wait while a batch is worked on. */
const BURST_BATCH = 50;
/** Once the burst's oldest event has waited long enough: more of them share the statements, and answers wait longer. */
const LATE_BATCH = { server: 200, embedded: 100 } as const;
/**
 * Off a backlog that nobody adds to. What a batch asks costs nearly the same whatever its size is (decision 0021). Bounded
 * by the locks of a server, and embedded by the requests that wait for its one transaction.
 */
const WHOLE_BATCH = { server: 400, embedded: 200 } as const;
/** A batch locks each object, and of payments up to three: two workers of two processes then take three quarters of the room. */
const PART_OF_LOCKS = 1 / 16;

/** Events that a batch takes now. `locks`: how many all of the server's transactions may hold together. */
export function batchSizeNow(kind: "server" | "embedded", { receiving, lag }: Pace, locks: number): number {
  const size = !receiving ? WHOLE_BATCH[kind] : lag < PATIENCE ? BURST_BATCH : LATE_BATCH[kind];
  return Math.min(size, Math.max(BURST_BATCH, Math.floor(locks * PART_OF_LOCKS)));
}

/**
 * Events of a batch at most, behind a look that took `size`: half of it where the batch lost its connection, of whose size that
 * may be; else twice as many, and no fewer than before. Infinity: none has lost one.
 */
export function mostAfter(most: number, size: number, hasBroken: boolean): number {
  return hasBroken ? Math.max(1, Math.floor(size / 2)) : Math.max(most, 2 * size);
}

/** Milliseconds to rest after a batch of so many events: none while there is a backlog. */
export function restAfter(full: boolean, events: number): number {
  if (full) return 0;
  return events < STREAM ? GATHER_MS : STREAM_GATHER_MS;
}
