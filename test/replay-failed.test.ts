// An event that was processed stays part of its object's history, also when it is replayed and that fails for good.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import type { Difference } from "../src/inbox/rebuild.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { replayEvent, replayRange } from "../src/inbox/replay.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

describe.each(BOTH)("a replay that fails for good, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    await pipe.database.query(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$",
    );
  });
  afterAll(() => pipe.close());

  const OPEN = { status: "open", amount_paid: 0 };
  const arrival = (invoice: string, number: number, type: string, state: Record<string, unknown>): Arrival => ({
    event: {
      ...event(type, newInvoice({ id: invoice, ...state }), {
        ...{ id: `evt_${invoice}_${String(number)}`, created: BEGIN + number, apiVersion: NEW_API },
      }),
    },
  });
  const statusOf = async (invoice: string): Promise<unknown> =>
    (await pipe.database.query({ text: "select status from invoices where id = $1", values: [invoice] })).rows[0];
  const outcomeOf = async (id: string): Promise<unknown> =>
    (await pipe.database.query({ text: "select status from stripe_event_outcomes where event_id = $1", values: [id] }))
      .rows[0];
  /** What the database refuses meanwhile is given up after one attempt. */
  async function refusing(work: () => Promise<unknown>): Promise<void> {
    await pipe.database.query(
      "create trigger refuse before insert or update on invoices for each row execute function refuse()",
    );
    await work();
    await pipe.drain({ maxAttempts: 1 });
    await pipe.database.query("drop trigger refuse on invoices");
  }
  async function differences(): Promise<Difference[]> {
    const found: Difference[] = [];
    const { database, platformTenant } = pipe;
    await rebuild({
      ...{ database, clock: systemClock, platformTenant, check: true, onProgress: () => undefined },
      onDifference: (difference) => found.push(difference),
    });
    return found;
  }

  it.each([
    ["by its id", (id: string) => replayEvent(pipe.database, id)],
    [
      "in a range",
      (id: string) =>
        replayRange(pipe.database, { types: ["invoice.paid"], objectId: id.split("_").slice(1, 3).join("_") }),
    ],
  ])("%s leaves what it said in the row, in a rebuild and in whatever is folded later", async (_, replay) => {
    const invoice = `in_${kind}${String(await count())}`;
    await pipe.arrive([arrival(invoice, 1, "invoice.finalized", OPEN), arrival(invoice, 2, "invoice.paid", PAID)]);
    await pipe.drain();
    const paid = `evt_${invoice}_2`;
    await refusing(() => replay(paid));
    expect(await outcomeOf(paid)).toEqual({ status: "failed" });
    // Failed again, it is still one that had been taken in.
    await refusing(() => replay(paid));
    expect([await outcomeOf(paid), await differences()]).toEqual([{ status: "failed" }, []]);
    await pipe.arrive([arrival(invoice, 3, "invoice.updated", { ...PAID, metadata: { late: "1" } })]);
    await pipe.drain();
    await replayEvent(pipe.database, `evt_${invoice}_1`);
    await pipe.drain();
    expect([await statusOf(invoice), await differences()]).toEqual([{ status: "paid" }, []]);
    await replay(paid);
    await pipe.drain();
    expect([await outcomeOf(paid), await differences()]).toEqual([undefined, []]);
  });

  it("of one whose later API version came meanwhile leaves it, too", async () => {
    const invoice = `in_${kind}_newer`;
    await pipe.arrive([arrival(invoice, 1, "invoice.finalized", OPEN), arrival(invoice, 2, "invoice.paid", PAID)]);
    await pipe.drain();
    const paid = arrival(invoice, 2, "invoice.paid", PAID) as { event: Record<string, unknown> };
    const newer = { event: { ...paid.event, api_version: "2999-01-01.later" } };
    await refusing(() => pipe.arrive([newer]));
    expect(await outcomeOf(`evt_${invoice}_2`)).toEqual({ status: "failed" });
    await replayEvent(pipe.database, `evt_${invoice}_1`);
    await pipe.drain();
    expect(await statusOf(invoice)).toEqual({ status: "paid" });
    await replayEvent(pipe.database, `evt_${invoice}_2`);
    await pipe.drain();
    expect([await statusOf(invoice), await differences()]).toEqual([{ status: "paid" }, []]);
  });

  it("of one that was never taken in leaves it out, as before", async () => {
    const invoice = `in_${kind}_never`;
    await pipe.arrive([arrival(invoice, 1, "invoice.finalized", OPEN)]);
    await pipe.drain();
    const paid = `evt_${invoice}_2`;
    await refusing(() => pipe.arrive([arrival(invoice, 2, "invoice.paid", PAID)]));
    await refusing(() => replayEvent(pipe.database, paid));
    await replayEvent(pipe.database, `evt_${invoice}_1`);
    await pipe.drain();
    expect([await outcomeOf(paid), await statusOf(invoice), await differences()]).toEqual([
      { status: "failed" },
      { status: "open" },
      [],
    ]);
    await replayEvent(pipe.database, paid);
    await pipe.drain();
    expect([await statusOf(invoice), await differences()]).toEqual([{ status: "paid" }, []]);
  });

  const count = async (): Promise<number> =>
    (await pipe.database.query<{ count: number }>("select count(*)::int as count from stripe_events")).rows[0]?.count ??
    0;
});
