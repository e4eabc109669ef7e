// Lives that go on for months, and drops in the middle of them, for the tests of retention.
import fc from "fast-check";
import { expect } from "vitest";

import { systemClock } from "../../src/base/clock.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { monthAt } from "../../src/db/partitions.ts";
import { ensurePartitions } from "../../src/inbox/partitions.ts";
import { type Difference, rebuild } from "../../src/inbox/rebuild.ts";
import { letGo, type Retained, type RetentionOptions } from "../../src/inbox/retention.ts";
import { bodyOf, LIVES, type Step } from "./lives.ts";
import type { Arrival, Pipe } from "./pipe.ts";
import { BEGIN, event } from "./stripe-fixtures.ts";

const DAY = 86_400;
const KEPT_DAYS = 60;
/** Each round has months of its own: what an earlier one dropped is behind it. */
const MONTHS = 5;

/** The first second of a round's months, or of a later one of them. */
export function startOf(round: number, later = 0): number {
  return monthAt(BEGIN * 1000, round * MONTHS + later).from / 1000;
}

/** On a server the round's first three months have partitions, and the others stand in the default one. */
export async function makeMonths(pipe: Pipe, round: number): Promise<void> {
  await ensurePartitions(pipe.database, { now: () => startOf(round) * 1000 });
}

/** Lets go of what is older than `cut`, a month's first second, as a look would that comes when that is its turn. */
export async function dropUntil(pipe: Pipe, cut: number, more: Partial<RetentionOptions> = {}): Promise<Retained> {
  const clock = { now: () => (cut + KEPT_DAYS * DAY) * 1000 };
  const log: Log = silentLog;
  return letGo({ database: pipe.database, clock, log, days: KEPT_DAYS, goesOn: () => true, ...more });
}

/** What has just arrived in a month keeps it from being dropped. */
export async function letAge(pipe: Pipe): Promise<void> {
  await pipe.database.query(
    `update stripe_events set received_at = received_at - interval '2 hours', replaced_at = replaced_at - interval '2 hours'
     where greatest(received_at, replaced_at) > now() - interval '2 hours'`,
  );
}

export async function differencesOf(pipe: Pipe): Promise<Difference[]> {
  const differences: Difference[] = [];
  await rebuild({
    database: pipe.database,
    clock: systemClock,
    platformTenant: pipe.platformTenant,
    check: true,
    onProgress: () => undefined,
    onDifference: (difference) => differences.push(difference),
  });
  return differences;
}

/** One life, its steps seconds, days or weeks after each other; before the drop, or arriving only after it; or once more then. */
export interface MonthsLife {
  before: Arrival[];
  after: Arrival[];
}

export interface Round {
  lives: MonthsLife[];
  /** In the how manyth of the round's months the cut is. */
  cut: number;
  batch: number;
}

const moment = fc.record({
  wait: fc.constantFrom(0, 0, 1, 9 * DAY, 26 * DAY),
  shape: fc.constantFrom("old" as const, "new" as const),
  withheld: fc.integer({ min: 0, max: 5 }).map((chance) => chance === 0),
  again: fc.boolean(),
});

function lifeOf(steps: readonly Step[]): fc.Arbitrary<MonthsLife> {
  const moments = fc.array(moment, { minLength: steps.length, maxLength: steps.length });
  return moments.chain((chosen) => {
    let at = 0;
    const before: Arrival[] = [];
    const after: Arrival[] = [];
    for (const [index, step] of steps.entries()) {
      const one = chosen[index];
      if (one === undefined) continue;
      at = Math.min(at + one.wait, 118 * DAY);
      const arrivals = arrivalsOf(step, index, at, one.shape);
      (one.withheld || at > 75 * DAY ? after : before).push(...arrivals);
      // A fetch is an observation of its own each time.
      if (one.again && step.type !== "fetch") after.push(...arrivals);
    }
    const shuffled = (all: Arrival[]): fc.Arbitrary<Arrival[]> =>
      fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
    return fc.record({ before: shuffled(before), after: shuffled(after) });
  });
}

/** Seconds are since the round's beginning: see `placed`. */
function arrivalsOf(step: Step, index: number, created: number, shape: "old" | "new"): Arrival[] {
  const { object, apiVersion } = bodyOf(step, shape);
  if (step.type === "fetch") return [{ fetched: { livemode: false, account: "", object, asOf: created, apiVersion } }];
  const options = { id: `evt_${index}`, created, ...(step.previous === undefined ? {} : { previous: step.previous }) };
  const first = { event: { ...event(step.type, object, { ...options, apiVersion }) } };
  if (step.twice !== true) return [first];
  const other = bodyOf(step, shape === "old" ? "new" : "old");
  return [first, { event: { ...event(step.type, other.object, { ...options, apiVersion: other.apiVersion }) } }];
}

export const round: fc.Arbitrary<Round> = fc.record({
  lives: fc.array(fc.constantFrom(...Object.values(LIVES)).chain(lifeOf), { minLength: 8, maxLength: 8 }),
  cut: fc.integer({ min: 1, max: 4 }),
  batch: fc.constantFrom(3, 7, 40),
});

const ID = /"((?:evt|cus|sub|si|in|il|pi|ch|re|dp|cs|pm|seti|price|prod|txn)_\w+)"/g;

/** In a round's months, under ids of its own. */
export function placed(arrivals: readonly Arrival[], number: number, suffix: string): Arrival[] {
  return arrivals.map((arrival) => {
    const one = JSON.parse(JSON.stringify(arrival).replace(ID, `"$1${suffix}"`)) as Arrival;
    if ("event" in one) return { event: { ...one.event, created: startOf(number) + Number(one.event.created) } };
    return { fetched: { ...one.fetched, asOf: startOf(number) + one.fetched.asOf } };
  });
}

/** In batches, each processed before the next comes. */
export async function arriveInBatches(pipe: Pipe, arrivals: readonly Arrival[], size: number): Promise<void> {
  for (let from = 0; from < arrivals.length; from += size) {
    await pipe.arrive(arrivals.slice(from, from + size));
    await pipe.drain();
  }
  const { rows } = await pipe.database.query("select error from stripe_event_attempts");
  expect(rows).toEqual([]);
}
