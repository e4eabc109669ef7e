// What the pages of a tenant and a person ask beside the lists: one account whole, the platform's share, the own sessions, and the
// operator's page of background work.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Answer, type Door, openDoor } from "./support/api-door.ts";
import { PASSWORD, registerTenant, send, sessionOf, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  let other: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
    other = await registerTenant(door);
  });
  afterAll(async () => door.close());

  const as = (who: { access: string }, method: string, path: string, body?: object): Promise<Answer> =>
    send(door, method, path, { token: who.access, body, headers: { "billhook-mode": "test" } });

  it("an admin sees one account with its subscription, purchases and invoices, and no other tenant's", async () => {
    const { json: made } = await as(tenant, "POST", "/api/v1/accounts/", { email: "detail@people.example" });
    const account = `/api/v1/accounts/${String(made.id)}`;
    const { rows } = await door.pipe.database.query<{ livemode: boolean }>({
      text: `insert into credit_purchases (tenant_id, livemode, id, account_id, credits, amount, currency, stripe_account)
             values ($1, false, 'pur_01kac0000000000000000000aa', $2, 100, 1000, 'usd', '') returning livemode`,
      values: [tenant.id, made.id],
    });
    expect(rows).toEqual([{ livemode: false }]);
    expect((await as(tenant, "GET", `${account}/`)).json).toMatchObject({ id: made.id, subscription: null });
    const purchases = await as(tenant, "GET", `${account}/purchases/?status=pending`);
    expect(purchases.json).toMatchObject({
      data: [{ credits: 100, amount: 1000, status: "pending" }],
      has_more: false,
    });
    expect((await as(tenant, "GET", `${account}/purchases/?status=paid`)).json.data).toEqual([]);
    expect((await as(tenant, "GET", `${account}/invoices/`)).json).toEqual({
      ...{ data: [], has_more: false, next_cursor: null },
    });
    for (const path of ["/", "/purchases/", "/invoices/"])
      expect([path, (await as(other, "GET", account + path)).status]).toEqual([path, 404]);
  });

  it("a tenant reads the share that the platform takes: the configured one, or its own", async () => {
    const percent = async (who: TestTenant) => (await as(who, "GET", "/api/v1/auth/tenants/terms/")).json;
    expect(await percent(tenant)).toEqual({ application_fee_percent: 15 });
    await door.admin("PATCH", `tenants/${tenant.id}/`, { application_fee_percent: 7.25 });
    expect([await percent(tenant), await percent(other)]).toEqual([
      { application_fee_percent: 7.25 },
      { application_fee_percent: 15 },
    ]);
  });

  it("a person sees where they are signed in, and ends one session, which is over at once", async () => {
    const login = () =>
      send(door, "POST", "/api/v1/auth/login/", { body: { email: tenant.email, password: PASSWORD } });
    const [here, there] = [sessionOf(await login()), sessionOf(await login())];
    const listed = async () =>
      (await as(here, "GET", "/api/v1/auth/sessions/")).json.data as { id: string; current: boolean }[];
    const [newest, own] = await listed();
    expect([newest?.current, own?.current]).toEqual([false, true]);
    const end = (who: { access: string }) => as(who, "DELETE", `/api/v1/auth/sessions/${String(newest?.id)}/`);
    expect((await end(other)).status).toBe(404);
    expect((await end(here)).status).toBe(200);
    expect((await end(here)).status).toBe(404);
    expect((await as(there, "GET", "/api/v1/auth/me/")).status).toBe(401);
    expect((await listed()).map(({ id }) => id)).not.toContain(newest?.id);
  });

  it("the operator sees imports and catch-ups of every account, as far as they have come", async () => {
    await door.pipe.database.query(
      `insert into catch_ups (livemode, stripe_account, covered_until, next_run_at) values (false, 'acct_seen', 1700000000, 'infinity')`,
    );
    await door.pipe.database.query(
      `insert into imports (livemode, stripe_account, object_type, running_since, running_as_of, objects)
       values (false, '', 'invoice', 1, 1700000000, 7)`,
    );
    const { status, json } = await door.admin("GET", "background/");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      imports: [{ account: null, object_type: "invoice", running: true, complete_as_of: null, objects: 7 }],
      catch_ups: [
        { account: "acct_seen", running: false, covered_until: "2023-11-14T22:13:20.000Z", next_run_at: null },
      ],
      scheduled: [],
    });
  });
});
