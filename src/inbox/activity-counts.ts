// How many Stripe events came, were processed and failed, how deliveries ended, and how long events waited at most, by minute and by
// day: added up in memory, written now and then, so that no event pays for it. A process that is killed takes its last seconds'
// figures with it. Table: activity_counts
import type { Clock } from "../base/clock.ts";
import { bigintArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";

/** The last two: deliveries that ended. */
const WHATS = ["received", "processed", "failed", "delivered", "given_up"] as const;
type Counts = Record<(typeof WHATS)[number], number>;

/** Milliseconds that events wait, now or at most; null: nobody looked. */
export interface Waits {
  /** Of the oldest that was tried at most once. */
  lag: number | null;
  /** Of the oldest of all that wait, also for a retry. */
  oldest: number | null;
}

type Figures = Counts & Waits;

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** Minutes are kept for a little more than the day that is shown of them. */
const MINUTES_KEPT_DAYS = 2;
const DAYS_KEPT = 400;

export interface Activity {
  count(what: keyof Counts, many: number): void;
  /** What waits now, of `readWaits`: of a minute the longest is kept. */
  saw(waits: Waits): void;
  /** Writes what was counted and seen since it was called last. */
  flush(database: Queryable): Promise<void>;
}

/** Of one process. */
export function activity(clock: Pick<Clock, "now">): Activity {
  let minutes = new Map<number, Figures>();
  // What was seen again says nothing new: a process that has nothing to do writes once a minute.
  let seen: Waits & { at: number } = { at: 0, lag: null, oldest: null };
  const add = (at: number, more: Partial<Figures>): void => {
    minutes.set(at, sumOf(minutes.get(at) ?? NOTHING, more));
  };
  return {
    count: (what, many) => {
      if (many > 0) add(stepOf(clock.now(), MINUTE), { [what]: many });
    },
    saw: ({ lag, oldest }) => {
      const at = stepOf(clock.now(), MINUTE);
      const before = seen.at === at ? seen : { lag: null, oldest: null };
      const longest = { lag: longer(before.lag, lag), oldest: longer(before.oldest, oldest) };
      if (longest.lag === before.lag && longest.oldest === before.oldest) return;
      seen = { at, ...longest };
      add(at, longest);
    },
    flush: async (database) => {
      if (minutes.size === 0) return;
      const written = minutes;
      minutes = new Map();
      try {
        await addCounts(database, written);
      } catch (error) {
        for (const [at, figures] of written) add(at, figures);
        throw error;
      }
    },
  };
}

const NOTHING: Figures = { received: 0, processed: 0, failed: 0, delivered: 0, given_up: 0, lag: null, oldest: null };

function sumOf(known: Figures, more: Partial<Figures>): Figures {
  const counts = Object.fromEntries(WHATS.map((what) => [what, known[what] + (more[what] ?? 0)])) as Counts;
  return { ...counts, lag: longer(known.lag, more.lag), oldest: longer(known.oldest, more.oldest) };
}

function longer(one: number | null, other: number | null | undefined): number | null {
  return one === null || other === null || other === undefined ? (one ?? other ?? null) : Math.max(one, other);
}

/** How long events wait now, by the oldest of the queue; `lag` is null where none of them is new. */
export async function readWaits(database: Queryable): Promise<Waits> {
  const { rows } = await database.query<Waits>({ text: WAITS });
  return rows[0] ?? { lag: 0, oldest: 0 };
}

const stepOf = (milliseconds: number, step: number): number => Math.floor(milliseconds / 1000 / step) * step;

/** Sorted, so that two nodes never wait for each other crosswise. */
async function addCounts(database: Queryable, minutes: ReadonlyMap<number, Figures>): Promise<void> {
  const rows = [...minutes].sort(([a], [b]) => a - b);
  const values = [
    bigintArray(rows.map(([at]) => at)),
    ...WHATS.map((what) => bigintArray(rows.map(([, counts]) => counts[what]))),
    bigintArray(rows.map(([, { lag }]) => lag)),
    bigintArray(rows.map(([, { oldest }]) => oldest)),
  ];
  await database.query({ text: ADD, values });
}

export interface ActivityPoint extends Counts, Waits {
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

// One row's minute and day; `order by` for the rows that two processes add to at once. `greatest` leaves nulls out.
const ADD = `
  insert into activity_counts as known (step_seconds, at, received, processed, failed, delivered, given_up, lag_ms, oldest_ms)
  select step, to_timestamp(floor(counted.at / step) * step), sum(received), sum(processed), sum(failed), sum(delivered),
         sum(given_up), max(lag_ms), max(oldest_ms)
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    as counted (at, received, processed, failed, delivered, given_up, lag_ms, oldest_ms)
  cross join (values (60), (86400)) as steps (step)
  group by 1, 2 order by 1, 2
  on conflict (step_seconds, at) do update
  set received = known.received + excluded.received, processed = known.processed + excluded.processed,
      failed = known.failed + excluded.failed, delivered = known.delivered + excluded.delivered,
      given_up = known.given_up + excluded.given_up, lag_ms = greatest(known.lag_ms, excluded.lag_ms),
      oldest_ms = greatest(known.oldest_ms, excluded.oldest_ms)`;

const READ = `
  select (floor(extract(epoch from at) / $2::int) * $2::int)::bigint as at, sum(received)::bigint as received,
         sum(processed)::bigint as processed, sum(failed)::bigint as failed, sum(delivered)::bigint as delivered,
         sum(given_up)::bigint as given_up, max(lag_ms) as lag, max(oldest_ms) as oldest
  from activity_counts where step_seconds = $1 and at >= to_timestamp($3) group by 1 order by 1`;

const AGE = "greatest(extract(epoch from now() - queued_at) * 1000, 0)::bigint";
// Behind a long row of retries the first that is none is not looked for.
const HEAD = 1000;
const WAITS = `
  with head as materialized (select seq, attempts, queued_at from stripe_event_queue order by seq limit ${HEAD})
  select coalesce((select ${AGE} from head where attempts <= 1 order by seq limit 1),
                  case when (select count(*) from head) < ${HEAD} then 0 end) as lag,
         coalesce((select ${AGE} from head order by seq limit 1), 0) as oldest`;

const DELETE_OLD = `
  delete from activity_counts
  where at < now() - make_interval(days => case when step_seconds = 60 then $1::int else $2::int end)`;
