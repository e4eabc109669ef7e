// Credits follow the money: whatever the order, the duplicates, the cuts, the crashes and the spends beside, the balance is right.
import { setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type CreditDesk, creditDesk } from "../src/credits/credit-requests.ts";
import { expireCredits } from "../src/credits/ledger-upkeep.ts";
import { cancelPurchase, recordSession } from "../src/credits/purchase-table.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import type { Database, Queryable } from "../src/db/database.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { processOnce } from "../src/inbox/process.ts";
import { settleNow } from "../src/inbox/purchase-heads.ts";
import type { StripeObject } from "../src/projections/observation.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import {
  creditsOf,
  eventsOf,
  makeAccount,
  makePurchase,
  type Payment,
  PRICE,
  type Turn,
} from "./support/purchase-lives.ts";
import * as payments from "./support/stripe-fixtures-payments.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({
    what: fc.constant("refund" as const),
    amount: fc.integer({ min: 1, max: 450 }),
    fails: fc.boolean(),
  }),
  fc.record({
    what: fc.constant("dispute" as const),
    amount: fc.integer({ min: 1, max: PRICE }),
    ends: fc.constantFrom(
      "open" as const,
      "won" as const,
      "lost" as const,
      "prevented" as const,
      "warning_closed" as const,
    ),
  }),
);

const plan = fc.record({
  lives: fc.array(
    fc.record({
      slow: fc.boolean(),
      old: fc.boolean(),
      /** A top-up whose process died: no id of Stripe's was recorded, and perhaps it was given up meanwhile. */
      direct: fc.boolean(),
      givenUp: fc.boolean(),
      turns: fc.array(turn, { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  /** Sorts the arrivals; a repeat arrives twice. */
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  twice: fc.nat(20),
  cut: fc.integer({ min: 1, max: 12 }),
  batchSize: fc.integer({ min: 1, max: 20 }),
  /** Of each transaction: it dies with its work done. */
  crashes: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
  spends: fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 6 }),
  /** Grants that expire while events arrive. */
  grants: fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 3 }),
});

describe.each(BOTH)("settlement, %s database", (kind) => {
  let pipe: Pipe;
  let desk: CreditDesk;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    desk = creditDesk();
  });
  afterAll(() => pipe.close());

  const tenantId = (): string => pipe.platformTenant;
  const scope = () => tenantScope(pipe.database, { tenantId: tenantId() });
  let keys = 0;
  const ask = (accountId: string, operation: "spend" | "grant", amount: number, expiresAt: Date | null = null) =>
    desk.post(scope(), {
      ...{ operation, livemode: false, accountId, amount, reason: "test", reference: null, expiresAt },
      act: { actor: { kind: "system", id: null }, source: null },
      key: `test-${String((keys += 1))}`,
    });

  it("any interleaving of sessions, payments, refunds and disputes ends in the right balance, beside spends, expiry and crashes", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ lives, order, twice, cut, batchSize, crashes, spends, grants }) => {
        const accountId = await makeAccount(pipe.database, tenantId());
        const lived = await Promise.all(
          lives.map(async (life): Promise<Payment> => {
            const session = life.direct ? { sessionId: null } : {};
            const { id, sessionId } = await makePurchase(pipe.database, { tenantId: tenantId(), accountId }, session);
            if (life.givenUp) await cancelPurchase(pipe.database, { tenantId: tenantId(), livemode: false, id });
            return { ...life, purchaseId: id, sessionId };
          }),
        );
        const all = shuffled(lived.flatMap(eventsOf), order, twice);
        const dying = crashing(pipe.database, crashes);
        let spent = 0;
        const beside = async (): Promise<void> => {
          for (const amount of grants) await ask(accountId, "grant", amount, new Date(Date.now() + 3_600_000));
          for (const amount of spends) {
            const done = await ask(accountId, "spend", amount).catch((error: unknown) => {
              expect(error).toMatchObject({ code: "insufficient_credits" });
            });
            spent += done === undefined ? 0 : amount;
            await passTime(pipe.database, accountId, 1);
            await expireCredits(pipe.database);
          }
        };
        const arriving = async (): Promise<void> => {
          for (let from = 0; from < all.length; from += cut) {
            await pipe.arrive(all.slice(from, from + cut));
            await work(pipe, dying, batchSize);
          }
        };
        await Promise.all([arriving(), beside()]);
        await fetchJoined(pipe);
        await passTime(pipe.database, accountId, grants.length);
        await expireCredits(pipe.database);
        const expired = await sumOf(pipe.database, accountId, "expiry");
        const granted = grants.reduce((sum, amount) => sum + amount, 0);
        const bought = lived.reduce((sum, life) => sum + creditsOf(life), 0);
        expect(await balanceOf(pipe.database, accountId)).toBe(bought + granted + expired - spent);
        expect(await differences(pipe.database)).toEqual([]);
      }),
      { numRuns: kind === "embedded" ? 25 : 40 },
    );
  }, 240_000);

  it("a refund and a dispute that come before their session are settled by it", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: tenantId(), accountId });
    const turns: Turn[] = [
      { what: "refund", amount: 300, fails: false },
      { what: "dispute", amount: 200, ends: "lost" },
    ];
    const events = eventsOf({ purchaseId: id, sessionId, slow: false, old: true, turns }).reverse();
    for (const one of events.slice(0, -3)) {
      await pipe.arrive([one]);
      await pipe.drain();
      if (isSession(one)) break;
      expect(await balanceOf(pipe.database, accountId)).toBe(0);
    }
    await pipe.arrive(events);
    await pipe.drain();
    expect(await balanceOf(pipe.database, accountId)).toBe(50);
  });

  it("a session that arrives before its id was recorded is known by our own reference in it, and by nothing weaker", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const ref = { tenantId: tenantId(), accountId };
    const claimed = async (
      overrides: Record<string, unknown>,
      options: Record<string, unknown> = {},
    ): Promise<number> => {
      const before = await balanceOf(pipe.database, accountId);
      const { id, sessionId } = await makePurchase(pipe.database, ref, { sessionId: null });
      const session = payments.newCheckoutSession({
        ...{ id: sessionId, client_reference_id: id, payment_intent: `pi_${id}` },
        ...{ amount_subtotal: PRICE, amount_total: PRICE, ...overrides },
      });
      await pipe.arrive([
        { event: { ...event("checkout.session.completed", session, { created: BEGIN, ...options }) } },
      ]);
      await pipe.drain();
      return (await balanceOf(pipe.database, accountId)) - before;
    };
    expect(await claimed({})).toBe(100);
    expect(await claimed({ amount_total: 500 })).toBe(100);
    // A buyer can put any reference into the address of a payment link.
    expect(await claimed({ payment_link: "plink_1" })).toBe(0);
    expect(await claimed({ amount_subtotal: 1, amount_total: 1 })).toBe(0);
    expect(await claimed({ currency: "jpy" })).toBe(0);
    expect(await claimed({}, { livemode: true })).toBe(0);
    expect(await claimed({}, { account: "acct_somebody" })).toBe(0);
    // A purchase that has its session follows no other one.
    const { id } = await makePurchase(pipe.database, ref);
    const other = payments.newCheckoutSession({ id: "cs_test_other", client_reference_id: id, amount_subtotal: PRICE });
    await pipe.arrive([{ event: { ...event("checkout.session.completed", other) } }]);
    await pipe.drain();
    expect(await balanceOf(pipe.database, accountId)).toBe(200);
  });

  it("a session that nothing named when it came is settled by whoever records its id", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const { id, sessionId } = await makePurchase(
      pipe.database,
      { tenantId: tenantId(), accountId },
      { sessionId: null },
    );
    const session = payments.newCheckoutSession({
      id: sessionId,
      client_reference_id: null,
      payment_intent: `pi_${id}`,
    });
    await pipe.arrive([{ event: { ...event("checkout.session.completed", session) } }]);
    await pipe.drain();
    expect(await balanceOf(pipe.database, accountId)).toBe(0);
    const ref = { tenantId: tenantId(), livemode: false, id };
    const record = () =>
      pipe.database.transaction(async (tx) => {
        await recordSession(tx, ref, sessionId);
        return settleNow(tx, [ref], pipe.database.kind);
      });
    expect(await record()).toMatchObject({ posted: 1, bought: [{ accountId }] });
    expect(await record()).toMatchObject({ posted: 0, bought: [] });
    expect(await balanceOf(pipe.database, accountId)).toBe(100);
  });

  it("metadata and references of a session that we did not make are worth nothing", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const metadata = { account_id: accountId, credits: "1000000", purchase_id: "pur_1" };
    const session = payments.newCheckoutSession({ id: "cs_test_forged", client_reference_id: accountId, metadata });
    await pipe.arrive([{ event: { ...event("checkout.session.completed", session) } }]);
    await pipe.drain();
    expect(await balanceOf(pipe.database, accountId)).toBe(0);
  });

  it("the first purchase ends the trial, and one that is not paid does not", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const standing = async (): Promise<unknown> =>
      (
        await pipe.database.query({
          text: "select is_trial_user, status from accounts where id = $1",
          values: [accountId],
        })
      ).rows[0];
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: tenantId(), accountId });
    const events = eventsOf({ purchaseId: id, sessionId, slow: true, old: false, turns: [] });
    await pipe.arrive(events.slice(0, -1));
    await pipe.drain();
    expect(await standing()).toEqual({ is_trial_user: true, status: "trial" });
    await pipe.arrive(events);
    await pipe.drain();
    expect(await standing()).toEqual({ is_trial_user: false, status: "active" });
  });

  it("a failed refund has its charge fetched, when nothing newer says what is refunded", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: tenantId(), accountId });
    const turns: Turn[] = [{ what: "refund", amount: 300, fails: true }];
    const all = eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns });
    await pipe.arrive(all.slice(0, -1));
    await pipe.drain();
    const queued = await pipe.database.query({
      text: "select object_type, reason from stripe_fetches where object_id = $1",
      values: [`ch_${id}`],
    });
    expect(queued.rows).toEqual([{ object_type: "charge", reason: "refund_failed" }]);
    expect(await balanceOf(pipe.database, accountId)).toBe(70);
    await pipe.arrive(all);
    await pipe.drain();
    expect(await balanceOf(pipe.database, accountId)).toBe(100);
  });

  it("credits that were bought to expire do, and what had expired is not taken again", async () => {
    const accountId = await makeAccount(pipe.database, tenantId());
    const expiresAt = new Date(Date.now() - 1000);
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: tenantId(), accountId }, { expiresAt });
    const turns: Turn[] = [{ what: "refund", amount: 300, fails: false }];
    await pipe.arrive(eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns }));
    await pipe.drain({ batchSize: 1 });
    expect(await balanceOf(pipe.database, accountId)).toBe(0);
    expect(await sumOf(pipe.database, accountId, "expiry")).toBe(-100);
    expect(await differences(pipe.database)).toEqual([]);
  });
});

it("a payment whose session and refund two workers write at the same time is settled whole", async () => {
  const pipe = await openPipe("server");
  const tenantId = pipe.platformTenant;
  const turns: Turn[] = [{ what: "refund", amount: 500, fails: false }];
  for (let round = 0; round < 15; round += 1) {
    const accountId = await makeAccount(pipe.database, tenantId);
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId, accountId });
    await pipe.arrive(eventsOf({ purchaseId: id, sessionId, slow: false, old: round % 2 === 0, turns }));
    // Each event in a batch of its own, and each commit after the others have written.
    const slow: Database = {
      ...pipe.database,
      transaction: (work, options) =>
        pipe.database.transaction(async (tx) => {
          const result = await work(tx);
          await sleep(5);
          return result;
        }, options),
    };
    const drain = async (): Promise<void> => {
      while ((await processOnce(pipe.processOptions({ database: slow, batchSize: 1 }))).claimed > 0);
    };
    await Promise.all(Array.from({ length: 6 }, drain));
    await until(pipe);
    expect(await balanceOf(pipe.database, accountId)).toBe(50);
  }
  expect(await differences(pipe.database)).toEqual([]);
  await pipe.close();
}, 60_000);

function isSession(arrival: Arrival): boolean {
  return "event" in arrival && String(arrival.event.type).startsWith("checkout.session.");
}

function shuffled(arrivals: readonly Arrival[], order: readonly number[], twice: number): Arrival[] {
  const keyed = arrivals.map((arrival, index) => ({ arrival, key: order[index % order.length] ?? 0 }));
  const repeats = keyed.slice(0, twice).filter(({ arrival }) => "event" in arrival);
  return [...keyed, ...repeats.map(({ arrival, key }) => ({ arrival, key: (key * 7919) % 2 ** 31 }))]
    .sort((a, b) => a.key - b.key)
    .map(({ arrival }) => arrival);
}

/** A database whose transactions die with all their work done, as the plan says: nothing of them stays. */
function crashing(database: Database, crashes: readonly boolean[]): Database {
  let next = 0;
  return {
    ...database,
    transaction: (work, options) =>
      database.transaction(async (tx: Queryable) => {
        const result = await work(tx);
        next += 1;
        if (crashes[next % (crashes.length * 2)] === true) throw Object.assign(new Error("crash"), { code: "40001" });
        return result;
      }, options),
  };
}

/** Two workers on a server, one embedded. */
async function work(pipe: Pipe, database: Database, batchSize: number): Promise<void> {
  const options = pipe.processOptions({ database, batchSize, maxAttempts: 1000 });
  const drain = async (): Promise<void> => {
    for (;;) {
      // A claim that dies is a crash too.
      const done = await processOnce(options).catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== "crash") throw error;
        return { claimed: 1 };
      });
      if (done.claimed === 0) return;
    }
  };
  await Promise.all(Array.from({ length: pipe.database.kind === "server" ? 2 : 1 }, drain));
  await until(pipe);
}

/** Stripe's answers to what was queued for payments of which another worker may have written something. */
async function fetchJoined(pipe: Pipe): Promise<void> {
  const { rows } = await pipe.database.query<{ asOf: number; object: string }>(
    `with taken as (delete from stripe_fetches where reason = 'payment_joined' returning object_id, since)
     select taken.since as "asOf", intent.data as object from taken join payment_intents as intent on intent.id = taken.object_id`,
  );
  for (const { asOf, object: text } of rows) {
    const object = JSON.parse(text) as StripeObject;
    await pipe.arrive([{ fetched: { livemode: false, account: "", apiVersion: null, asOf, object } }]);
  }
  await pipe.drain();
}

/** What was set back after a crash, or given back to another worker, is due at once. */
async function until(pipe: Pipe): Promise<void> {
  for (;;) {
    const left = await pipe.database.query("update stripe_event_queue set next_attempt_at = now(), lease = null");
    if (left.rowCount === 0) return;
    await pipe.drain();
  }
}

/** The hour of so many of the account's grants is over. */
async function passTime(database: Queryable, accountId: string, count: number): Promise<void> {
  await database.query({
    text: `update credit_lots set expires_at = now() where id in (
             select id from credit_lots where account_id = $1 and expires_at > now() order by id limit $2)`,
    values: [accountId, count],
  });
}

async function balanceOf(database: Queryable, accountId: string): Promise<number> {
  const { rows } = await database.query<{ balance: number }>({
    text: "select balance from credit_balances where account_id = $1",
    values: [accountId],
  });
  return rows[0]?.balance ?? Number.NaN;
}

async function sumOf(database: Queryable, accountId: string, kind: string): Promise<number> {
  const { rows } = await database.query<{ sum: number }>({
    text: "select coalesce(sum(amount), 0)::bigint as sum from credit_entries where account_id = $1 and kind = $2",
    values: [accountId, kind],
  });
  return rows[0]?.sum ?? Number.NaN;
}

async function differences(database: Queryable): Promise<unknown[]> {
  const found: unknown[] = [];
  await verifyLedger({ database, onDifference: (difference) => found.push(difference) });
  return found;
}
