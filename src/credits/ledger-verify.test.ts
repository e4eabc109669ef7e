import { expect, it } from "vitest";

import { slowListener } from "../../test/support/slow-listener.ts";
import type { Queryable } from "../db/database.ts";
import { verifyLedger } from "./ledger-verify.ts";

it("waits for whoever is told of a difference before it tells of the next, and before it reads on", async () => {
  const listener = slowListener();
  const found = ["balance", "lots"].map((what) => ({ what, stored: 1, computed: 2 }));
  const account = { tenantId: "ten_1", livemode: false, accountId: "acc_1" };
  const orphan = { ...account, accountId: "acc_0", what: "entries without a balance", stored: null, computed: null };
  const heardAt: number[] = [];
  // The page, what has no balance in it, and the same behind it.
  const answers = [[{ ...account, found }], [orphan], [], []];
  const database: Queryable = {
    query: (async () => {
      heardAt.push(listener.noted().heard);
      const rows = answers.shift() ?? [];
      return { rows, rowCount: rows.length };
    }) as Queryable["query"],
  };
  expect(await verifyLedger({ database, onDifference: listener.hear })).toEqual({ accounts: 1, differences: 3 });
  expect(listener.noted()).toEqual({ heard: 3, atOnce: 1 });
  expect(heardAt).toEqual([0, 2, 3, 3]);
});
