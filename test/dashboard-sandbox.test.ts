// The sandbox panel in a real browser: a checkout paid, the clock set forward, an event triggered, chaos; and the pipe that shows it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

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
    // The pipe is above it: as long as that comes in, the form moves, and its list hides where it has moved out of sight.
    await lane("Received").getByRole("listitem").first().waitFor();
    const form = page.getByRole("form", { name: "Trigger an event" });
    await form.scrollIntoViewIfNeeded();
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

  it("set forward past a subscription's period, its renewal travels the pipe and is in the lists of both sides", async () => {
    const buyer = await served.newcomer("/dashboard/subscription");
    const subscribe = buyer.getByRole("button", { name: /^Subscribe/ });
    // A plan by the month, and without a trial: it is paid at once, and again after a month.
    const monthly = buyer.locator(".bh-plans > li").filter({ hasText: "a month" }).filter({ hasNotText: "to try it" });
    await monthly.first().locator(subscribe).click();
    await buyer.waitForURL(`${served.sandboxUrl}/c/pay/**`);
    await buyer.getByRole("button", { name: /^Pay \$\d+\.00 and subscribe$/ }).click();
    await buyer.getByText("Your subscription has begun.").waitFor();
    await buyer.getByRole("link", { name: "Invoices" }).click();
    const invoices = buyer.getByRole("table", { name: "Invoices" });
    const paid = invoices.getByRole("cell").filter({ hasText: /^Paid$/ });
    await paid.waitFor();
    const [first = ""] = await numbers(buyer);

    const form = page.getByRole("form", { name: "Clock" });
    await form.getByRole("combobox", { name: "Set it forward by" }).click();
    await page.getByRole("option", { name: "one month", exact: true }).click();
    await form.getByRole("button", { name: "Set the clock forward" }).click();
    await form.getByText("there now.").waitFor();
    await lane("Processed").getByText("invoice.paid", { exact: true }).first().waitFor();

    await expect
      .poll(
        async () => {
          await buyer.reload();
          await invoices.getByRole("row").nth(1).waitFor();
          return [(await numbers(buyer)).length, await paid.count()];
        },
        { timeout: 30_000 },
      )
      .toEqual([2, 2]);
    const [renewal = "", before] = await numbers(buyer);
    expect(before).toBe(first);
    await buyer.context().close();
    await page.getByRole("link", { name: "Stripe invoices" }).click();
    const all = page.getByRole("table", { name: "Invoices" });
    for (const number of [first, renewal])
      await all.getByRole("row").filter({ hasText: number }).getByText("Paid", { exact: true }).waitFor();
    await page.goBack();
  }, 120_000);

  it("the panel is for operators alone: nobody else is offered it, and its address says for whom it is", async () => {
    const buyer = await served.newcomer("/dashboard/credits");
    await buyer.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Credits" }).waitFor();
    expect(await buyer.locator('a[href="/sandbox"], a[href="/welcome"]').count()).toBe(0);
    await buyer.goto(`${served.url}/sandbox`);
    await buyer.getByText("You may not open this page").waitFor();
    await buyer.getByText("It is for operators, while no Stripe key is set and the sandbox runs.").waitFor();
    await buyer.context().close();
  }, 60_000);

  it("a page of another address turns none of its knobs, even on this machine, and reads nothing", async () => {
    const site = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>elsewhere</title>");
    });
    await new Promise<void>((go) => void site.listen(0, "127.0.0.1", go));
    const address = `http://127.0.0.1:${String((site.address() as AddressInfo).port)}/`;
    const other = await served.visit(address, { expected: /CORS policy|status of 40\d|ERR_FAILED/ });
    const call = (method: string) =>
      `fetch("${served.sandboxUrl}/_sandbox/chaos", ${method}).then((it) => it.text(), () => "refused")`;
    expect(await other.evaluate(call('{ method: "POST", body: new URLSearchParams({ drop: "1" }) }'))).toBe("refused");
    expect(await other.evaluate(call("{}"))).toBe("refused");
    expect(await chaos()).toMatchObject({ drop: 0 });
    // The dashboard's own page may: the same call, from there.
    expect(await page.evaluate(call("{}"))).toContain('"drop":0');
    await other.context().close();
    site.close();
  }, 60_000);

  /** Of the invoices on the page, the newest first. */
  const numbers = (buyer: Page) =>
    buyer.getByRole("table", { name: "Invoices" }).locator("td .bh-mono").allTextContents();
  const asked = async (path: string): Promise<unknown> => (await fetch(`${served.sandboxUrl}/_sandbox/${path}`)).json();
  const chaos = () => asked("chaos");
  /** How often the sandbox has sent an event, its copies too. */
  const attemptsOf = async (event: string): Promise<number> => {
    const { data } = (await asked(`deliveries?event=${event}`)) as { data: { attempts: number }[] };
    return data.reduce((sum, { attempts }) => sum + attempts, 0);
  };
});
