// When attempts are made: the schedule of retries, the clock they run on, and the queue of what is due.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds from each failed attempt to the next. Stripe publishes "up to three days, exponential"; the steps are ours. */
export const RETRY_SCHEDULES = {
  /** The first come soon, so that a developer who mends a receiver sees them; then on for three days. */
  local: [1, 5, 30, 5 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 20 * HOUR, DAY],
  /** 16 attempts in three days. */
  live: [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    ...[0, 0, 0, 0].map(() => 12 * HOUR),
  ],
  /** "Three times over the course of a few hours." */
  test: [10 * MINUTE, HOUR, 3 * HOUR],
} as const satisfies Record<string, readonly number[]>;

export type RetrySchedule = keyof typeof RETRY_SCHEDULES | readonly number[];

export function stepsOf(schedule: RetrySchedule): readonly number[] {
  return typeof schedule === "string" ? RETRY_SCHEDULES[schedule] : schedule;
}

/** Milliseconds. Runs `speed` times as fast as the real clock from where it stands now. */
export function openClock(speed: number): () => number {
  const start = Date.now();
  return () => start + (Date.now() - start) * speed;
}

/** In the order of `due`, and in the order of arrival where that is the same. */
export class DueQueue<Job extends { due: number }> {
  #jobs: Job[] = [];

  add(job: Job): void {
    let [low, high] = [0, this.#jobs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#jobs[middle]?.due ?? Infinity) <= job.due) low = middle + 1;
      else high = middle;
    }
    this.#jobs.splice(low, 0, job);
  }

  /** Takes all that is due. */
  take(now: number): Job[] {
    const end = this.#jobs.findIndex(({ due }) => due > now);
    return this.#jobs.splice(0, end === -1 ? this.#jobs.length : end);
  }

  /** When the next is due. */
  next(): number | undefined {
    return this.#jobs[0]?.due;
  }
}
