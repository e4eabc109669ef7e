// A dispute that is won gives credits back where they came from: what stands in the rows is what one ledger in memory holds.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { accountText } from "../src/credits/account-keys.ts";
import { creditDesk } from "../src/credits/credit-requests.ts";
import { openLedger } from "../src/credits/ledger.ts";
import { lockLedgers, writeLedgers } from "../src/credits/ledger-tables.ts";
import { expireCredits } from "../src/credits/ledger-upkeep.ts";
import type { AccountRef, Credits } from "../src/credits/lots.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { type Act, acts, dated, day, PURCHASES, run, runUnnoted } from "./support/ledger-acts.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { eventsOf, makeAccount, makePurchase, PRICE } from "./support/purchase-lives.ts";

describe.each(BOTH)("credits given back, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  let keys = 0;
  const ask = (accountId: string, operation: "spend" | "grant", amount: Credits, expiresAt: Date | null = null) =>
    creditDesk().post(tenantScope(pipe.database, { tenantId: pipe.platformTenant }), {
      ...{ operation, livemode: false, accountId, amount, reason: "test", reference: null, expiresAt },
      act: { actor: { kind: "system", id: null }, source: null },
      key: `restored-${String((keys += 1))}`,
    });
  const rowsOf = async (accountId: string): Promise<unknown[]> =>
    (
      await pipe.database.query({
        text: `select credits, remaining, owed, expires_at is not null as expires from credit_lots
               where account_id = $1 order by id`,
        values: [accountId],
      })
    ).rows;
  const takingsOf = async (accountId: string): Promise<unknown[]> =>
    (
      await pipe.database.query({
        text: "select credits from credit_takings where account_id = $1 order by number",
        values: [accountId],
      })
    ).rows;
  const arrive = async (...events: Arrival[]): Promise<void> => {
    await pipe.arrive(events);
    await pipe.drain();
  };

  /** 100 credits are bought and spent, 60 given that expire; then comes the dispute. */
  async function disputed(): Promise<{ accountId: string; opened: Arrival[]; won: Arrival[] }> {
    const accountId = await makeAccount(pipe.database, pipe.platformTenant);
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: pipe.platformTenant, accountId });
    const life = { purchaseId: id, sessionId, slow: false, old: false };
    const dispute = { what: "dispute" as const, amount: PRICE };
    const paid = eventsOf({ ...life, turns: [] });
    const opened = eventsOf({ ...life, turns: [{ ...dispute, ends: "open" }] });
    const won = eventsOf({ ...life, turns: [{ ...dispute, ends: "won" }] });
    await arrive(...paid);
    await ask(accountId, "spend", 100);
    await ask(accountId, "grant", 60, soon());
    return { accountId, opened, won };
  }

  const LEFT = [
    { credits: 100, remaining: 0, owed: 0, expires: false },
    { credits: 60, remaining: 60, owed: 0, expires: true },
  ];

  it("a dispute that is won leaves the same lots whether it was heard of before, or only now", async () => {
    const late = await disputed();
    await arrive(...late.won);
    expect(await rowsOf(late.accountId)).toEqual(LEFT);

    const { accountId, opened, won } = await disputed();
    await arrive(...opened);
    expect(await rowsOf(accountId)).toMatchObject([{ remaining: 0, owed: 40 }, { remaining: 0 }]);
    expect(await takingsOf(accountId)).toEqual([{ credits: 60 }]);
    await ask(accountId, "grant", 50, soon());
    expect(await rowsOf(accountId)).toMatchObject([{ owed: 0 }, { remaining: 0 }, { remaining: 10 }]);
    await arrive(...won);
    expect(await rowsOf(accountId)).toEqual([...LEFT, { credits: 50, remaining: 50, owed: 0, expires: true }]);
    expect(await takingsOf(accountId)).toEqual([]);
  });

  it("what would have expired during a dispute is not there when it is won", async () => {
    const { accountId, opened, won } = await disputed();
    await arrive(...opened);
    await pipe.database.query({
      text: "update credit_lots set expires_at = now() - interval '1 minute' where account_id = $1 and expires_at is not null",
      values: [accountId],
    });
    await expireCredits(pipe.database);
    await arrive(...won);
    expect(await rowsOf(accountId)).toMatchObject([{ remaining: 0 }, { remaining: 0 }]);
    const { rows } = await pipe.database.query({
      text: "select kind, amount from credit_entries where account_id = $1 order by id",
      values: [accountId],
    });
    expect(rows.slice(-2)).toEqual([
      { kind: "restoral", amount: 100 },
      { kind: "expiry", amount: -60 },
    ]);
  });

  it("whatever happens to an account, its rows hold what one ledger that was never stored does", async () => {
    const lives = acts(25, "buy", "grant", "spend", "take", "take", "pass");
    await fc.assert(
      fc.asyncProperty(lives, async (some) => {
        const accountId = await makeAccount(pipe.database, pipe.platformTenant);
        const ref = { tenantId: pipe.platformTenant, livemode: false, accountId };
        const inMemory = openLedger(ref, { balance: 0, lowThreshold: null, lots: [] });
        for (const one of dated(some)) {
          run(inMemory, one);
          await store(ref, one);
          const { rows } = await pipe.database.query({
            text: "select credits, remaining, owed, taken from credit_lots where account_id = $1 order by id",
            values: [accountId],
          });
          expect(rows).toEqual(
            inMemory.lots.map(({ credits, remaining, owed, taken }) => ({ credits, remaining, owed, taken })),
          );
        }
        const stored = await takingsOf(accountId);
        expect(stored).toHaveLength([...inMemory.takings.values()].flat().length);
      }),
      { numRuns: kind === "embedded" ? 15 : 30 },
    );
  }, 120_000);

  it("beside processes of the version before, which note nothing, every act succeeds, and the ledger is borne out", async () => {
    const lives = acts(25, "buy", "grant", "spend", "take", "take", "pass");
    await fc.assert(
      fc.asyncProperty(lives, fc.infiniteStream(fc.boolean()), async (some, isOld) => {
        const accountId = await makeAccount(pipe.database, pipe.platformTenant);
        const ref = { tenantId: pipe.platformTenant, livemode: false, accountId };
        for (const one of dated(some)) await store(ref, one, isOld.next().value === true ? runUnnoted : run);
        const { rows } = await pipe.database.query({
          text: `select balance - (select coalesce(sum(remaining), 0) from credit_lots where account_id = $1)::bigint + debt as off
                 from credit_balances where account_id = $1`,
          values: [accountId],
        });
        expect(rows).toEqual([{ off: 0 }]);
      }),
      { numRuns: kind === "embedded" ? 15 : 30 },
    );
  }, 120_000);

  /** In a transaction of its own, which loads what such an act needs. */
  async function store(ref: AccountRef, one: Act, act = run): Promise<void> {
    if (one.what === "pass") {
      await pipe.database.query({
        text: "update credit_lots set expires_at = expires_at - interval '200 years' where account_id = $1 and expires_at <= $2 and expires_at > now()",
        values: [ref.accountId, day(one.day)],
      });
    }
    await pipe.database.transaction(async (tx) => {
      const wanted = {
        ...ref,
        ...(one.what === "spend" ? { spends: one.amount } : {}),
        ...(one.what === "take" ? { takes: 120 } : {}),
        ...(one.what === "buy" || one.what === "grant" ? { gives: one.amount } : {}),
      };
      const { ledgers, now } = await lockLedgers(tx, [wanted], one.what === "take" ? [one.purchaseId] : PURCHASES);
      const ledger = ledgers.get(accountText(ref));
      if (ledger === undefined) throw new Error("no ledger");
      act(ledger, one);
      await writeLedgers(tx, [ledger], now);
    });
  }
});

function soon(): Date {
  return new Date(Date.now() + 3_600_000);
}
