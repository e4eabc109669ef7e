// Promise 3 for connections: how a tenant's Stripe account stands does not depend on the order in which Stripe's word arrives.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { connectAccount } from "../src/connections/connection-table.ts";
import { enqueueRoutable } from "../src/inbox/event-tables.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { countReplay, replayRange } from "../src/inbox/replay.ts";
import { systemClock } from "../src/base/clock.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { application, newAccount, newCapability } from "./support/stripe-fixtures-connect.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const ROUNDS = LONG ? 300 : 20;
/** Accounts that are permuted together. */
const TOGETHER = 5;

const STATES = {
  new: { details_submitted: false, charges_enabled: false, payouts_enabled: false },
  active: {},
  due: { charges_enabled: false, requirements: { disabled_reason: "requirements.past_due", past_due: ["tos"] } },
  checked: { charges_enabled: false, requirements: { disabled_reason: "requirements.pending_verification" } },
} as const;

type Word =
  | { says: "account"; state: keyof typeof STATES }
  | { says: "capability"; status: "active" | "inactive" }
  | { says: "authorized" | "deauthorized"; told: "snapshot" | "thin" | "both" }
  | { says: "pull" };

interface Step {
  word: Word;
  /** Seconds since the step before. */
  wait: number;
}

const word: fc.Arbitrary<Word> = fc.oneof(
  fc.record({
    says: fc.constant("account" as const),
    state: fc.constantFrom("new" as const, "active" as const, "active" as const, "due" as const, "checked" as const),
  }),
  fc.record({
    says: fc.constant("capability" as const),
    status: fc.constantFrom("active" as const, "inactive" as const),
  }),
  fc.record({
    says: fc.constantFrom("authorized" as const, "deauthorized" as const),
    told: fc.constantFrom("snapshot" as const, "thin" as const, "both" as const),
  }),
  fc.record({ says: fc.constant("pull" as const) }),
);

interface Life {
  steps: Step[];
  /** The second in which the tenant connected the account, and after how many arrivals we heard of it. */
  connectedAt: number;
  connectedAfter: number;
  /** Places of the steps as they arrive; some arrive twice. */
  order: number[];
}

const life: fc.Arbitrary<Life> = fc
  .array(fc.record({ word, wait: fc.constantFrom(0, 0, 1, 3) }), { minLength: 1, maxLength: 7 })
  .chain((steps) => {
    const places = steps.map((_, place) => place);
    return fc.record({
      steps: fc.constant(steps),
      connectedAt: fc.integer({ min: BEGIN - 1, max: BEGIN + 6 }),
      connectedAfter: fc.nat(steps.length),
      order: fc.shuffledSubarray([...places, ...places], { minLength: steps.length }).map((some) => {
        const missing = places.filter((place) => !some.includes(place));
        return [...some, ...missing];
      }),
    });
  });

/** The second of each step, and what the account says after it. */
function momentsOf(steps: readonly Step[]): { created: number; state: keyof typeof STATES }[] {
  let created = BEGIN;
  let state: keyof typeof STATES = "new";
  return steps.map(({ word: told, wait }) => {
    created += wait;
    if (told.says === "account") state = told.state;
    return { created, state };
  });
}

/** What Stripe sends of each step of a life. A pull shows what is true at the end of its second. */
function arrivalsOf({ steps }: Life, account: string): Arrival[][] {
  const moments = momentsOf(steps);
  return steps.map(({ word: told }, index): Arrival[] => {
    const { created, state } = moments[index] ?? { created: BEGIN, state: "new" };
    if (told.says === "pull") {
      const atLast = moments.findLast((one) => one.created === created)?.state ?? state;
      const object = newAccount({ id: account, ...STATES[atLast] });
      return [{ fetched: { livemode: false, account, object, asOf: created, apiVersion: NEW_API } }];
    }
    const object = newAccount({ id: account, ...STATES[state] });
    const options = { id: `evt_${account}_${String(index)}`, created, account, apiVersion: NEW_API };
    if (told.says === "account") return [{ event: { ...event("account.updated", object, options) } }];
    if (told.says === "capability")
      return [{ event: { ...event("capability.updated", newCapability({ account, status: told.status }), options) } }];
    const type = `account.application.${told.says}`;
    const snapshot = { event: { ...event(type, application(), options) } };
    const thin = {
      event: {
        ...{ id: `${options.id}_thin`, object: "v2.core.event", type: `v1.${type}`, livemode: false, context: account },
        created: new Date(created * 1000).toISOString(),
      },
    };
    return { snapshot: [snapshot], thin: [thin], both: [thin, snapshot] }[told.told];
  });
}

const asSnapshots = ({ steps, ...life }: Life): Life => ({
  ...life,
  steps: steps.map((step) => ("told" in step.word ? { ...step, word: { ...step.word, told: "snapshot" } } : step)),
});

let made = 0;

interface Run {
  account: string;
  tenant: string;
}

async function newRun(pipe: Pipe): Promise<Run> {
  made += 1;
  const run = { account: `acct_${String(made).padStart(5, "0")}`, tenant: `ten_${String(made)}` };
  await pipe.database.query({ text: "insert into tenants (id) values ($1)", values: [run.tenant] });
  return run;
}

const connected = (pipe: Pipe, { account, tenant }: Run, { connectedAt }: Life): Promise<void> =>
  connectAccount(pipe.database, tenant, { livemode: false, account }, { connectedAt });

async function standing(pipe: Pipe, { account, tenant }: Run): Promise<unknown> {
  const { rows } = await pipe.database.query({
    text: `select status, disconnected_at, disconnected_reason,
                  (select count(*) from capabilities where stripe_account = $1 and tenant_id is distinct from $2) +
                  (select count(*) from connected_accounts where stripe_account = $1 and tenant_id is distinct from $2) +
                  (select count(*) from account_authorizations where stripe_account = $1 and tenant_id is distinct from $2)
                    as others
           from connections where stripe_account = $1 and tenant_id = $2`,
    values: [account, tenant],
  });
  return rows[0];
}

async function routedAndDrained(pipe: Pipe, workers: number): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(Array.from({ length: workers }, () => pipe.drain({ batchSize: 3 })));
    await enqueueRoutable(pipe.database, 1000);
  }
  await pipe.drain();
}

describe.each(BOTH)("on the %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it("a connection stands the same in any order of events, thin or not, duplicates and pulls, connected early or late", async () => {
    const lives = fc.array(life, { minLength: TOGETHER, maxLength: TOGETHER });
    await fc.assert(
      fc.asyncProperty(lives, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }), async (all, cuts) => {
        const inOrder = await Promise.all(all.map(() => newRun(pipe)));
        const permuted = await Promise.all(all.map(() => newRun(pipe)));
        for (const [index, one] of all.entries()) {
          const run = inOrder[index] ?? { account: "", tenant: "" };
          await connected(pipe, run, one);
          for (const arrival of arrivalsOf(asSnapshots(one), run.account).flat()) {
            await pipe.arrive([arrival]);
            await pipe.drain();
          }
        }
        const queue = all.flatMap((one, index) => {
          const run = permuted[index] ?? { account: "", tenant: "" };
          const arrivals = arrivalsOf(one, run.account);
          const acts: (Arrival | (() => Promise<void>))[] = one.order.flatMap((place) => arrivals[place] ?? []);
          acts.splice(one.connectedAfter, 0, () => connected(pipe, run, one));
          return acts;
        });
        let cut = 0;
        for (let at = 0; at < queue.length;) {
          const size = cuts[cut++ % cuts.length] ?? 1;
          const batch = queue.slice(at, at + size);
          at += size;
          const arriving = pipe.arrive(batch.filter((act) => typeof act !== "function"));
          for (const act of batch) if (typeof act === "function") await act();
          await arriving;
          await Promise.all([pipe.drain({ batchSize: size }), ...(kind === "server" ? [pipe.drain()] : [])]);
        }
        await routedAndDrained(pipe, kind === "server" ? 2 : 1);
        for (const [index, one] of all.entries()) {
          const [first, second] = [inOrder[index], permuted[index]];
          if (first === undefined || second === undefined) throw new Error("a run is missing");
          expect(await standing(pipe, second), JSON.stringify(one)).toEqual(await standing(pipe, first));
        }
      }),
      { numRuns: ROUNDS },
    );
  }, 600_000);

  it("replay and rebuild leave every connection as it stands, and tell the audit log nothing", async () => {
    const everything = async (): Promise<unknown> => [
      (await pipe.database.query("select * from connections order by livemode, stripe_account")).rows,
      (await pipe.database.query("select count(*) from audit_log")).rows,
    ];
    const before = await everything();
    const range = { types: [] };
    expect(await countReplay(pipe.database, range)).toBeGreaterThan(100);
    await replayRange(pipe.database, range);
    await pipe.drain();
    const { differing } = await rebuild({
      ...{ database: pipe.database, clock: systemClock, platformTenant: pipe.platformTenant, check: false },
      ...{ onProgress: () => undefined, onDifference: () => undefined },
    });
    expect(differing).toBe(0);
    expect(await everything()).toEqual(before);
  });

  it("a connection that stands wrong, and its account's row, are mended by a rebuild", async () => {
    const standings = "select status, disconnected_reason from connections order by livemode, stripe_account";
    const before = (await pipe.database.query(standings)).rows;
    expect(new Set(before.map(({ status }) => status)).size).toBeGreaterThan(1);
    await pipe.database.query("update connections set status = 'pending' where status in ('active', 'restricted')");
    await pipe.database.query("update connected_accounts set charges_enabled = null");
    const { differing } = await rebuild({
      ...{ database: pipe.database, clock: systemClock, platformTenant: pipe.platformTenant, check: false },
      ...{ onProgress: () => undefined, onDifference: () => undefined },
    });
    expect(differing).toBeGreaterThan(0);
    expect((await pipe.database.query(standings)).rows).toEqual(before);
  });
});
