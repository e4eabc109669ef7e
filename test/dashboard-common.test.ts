// What every page of the dashboard has, in a real browser: ids that are copied, exact times, lists and dialogs by keyboard alone,
// places that are empty yet; and no sandbox where none runs.
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { type DashboardScene, newOperator, openDashboard } from "./support/dashboard-browser.ts";
import { EVENTS } from "./support/operator-scene.ts";
import { registerTenant } from "./support/people.ts";

/** As many as there are: a key that leads nowhere ends. */
const MOST_TABS = 60;

describe.skipIf(withoutBrowser())("in a browser", () => {
  let scene: DashboardScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openDashboard("embedded");
    for (const one of EVENTS) expect((await scene.door.webhook(JSON.stringify(one))).status).toBe(200);
    await scene.door.pipe.drain();
    page = await scene.signedIn(await newOperator(scene.door), "/operator/stripe-events");
  }, 120_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const go = (path: string) => page.goto(`${scene.door.url}${path}`);
  const heading = (name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  const isFocused = (of: Locator) =>
    of.evaluate((one: { ownerDocument: { activeElement: unknown } }) => one === one.ownerDocument.activeElement);
  const tabTo = async (of: Locator): Promise<void> => {
    for (let left = MOST_TABS; left > 0 && !(await isFocused(of)); left--) await page.keyboard.press("Tab");
    expect(await isFocused(of), `by Tab: ${of.toString()}`).toBe(true);
  };

  it("a row of a list is reached by Tab and the arrows, and opened by Enter", async () => {
    const links = page.getByRole("table", { name: "Stripe events" }).locator(".bh-row-link");
    await links.nth(2).waitFor();
    const paths = await links.evaluateAll((all: { pathname: string }[]) => all.map(({ pathname }) => pathname));
    await tabTo(links.first());
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
    expect(await isFocused(links.nth(1))).toBe(true);
    await page.keyboard.press("Enter");
    await heading(/^evt_op_/);
    expect(new URL(page.url()).pathname).toBe(paths[1]);
  });

  it("a dialog keeps the focus, Escape closes it, and the focus is back on its button", async () => {
    const button = page.getByRole("button", { name: "Replay", exact: true });
    const dialog = page.getByRole("dialog");
    await button.waitFor();
    await tabTo(button);
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Replay" }).waitFor();
    const within = dialog.locator(":focus");
    await within.waitFor();
    for (const key of ["Tab", "Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"]) {
      await page.keyboard.press(key);
      expect(await within.count(), key).toBe(1);
    }
    await tabTo(dialog.getByRole("button", { name: "Cancel" }));
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => isFocused(button), { timeout: 15_000 }).toBe(true);
  });

  it("an id is copied whole, and that is said; where the browser refuses, that is said too", async () => {
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const copy = page.getByRole("button", { name: `Copy ${id}`, exact: true });
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("heading", { level: 1 }).click();
    await tabTo(copy);
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText("Copied", { exact: true }).waitFor({ state: "attached" });
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(id);
    await page.getByRole("status").getByText("Copied", { exact: true }).waitFor({ state: "detached" });
    await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))");
    await copy.click();
    await page.getByText("This browser does not let a page copy: select the text instead.").waitFor();
    expect(await page.getByRole("status").getByText("Copied", { exact: true }).count()).toBe(0);
  });

  it("a relative time shows the exact one on hover, and by keyboard, until Escape", async () => {
    const time = page.locator(".bh-facts time").first();
    const exact = (await time.getAttribute("aria-description")) ?? "";
    const at = Date.parse((await time.getAttribute("datetime")) ?? "");
    // To the second, with its zone: the very moment of the attribute.
    expect(exact).toMatch(/^\w{3} \d+, \d{4}, \d+:\d\d:\d\d\s[AP]M UTC$/);
    expect(Date.parse(exact.replace(" at ", ", "))).toBe(Math.floor(at / 1000) * 1000);
    const tooltip = page.getByRole("tooltip").getByText(exact);
    await time.hover();
    await tooltip.waitFor();
    await page.mouse.move(0, 0);
    await tooltip.waitFor({ state: "detached" });
    await page.getByRole("heading", { level: 1 }).click();
    await tabTo(time);
    await tooltip.waitFor();
    await page.keyboard.press("Escape");
    await tooltip.waitFor({ state: "detached" });
    await page.mouse.move(0, 0);
    await time.hover();
    await tooltip.waitFor();
    await page.keyboard.press("Tab");
    await tooltip.waitFor({ state: "detached" });
  });

  it("the sandbox panel is not offered where no sandbox runs, and its address says why", async () => {
    const navigation = page.getByRole("navigation", { name: "Main" });
    await navigation.getByRole("link", { name: "Overview" }).waitFor();
    for (const path of ["/sandbox", "/welcome"]) {
      expect(await navigation.locator(`a[href="${path}"]`).count()).toBe(0);
      await go(path);
      await page.getByText("You may not open this page").waitFor();
      await page.getByText("It is for operators, while no Stripe key is set and the sandbox runs.").waitFor();
    }
  });

  it("a new tenant's empty lists say what to do, and lead there", async () => {
    const owner = await scene.signedIn(await registerTenant(scene.door), "/tenant/customers");
    const empty = owner.locator(".bh-empty");
    const navigation = owner.getByRole("navigation", { name: "Main" });
    const says = async (list: string, title: string, what: RegExp): Promise<void> => {
      await navigation.getByRole("link", { name: list, exact: true }).click();
      await owner.getByRole("heading", { level: 1, name: list, exact: true }).waitFor();
      await empty.getByText(title, { exact: true }).waitFor();
      expect(await empty.textContent()).toMatch(what);
    };
    await says("Plans", "No plans", /Add one: customers subscribe to it/);
    await says("Credit packs", "No credit packs", /Add one: customers buy it/);
    await says("Deliveries", "No deliveries", /They begin when something happens that an enabled endpoint takes/);
    await says("Connected invoices", "No invoices", /Create one: it is sent to the customer at once/);
    await owner.getByRole("link", { name: "Create one" }).click();
    await owner.getByRole("heading", { level: 1, name: "New invoice" }).waitFor();
    // Its first endpoint was made with it, and waits for an address.
    await navigation.getByRole("link", { name: "Webhooks", exact: true }).click();
    await owner.getByRole("table", { name: "Webhook endpoints" }).locator(".bh-row-link").click();
    await owner.getByRole("tab", { name: "Test" }).click();
    await empty.getByText("It has no URL yet").waitFor();
    await empty.getByRole("button", { name: "Set the URL" }).click();
    await owner.getByRole("dialog").getByLabel("URL").waitFor();
    await owner.keyboard.press("Escape");
    await says("Customers", "No customers", /POST \/api\/v1\/accounts\/; you can add one here/);
    await owner.getByRole("button", { name: "Add a customer" }).click();
    await owner.getByRole("dialog").getByLabel("E-mail address").fill("first@customer.example");
    await owner.keyboard.press("Enter");
    await owner.getByText("first@customer.example").first().waitFor();
    await owner.context().close();
    // The platform has none.
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Webhooks", exact: true }).click();
    await page.getByText("No endpoints", { exact: true }).waitFor();
    await page.getByText(/Add the address of a server of yours/).waitFor();
  });
});
