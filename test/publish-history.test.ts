// Promise 2 where the past comes in, too: by an import, or by an object that was there before its tenant was told of anything.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { StripeObject } from "../src/projections/observation.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, DAY, event, type EventOptions } from "./support/stripe-fixtures.ts";
import { newInvoice, newSubscription, PAID } from "./support/stripe-fixtures-billing.ts";

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

  it("an import that learns of a change first tells it: the event that says so is too late by then", async () => {
    const trialing = newSubscription({ id: "sub_swallowed", status: "trialing" });
    const active = { ...trialing, status: "active" };
    const created = says("customer.subscription.created", trialing, { created: BEGIN });
    const updated = says("customer.subscription.updated", active, {
      ...{ created: BEGIN + 10, previous: { status: "trialing" } },
    });
    await inTurn(created, imports(active, BEGIN + 11), updated, imports(active, BEGIN + 20));
    expect(await typesOf("sub_swallowed")).toEqual(["subscription.created", "subscription.updated"]);
  });

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
});
