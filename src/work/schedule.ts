// Schedules: what runs every so often in the background, one run at a time.

export interface Schedule {
  /** Resolves when a run that is going on has ended; none starts after. */
  stop(): Promise<void>;
}

/** What is told of failures, and of runs where somebody wants to know. */
export interface WatchedErrors {
  (error: unknown): void;
  runs?: { began(everySeconds: number): void; ended(everySeconds: number, error?: unknown): void };
}

/** Runs `work` every `seconds`, the first time after the first wait. A run that takes longer delays the next. */
export function every(seconds: number, work: () => Promise<unknown>, onError: WatchedErrors): Schedule {
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      onError.runs?.began(seconds);
      running = work().then(
        () => {
          onError.runs?.ended(seconds);
          next();
        },
        (error: unknown) => {
          onError.runs?.ended(seconds, error ?? "it failed");
          onError(error);
          next();
        },
      );
    }, seconds * 1000);
  };
  next();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
