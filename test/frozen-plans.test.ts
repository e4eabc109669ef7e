// Statements whose plan PostgreSQL may keep from the time when every table was empty: each still looks its rows up by index.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { lockAccounts } from "../src/accounts/account-table.ts";
import { settleSetups } from "../src/accounts/payment-method-table.ts";
import { followSubscriptionRequests } from "../src/accounts/subscription-request-table.ts";
import { findPurchases } from "../src/credits/purchase-table.ts";
import type { Queryable } from "../src/db/database.ts";
import { settleNow, settleRows } from "../src/inbox/purchase-heads.ts";
import { fanOut } from "../src/outbox/delivery-tables.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const SCOPE = { tenantId: "ten_1", livemode: false };
const REF = { ...SCOPE, id: "pur_1" };

/** What each asks, by the name of its statement; nothing is there, and some purchase waits for its payment. */
async function statements(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const open = { tenant_id: null, livemode: false, id: null, claimed_by: null, claimed_intent: null };
  const tx = {
    query: async (statement: { name?: string; text: string }) => {
      if (statement.name !== undefined) found.set(statement.name, statement.text);
      const rows = statement.name === "find_purchases" ? [open] : [];
      return { rows, rowCount: rows.length };
    },
  } as unknown as Queryable;
  const link = { ...SCOPE, stripeAccount: "", sessionId: null, customerId: null, subscriptionId: null, claim: null };
  const refund = { livemode: false, account: "", objectType: "refund", objectId: "re_1" };
  await lockAccounts(tx, [{ ...SCOPE, accountId: "acc_1" }]);
  await followSubscriptionRequests(tx, [link]);
  await settleSetups(tx, [{ ...SCOPE, stripeAccount: "", setupIntentId: "seti_1", paymentMethodId: null }]);
  await findPurchases(tx, []);
  const row = { key: refund, projection: { table: "refunds" }, columns: { charge_id: "ch_1" } };
  await settleRows(tx, [row], () => SCOPE.tenantId, "server");
  await settleNow(tx, [REF], "server").catch(() => undefined);
  await fanOut(tx, [REF]);
  return found;
}

const CHECKED = [
  ...["lock_accounts", "lock_subscription_requests", "settle_setups", "find_purchases", "intents_of_charges"],
  ...["intents_of_purchases", "fan_out"],
];

describe.each(BOTH)("frozen plans, %s database", (kind) => {
  let pipe: Pipe;
  let texts: Map<string, string>;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    texts = await statements();
  });
  afterAll(() => pipe.close());

  const plansOf = async (name: string): Promise<string[]> => {
    const text = texts.get(name) ?? "";
    const parameters = Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    return pipe.database.transaction(async (tx) => {
      await tx.query("set local plan_cache_mode = force_generic_plan");
      await tx.query(`prepare frozen as ${text}`);
      const values = Array.from({ length: parameters }, () => "null").join(", ");
      const { rows } = await tx.query<{ "QUERY PLAN": string }>(`explain execute frozen (${values})`);
      await tx.query("deallocate frozen");
      return rows.map((row) => row["QUERY PLAN"]);
    });
  };

  it.each(CHECKED)("%s reads no whole table, even planned when there was none", async (name) => {
    const wholeTables = (await plansOf(name)).filter((line) => line.includes("Seq Scan"));
    expect(wholeTables).toEqual([]);
  });
});
