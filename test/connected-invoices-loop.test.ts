// The process's own background work goes on with an invoice that a crash left behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { openApp } from "../src/app.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { readConfig } from "../src/config.ts";
import { insertConnectedInvoice } from "../src/connections/connected-invoice-table.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { dueInvoicePool } from "../src/billing/due-invoices.ts";
import type { Database } from "../src/db/database.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { INVOICE, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { registerTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { openSandbox, SANDBOX_KEY } from "./support/sandbox.ts";

it("an invoice whose maker died is made by the loop of a process that starts later", async () => {
  const folder = mkdtempSync(join(tmpdir(), "billhook-loop-"));
  const sandbox = await openSandbox();
  const config = readConfig({
    NODE_ENV: "test",
    DATA_DIR: join(folder, "data"),
    STRIPE_SECRET_KEY: SANDBOX_KEY,
    STRIPE_API_BASE: sandbox.url,
    STRIPE_WEBHOOK_SECRET: "whsec_loop_test_with_enough_characters",
    SECRET_KEY: "secret-key-of-the-tests-with-enough-characters",
  });
  const operatorToken = new Secret("operator-token-of-the-tests");
  const app = await openApp(config, { log: silentLog, operatorToken, webhookSecrets: [], version: "0.0.0-test" });
  try {
    const { id: account } = await sandbox.stripe.accounts.create({ type: "standard" });
    const [tenantId, id] = [newId("ten"), newId("cinv")];
    await app.database.query({ text: "insert into tenants (id) values ($1)", values: [tenantId] });
    await connectAccount(app.database, tenantId, { livemode: false, account });
    await insertDue(app.database, { tenantId, id, account });
    app.start();
    const stage = async (): Promise<unknown> =>
      (await app.database.query({ text: "select stage from connected_invoices where id = $1", values: [id] })).rows[0];
    for (let tries = 0; tries < 400 && JSON.stringify(await stage()) !== '{"stage":"made"}'; tries++) await sleep(50);
    expect(await stage()).toEqual({ stage: "made" });
    const { data } = await sandbox.client({ account }).invoices.list();
    expect(data.map(({ status, total }) => [status, total])).toEqual([["open", 20_000]]);
  } finally {
    await app.stop();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe.each(BOTH)("the background, %s database", (kind) => {
  it("makes others' invoices while an account with many older ones is silent", async () => {
    const scene = await openInvoiceScene(kind);
    const { door, tenant, account, access } = scene;
    try {
      const other = await registerTenant(door);
      const { id: lively } = await scene.sandbox.stripe.accounts.create({ type: "standard" });
      await connectActive(door.pipe.database, other.id, lively);
      let silent = 0;
      let speak: () => void = () => undefined;
      const silence = new Promise<void>((resolve) => {
        speak = resolve;
      });
      const real = access.current;
      access.current = {
        ...real,
        call: async (target, ask) => {
          if (target.account === account) {
            silent += 1;
            await silence;
          }
          return real.call(target, ask);
        },
      };
      const { database } = door.pipe;
      for (let older = 0; older < 12; older++) {
        await insertDue(database, { tenantId: tenant.id, id: newId("cinv"), account });
      }
      const id = newId("cinv");
      await insertDue(database, { tenantId: other.id, id, account: lively });
      const pool = dueInvoicePool(scene.making);
      while ((await pool.run()) !== "none");
      const stage = async (): Promise<unknown> =>
        (await database.query({ text: "select stage from connected_invoices where id = $1", values: [id] })).rows[0];
      await expect.poll(stage, { timeout: 5_000 }).toEqual({ stage: "made" });
      expect(silent).toBe(2);
      speak();
      await pool.idle();
      await scene.settle();
    } finally {
      await scene.close();
    }
  });
});

/** Whoever made it is dead. */
async function insertDue(database: Database, of: { tenantId: string; id: string; account: string }): Promise<void> {
  const items = [{ description: "Consulting", amount: 10_000, quantity: 2 }];
  await insertConnectedInvoice(
    database,
    {
      ...{ ...of, livemode: false, items, requestKey: null, createdBy: null, memo: null },
      ...{ customerEmail: INVOICE.customer_email, customerName: null, currency: "usd", metadata: {} },
      ...{ total: 20_000, daysUntilDue: 30, applicationFeePercent: 15, applicationFeeAmount: 0 },
    },
    { name: "node_dead", seconds: 0 },
  );
}
