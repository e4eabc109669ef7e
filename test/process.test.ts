// Processing, on both databases: what fails stands alone, what has no owner waits, what nothing handles is kept.
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import type { Database, Result, Statement } from "../src/db/database.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { claimEvents, enqueueRoutable, finishEvents, LeaseLost } from "../src/inbox/event-tables.ts";
import { fetchPool } from "../src/inbox/fetch.ts";
import { MAX_UNFINISHED, processOnce } from "../src/inbox/process.ts";
import { replayEvent, replayRange } from "../src/inbox/replay.ts";
import { stripeClient } from "../src/stripe/client.ts";
import { retrieveObject } from "../src/stripe/retrieve.ts";
import { BEGIN, event, NEW_API, OLD_API } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice, oldInvoice, PAID } from "./support/stripe-fixtures-billing.ts";
import { newAccount } from "./support/stripe-fixtures-connect.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

/** Whoever reads this event fails, as if it could not be processed. */
function failingAt(eventId: string, database: Database): Database {
  return {
    ...database,
    transaction: (work, options) =>
      database.transaction((tx) => {
        const query = async <Row>(statement: Statement | string): Promise<Result<Row>> => {
          const result = await tx.query<Row & { id?: string }>(statement);
          const isRead = typeof statement !== "string" && statement.name === "load_events";
          if (isRead && result.rows.some(({ id }) => id === eventId)) throw new Error("cannot be processed");
          return result;
        };
        return work({ query });
      }, options),
  };
}

describe.each(BOTH)("processing, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  async function one<Row>(text: string, ...values: unknown[]): Promise<Row | undefined> {
    return (await pipe.database.query<Row & Record<string, unknown>>({ text, values })).rows[0];
  }
  const outcome = async (id: string): Promise<string | undefined> =>
    (await one<{ status: string }>("select status from stripe_event_outcomes where event_id = $1", id))?.status;
  const customer = (id: string, name: string): { event: ReturnType<typeof event> & Record<string, unknown> } => ({
    event: { ...event("customer.created", newCustomer({ id, name }), { id: `evt_${id}`, apiVersion: NEW_API }) },
  });

  it("an event that fails stands alone, is retried, is given up after its last attempt, and can be replayed", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `cus_poison${index}`);
    await pipe.arrive(names.map((name) => customer(name, "Ada")));
    const options = pipe.processOptions();
    const poisoned = {
      ...options,
      maxAttempts: 2,
      database: failingAt("evt_cus_poison4", options.database),
    };
    await processOnce(poisoned);
    const projected = await pipe.database.query("select id from customers where id like 'cus_poison%'");
    expect(projected.rowCount).toBe(8);
    expect(await outcome("evt_cus_poison4")).toBeUndefined();
    expect(await one("select attempts, next_attempt_at > now() as later from stripe_event_queue")).toEqual({
      attempts: 1,
      later: true,
    });
    await pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
    await processOnce(poisoned);
    expect(await outcome("evt_cus_poison4")).toBe("failed");
    expect(await one("select count(*) as count from stripe_event_queue")).toEqual({ count: 0 });
    const { rows: attempts } = await pipe.database.query(
      "select attempt, error from stripe_event_attempts order by attempt",
    );
    expect(attempts).toEqual([1, 2].map((attempt) => ({ attempt, error: "Error: cannot be processed" })));

    expect(await replayRange(pipe.database, { types: [], status: "failed" })).toBe(1);
    await pipe.drain();
    expect(await outcome("evt_cus_poison4")).toBeUndefined();
    expect(await one("select name from customers where id = 'cus_poison4'")).toEqual({ name: "Ada" });
  });

  it("a replay changes no row and publishes nothing twice", async () => {
    await pipe.arrive([
      {
        event: {
          ...event("invoice.paid", newInvoice({ id: "in_replay", ...PAID }), { id: "evt_replay", apiVersion: NEW_API }),
        },
      },
    ]);
    await pipe.drain();
    const before = await pipe.database.query("select * from invoices where id = 'in_replay'");
    const facts = await pipe.database.query("select * from facts where object_id = 'in_replay' order by type");
    expect(await replayEvent(pipe.database, "evt_replay")).toBe(true);
    expect(await replayEvent(pipe.database, "evt_never_seen")).toBe(false);
    await pipe.drain();
    const { updated_at: _then, ...rowBefore } = before.rows[0] ?? {};
    const { updated_at: _now, ...rowAfter } =
      (await pipe.database.query("select * from invoices where id = 'in_replay'")).rows[0] ?? {};
    expect(rowAfter).toEqual(rowBefore);
    expect((await pipe.database.query("select * from facts where object_id = 'in_replay' order by type")).rows).toEqual(
      facts.rows,
    );
  });

  it("an event of an account that nobody owns is unrouted, and processed with its tenant once the account is connected", async () => {
    const account = `acct_${kind}`;
    await pipe.arrive([
      {
        event: {
          ...event("invoice.paid", newInvoice({ id: "in_unrouted", ...PAID }), {
            id: "evt_unrouted",
            account,
            apiVersion: NEW_API,
          }),
        },
      },
      {
        event: {
          ...event("account.updated", newAccount({ id: account }), { id: "evt_account", account, apiVersion: NEW_API }),
        },
      },
    ]);
    await pipe.drain();
    expect(await outcome("evt_unrouted")).toBe("unrouted");
    expect(await one("select id from invoices where id = 'in_unrouted'")).toBeUndefined();
    expect(await one("select tenant_id from connected_accounts where id = $1", account)).toEqual({ tenant_id: null });

    await pipe.database.query("insert into tenants (id) values ('ten_other') on conflict do nothing");
    await connectAccount(pipe.database, "ten_other", { livemode: false, account });
    // The account's own event waits for its tenant too.
    expect(await enqueueRoutable(pipe.database, 100)).toBe(2);
    await pipe.drain();
    expect(await outcome("evt_unrouted")).toBeUndefined();
    expect(await one("select tenant_id, stripe_account from invoices where id = 'in_unrouted'")).toEqual({
      tenant_id: "ten_other",
      stripe_account: account,
    });
    expect(await one("select tenant_id from stripe_events where id = 'evt_unrouted'")).toEqual({
      tenant_id: "ten_other",
    });
    expect(
      await one("select tenant_id from facts where type = 'invoice.paid' and natural_key = 'in_unrouted'"),
    ).toEqual({ tenant_id: "ten_other" });
    expect(await one("select tenant_id from connected_accounts where id = $1", account)).toEqual({
      tenant_id: "ten_other",
    });
    expect(await enqueueRoutable(pipe.database, 100)).toBe(0);
    await expect(connectAccount(pipe.database, pipe.platformTenant, { livemode: false, account })).rejects.toThrow(
      "belongs to another tenant",
    );
  });

  it("a type that nothing handles is kept as ignored, and its object is reduced all the same", async () => {
    const coupon = { id: "co_1", object: "coupon", name: "x\u0000y", percent_off: 10 };
    await pipe.arrive([
      { event: { ...event("coupon.created", coupon, { id: "evt_coupon" }) } },
      { event: { ...event("a.type.of.tomorrow", { id: "zz_1", object: "zz" }, { id: "evt_zz" }) } },
    ]);
    await pipe.drain();
    expect([await outcome("evt_coupon"), await outcome("evt_zz")]).toEqual(["ignored", "ignored"]);
    const row = await one<{ object_type: string; data: string }>(
      "select object_type, data from stripe_objects where id = 'co_1'",
    );
    expect(row?.object_type).toBe("coupon");
    expect(JSON.parse(row?.data ?? "")).toEqual(coupon);
  });

  it("an object without an id is kept, and yields its facts", async () => {
    const upcoming = newInvoice({ id: undefined, billing_reason: "upcoming", status: "draft" });
    await pipe.arrive([
      { event: { ...event("invoice.upcoming", upcoming, { id: "evt_upcoming", apiVersion: NEW_API }) } },
    ]);
    await pipe.drain();
    expect(await one("select count(*) as count from facts where type = 'invoice.upcoming'")).toEqual({ count: 1 });
    expect(await one("select object_id from stripe_events where id = 'evt_upcoming'")).toEqual({ object_id: null });
  });

  it("an event on which no attempt comes to an end is given up, and blames no other", async () => {
    await pipe.arrive([customer("cus_killer", "Ada"), customer("cus_beside", "Ada")]);
    // Many processes have claimed the one and died, the last of them with the other beside it.
    await pipe.database.query({
      text: "update stripe_event_queue set attempts = case event_id when 'evt_cus_killer' then $1::int else 1 end",
      values: [MAX_UNFINISHED],
    });
    await processOnce(pipe.processOptions());
    expect(await outcome("evt_cus_killer")).toBe("failed");
    expect(await one("select count(*) as count from stripe_event_queue")).toEqual({ count: 0 });
    await replayRange(pipe.database, { types: [], status: "failed" });
    await pipe.drain();
    expect(await one("select count(*) as count from customers where id in ('cus_killer', 'cus_beside')")).toEqual({
      count: 2,
    });
  });

  it("attempts that kills of the process ended take none of an event's own, and a replay gives it all of them anew", async () => {
    await pipe.arrive([customer("cus_restarted", "Ada")]);
    const options = pipe.processOptions();
    const poisoned = { ...options, maxAttempts: 3, database: failingAt("evt_cus_restarted", options.database) };
    const failOnce = async (): Promise<string | undefined> => {
      await pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
      await processOnce(poisoned);
      return outcome("evt_cus_restarted");
    };
    const kill = () => pipe.database.query("update stripe_event_queue set attempts = attempts + 10");
    await kill();
    expect([await failOnce(), await failOnce()]).toEqual([undefined, undefined]);
    // While it waits for its third; then one that was given up.
    for (const replayed of [2, 5]) {
      expect(await replayEvent(pipe.database, "evt_cus_restarted")).toBe(true);
      expect(await failOnce()).toBeUndefined();
      await kill();
      expect([await failOnce(), await failOnce()]).toEqual([undefined, "failed"]);
      const { rows } = await pipe.database.query(
        "select 1 from stripe_event_attempts where event_id = 'evt_cus_restarted'",
      );
      expect(rows).toHaveLength(replayed + 3);
    }
    await replayEvent(pipe.database, "evt_cus_restarted");
    await pipe.drain();
    expect(await one("select count(*) as count from customers where id = 'cus_restarted'")).toEqual({ count: 1 });
  });

  it("an event is retried after its first error as soon as one that no kill has met", async () => {
    await pipe.arrive([customer("cus_soon", "Ada")]);
    await pipe.database.query("update stripe_event_queue set attempts = 20");
    const options = pipe.processOptions();
    await processOnce({ ...options, maxAttempts: 3, database: failingAt("evt_cus_soon", options.database) });
    expect(await one("select next_attempt_at < now() + interval '1 second' as soon from stripe_event_queue")).toEqual({
      soon: true,
    });
    await pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
    await pipe.drain();
  });

  it("an event whose lease was lost leaves nothing behind", async () => {
    await pipe.arrive([customer("cus_lease", "Ada")]);
    const claimed = await pipe.database.transaction((tx) => claimEvents(tx, "first", 0, 10));
    expect(claimed).toHaveLength(1);
    const again = await pipe.database.transaction((tx) => claimEvents(tx, "second", 30, 10));
    expect(again.map((event) => event.attempts)).toEqual([2]);
    await expect(pipe.database.transaction((tx) => finishEvents(tx, claimed, "first"))).rejects.toThrow(LeaseLost);
    await pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
    await pipe.drain();
    expect(await one("select name from customers where id = 'cus_lease'")).toEqual({ name: "Ada" });
  });

  it("a greater API version of the same event replaces its payload, also while a worker holds it", async () => {
    const paid = { id: "in_twice", ...PAID };
    const old = event("invoice.paid", oldInvoice({ ...paid, payment_intent: "pi_old_only" }), {
      id: "evt_twice",
      apiVersion: OLD_API,
    });
    await pipe.arrive([{ event: { ...old } }]);
    const claimed = await pipe.database.transaction((tx) => claimEvents(tx, "slow", 30, 10));
    const newer = event("invoice.paid", newInvoice(paid), { id: "evt_twice", apiVersion: NEW_API });
    await pipe.arrive([{ event: { ...newer } }]);
    await expect(pipe.database.transaction((tx) => finishEvents(tx, claimed, "slow"))).rejects.toThrow(LeaseLost);
    await pipe.drain();
    await pipe.arrive([{ event: { ...old } }]);
    await pipe.drain();
    expect(await one("select payment_intent_id, status from invoices where id = 'in_twice'")).toEqual({
      payment_intent_id: null,
      status: "paid",
    });
    expect(await one("select api_version from stripe_events where id = 'evt_twice'")).toEqual({ api_version: NEW_API });
  });

  describe("with Stripe's API at hand", () => {
    let stripe: Server;
    let asked: string[] = [];
    let answer: (path: string) => Record<string, unknown>;
    beforeAll(async () => {
      stripe = createServer((request, response) => {
        asked.push(`${request.url ?? ""} ${String(request.headers["stripe-account"] ?? "")}`.trim());
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(answer(request.url ?? "")));
      }).listen(0, "127.0.0.1");
      await once(stripe, "listening");
    });
    afterAll(() => stripe.close());

    async function fetchDue(): Promise<boolean> {
      const address = stripe.address();
      if (address === null || typeof address === "string") throw new Error("no address");
      const client = stripeClient({ secretKey: "sk_test_of_the_tests", apiBase: `http://127.0.0.1:${address.port}` });
      await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
      asked = [];
      const pool = fetchPool({
        database: pipe.database,
        log: silentLog,
        clock: systemClock,
        platformTenant: pipe.platformTenant,
        livemode: false,
        retrieve: (wanted) => retrieveObject(client, wanted, systemClock),
        leaseSeconds: 30,
        newLease: () => newId("node"),
        onObserved: () => undefined,
        metrics: { fetched: () => undefined },
        paused: () => [],
      });
      const found = await pool.run();
      await pool.idle();
      return found === "full";
    }

    it("a tie that nothing decides is flagged, fetched, and settled by the answer", async () => {
      const said = (name: string, id: string, previous: string) => ({
        event: {
          ...event("customer.updated", newCustomer({ id: "cus_tie", name }), {
            id,
            created: BEGIN,
            previous: { name: previous },
            apiVersion: NEW_API,
          }),
        },
      });
      await pipe.arrive([said("B", "evt_tie1", "A"), said("A", "evt_tie2", "B")]);
      await pipe.drain();
      expect(await one("select order_ambiguous from customers where id = 'cus_tie'")).toEqual({
        order_ambiguous: true,
      });
      answer = () => newCustomer({ id: "cus_tie", name: "B, says Stripe" });
      expect(await fetchDue()).toBe(true);
      expect(asked).toEqual(["/v1/customers/cus_tie"]);
      await pipe.drain();
      expect(await one("select order_ambiguous, name from customers where id = 'cus_tie'")).toEqual({
        order_ambiguous: false,
        name: "B, says Stripe",
      });
      expect(await fetchDue()).toBe(false);
    });

    it("a thin event is kept, and its object fetched in the account that it names", async () => {
      const account = `acct_thin_${kind}`;
      await pipe.database.query("insert into tenants (id) values ('ten_thin')");
      await connectAccount(pipe.database, "ten_thin", { livemode: false, account });
      const thin = {
        id: "evt_thin",
        object: "v2.core.event",
        type: "v1.invoice.paid",
        created: new Date(BEGIN * 1000).toISOString(),
        livemode: false,
        context: account,
        related_object: { id: "in_thin", type: "invoice", url: "/v1/invoices/in_thin" },
      };
      await pipe.arrive([{ event: thin }]);
      await pipe.drain();
      expect(await one("select id from invoices where id = 'in_thin'")).toBeUndefined();
      answer = () => newInvoice({ id: "in_thin", ...PAID });
      expect(await fetchDue()).toBe(true);
      expect(asked).toEqual([`/v1/invoices/in_thin ${account}`]);
      await pipe.drain();
      expect(await one("select status, tenant_id from invoices where id = 'in_thin'")).toEqual({
        status: "paid",
        tenant_id: "ten_thin",
      });
      expect(
        await one("select count(*) as count from facts where type = 'invoice.paid' and natural_key = 'in_thin'"),
      ).toEqual({ count: 1 });
    });
  });
});
