// How scheduled work went last, for whoever asks: noted in memory, written now and then. Table: scheduled_runs
import type { Clock } from "../base/clock.ts";
import { storableText } from "../base/text.ts";
import type { Queryable } from "../db/database.ts";
import type { WatchedErrors } from "./schedule.ts";

export interface ScheduledRun {
  name: string;
  everySeconds: number;
  lastStartedAt: Date | null;
  /** null: it is running, or ended with its process. */
  lastEndedAt: Date | null;
  nextRunAt: Date | null;
  outcome: "done" | "failed" | null;
  error: string | null;
  /** Of all nodes together, since they are counted. */
  runs: number;
  failures: number;
}

export interface ScheduledRuns {
  /** The handler of a piece of work's failures, by which its runs are noted under this name. */
  watched: (name: string, failed: (error: unknown) => void) => WatchedErrors;
  /** Writes what has changed since it was called last. */
  flush(database: Queryable): Promise<void>;
}

const LONGEST_ERROR = 500;

/** Of one process. */
export function scheduledRuns(clock: Pick<Clock, "now">): ScheduledRuns {
  const changed = new Map<string, ScheduledRun>();
  const note = (name: string, what: Partial<ScheduledRun>): void => {
    const known = changed.get(name) ?? { ...NEVER, name };
    const { runs = 0, failures = 0 } = what;
    changed.set(name, { ...known, ...what, runs: known.runs + runs, failures: known.failures + failures });
  };
  return {
    watched: (name, failed) =>
      Object.assign((error: unknown) => failed(error), {
        runs: {
          began: (everySeconds: number) => {
            note(name, { everySeconds, lastStartedAt: new Date(clock.now()), runs: 1 });
          },
          ended: (everySeconds: number, error: unknown) => {
            const now = clock.now();
            const outcome = error === undefined ? "done" : "failed";
            const [lastEndedAt, nextRunAt] = [new Date(now), new Date(now + everySeconds * 1000)];
            note(name, {
              everySeconds,
              lastEndedAt,
              nextRunAt,
              outcome,
              error: textOf(error),
              failures: error === undefined ? 0 : 1,
            });
          },
        },
      }),
    flush: async (database) => {
      const rows = [...changed.values()];
      changed.clear();
      if (rows.length > 0) await database.query({ text: ADD, values: [JSON.stringify(rows.map(wireOf))] });
    },
  };
}

const NEVER = {
  ...{ everySeconds: 0, lastStartedAt: null, lastEndedAt: null, nextRunAt: null, outcome: null, error: null },
  ...{ runs: 0, failures: 0 },
} as const;

function textOf(error: unknown): string | null {
  if (error === undefined) return null;
  return storableText(error instanceof Error ? error.message : "it failed").slice(0, LONGEST_ERROR);
}

function wireOf({
  name,
  everySeconds,
  lastStartedAt,
  lastEndedAt,
  nextRunAt,
  outcome,
  error,
  runs,
  failures,
}: ScheduledRun) {
  const times = { last_started_at: lastStartedAt, last_ended_at: lastEndedAt, next_run_at: nextRunAt };
  return { name, every_seconds: Math.ceil(everySeconds), ...times, outcome, error, runs, failures };
}

/** By name; what has not run for a month is not scheduled any more. */
export async function readScheduledRuns(database: Queryable): Promise<ScheduledRun[]> {
  return (await database.query<ScheduledRun>(READ)).rows;
}

const ADD = `
  insert into scheduled_runs as known
    (name, every_seconds, last_started_at, last_ended_at, next_run_at, outcome, error, runs, failures)
  select name, every_seconds, last_started_at, last_ended_at, next_run_at, outcome, error, runs, failures
  from json_to_recordset($1::json) as noted (
    name text, every_seconds int, last_started_at timestamptz, last_ended_at timestamptz, next_run_at timestamptz,
    outcome text, error text, runs bigint, failures bigint)
  order by name
  on conflict (name) do update
  set every_seconds = excluded.every_seconds,
      last_started_at = coalesce(excluded.last_started_at, known.last_started_at),
      last_ended_at = coalesce(excluded.last_ended_at, known.last_ended_at),
      next_run_at = coalesce(excluded.next_run_at, known.next_run_at),
      outcome = coalesce(excluded.outcome, known.outcome),
      error = case when excluded.outcome is null then known.error else excluded.error end,
      runs = known.runs + excluded.runs, failures = known.failures + excluded.failures`;

const READ = `
  select name, every_seconds as "everySeconds", last_started_at as "lastStartedAt", last_ended_at as "lastEndedAt",
         next_run_at as "nextRunAt", outcome, error, runs, failures
  from scheduled_runs where last_started_at > now() - interval '30 days' order by name`;
