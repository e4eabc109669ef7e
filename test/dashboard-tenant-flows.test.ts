// What a tenant does in a browser once it has begun: its customers' subscriptions, its keys' use, lists by their filters, what an
// endpoint is told and missed, and the end of an endpoint and of the connection to Stripe.
import { randomUUID } from "node:crypto";

import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Wire } from "./support/api-door.ts";
import { withoutBrowser } from "./support/browser.ts";
import { INVOICE } from "./support/connected-invoice-scene.ts";
import { expectAccessible, settled, shot } from "./support/dashboard-browser.ts";
import { openTenantScene, type TenantScene } from "./support/dashboard-tenant-scene.ts";

const CUSTOMER = "subscriber@example.com";
/** At 50 in a second, which is what the form asks for: eight seconds of a recovery. */
const MISSED = 400;
const AT_ONCE = 20;
/** The machine may be busy; the pages ask anew every few seconds. */
const SOON = { timeout: 30_000 };

describe.skipIf(withoutBrowser())("a tenant that has begun, in a browser", () => {
  let scene: TenantScene;
  let page: Page;
  let account: string;
  /** The customer's own token. */
  let customer: string;
  let endpoint: string;
  beforeAll(async () => {
    scene = await openTenantScene();
    ({ page } = scene);
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const here = () => new URL(page.url());
  const dialog = () => page.getByRole("dialog");
  const region = (name: string) => page.getByRole("region", { name });
  const tile = (label: string) => page.locator(".bh-figures > div", { hasText: label });
  const fact = (label: string) =>
    page.locator(".bh-facts > div").filter({ has: page.getByText(label, { exact: true }) });
  const rows = (table: string) => page.getByRole("table", { name: table }).locator("tbody tr:not([aria-hidden])");
  /** The first cells of a table, when nothing is on its way to it. */
  const firstCells = async (table: string): Promise<string[]> => {
    await settled(page);
    return rows(table).locator("td:first-child").allTextContents();
  };
  const choose = async (filter: string, option: string): Promise<void> => {
    await page.getByRole("combobox", { name: filter, exact: true }).click();
    await page.getByRole("option", { name: option, exact: true }).click();
  };

  const testKey = () => scene.secrets["Test secret key"] ?? "";
  /** As the tenant's server calls, by its test key unless another token is given. */
  const ask = async (method: string, path: string, body?: object, token?: string): Promise<Wire> => {
    const response = await fetch(scene.billhook.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token ?? testKey()}`,
        "idempotency-key": randomUUID(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect([path, response.ok, text]).toEqual([path, true, text]);
    return (text === "" ? {} : JSON.parse(text)) as Wire;
  };
  const own = (path: string, body: object) => ask("POST", `/account/${path}`, body, customer);
  const grant = (amount: number) =>
    ask("POST", `/api/v1/accounts/${account}/credits/grant/`, { amount, reason: "Gift" });

  it("a customer who subscribes: their page shows the plan, when it renews, what was paid, and that it ends", async () => {
    await scene.press("Connect with Stripe");
    await scene.heading("Set up your account");
    await scene.press("Complete");
    await page.getByText("The account is connected: it can take payments.").waitFor();
    const { id: plan } = await ask("POST", "/api/v1/plans/", {
      ...{ name: "Gold", amount: 1900, currency: "usd", billing_interval: "month" },
    });
    const sold = async () => (await ask("GET", `/api/v1/plans/${String(plan)}/`)).price_id;
    await expect.poll(sold, SOON).toMatch(/^price_/);
    ({ id: account } = (await ask("POST", "/api/v1/accounts/", { email: CUSTOMER })) as { id: string });
    const session = await ask("POST", `/api/v1/accounts/${account}/session/`);
    customer = String(session.token);
    const { session_id: checkout } = await own("subscription/", { price_id: await sold() });
    const paid = await fetch(`${scene.billhook.sandboxUrl}/_sandbox/checkout/${String(checkout)}/pay`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
    });
    expect([paid.status, await paid.text()]).toEqual([200, expect.any(String)]);
    const subscription = async () =>
      (await ask("GET", `/api/v1/accounts/${account}/`)).subscription as Record<string, string> | null;
    await expect.poll(async () => (await subscription())?.status, SOON).toBe("active");
    const { current_period_end: renews = "", id = "" } = (await subscription()) ?? {};

    await scene.go("/tenant/customers");
    await page.getByRole("link", { name: CUSTOMER }).click();
    await scene.heading(CUSTOMER);
    await tile("Subscription").getByText("Active").waitFor();
    await tile("Plan").getByRole("link", { name: "Gold" }).waitFor();
    await tile("Renews").locator(`time[datetime="${renews}"]`).waitFor();
    await page.getByRole("tab", { name: "Details" }).click();
    await fact("Subscription").getByText(id).waitFor();
    await fact("Price")
      .getByText(String(await sold()))
      .waitFor();
    await page.getByRole("tab", { name: "Invoices" }).click();
    const invoice = page.getByRole("row", { name: /Paid.*\$19\.00/ });
    await expectAccessible(page);
    await shot(page, "customer-subscribed-dark");
    await page.emulateMedia({ colorScheme: "light" });
    const [opened] = await Promise.all([
      page.waitForEvent("popup"),
      invoice.getByRole("link", { name: /^View/ }).click(),
    ]);
    await opened.getByText("This invoice is paid. Thank you.").waitFor();
    await opened.close();

    await own("subscription/cancel/", {});
    await page.reload();
    await tile("Ends").locator(`time[datetime="${renews}"]`).waitFor();
    await tile("Plan").getByRole("link", { name: "Gold" }).click();
    await scene.heading("Gold");
    expect(here().pathname).toBe(`/tenant/plans/${String(plan)}`);
  }, 120_000);

  it("a key that was never used says so, and when it was used after a call with it", async () => {
    await scene.go("/tenant/api-keys");
    const key = page.getByRole("row", { name: /Live secret/ });
    await key.getByRole("cell", { name: "Never" }).waitFor();
    const before = Date.now();
    await ask("GET", "/api/v1/accounts/", undefined, scene.secrets["Live secret key"]);
    // Uses are written every five seconds, and the page asks by itself.
    const used = key.locator("td").nth(3).locator("time");
    await used.waitFor(SOON);
    expect(Date.parse((await used.getAttribute("datetime")) ?? "")).toBeGreaterThanOrEqual(before);
    await page
      .getByRole("row", { name: /Live public/ })
      .getByRole("cell", { name: "Never" })
      .waitFor();
  }, 60_000);

  it("filters of deliveries and events change the rows, live in the address, and are cleared", async () => {
    const added = await ask("POST", "/api/v1/webhook-endpoints/", { url: scene.receiver.url, enabled_events: ["*"] });
    endpoint = `/dashboard/webhooks/${String(added.id)}`;
    await grant(10);
    await scene.receiver.got(1);
    scene.receiver.answer(500);
    await grant(20);
    await scene.go("/tenant/deliveries");
    await expect.poll(() => firstCells("Deliveries"), SOON).toEqual(["credit.granted", "credit.granted"]);
    await choose("Status", "pending");
    await expect.poll(() => rows("Deliveries").count(), SOON).toBe(1);
    await rows("Deliveries").getByText("Pending").waitFor();
    expect(here().search).toBe("?status=pending");
    await page.reload();
    await rows("Deliveries").getByText("Pending").waitFor();
    expect(await rows("Deliveries").count()).toBe(1);
    await choose("Status", "delivered");
    await rows("Deliveries").getByText("Delivered").waitFor();
    expect([await rows("Deliveries").count(), here().search]).toEqual([1, "?status=delivered"]);
    await choose("Status", "failed");
    await page.getByText("No deliveries").waitFor();
    await scene.press("Clear filters");
    await expect.poll(() => rows("Deliveries").count(), SOON).toBe(2);
    expect(here().search).toBe("");

    await scene.go("/tenant/events");
    await rows("Events").first().waitFor();
    const types = new Set(await firstCells("Events"));
    expect([...types]).toEqual(expect.arrayContaining(["credit.granted", "invoice.paid"]));
    await page.getByRole("combobox", { name: "Type", exact: true }).fill("credit.granted");
    await page.getByRole("option", { name: "credit.granted", exact: true }).click();
    await expect.poll(() => firstCells("Events"), SOON).toEqual(["credit.granted", "credit.granted"]);
    expect(here().search).toBe("?type=credit.granted");
    await page.getByRole("textbox", { name: "Object" }).fill("led_none");
    await page.keyboard.press("Enter");
    await page.getByText("No events").waitFor();
    expect(here().search).toBe("?type=credit.granted&object_id=led_none");
    await page.reload();
    await page.getByText("No events").waitFor();
    await scene.press("Clear filters");
    await expect.poll(async () => new Set(await firstCells("Events")), SOON).toEqual(types);
    expect(here().search).toBe("");
  }, 90_000);

  it("an endpoint's events are edited, and only what they name is delivered from then on", async () => {
    scene.receiver.answer(200);
    const [waiting] = (await ask("GET", "/api/v1/deliveries/?status=pending")).data as Wire[];
    await ask("POST", `/api/v1/deliveries/${String(waiting?.id)}/retry/`);
    await scene.go(endpoint);
    await fact("Events").getByText("All", { exact: true }).waitFor();
    await scene.press("Edit");
    await dialog().getByLabel("Only these").check();
    await dialog().getByRole("combobox", { name: "Types of events" }).fill("credit");
    await page.getByRole("option", { name: "credit.*" }).click();
    await page.keyboard.press("Tab");
    await scene.confirm("Save");
    await page.getByText("The endpoint is saved.").waitFor();
    await fact("Events").getByText("credit.*", { exact: true }).waitFor();
    const events = async () => (await ask("GET", "/api/v1/events/?type=subscription.updated")).data as Wire[];
    const before = (await events()).length;
    await own("subscription/resume/", {});
    await expect.poll(async () => (await events()).length, SOON).toBeGreaterThan(before);
    await grant(30);
    await page.getByRole("tab", { name: "Deliveries" }).click();
    const granted = Array<string>(3).fill("credit.granted");
    await expect.poll(() => firstCells("Deliveries"), SOON).toEqual(granted);
    await expect.poll(() => rows("Deliveries").getByText("Delivered").count(), SOON).toBe(3);
  }, 60_000);

  it("a recovery is canceled while it runs: it says how far it came, and no more is sent", async () => {
    const id = endpoint.split("/").at(-1) ?? "";
    await ask("POST", `/api/v1/webhook-endpoints/${id}/disable/`);
    for (let made = 0; made < MISSED; made += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => grant(1)));
    await ask("POST", `/api/v1/webhook-endpoints/${id}/enable/`);
    const had = scene.receiver.received.length;
    await scene.go(`${endpoint}?tab=recover`);
    await scene.press("Count what it missed");
    await page.getByText(new RegExp(`^${MISSED}\\s*events\\s*missed since`)).waitFor();
    await scene.press("Send them");
    const recovery = region("Recoveries").locator(".bh-recovery");
    await recovery.filter({ hasText: new RegExp(`[1-9]\\d* of ${MISSED}`) }).waitFor();
    await recovery.getByRole("button", { name: "Cancel" }).click();
    await recovery.getByText("Canceled").waitFor();
    await page.getByText("It sends no more.").waitFor();
    const far = Number(/(\d+) of /.exec((await recovery.textContent()) ?? "")?.[1]);
    expect(Math.min(Math.max(far, 1), MISSED - 1)).toBe(far);
    expect(await recovery.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    await recovery.getByText(/^Test, from /).waitFor();
    await shot(page, "recovery-canceled-light");
    await page.reload();
    await recovery.getByText(`${far} of ${MISSED}`).waitFor();
    await recovery.getByText("Canceled").waitFor();
    await expect.poll(() => scene.receiver.received.length - had, SOON).toBe(far);
    await scene.press("Count what it missed");
    await page.getByText(new RegExp(`^${MISSED - far}\\s*events\\s*missed since`)).waitFor();
    expect(scene.receiver.received.length - had).toBe(far);
  }, 120_000);

  it("an endpoint is deleted: it is gone from the list, and its page says so", async () => {
    await scene.go(endpoint);
    await scene.press("Delete");
    const button = dialog().getByRole("button", { name: "Delete", exact: true });
    expect(await button.isDisabled()).toBe(true);
    await dialog().getByLabel("Type delete to confirm").fill("delete");
    const askedInVain: string[] = [];
    page.on("requestfailed", (request) => askedInVain.push(request.url()));
    page.on("response", (response) => {
      if (response.status() === 404) askedInVain.push(response.url());
    });
    await button.click();
    await scene.heading("Webhooks");
    await page.getByText("The endpoint is deleted.").waitFor();
    await rows("Webhook endpoints").getByText("First endpoint").waitFor();
    expect(await page.getByText(scene.receiver.url).count()).toBe(0);
    expect(askedInVain.filter((url) => url.includes("/webhook-endpoints/whe_"))).toEqual([]);
    await scene.go(endpoint);
    await page.getByText("There is no such endpoint").waitFor();
    expect(await page.getByRole("button", { name: /Edit|Delete|Disable/ }).count()).toBe(0);
    await page.getByRole("link", { name: "All webhooks" }).click();
    await scene.heading("Webhooks");
    scene.expectNoFaults(/status of 404/);
  }, 60_000);

  it("Stripe is disconnected: asked first and told, an invoice is refused from then on, and it can be connected again", async () => {
    // As the address says to which Stripe led back.
    await scene.go("/dashboard/connect?status=active");
    const connected = page.getByText("The account is connected: it can take payments.");
    await connected.waitFor();
    await scene.press("Disconnect");
    await dialog().getByText("Billhook no longer acts on it").waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    await dialog().waitFor({ state: "detached" });
    await scene.press("Disconnect");
    const button = dialog().getByRole("button", { name: "Disconnect", exact: true });
    expect(await button.isDisabled()).toBe(true);
    await dialog().getByLabel("Type disconnect to confirm").fill("disconnect");
    await button.click();
    await page.getByRole("alert").getByText("The account is disconnected.").waitFor();
    await page.getByText("The account is disconnected", { exact: true }).waitFor();
    const { status, json } = await scene.billhook.ask("POST", "/accounts/invoices/", testKey(), INVOICE);
    expect([status, json]).toMatchObject([409, { code: "stripe_not_connected" }]);
    await page.locator("h1").locator("..").getByText("Disconnected").waitFor();
    expect(await connected.count()).toBe(0);
    await expectAccessible(page);
    await shot(page, "connect-disconnected-dark");
    await page.emulateMedia({ colorScheme: "light" });

    await scene.go("/tenant/events?type=connected_account.disconnected");
    await rows("Events").first().waitFor();
    await scene.go("/tenant/audit-log");
    await page.getByRole("row", { name: /stripe.*disconnected.*owner@hook.example/i }).waitFor();
    await scene.go("/dashboard/connect");
    await scene.press("Connect with Stripe");
    await scene.heading("Set up your account");
    await scene.press("Complete");
    await connected.waitFor();
    await page.locator("h1").locator("..").getByText("Active").waitFor();
  }, 120_000);
});
