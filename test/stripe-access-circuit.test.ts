// One Stripe account that does not answer: it holds up nobody else, neither requests nor the fetches in the background.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { queueFetches } from "../src/inbox/fetch-table.ts";
import { fetchPool } from "../src/inbox/fetch.ts";
import { type StripeAccess, stripeAccess } from "../src/stripe/access.ts";
import { callLanes, type Leave } from "../src/stripe/call-lanes.ts";
import { claimLoop } from "../src/work/claim-loop.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { failure, hang, reply, type Reply, type ScriptedStripe, scriptedStripe } from "./support/scripted-stripe.ts";

const [DEAD, LIVELY] = ["acct_1Dead", "acct_1Lively"];
const customer: Reply = (response, request) => {
  reply(200, { id: request.path.split("/").at(-1), object: "customer" })(response, request);
};

/** One account's requests have their own fate, the others are answered at once. */
const dead =
  (fate: Reply): Reply =>
  (response, request) => {
    (request.account === DEAD ? fate : customer)(response, request);
  };
const down = reply(503, failure("api_error"), {}, { retry: false });

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await scriptedStripe();
});
afterAll(() => stripe.close());

interface Told {
  outcomes: string[];
  open: number;
}

function opened(): { access: StripeAccess; told: Told } {
  const told: Told = { outcomes: [], open: 0 };
  const access = stripeAccess({
    keys: { test: new Secret("sk_test_scripted") },
    apiBase: stripe.url,
    clock: systemClock,
    metrics: {
      called: (outcome) => told.outcomes.push(outcome),
      circuitsOpen: (count) => {
        told.open = count;
      },
    },
  });
  return { access, told };
}

async function ask(access: StripeAccess, account: string): Promise<{ failed: unknown; milliseconds: number }> {
  const started = performance.now();
  const failed: unknown = await access
    .call({ livemode: false, account }, (client, options) => client.customers.retrieve("cus_1", {}, options))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { failed, milliseconds: performance.now() - started };
}

describe("calls for an account that does not answer", () => {
  it("take at most four lanes, and no time from another account's", { timeout: 30_000 }, async () => {
    stripe.script(dead(hang));
    const { access } = opened();
    await ask(access, LIVELY);
    const alone = await median(access, 60);
    const waiting = Array.from({ length: 60 }, () => ask(access, DEAD));
    await sleep(100);
    const beside = await median(access, 60);
    console.log(`another account's call: ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside 60 dead ones`);
    expect(beside).toBeLessThan(alone + 50);
    expect(stripe.requests.filter(({ account }) => account === DEAD)).toHaveLength(4);
    const ends = await Promise.all(waiting);
    // 36 had a lane or a place in the line; the others heard so at once.
    expect(ends.filter(({ milliseconds }) => milliseconds < 1000)).toHaveLength(24);
    expect(ends.every(({ milliseconds }) => milliseconds < 8_700)).toBe(true);
  });

  it(
    "take half of all lanes where it is the platform's own, which all tenants share",
    { timeout: 30_000 },
    async () => {
      stripe.script((response, request) => {
        (request.account === LIVELY ? customer : hang)(response, request);
      });
      const { access } = opened();
      const waiting = Array.from({ length: 20 }, () => ask(access, ""));
      expect((await ask(access, LIVELY)).milliseconds).toBeLessThan(1_000);
      // Of the dead account one may still come, from before.
      expect(stripe.requests.filter(({ account }) => account !== LIVELY && account !== DEAD)).toHaveLength(16);
      await Promise.all(waiting);
    },
  );

  it("fail at once after five failures in a row, and go through again when a probe has", async () => {
    stripe.script(dead(down));
    const { access, told } = opened();
    for (let call = 0; call < 5; call++) await ask(access, DEAD);
    const { failed, milliseconds } = await ask(access, DEAD);
    expect(failed).toMatchObject({ code: "stripe_unreachable", retryAfter: 1, transient: true });
    expect(milliseconds).toBeLessThan(20);
    // Of another account one may still come, from before.
    expect(stripe.requests.filter(({ account }) => account === DEAD)).toHaveLength(5);
    expect([told.open, access.paused(false), access.paused(true)]).toEqual([1, [DEAD], []]);
    expect((await ask(access, LIVELY)).failed).toBeUndefined();
    stripe.script(customer);
    await expect.poll(async () => (await ask(access, DEAD)).failed, { timeout: 3_000 }).toBeUndefined();
    expect([told.open, access.paused(false)]).toEqual([0, []]);
  });

  it("refusals of requests and cards open nothing: Stripe has answered", async () => {
    const { access, told } = opened();
    for (const [status, type] of [
      [400, "invalid_request_error"],
      [402, "card_error"],
      [403, "invalid_request_error"],
      [404, "invalid_request_error"],
    ] as const) {
      stripe.script(dead(reply(status, failure(type))));
      for (let call = 0; call < 6; call++) await ask(access, DEAD);
    }
    expect([told.open, told.outcomes.includes("ok"), stripe.requests.length]).toEqual([0, false, 6]);
  });

  async function median(access: StripeAccess, calls: number): Promise<number> {
    const times: number[] = [];
    for (let call = 0; call < calls; call++) times.push((await ask(access, LIVELY)).milliseconds);
    return times.sort((a, b) => a - b)[Math.floor(calls / 2)] ?? 0;
  }
});

describe("lanes", () => {
  it("give each place back once, in the order of asking, past accounts that have their share", async () => {
    const lanes = callLanes({ atOnce: 3, perAccount: 2, platform: 2, waitingPerAccount: 2, waiting: 3 });
    const order: string[] = [];
    const enter = async (account: string, wait = 1000): Promise<Leave | undefined> => {
      const leave = await lanes.enter(account, wait);
      if (leave !== undefined) order.push(account);
      return leave;
    };
    const [a1] = [await enter("a"), await enter("a")];
    const waitsForA = enter("a");
    const b1 = await enter("b");
    const waitsForC = enter("c");
    expect(await enter("d", 20)).toBeUndefined();
    expect(order).toEqual(["a", "a", "b"]);
    b1?.();
    b1?.();
    await waitsForC;
    expect(order.at(-1)).toBe("c");
    a1?.();
    await waitsForA;
    expect(order).toEqual(["a", "a", "b", "c", "a"]);
    const line = [enter("a", 50), enter("a", 50)];
    expect(await enter("a", 50)).toBeUndefined();
    expect(await Promise.all(line)).toEqual([undefined, undefined]);
  });
});

describe.each(BOTH)("fetches in the background, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterEach(() => pipe.database.query("delete from stripe_fetches"));
  afterAll(() => pipe.close());

  async function queued(account: string, count: number): Promise<void> {
    const wanted = Array.from({ length: count }, (_, n) => ({
      ...{ livemode: false, account, objectType: "customer", objectId: `cus_${String(n)}` },
      ...{ since: 0, reason: "test" },
    }));
    await queueFetches(pipe.database, wanted);
    await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
  }
  const left = async (account: string): Promise<{ count: number; attempts: number }> => {
    const sql =
      "select count(*) as count, coalesce(sum(attempts), 0) as attempts from stripe_fetches where stripe_account = $1";
    const row = (await pipe.database.query({ text: sql, values: [account] })).rows[0];
    return { count: Number(row?.count), attempts: Number(row?.attempts) };
  };
  const poolOf = (access: StripeAccess, onFinished: () => void) =>
    fetchPool({
      database: pipe.database,
      log: silentLog,
      clock: systemClock,
      platformTenant: pipe.platformTenant,
      livemode: false,
      retrieve: (wanted) => access.retrieve(false, wanted),
      paused: () => access.paused(false),
      leaseSeconds: 40,
      newLease: () => newId("node"),
      onObserved: () => undefined,
      onFinished,
      metrics: { fetched: () => undefined },
    });

  it("go on for the others while an account with older ones is silent", { timeout: 40_000 }, async () => {
    stripe.script(dead(hang));
    const { access } = opened();
    await queued(DEAD, 40);
    await queued(LIVELY, 40);
    const pool = poolOf(access, () => {
      loop.wake();
    });
    const loop = claimLoop({
      name: "fetches of the test",
      run: () => pool.run(),
      concurrency: 1,
      pollEvery: 1000,
      gatherFor: () => 0,
      pauseAfterError: 1000,
      onError: (error) => {
        throw error;
      },
    });
    try {
      await expect.poll(() => left(LIVELY), { timeout: 8_000 }).toEqual({ count: 0, attempts: 0 });
      expect(await left(DEAD)).toEqual({ count: 40, attempts: 2 });
    } finally {
      stripe.script(down);
      await loop.stop();
      stripe.hangUp();
      await pool.idle();
    }
  });

  it("are put off without an attempt while their account's circuit is open", async () => {
    stripe.script(dead(down));
    const { access } = opened();
    for (let call = 0; call < 5; call++) await ask(access, DEAD);
    await queued(DEAD, 3);
    const pool = poolOf(access, () => undefined);
    expect(await pool.run()).toBe("none");
    expect(await left(DEAD)).toEqual({ count: 3, attempts: 0 });
    expect(stripe.requests).toHaveLength(5);
    // Claimed just before the circuit opened.
    expect(await access.retrieve(false, { account: DEAD, objectType: "customer", objectId: "cus_1" })).toEqual({
      outcome: "paused",
      after: 1,
    });
  });
});
