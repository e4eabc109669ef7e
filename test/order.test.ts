// Promise 3: state and facts do not depend on the order of arrival. On both databases, through the real inbox.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { claimEvents } from "../src/inbox/event-tables.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { bodyOf, LIVES, type Step } from "./support/lives.ts";
import { type Arrival, BOTH, openPipe, type Pipe, stateOf } from "./support/pipe.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
/** Lives that are permuted together, as they would be in one inbox. */
const TOGETHER = 10;
const ROUNDS = LONG ? 400 : 50;

interface Scenario {
  /** Arrivals as they happened. */
  inOrder: Arrival[];
  /** The same, permuted and duplicated. */
  permuted: Arrival[];
}

interface Round {
  scenarios: Scenario[];
  /** Sizes of the arriving batches, of the processing batches, and after which arrivals a worker dies with what it claimed. */
  cuts: number[];
  batchSize: number;
  deaths: boolean[];
  workers: number;
}

/** One life: each step in a shape, some seconds after the one before, most often in the same second. */
function arrivalsOf(steps: readonly Step[]): fc.Arbitrary<Arrival[]> {
  const moments = fc.array(
    fc.record({ wait: fc.constantFrom(0, 0, 0, 1, 5), shape: fc.constantFrom("old" as const, "new" as const) }),
    {
      minLength: steps.length,
      maxLength: steps.length,
    },
  );
  return moments.map((chosen) => {
    let created = BEGIN;
    return steps.flatMap((step, index): Arrival[] => {
      const moment = chosen[index] ?? { wait: 0, shape: "new" as const };
      created += moment.wait;
      const { object, apiVersion } = bodyOf(step, moment.shape);
      if (step.type === "fetch")
        return [{ fetched: { livemode: false, account: "", object, asOf: created, apiVersion } }];
      const options = {
        id: `evt_${index}`,
        created,
        ...(step.previous === undefined ? {} : { previous: step.previous }),
      };
      const first = { event: { ...event(step.type, object, { ...options, apiVersion }) } };
      if (step.twice !== true) return [first];
      const other = bodyOf(step, moment.shape === "old" ? "new" : "old");
      return [first, { event: { ...event(step.type, other.object, { ...options, apiVersion: other.apiVersion }) } }];
    });
  });
}

function scenarioOf(inOrder: fc.Arbitrary<Arrival[]>): fc.Arbitrary<Scenario> {
  return inOrder.chain((all) => {
    // A fetch is an observation of its own each time: only events are delivered twice.
    const again = all.filter((arrival) => "event" in arrival);
    return fc
      .tuple(fc.subarray(again), fc.constant(all))
      .chain(([twice]) =>
        fc
          .shuffledSubarray([...all, ...twice], { minLength: all.length + twice.length })
          .map((permuted) => ({ inOrder: all, permuted })),
      );
  });
}

function rounds(scenario: fc.Arbitrary<Scenario>): fc.Arbitrary<Round> {
  return fc.record({
    scenarios: fc.array(scenario, { minLength: TOGETHER, maxLength: TOGETHER }),
    cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 4, maxLength: 12 }),
    batchSize: fc.constantFrom(1, 7, 50),
    deaths: fc.array(fc.boolean(), { minLength: 4, maxLength: 12 }),
    workers: fc.constantFrom(1, 2, 3),
  });
}

/** A counterexample is pages of bodies; its seed and path make it again, and the difference says what is wrong. */
const SHORT_REPORT = {
  endOnFailure: true,
  asyncReporter: (details: fc.RunDetails<[Round]>) => {
    if (!details.failed) return Promise.resolve();
    const { seed, counterexamplePath, errorInstance } = details;
    return Promise.reject(new Error(`seed ${seed}, path ${counterexamplePath ?? "?"}`, { cause: errorInstance }));
  },
};

let runs = 0;

const ID = /"((?:evt|cus|sub|si|in|il|pi|ch|re|dp|cs|pm|seti|price|prod|txn)_\w+)"/g;

/** Gives every id of a life its own name, so that thousands of lives share one database. */
function named(arrival: Arrival, suffix: string): Arrival {
  const text = JSON.stringify(arrival).replace(ID, `"$1${suffix}"`);
  return JSON.parse(text) as Arrival;
}

async function runInOrder(pipe: Pipe, scenarios: readonly Scenario[], suffixes: readonly string[]): Promise<void> {
  const longest = Math.max(...scenarios.map(({ inOrder }) => inOrder.length));
  for (let step = 0; step < longest; step++) {
    await pipe.arrive(
      scenarios.flatMap(({ inOrder }, index) => {
        const arrival = inOrder[step];
        return arrival === undefined ? [] : [named(arrival, suffixes[index] ?? "")];
      }),
    );
    await pipe.drain();
  }
}

async function runPermuted(pipe: Pipe, round: Round, suffixes: readonly string[]): Promise<void> {
  const all = round.scenarios.flatMap(({ permuted }, index) =>
    permuted.map((arrival, at) => ({ at: at / permuted.length, arrival: named(arrival, suffixes[index] ?? "") })),
  );
  const arriving = all.sort((a, b) => a.at - b.at).map(({ arrival }) => arrival);
  for (let batch = 0; arriving.length > 0; batch++) {
    await pipe.arrive(arriving.splice(0, round.cuts[batch % round.cuts.length]));
    if (round.deaths[batch % round.deaths.length] === true) await dieWithClaims(pipe);
    await Promise.all(Array.from({ length: round.workers }, () => pipe.drain({ batchSize: round.batchSize })));
  }
  await settle(pipe, round.batchSize);
}

/** A worker claims some and is never seen again; its lease ends at once instead of in half a minute. */
async function dieWithClaims(pipe: Pipe): Promise<void> {
  await pipe.database.transaction((tx) => claimEvents(tx, "dead", 0, 5));
}

/** What two workers gave back to each other falls due a moment later. */
async function settle(pipe: Pipe, batchSize: number): Promise<void> {
  for (let left = 1; left > 0;) {
    await pipe.drain({ batchSize });
    left =
      (await pipe.database.query<{ count: number }>("select count(*) as count from stripe_event_queue")).rows[0]
        ?.count ?? 0;
    await pipe.database.query("update stripe_event_queue set next_attempt_at = now() where attempts < 2");
  }
}

/** Fetched observations are named anew at every run. */
function comparable(state: unknown): unknown {
  return JSON.parse(JSON.stringify(state).replace(/obs_[0-9a-z]{26}/g, "obs"));
}

async function sameAsInOrder(pipe: Pipe, round: Round): Promise<void> {
  const run = (runs += 1);
  const ordered = round.scenarios.map((_, index) => `-o${run}-${index}-`);
  const permuted = round.scenarios.map((_, index) => `-p${run}-${index}-`);
  await runInOrder(pipe, round.scenarios, ordered);
  await runPermuted(pipe, round, permuted);
  for (const index of round.scenarios.keys()) {
    const expected = await stateOf(pipe.database, ordered[index] ?? "");
    const found = await stateOf(pipe.database, permuted[index] ?? "");
    expect(Object.keys(expected.rows)).not.toEqual([]);
    expect(comparable(found)).toEqual(comparable(expected));
  }
  const failed = await pipe.database.query("select error from stripe_event_attempts");
  expect(failed.rows).toEqual([]);
}

const PAY = join(import.meta.dirname, "../../shared/corpora/objects/pay");

/** Recorded bodies of one object, in the order of their recording, as the life of that object. */
function recordedLives(): Arrival[][] {
  const lives = new Map<string, Arrival[]>();
  for (const file of readdirSync(PAY)
    .filter((name) => name.endsWith(".json"))
    .sort()) {
    const { body, stripe_version: apiVersion } = JSON.parse(readFileSync(join(PAY, file), "utf8")) as {
      body: Record<string, unknown>;
      stripe_version: string;
    };
    for (const object of body.object === "list" ? (body.data as Record<string, unknown>[]) : [body]) {
      if (typeof object.id !== "string" || typeof object.object !== "string" || !JSON.stringify(object.id).match(ID))
        continue;
      const key = `${object.object} ${object.id}`;
      const steps = lives.get(key) ?? [];
      lives.set(key, steps);
      // Two to a second: a quarter of all neighbours tie.
      const created = BEGIN + Math.floor(steps.length / 2);
      steps.push({
        event: { ...event(`${object.object}.updated`, object, { id: `evt_${steps.length}`, created, apiVersion }) },
      });
    }
  }
  return [...lives.values()].filter((steps) => steps.length > 1).map((steps) => steps.slice(0, 8));
}

for (const kind of BOTH) {
  describe(`order of arrival, ${kind} database`, () => {
    let pipe: Pipe;
    beforeAll(async () => {
      pipe = await openPipe(kind);
    });
    afterAll(() => pipe.close());

    it(
      `${ROUNDS * TOGETHER} lives permuted, duplicated, cut into batches, with workers that run together and die, end in the rows and facts of the in-order run`,
      async () => {
        const lives = Object.values(LIVES);
        const scenario = scenarioOf(fc.constantFrom(...lives).chain(arrivalsOf));
        await fc.assert(
          fc.asyncProperty(rounds(scenario), (round) => sameAsInOrder(pipe, round)),
          { numRuns: ROUNDS, ...SHORT_REPORT },
        );
      },
      LONG ? 3_600_000 : 240_000,
    );

    it.skipIf(!existsSync(PAY))(
      "recorded objects, wrapped in events, end the same in any order (skipped where ../shared/corpora is absent)",
      async () => {
        const scenario = scenarioOf(fc.constantFrom(...recordedLives()));
        await fc.assert(
          fc.asyncProperty(rounds(scenario), (round) => sameAsInOrder(pipe, round)),
          { numRuns: LONG ? 100 : 10, ...SHORT_REPORT },
        );
      },
      LONG ? 1_800_000 : 120_000,
    );
  });
}
