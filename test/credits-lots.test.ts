// Accounts with thousands of lots: what is decided is the same as with few, and what is read of them is bounded.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { decideAndWrite } from "../src/credits/credit-requests.ts";
import { expire, reverse, spend } from "../src/credits/ledger.ts";
import type { Ledger } from "../src/credits/lots.ts";
import { readBalances } from "../src/credits/ledger-reads.ts";
import { accountText } from "../src/credits/account-keys.ts";
import { lockLedgers, writeLedgers } from "../src/credits/ledger-tables.ts";
import { expireCredits } from "../src/credits/ledger-upkeep.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import type { Queryable } from "../src/db/database.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { makeAccount } from "./support/purchase-lives.ts";

interface LotRow {
  id: string;
  remaining: number;
  due: boolean;
}

describe.each(BOTH)("on the %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  /** An account with these lots, one purchase's among them; a lot that is due is not expired yet. */
  async function accountWith(lots: readonly { credits: number; due: boolean }[]): Promise<string> {
    const { database, platformTenant } = pipe;
    const accountId = await makeAccount(database, platformTenant);
    const rows = lots.map(({ credits, due }, place) => ({
      ...{ id: newId("crd"), credits, source: `${accountId}:${String(place)}` },
      at: due ? -1 - place : place % 7 === 0 ? null : 1 + ((place * 7919) % 1000),
    }));
    await database.query({ text: MAKE, values: [platformTenant, accountId, JSON.stringify(rows)] });
    return accountId;
  }

  const lotsOf = async (tx: Queryable, accountId: string): Promise<LotRow[]> => {
    const { rows } = await tx.query<LotRow>({
      text: `select id, remaining, expires_at <= now() as due from credit_lots
             where account_id = $1 order by expires_at, id`,
      values: [accountId],
    });
    return rows;
  };

  const decide = (accountId: string, takes: number, act: (ledger: Ledger) => void): Promise<number> =>
    pipe.database.transaction(async (tx) => {
      const ref = { tenantId: pipe.platformTenant, livemode: false, accountId };
      const { ledgers, now } = await lockLedgers(tx, [{ ...ref, takes }]);
      const ledger = ledgers.get(accountText(ref));
      if (ledger === undefined) throw new Error("no ledger");
      const loaded = ledger.lots.length;
      expire(ledger);
      act(ledger);
      await writeLedgers(tx, [ledger], now);
      return loaded;
    });

  /** As if they were asked for at once; `read` takes how many lots are read. */
  const post = (
    accountId: string,
    ...asked: ({ spend: number; read?: number[] } | { grant: number; read?: number[] })[]
  ): Promise<unknown[]> =>
    pipe.database.transaction((tx) => {
      const counting = countingLots(tx, asked[0]?.read ?? []);
      const requests = asked.map((one) => ({
        ...{ operation: "spend" in one ? ("spend" as const) : ("grant" as const), livemode: false, accountId },
        ...{ amount: "spend" in one ? one.spend : one.grant, reason: "test", reference: null, expiresAt: null },
        ...{ act: { actor: { kind: "key" as const, id: "key_test" }, source: null }, key: newId("req") },
      }));
      return decideAndWrite(counting, pipe.platformTenant, requests);
    });

  it("any spend takes the lots that expire first, after all that are due, however many there are", async () => {
    const lot = fc.record({ credits: fc.integer({ min: 1, max: 5 }), due: fc.boolean() });
    const lots = fc.oneof(
      fc.array(lot, { minLength: 1, maxLength: 20 }),
      fc.array(lot, { minLength: 60, maxLength: 70 }),
      fc.array(lot, { minLength: 1000, maxLength: 1100 }),
    );
    await fc.assert(
      fc.asyncProperty(lots, fc.double({ min: 0, max: 1.1, noNaN: true }), async (made, part) => {
        const accountId = await accountWith(made);
        const before = await lotsOf(pipe.database, accountId);
        const live = before.filter(({ due }) => !due).reduce((sum, { remaining }) => sum + remaining, 0);
        const amount = Math.max(1, Math.floor(live * part));
        const taken: unknown[] = [];
        await decide(accountId, amount, (ledger) => {
          taken.push(spend(ledger, amount, { source: `spend ${accountId}`, reason: "test" }));
        });
        const took = taken[0] !== undefined;
        expect(took).toBe(amount <= live);
        let left = took ? amount : 0;
        const wanted = before.map(({ remaining, due }) => {
          if (due) return 0;
          const share = Math.min(left, remaining);
          left -= share;
          return remaining - share;
        });
        expect((await lotsOf(pipe.database, accountId)).map(({ remaining }) => remaining)).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
    const found: unknown[] = [];
    await verifyLedger({ database: pipe.database, onDifference: (difference) => found.push(difference) });
    expect(found).toEqual([]);
  });

  it("a small spend of an account with 5,000 lots loads 64 of them", async () => {
    const accountId = await accountWith(Array.from({ length: 5000 }, () => ({ credits: 2, due: false })));
    const loaded = await decide(accountId, 3, (ledger) => {
      expect(spend(ledger, 3, { source: `small ${accountId}`, reason: "test" })).toBeDefined();
    });
    expect(loaded).toBe(64);
  });

  it("5,000 lots that are due at once expire in commits of at most 100, and the balance is right throughout", async () => {
    const { database, platformTenant: tenantId } = pipe;
    const due = Array.from({ length: 5000 }, () => ({ credits: 2, due: true }));
    const accountId = await accountWith([...due, { credits: 7, due: false }]);
    const balances: unknown[] = [];
    const read: number[] = [];
    const transaction: typeof database.transaction = async (work) => {
      const done = await database.transaction((tx) => work(countingLots(tx, read)));
      const found = await readBalances(database, { tenantId, livemode: false }, [accountId]);
      balances.push(found.get(accountId)?.balance);
      return done;
    };
    await expireCredits(Object.create(database, { transaction: { value: transaction } }) as typeof database);
    expect([...new Set(balances)]).toEqual([7]);
    expect((await lotsOf(database, accountId)).filter(({ remaining }) => remaining > 0)).toHaveLength(1);
    const { rows } = await database.query<{ entries: number }>({
      text: `select count(*)::int as entries from credit_entries where account_id = $1 and kind = 'expiry' group by xmin::text`,
      values: [accountId],
    });
    expect(rows.reduce((sum, { entries }) => sum + entries, 0)).toBe(5000);
    expect(Math.max(...rows.map(({ entries }) => entries))).toBe(100);
    expect(Math.max(...read)).toBe(100);
    const wrong: unknown[] = [];
    await verifyLedger({ database, onDifference: (difference) => wrong.push(difference) });
    expect(wrong).toEqual([]);
  }, 60_000);

  it("one account's lots that are due longest leave another's fewer places in the same commit, and none is of more than 100", async () => {
    const { database } = pipe;
    const later = await accountWith(Array.from({ length: 200 }, () => ({ credits: 2, due: true })));
    const kept = Array.from({ length: 200 }, () => ({ credits: 1, due: false }));
    const sooner = await accountWith([...kept, ...Array.from({ length: 60 }, () => ({ credits: 2, due: true }))]);
    await expireCredits(database);
    const { rows } = await database.query<{ entries: number; accounts: number }>({
      text: `select count(*)::int as entries, count(distinct account_id)::int as accounts from credit_entries
             where account_id = any ($1::text[]) and kind = 'expiry' group by xmin::text order by accounts desc`,
      values: [[later, sooner]],
    });
    expect(rows.reduce((sum, { entries }) => sum + entries, 0)).toBe(260);
    expect(rows.find(({ accounts }) => accounts === 2)).toEqual({ entries: 100, accounts: 2 });
    expect(Math.max(...rows.map(({ entries }) => entries))).toBe(100);
  });

  it("a spend sees what is due as expired, though the job has come to a part of it only", async () => {
    const { database } = pipe;
    const due = Array.from({ length: 300 }, () => ({ credits: 2, due: true }));
    const accountId = await accountWith([...due, { credits: 7, due: false }]);
    const ended = new Error("the process died");
    let commits = 0;
    const transaction: typeof database.transaction = async (work) => {
      if (commits === 1) throw ended;
      commits += 1;
      return database.transaction(work);
    };
    const dying = Object.create(database, { transaction: { value: transaction } }) as typeof database;
    await expect(expireCredits(dying)).rejects.toBe(ended);
    expect((await lotsOf(database, accountId)).filter(({ remaining }) => remaining > 0)).toHaveLength(201);
    const [over, within] = await post(accountId, { spend: 8 }, { spend: 7 });
    expect([over, within]).toMatchObject([{ code: "insufficient_credits" }, { entry: { balanceAfter: 0 } }]);
  }, 60_000);

  it("a spend of more than there is reads 64 of 5,000 lots, and what is given beside it is counted", async () => {
    const accountId = await accountWith(Array.from({ length: 5000 }, () => ({ credits: 2, due: false })));
    const read: number[] = [];
    const [refused] = await post(accountId, { spend: 10_001, read });
    expect([refused, read]).toMatchObject([{ code: "insufficient_credits" }, [64]]);
    const [, taken, rest] = await post(accountId, { grant: 5 }, { spend: 10_003 }, { spend: 3 });
    expect([taken, rest]).toMatchObject([{ entry: { balanceAfter: 2 } }, { code: "insufficient_credits" }]);
  }, 60_000);

  it("what is taken back for a purchase comes from as many lots as hold it, and the rest is a debt", async () => {
    const accountId = await accountWith(Array.from({ length: 300 }, () => ({ credits: 1, due: false })));
    const ref = { tenantId: pipe.platformTenant, livemode: false, accountId };
    const [first] = await lotsOf(pipe.database, accountId);
    await pipe.database.query({
      text: "update credit_lots set purchase_id = 'pur_of_many', credits = 400 where id = $1",
      values: [first?.id],
    });
    const source = `back ${accountId}`;
    await pipe.database.transaction(async (tx) => {
      const { ledgers, now } = await lockLedgers(tx, [{ ...ref, takes: 400 }], ["pur_of_many"]);
      const ledger = ledgers.get(accountText(ref));
      if (ledger === undefined) throw new Error("no ledger");
      reverse(ledger, 400, { source, reason: "test", purchaseId: "pur_of_many" });
      expect(ledger.balance).toBe(-100);
      await writeLedgers(tx, [ledger], now);
    });
    expect((await lotsOf(pipe.database, accountId)).every(({ remaining }) => remaining === 0)).toBe(true);
  });
});

/** As `tx`, and notes how many lots each look for them reads. */
function countingLots(tx: Queryable, read: number[]): Queryable {
  const query = async (statement: { name?: string; text: string }) => {
    const answer = await tx.query(statement);
    if (statement.name === "load_lots") read.push(answer.rows.length);
    return answer;
  };
  return Object.create(tx, { query: { value: query } }) as Queryable;
}

const MAKE = `
  with lot as (select * from json_to_recordset($3::json) as lot (id text, credits bigint, source text, at integer)),
  made as (
    insert into credit_lots (tenant_id, livemode, account_id, id, credits, remaining, expires_at)
    select $1, false, $2, id, credits, credits, now() + make_interval(mins => at) from lot),
  entered as (
    insert into credit_entries (tenant_id, livemode, account_id, id, kind, amount, balance_after, source, reason, lot_id)
    select $1, false, $2, id, 'grant', credits, 0, source, 'test', id from lot)
  update credit_balances set balance = (select sum(credits) from lot) where account_id = $2`;
