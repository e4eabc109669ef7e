// Money that comes late, or whose rows were lost: it is granted once, taken back once, and nobody waits for ever for a lock.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { recordCustomer } from "../src/accounts/account-table.ts";
import { systemClock } from "../src/base/clock.ts";
import { cancelUnseenPurchases, recordSession } from "../src/credits/purchase-table.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import type { Database, Queryable } from "../src/db/database.ts";
import { processOnce } from "../src/inbox/process.ts";
import { settleNow } from "../src/inbox/purchase-heads.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { eventsOf, makeAccount, makePurchase, PRICE, type Turn } from "./support/purchase-lives.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";
import * as payments from "./support/stripe-fixtures-payments.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";

const TURNS: Turn[] = [
  { what: "refund", amount: 300, fails: false },
  { what: "dispute", amount: 200, ends: "lost" },
];

describe.each(BOTH)("late money, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const ref = async () => ({
    tenantId: pipe.platformTenant,
    accountId: await makeAccount(pipe.database, pipe.platformTenant),
  });
  const entries = async ({ accountId }: { accountId: string }): Promise<string[]> => {
    const text = "select kind || ' ' || amount as entry from credit_entries where account_id = $1 order by id";
    return (await pipe.database.query<{ entry: string }>({ text, values: [accountId] })).rows.map(({ entry }) => entry);
  };
  const mendAll = async (): Promise<string[]> => {
    const tables: string[] = [];
    await rebuild({
      ...{ database: pipe.database, clock: systemClock, platformTenant: pipe.platformTenant, check: false },
      ...{ onProgress: () => undefined, onDifference: ({ table }) => tables.push(table) },
    });
    return tables;
  };

  it("a payment without a session that nobody recorded is granted by its metadata, once, also after it was given up", async () => {
    for (const givenUp of [false, true]) {
      const owner = await ref();
      const { id, sessionId } = await makePurchase(pipe.database, owner, { sessionId: null });
      if (givenUp) await cancelUnseenPurchases(pipe.database, 0);
      const all = eventsOf({ purchaseId: id, sessionId, slow: true, old: givenUp, direct: true, turns: TURNS });
      await pipe.arrive(all.slice(0, 3));
      await pipe.drain();
      expect(await entries(owner)).toEqual(["purchase 100"]);
      await pipe.arrive([...all, ...all]);
      await pipe.drain({ batchSize: 2 });
      expect([await balanceOf(pipe, owner), (await entries(owner))[0]]).toEqual([50, "purchase 100"]);
      expect(await standing(pipe, owner.accountId)).toEqual({ is_trial_user: false, status: "active" });
    }
  });

  it("metadata of a payment counts for no other tenant, account, mode, price or currency, nor unpaid, nor twice", async () => {
    const claimed = async (
      overrides: Record<string, unknown>,
      options: Record<string, unknown> = {},
    ): Promise<number> => {
      const owner = await ref();
      const { id } = await makePurchase(pipe.database, owner, { sessionId: null });
      const intent = payments.newPaymentIntent({
        ...{ id: `pi_${id}`, amount: PRICE, amount_received: PRICE, currency: "usd", latest_charge: `ch_${id}` },
        ...{ metadata: { billhook_purchase: id }, ...overrides },
      });
      await pipe.arrive([{ event: { ...event("payment_intent.succeeded", intent, options) } }]);
      await pipe.drain();
      return balanceOf(pipe, owner);
    };
    expect(await claimed({})).toBe(100);
    expect(await claimed({ amount: 1 })).toBe(0);
    expect(await claimed({ currency: "jpy" })).toBe(0);
    expect(await claimed({ status: "requires_payment_method", amount_received: 0 })).toBe(0);
    expect(await claimed({}, { livemode: true })).toBe(0);
    expect(await claimed({}, { account: "acct_somebody" })).toBe(0);
    const [one, two] = [await ref(), await ref()];
    const paid = await makePurchase(pipe.database, one, { sessionId: null });
    await pipe.arrive(
      eventsOf({ purchaseId: paid.id, sessionId: "", slow: false, old: false, direct: true, turns: [] }),
    );
    await pipe.drain();
    const other = await makePurchase(pipe.database, two, { sessionId: null });
    const intent = payments.newPaymentIntent({
      ...{ id: `pi_${paid.id}`, amount: PRICE, amount_received: PRICE, metadata: { billhook_purchase: other.id } },
    });
    await pipe.arrive([{ event: { ...event("payment_intent.succeeded", intent, { created: BEGIN + 90 }) } }]);
    await pipe.drain();
    expect([await balanceOf(pipe, one), await balanceOf(pipe, two)]).toEqual([100, 0]);
  });

  it("a late async_payment_failed takes nothing of what was paid, and a refund after it is taken back", async () => {
    const owner = await ref();
    const { id, sessionId } = await makePurchase(pipe.database, owner);
    const all = eventsOf({ purchaseId: id, sessionId, slow: true, old: false, turns: TURNS.slice(0, 1) });
    const session = { id: sessionId, payment_intent: `pi_${id}`, client_reference_id: id, payment_status: "unpaid" };
    const failed = (created: number): Arrival => ({
      event: { ...event("checkout.session.async_payment_failed", payments.newCheckoutSession(session), { created }) },
    });
    await pipe.arrive(all.slice(0, 5));
    await pipe.drain();
    await pipe.arrive([failed(BEGIN + 2), failed(BEGIN + 50)]);
    await pipe.drain();
    expect(await entries(owner)).toEqual(["purchase 100"]);
    await pipe.arrive(all);
    await pipe.drain();
    expect(await entries(owner)).toEqual(["purchase 100", "reversal -30"]);
  });

  it("a head that a rebuild mends settles its purchase, and nothing is granted or taken twice", async () => {
    const owner = await ref();
    const { id, sessionId } = await makePurchase(pipe.database, owner);
    await pipe.arrive(eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns: TURNS }));
    await pipe.drain();
    expect(await balanceOf(pipe, owner)).toBe(50);
    const { database, platformTenant: tenantId } = pipe;
    // Lost, and somebody settled what was left.
    await database.query({
      text: "delete from refunds where charge_id = $1 or payment_intent_id = $2",
      values: [`ch_${id}`, `pi_${id}`],
    });
    await database.query({ text: "update charges set amount_refunded = 0 where id = $1", values: [`ch_${id}`] });
    await database.transaction((tx) => settleNow(tx, [{ tenantId, livemode: false, id }], database.kind));
    expect(await balanceOf(pipe, owner)).toBe(80);
    expect((await mendAll()).sort()).toEqual(["charges", "refunds"]);
    expect(await balanceOf(pipe, owner)).toBe(50);
    const known = await entries(owner);
    expect([await mendAll(), await entries(owner)]).toEqual([[], known]);
  });

  it("a rebuild of everything moves no credits on its way, and grants what a lost head had kept back", async () => {
    const owner = await ref();
    const turns: Turn[] = [...TURNS, { what: "dispute", amount: 100, ends: "won" }];
    const paid = await makePurchase(pipe.database, owner);
    const direct = await makePurchase(pipe.database, owner, { sessionId: null });
    for (const one of [paid, { ...direct, direct: true }])
      await pipe.arrive(eventsOf({ ...one, purchaseId: one.id, slow: false, old: true, turns }));
    await pipe.drain();
    const known = await entries(owner);
    // Its session came when nothing named the purchase, and its head was lost.
    const late = await makePurchase(pipe.database, owner, { sessionId: "cs_test_nobody" });
    await pipe.arrive(
      eventsOf({ purchaseId: late.id, sessionId: `cs_test_${late.id}`, slow: false, old: false, turns: [] }),
    );
    await pipe.drain();
    await pipe.database.query({
      text: "update credit_purchases set stripe_session_id = $2 where id = $1",
      values: [late.id, `cs_test_${late.id}`],
    });
    // More than a page of objects between charges and disputes.
    await pipe.arrive(
      Array.from({ length: 120 }, (_, number): Arrival => {
        const customer = newCustomer({ id: `cus_${String(number)}` });
        return { event: { ...event("customer.created", customer, { id: `evt_filler_${String(number)}` }) } };
      }),
    );
    await pipe.drain();
    for (const table of ["checkout_sessions", "payment_intents", "charges", "refunds", "disputes"])
      await pipe.database.query(`delete from ${table}`);
    await mendAll();
    expect(await entries(owner)).toEqual([...known, "purchase 100"]);
    await mendAll();
    expect(await entries(owner)).toEqual([...known, "purchase 100"]);
    const differences: unknown[] = [];
    await verifyLedger({ database: pipe.database, onDifference: (difference) => differences.push(difference) });
    expect(differences).toEqual([]);
  });
});

it("what is to be fetched is queued behind all other locks, once for a batch", async () => {
  const pipe = await openPipe("server");
  const { platformTenant: tenantId } = pipe;
  const accountId = await makeAccount(pipe.database, tenantId);
  const { id, sessionId } = await makePurchase(pipe.database, { tenantId, accountId });
  // Two of one second: which is the later one only Stripe knows.
  const told = ["Ada", "Eve"].map((name): Arrival => {
    const customer = newCustomer({ id: "cus_ambiguous", name });
    return { event: { ...event("customer.updated", customer, { id: `evt_${name}`, created: BEGIN }) } };
  });
  await pipe.arrive([
    ...eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns: TURNS.slice(0, 1) }),
    ...told,
  ]);
  const names: string[] = [];
  const watched: Database = {
    ...pipe.database,
    transaction: (work, options) =>
      pipe.database.transaction(
        (tx) =>
          work({
            query: (statement: Parameters<Queryable["query"]>[0]) => {
              if (typeof statement !== "string" && statement.name !== undefined) names.push(statement.name);
              return tx.query(statement);
            },
          }),
        options,
      ),
  };
  await processOnce(pipe.processOptions({ database: watched, batchSize: 50 }));
  const locks = ["lock_payments", "lock_purchases", "lock_accounts"].map((name) => names.lastIndexOf(name));
  expect(Math.min(...locks)).toBeGreaterThanOrEqual(0);
  const queued = names.flatMap((name, index) => (name === "queue_fetches" ? [index] : []));
  expect(queued).toHaveLength(1);
  expect(queued[0]).toBeGreaterThan(Math.max(...locks));
  await pipe.close();
});

it("workers, and those who record sessions beside them, never meet in a deadlock", async () => {
  const pipe = await openPipe("server");
  const { platformTenant: tenantId } = pipe;
  const codes: unknown[] = [];
  const slow = slowed(pipe.database, codes);
  for (let round = 0; round < 12; round += 1) {
    const made: { accountId: string; customerId: string; id: string; sessionId: string }[] = [];
    for (let number = 0; number < 5; number += 1) {
      const accountId = await makeAccount(pipe.database, tenantId);
      const customerId = `cus_${accountId}`;
      const mode = { tenantId, livemode: false };
      await recordCustomer(pipe.database, mode, accountId, { stripeAccount: "", customerId, instead: null });
      made.push({
        accountId,
        customerId,
        ...(await makePurchase(pipe.database, { tenantId, accountId }, { sessionId: null })),
      });
    }
    const turns: Turn[] = [{ what: "refund", amount: 500, fails: false }];
    const bought = made.map(({ id, sessionId }) =>
      eventsOf({ purchaseId: id, sessionId, slow: false, old: round % 2 === 0, turns }),
    );
    const customers = made.map(({ customerId }, index): Arrival => ({
      event: {
        ...event("customer.updated", newCustomer({ id: customerId, name: "Ada" }), {
          id: `evt_${customerId}`,
          created: BEGIN + index,
        }),
      },
    }));
    // Each batch has the payments of some and the customers of others, in one order and in the other.
    const mixed = bought.flatMap((events, index) => [...events, ...customers.slice(4 - index, 5 - index)]);
    await pipe.arrive(round % 3 === 0 ? mixed.reverse() : mixed);
    const work = async (batchSize: number): Promise<void> => {
      while ((await processOnce(pipe.processOptions({ database: slow, batchSize, maxAttempts: 100 }))).claimed > 0);
    };
    const record = async (): Promise<void> => {
      for (const { id, sessionId } of made.toReversed()) {
        await slow.transaction(async (tx) => {
          await recordSession(tx, { tenantId, livemode: false, id }, sessionId);
          await settleNow(tx, [{ tenantId, livemode: false, id }], "server");
        });
      }
    };
    await Promise.all([work(3), work(7), work(4), work(5), record(), record()]);
    for (let left = 1; left > 0;) {
      left = (await pipe.database.query("update stripe_event_queue set next_attempt_at = now(), lease = null"))
        .rowCount;
      await pipe.drain();
    }
    for (const owner of made) expect(await balanceOf(pipe, owner)).toBe(50);
  }
  expect(codes).toEqual([]);
  await pipe.close();
}, 120_000);

it("two batches, each with a purchase of the account whose customer is in the other one, never meet in a deadlock", async () => {
  const pipe = await openPipe("server");
  const { platformTenant: tenantId } = pipe;
  const codes: unknown[] = [];
  const slow = slowed(pipe.database, codes);
  for (let round = 0; round < 8; round += 1) {
    const made = [];
    for (const number of [0, 1]) {
      const accountId = await makeAccount(pipe.database, tenantId);
      const customerId = `cus_${accountId}`;
      const instead = { stripeAccount: "", customerId, instead: null };
      await recordCustomer(pipe.database, { tenantId, livemode: false }, accountId, instead);
      const { id, sessionId } = await makePurchase(pipe.database, { tenantId, accountId });
      const [paid] = eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns: [] }).filter(isSession);
      const customer = newCustomer({ id: customerId, name: "Ada" });
      const told: Arrival = {
        event: { ...event("customer.updated", customer, { id: `evt_${customerId}`, created: BEGIN + number }) },
      };
      if (paid !== undefined) made.push({ accountId, paid, told });
    }
    const [one, two] = made;
    if (one === undefined || two === undefined) throw new Error("nothing was made");
    await pipe.arrive([one.paid, two.told]);
    await pipe.arrive([two.paid, one.told]);
    const work = () => processOnce(pipe.processOptions({ database: slow, batchSize: 2 }));
    await Promise.all([work(), work()]);
    await pipe.drain();
    for (const owner of made) expect(await balanceOf(pipe, owner)).toBe(100);
  }
  expect(codes).toEqual([]);
  await pipe.close();
}, 60_000);

function isSession(arrival: Arrival): boolean {
  return "event" in arrival && String(arrival.event.type).startsWith("checkout.session.");
}

/** Each statement's answer takes a while, as over a network; what transactions end with is noted. */
function slowed(database: Database, codes: unknown[]): Database {
  return {
    ...database,
    transaction: (work, options) =>
      database
        .transaction(
          (tx) =>
            work({
              query: async (statement: Parameters<Queryable["query"]>[0]) => {
                const answer = await tx.query(statement);
                await sleep(1);
                return answer;
              },
            } as Queryable),
          options,
        )
        .catch((error: unknown) => {
          if (error instanceof Error && "code" in error) codes.push(error.code);
          throw error;
        }),
  };
}

async function balanceOf({ database }: Pipe, { accountId }: { accountId: string }): Promise<number> {
  const text = "select balance from credit_balances where account_id = $1";
  return (await database.query<{ balance: number }>({ text, values: [accountId] })).rows[0]?.balance ?? Number.NaN;
}

async function standing({ database }: Pipe, accountId: string): Promise<unknown> {
  const text = "select is_trial_user, status from accounts where id = $1";
  return (await database.query({ text, values: [accountId] })).rows[0];
}
