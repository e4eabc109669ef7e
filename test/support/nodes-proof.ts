// What must be true once a load on several nodes has ended: all that was answered is there, and each of its effects once.
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import type { Database } from "../../src/db/database.ts";
import { type Customer, invoiceId, type Load } from "./nodes-load.ts";
import type { Nodes } from "./nodes.ts";
import type { Arrival } from "./pipe.ts";
import { CREDITS, creditsOf, eventsOf, makeAccount, makePurchase, PRICE, type Turn } from "./purchase-lives.ts";
import { runBillhook } from "./run-billhook.ts";
import { OPERATOR_TOKEN } from "./serve.ts";

export interface Sales {
  /** What each purchase brings in the end. */
  credits: Map<string, number>;
  events: Arrival[];
}

/** So many purchases that people began, with what becomes of each: paid, refunded in part, disputed. */
export async function beginSales(database: Database, tenantId: string, count: number): Promise<Sales> {
  const sales: Sales = { credits: new Map(), events: [] };
  let accountId = "";
  for (let number = 0; number < count; number += 1) {
    if (number % 10 === 0) accountId = await makeAccount(database, tenantId);
    const { id, sessionId } = await makePurchase(database, { tenantId, accountId });
    const turns = LIVES[number % LIVES.length] ?? [];
    sales.credits.set(id, creditsOf({ turns }));
    const payment = { purchaseId: id, sessionId, slow: number % 3 === 0, old: number % 2 === 0, turns };
    sales.events.push(...eventsOf(payment));
  }
  return sales;
}

const LIVES: readonly (readonly Turn[])[] = [
  [],
  [{ what: "refund", amount: PRICE / 4, fails: false }],
  [{ what: "dispute", amount: PRICE, ends: "won" }],
  [],
  [
    { what: "refund", amount: PRICE / 5, fails: false },
    { what: "dispute", amount: PRICE / 2, ends: "lost" },
  ],
];

/** Resolves when no event waits. */
export async function drained(nodes: Nodes, atMostSeconds: number): Promise<void> {
  for (let left = atMostSeconds * 10; left > 0; left -= 1) {
    const text = await (await fetch(`${nodes.doors[0] ?? ""}/metrics`)).text();
    if (/^billhook_events_pending 0$/m.test(text)) return;
    await sleep(100);
  }
  throw new Error(`events stay in the queue: ${nodes.log()}`);
}

export interface Proven {
  database: Database;
  nodes: Nodes;
  load: Load;
  sales: Sales;
  customer: Customer;
}

/** The load has finished, and the queue is empty. */
export async function expectAllOnce({ database, nodes, load, sales, customer }: Proven): Promise<void> {
  expect(load.unexpected.slice(0, 5)).toEqual([]);
  const rows = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.query<Row>({ text, values })).rows;
  const stored = (await rows<{ id: string }>("select id from stripe_events")).map(({ id }) => id);
  expect(new Set(stored).size).toBe(stored.length);
  const ids = new Set(stored);
  expect([...load.answered].filter((id) => !ids.has(id))).toEqual([]);
  expect(await rows("select * from stripe_event_queue")).toEqual([]);
  expect(await rows("select * from stripe_event_outcomes")).toEqual([]);

  const paid = Array.from({ length: load.invoices }, (_, number) => invoiceId(number)).sort();
  const told = async (type: string): Promise<(string | null)[]> =>
    (await rows<{ id: string }>("select object_id as id from events where type = $1 order by 1", [type])).map(
      ({ id }) => id,
    );
  expect((await rows<{ id: string }>(PAID_INVOICES)).map(({ id }) => id)).toEqual(paid);
  expect(await told("invoice.paid")).toEqual(paid);
  expect(await told("payment.succeeded")).toEqual([...sales.credits.keys()].map((id) => `pi_${id}`).sort());

  const bought = await rows<{ id: string; credits: number; grants: number; told: boolean }>(BOUGHT);
  expect(new Map(bought.map(({ id, credits }) => [id, credits]))).toEqual(sales.credits);
  expect(bought.filter(({ grants, told: once }) => grants !== CREDITS || !once)).toEqual([]);
  const spent = (await rows<{ source: string }>(SPENT, [customer.accountId])).map(({ source }) => source.slice(4));
  expect(spent.sort()).toEqual([...load.spent].sort());
  expect(await rows("select balance from credit_balances where account_id = $1", [customer.accountId])).toEqual([
    { balance: customer.granted - load.spent.size },
  ]);
  for (const command of [
    ["ledger", "verify"],
    ["rebuild", "--check"],
  ]) {
    const ended = await runBillhook([...command, "--url", nodes.doors[0] ?? ""], { OPERATOR_TOKEN });
    expect([command, ended.code, ended.code === 0 ? "" : ended.out + ended.err]).toEqual([command, 0, ""]);
  }
}

const PAID_INVOICES = "select id from invoices where status = 'paid' order by id";

const BOUGHT = `
  select purchase_id as id, sum(amount)::bigint as credits,
         sum(amount) filter (where kind = 'purchase')::bigint as grants,
         (select count(*) from events where type = 'credit.purchased' and position(purchase_id in object) > 0) = 1 as told
  from credit_entries where purchase_id is not null group by purchase_id`;

const SPENT = "select source from credit_entries where account_id = $1 and kind = 'spend'";
