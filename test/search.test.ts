// The search box: every kind of id, addresses by their beginning, and for a tenant nothing that is not its own.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { publishEvents } from "../src/outbox/event-table.ts";
import type { StripeObject } from "../src/projections/observation.ts";
import type { Door, Wire } from "./support/api-door.ts";
import { addMember, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { at, EMAIL, openScene, type Scene } from "./support/operator-scene.ts";
import { event } from "./support/stripe-fixtures.ts";
import { invoicePayment, newCustomer, newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";
import {
  newCharge,
  newDispute,
  newPaymentIntent,
  newPaymentMethod,
  newRefund,
  newSetupIntent,
} from "./support/stripe-fixtures-payments.ts";

interface Hit extends Wire {
  kind: string;
  id: string;
}

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: Scene;
  let door: Door;
  let tenant: TestTenant;
  let account: string;
  let own: Record<string, string>;

  const post = async (path: string, body: object, more: Record<string, string> = {}): Promise<Wire> => {
    const headers = { "billhook-mode": "test", ...more };
    const answer = await send(door, "POST", path, { token: tenant.access, body, headers });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.json;
  };
  const all = async (q: string): Promise<Hit[]> =>
    (await scene.get(`search/?q=${encodeURIComponent(q)}`)).data as Hit[];
  const named = (hits: readonly Hit[]): string[] => hits.map((hit) => `${hit.kind} ${hit.id}`).sort();
  const asked = async (token: string, q: string): Promise<string[]> => {
    const headers = { "billhook-mode": "test" };
    const answer = await send(door, "GET", `/api/v1/search/?q=${encodeURIComponent(q)}`, { token, headers });
    expect([q, answer.status]).toEqual([q, 200]);
    return named(answer.json.data as Hit[]);
  };

  beforeAll(async () => {
    scene = await openScene(kind);
    door = scene.door;
    tenant = await registerTenant(door);
    const made = await post("/api/v1/accounts/", { email: "Ann@search.example", external_id: "crm-7", name: "Ann" });
    account = String(made.id);
    const granted = await post(
      `/api/v1/accounts/${account}/credits/grant/`,
      { amount: 5, reason: "trial" },
      { "idempotency-key": "grant-1" },
    );
    const endpoint = await post("/api/v1/webhook-endpoints/", { url: "https://hooks.search.example/in" });
    const common = { tenantId: tenant.id, livemode: false, objectType: "customer", objectId: account, object: {} };
    await publishEvents(door.pipe.database, [{ ...common, type: "customer.created" }]);
    const first = async (sql: string): Promise<string> => {
      const { rows } = await door.pipe.database.query<{ id: string }>({ text: sql, values: [tenant.id] });
      return rows[0]?.id ?? "";
    };
    own = {
      account,
      credit_entry: String((granted.entry as Wire | undefined)?.id ?? granted.id ?? granted.entry_id),
      webhook_endpoint: String(endpoint.id),
      event: await first("select id from events where tenant_id = $1 and not livemode order by id desc limit 1"),
      delivery: await first("select id from deliveries where tenant_id = $1 and not livemode limit 1"),
      api_key: await first("select id from api_keys where tenant_id = $1 and not livemode limit 1"),
    };
  });
  afterAll(async () => scene.close());

  it("finds what an id of ours names, for the operator and for whose it is", async () => {
    for (const [what, id] of Object.entries(own)) {
      expect([what, named(await all(id))]).toEqual([what, [`${what} ${id}`]]);
      expect([what, await asked(tenant.access, id)]).toEqual([what, [`${what} ${id}`]]);
    }
    expect(named(await all(tenant.id))).toEqual([`tenant ${tenant.id}`]);
    expect(named(await all(tenant.personId))).toEqual([`user ${tenant.personId}`]);
    expect(await asked(tenant.access, tenant.id)).toEqual([`tenant ${tenant.id}`]);
    const [hit] = await all(account);
    expect(hit).toMatchObject({ title: "Ann@search.example", tenant_id: tenant.id, livemode: false });
  });

  it("leads the operator to what it names: by its id, as its list or its tenant has it, in either mode", async () => {
    for (const [list, id] of [
      ["tenants", tenant.id],
      ["users", tenant.personId],
    ]) {
      const { data } = await scene.list(`${list}/?text=${id}`);
      expect([list, await scene.get(`${list}/${id}/`)]).toEqual([list, data[0]]);
    }
    const { rows } = await door.pipe.database.query<{ id: string }>({
      text: "select id from events where tenant_id = $1 and livemode limit 1",
      values: [tenant.id],
    });
    for (const [list, id = "", mode] of [
      ["events", own.event, "test"],
      ["events", rows[0]?.id, "live"],
      ["deliveries", own.delivery, "test"],
    ] as const) {
      const headers = { "billhook-mode": mode };
      const theirs = await send(door, "GET", `/api/v1/${list}/${id}/`, { token: tenant.access, headers });
      expect([list, theirs.status]).toEqual([list, 200]);
      expect(await scene.get(`${list}/${id}/`)).toEqual({ ...theirs.json, tenant_id: tenant.id });
    }
    const absent = [`tenants/${newId("ten")}`, `users/${tenant.id}`, `events/${newId("msg")}`, `deliveries/none_such`];
    for (const path of [...absent, `deliveries/${own.event ?? ""}`, `unmatched-purchases/${newId("unm")}`]) {
      const { status, json } = await door.admin("GET", `${path}/`);
      expect([path, status, json.code]).toEqual([path, 404, "not_found"]);
    }
  });

  it("finds payments that belong to no purchase, for the operator alone, and leads to them", async () => {
    const id = newId("unm");
    await door.pipe.database.query({
      text: `insert into unmatched_purchases (tenant_id, livemode, stripe_account, stripe_session_id, id, email)
             values ($1, false, '', 'cs_search', $2, 'bob@search.example')`,
      values: [tenant.id, id],
    });
    expect(await all(id)).toMatchObject([{ kind: "unmatched_purchase", id, title: "bob@search.example" }]);
    expect(await asked(tenant.access, id)).toEqual([]);
    const { data } = await scene.list("unmatched-purchases/?status=resolving");
    expect([data.length, await scene.get(`unmatched-purchases/${id}/`)]).toEqual([1, data[0]]);
  });

  it("finds mails for the operator alone", async () => {
    const { rows } = await door.pipe.database.query<{ id: string }>("select id from mails limit 1");
    const id = rows[0]?.id ?? "";
    expect(named(await all(id))).toEqual([`mail ${id}`]);
    expect(await asked(tenant.access, id)).toEqual([]);
  });

  it.each([
    ["evt_op_paid", "stripe_event"],
    ["cus_op", "customer"],
    ["sub_op", "subscription"],
    ["in_op", "invoice"],
    ["pi_op", "payment"],
    ["re_op", "refund"],
    ["dp_op", "dispute"],
    ["ch_op", "stripe_object"],
    ["inpay_op", "stripe_object"],
  ])("finds %s", async (id, found) => {
    expect(named(await all(id))).toEqual([`${found} ${id}`]);
    // The platform's, which no other tenant sees.
    expect(await asked(tenant.access, id)).toEqual([]);
  });

  it("finds a coupon by the id that somebody chose, and nothing by a word that is no id's beginning", async () => {
    const coupon = event("coupon.created", { id: "SUMMER-25.v2", object: "coupon" }, at(15, "evt_op_chosen"));
    expect((await door.webhook(JSON.stringify(coupon))).status).toBe(200);
    await door.pipe.drain();
    expect(named(await all("SUMMER-25.v2"))).toEqual(["stripe_object SUMMER-25.v2"]);
    expect(await asked(tenant.access, "SUMMER-25.v2")).toEqual([]);
    for (const q of ["constructor_1", "toString_1"])
      expect([await all(q), await asked(tenant.access, q)]).toEqual([[], []]);
  });

  it("tells an invoice by its number, its money and how it stands", async () => {
    const [hit] = await all("in_op");
    expect(`${String(hit?.title)} ${String(hit?.subtitle)}`).toMatch(/\$[\d.,]+.*paid/);
  });

  it("finds addresses by how they begin, in any case, and external ids whole", async () => {
    expect(named(await all("ann@SEARCH"))).toEqual([`account ${account}`]);
    expect(named(await all("ann@search.example"))).toEqual([`account ${account}`]);
    expect(named(await all("crm-7"))).toEqual([`account ${account}`]);
    expect(named(await all("crm"))).toEqual([]);
    expect(named(await all(EMAIL.slice(0, 6)))).toContain("customer cus_op");
    expect(named(await all(tenant.email.slice(0, -3)))).toContain(`user ${tenant.personId}`);
    expect(await asked(tenant.access, "ann@")).toEqual([`account ${account}`]);
    expect(await asked(tenant.access, "crm-7")).toEqual([`account ${account}`]);
    expect(await asked(tenant.access, tenant.email)).toEqual([`user ${tenant.personId}`]);
    for (const none of ["a", "%", "_nn@search", "nn@search", "evt_", "cus_%", "ann@search.examplf"])
      expect([none, await all(none)]).toEqual([none, []]);
  });

  it("a tenant's Stripe ids lead to the nearest object of theirs, and nobody else's to anything", async () => {
    const theirs = await registerTenant(door);
    const { database } = door.pipe;
    const query = async (text: string, ...values: unknown[]) => (await database.query({ text, values })).rows;
    await query(
      "insert into connections (livemode, stripe_account, tenant_id, status) values (false, 'acct_near', $1, 'active')",
      theirs.id,
    );
    const customer = "cus_near";
    const paid = { charge: "ch_near", payment_intent: "pi_near" };
    const happened: [string, StripeObject][] = [
      ["customer.created", newCustomer({ id: customer })],
      ["invoice.paid", newInvoice({ id: "in_near", customer, ...PAID })],
      [
        "invoice_payment.paid",
        invoicePayment({
          id: "inpay_near",
          invoice: "in_near",
          payment: { type: "payment_intent", payment_intent: "pi_near" },
        }),
      ],
      ["payment_intent.succeeded", newPaymentIntent({ id: "pi_near", customer, latest_charge: "ch_near" })],
      ["charge.succeeded", newCharge({ id: "ch_near", customer, payment_intent: "pi_near" })],
      ["refund.created", newRefund({ id: "re_near", ...paid })],
      ["charge.dispute.created", newDispute({ id: "du_near", ...paid })],
      ["payment_method.attached", newPaymentMethod({ id: "pm_near", customer })],
      ["setup_intent.succeeded", newSetupIntent({ id: "seti_near", customer, payment_method: "pm_near" })],
      // Of nobody who has an account here.
      ["payment_method.attached", newPaymentMethod({ id: "pm_strange", customer: "cus_strange" })],
    ];
    for (const [place, [type, object]] of happened.entries()) {
      const sent = { ...at(20 + place, `evt_${String(object.id)}`), account: "acct_near" };
      expect((await door.webhook(JSON.stringify(event(type, object, sent)))).status).toBe(200);
    }
    await door.pipe.drain();
    const { json } = await send(door, "POST", "/api/v1/accounts/", {
      ...{ token: theirs.access, body: { name: "Near" }, headers: { "billhook-mode": "test" } },
    });
    await query(
      "update accounts set stripe_customer_id = $2, stripe_customer_account = 'acct_near' where id = $1",
      String(json.id),
      customer,
    );
    const [invoice] = await query(
      "select 'connected_invoice ' || id as hit from connected_invoices where tenant_id = $1",
      theirs.id,
    );
    const person = `account ${String(json.id)}`;
    const nearest: Record<string, unknown> = {
      ...Object.fromEntries(["re", "du", "ch", "pi", "in"].map((prefix) => [`${prefix}_near`, invoice?.hit])),
      ...Object.fromEntries(["pm", "seti", "cus"].map((prefix) => [`${prefix}_near`, person])),
    };
    const withPage = async (q: string): Promise<string[]> =>
      (await asked(theirs.access, q)).filter((hit) => /^(account|connected_invoice) /.test(hit));
    for (const [id, hit] of Object.entries(nearest)) {
      for (const q of [id, `evt_${id}`]) {
        expect([q, await withPage(q)]).toEqual([q, [hit]]);
        expect([q, await asked(tenant.access, q)]).toEqual([q, []]);
        const live = { token: theirs.access, headers: { "billhook-mode": "live" } };
        expect([q, (await send(door, "GET", `/api/v1/search/?q=${q}`, live)).json.data]).toEqual([q, []]);
      }
    }
    for (const q of ["pm_strange", "evt_pm_strange", "re_none", "evt_none", "re_op", "evt_op_re"])
      expect([q, await withPage(q)]).toEqual([q, []]);
  });

  it("a member sees the own tenant's alone, in the own mode alone", async () => {
    const other = await registerTenant(door);
    const member = await addMember(door, tenant, "member");
    for (const q of [...Object.values(own), "crm-7", "ann@search"]) {
      expect([q, await asked(other.access, q)]).toEqual([q, []]);
      expect(await asked(member.access, q)).toHaveLength(1);
    }
    expect(await asked(other.access, tenant.id)).toEqual([]);
    expect(await asked(other.access, tenant.personId)).toEqual([]);
    expect(await asked(other.access, tenant.email)).toEqual([]);
    const live = { token: tenant.access, headers: { "billhook-mode": "live" } };
    expect((await send(door, "GET", `/api/v1/search/?q=${account}`, live)).json.data).toEqual([]);
    expect((await send(door, "GET", "/api/v1/search/?q=ann@search", live)).json.data).toEqual([]);
  });

  it("refuses a question that is none", async () => {
    for (const q of ["", "x".repeat(321), "a\u0000b"])
      expect((await door.admin("GET", `search/?q=${encodeURIComponent(q)}`)).status).toBe(400);
  });
});
