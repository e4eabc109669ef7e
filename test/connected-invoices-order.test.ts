// A connected-account invoice ends in one state, whatever the order in which Stripe's events and its answer to us come in.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { insertConnectedInvoice, recordProgress } from "../src/connections/connected-invoice-table.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

const ACCOUNT = "acct_order";
const LEASE = { name: "node_order", seconds: 60 };

/** What happens to an invoice after it was finalized, one thing after the other. */
type Turn = "failed" | "paid" | "void" | "uncollectible";
const LIVES: readonly (readonly Turn[])[] = [
  [],
  ["failed"],
  ["paid"],
  ["void"],
  ["uncollectible"],
  ["failed", "paid"],
  ["failed", "failed", "paid"],
  ["failed", "void"],
  ["failed", "uncollectible"],
  ["uncollectible", "paid"],
  ["failed", "uncollectible", "paid"],
  ["uncollectible", "void"],
];

/** Each event of this life, one second after the other, as the connected account's. */
function eventsOf(id: string, madeFor: string | undefined, turns: readonly Turn[]) {
  let object = newInvoice({
    id,
    status: "draft",
    number: null,
    customer: "cus_order",
    metadata: madeFor === undefined ? { by: "hand" } : { billhook_invoice: madeFor, order: "17" },
    amount_paid: 0,
    attempt_count: 0,
    total: 3100,
    amount_due: 3100,
  });
  let second = BEGIN;
  const tell = (type: string, changes: object) => {
    second += 1;
    object = { ...object, ...changes };
    const told = { id: `evt_${type}_${String(second)}_${id}`, created: second, apiVersion: NEW_API };
    return { event: { ...event(type, object, { ...told, account: ACCOUNT }) } };
  };
  const arrivals = [
    tell("invoice.created", {}),
    tell("invoice.finalized", { status: "open", number: "N-1", hosted_invoice_url: "https://example.com/i" }),
  ];
  let attempts = 0;
  for (const turn of turns) {
    if (turn === "failed") arrivals.push(tell("invoice.payment_failed", { attempt_count: (attempts += 1) }));
    if (turn === "void") arrivals.push(tell("invoice.voided", { status: "void" }));
    if (turn === "uncollectible") arrivals.push(tell("invoice.marked_uncollectible", { status: "uncollectible" }));
    if (turn === "paid") {
      const paid_at = second + 1;
      const status_transitions = { finalized_at: BEGIN + 2, paid_at, voided_at: null, marked_uncollectible_at: null };
      arrivals.push(tell("invoice.paid", { status: "paid", amount_paid: 3100, status_transitions }));
    }
  }
  return arrivals;
}

function expectedOf(turns: readonly Turn[]) {
  const last = turns.findLast((turn) => turn !== "failed");
  const status = last ?? (turns.length > 0 ? "payment_failed" : "pending");
  const paidAt = last === "paid" ? new Date((BEGIN + 2 + turns.length) * 1000) : null;
  return { status, paid_at: paidAt, amount_paid: last === "paid" ? 3100 : 0, number: "N-1" };
}

describe.each(BOTH)("the state of a connected-account invoice, %s database", (kind) => {
  let pipe: Pipe;
  let tenantId: string;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    tenantId = newId("ten");
    await pipe.database.query({
      text: "insert into tenants (id, company_name) values ($1, 'Order')",
      values: [tenantId],
    });
    await pipe.database.transaction((tx) => connectAccount(tx, tenantId, { livemode: false, account: ACCOUNT }));
  });
  afterAll(() => pipe.close());

  const begin = (id: string) =>
    pipe.database.transaction((tx) =>
      insertConnectedInvoice(
        tx,
        {
          ...{ tenantId, id, livemode: false, account: ACCOUNT, requestKey: null, createdBy: null },
          ...{ customerEmail: "a@example.com", customerName: null, currency: "usd", memo: "Ours", total: 3100 },
          ...{ items: [{ description: "a", amount: 3100, quantity: 1 }], metadata: { order: "17" } },
          ...{ daysUntilDue: 30, applicationFeePercent: 15, applicationFeeAmount: 465 },
        },
        LEASE,
      ),
    );
  /** Stripe's answer to our own calls, written down at last. */
  const answer = (id: string, stripeInvoiceId: string) =>
    pipe.database.transaction((tx) =>
      recordProgress(tx, { tenantId, id }, LEASE, {
        invoice: {
          id: stripeInvoiceId,
          ...{
            finalized: true,
            number: "N-1",
            hostedInvoiceUrl: "https://example.com/i",
            invoicePdf: null,
            dueAt: null,
          },
        },
        stage: "made",
      }),
    );
  const recordOf = async (stripeInvoiceId: string): Promise<unknown[]> => {
    const text = `select origin, status, paid_at, amount_paid, number, total, memo, metadata, application_fee_amount, stage
      from connected_invoices where stripe_invoice_id = $1`;
    return (await pipe.database.query({ text, values: [stripeInvoiceId] })).rows;
  };

  let runs = 0;
  const order = fc.array(fc.nat(), { minLength: 12, maxLength: 12 });
  it("is the same for every order, duplication and cut, with our answer before, between or after", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LIVES),
        fc.boolean(),
        order,
        fc.array(fc.nat(7), { maxLength: 4 }),
        fc.array(fc.nat(8), { maxLength: 3 }),
        fc.nat(8),
        async (turns, ours, places, again, cuts, answered) => {
          const stripeId = `in_order${String((runs += 1))}_${kind}`;
          const id = newId("cinv");
          if (ours) await begin(id);
          const events: Arrival[] = eventsOf(stripeId, ours ? id : undefined, turns);
          const twice = again.flatMap((place) => events.slice(place, place + 1));
          const shuffled = [...events, ...twice]
            .map((arrival, index) => ({ arrival, place: places[index % places.length] ?? 0, index }))
            .sort((a, b) => a.place - b.place || b.index - a.index)
            .map(({ arrival }) => arrival);
          for (const [index, arrival] of shuffled.entries()) {
            if (ours && index === answered) await answer(id, stripeId);
            await pipe.arrive([arrival]);
            if (cuts.includes(index)) await pipe.drain();
          }
          await pipe.drain();
          if (ours && answered >= shuffled.length) await answer(id, stripeId);
          const own = ours
            ? {
                origin: "billhook",
                memo: "Ours",
                metadata: { order: "17" },
                application_fee_amount: 465,
                stage: "made",
              }
            : { origin: "stripe", metadata: { by: "hand" }, application_fee_amount: null, stage: "made" };
          expect(await recordOf(stripeId)).toEqual([
            expect.objectContaining({ ...own, ...expectedOf(turns), total: 3100 }),
          ]);
        },
      ),
      { numRuns: kind === "embedded" ? 60 : 120 },
    );
  }, 120_000);

  it("is what a rebuild makes of it too: nothing changes, what was wrong is mended, and no record is added", async () => {
    const all = async (): Promise<unknown[]> =>
      (
        await pipe.database.query(
          "select to_jsonb(record) - 'updated_at' as record from connected_invoices as record order by id",
        )
      ).rows;
    const again = () =>
      rebuild({
        ...{ database: pipe.database, clock: systemClock, platformTenant: pipe.platformTenant, check: false },
        ...{ onProgress: () => undefined, onDifference: () => undefined },
      });
    const before = await all();
    expect(before.length).toBeGreaterThan(20);
    await again();
    expect(await all()).toEqual(before);
    await pipe.database.query("update connected_invoices set status = 'void', amount_paid = 1, paid_at = now()");
    await again();
    expect(await all()).toEqual(before);
    const queues = await pipe.database.query("select from stripe_event_queue union all select from stripe_fetches");
    expect(queues.rowCount).toBe(0);
  });

  it("a draft, ours or not, and one that was deleted as a draft, make no record of their own", async () => {
    const draft = newInvoice({ id: "in_draft", status: "draft", metadata: {} });
    const told = { created: BEGIN, apiVersion: NEW_API, account: ACCOUNT };
    await pipe.arrive([
      { event: { ...event("invoice.created", draft, { ...told, id: "evt_draft" }) } },
      { event: { ...event("invoice.deleted", draft, { ...told, id: "evt_undraft", created: BEGIN + 1 }) } },
    ]);
    await pipe.drain();
    expect(await recordOf("in_draft")).toEqual([]);
  });

  it("metadata that names another tenant's record, or one that has its invoice, takes nothing over", async () => {
    const [mine, others] = [newId("cinv"), newId("cinv")];
    await begin(mine);
    await answer(mine, "in_mine");
    const other = newId("ten");
    await pipe.database.query({ text: "insert into tenants (id) values ($1)", values: [other] });
    await pipe.database.query({
      text: `insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, currency, items, total, stage)
        values ($1, $2, false, $3, 'billhook', 'usd', '[]', 1, 'making')`,
      values: [other, others, ACCOUNT],
    });
    await pipe.arrive([...eventsOf("in_copy", mine, ["paid"]), ...eventsOf("in_false", others, ["paid"])]);
    await pipe.drain();
    for (const id of ["in_copy", "in_false"])
      expect(await recordOf(id)).toEqual([expect.objectContaining({ origin: "stripe", status: "paid" })]);
    const { rows } = await pipe.database.query({
      text: "select id, status, stripe_invoice_id from connected_invoices where id = any ($1) order by id",
      values: [[mine, others]],
    });
    expect(rows).toEqual([
      { id: mine, status: "pending", stripe_invoice_id: "in_mine" },
      { id: others, status: "pending", stripe_invoice_id: null },
    ]);
  });

  it("who has lost the lease writes nothing down", async () => {
    const id = newId("cinv");
    await begin(id);
    const lost = { name: "node_other", seconds: 60 };
    const progress = { itemsMade: 1, stage: "made" } as const;
    expect(await recordProgress(pipe.database, { tenantId, id }, lost, progress)).toBeUndefined();
    expect(await recordProgress(pipe.database, { tenantId, id }, LEASE, { itemsMade: 0 })).toMatchObject({
      stage: "making",
      itemsMade: 0,
    });
  });

  it("a batch without connected accounts' invoices asks the database nothing more", async () => {
    const asked: string[] = [];
    const watched = {
      ...pipe.database,
      transaction: (work: (tx: typeof pipe.database) => Promise<unknown>, options?: object) =>
        pipe.database.transaction(
          (tx) =>
            work({
              ...pipe.database,
              query: (statement: string | { text: string }) => {
                asked.push(typeof statement === "string" ? statement : statement.text);
                return tx.query(statement);
              },
            }),
          options,
        ),
    } as typeof pipe.database;
    await pipe.arrive([
      { event: { ...event("invoice.paid", newInvoice({ id: "in_own", status: "paid" }), { id: "evt_own" }) } },
    ]);
    await pipe.drain({ database: watched });
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((text) => text.includes("connected_invoices"))).toEqual([]);
    expect(asked.filter((text) => text.includes("payment_failed"))).toEqual([]);
  });
});
