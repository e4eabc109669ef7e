// Promise 2 for what tenants are told: in the commit of its cause, once, to its own tenant; of thin events, credits, keys, connections.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { newId } from "../src/base/ids.ts";
import { connectAccount, endConnection, findConnection } from "../src/connections/connection-table.ts";
import { type FetchAnswer, fetchPool } from "../src/inbox/fetch.ts";
import { replayRange } from "../src/inbox/replay.ts";
import { type StoredFact, insertFacts } from "../src/outbox/event-table.ts";
import type { StripeObject } from "../src/projections/observation.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice, newSubscription, PAID } from "./support/stripe-fixtures-billing.ts";
import { newPaymentMethod } from "./support/stripe-fixtures-payments.ts";

interface Told {
  tenant: string;
  livemode: boolean;
  type: string;
  object: Record<string, unknown>;
}

async function toldOf(pipe: Pipe, objectId: string): Promise<Told[]> {
  const { rows } = await pipe.database.query<Omit<Told, "object"> & { object: string }>({
    text: "select tenant_id as tenant, livemode, type, object from events where object_id = $1 order by id",
    values: [objectId],
  });
  return rows.map((row) => ({ ...row, object: JSON.parse(row.object) as Record<string, unknown> }));
}

const typesOf = (told: readonly Told[]): string[] => told.map(({ type }) => type).sort();

describe.each(BOTH)("what is told of Stripe's objects, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const now = (): number => Math.floor(Date.now() / 1000);

  async function connected(account: string, tenantId: string): Promise<void> {
    await pipe.database.query({ text: "insert into tenants (id) values ($1)", values: [tenantId] });
    await pipe.database.transaction((tx) => connectAccount(tx, tenantId, { livemode: true, account }));
  }

  it("goes to the tenant of its account alone, in its mode, in the object's own words", async () => {
    const account = `acct_told_${kind}`;
    await connected(account, "ten_told");
    const invoice = newInvoice({ id: "in_told", ...PAID, status_transitions: { finalized_at: now(), paid_at: now() } });
    await pipe.arrive([{ event: { ...event("invoice.paid", invoice, { account, created: now() }), livemode: true } }]);
    await pipe.drain();
    const told = await toldOf(pipe, "in_told");
    expect(typesOf(told)).toEqual(["invoice.finalized", "invoice.paid"]);
    expect(told.map(({ tenant, livemode }) => [tenant, livemode])).toEqual([
      ["ten_told", true],
      ["ten_told", true],
    ]);
    expect(told[0]?.object).toMatchObject({ id: "in_told", object: "invoice", status: "paid", amount_paid: 3100 });
  });

  it("leaves out what happened before the connection, and keeps it as facts; a later event of it is told", async () => {
    const account = `acct_before_${kind}`;
    const early = newSubscription({ id: "sub_early", status: "past_due", latest_invoice: "in_1" });
    const tell = async (id: string, created: number, object: StripeObject): Promise<void> => {
      const options = { id, account, created };
      await pipe.arrive([{ event: { ...event("customer.subscription.updated", object, options), livemode: true } }]);
      await pipe.drain();
    };
    await tell("evt_early", BEGIN, early);
    await connected(account, "ten_before");
    await replayRange(pipe.database, { types: [], account });
    await pipe.drain();
    expect(await toldOf(pipe, "sub_early")).toEqual([]);
    const facts = await pipe.database.query(
      "select type from facts where object_id = 'sub_early' and event_id is null",
    );
    expect(facts.rows).toEqual([{ type: "subscription.past_due" }]);
    // Still past due of the same invoice, says an event of today: now it is told, and once.
    await tell("evt_today", now() + 5, { ...early, quantity: 2, metadata: { changed: "1" } });
    await replayRange(pipe.database, { types: [], account });
    await pipe.drain();
    expect(typesOf(await toldOf(pipe, "sub_early"))).toEqual(["subscription.past_due", "subscription.updated"]);
  });

  it("is told with the row that it follows from, or not at all: a batch that fails tells nothing", async () => {
    const fact: StoredFact = {
      ...{ tenantId: pipe.platformTenant, livemode: false, type: "invoice.paid", naturalKey: "in_rolled" },
      ...{ stripeAccount: "", objectType: "invoice", objectId: "in_rolled", occurredAt: BEGIN, observationId: "evt_1" },
      object: { id: "in_rolled", object: "invoice" },
    };
    const failing = pipe.database.transaction(async (tx) => {
      await insertFacts(tx, [fact]);
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await toldOf(pipe, "in_rolled")).toEqual([]);
    const twice = [fact, { ...fact, observationId: "evt_0" }, { ...fact, object: null, occurredAt: BEGIN - 1 }];
    await Promise.all([
      pipe.database.transaction((tx) => insertFacts(tx, twice)),
      pipe.database.transaction((tx) => insertFacts(tx, twice)),
    ]);
    expect(await toldOf(pipe, "in_rolled")).toHaveLength(1);
    const { rows } = await pipe.database.query("select observation_id from facts where natural_key = 'in_rolled'");
    expect(rows).toHaveLength(1);
  });

  it("has ids in the order in which it happened, also where one batch learns of all", async () => {
    const [failed, paid] = [BEGIN + 10, BEGIN + 20];
    const open = newInvoice({ id: "in_order", status: "open", attempted: true, attempt_count: 1, created: BEGIN });
    const settled = newInvoice({
      ...{ id: "in_order", ...PAID, attempt_count: 2, created: BEGIN },
      status_transitions: { finalized_at: BEGIN + 1, paid_at: paid },
    });
    await pipe.arrive([
      { event: { ...event("invoice.paid", settled, { id: "evt_o1", created: paid }) } },
      { event: { ...event("invoice.payment_failed", open, { id: "evt_o2", created: failed }) } },
      { event: { ...event("invoice.created", open, { id: "evt_o3", created: BEGIN }) } },
      { event: { ...event("invoice.updated", settled, { id: "evt_o4", created: paid }) } },
    ]);
    await pipe.drain();
    const { rows } = await pipe.database.query<{ type: string; at: number }>(
      "select type, extract(epoch from created)::float8 as at from events where object_id = 'in_order' order by id",
    );
    const types = rows.map(({ type }) => type);
    expect(types.filter((type) => /created|payment_failed|paid/.test(type))).toEqual([
      ...["invoice.created", "invoice.payment_failed", "invoice.paid"],
    ]);
    expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).sort((a, b) => a - b));
    if (types.includes("invoice.updated")) expect(types.at(-1)).toBe("invoice.updated");
  });

  it("has no text that a receiver's own database would refuse", async () => {
    const name = "Zo\u0000\ud800";
    await pipe.arrive([
      { event: { ...event("customer.created", newCustomer({ id: "cus_text", name }), { id: "evt_text" }) } },
    ]);
    await pipe.drain();
    expect((await toldOf(pipe, "cus_text"))[0]?.object.name).toBe("Zo\ufffd\ufffd");
    const { rows } = await pipe.database.query(
      "select object::jsonb ->> 'name' as name from events where object_id = 'cus_text'",
    );
    expect(rows).toEqual([{ name: "Zo\ufffd\ufffd" }]);
  });
});

describe.each(BOTH)("what thin events name, %s database", (kind) => {
  let pipe: Pipe;
  let answer: StripeObject;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const retrieve = (): Promise<FetchAnswer> =>
    Promise.resolve({
      ...{ outcome: "found", object: answer, text: JSON.stringify(answer) },
      ...{ asOf: BEGIN + 50, apiVersion: null },
    });

  const thin = (id: string, type: string, related: { id: string; type: string }, seconds = 0) => ({
    event: {
      ...{ id, object: "v2.core.event", type, livemode: false },
      created: new Date((BEGIN + seconds) * 1000).toISOString(),
      related_object: { ...related, url: `/v1/${related.type}s/${related.id}` },
    },
  });

  async function fetchDue(): Promise<void> {
    await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
    const pool = fetchPool({
      ...{ database: pipe.database, log: silentLog, clock: systemClock, platformTenant: pipe.platformTenant },
      ...{ livemode: false, retrieve, leaseSeconds: 30, newLease: () => newId("node"), paused: () => [] },
      ...{ onObserved: () => undefined, metrics: { fetched: () => undefined } },
    });
    await pool.run();
    await pool.idle();
    await pipe.drain();
  }

  beforeEach(async () => {
    await pipe.database.query("delete from stripe_fetches");
  });

  const open = (id: string, attempts: number): StripeObject =>
    newInvoice({ id, status: "open", attempted: true, attempt_count: attempts });

  it("is told by the object that is fetched, once beside the snapshot event of the same thing", async () => {
    await pipe.arrive([
      thin("evt_t1", "v1.invoice.payment_failed", { id: "in_thin", type: "invoice" }),
      thin("evt_t2", "v1.invoice.created", { id: "in_thin", type: "invoice" }),
    ]);
    await pipe.drain();
    expect(await toldOf(pipe, "in_thin")).toEqual([]);
    answer = open("in_thin", 1);
    await fetchDue();
    const expected = ["invoice.created", "invoice.finalized", "invoice.payment_failed"];
    expect(typesOf(await toldOf(pipe, "in_thin"))).toEqual(expected);
    await pipe.arrive([
      { event: { ...event("invoice.payment_failed", open("in_thin", 1), { id: "evt_s1", created: BEGIN }) } },
      { event: { ...event("invoice.created", open("in_thin", 1), { id: "evt_s2", created: BEGIN }) } },
    ]);
    await pipe.drain();
    expect(typesOf(await toldOf(pipe, "in_thin"))).toEqual(expected);
    const { rows } = await pipe.database.query(
      "select natural_key, extract(epoch from occurred_at)::float8 as at from facts where type = 'invoice.payment_failed' and object_id = 'in_thin'",
    );
    // When it happened, not when it was fetched.
    expect(rows).toEqual([{ natural_key: "in_thin:1", at: BEGIN }]);
    expect((await pipe.database.query("select from stripe_fetches")).rows).toEqual([]);
  });

  it("is not told of a failure whose invoice is paid by then", async () => {
    await pipe.arrive([thin("evt_t3", "v1.invoice.payment_failed", { id: "in_paid", type: "invoice" })]);
    await pipe.drain();
    answer = newInvoice({ id: "in_paid", ...PAID, attempt_count: 2 });
    await fetchDue();
    expect(typesOf(await toldOf(pipe, "in_paid"))).toEqual(["invoice.finalized", "invoice.paid"]);
  });

  it("tells of a change that only a thin event has brought, and what it says of an object that is gone", async () => {
    answer = newCustomer({ id: "cus_thin", name: "A" });
    await pipe.arrive([thin("evt_t4", "v1.customer.created", { id: "cus_thin", type: "customer" })]);
    await pipe.drain();
    await fetchDue();
    answer = { ...answer, name: "B" };
    const retrieved = { ...answer, name: "B" };
    await pipe.arrive([thin("evt_t5", "v1.customer.updated", { id: "cus_thin", type: "customer" }, 60)]);
    await pipe.drain();
    // An answer of before says nothing of it; the next one does.
    await fetchDue();
    expect(typesOf(await toldOf(pipe, "cus_thin"))).toEqual(["customer.created"]);
    await pipe.database.query(`update stripe_fetches set since = ${String(BEGIN + 50)}`);
    await fetchDue();
    const told = await toldOf(pipe, "cus_thin");
    expect(typesOf(told)).toEqual(["customer.created", "customer.updated"]);
    expect(told.at(-1)?.object.name).toBe(retrieved.name);
    answer = { id: "cus_thin", object: "customer", deleted: true };
    await pipe.arrive([thin("evt_t6", "v1.customer.deleted", { id: "cus_thin", type: "customer" }, 50)]);
    await pipe.drain();
    await fetchDue();
    expect(typesOf(await toldOf(pipe, "cus_thin")).slice(1, 2)).toEqual(["customer.deleted"]);
  });

  it("what is named while a fetch is under way waits for the next one", async () => {
    await pipe.arrive([thin("evt_t7", "v1.payment_method.attached", { id: "pm_thin", type: "payment_method" }, 40)]);
    await pipe.drain();
    await pipe.database.query("update stripe_fetches set next_attempt_at = now()");
    answer = newPaymentMethod({ id: "pm_thin", customer: "cus_1" });
    const slow = fetchPool({
      ...{ database: pipe.database, log: silentLog, clock: systemClock, platformTenant: pipe.platformTenant },
      ...{ livemode: false, leaseSeconds: 30, newLease: () => newId("node"), paused: () => [] },
      retrieve: async () => {
        await pipe.arrive([
          thin("evt_t8", "v1.payment_method.automatically_updated", { id: "pm_thin", type: "payment_method" }, 40),
        ]);
        await pipe.drain();
        return retrieve();
      },
      ...{ onObserved: () => undefined, metrics: { fetched: () => undefined } },
    });
    await slow.run();
    await slow.idle();
    await pipe.drain();
    expect(typesOf(await toldOf(pipe, "pm_thin"))).toEqual(["payment_method.attached"]);
    expect((await pipe.database.query("select named from stripe_fetches")).rows).toEqual([
      { named: [`${String(BEGIN + 40)}:payment_method.automatically_updated`] },
    ]);
    await fetchDue();
    expect(typesOf(await toldOf(pipe, "pm_thin"))).toEqual([
      "payment_method.attached",
      "payment_method.automatically_updated",
    ]);
  });
});

describe.each(BOTH)("what is told of what is ours, %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
  });
  afterAll(() => door.close());

  const told = (objectId: string): Promise<Told[]> => toldOf(door.pipe, objectId);

  async function ofTenant(type: string): Promise<Told[]> {
    const { rows } = await door.pipe.database.query<Told & { object: string }>({
      text: "select tenant_id as tenant, livemode, type, object from events where tenant_id = $1 and type like $2 order by id",
      values: [tenant.id, type],
    });
    return rows.map((row) => ({ ...row, object: JSON.parse(row.object) as Record<string, unknown> }));
  }

  it("a grant and a refund of credits are told once, in their mode, however often they are asked; a spend is not", async () => {
    const token = tenant.keys.test_secret;
    const made = await send(door, "POST", "/api/v1/accounts/", { token, body: { email: "c@people.example" } });
    const account = String(made.json.id);
    const act = (operation: string, key: string, amount: number) =>
      send(door, "POST", `/api/v1/accounts/${account}/credits/${operation}/`, {
        ...{ token, headers: { "idempotency-key": key }, body: { amount, reason: "because" } },
      });
    for (const _ of [1, 2]) await act("grant", "key-1", 100);
    expect((await act("spend", "key-2", 30)).status).toBe(201);
    expect((await act("spend", "key-3", 3000)).status).toBe(402);
    await act("refund", "key-4", 10);
    const found = (await told(account)).filter(({ object }) => object.reason === "because");
    expect(found.map(({ type, livemode, object }) => [type, livemode, object.amount, object.balance_after])).toEqual([
      ["credit.granted", false, 100, 100],
      ["credit.restored", false, 10, 80],
    ]);
    const { json } = await send(door, "GET", `/api/v1/accounts/${account}/credits/ledger/`, { token });
    const entries = json.data as { id: string }[];
    expect(found.map(({ object }) => object.id)).toEqual([entries[2]?.id, entries[0]?.id]);
  });

  it("keys are told of when they are made, replaced and revoked: never a key, never the other mode", async () => {
    expect((await ofTenant("key.%")).map(({ type, object }) => [type, object.type])).toEqual([
      ["key.created", "live_public"],
      ["key.created", "live_secret"],
      ["key.created", "test_public"],
      ["key.created", "test_secret"],
    ]);
    const keys = "/api/v1/auth/tenants/api-keys/";
    const body = { key_type: "live", confirm: true, grace_seconds: 60 };
    await send(door, "POST", `${keys}regenerate/`, { token: tenant.access, body });
    const revoke = { key_type: "test", reason: "leaked", confirm: true };
    await send(door, "POST", `${keys}revoke/`, { token: tenant.access, body: revoke });
    const since = (await ofTenant("key.%")).slice(4);
    expect(
      since.map(({ type, livemode, object }) => `${type} ${String(object.type)} ${String(livemode)}`).sort(),
    ).toEqual([
      ...["key.created live_public true", "key.created live_secret true"],
      ...["key.regenerated live_public true", "key.regenerated live_secret true"],
      ...["key.revoked test_public false", "key.revoked test_secret false"],
    ]);
    expect(JSON.stringify(since)).not.toContain("sk_");
    const ended = since.find(({ type }) => type === "key.regenerated")?.object.expires_at;
    expect(Date.parse(String(ended))).toBeGreaterThan(Date.now());
    expect(since.find(({ type }) => type === "key.revoked")?.object.revoked_reason).toBe("leaked");
  });

  it("a key in its grace is told of again only when it is to end earlier, and has a reason only once it is revoked", async () => {
    const before = (await ofTenant("key.regenerated")).length;
    const replaced = async (grace_seconds: number): Promise<unknown[][]> => {
      const body = { key_type: "test", confirm: true, grace_seconds };
      await send(door, "POST", "/api/v1/auth/tenants/api-keys/regenerate/", { token: tenant.access, body });
      const objects = (await ofTenant("key.regenerated")).slice(before).map(({ object }) => object);
      const secret = objects.filter(({ type }) => type === "test_secret");
      return secret.map((key) => [key.id, typeof key.expires_at, typeof key.revoked_at, key.revoked_reason]);
    };
    await replaced(600);
    await replaced(600);
    const thrice = await replaced(600);
    expect(new Set(thrice.map(([id]) => id)).size).toBe(thrice.length);
    const sooner = await replaced(60);
    expect(sooner.length).toBe(2 * thrice.length + 1);
    for (const [, ...said] of sooner) expect(said).toEqual(["string", "object", null]);
    const atOnce = (await replaced(0)).slice(sooner.length);
    expect(atOnce.length).toBe(thrice.length + 2);
    for (const [, , ...said] of atOnce) expect(said).toEqual(["string", "regenerated"]);
  });

  it("a connection is told of when it begins and when it ends, each once", async () => {
    const { database } = door.pipe;
    const of = { livemode: false, account: `acct_ours_${kind}` };
    const connect = () => database.transaction((tx) => connectAccount(tx, tenant.id, of));
    await connect();
    await connect();
    for (const _ of [1, 2])
      await database.transaction(async (tx) => {
        const found = await findConnection(tx, { tenantId: tenant.id, livemode: false });
        if (found !== undefined) await endConnection(tx, found, "disconnected");
      });
    await connect();
    const found = await ofTenant("connected_account.%");
    expect(found.map(({ type }) => type)).toEqual([
      "connected_account.connected",
      "connected_account.disconnected",
      "connected_account.connected",
    ]);
    expect(found[1]?.object).toMatchObject({
      id: of.account,
      status: "disconnected",
      disconnected_reason: "disconnected",
    });
  });
});
