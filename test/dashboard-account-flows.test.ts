// What a person does with their own account in a browser, from one visit to the next: a payment that fails and one that works, what
// was spent, invoices and Stripe's portal, top-ups, and a new password.
import { randomUUID } from "node:crypto";

import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Wire } from "./support/api-door.ts";
import { withoutBrowser } from "./support/browser.ts";
import { expectAccessible, settled, shot, signIn } from "./support/dashboard-browser.ts";
import { openServedDashboard, type ServedDashboard } from "./support/dashboard-served.ts";
import { PASSWORD } from "./support/people.ts";

const NEW_PASSWORD = "Another-Horse-7-Stable";
/** The machine may be busy; the sandbox's debits fail after some seconds. */
const SOON = { timeout: 30_000 };
/** A declined card's page, a password that is refused, and the page's own try to go on with a session that has ended. */
const REFUSED = /status of 40[12]/;

describe.skipIf(withoutBrowser())("a person who comes again, in a browser", () => {
  let served: ServedDashboard;
  let page: Page;
  let email: string;
  /** Of an owner of the platform. */
  let operator: string | undefined;
  beforeAll(async () => {
    served = await openServedDashboard();
    page = await served.newcomer("/dashboard/profile", { expected: REFUSED });
    email = (await fact("E-mail address").locator("dd").textContent()) ?? "";
    const token = new URL(served.link).hash.replace("#token=", "");
    const { tokens } = await ask("POST", "/api/v1/auth/sign-in-link/", { token });
    operator = (tokens as { access: string }).access;
  }, 240_000);
  afterEach(() => served.expectNoFaults());
  afterAll(() => served.close());

  const heading = (name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const go = (entry: string) => page.getByRole("link", { name: entry, exact: true }).click();
  const press = (name: string | RegExp) => page.getByRole("button", { name }).click();
  const tile = (label: string) => page.locator(".bh-figures > div", { hasText: label });
  const fact = (label: string) =>
    page.locator(".bh-facts > div").filter({ has: page.getByText(label, { exact: true }) });
  const payment = () => page.getByRole("region", { name: "Payment" });

  async function ask(method: string, path: string, body?: object): Promise<Wire> {
    const response = await fetch(served.url + path, {
      method,
      headers: {
        ...(operator === undefined ? {} : { authorization: `Bearer ${operator}` }),
        ...{ "content-type": "application/json", "idempotency-key": randomUUID() },
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect([path, response.ok, text]).toEqual([path, true, text]);
    return JSON.parse(text) as Wire;
  }

  it("a payment that fails after the return says so and what to do; a declined card is told, and the next one pays", async () => {
    const pack = { name: "300 in euros", credits: 300, amount: 2500, currency: "eur" };
    const { id } = await ask("POST", "/api/v1/credit-packs/", pack);
    await expect
      .poll(async () => (await ask("GET", `/api/v1/credit-packs/${String(id)}/`)).price_id, SOON)
      .toMatch(/^price_/);
    await go("Credits");
    await tile("Balance").getByText("0 credits").waitFor();
    await press(/^Purchase for €25\.00/);
    await press(/SEPA debit – fails later/);
    await payment().getByText("Failed", { exact: true }).waitFor(SOON);
    await payment().getByText("The payment was declined by the customer's bank.").waitFor();
    await payment().getByText("No money was taken: try again with another card.").waitFor();
    await expectAccessible(page);
    await shot(page, "account-purchase-failed-dark");
    await page.emulateMedia({ colorScheme: "light" });
    // It is over: the list of what was bought does not wait for it.
    const { data } = await ask("GET", `/api/v1/accounts/?email=${encodeURIComponent(email)}`);
    const [{ id: account }] = data as [Wire];
    await expect
      .poll(async () => (await ask("GET", `/api/v1/accounts/${String(account)}/purchases/`)).data, SOON)
      .toMatchObject([{ status: "canceled" }]);
    await press("Buy again");
    await heading("Credits");
    await tile("Balance").getByText("0 credits").waitFor();

    await press(/^Purchase for \$45\.00/);
    await press(/4000 0000 0000 0002/);
    await page.getByText("Your card was declined.").waitFor();
    await press(/4242 4242 4242 4242/);
    await payment().getByText("The credits are on your account.").waitFor(SOON);
    await tile("Balance").getByText("500 credits").waitFor();
    await press("See your credits");
    await tile("Balance").getByText("500 credits").waitFor();
  }, 120_000);

  it("what is bought and spent is in the ledger, and the chart's table has the balance after each", async () => {
    const { data } = await ask("GET", `/api/v1/accounts/?email=${encodeURIComponent(email)}`);
    const [{ id: account }] = data as [Wire];
    await ask("POST", `/api/v1/accounts/${String(account)}/credits/spend/`, { amount: 30, reason: "A long report" });
    // The page asks by itself.
    await tile("Balance").getByText("470 credits").waitFor(SOON);
    const ledger = page.getByRole("table", { name: "Ledger" });
    await ledger.getByRole("row", { name: /Spend.*A long report.*-30.*470/ }).waitFor();
    await ledger.getByRole("row", { name: /Purchase.*\+500.*500/ }).waitFor();
    const chart = page.getByRole("figure", { name: "Balance over the latest entries" });
    await chart.locator("svg").first().waitFor();
    expect(await chart.getByRole("row").locator("td").allTextContents()).toEqual(["500", "470"]);
  }, 60_000);

  it("a subscription's invoice is opened from the list, at Stripe and as its PDF", async () => {
    await go("Subscription");
    await press("Subscribe to Starter");
    await press("Pay $9.00 and subscribe");
    await press("See your subscription");
    await fact("Plan").getByText("Starter").waitFor();
    await go("Invoices");
    const row = page.getByRole("row", { name: /Paid.*\$9\.00/ });
    const number = (await row.locator("td").first().textContent()) ?? "";
    for (const [link, shown] of [
      ["View", "This invoice is paid. Thank you."],
      ["PDF", "Status: paid"],
    ] as const) {
      const opening = page.waitForEvent("popup");
      await row.getByRole("link", { name: link }).click();
      const opened = await opening;
      await opened.getByText(shown).waitFor();
      await opened.getByRole("heading", { name: `Invoice ${number}` }).waitFor();
      expect(new URL(opened.url()).origin).toBe(served.sandboxUrl);
      await opened.close();
    }
  }, 60_000);

  it("the billing portal opens, leads back, and what was done there is on the page", async () => {
    await go("Subscription");
    await press("Open the billing portal");
    await page.waitForURL(`${served.sandboxUrl}/p/session/**`);
    await page.getByText(email).first().waitFor();
    await press(/^Cancel the subscription/);
    await page.getByText("The subscription ends with its period.").waitFor();
    await page.getByRole("link", { name: "Return to the shop" }).click();
    await page.waitForURL(`${served.url}/dashboard/subscription`);
    await heading("Subscription");
    await page.getByText("Ends", { exact: true }).waitFor(SOON);
    await page.getByRole("button", { name: "Resume" }).waitFor();
  }, 60_000);

  it("top-ups are set, changed and turned off, and stand so on the next visit", async () => {
    await go("Credits");
    const form = page.getByRole("form", { name: "Automatic top-up" });
    const onOff = form.getByRole("switch", { name: "Buy credits when the balance falls" });
    const below = form.getByLabel("When it falls below");
    const save = async (text: string): Promise<void> => {
      await form.getByRole("button", { name: "Save" }).click();
      await page.getByText(text).waitFor();
      await page.reload();
      await onOff.waitFor();
    };
    await onOff.check();
    await below.fill("50");
    await save("Credits are bought by themselves from now on.");
    await form.getByText("On", { exact: true }).waitFor();
    await below.fill("40");
    await form.getByLabel("Pack to buy").click();
    await page.getByRole("option", { name: /^500 credits/ }).click();
    await save("Credits are bought by themselves from now on.");
    expect([await onOff.isChecked(), await below.inputValue()]).toEqual([true, "40 credits"]);
    expect(await form.getByLabel("Pack to buy").inputValue()).toBe("500 credits, $45.00");
    await onOff.uncheck();
    await save("Turned off.");
    await form.getByText("Off", { exact: true }).waitFor();
    expect([await onOff.isChecked(), await below.isDisabled()]).toEqual([false, true]);
    expect(await tile("Balance").textContent()).toContain("470");
  }, 60_000);

  it("a new password: the old one signs nobody in, every other session has ended, and this one goes on", async () => {
    const other = await served.visit(`${served.url}/sign-in?next=/dashboard/profile`, { expected: REFUSED });
    await signIn(other, email);
    await other.getByRole("heading", { level: 1, name: "Profile and password" }).waitFor();
    await go("Profile and password");
    const sessions = page.getByRole("table", { name: "Sessions" });
    await expect.poll(() => sessions.getByRole("row").count(), SOON).toBe(4);
    await page.getByLabel("Current password").fill(PASSWORD);
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await press("Change the password");
    await page.getByText("Your password is changed.").waitFor();
    await expect.poll(() => sessions.getByRole("row").count(), SOON).toBe(2);
    await sessions.getByText("This one").waitFor();
    expect(await page.getByLabel("Current password").inputValue()).toBe("");

    await other.getByRole("link", { name: "Invoices", exact: true }).click();
    await other.waitForURL(`${served.url}/sign-in?**`);
    await signIn(other, email);
    await other.getByRole("alert").waitFor();
    expect(new URL(other.url()).pathname).toBe("/sign-in");
    await other.locator("input[name=password]").fill(NEW_PASSWORD);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("heading", { level: 1, name: "Invoices" }).waitFor();
    await page.reload();
    await heading("Profile and password");
    await settled(page);
    expect(await sessions.getByRole("row").count()).toBe(3);
  }, 90_000);
});
