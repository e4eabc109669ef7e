// What a process notes of itself for the operator's pages: events and deliveries by minute, what waits, and how scheduled work went.
import type { Clock } from "./base/clock.ts";
import type { Log } from "./base/log.ts";
import { countDays } from "./billing/daily-figures.ts";
import { createMetrics, type Metrics } from "./app-metrics.ts";
import type { Database } from "./db/database.ts";
import { activity, deleteOldActivity, readWaits } from "./inbox/activity-counts.ts";
import { every, type Schedule, type WatchedErrors } from "./work/schedule.ts";
import { scheduledRuns } from "./work/scheduled-runs.ts";

const FLUSH_EVERY = 5;
const COUNT_DAYS_EVERY = 60;
const DAY = 86_400;

export interface Statistics {
  /** Those of the process, which count here too. */
  metrics: Metrics;
  /** The handler of a piece of background work's failures, which notes its runs too. After `stopping` nothing is an error. */
  errors: (log: Pick<Log, "error">, stopping: () => boolean) => (what: string) => WatchedErrors;
  /** Figures by day are counted on whichever nodes work. */
  start(onError: (what: string) => WatchedErrors, works: boolean): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

export function processStatistics(database: Database, clock: Clock): Statistics {
  const counts = activity(clock);
  const runs = scheduledRuns(clock);
  let schedules: Schedule[] | undefined;
  const flush = async (): Promise<void> => {
    await counts.flush(database);
    await runs.flush(database);
  };
  // Also where nothing is worked on: a queue that nobody works off is what waits the longest.
  const lookAndFlush = async (): Promise<void> => {
    try {
      counts.saw(await readWaits(database));
    } finally {
      await flush();
    }
  };
  return {
    metrics: countedBy(counts, createMetrics()),
    errors: (log, stopping) => (what) =>
      runs.watched(what, (error) => {
        if (!stopping()) log.error(`background work failed: ${what}`, { error });
      }),
    start: (onError, works) => {
      schedules ??= [
        every(FLUSH_EVERY, lookAndFlush, onError("figures of this process")),
        ...(works ? figuresByDay(database, clock, onError) : []),
      ];
    },
    stop: async () => {
      if (schedules === undefined) return;
      await Promise.all(schedules.map((schedule) => schedule.stop()));
      // The database may be what ended: figures are worth no failed stop.
      await flush().catch(() => undefined);
    },
  };
}

function countedBy(counts: ReturnType<typeof activity>, metrics: Metrics): Metrics {
  const { receive, process, deliver } = metrics;
  return {
    ...metrics,
    receive: {
      ...receive,
      received: (events, known) => {
        receive.received(events, known);
        counts.count("received", events - known);
      },
    },
    process: {
      ...process,
      batch: (result, seconds, oldest) => {
        process.batch(result, seconds, oldest);
        counts.count("processed", result.processed + result.ignored + result.unrouted);
      },
      failed: () => {
        process.failed();
        counts.count("failed", 1);
      },
    },
    deliver: {
      ...deliver,
      ended: (status, lag) => {
        deliver.ended(status, lag);
        if (status !== "canceled") counts.count(status === "failed" ? "given_up" : status, 1);
      },
    },
  };
}

function figuresByDay(database: Database, clock: Clock, onError: (what: string) => WatchedErrors): Schedule[] {
  return [
    every(COUNT_DAYS_EVERY, () => countDays(database, clock), onError("money and credits by day")),
    every(DAY, () => deleteOldActivity(database), onError("old counts of events")),
  ];
}
