// Connecting Stripe accounts through the HTTP door, with the sandbox as Stripe: account links, OAuth, status, the end.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  BROWSER,
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
import { PUBLIC_URL } from "./support/api-door.ts";
import { auditOf, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const CALLBACK = `${PUBLIC_URL}${STRIPE}/callback/`;

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: ConnectScene;
  beforeAll(async () => {
    scene = await openConnectScene(kind);
  });
  afterAll(() => scene.close());

  it("an account link leads through onboarding to an active account, as the seed's answers have it", async () => {
    const tenant = await registerTenant(scene.door);
    expect((await status(scene, tenant)).json).toEqual({
      connected: false,
      status: "not_connected",
      message: "No Stripe account connected",
    });
    const started = await connect(scene, tenant);
    expect(started).toEqual({
      url: expect.stringContaining("/connect/onboarding/") as string,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      redirect_uri: CALLBACK,
      method: "account_link",
    });
    expect((await status(scene, tenant)).json).toMatchObject({
      connected: true,
      status: "pending",
      charges_enabled: false,
      refreshed: true,
    });
    const back = await onboard(started.url);
    expect(back).toBe(`${CALLBACK}?state=${String(started.state)}`);
    const answer = await comeBack(scene, back);
    const account = answer.json.account_id;
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        message: "Stripe account connected successfully",
        account_id: expect.stringMatching(/^acct_/) as string,
        tenant: {
          id: tenant.id,
          company_name: `Company of ${tenant.email}`,
          stripe_connect_account_id: account,
          stripe_connect_status: "active",
        },
      },
    ]);
    expect((await status(scene, tenant)).json).toEqual({
      connected: true,
      account_id: account,
      status: "active",
      charges_enabled: true,
      payouts_enabled: true,
      requirements: { currently_due: [], eventually_due: [], past_due: [], disabled_reason: null },
      account_details: {
        email: "jenny@example.com",
        business_type: "individual",
        country: "US",
        default_currency: "usd",
        details_submitted: true,
      },
      refreshed: true,
    });
  });

  it("OAuth leads through the consent page to a connected account", async () => {
    const tenant = await registerTenant(scene.door);
    const started = await connect(scene, tenant, { method: "oauth" });
    const { origin, pathname, searchParams } = new URL(String(started.url));
    expect([origin, pathname, Object.fromEntries(searchParams)]).toEqual([
      scene.sandbox.url,
      "/oauth/authorize",
      {
        response_type: "code",
        client_id: "ca_OfTheTests",
        scope: "read_write",
        state: started.state,
        redirect_uri: CALLBACK,
      },
    ]);
    const answer = await comeBack(scene, await consent(started.url));
    expect([answer.status, answer.json]).toMatchObject([200, { tenant: { stripe_connect_status: "active" } }]);
    expect((await status(scene, tenant)).json).toMatchObject({ connected: true, account_id: answer.json.account_id });
  });

  it("OAuth for Express has the seed's address", async () => {
    const tenant = await registerTenant(scene.door);
    const { url } = await connect(scene, tenant, { method: "express_oauth" });
    expect(String(url)).toContain("/express/oauth/authorize?");
    const answer = await comeBack(scene, await consent(url, { act: "allow", account: "new_bare" }));
    expect(answer.json).toMatchObject({ tenant: { stripe_connect_status: "pending" } });
  });

  it("a denied consent is 400 with OAuth's code and words, and uses the state up", async () => {
    const tenant = await registerTenant(scene.door);
    const { url } = await connect(scene, tenant, { method: "oauth" });
    const back = await consent(url, { act: "deny" });
    const denied = await comeBack(scene, back);
    expect([denied.status, denied.json]).toEqual([
      400,
      {
        error: "access_denied",
        description: "The user denied your request",
        code: "connect_refused",
        message: expect.stringContaining("start the connection again") as string,
        request_id: expect.stringMatching(/^req_/) as string,
      },
    ]);
    const again = await comeBack(scene, back);
    expect([again.status, again.json.code]).toEqual([400, "connect_state_invalid"]);
  });

  it("disconnecting answers as the seed, ends it at Stripe, and a second time is 409", async () => {
    const tenant = await registerTenant(scene.door);
    const account = await connectedByOAuth(scene, tenant);
    const answer = await disconnect(scene, tenant);
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        message: "Stripe account disconnected successfully",
        tenant: { id: tenant.id, stripe_connect_account_id: null, stripe_connect_status: "disconnected" },
      },
    ]);
    await expect(scene.sandbox.stripe.accounts.retrieve(account)).rejects.toMatchObject({ statusCode: 403 });
    expect((await status(scene, tenant)).json).toMatchObject({ connected: false, status: "disconnected" });
    const second = await disconnect(scene, tenant);
    expect([second.status, second.json.code]).toEqual([409, "stripe_not_connected"]);
    expect((await auditOf(scene.door, tenant)).map(({ action }) => action).slice(0, 4)).toEqual([
      "stripe.disconnected",
      "stripe.connected",
      "stripe.status_changed",
      "stripe.connect_started",
    ]);
  });

  it("a browser is led on to the dashboard, or to where it came from, with no secret in the address", async () => {
    const tenant = await registerTenant(scene.door);
    const first = await connect(scene, tenant, { method: "oauth" });
    const denied = await comeBack(scene, await consent(first.url, { act: "deny" }), BROWSER);
    expect([denied.status, denied.headers.get("location")]).toEqual([
      302,
      `${PUBLIC_URL}/dashboard/connect?status=denied&code=connect_refused`,
    ]);
    const return_url = `${PUBLIC_URL}/settings?tab=stripe`;
    const { url } = await connect(scene, tenant, { method: "oauth", return_url });
    const back = await consent(url);
    const answer = await comeBack(scene, back, BROWSER);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, `${return_url}&status=active`]);
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    const again = await comeBack(scene, back, BROWSER);
    expect(again.headers.get("location")).toBe(`${return_url}&status=error&code=connect_state_invalid`);
    expect((await status(scene, tenant)).json).toMatchObject({ connected: true, status: "active" });
  });

  it("an account link that was opened before leads to a new one", async () => {
    const tenant = await registerTenant(scene.door);
    const started = await connect(scene, tenant);
    await onboard(started.url, "leave");
    const refresh = await onboard(started.url);
    expect(refresh).toBe(`${PUBLIC_URL}${STRIPE}/refresh/?state=${String(started.state)}`);
    const renewed = await comeBack(scene, refresh, BROWSER);
    expect(renewed.status).toBe(302);
    const answer = await comeBack(scene, await onboard(renewed.headers.get("location")));
    expect(answer.json).toMatchObject({ tenant: { stripe_connect_status: "active" } });
    expect((await send(scene.door, "GET", new URL(refresh).pathname + new URL(refresh).search)).json.code).toBe(
      "connect_state_invalid",
    );
  });
});
