// How many Stripe events came, were processed and failed, by minute and by day: added up in memory, written now and then, so that no
// event pays for it. A process that is killed takes its last seconds' figures with it. Table: activity_counts
import type { Clock } from "../base/clock.ts";
import { bigintArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";

const WHATS = ["received", "processed", "failed"] as const;
type Counts = Record<(typeof WHATS)[number], number>;

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** Minutes are kept for a little more than the day that is shown of them. */
const MINUTES_KEPT_DAYS = 2;
const DAYS_KEPT = 400;

export interface Activity {
  count(what: keyof Counts, events: number): void;
  /** Writes what was counted since it was called last. */
  flush(database: Queryable): Promise<void>;
}

/** Of one process. */
export function activity(clock: Pick<Clock, "now">): Activity {
  let minutes = new Map<number, Counts>();
  const add = (at: number, what: keyof Counts, events: number): void => {
    const counts = minutes.get(at) ?? { received: 0, processed: 0, failed: 0 };
    counts[what] += events;
    minutes.set(at, counts);
  };
  return {
    count: (what, events) => {
      if (events > 0) add(stepOf(clock.now(), MINUTE), what, events);
    },
    flush: async (database) => {
      if (minutes.size === 0) return;
      const written = minutes;
      minutes = new Map();
      try {
        await addCounts(database, written);
      } catch (error) {
        for (const [at, counts] of written) for (const what of WHATS) if (counts[what] > 0) add(at, what, counts[what]);
        throw error;
      }
    },
  };
}

const stepOf = (milliseconds: number, step: number): number => Math.floor(milliseconds / 1000 / step) * step;

/** Sorted, so that two nodes never wait for each other crosswise. */
async function addCounts(database: Queryable, minutes: ReadonlyMap<number, Counts>): Promise<void> {
  const rows = [...minutes].sort(([a], [b]) => a - b);
  const values = [
    bigintArray(rows.map(([at]) => at)),
    ...WHATS.map((what) => bigintArray(rows.map(([, counts]) => counts[what]))),
  ];
  await database.query({ text: ADD, values });
}

export interface ActivityPoint extends Counts {
  /** Unix seconds. */
  at: number;
}

/** Steps from `since` on (Unix seconds, a step's start), those without any left out. */
export async function readActivity(database: Queryable, step: number, since: number): Promise<ActivityPoint[]> {
  const kept = step === DAY ? DAY : MINUTE;
  return (await database.query<ActivityPoint>({ text: READ, values: [kept, step, since] })).rows;
}

export async function deleteOldActivity(database: Database): Promise<void> {
  await database.query({ text: DELETE_OLD, values: [MINUTES_KEPT_DAYS, DAYS_KEPT] });
}

// One row's minute and day; `order by` for the rows that two processes add to at once.
const ADD = `
  insert into activity_counts as known (step_seconds, at, received, processed, failed)
  select step, to_timestamp(floor(counted.at / step) * step), sum(received), sum(processed), sum(failed)
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as counted (at, received, processed, failed)
  cross join (values (60), (86400)) as steps (step)
  group by 1, 2 order by 1, 2
  on conflict (step_seconds, at) do update
  set received = known.received + excluded.received, processed = known.processed + excluded.processed,
      failed = known.failed + excluded.failed`;

const READ = `
  select (floor(extract(epoch from at) / $2::int) * $2::int)::bigint as at, sum(received)::bigint as received,
         sum(processed)::bigint as processed, sum(failed)::bigint as failed
  from activity_counts where step_seconds = $1 and at >= to_timestamp($3) group by 1 order by 1`;

const DELETE_OLD = `
  delete from activity_counts
  where at < now() - make_interval(days => case when step_seconds = 60 then $1::int else $2::int end)`;
