// Chaos: the sandbox sends twice, late and out of order, and Billhook is ended in the middle; its rows equal the sandbox's state.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Stripe from "stripe";
import { afterEach, describe, expect, it } from "vitest";

import { PLATFORM_ACCOUNT } from "../sandbox/core/kinds.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import type { Database } from "../src/db/database.ts";
import { openServer } from "../src/db/server.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { compareWithSandbox, sandboxObjects } from "./support/sandbox-oracle.ts";
import { freePort } from "./support/free-port.ts";
import { SECRET, serve, type Served } from "./support/serve.ts";

const KEY = "sk_test_sandbox_of_the_tests";
const EVENTS = 1000;
/** No parameter of the newest types, and still taken: without it a redirect's address would be needed. */
const CARDS: object = { payment_method_types: ["card"] };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe("a sandbox that duplicates, shuffles and delays", () => {
  it("leaves Billhook, ended and started again in the middle, with the sandbox's own state, object by object", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-chaos-"));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    const sandbox = await startSandbox({
      port: 0,
      seed: 7,
      chaos: { seed: 7, duplicate: 0.2, reorder: 1, delay: { share: 0.1, ms: 4000 } },
      retrySchedule: [0.2, 0.5, 1, 1, 2, 2, 5, 5, 5, 5],
    });
    closing.push(() => sandbox.close());
    const database = { url: await readyDatabase(), port: String(await freePort()) };
    const start = async (): Promise<Served> => {
      const served = await serve({
        DATABASE_URL: database.url,
        DATA_DIR: folder,
        PORT: database.port,
        STRIPE_SECRET_KEY: KEY,
        STRIPE_API_BASE: sandbox.url,
      });
      closing.push(() => served.end("SIGKILL"));
      await served.ready();
      return served;
    };
    const first = await start();
    const url = `http://127.0.0.1:${database.port}/stripe/webhook/`;
    sandbox.register([{ url, secret: SECRET, connect: false }]);
    const stripe = new Stripe(KEY, { host: "127.0.0.1", port: sandbox.port, protocol: "http", telemetry: false });

    const living = live(stripe, sandbox, EVENTS);
    await expect.poll(() => eventsOf(sandbox), { timeout: 60_000 }).toBeGreaterThan(EVENTS / 2);
    await first.end("SIGKILL");
    await start();
    await living;
    await sandbox.idle(60_000);

    const db = await openServer({ url: database.url, poolSize: 2 });
    closing.push(() => db.close());
    await expect.poll(() => pendingOf(db), { timeout: 60_000 }).toBe(0);
    const objects = await sandboxObjects(sandbox.url);
    const { compared, differences } = await compareWithSandbox(db, objects, PLATFORM_ACCOUNT);
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(150);
    const { rows } = await db.query<{ stored: number }>({
      text: "select count(*)::int as stored from stripe_events where source = 'webhook'",
      values: [],
    });
    expect(rows[0]?.stored).toBe(eventsOf(sandbox));
  }, 180_000);
});

const eventsOf = (sandbox: Sandbox): number => sandbox.world.run((tx) => tx.all("event").length);

/** Customers who buy, are declined, refunded and disputed, and subscribe, until the sandbox has raised so many events. */
async function live(stripe: Stripe, sandbox: Sandbox, until: number): Promise<void> {
  const product = await stripe.products.create({ name: "Plan" });
  const price = await stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 1500,
    recurring: { interval: "month" },
  });
  while (eventsOf(sandbox) < until) {
    const customer = await stripe.customers.create({
      email: "buyer@example.com",
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const paid = await stripe.paymentIntents.create({
      ...CARDS,
      amount: 2000,
      currency: "usd",
      customer: customer.id,
      payment_method: "pm_card_visa",
      confirm: true,
    });
    await stripe.refunds.create({ payment_intent: paid.id, amount: 500 });
    await stripe.refunds.create({ payment_intent: paid.id });
    await stripe.paymentIntents.create({
      ...CARDS,
      amount: 700,
      currency: "usd",
      payment_method: "pm_card_createDispute",
      confirm: true,
    });
    await expect(
      stripe.paymentIntents.create({
        ...CARDS,
        amount: 900,
        currency: "usd",
        payment_method: "pm_card_chargeDeclined",
        confirm: true,
      }),
    ).rejects.toThrow();
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
    await stripe.subscriptions.update(subscription.id, { metadata: { seats: "2" } });
    await stripe.subscriptions.cancel(subscription.id);
    await stripe.customers.update(customer.id, { name: "A later name" });
  }
}

async function pendingOf(database: Database): Promise<unknown> {
  const text =
    "select (select count(*) from stripe_event_queue)::int + (select count(*) from stripe_fetches)::int as pending";
  const { rows } = await database.query<{ pending: number }>({ text, values: [] });
  return rows[0]?.pending;
}
