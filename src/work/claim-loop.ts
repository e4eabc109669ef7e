// The claim loop: runs a unit of work again and again while there is some, sleeps until woken or polled, and stops cleanly.

/** full: as much as one unit takes, so there may be more · some: less than that · none: nothing was due */
export type Found = "full" | "some" | "none";

/** Milliseconds. A claim in the database waits for no lock: one that takes so long was asked on a connection that is silent. */
export const CLAIM_LIMIT_MS = 15_000;

export interface ClaimLoopOptions {
  name: string;
  /** Does one unit, and says what it found. */
  run: () => Promise<Found>;
  /** Units that may run at the same time. */
  concurrency: number;
  /** Milliseconds between looks at an empty queue: the fallback for a wake-up that was lost. */
  pollEvery: number;
  /** Milliseconds to wait before the next unit, so that work gathers and shares what a unit costs. */
  gatherFor: (found: "full" | "some") => number;
  /** Milliseconds to wait after an error, which must not become a busy loop. */
  pauseAfterError: number;
  onError: (error: unknown) => void;
}

export interface ClaimLoop {
  /** There may be work: look now. Cheap, and may be called for every event. */
  wake(): void;
  /** Starts no unit any more; resolves when the running ones have ended. */
  stop(): Promise<void>;
}

export function claimLoop(options: ClaimLoopOptions): ClaimLoop {
  let stopping = false;
  const sleepers = new Set<() => void>();
  // A wake-up between a look that found nothing and the sleep after it must not be lost.
  let wakeUps = 0;

  function sleep(milliseconds: number, seen: number): Promise<void> {
    if (stopping || seen !== wakeUps) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        sleepers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      sleepers.add(end);
    });
  }

  /** Unlike a sleep it is ended by no wake-up: those are what it waits for. */
  function gather(milliseconds: number): Promise<void> {
    return stopping || milliseconds <= 0
      ? Promise.resolve()
      : new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  const pause = (milliseconds: number): Promise<void> => sleep(milliseconds, wakeUps);

  async function worker(): Promise<void> {
    while (!stopping) {
      const seen = wakeUps;
      try {
        const found = await options.run();
        if (found === "none") await sleep(options.pollEvery, seen);
        else await gather(options.gatherFor(found));
      } catch (error) {
        options.onError(error);
        await pause(options.pauseAfterError);
      }
    }
  }

  const workers = Array.from({ length: options.concurrency }, worker);
  return {
    wake: () => {
      wakeUps++;
      for (const end of sleepers) end();
    },
    stop: async () => {
      stopping = true;
      for (const end of sleepers) end();
      await Promise.all(workers);
    },
  };
}
