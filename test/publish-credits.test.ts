// What is told of a ledger: a purchase, what is taken back, what has expired, and a low balance; each once, with the balance.
import { afterAll, beforeAll, expect, describe, it } from "vitest";

import { grant, reverse } from "../src/credits/ledger.ts";
import type { Ledger } from "../src/credits/lots.ts";
import { accountText } from "../src/credits/account-keys.ts";
import { lockLedgers, writeLedgers } from "../src/credits/ledger-tables.ts";
import { expireCredits, tellLowCredits } from "../src/credits/ledger-upkeep.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("what is told of a ledger, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(() => door.close());

  it("a purchase, its reversal, an expiry and a low balance are told, each once", async () => {
    const tenant = await registerTenant(door);
    const body = { email: "low@people.example", credit_low_threshold: 50 };
    const made = await send(door, "POST", "/api/v1/accounts/", { token: tenant.keys.test_secret, body });
    const ref = { tenantId: tenant.id, livemode: false, accountId: String(made.json.id) };
    const { database } = door.pipe;
    const change = async (act: (ledger: Ledger) => void, purchases: string[] = []): Promise<void> =>
      database.transaction(async (tx) => {
        const { ledgers, now } = await lockLedgers(tx, [{ ...ref, takes: 1000 }], purchases);
        const ledger = ledgers.get(accountText(ref));
        if (ledger === undefined) throw new Error("no ledger");
        act(ledger);
        await writeLedgers(tx, [ledger], now);
      });
    const purchaseId = "pur_told";
    const cause = (source: string) => ({ source: `${source} ${ref.accountId}`, reason: "told", purchaseId });
    await change((ledger) => grant(ledger, "purchase", 100, cause("bought")));
    const expiresAt = new Date(Date.now() + 60_000);
    await change((ledger) =>
      grant(ledger, "grant", 40, { source: `given ${ref.accountId}`, reason: "told", expiresAt }),
    );
    await change((ledger) => reverse(ledger, 60, cause("back")), [purchaseId]);
    await database.query({
      text: "update credit_lots set expires_at = now() where account_id = $1 and expires_at = $2",
      values: [ref.accountId, expiresAt],
    });
    for (const _ of [1, 2]) {
      await expireCredits(database);
      await tellLowCredits(database);
    }
    const { rows } = await database.query<{ type: string; object: string }>({
      text: "select type, object from events where object_id = $1 order by id",
      values: [ref.accountId],
    });
    const told = rows.map(({ type, object }) => ({ type, object: JSON.parse(object) as Record<string, unknown> }));
    const ours = told.filter(({ object }) => object.reason === "told" || object.kind === "expiry");
    expect(ours.map(({ type, object }) => [type, object.amount, object.purchase_id])).toEqual([
      ["credit.purchased", 100, purchaseId],
      ["credit.granted", 40, null],
      ["credit.reversed", -60, purchaseId],
      ["credit.expired", -40, null],
    ]);
    const low = told.filter(({ type }) => type === "credit.low");
    const balance = ours.at(-1)?.object.balance_after;
    expect(low.map(({ object }) => [object.id, object.balance, object.low_threshold])).toEqual([
      [ref.accountId, balance, 50],
    ]);
  });
});
