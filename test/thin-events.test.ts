// What a thin event names is fetched, wherever Stripe says that it is; what the event itself carries is not believed.
import { createServer, type Server } from "node:http";
import { once } from "node:events";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { type Log, silentLog } from "../src/base/log.ts";
import { billingLog } from "../src/inbox/billing-log.ts";
import { type FetchAnswer, fetchPool } from "../src/inbox/fetch.ts";
import { stripeClient } from "../src/stripe/client.ts";
import { retrieveObject } from "../src/stripe/retrieve.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";
import { application } from "./support/stripe-fixtures-connect.ts";

type Answer = (path: string) => { status?: number; body: unknown };

interface Related {
  type: string;
  id: string;
  url: string;
}

describe.each(BOTH)("a thin event, %s database", (kind) => {
  let pipe: Pipe;
  let stripe: Server;
  let answer: Answer;
  let asked: string[] = [];
  let outcomes: FetchAnswer["outcome"][] = [];
  let warned: unknown[] = [];

  beforeAll(async () => {
    pipe = await openPipe(kind);
    stripe = createServer((request, response) => {
      asked.push(request.url ?? "");
      const { status = 200, body } = answer(request.url ?? "");
      response.writeHead(status, { "content-type": "application/json", "stripe-should-retry": "false" });
      response.end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(stripe, "listening");
  });
  afterAll(async () => {
    stripe.close();
    await pipe.close();
  });
  beforeEach(async () => {
    await pipe.database.query("delete from stripe_fetches");
    [asked, outcomes, warned] = [[], [], []];
    answer = () => ({ status: 404, body: { error: { type: "invalid_request_error", code: "resource_missing" } } });
  });

  const log: Log = { ...silentLog, warn: (message, fields) => warned.push({ message, ...fields }) };

  async function arrive(type: string, related: Related, more: Record<string, unknown> = {}): Promise<void> {
    const created = new Date(BEGIN * 1000).toISOString();
    const common = { id: `evt_${related.id}_${type}`, object: "v2.core.event", livemode: false, context: null };
    await pipe.arrive([{ event: { ...common, type, created, related_object: related, ...more } }]);
    await pipe.drain();
  }

  async function fetchDue(): Promise<void> {
    const address = stripe.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    const client = stripeClient({ secretKey: "sk_test_of_the_tests", apiBase: `http://127.0.0.1:${address.port}` });
    await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
    const pool = fetchPool({
      ...{ database: pipe.database, log, clock: systemClock, platformTenant: pipe.platformTenant, livemode: false },
      ...{ leaseSeconds: 30, newLease: () => newId("node"), paused: () => [], onObserved: () => undefined },
      retrieve: (wanted) => retrieveObject(client, wanted, systemClock),
      metrics: { fetched: (outcome) => outcomes.push(outcome) },
    });
    await pool.run();
    await pool.idle();
    await pipe.drain();
  }

  const rowsOf = async (table: string, id: string): Promise<Record<string, unknown>[]> =>
    (await pipe.database.query({ text: `select * from ${table} where id = $1`, values: [id] })).rows;
  const waiting = async (): Promise<unknown[]> =>
    (await pipe.database.query("select last_error from stripe_fetches")).rows;

  it("is no snapshot of the object that it names, whatever its data says", async () => {
    const invoice = { type: "invoice", id: "in_named", url: "/v1/invoices/in_named" };
    await arrive("v1.invoice.paid", invoice, {
      data: { object: newInvoice({ id: "in_evil", ...PAID }), previous_attributes: { status: "open" } },
    });
    expect(await rowsOf("invoices", "in_named")).toEqual([]);
    answer = () => ({ body: newInvoice({ id: "in_named", status: "open" }) });
    await fetchDue();
    expect(asked).toEqual(["/v1/invoices/in_named"]);
    expect(await rowsOf("invoices", "in_named")).toMatchObject([{ status: "open" }]);
    expect(await rowsOf("invoices", "in_evil")).toEqual([]);
  });

  it("has an object without a route by its id alone fetched by the path that it gives", async () => {
    const url = "/v1/customers/cus_1/sources/card_1";
    await arrive("v1.customer.source.expiring", { type: "card", id: "card_1", url });
    const card = { id: "card_1", object: "card", customer: "cus_1", exp_month: 12, exp_year: 2026, last4: "4242" };
    answer = () => ({ body: card });
    await fetchDue();
    expect(asked).toEqual([url]);
    expect(await rowsOf("sources", "card_1")).toMatchObject([{ customer_id: "cus_1", last4: "4242" }]);
    const account = { type: "v2.core.account", id: "acct_v2", url: "/v2/core/accounts/acct_v2" };
    await arrive("v2.core.account.updated", account);
    answer = () => ({ body: { id: "acct_v2", object: "v2.core.account", display_name: "Ann" } });
    await fetchDue();
    expect(asked).toEqual([url, account.url]);
    expect(await rowsOf("stripe_objects", "acct_v2")).toMatchObject([{ object_type: "v2.core.account" }]);
    expect([outcomes, warned, await waiting()]).toEqual([["found", "found"], [], []]);
  });

  it("is fetched by its path also when Stripe answers at the second try only", async () => {
    const url = "/v1/customers/cus_1/sources/card_2";
    await arrive("v1.customer.source.expiring", { type: "card", id: "card_2", url });
    await arrive("v1.customer.source.updated", { type: "card", id: "card_2", url });
    expect((await pipe.database.query("select path, cardinality(named) as named from stripe_fetches")).rows).toEqual([
      { path: url, named: 2 },
    ]);
    answer = () => ({ status: 500, body: { error: { type: "api_error" } } });
    await fetchDue();
    answer = () => ({ body: { id: "card_2", object: "card", customer: "cus_1" } });
    await fetchDue();
    expect([asked, outcomes]).toEqual([
      [url, url],
      ["retry", "found"],
    ]);
  });

  it("is not fetched for what a snapshot event has told, unless that one failed or is not here", async () => {
    await pipe.arrive([{ event: { ...event("invoice.created", newInvoice({ id: "in_twin" }), { id: "evt_twin" }) } }]);
    await pipe.drain();
    const fetchedFor = async (twin: string, thin: string): Promise<unknown[]> => {
      await pipe.database.query("delete from stripe_fetches");
      const related = { type: "invoice", id: "in_twin", url: "/v1/invoices/in_twin" };
      await arrive("v1.invoice.created", related, { id: thin, snapshot_event: twin });
      return (await pipe.database.query("select object_id from stripe_fetches")).rows;
    };
    const asked = [{ object_id: "in_twin" }];
    expect(await fetchedFor("evt_twin", "evt_thin_1")).toEqual([]);
    expect(await fetchedFor("evt_elsewhere", "evt_thin_2")).toEqual(asked);
    expect(await fetchedFor("evt_\0", "evt_thin_3")).toEqual(asked);
    await pipe.database.query(
      `insert into stripe_event_outcomes (created, event_id, status, livemode)
       select created, id, 'failed', livemode from stripe_events where id = 'evt_twin'`,
    );
    expect(await fetchedFor("evt_twin", "evt_thin_4")).toEqual(asked);
  });

  it("is fetched for what its twin may yet fail to tell, and not for what a twin of the same batch tells", async () => {
    const twin = { ...event("invoice.created", newInvoice({ id: "in_beside" }), { id: "evt_beside" }) };
    const thin = (id: string) => ({
      ...{ id, object: "v2.core.event", type: "v1.invoice.created", livemode: false, context: null },
      ...{ created: new Date(BEGIN * 1000).toISOString(), snapshot_event: "evt_beside" },
      related_object: { type: "invoice", id: "in_beside", url: "/v1/invoices/in_beside" },
    });
    await pipe.arrive([{ event: twin }, { event: thin("evt_thin_beside") }]);
    await pipe.drain();
    expect(await waiting()).toEqual([]);
    await pipe.database.query(
      `insert into stripe_event_queue (created, event_id, object_key, next_attempt_at)
       select created, id, 'test||invoice|in_beside', now() + interval '1 hour' from stripe_events where id = 'evt_beside'`,
    );
    await pipe.arrive([{ event: thin("evt_thin_later") }]);
    await pipe.drain();
    expect(await waiting()).toHaveLength(1);
    await pipe.database.query("delete from stripe_event_queue where event_id = 'evt_beside'");
  });

  it("of a deletion deletes, where Stripe does not have the object any more, and is told with what was known of it", async () => {
    const known = newCustomer({ id: "cus_leaves", email: "ada@example.com", name: "Ada" });
    await pipe.arrive([{ event: { ...event("customer.updated", known, { id: "evt_leaves", created: BEGIN - 5 }) } }]);
    await pipe.drain();
    await arrive("v1.customer.deleted", { type: "customer", id: "cus_leaves", url: "/v1/customers/cus_leaves" });
    await fetchDue();
    expect(outcomes).toEqual(["missing"]);
    expect(warned).toEqual([]);
    expect(await rowsOf("customers", "cus_leaves")).toMatchObject([{ deleted: true, name: "Ada", unread_fields: [] }]);
    const { rows } = await pipe.database.query<{ data: string }>(
      "select object as data from events where type = 'customer.deleted' and object_id = 'cus_leaves'",
    );
    expect(rows.map(({ data }) => JSON.parse(data) as unknown)).toMatchObject([
      { email: "ada@example.com", name: "Ada" },
    ]);
    const log = await billingLog(pipe.database, { objectId: "cus_leaves", limit: 10 });
    expect(log.data[0]).toMatchObject({ head: true, changes: [{ field: "deleted", before: null, after: true }] });
  });

  it("of a deletion does not delete what Stripe still has", async () => {
    await arrive("v1.customer.deleted", { type: "customer", id: "cus_stays", url: "/v1/customers/cus_stays" });
    answer = () => ({ body: newCustomer({ id: "cus_stays", name: "Bob" }) });
    await fetchDue();
    expect(await rowsOf("customers", "cus_stays")).toMatchObject([{ deleted: false, name: "Bob" }]);
  });

  it("sends nobody anywhere but to Stripe's API, and what could not be fetched is warned of and counted", async () => {
    await arrive("v1.customer.source.updated", { type: "card", id: "card_3", url: "//evil.test/v1/x" });
    await fetchDue();
    expect([asked, outcomes]).toEqual([[], ["unsupported"]]);
    answer = () => ({
      status: 404,
      body: { error: { message: "Unrecognized request URL (GET: /v1/applications/ca_1)." } },
    });
    await arrive("v1.account.application.authorized", {
      type: "application",
      id: "ca_1",
      url: "/v1/applications/ca_1",
    });
    await fetchDue();
    answer = () => ({ status: 404, body: { error: { code: "resource_missing", message: "No such invoice" } } });
    await arrive("v1.invoice.created", { type: "invoice", id: "in_gone", url: "/v1/invoices/in_gone" });
    await fetchDue();
    expect(outcomes).toEqual(["unsupported", "unsupported", "missing"]);
    const unsupported = { outcome: "unsupported", reason: "thin_event" };
    expect(warned).toMatchObject([
      { ...unsupported, object: "source", object_id: "card_3" },
      { ...unsupported, object: "application", object_id: "ca_1" },
      { outcome: "missing", object: "invoice", object_id: "in_gone" },
    ]);
    expect(await waiting()).toEqual([]);
  });

  it("of an account that shuts us out ends its connection without any object, and tells so once beside a snapshot", async () => {
    await pipe.database.query("insert into tenants (id) values ('ten_left')");
    await connectActive(pipe.database, "ten_left", "acct_left");
    const created = Math.floor(Date.now() / 1000) + 5;
    const type = "account.application.deauthorized";
    const thin = { object: "v2.core.event", type: `v1.${type}`, livemode: false, context: "acct_left" };
    await pipe.arrive([{ event: { ...thin, id: "evt_left_thin", created: new Date(created * 1000).toISOString() } }]);
    await pipe.drain();
    const standing = async () =>
      (await pipe.database.query("select status, disconnected_reason from connections")).rows.concat(
        (await pipe.database.query("select type from events where type = 'connected_account.disconnected'")).rows,
      );
    const left = [
      { status: "disconnected", disconnected_reason: "deauthorized" },
      { type: "connected_account.disconnected" },
    ];
    expect(await standing()).toEqual(left);
    const snapshot = event(type, application(), { id: "evt_left", account: "acct_left", created });
    await pipe.arrive([{ event: { ...snapshot } }]);
    await pipe.drain();
    expect(await standing()).toEqual(left);
    expect(await waiting()).toEqual([]);
  });
});
