// The first five minutes: from the link that a start prints to credits that are bought, by a stranger who reads nothing else.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { expectAccessible, expectFitsWidth, PHONE, shot } from "./support/dashboard-browser.ts";
import { openServedDashboard, type ServedDashboard } from "./support/dashboard-served.ts";

const AT_MOST_MS = 120_000;

describe.skipIf(withoutBrowser())("a stranger with the printed link", () => {
  let served: ServedDashboard;
  let page: Page;
  beforeAll(async () => {
    served = await openServedDashboard();
  }, 120_000);
  afterEach(() => served.expectNoFaults());
  afterAll(() => served.close());

  it("has bought credits and sees the balance within two minutes, and the steps are ticked by what is there", async () => {
    const began = performance.now();
    page = await served.visit(served.link);
    await page.getByRole("heading", { level: 1, name: "First steps" }).waitFor();
    expect(page.url()).toBe(`${served.url}/welcome`);
    await page.getByText("0 of 4 done").waitFor();
    await shot(page, "welcome-light");
    await page.getByRole("link", { name: "Buy credits" }).click();
    await page.getByRole("button", { name: /^Purchase for \$45\.00/ }).click();
    await page.waitForURL(`${served.sandboxUrl}/**`);
    await page.getByRole("button", { name: "Pay $45.00", exact: true }).click();
    await page.waitForURL(`${served.url}/dashboard/credits/return?**`, { waitUntil: "commit" });
    await page.getByText("The credits are on your account.").waitFor();
    await page.getByRole("button", { name: "See your credits" }).click();
    await page.locator(".bh-figures > div", { hasText: "Balance" }).filter({ hasText: "500 credits" }).waitFor();
    const took = performance.now() - began;
    console.log(`from the printed link to the balance: ${(took / 1000).toFixed(1)} s`);
    expect(took).toBeLessThan(AT_MOST_MS);

    await page.getByRole("link", { name: "First steps" }).click();
    await page.getByText("2 of 4 done").waitFor();
    await expectAccessible(page);
    await shot(page, "welcome-dark");
    await page.setViewportSize(PHONE);
    await expectFitsWidth(page);
    await shot(page, "welcome-phone");
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.getByRole("link", { name: "See the event" }).click();
    await page.getByRole("heading", { level: 1, name: /^evt_/ }).waitFor();
  }, 180_000);

  it("registers a tenant from there and connects it at the sandbox's onboarding, and the step is ticked", async () => {
    await page.goBack();
    await page.getByRole("main").getByRole("link", { name: "Register a tenant", exact: true }).click();
    await page.getByLabel("Company").fill("First Ltd");
    await page.getByLabel("Domain").fill("first.example");
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByLabel("I have stored them").check();
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByRole("button", { name: "Connect with Stripe" }).click();
    await page.waitForURL(`${served.sandboxUrl}/connect/onboarding/**`);
    await page.getByRole("button", { name: "Complete", exact: true }).click();
    await page.getByText("The account is connected: it can take payments.").waitFor();
    await page.getByRole("link", { name: "First steps" }).click();
    await page.getByText("3 of 4 done").waitFor();
  }, 60_000);

  it("receives a webhook by one press, sees what arrived, and is done, also when the page is loaded anew", async () => {
    const arrived = page.getByRole("list", { name: "Webhooks that arrived" });
    expect(await arrived.getByRole("listitem").count()).toBe(0);
    await page.getByRole("button", { name: "Receive one" }).click();
    await arrived.getByText("test.webhook", { exact: true }).waitFor();
    await page.getByText("All done.").waitFor();
    await expectAccessible(page);
    await shot(page, "welcome-done-dark");
    await page.setViewportSize(PHONE);
    await expectFitsWidth(page);
    await page.setViewportSize({ width: 1200, height: 900 });
    // One endpoint, however often it is pressed.
    await page.getByRole("button", { name: "Receive another" }).click();
    await expect.poll(() => arrived.getByRole("listitem").count(), { timeout: 15_000 }).toBe(2);
    await page.getByRole("link", { name: "an endpoint of your own" }).click();
    const endpoints = page.getByRole("table", { name: "Webhook endpoints" });
    await endpoints.getByRole("link", { name: `${served.sandboxUrl}/_sandbox/received` }).waitFor();
    expect(await endpoints.getByText("/_sandbox/received").count()).toBe(1);
    await page.goBack();
    await page.reload();
    await page.getByText("All done.").waitFor();
    await arrived.getByText("test.webhook", { exact: true }).first().waitFor();
  }, 60_000);

  it("puts the steps away", async () => {
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.waitForURL((url) => url.pathname !== "/welcome");
    expect(await page.evaluate("localStorage.getItem('billhook.first-steps')")).toBe("dismissed");
  });
});
