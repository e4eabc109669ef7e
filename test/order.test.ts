// Promise 3: state and facts do not depend on the order of arrival. On both databases, through the real inbox.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { claimEvents } from "../src/inbox/event-tables.ts";
import { BEGIN, event, NEW_API, OLD_API } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice, oldCustomer, PAID } from "./support/stripe-fixtures-billing.ts";
import { declined, newPaymentIntent } from "./support/stripe-fixtures-payments.ts";
import { bodyOf, LIVES, type Step } from "./support/lives.ts";
import { type Arrival, BOTH, openPipe, type Pipe, statesOf } from "./support/pipe.ts";
import { expectLastUpdatesStand, expectNothingToldAgain, settle } from "./support/told-once.ts";

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
  lanes: boolean;
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
    lanes: fc.boolean(),
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
    const laneOf = (worker: number) => (round.lanes ? { number: worker % 2, of: 2 } : undefined);
    const { batchSize } = round;
    await Promise.all(Array.from({ length: round.workers }, (_, worker) => pipe.drain({ batchSize }, laneOf(worker))));
  }
  await settle(pipe, round.batchSize);
}

/** A worker claims some and is never seen again; its lease ends at once instead of in half a minute. */
async function dieWithClaims(pipe: Pipe): Promise<void> {
  await pipe.database.transaction((tx) => claimEvents(tx, "dead", 0, 5));
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
  const states = await statesOf(pipe.database, [...ordered, ...permuted]);
  for (const index of round.scenarios.keys()) {
    const [expected, found] = [states[index], states[ordered.length + index]];
    expect(Object.keys(expected?.rows ?? {})).not.toEqual([]);
    expect(comparable(found)).toEqual(comparable(expected));
    expect(new Set(found?.told).size).toBe(found?.told.length);
  }
  await expectLastUpdatesStand(pipe, permuted);
  const failed = await pipe.database.query("select error from stripe_event_attempts");
  expect(failed.rows).toEqual([]);
}

type Says = Record<string, unknown>;

/** One object's arrivals as they happened, and what its row must say, written by hand. `*` in an id: this run's own. */
interface Example {
  title: string;
  table: string;
  id: string;
  arrivals: Arrival[];
  row: Says;
  /** The head's snapshot says this, as sent. */
  snapshot?: Says;
  fetchQueued?: true;
}

/** An event `evt_<number>*` of the object `id`, so many seconds after the beginning. */
function happened(
  number: number,
  seconds: number,
  type: string,
  object: Says,
  previous?: Says,
  apiVersion = NEW_API,
): Arrival {
  const said = { id: `evt_${number}*`, created: BEGIN + seconds, apiVersion };
  return { event: { ...event(type, object, previous === undefined ? said : { ...said, previous }) } };
}

function fetchedAt(seconds: number, object: Says): Arrival {
  return { fetched: { livemode: false, account: "", object, asOf: BEGIN + seconds, apiVersion: NEW_API } };
}

const customer = (says: Says): Says => newCustomer({ id: "cus_*", ...says });
const invoice = (says: Says): Says => newInvoice({ id: "in_*", ...says });
const intent = (says: Says): Says => newPaymentIntent({ id: "pi_*", ...says });

const BROKEN_NAME = "Zo\u0000\ud800\udc00\ud800";
const EXAMPLES: readonly Example[] = [
  {
    title: "A→B→A within one second: nothing decides, so the greatest id stands, flagged, and a fetch is queued",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.updated", customer({ name: "A" })),
      happened(2, 0, "customer.updated", customer({ name: "B" }), { name: "A" }),
      happened(3, 0, "customer.updated", customer({ name: "A" }), { name: "B" }),
    ],
    row: { name: "A", head_event_id: "evt_3*", order_ambiguous: true, deleted: false },
    fetchQueued: true,
  },
  {
    title: "A→B→C within one second, ids against it: what the events name as their past decides",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(3, 0, "customer.updated", customer({ name: "A" })),
      happened(2, 0, "customer.updated", customer({ name: "B" }), { name: "A" }),
      happened(1, 0, "customer.updated", customer({ name: "C" }), { name: "B" }),
    ],
    row: { name: "C", head_event_id: "evt_1*", order_ambiguous: false },
  },
  {
    title: "customer.updated a second after customer.deleted: it stays deleted, as the deletion says",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.created", customer({ name: "First" })),
      happened(2, 1, "customer.deleted", customer({ name: "At its deletion" })),
      happened(3, 2, "customer.updated", customer({ name: "Too late" }), { name: "At its deletion" }),
    ],
    row: { name: "At its deletion", deleted: true, head_event_id: "evt_2*", order_ambiguous: false },
  },
  {
    title: "a late invoice.updated after invoice.paid: it stays paid",
    table: "invoices",
    id: "in_*",
    arrivals: [
      happened(1, 0, "invoice.finalized", invoice({ status: "open", amount_paid: 0 })),
      happened(2, 5, "invoice.paid", invoice(PAID)),
      happened(3, 9, "invoice.updated", invoice({ status: "open", amount_paid: 0 })),
    ],
    row: { status: "paid", amount_paid: 3100, head_event_id: "evt_2*", order_ambiguous: false },
  },
  {
    title: "a payment that needs action, fails and succeeds: succeeded",
    table: "payment_intents",
    id: "pi_*",
    arrivals: [
      happened(1, 0, "payment_intent.requires_action", intent({ status: "requires_action" })),
      happened(2, 1, "payment_intent.payment_failed", intent(declined("ch_0"))),
      happened(3, 2, "payment_intent.succeeded", intent({ status: "succeeded" })),
    ],
    row: { status: "succeeded", amount_received: 3100, last_payment_error_code: null, head_event_id: "evt_3*" },
  },
  {
    title: "one event id in two API versions: the newer version is read",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.updated", oldCustomer({ id: "cus_*", name: "in the old shape" }), undefined, OLD_API),
      happened(1, 0, "customer.updated", customer({ name: "in the new shape" })),
    ],
    row: { name: "in the new shape", head_event_id: "evt_1*", order_ambiguous: false },
  },
  {
    title: "an object fetched between two events: the later event stands",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.updated", customer({ name: "before" })),
      fetchedAt(1, customer({ name: "fetched" })),
      happened(2, 2, "customer.updated", customer({ name: "after" })),
    ],
    row: { name: "after", head_event_id: "evt_2*", order_ambiguous: false },
  },
  {
    title: "an object fetched in the second of its last event: what was fetched stands",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.updated", customer({ name: "before" })),
      happened(2, 1, "customer.updated", customer({ name: "in that second" })),
      fetchedAt(1, customer({ name: "fetched" })),
    ],
    row: { name: "fetched", order_ambiguous: false },
  },
  {
    title: "a name with NUL and half a surrogate pair: U+FFFD in the column, as sent in the snapshot",
    table: "customers",
    id: "cus_*",
    arrivals: [
      happened(1, 0, "customer.created", customer({ name: "Zoe" })),
      happened(2, 1, "customer.updated", customer({ name: BROKEN_NAME })),
    ],
    row: { name: "Zo\ufffd\ud800\udc00\ufffd", head_event_id: "evt_2*" },
    snapshot: { name: BROKEN_NAME },
  },
];

function ownIds<Value>(value: Value, own: string): Value {
  return JSON.parse(JSON.stringify(value).replaceAll("*", own)) as Value;
}

/** Each arrival is processed before the next one comes. */
async function expectExample(
  pipe: Pipe,
  example: Example,
  own: string,
  way: "as it happened" | "backwards",
): Promise<void> {
  const { table, id, arrivals, row, snapshot, fetchQueued } = ownIds(example, own);
  for (const arrival of way === "backwards" ? arrivals.toReversed() : arrivals) {
    await pipe.arrive([arrival]);
    await pipe.drain();
  }
  const found = await pipe.database.query({ text: `select * from ${table} where id = $1`, values: [id] });
  expect(found.rows).toEqual([expect.objectContaining(row)]);
  if (snapshot !== undefined) expect(JSON.parse(String(found.rows[0]?.data))).toMatchObject(snapshot);
  const fetches = { text: "select reason from stripe_fetches where object_id = $1", values: [id] };
  expect((await pipe.database.query(fetches)).rows).toEqual(fetchQueued ? [{ reason: "order_ambiguous" }] : []);
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
      `${ROUNDS} rounds of ${TOGETHER} lives, permuted, duplicated, cut into batches, with workers that run together and die, end in the rows and facts of the in-order run`,
      async () => {
        const lives = Object.values(LIVES);
        const scenario = scenarioOf(fc.constantFrom(...lives).chain(arrivalsOf));
        await fc.assert(
          fc.asyncProperty(rounds(scenario), (round) => sameAsInOrder(pipe, round)),
          { numRuns: ROUNDS, ...SHORT_REPORT },
        );
        await expectNothingToldAgain(pipe);
      },
      LONG ? 3_600_000 : 240_000,
    );

    describe.each(["as it happened", "backwards"] as const)("arriving %s", (way) => {
      it.each(EXAMPLES.map((example, index) => ({ ...example, index })))("$title", async ({ index, ...example }) => {
        await expectExample(pipe, example, `-x${index}-${way.slice(0, 2)}`, way);
      });
    });

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
