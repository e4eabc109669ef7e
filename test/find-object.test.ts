// An object by its id alone: which of several places is shown, and why one has no row.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findObject } from "../src/inbox/find-object.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

describe.each(BOTH)("an object by its id, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const told = (id: string, second: number, account?: string) => {
    const sent = event("customer.updated", newCustomer({ id }), {
      id: `evt_${id}_${account ?? ""}`,
      created: BEGIN + second,
    });
    return { event: { ...sent, ...(account === undefined ? {} : { account }) } };
  };
  const thin = (id: string) => ({
    event: {
      ...{ id: `evt_${id}_thin`, object: "v2.core.event", type: "v1.customer.updated", livemode: false, context: null },
      created: new Date(BEGIN * 1000).toISOString(),
      related_object: { id, type: "customer", url: `/v1/customers/${id}` },
    },
  });
  const outcome = async (id: string, status: string): Promise<void> => {
    await pipe.database.query({
      text: `with gone as (delete from stripe_event_queue where event_id = $1)
             insert into stripe_event_outcomes (created, event_id, status, livemode)
             select created, id, $2, livemode from stripe_events where id = $1`,
      values: [id, status],
    });
  };
  const shown = async (id: string) => {
    const found = await findObject(pipe.database, id, {});
    return found === null
      ? null
      : [found.key.account, found.rowStatus, found.row?.id ?? null, found.others.map(({ account }) => account)];
  };

  it("is the one that has a row, the platform's own before others, and not the one that an account named last", async () => {
    await pipe.arrive([told("cus_many", 1)]);
    await pipe.drain();
    await pipe.arrive([told("cus_new", 1), told("cus_new", 9, "acct_a")]);
    expect(await shown("cus_new")).toEqual(["", "pending", null, ["acct_a"]]);
    await pipe.arrive([told("cus_many", 9, "acct_a"), told("cus_many", 8, "acct_b")]);
    expect(await shown("cus_many")).toEqual(["", "stored", "cus_many", ["acct_a", "acct_b"]]);
    await pipe.drain();
    expect(await shown("cus_many")).toEqual(["", "stored", "cus_many", ["acct_a", "acct_b"]]);
  });

  it("has no row for a reason: it waits, is asked of Stripe, failed, is nobody's, or was never brought", async () => {
    await pipe.arrive([told("cus_waits", 1)]);
    expect(await shown("cus_waits")).toEqual(["", "pending", null, []]);
    await pipe.drain();
    expect(await shown("cus_waits")).toEqual(["", "stored", "cus_waits", []]);

    await pipe.arrive([told("cus_failed", 1)]);
    await outcome("evt_cus_failed_", "failed");
    expect(await shown("cus_failed")).toEqual(["", "failed", null, []]);

    await pipe.arrive([told("cus_nobodys", 1, "acct_nobodys")]);
    await pipe.drain();
    expect(await shown("cus_nobodys")).toEqual(["acct_nobodys", "unrouted", null, []]);

    await pipe.arrive([thin("cus_thin")]);
    await pipe.drain();
    expect(await shown("cus_thin")).toEqual(["", "pending", null, []]);
    await pipe.database.query("delete from stripe_fetches");
    expect(await shown("cus_thin")).toEqual(["", "unknown", null, []]);

    expect(await shown("cus_never")).toBeNull();
  });
});
