// Connecting a Stripe account in a real browser: through the sandbox's onboarding and consent pages, and back to the platform.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser, withoutBrowser } from "./support/browser.ts";
import { shot } from "./support/dashboard-browser.ts";
import {
  arrival,
  type Hop,
  serveConnect,
  type ServedConnect,
  STRIPE_PATH,
  watchHops,
} from "./support/connect-visit.ts";
import { BOTH } from "./support/pipe.ts";

interface Started {
  url: string;
  state: string;
  redirect_uri: string;
  method: string;
}

describe.skipIf(withoutBrowser()).each(BOTH)("in a browser, on the %s database", (kind) => {
  let billhook: ServedConnect;
  let browser: TestBrowser;
  let page: Page;
  let hops: Hop[];
  beforeAll(async () => {
    [billhook, browser] = await Promise.all([serveConnect(kind), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await billhook.close();
  });
  beforeEach(async () => {
    page = await browser.visitor();
    hops = watchHops(page);
  });
  afterEach(async () => {
    await page.context().close();
    expect(browser.refused).toEqual([]);
  });

  const connect = async (owner: string, body?: object): Promise<Started> => {
    const { status, json } = await billhook.ask("POST", `${STRIPE_PATH}/connect/`, owner, body);
    expect([status, json]).toMatchObject([200, { redirect_uri: `${billhook.url}${STRIPE_PATH}/callback/` }]);
    return json as unknown as Started;
  };
  const standing = async (owner: string) => (await billhook.ask("GET", `${STRIPE_PATH}/status/`, owner)).json;
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const heading = () => page.getByRole("heading", { level: 1 }).textContent();
  /** The redirects that our own callback gave. */
  const callbacks = () => hops.filter(({ from }) => from.pathname === `${STRIPE_PATH}/callback/`);

  it("an account link leads through onboarding, and back to the dashboard with an active account and no secret in the address", async () => {
    const owner = await billhook.owner();
    const { url, state, method } = await connect(owner);
    expect([method, url]).toEqual([
      "account_link",
      expect.stringContaining(`${billhook.sandboxUrl}/connect/onboarding/`),
    ]);
    expect(await standing(owner)).toMatchObject({ connected: true, status: "pending", charges_enabled: false });
    await page.goto(url);
    expect(await heading()).toBe("Set up your account");
    await shot(page, `onboarding-${kind}`, { fullPage: true });
    await page.getByLabel("Business type").selectOption("Company");
    await page.getByLabel("Name of the person or the business").fill("Ada & Sons <Ltd>");
    await page.getByLabel("E-mail").fill("ada@sons.example");
    await press("Complete");
    expect(await arrival(page)).toEqual({ status: "active" });
    const [callback, ...others] = callbacks();
    expect(others).toEqual([]);
    expect([callback?.status, callback?.to.href, callback?.referrerPolicy]).toEqual([
      302,
      `${billhook.url}/dashboard/connect?status=active`,
      "no-referrer",
    ]);
    expect(callback?.from.searchParams.get("state")).toBe(state);
    expect(page.url()).not.toMatch(new RegExp(`acct_|${state}|sk_|eyJ`));
    expect(await standing(owner)).toMatchObject({
      connected: true,
      status: "active",
      charges_enabled: true,
      payouts_enabled: true,
      account_details: { email: "ada@sons.example", business_type: "company", details_submitted: true },
    });
    // At its most talkative the log tells of the callback, and not of its state.
    expect(billhook.log()).toContain(`${STRIPE_PATH}/callback/`);
    expect(billhook.log()).not.toContain(state);
  });

  it("whoever goes back, or opens the callback again, is told so, and the connection stays", async () => {
    const owner = await billhook.owner();
    const { url, state } = await connect(owner);
    await page.goto(url);
    await press("Complete");
    expect(await arrival(page)).toEqual({ status: "active" });
    // The link of the page before was used, and its state too.
    await page.goBack();
    expect(await arrival(page)).toEqual({ status: "error", code: "connect_state_invalid" });
    await page.goto(`${billhook.url}${STRIPE_PATH}/callback/?state=${state}`);
    expect(await arrival(page)).toEqual({ status: "error", code: "connect_state_invalid" });
    expect(callbacks().map(({ status }) => status)).toEqual([302, 302]);
    expect(await standing(owner)).toMatchObject({ connected: true, status: "active" });
  });

  it("whoever reloads the onboarding page gets a new one, and finishes there", async () => {
    const owner = await billhook.owner();
    const { url } = await connect(owner);
    await page.goto(url);
    await page.reload();
    expect(hops.map(({ from }) => from.pathname)).toEqual([new URL(url).pathname, `${STRIPE_PATH}/refresh/`]);
    expect(await heading()).toBe("Set up your account");
    expect(page.url()).not.toBe(url);
    await press("Complete");
    expect(await arrival(page)).toEqual({ status: "active" });
    expect(await standing(owner)).toMatchObject({ status: "active" });
  });

  it("whoever leaves is pending, whoever leaves something open is restricted, and the next link goes on with the same account", async () => {
    const owner = await billhook.owner();
    await page.goto((await connect(owner)).url);
    await press("Leave and return");
    expect(await arrival(page)).toEqual({ status: "pending" });
    const left = await standing(owner);
    expect(left).toMatchObject({ connected: true, status: "pending", charges_enabled: false });
    await page.goto((await connect(owner)).url);
    await shot(page, `onboarding-again-${kind}`, { fullPage: true });
    await press("Complete with something still due");
    await arrival(page);
    expect(await standing(owner)).toMatchObject({
      account_id: left.account_id,
      status: "restricted",
      requirements: { currently_due: ["individual.verification.document"] },
    });
    await page.goto((await connect(owner)).url);
    await press("Complete");
    await arrival(page);
    expect(await standing(owner)).toMatchObject({ account_id: left.account_id, status: "active" });
  });

  it.each(["oauth", "express_oauth"])("%s: who agrees on the consent page is connected", async (method) => {
    const owner = await billhook.owner();
    const started = await connect(owner, { method });
    const { pathname, searchParams } = new URL(started.url);
    expect(pathname).toBe(method === "oauth" ? "/oauth/authorize" : "/express/oauth/authorize");
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: expect.stringMatching(/^ca_/),
      state: started.state,
      redirect_uri: started.redirect_uri,
    });
    await page.goto(started.url);
    expect(await heading()).toBe("Connect your account");
    await shot(page, `consent-${method}-${kind}`, { fullPage: true });
    await press("Connect my account");
    expect(await arrival(page)).toEqual({ status: "active" });
    const [callback] = callbacks();
    const code = callback?.from.searchParams.get("code") ?? "";
    expect([callback?.status, callback?.to.search, callback?.referrerPolicy]).toEqual([
      302,
      "?status=active",
      "no-referrer",
    ]);
    expect(code).toMatch(/^ac_/);
    expect(billhook.log()).not.toContain(code);
    expect(await standing(owner)).toMatchObject({ connected: true, status: "active", charges_enabled: true });
    // The back button: the code and the state are used up.
    await page.goto(callback?.from.href ?? "");
    expect(await arrival(page)).toEqual({ status: "error", code: "connect_state_invalid" });
    expect(await standing(owner)).toMatchObject({ connected: true, status: "active" });
  });

  it("who cancels on the consent page is sent back as denied, is not connected, and may begin again", async () => {
    const owner = await billhook.owner();
    await page.goto((await connect(owner, { method: "oauth" })).url);
    await press("Cancel");
    expect(await arrival(page)).toEqual({ status: "denied", code: "connect_refused" });
    expect(callbacks()[0]?.from.searchParams.get("error")).toBe("access_denied");
    expect(await standing(owner)).toMatchObject({ connected: false, status: "not_connected" });
    await page.goto((await connect(owner, { method: "oauth" })).url);
    await page.getByLabel("A new account that has not told its details yet").check();
    await press("Connect my account");
    expect(await arrival(page)).toEqual({ status: "pending" });
    expect(await standing(owner)).toMatchObject({ connected: true, status: "pending" });
  });

  it("an address that was tampered with is a page that says what is wrong, and nobody is sent anywhere", async () => {
    const owner = await billhook.owner();
    const url = new URL((await connect(owner, { method: "oauth" })).url);
    url.searchParams.set("redirect_uri", "javascript:alert(1)");
    expect((await page.goto(url.href))?.status()).toBe(400);
    expect(await page.getByRole("alert").textContent()).toContain("Invalid redirect URI");
    await shot(page, `consent-refused-${kind}`, { fullPage: true });
    await page.goto(`${billhook.url}${STRIPE_PATH}/callback/?state=nobody&code=ac_made_up`);
    expect(await arrival(page)).toEqual({ status: "error", code: "connect_state_invalid" });
    expect(await standing(owner)).toMatchObject({ connected: false });
  });
});
