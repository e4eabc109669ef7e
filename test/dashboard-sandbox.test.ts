// The sandbox panel in a real browser: a checkout paid, the clock set forward, an event triggered, chaos; and the pipe that shows it.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { expectAccessible, expectFitsWidth, PHONE, shot } from "./support/dashboard-browser.ts";
import { openServedDashboard, type ServedDashboard } from "./support/dashboard-served.ts";

describe.skipIf(withoutBrowser())("in a browser", () => {
  let served: ServedDashboard;
  let page: Page;
  beforeAll(async () => {
    served = await openServedDashboard();
    page = await served.visit(served.link);
    await page.getByRole("link", { name: "Sandbox panel" }).click();
  }, 120_000);
  afterEach(() => served.expectNoFaults());
  afterAll(() => served.close());

  const lane = (name: string) => page.getByRole("list", { name, exact: true });

  const trigger = async (type: string): Promise<void> => {
    const form = page.getByRole("form", { name: "Trigger an event" });
    await form.getByRole("combobox", { name: "Type" }).fill(type);
    await page.getByRole("option", { name: type, exact: true }).click();
    await form.getByRole("button", { name: "Trigger" }).click();
    await form.getByText(/^\d+ events were raised\.$/).waitFor();
  };

  it("an event type is triggered, and travels the pipe", async () => {
    await trigger("charge.refunded");
    await lane("Received").getByText("charge.refunded", { exact: true }).first().waitFor();
    await lane("Processed").getByText("charge.refunded", { exact: true }).first().waitFor();
    await lane("Processed").getByText("Processed", { exact: true }).first().waitFor();
    expect(await lane("Published").getByRole("listitem").count()).toBeGreaterThan(0);
  }, 60_000);

  it("an open checkout is paid, and its buyer has the credits", async () => {
    const buyer = await served.newcomer("/dashboard/credits");
    await buyer.getByRole("button", { name: /^Purchase for \$45\.00/ }).click();
    await buyer.waitForURL(`${served.sandboxUrl}/c/pay/**`);
    const open = page.getByRole("list", { name: "Open checkouts" });
    await open.getByText("$45.00").waitFor();
    await shot(page, "sandbox-light");
    await open.getByRole("button", { name: "Pay it" }).first().click();
    await page.getByText("Nobody is at a checkout").waitFor();
    await lane("Processed").getByText("checkout.session.completed").first().waitFor();
    await buyer.goto(`${served.url}/dashboard/credits`);
    await buyer.locator(".bh-figures > div", { hasText: "Balance" }).filter({ hasText: "500 credits" }).waitFor();
    await buyer.context().close();
  }, 60_000);

  it("chaos is turned on and off again, and what is triggered while every event is sent twice arrives once", async () => {
    await page.getByRole("switch", { name: "Twice" }).click();
    await page.getByText("On", { exact: true }).waitFor();
    expect(await chaos()).toMatchObject({ duplicate: 1 });
    await trigger("customer.deleted");
    const received = lane("Received").getByRole("link", { name: "customer.deleted", exact: true });
    const id = (await received.getAttribute("href"))?.split("/").at(-1) ?? "";
    await expect.poll(() => attemptsOf(id), { timeout: 15_000 }).toBe(2);
    // Both were answered: a second one would be in what is read from now on.
    await (await page.waitForRequest(/\/admin\/stripe-events\//)).response();
    const processed = lane("Processed").getByRole("listitem").filter({ hasText: "customer.deleted" });
    await processed.getByText("Processed", { exact: true }).waitFor();
    expect([await received.count(), await processed.count()]).toEqual([1, 1]);
    await page.getByRole("switch", { name: "Twice" }).click();
    await page.getByText("Off", { exact: true }).waitFor();
    expect(await chaos()).toMatchObject({ duplicate: 0 });
  }, 60_000);

  it("every page of it is accessible and fits a phone", async () => {
    await expectAccessible(page);
    await shot(page, "sandbox-dark");
    await page.setViewportSize(PHONE);
    await expectFitsWidth(page);
    await shot(page, "sandbox-phone");
    await page.setViewportSize({ width: 1200, height: 900 });
  }, 60_000);

  it("the clock is set forward by a day", async () => {
    const before = Date.now() / 1000;
    await page.getByRole("button", { name: "Set the clock forward" }).click();
    const text = page.getByText("there now.");
    await text.waitFor();
    const shown = Date.parse((await text.locator("time").getAttribute("datetime")) ?? "") / 1000;
    expect(shown - before).toBeGreaterThan(86_390);
    expect(shown - before).toBeLessThan(86_500);
  }, 60_000);

  const asked = async (path: string): Promise<unknown> => (await fetch(`${served.sandboxUrl}/_sandbox/${path}`)).json();
  const chaos = () => asked("chaos");
  /** How often the sandbox has sent an event, its copies too. */
  const attemptsOf = async (event: string): Promise<number> => {
    const { data } = (await asked(`deliveries?event=${event}`)) as { data: { attempts: number }[] };
    return data.reduce((sum, { attempts }) => sum + attempts, 0);
  };
});
