// What an operator has before them, for tests in a browser: a sandbox's sales, the first invoice of the examples, a failed
// event and one that nobody owns, a refund and a dispute, kept mails, a payment that needs a decision, and some thousand customers.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { manualClock, systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { countDays } from "../../src/billing/daily-figures.ts";
import { activity } from "../../src/inbox/activity-counts.ts";
import { sendOnce } from "../../src/mail/send-mail.ts";
import { every } from "../../src/work/schedule.ts";
import { scheduledRuns } from "../../src/work/scheduled-runs.ts";
import type { Door } from "./api-door.ts";
import { browseDashboard, type DashboardScene, newOperator, type TestPerson } from "./dashboard-browser.ts";
import { builtDashboard } from "./dashboard-build.ts";
import { INVOICE } from "./connected-invoice-scene.ts";
import { newEmail, registerPerson, send } from "./people.ts";
import { openPurchaseScene, pay, type PurchaseScene, sessionElsewhere } from "./purchase-scene.ts";
import { event, NEW_API } from "./stripe-fixtures.ts";
import { newCustomer, newInvoice, PAID } from "./stripe-fixtures-billing.ts";
import { newCharge, newDispute, newPaymentIntent, newRefund } from "./stripe-fixtures-payments.ts";

const FIRST_INVOICE = join(import.meta.dirname, "../../examples/first-invoice");
export const MANY = 3000;

export interface OperatorScene extends DashboardScene {
  operator: TestPerson;
  sale: PurchaseScene;
  /** Bought as a stranger: welcomed by a mail that is kept. */
  stranger: string;
  /** Somebody with an account, whose payment elsewhere needs a decision. */
  unsure: string;
  /** The account of the unsure. */
  account: string;
  /** Ids of what a connected tenant has. */
  theirs: Theirs;
}

export interface Theirs {
  endpoint: string;
  invoice: string;
  plan: string;
  pack: string;
}

export async function openOperatorScene(): Promise<OperatorScene> {
  const dashboard = await builtDashboard();
  const corsOrigins: string[] = [];
  const sale = await openPurchaseScene("embedded", { dashboard, corsOrigins });
  const { door } = sale;
  const [stranger, unsure] = [newEmail(), newEmail()];
  const operator = await newOperator(door);
  await listening(door, operator);
  await firstInvoice(door);
  const theirs = await connected(sale);
  await sales(sale, stranger, unsure);
  await taken(door);
  await unrouted(door);
  await failing(door);
  await many(door);
  await keepMails(door);
  await figures(door);
  const { rows } = await door.pipe.database.query<{ id: string }>({
    text: "select account.id from accounts as account join people as person on person.id = account.person_id where person.email = $1 and not account.livemode",
    values: [unsure],
  });
  const browsed = await browseDashboard(door, corsOrigins);
  return {
    ...browsed,
    ...{ operator, sale, stranger, unsure, theirs, account: rows[0]?.id ?? "" },
    close: async () => {
      await browsed.browser.close();
      await sale.close();
    },
  };
}

/** An endpoint of the platform's own: what happens from now on waits to be delivered there. */
async function listening(door: Door, { access: token }: TestPerson): Promise<void> {
  const body = { url: "https://receiver.example/webhooks", enabled_events: ["*"], livemode: null };
  expect((await send(door, "POST", "/api/v1/webhook-endpoints/", { token, body })).status).toBe(201);
}

const PLAN = { name: "Gold", key: "gold", amount: 1900, currency: "usd", billing_interval: "month" };

/** A tenant with an endpoint, an invoice on its connected account, a plan and a pack; and a plan of the platform's. */
async function connected({ door, tenant, operator, packs }: PurchaseScene): Promise<Theirs> {
  const made = async (path: string, token: string, body: object): Promise<string> => {
    const answer = await send(door, "POST", path, { token, body });
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    return String(answer.json.id);
  };
  const key = tenant.keys.test_secret;
  await made("/api/v1/plans/", operator.access, PLAN);
  return {
    invoice: await made("/accounts/invoices/", key, INVOICE),
    plan: await made("/api/v1/plans/", key, { ...PLAN, name: "Theirs" }),
    pack: packs.tenant.id,
    // After all else: what happened before is told to nobody.
    endpoint: await made("/api/v1/webhook-endpoints/", key, { url: "https://theirs.example/webhooks" }),
  };
}

async function firstInvoice(door: Door): Promise<void> {
  for (const file of readdirSync(FIRST_INVOICE).sort())
    expect((await door.webhook(readFileSync(join(FIRST_INVOICE, file)))).status).toBe(200);
  await door.pipe.drain();
}

async function sales(sale: PurchaseScene, stranger: string, unsure: string): Promise<void> {
  const { sandbox, packs, settle, door } = sale;
  const price = packs.platform.price_id;
  await registerPerson(door, unsure);
  for (const email of [stranger, unsure])
    await pay(sale, await sessionElsewhere(sale, price, { customer_email: email }));
  const { id: customer } = await sandbox.stripe.customers.create({ email: newEmail(), name: "Sub Scriber" });
  const { id: method } = await sandbox.stripe.paymentMethods.attach("pm_card_visa", { customer });
  const { id: monthly } = await sandbox.stripe.prices.create({
    ...{ currency: "usd", unit_amount: 2900, recurring: { interval: "month" } },
    product_data: { name: "Monthly" },
  });
  await sandbox.stripe.subscriptions.create({ customer, default_payment_method: method, items: [{ price: monthly }] });
  await settle();
}

/** A payment of the first customer's: a part of it refunded, the whole disputed. */
async function taken(door: Door): Promise<void> {
  const payment = { customer: "cus_first", latest_charge: "ch_taken" };
  const of = { charge: "ch_taken", payment_intent: "pi_taken" };
  for (const [type, object] of [
    ["payment_intent.succeeded", newPaymentIntent({ id: "pi_taken", ...payment })],
    ["charge.succeeded", newCharge({ id: "ch_taken", customer: "cus_first", payment_intent: "pi_taken" })],
    ["refund.created", newRefund({ id: "re_taken", ...of })],
    ["charge.dispute.created", newDispute({ id: "dp_taken", ...of })],
  ] as const)
    expect((await door.webhook(JSON.stringify(event(type, object, { apiVersion: NEW_API })))).status).toBe(200);
  await door.pipe.drain();
}

/** For an account that no tenant has connected. */
async function unrouted(door: Door): Promise<void> {
  const nobodys = { ...event("invoice.paid", newInvoice({ id: "in_nobodys", ...PAID }), { id: "evt_nobodys" }) };
  expect((await door.webhook(JSON.stringify({ ...nobodys, account: "acct_nobodys" }))).status).toBe(200);
  await door.pipe.drain();
}

/** A table that refuses this one customer, until its event has failed for good. */
async function failing(door: Door): Promise<void> {
  const { database } = door.pipe;
  await door.webhook(JSON.stringify(event("customer.updated", newCustomer({ id: "cus_fails" }), { id: "evt_fails" })));
  await database.query("alter table customers add constraint refuses check (id <> 'cus_fails')");
  for (let tries = 0; tries < 3; tries++) {
    await database.query("update stripe_event_queue set next_attempt_at = now()");
    await door.pipe.drain();
  }
  await database.query("alter table customers drop constraint refuses");
}

async function many(door: Door): Promise<void> {
  await door.pipe.database.query({
    text: `insert into customers (livemode, stripe_account, id, tenant_id, deleted, stripe_created, email, name, data,
                                  head_standing, head_created, head_kind, head_event_id, order_ambiguous)
           select false, '', 'cus_many' || n, $1, false, to_timestamp(1700000000 + n), 'many' || n || '@many.example',
                  'Customer ' || n, '{}', 0, 0, 0, 'evt_many' || n, false
           from generate_series(1, $2::int) as n`,
    values: [door.pipe.platformTenant, MANY],
  });
}

/** Without a mail server mails are kept, to be read in the dashboard. */
async function keepMails(door: Door): Promise<void> {
  await sendOnce({
    ...{ database: door.pipe.database, clock: systemClock, log: silentLog, sender: undefined, leaseSeconds: 30 },
    ...{ maxAttempts: 3, newLease: () => newId("node"), metrics: { attempted: () => undefined } },
  });
}

const MINUTE_MS = 60_000;
const SOON_SECONDS = 0.5;

/** What the background counts and notes: an hour of events, the days' money, and work that has run. */
async function figures(door: Door): Promise<void> {
  const { database } = door.pipe;
  for (let minute = 0; minute < 60; minute++) {
    const counts = activity(manualClock(Date.now() - minute * MINUTE_MS));
    const received = 40 + ((minute * 17) % 23);
    counts.count("received", received);
    counts.count("processed", received - (minute % 3));
    counts.count("failed", minute === 12 ? 5 : 0);
    counts.count("delivered", 30 + ((minute * 7) % 11));
    counts.count("given_up", minute === 20 ? 3 : 0);
    // For some minutes nobody looked.
    if (minute < 40 || minute > 44)
      counts.saw({ lag: 300 + ((minute * 37) % 90) * 10, oldest: minute === 12 ? 95_000 : 2000 });
    await counts.flush(database);
  }
  await countDays(database, systemClock);
  const runs = scheduledRuns(systemClock);
  const failing = async (): Promise<void> => {
    throw new Error("the disk is full");
  };
  await new Promise<void>((ended) => {
    const quiet = every(
      SOON_SECONDS,
      async () => undefined,
      runs.watched("retention", () => undefined),
    );
    const loud = every(
      SOON_SECONDS,
      failing,
      runs.watched("drift sample", () => {
        void Promise.all([quiet.stop(), loud.stop()]).then(() => ended());
      }),
    );
  });
  await runs.flush(database);
}
