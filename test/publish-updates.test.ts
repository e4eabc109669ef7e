// That an object has changed is told of every field that a reader of events may care for, also of rows from before it was.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import type { StripeObject } from "../src/projections/observation.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer, newSubscription } from "./support/stripe-fixtures-billing.ts";
import { newAccount } from "./support/stripe-fixtures-connect.ts";

describe.each(BOTH)("updates, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  /** States one after the other, each in a batch of its own. */
  async function lives(type: string, ...states: StripeObject[]): Promise<void> {
    for (const [at, object] of states.entries()) {
      const account = object.object === "account" ? String(object.id) : undefined;
      const options = { id: `evt_${String(object.id)}_${at}`, created: now + at, ...(account && { account }) };
      const arrival: Arrival = {
        event: { ...event(at === 0 ? type.replace("updated", "created") : type, object, options) },
      };
      await pipe.arrive([arrival]);
      await pipe.drain();
    }
  }
  const now = Math.floor(Date.now() / 1000) + 5;

  async function updatesOf(objectId: string): Promise<Record<string, unknown>[]> {
    const { rows } = await pipe.database.query<{ object: string }>({
      text: "select object from events where object_id = $1 and type like '%.updated' order by id",
      values: [objectId],
    });
    return rows.map(({ object }) => JSON.parse(object) as Record<string, unknown>);
  }

  const differences = async (): Promise<number> => {
    const { database, platformTenant } = pipe;
    const silent = { onProgress: () => undefined, onDifference: () => undefined };
    return (await rebuild({ database, clock: systemClock, platformTenant, check: true, ...silent })).differing;
  };

  it("tell of what a customer, a subscription and an account say of themselves", async () => {
    const customer = newCustomer({ id: "cus_fields", phone: null });
    await lives("customer.updated", customer, { ...customer, phone: "+43 1" }, { ...customer, tax_exempt: "exempt" });
    expect((await updatesOf("cus_fields")).map(({ phone, tax_exempt }) => [phone, tax_exempt])).toEqual([
      ["+43 1", "none"],
      [null, "exempt"],
    ]);
    const subscription = newSubscription({ id: "sub_fields" });
    const sent = { ...subscription, collection_method: "send_invoice", days_until_due: 14 };
    const paused = { ...sent, pause_collection: { behavior: "void", resumes_at: BEGIN } };
    const longer = { ...sent, pause_collection: { behavior: "void", resumes_at: BEGIN + 60 } };
    await lives("customer.subscription.updated", subscription, sent, paused, longer);
    expect(await updatesOf("sub_fields")).toMatchObject([{ days_until_due: 14 }, {}, { pause_behavior: "void" }]);
    const id = `acct_fields_${kind}`;
    await pipe.database.query("insert into tenants (id) values ('ten_fields')");
    await connectAccount(pipe.database, "ten_fields", { livemode: false, account: id });
    const account = newAccount({ id });
    await lives("account.updated", account, { ...account, business_profile: { name: "Renamed", url: null } });
    expect((await updatesOf(id)).at(-1)).toMatchObject({ business_name: "Renamed" });
    expect(await differences()).toBe(0);
  });

  it("are not told of a row from before, which does not know what these fields said; a rebuild finds nothing wrong", async () => {
    const customer = newCustomer({ id: "cus_before", phone: "+43 1" });
    await lives("customer.updated", customer);
    await pipe.database.query(
      `update customers set kept = regexp_replace(kept, '"\\(told\\)":\\[[^]]*\\],', '') where id = 'cus_before'`,
    );
    expect(await differences()).toBe(0);
    await lives("customer.updated", customer, { ...customer, invoice_prefix: "X" });
    expect(await updatesOf("cus_before")).toEqual([]);
    await lives("customer.updated", customer, { ...customer, invoice_prefix: "X" }, { ...customer, phone: "+43 2" });
    expect(await updatesOf("cus_before")).toMatchObject([{ phone: "+43 2" }]);
  });

  it("are told the same when an object is made and changed in one batch and in two", async () => {
    const arrivals = (id: string): Arrival[] => {
      const customer = newCustomer({ id, phone: null });
      return [
        { event: { ...event("customer.created", customer, { id: `evt_${id}_1`, created: now }) } },
        {
          event: {
            ...event("customer.updated", { ...customer, phone: "+43 1" }, { id: `evt_${id}_2`, created: now + 1 }),
          },
        },
      ];
    };
    await pipe.arrive(arrivals("cus_one_batch"));
    await pipe.drain();
    for (const arrival of arrivals("cus_two_batches")) {
      await pipe.arrive([arrival]);
      await pipe.drain();
    }
    for (const id of ["cus_one_batch", "cus_two_batches"])
      expect(await updatesOf(id)).toMatchObject([{ phone: "+43 1" }]);
  });
});
