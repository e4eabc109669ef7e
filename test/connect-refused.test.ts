// What connecting refuses, and what it survives: states that do not work, double clicks, crashes, a Stripe that fails.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { purgeStates } from "../src/connections/connect-states.ts";
import { firstOperatorLink } from "../src/tenants/first-operator.ts";
import { PUBLIC_URL } from "./support/api-door.ts";
import {
  comeBack,
  connect,
  connectedByOAuth,
  type ConnectScene,
  consent,
  disconnect,
  onboard,
  openConnectScene,
  status,
  STRIPE,
} from "./support/connect-scene.ts";
import { addMember, newEmail, PASSWORD, registerTenant, send, sessionOf, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: ConnectScene;
  beforeAll(async () => {
    scene = await openConnectScene(kind);
  });
  afterAll(() => scene.close());

  const query = (text: string, ...values: unknown[]) => scene.door.pipe.database.query({ text, values });
  const accountsOf = (tenant: TestTenant): unknown[] =>
    scene.sandbox.objects("account").filter(({ metadata }) => metadata?.billhook_tenant === tenant.id);
  const begin = (tenant: TestTenant, body?: object, headers?: Record<string, string>) =>
    send(scene.door, "POST", `${STRIPE}/connect/`, { token: tenant.access, body, ...(headers && { headers }) });

  it("a state works once, also when ten come at once, and the connection that it made stays", async () => {
    const tenant = await registerTenant(scene.door);
    const { url } = await connect(scene, tenant, { method: "oauth" });
    const back = await consent(url);
    const answers = await Promise.all(Array.from({ length: 10 }, () => comeBack(scene, back)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array<number>(9).fill(400)]);
    expect((await comeBack(scene, back)).json.code).toBe("connect_state_invalid");
    expect((await status(scene, tenant)).json).toMatchObject({ connected: true, status: "active", refreshed: true });
  });

  it("a look at the callback's headers alone uses nothing up", async () => {
    const tenant = await registerTenant(scene.door);
    const { url } = await connect(scene, tenant, { method: "oauth" });
    const { pathname, search, href } = new URL(await consent(url));
    expect((await scene.door.call("HEAD", pathname + search)).status).toBe(200);
    expect((await comeBack(scene, href)).status).toBe(200);
  });

  it("a state that is missing, unknown, too old, or of who is no owner any more is 400 and says what to do", async () => {
    const tenant = await registerTenant(scene.door);
    const callback = (state: string) => send(scene.door, "GET", `${STRIPE}/callback/?code=ac_1${state}`);
    const old = await connect(scene, tenant, { method: "oauth" });
    await query("update connect_states set expires_at = now() where tenant_id = $1", tenant.id);
    const owner = await connect(scene, tenant, { method: "oauth" });
    await addMember(scene.door, tenant, "owner");
    await query("update memberships set role = 'admin' where person_id = $1", tenant.personId);
    for (const state of ["", "&state=forged", `&state=${String(old.state)}`, `&state=${String(owner.state)}`]) {
      const { status: told, json } = await callback(state);
      expect([told, json.code, json.message]).toEqual([
        400,
        "connect_state_invalid",
        expect.stringContaining("start the connection again"),
      ]);
    }
  });

  it("a browser that comes back from onboarding after the state ran out is told how the account stands", async () => {
    const tenant = await registerTenant(scene.door);
    const { url, state } = await connect(scene, tenant);
    await query("update connect_states set expires_at = now() where tenant_id = $1", tenant.id);
    const callback = `${STRIPE}/callback/?state=${String(state)}`;
    const told = async () => {
      const headers = { accept: "text/html" };
      const answer = await fetch(scene.door.url + callback, { headers, redirect: "manual" });
      return [answer.status, answer.headers.get("location")];
    };
    expect(await told()).toEqual([302, `${PUBLIC_URL}/dashboard/connect?status=pending`]);
    const { pathname, search } = new URL(await onboard(url));
    expect(`${pathname}${search}`).toBe(callback);
    await scene.settle();
    expect(await told()).toEqual([302, `${PUBLIC_URL}/dashboard/connect?status=active`]);
    expect((await send(scene.door, "GET", callback)).status).toBe(400);
  });

  it("a state is stored hashed alone", async () => {
    const tenant = await registerTenant(scene.door);
    const { state } = await connect(scene, tenant, { method: "oauth" });
    const { rows } = await query("select to_jsonb(flow)::text as text from connect_states as flow");
    expect(rows.some(({ text }) => String(text).includes(String(state)))).toBe(false);
  });

  it("a code that Stripe does not take is 400 with OAuth's code", async () => {
    const tenant = await registerTenant(scene.door);
    const { state } = await connect(scene, tenant, { method: "oauth" });
    const answer = await send(scene.door, "GET", `${STRIPE}/callback/?code=ac_none&state=${String(state)}`);
    expect([answer.status, answer.json]).toMatchObject([400, { error: "invalid_grant", code: "connect_refused" }]);
    expect((await status(scene, tenant)).json).toMatchObject({ connected: false, status: "not_connected" });
  });

  it("a link to an account that was disconnected meanwhile connects nothing", async () => {
    const tenant = await registerTenant(scene.door);
    const { url } = await connect(scene, tenant);
    const back = await onboard(url);
    await disconnect(scene, tenant);
    expect((await comeBack(scene, back)).json.code).toBe("connect_state_invalid");
    expect((await status(scene, tenant)).json).toMatchObject({ connected: false, status: "disconnected" });
  });

  it("a double click makes one account, and so does a crash between Stripe's answer and our commit", async () => {
    const tenant = await registerTenant(scene.door);
    scene.trouble.crash = true;
    expect((await begin(tenant)).status).toBe(500);
    expect(accountsOf(tenant)).toHaveLength(1);
    const answers = await Promise.all([begin(tenant), begin(tenant), begin(tenant)]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(accountsOf(tenant)).toHaveLength(1);
    expect((await query("select from account_creations where tenant_id = $1", tenant.id)).rows).toEqual([]);
  });

  it("clicks that come while the first is still recorded make no second account either", async () => {
    for (let round = 0; round < 4; round += 1) {
      const tenant = await registerTenant(scene.door);
      const clicks = Array.from({ length: 6 }, async (_, click) => {
        await new Promise((resolve) => setTimeout(resolve, click * 8));
        return (await begin(tenant)).status;
      });
      expect(await Promise.all(clicks)).toEqual(clicks.map(() => 200));
      expect(accountsOf(tenant)).toHaveLength(1);
    }
  });

  it("an account that Stripe does not show at once is connected all the same, and asked for in the background", async () => {
    const tenant = await registerTenant(scene.door);
    scene.trouble.blind = true;
    const account = await connectedByOAuth(scene, tenant).finally(() => (scene.trouble.blind = false));
    expect((await query("select reason from stripe_fetches where object_id = $1", account)).rows).toEqual([
      { reason: "connected" },
    ]);
    expect((await status(scene, tenant)).json).toMatchObject({
      connected: true,
      account_id: account,
      status: "active",
    });
  });

  it("states that ended a day ago are removed, others stay", async () => {
    const tenant = await registerTenant(scene.door);
    await connect(scene, tenant, { method: "oauth" });
    await query("update connect_states set expires_at = now() - interval '25 hours' where tenant_id = $1", tenant.id);
    const { state } = await connect(scene, tenant, { method: "oauth" });
    await purgeStates(scene.door.pipe.database);
    expect((await query("select from connect_states where tenant_id = $1", tenant.id)).rows).toHaveLength(1);
    expect((await send(scene.door, "GET", `${STRIPE}/callback/?error=x&state=${String(state)}`)).json.error).toBe("x");
  });

  it("a refusal of Stripe's is told, and the next try is not answered with it again", async () => {
    const tenant = await registerTenant(scene.door);
    const refused = await begin(tenant, { country: "XQ" });
    expect([refused.status, refused.json]).toMatchObject([400, { code: "stripe_refused", param: "country" }]);
    expect((await begin(tenant, { country: "DE" })).status).toBe(200);
    expect((await status(scene, tenant)).json).toMatchObject({ account_details: { country: "DE" } });
  });

  it("without an answer of Stripe's the status is what was known, and says so", async () => {
    const tenant = await registerTenant(scene.door);
    const account = await connectedByOAuth(scene, tenant);
    await scene.settle();
    scene.trouble.unreachable = true;
    try {
      const answer = await status(scene, tenant);
      expect([answer.status, answer.json]).toMatchObject([
        200,
        { connected: true, account_id: account, status: "active", charges_enabled: true, refreshed: false },
      ]);
      const kept = await disconnect(scene, tenant);
      expect([kept.status, kept.json.code]).toEqual([503, "stripe_unreachable"]);
      expect((await begin(await registerTenant(scene.door))).status).toBe(503);
    } finally {
      scene.trouble.unreachable = false;
    }
    expect((await status(scene, tenant)).json).toMatchObject({ connected: true, status: "active", refreshed: true });
  });

  it("a disconnection that Stripe had already made is done", async () => {
    const tenant = await registerTenant(scene.door);
    const account = await connectedByOAuth(scene, tenant);
    const plain = scene.sandbox.client({ apiVersion: "2026-10-28.endive" });
    await plain.oauth.deauthorize({ client_id: "ca_OfTheTests", stripe_user_id: account });
    expect((await disconnect(scene, tenant)).status).toBe(200);
  });

  it("bad input is 400 and names the field", async () => {
    const tenant = await registerTenant(scene.door);
    for (const [field, body] of Object.entries({
      method: { method: "standard" },
      country: { country: "Germany" },
      return_url: { return_url: "https://elsewhere.example/" },
      scope: { scope: "read_only" },
    })) {
      const { status: told, json } = await begin(tenant, body);
      expect([told, json.param]).toEqual([400, field]);
    }
    expect((await begin(tenant, { return_url: "javascript:alert(1)" })).status).toBe(400);
    expect((await begin(tenant, { return_url: `${PUBLIC_URL}/page` })).status).toBe(200);
  });

  it("a mode without a Stripe key is 503 and says which variable to set", async () => {
    const tenant = await registerTenant(scene.door);
    const live = { "billhook-mode": "live" };
    const answer = await begin(tenant, undefined, live);
    expect([answer.status, answer.json.code]).toEqual([503, "stripe_not_configured"]);
    expect(answer.json.message).toContain("STRIPE_SECRET_KEY");
    await connect(scene, tenant);
    const { json } = await send(scene.door, "GET", `${STRIPE}/status/`, { token: tenant.access, headers: live });
    expect(json).toMatchObject({ connected: false, status: "not_connected" });
  });

  it("the platform's own account is the keyholder's: there is nothing to connect", async () => {
    const { database, platformTenant } = scene.door.pipe;
    const link = await firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
    const body = { token: link?.split("#token=")[1], email: newEmail(), password: PASSWORD };
    const token = sessionOf(await send(scene.door, "POST", "/api/v1/auth/tenants/members/accept/", { body })).access;
    for (const path of ["connect", "disconnect"]) {
      const answer = await send(scene.door, "POST", `${STRIPE}/${path}/`, { token });
      expect([answer.status, answer.json.code]).toEqual([409, "platform_account"]);
    }
  });

  it("who joins a tenant is told its account, in the caller's mode", async () => {
    const tenant = await registerTenant(scene.door);
    const account = await connectedByOAuth(scene, tenant);
    await scene.settle();
    const invited = newEmail();
    const invitation = { token: tenant.access, body: { email: invited, role: "member" } };
    await send(scene.door, "POST", "/api/v1/auth/tenants/members/", invitation);
    const { rows } = await query("select fields ->> 'link' as link from mails where recipient = $1", invited);
    const token = String(rows[0]?.link).split("#token=")[1];
    const body = { token, password: PASSWORD };
    const { json } = await send(scene.door, "POST", "/api/v1/auth/tenants/members/accept/", { body });
    expect(json.tenant).toMatchObject({ stripe_connect_account_id: account, stripe_connect_status: "active" });
  });
});

describe.each(BOTH)("without a client id, on the %s database", (kind) => {
  let scene: ConnectScene;
  beforeAll(async () => {
    scene = await openConnectScene(kind, { clientIds: {} });
  });
  afterAll(() => scene.close());

  it("OAuth is 503 and names the variable", async () => {
    const tenant = await registerTenant(scene.door);
    for (const method of ["oauth", "express_oauth"]) {
      const answer = await send(scene.door, "POST", `${STRIPE}/connect/`, { token: tenant.access, body: { method } });
      expect([answer.status, answer.json.code]).toEqual([503, "connect_client_id_missing"]);
      expect(answer.json.message).toContain("STRIPE_CONNECT_CLIENT_ID");
    }
  });

  it("disconnecting ends the link here alone, and connecting again finds the same account", async () => {
    const tenant = await registerTenant(scene.door);
    const back = await onboard((await connect(scene, tenant)).url);
    const account = (await comeBack(scene, back)).json.account_id;
    expect((await disconnect(scene, tenant)).status).toBe(200);
    expect((await scene.sandbox.stripe.accounts.retrieve(String(account))).id).toBe(account);
    await scene.settle();
    expect((await status(scene, tenant)).json).toMatchObject({ connected: false, status: "disconnected" });
    await connect(scene, tenant);
    expect((await status(scene, tenant)).json).toMatchObject({
      connected: true,
      account_id: account,
      status: "active",
    });
  });
});
