// Promise 2 where the past comes in, too: by an import, or by an object that was there before its tenant was told of anything.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { connectAccount } from "../src/connections/connection-table.ts";
import type { StripeObject } from "../src/projections/observation.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, DAY, event, type EventOptions } from "./support/stripe-fixtures.ts";
import { newInvoice, newSubscription, PAID } from "./support/stripe-fixtures-billing.ts";
import { newPayout } from "./support/stripe-fixtures-connect.ts";
import { newCharge, newRefund } from "./support/stripe-fixtures-payments.ts";

describe.each(BOTH)("what is told of what was there before, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const says = (type: string, object: StripeObject, options: EventOptions): Arrival => ({
    event: { ...event(type, object, options) },
  });
  const imports = (object: StripeObject, asOf: number): Arrival => ({
    fetched: {
      ...{ livemode: false, account: "", object, asOf, apiVersion: null },
      type: `${String(object.object)}.imported`,
    },
  });

  async function inTurn(...arrivals: Arrival[]): Promise<void> {
    for (const arrival of arrivals) {
      await pipe.arrive([arrival]);
      await pipe.drain();
    }
  }

  async function typesOf(objectId: string): Promise<string[]> {
    const { rows } = await pipe.database.query<{ type: string }>({
      text: "select type from events where object_id = $1 order by type",
      values: [objectId],
    });
    return rows.map(({ type }) => type);
  }

  it("an import tells nothing of what nobody knew before", async () => {
    const active = newSubscription({ id: "sub_unheard", status: "past_due" });
    await inTurn(imports(active, BEGIN + 11), imports(active, BEGIN + 20));
    expect(await typesOf("sub_unheard")).toEqual([]);
  });

  it("says of a thing that it happened when its object says so, whichever event tells of it first", async () => {
    const times = { finalized_at: BEGIN + 5, paid_at: BEGIN + 10, voided_at: null, marked_uncollectible_at: null };
    const toldIn = async (id: string, ...order: ("paid" | "updated")[]): Promise<unknown> => {
      const invoice = newInvoice({ id, ...PAID, status_transitions: times });
      const arrivals = {
        paid: says("invoice.paid", invoice, { created: BEGIN + 11 }),
        updated: says("invoice.updated", { ...invoice, metadata: { a: "1" } }, { created: BEGIN + 5 * DAY }),
      };
      await inTurn(...order.map((name) => arrivals[name]));
      const { rows } = await pipe.database.query({
        text: `select type, extract(epoch from created)::float8 as at from events
               where object_id = $1 and type <> 'invoice.updated' order by type`,
        values: [id],
      });
      return rows;
    };
    const expected = [
      { type: "invoice.finalized", at: BEGIN + 5 },
      { type: "invoice.paid", at: BEGIN + 10 },
    ];
    expect(await toldIn("in_first_paid", "paid", "updated")).toEqual(expected);
    expect(await toldIn("in_first_updated", "updated", "paid")).toEqual(expected);
  });

  it("what an import was first to bring is told when its own event comes behind", async () => {
    const asOf = BEGIN + 400 * DAY;
    const invoice = newInvoice({
      ...{ id: "in_overtaken", ...PAID },
      status_transitions: { finalized_at: BEGIN, paid_at: asOf - 2 },
    });
    await inTurn(imports(invoice, asOf), says("invoice.paid", invoice, { created: asOf - 1 }));
    expect(await typesOf("in_overtaken")).toContain("invoice.paid");
  });

  it("what an account was before its connection is no news when a change of something else says it again", async () => {
    const account = `acct_restated_${kind}`;
    await pipe.database.query("insert into tenants (id) values ('ten_restated')");
    await connectAccount(pipe.database, "ten_restated", { livemode: false, account });
    const now = Math.floor(Date.now() / 1000) + 5;
    const later = (type: string, object: StripeObject, previous: StripeObject, id = String(object.id)): Arrival =>
      says(type, { ...object, id }, { account, created: now, previous });
    const payout = newPayout({ status: "paid" });
    const refund = newRefund({ status: "succeeded" });
    const pastDue = newSubscription({ status: "past_due" });
    const charge = newCharge({ payment_intent: null, amount_refunded: 100 });
    await inTurn(
      later("payout.updated", payout, { metadata: {} }, "po_said"),
      later("refund.updated", refund, { metadata: {} }, "re_said"),
      later("customer.subscription.updated", pastDue, { metadata: {} }, "sub_said"),
      later("charge.refunded", charge, { amount_refunded: 0 }, "ch_said"),
      later("payout.paid", payout, { status: "in_transit" }, "po_news"),
      later("refund.updated", refund, { status: "pending" }, "re_news"),
      later("customer.subscription.updated", pastDue, { latest_invoice: "in_0" }, "sub_news"),
      later("charge.succeeded", charge, { amount_refunded: 0 }, "ch_news"),
    );
    const { rows } = await pipe.database.query<{ said: string }>({
      text: `select object_id || ' ' || type as said from events where tenant_id = 'ten_restated' and type <> 'subscription.updated'
               and (object_id like '%_said' or object_id like '%_news') order by object_id`,
    });
    expect(rows.map(({ said }) => said)).toEqual([
      ...[
        "ch_news charge.succeeded",
        "po_news payout.paid",
        "re_news refund.updated",
        "sub_news subscription.past_due",
      ],
    ]);
  });
});
