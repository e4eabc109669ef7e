// The account's area in a real browser, against a served Billhook and its sandbox: credits, card, subscription, profile.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { lookAt } from "./support/dashboard-browser.ts";
import { openServedDashboard, type ServedDashboard } from "./support/dashboard-served.ts";

describe.skipIf(withoutBrowser())("in a browser", () => {
  let served: ServedDashboard;
  beforeAll(async () => {
    served = await openServedDashboard();
  }, 120_000);
  afterEach(() => served.expectNoFaults());
  afterAll(() => served.close());

  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const tile = (page: Page, label: string) => page.locator(".bh-figures > div", { hasText: label });
  /** On the sandbox's Checkout page, with the card that is filled in. */
  const pay = async (page: Page, button: RegExp): Promise<void> => {
    await page.waitForURL(`${served.sandboxUrl}/c/pay/**`);
    await page.getByRole("button", { name: button }).click();
  };

  it("credits are bought, and are there on the return although their webhooks are late", async () => {
    const page = await served.newcomer("/dashboard/credits");
    await tile(page, "Balance").filter({ hasText: "0 credits" }).waitFor();
    await served.control("chaos", { delay: { share: 1, ms: 60_000 } });
    await page.getByRole("button", { name: /^Purchase for \$45\.00/ }).click();
    await pay(page, /^Pay \$45\.00$/);
    await page.waitForURL(`${served.url}/dashboard/credits/return?**`, { waitUntil: "commit" });
    await page.getByText("The credits are on your account.").waitFor();
    await tile(page, "Added").filter({ hasText: "+500 credits" }).waitFor();
    await tile(page, "Balance").filter({ hasText: "500 credits" }).waitFor();
    await lookAt(page, "account-credits-return");
    // The page is found again by its address alone, also by another tab of the same person.
    const other = await page.context().newPage();
    await other.goto(page.url());
    await tile(other, "Balance").filter({ hasText: "500 credits" }).waitFor();
    await other.close();
    await served.control("chaos", { delay: { share: 0 } });
    await served.control("deliveries/flush", {});
    await page.getByRole("button", { name: "See your credits" }).click();
    await heading(page, "Credits");
    await page.getByRole("table", { name: "Ledger" }).getByText("Purchase", { exact: true }).waitFor();
    await lookAt(page, "account-credits");
    await page.getByRole("link", { name: "All purchases" }).click();
    await page.getByRole("table", { name: "Purchases" }).getByText("Paid", { exact: true }).last().waitFor();
    await lookAt(page, "account-purchases");

    await page.getByRole("link", { name: "Credits", exact: true }).click();
    await page.getByRole("button", { name: /^Purchase for \$10\.00/ }).click();
    await pay(page, /^Pay \$10\.00$/);
    await page.getByRole("button", { name: "See your credits" }).click();
    await tile(page, "Balance").filter({ hasText: "600 credits" }).waitFor();
    await page.getByRole("figure", { name: "Balance over the latest entries" }).locator("svg").first().waitFor();
    await lookAt(page, "account-credits-chart");
    await page.context().close();
  }, 120_000);

  it("an address that names no payment says what to do", async () => {
    const page = await served.newcomer("/dashboard/credits/return");
    await page.getByText("This address names no payment.").waitFor();
    await page.context().close();
  }, 60_000);

  it("a card is saved, one that asks its bank too, and top-ups are paid with it", async () => {
    const page = await served.newcomer("/dashboard/payment-method");
    await page.getByText("No payment method is saved").waitFor();
    await page.getByRole("button", { name: "Add a payment method" }).click();
    await page.getByLabel("Card number").waitFor();
    await lookAt(page, "account-payment-method-form");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("•••• 4242").waitFor();
    await lookAt(page, "account-payment-method");
    await page.getByRole("button", { name: "Save another payment method" }).click();
    await page.getByLabel("Test card").last().selectOption("4000 0025 0000 3155");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.waitForURL(`${served.sandboxUrl}/3ds/**`);
    await page.getByRole("button").first().click();
    await page.waitForURL(`${served.url}/dashboard/payment-method?**`);
    await page.getByText("The card is saved.").waitFor();
    await page.getByText("•••• 3155").waitFor();
    await page.getByRole("button", { name: "Done" }).click();

    await page.getByRole("link", { name: "Credits", exact: true }).click();
    const form = page.getByRole("form", { name: "Automatic top-up" });
    await form.getByRole("switch", { name: "Buy credits when the balance falls" }).check();
    await form.getByLabel("When it falls below").fill("50");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("Credits are bought by themselves from now on.").waitFor();
    // The balance is below it: the first pack is bought at once, without anybody there.
    await tile(page, "Balance").filter({ hasText: "100 credits" }).waitFor();
    await page.getByRole("table", { name: "Ledger" }).getByText("+100", { exact: true }).waitFor();
    await form.getByText(/^On/).waitFor();
    await lookAt(page, "account-top-up");
    await page.reload();
    expect(await form.getByLabel("When it falls below").inputValue()).toBe("50 credits");
    await page.context().close();
  }, 120_000);

  it("a subscription is begun, canceled, resumed and changed", async () => {
    const page = await served.newcomer("/dashboard/subscription");
    await page.getByRole("heading", { name: "Choose a plan" }).waitFor();
    const plans = page.locator(".bh-plans > li");
    const [first = "", second = ""] = await plans.locator("h3").allTextContents();
    await lookAt(page, "account-plans");
    await page.getByRole("button", { name: `Subscribe to ${first}` }).click();
    await pay(page, /^Pay \$\d+\.00 and subscribe$/);
    await page.waitForURL(`${served.url}/dashboard/subscription/return?**`, { waitUntil: "commit" });
    await page.getByText("Your subscription has begun.").waitFor();
    await lookAt(page, "account-subscription-return");
    await page.getByRole("button", { name: "See your subscription" }).click();
    await page.getByText("Renews").waitFor();

    await page.getByRole("button", { name: "Cancel the subscription" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel at the period’s end" }).click();
    await page.getByText("Ends", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Renews").waitFor();

    await page.getByRole("button", { name: new RegExp(`^Change to this ?: ${second}$`) }).click();
    await dialog.getByRole("button", { name: "Change the plan" }).click();
    await page.locator(".bh-plans > li[data-current] h3", { hasText: second }).waitFor();
    await lookAt(page, "account-subscription");

    await page.getByRole("link", { name: "Invoices" }).click();
    await page.getByRole("table", { name: "Invoices" }).getByText("Paid", { exact: true }).last().waitFor();
    await lookAt(page, "account-invoices");
    await page.context().close();
  }, 120_000);

  it("a name is saved, a wrong password is told, and another session is ended", async () => {
    const page = await served.newcomer("/dashboard/profile", { expected: /status of 40\d/ });
    await page.getByRole("textbox", { name: "Name" }).fill("Ada Example");
    await page.getByRole("button", { name: "Save the name" }).click();
    await page.getByText("Your name is saved.").waitFor();
    await page.getByLabel("Current password").fill("not it, surely");
    await page.getByLabel("New password").fill("Another-Horse-7-Stable");
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.locator(".bh-error, .mantine-PasswordInput-error").first().waitFor();
    await lookAt(page, "account-profile");
    // Registering began one session, and signing in another one.
    const sessions = page.getByRole("table", { name: "Sessions" });
    await sessions.getByText("This one").waitFor();
    expect(await sessions.getByRole("row").count()).toBe(3);
    await sessions.getByRole("button", { name: "End it" }).click();
    await page.getByText("That session has ended.").waitFor();
    await sessions.getByRole("button", { name: "End it" }).waitFor({ state: "detached" });
    expect(await sessions.getByRole("row").count()).toBe(2);
    await page.context().close();
  }, 60_000);
});
