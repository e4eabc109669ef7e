// The billing log of one customer has what names it and what is only known to be its own, in pages that neither lose nor repeat.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { billingLog, type LogFilter } from "../src/inbox/billing-log.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { planWatch } from "./support/plan-watch.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";

/** The events of one customer, a second each; the first five name it, and the first of its last refund. */
function storyOf(name: string): Arrival[] {
  const [customer, charge, intent, invoice] = [`cus_${name}`, `ch_${name}`, `pi_${name}`, `in_${name}`];
  const sums = { created: BEGIN, currency: "usd", amount: 5 };
  const paidBy = { type: "payment_intent", payment_intent: intent };
  const steps: [string, Record<string, unknown>][] = [
    ["customer.created", { id: customer, object: "customer" }],
    ["payment_method.attached", { id: `pm_${name}`, object: "payment_method", type: "card", customer }],
    ["invoice.created", { id: invoice, object: "invoice", status: "open", customer }],
    ["payment_intent.succeeded", { id: intent, object: "payment_intent", status: "succeeded", customer }],
    [
      "charge.succeeded",
      { id: charge, object: "charge", status: "succeeded", customer, payment_intent: intent, amount_refunded: 0 },
    ],
    [
      "invoice_payment.paid",
      { id: `inpay_${name}`, object: "invoice_payment", status: "paid", invoice, payment: paidBy },
    ],
    ["refund.created", { id: `re_${name}`, object: "refund", status: "pending", charge }],
    ["refund.updated", { id: `re_${name}`, object: "refund", status: "succeeded", charge }],
    ["charge.dispute.created", { id: `dp_${name}`, object: "dispute", status: "needs_response", charge }],
    ["payment_method.detached", { id: `pm_${name}`, object: "payment_method", type: "card", customer: null }],
    ["refund.created", { id: `re_${name}_paid`, object: "refund", charge: null, payment_intent: intent }],
    ["refund.created", { id: `re_${name}_named`, object: "refund", status: "pending", charge: null, customer }],
    ["refund.updated", { id: `re_${name}_named`, object: "refund", status: "succeeded", charge: null }],
    ["charge.dispute.created", { id: `dp_${name}_paid`, object: "dispute", charge: "ch_?", payment_intent: intent }],
  ];
  return steps.map(([type, object], at) => {
    const previous = type === "payment_method.detached" ? { previous: { customer } } : {};
    const id = `evt_${name}_${String(at)}`;
    return {
      event: { ...event(type, { ...sums, ...object }, { id, created: BEGIN + at, apiVersion: NEW_API, ...previous }) },
    };
  });
}

describe.each(BOTH)("the billing log of a customer, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    await pipe.arrive([...storyOf("one"), ...storyOf("two")]);
    await pipe.drain();
  });
  afterAll(() => pipe.close());

  async function idsOf(filter: Omit<LogFilter, "limit">, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await billingLog(pipe.database, { ...filter, limit, cursor });
      expect(page.data.length).toBeLessThanOrEqual(limit);
      ids.push(...page.data.map((entry) => entry.event_id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return ids;
  }
  const downTo = (from: number, to: number): string[] =>
    Array.from({ length: from - to + 1 }, (_, at) => `evt_one_${String(from - at)}`);

  it("has the detaching of a payment method, which names the customer only as whose it was", async () => {
    expect(await idsOf({ customer: "cus_one", objectId: "pm_one" }, 10)).toEqual(["evt_one_9", "evt_one_1"]);
  });

  it.each([1, 2, 3, 100])("has refunds, disputes and invoice payments, in pages of %i", async (limit) => {
    expect(await idsOf({ customer: "cus_one" }, limit)).toEqual(downTo(13, 0));
    expect(await idsOf({ customer: "cus_one", since: BEGIN + 5, until: BEGIN + 8 }, limit)).toEqual(downTo(7, 5));
    expect(await idsOf({ customer: "cus_one", account: "", livemode: false }, limit)).toEqual(downTo(13, 0));
    expect(await idsOf({ customer: "cus_one", livemode: true }, limit)).toEqual([]);
    expect(await idsOf({ customer: "cus_one", objectId: "re_one" }, limit)).toEqual(downTo(7, 6));
    expect(await idsOf({ customer: "cus_one", objectId: "re_two" }, limit)).toEqual([]);
    expect(await idsOf({ customer: "cus_one", objectId: "re_one_named" }, limit)).toEqual(downTo(12, 11));
  });
});

const RETURNED = 100;
const OTHERS = 10_000;

describe.each(BOTH)("a customer with a hundred refunded charges, %s database", (kind) => {
  it("has a page that does not grow with the refunds of others, also before the tables were ever analyzed", async () => {
    const pipe = await openPipe(kind);
    await pipe.arrive([...storyOf("base"), ...storyOf("few")]);
    await pipe.drain();
    const copies = (table: string, base: string, prefix: string, many: number, fields: string): string => `
      insert into ${table} select one.* from ${table} as base cross join generate_series(1, ${many}) as n
      cross join jsonb_populate_record(base, jsonb_build_object('id', '${prefix}' || n, 'stripe_created', '2020-01-01', ${fields})) as one
      where base.id = '${base}'`;
    await pipe.database.query(copies("charges", "ch_base", "ch_own_", RETURNED, "'amount_refunded', 1"));
    await pipe.database.query(copies("refunds", "re_base", "re_own_", RETURNED, "'charge_id', 'ch_own_' || n"));
    await pipe.database.query(copies("payment_intents", "pi_base", "pi_own_", RETURNED, "'amount', 1"));
    await pipe.database.query(
      copies("refunds", "re_base", "re_paid_", RETURNED, "'payment_intent_id', 'pi_own_' || n"),
    );
    await pipe.database.query(copies("refunds", "re_base_named", "re_named_", RETURNED, "'amount', 1"));
    await pipe.database.query(copies("refunds", "re_base", "re_other_", OTHERS, "'charge_id', 'ch_other_' || n"));
    const watch = planWatch();
    const page = await billingLog(watch.watched(pipe.database), { customer: "cus_base", limit: 20 });
    expect(page.data).toHaveLength(14);
    const pages = watch.taken().reduce((sum, one) => sum + one.pages, 0);
    // Three levels of an index and a row, for each of two hundred charges, a hundred payments and a hundred invoices, and some more.
    expect([pages < 5000, pages]).toEqual([true, pages]);
    await pipe.close();
  }, 60_000);
});

const EVENTS = 2000;

it("a page of a customer with a refund of thousands of events reads some hundred of them", async () => {
  const pipe = await openPipe("server");
  const refund = { id: "re_many", object: "refund", created: BEGIN, currency: "usd", amount: 5, charge: "ch_many" };
  const updates = Array.from({ length: EVENTS }, (_, at) => {
    const told = { id: `evt_re_${String(at)}`, created: BEGIN + 100 + at, apiVersion: NEW_API };
    return { event: { ...event("refund.updated", { ...refund, metadata: { at: String(at) } }, told) } };
  });
  await pipe.arrive([...storyOf("many"), ...storyOf("few"), ...updates]);
  await pipe.drain({ batchSize: 500 });
  await pipe.database.query("analyze");
  const watch = planWatch();
  const first = await billingLog(watch.watched(pipe.database), { customer: "cus_many", limit: 20 });
  const cursor = first.next_cursor ?? "";
  const second = await billingLog(watch.watched(pipe.database), { customer: "cus_many", limit: 20, cursor });
  const touched = watch.taken().reduce((sum, one) => sum + one.touched, 0);
  expect([touched < 1400, touched]).toEqual([true, touched]);
  expect([first.data.length, second.data.at(-1)?.event_id]).toEqual([20, `evt_re_${String(EVENTS - 40)}`]);
  await pipe.close();
}, 60_000);
