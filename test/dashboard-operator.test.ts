// The operator's area in a real browser: from an event's id to its payload, its changes and its replay; what failed, a customer's
// story, kept mails, payments that need a decision, and lists of any length.
import type { Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { withoutBrowser } from "./support/browser.ts";
import { MANY, openOperatorScene, type OperatorScene } from "./support/dashboard-operator-scene.ts";
import { balanceOf } from "./support/purchase-scene.ts";
import { settled, shot } from "./support/dashboard-browser.ts";
import { seesNoAct } from "./support/dashboard-member.ts";
import { MOST_ROWS } from "./support/dashboard-scrolling.ts";
import { PASSWORD, registerTenant, send, sessionOf } from "./support/people.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

interface Styled {
  style: { backgroundColor: string };
}

interface Scrolled {
  scrollTop: number;
  scrollHeight: number;
}

/** In the browser. */
const scrollDown = (box: Scrolled, share: number): void => {
  box.scrollTop = box.scrollHeight * share;
};

interface Labelled {
  getAttribute(name: string): string | null;
  ownerDocument: { getElementById(id: string): { textContent: string | null } | null };
}

/** In the browser. */
const namesOfLists = (lists: Labelled[]): string[] =>
  lists.map(
    (list) => list.ownerDocument.getElementById(list.getAttribute("aria-labelledby") ?? "")?.textContent?.trim() ?? "",
  );

describe.skipIf(withoutBrowser())("an operator in a browser", () => {
  let scene: OperatorScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openOperatorScene();
    page = await scene.signedIn(scene.operator);
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const go = (path: string) => page.goto(`${scene.door.url}${path}`);
  const heading = (name: string) => page.getByRole("heading", { level: 1, name }).waitFor();
  const drain = () => scene.door.pipe.drain();

  it("finds an event by its id, sees its payload and what it changed, and replays it", async () => {
    await heading("Overview");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Search/ }).fill("evt_first_05");
    await page.getByRole("option", { name: /evt_first_05|invoice.paid/ }).waitFor();
    await page.keyboard.press("Enter");
    await heading("evt_first_05");
    const changed = page.getByRole("region", { name: "What it changed" });
    const status = changed.getByRole("row", { name: /^Status/ });
    expect(await status.textContent()).toBe("StatusOpenPaid");
    expect(await changed.getByRole("row", { name: /^Amount paid/ }).textContent()).toMatch(/\$0\.00.*\$\d+\.\d\d/);
    await page.getByRole("region", { name: "payload of the event" }).getByText('"invoice.paid"').waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("The event is processed again.").waitFor();
    await page.getByRole("heading", { level: 1 }).locator("..").getByText("Pending").waitFor();
    await drain();
    await page.getByRole("heading", { level: 1 }).locator("..").getByText("Processed").waitFor();
  });

  it("the overview draws events, money and credits, and says them in tables", async () => {
    await go("/operator/overview");
    await page.getByRole("table", { name: "Stripe events by the minute" }).getByRole("row").nth(60).waitFor();
    const money = page.getByRole("table", { name: "Money by day, USD" });
    await money.getByRole("cell", { name: "$49.00" }).waitFor({ state: "attached" });
    await page.getByRole("table", { name: "Credits by day" }).getByRole("row").nth(30).waitFor({ state: "attached" });
    await page.getByText("Month", { exact: true }).click();
    await page.waitForURL(/range=month/);
    await page.getByRole("table", { name: "Stripe events by the day" }).waitFor();
    await go("/operator/stripe-events/evt_first_05");
  });

  it("an event leads to its object, whose story says what each event changed", async () => {
    await page.getByRole("link", { name: "in_first" }).click();
    await heading("in_first");
    await page.getByRole("tab", { name: "What happened" }).click();
    const story = page.getByRole("list", { name: "What happened, newest first" });
    await story.waitFor();
    expect(await story.getByRole("link").allTextContents()).toEqual([
      ...["invoice.paid", "invoice.payment_failed", "invoice.finalized", "invoice.created"],
    ]);
    await page.reload();
    await story.waitFor();
    await page.getByRole("tab", { name: "Snapshot" }).click();
    await page.getByRole("region", { name: "snapshot of in_first" }).waitFor();
  });

  it("sees why an event failed, counts what a replay would take, and the queue is empty after it", async () => {
    await go("/operator/queue");
    const table = page.getByRole("table", { name: "Failed events" });
    await table.getByText(/refuses/).waitFor();
    await page.getByRole("tab", { name: "Failed (1)" }).waitFor();
    await page.getByRole("button", { name: "Replay these" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 event").waitFor();
    await shot(page, "op-replay-light");
    await dialog.getByRole("button", { name: "Replay" }).click();
    await page.getByText("1 event is processed again.").waitFor();
    await drain();
    await page.getByText("No event is failed").waitFor();
    await page.getByRole("tab", { name: /Unrouted/ }).click();
    await page.getByText("acct_nobodys").waitFor();
  });

  it("a customer's page tells Stripe's events, what tenants were told, and purchases, in one timeline", async () => {
    await go("/operator/customers/cus_first");
    await heading("cus_first");
    const timeline = page.getByRole("table", { name: "Timeline" });
    await timeline.getByRole("link", { name: "invoice.paid" }).first().waitFor();
    await timeline.getByText("Told the tenant").first().waitFor();
    await page.getByRole("tab", { name: "Invoices" }).click();
    await page.getByRole("table", { name: "Invoices" }).getByRole("link", { name: "in_first" }).waitFor();
    const [account] = (await scene.door.admin("GET", `accounts/?email=${scene.stranger}`)).json.data as {
      id: string;
    }[];
    await go(`/operator/accounts/${String(account?.id)}`);
    for (const kind of ["Credits", "Purchase", "Mail"])
      await timeline.getByText(kind, { exact: true }).first().waitFor();
    await timeline.getByText("+100 credits").waitFor();
    await timeline.getByRole("link", { name: "Welcome" }).waitFor();
  });

  it("follows what a tenant was told from the timeline to the event, its delivery, and back by ⌘K", async () => {
    await go("/operator/customers/cus_first?kinds=event");
    const told = page.getByRole("table", { name: "Timeline" }).getByRole("row").nth(1);
    const id = (await told.getByRole("button", { name: /^Copy msg_/ }).getAttribute("aria-label"))?.slice(5) ?? "";
    await told.getByRole("link", { name: /^msg_/ }).click();
    await heading(id);
    expect(new URL(page.url()).pathname).toBe(`/operator/events/${id}`);
    await page.getByRole("region", { name: "body of the event" }).getByText(`"${id}"`).waitFor();
    await page.locator("dd").getByRole("link", { name: /^ten_/ }).waitFor();
    await page.getByRole("table", { name: "Deliveries of the event" }).getByRole("link", { name: /^dlv_/ }).click();
    await page.waitForURL(/\/operator\/deliveries\/dlv_/);
    await page.getByText("The first one is made in a moment.").waitFor();
    // An operator looks: what is sent again is its tenant's to say.
    expect(await page.getByRole("button", { name: /^(Try|Send|Resend)/ }).count()).toBe(0);
    const delivery = new URL(page.url()).pathname;
    for (const [kind, typed, path] of [
      ["Event", id, `/operator/events/${id}`],
      ["Delivery", delivery.split("/").at(-1) ?? "", delivery],
    ] as const) {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: /Search/ }).fill(typed);
      await page.getByRole("option", { name: new RegExp(kind) }).waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === path);
    }
  });

  it("a page of one tenant, person, purchase, plan or pack asks for that one, however long the list is", async () => {
    const asked: string[] = [];
    const note = (request: Request): void => {
      const { pathname } = new URL(request.url());
      if (/^\/api\/v1\/admin\/(tenants|users|credit-p\w+|plans|unmatched-purchases)\//.test(pathname))
        asked.push(pathname);
    };
    page.on("request", note);
    const expected: string[] = [];
    for (const [list, place] of [
      ["tenants", "tenants"],
      ["users", "people"],
      ["credit-purchases", "credit-purchases"],
      ["unmatched-purchases", "unmatched-purchases"],
      ["plans", "plans"],
      ["credit-packs", "credit-packs"],
    ] as const) {
      const { json } = await scene.door.admin("GET", `${list}/?limit=1`);
      const [row] = json.data as { id: string }[];
      await go(`/operator/${place}/${String(row?.id)}`);
      await settled(page);
      await page.locator(".bh-facts").first().waitFor();
      expected.push(`/api/v1/admin/${list}/${String(row?.id)}/`);
    }
    page.off("request", note);
    expect(asked).toEqual(expected);
  });

  it("⌘K leads to a tenant's endpoint, connected invoice, plan and pack, which name the tenant and change nothing", async () => {
    const { endpoint, invoice, plan, pack } = scene.theirs;
    for (const [id, place, shown] of [
      [endpoint, "webhook-endpoints", "https://theirs.example/webhooks"],
      [invoice, "connected-invoices", "buyer@example.com"],
      [plan, "plans", "Theirs"],
      [pack, "credit-packs", "A hundred"],
    ] as const) {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: /Search/ }).fill(id);
      await page.getByRole("option").first().waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === `/operator/${place}/${id}`);
      await page.locator(".bh-page-header").getByText(shown).first().waitFor();
      await page.locator("dd").getByRole("link", { name: /^ten_/ }).waitFor();
      await seesNoAct(page);
    }
    await page.goBack();
    await page.goBack();
    await page.locator("dd").getByRole("link", { name: /^in_/ }).click();
    await heading("in_");
    expect(new URL(page.url()).searchParams.get("account")).toBe(scene.sale.account);
  });

  it("an invoice that waits for its payer is asked for once, and so is one that is not there", async () => {
    const path = `/operator/connected-invoices/${scene.theirs.invoice}`;
    const other = await scene.signedIn(scene.operator, path, { expected: /status of 404/ });
    await other.locator("dd").getByText("in_").waitFor();
    await other.clock.install();
    for (const [id, shown] of [
      [scene.theirs.invoice, "buyer@example.com"],
      [newId("cinv"), "There is no such invoice"],
    ] as const) {
      const asked: string[] = [];
      other.on("request", (request) => {
        if (request.url().includes(`/admin/connected-invoices/${id}/`)) asked.push(request.url());
      });
      await other.goto(`${scene.door.url}/operator/connected-invoices/${id}`);
      await other.getByText(shown).first().waitFor();
      await other.clock.runFor(60_000);
      await settled(other);
      expect(asked).toHaveLength(1);
    }
    await other.close();
  });

  it("a plan is shown right on its operator's page after its tenant's, and back, without a reload", async () => {
    const named = (list: string) => page.getByRole("table", { name: list }).getByRole("link", { name: "Gold" }).click();
    await go("/tenant/plans");
    await named("Plans");
    await page.getByRole("button", { name: "Take off sale" }).waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await page.getByRole("link", { name: "Tenants’ plans" }).click();
    await named("Plans");
    await page.waitForURL((url) => url.pathname === `/operator/plans/${id}`);
    await heading("Gold");
    await page.locator("dd").getByRole("link", { name: /^ten_/ }).waitFor();
    await page.getByText("Every 1 month").waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByRole("button", { name: "Take off sale" }).waitFor();
  });

  it("plans and packs are found by a key or a part of the name, within the tenant that is asked for", async () => {
    await go(`/operator/plans?tenant=${scene.sale.tenant.id}`);
    const table = page.getByRole("table", { name: "Plans" });
    await table.getByRole("link", { name: "Theirs" }).waitFor();
    await page.getByRole("textbox", { name: "Search" }).fill("nothing");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing fits these filters").waitFor();
    for (const text of ["gold", "thei"]) {
      await page.getByRole("textbox", { name: "Search" }).fill(text);
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.searchParams.get("text") === text);
      await table.getByRole("link", { name: "Theirs" }).waitFor();
    }
    await go("/operator/credit-packs?text=hundred");
    await page.getByRole("table", { name: "Credit packs" }).getByRole("link", { name: "A hundred" }).waitFor();
  });

  it("the navigation says which is whose: no two entries read alike, and each group has its name", async () => {
    await go("/operator/overview");
    await heading("Overview");
    const navigation = page.getByRole("navigation", { name: "Main" });
    const groups = await navigation.getByRole("list").evaluateAll(namesOfLists);
    expect(groups).toEqual(["Operations, all tenants", expect.stringMatching(/^Tenant: ./), "Your account"]);
    const names = await navigation.getByRole("link").allTextContents();
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("reads the welcome mail as text and as its reader sees it, with nothing that runs or loads", async () => {
    await go(`/operator/mails?to=${scene.stranger}&template=welcome`);
    await page.getByRole("table", { name: "Mails" }).getByRole("link", { name: "Welcome" }).click();
    await heading("Welcome");
    await page.getByRole("link", { name: /#token=/ }).waitFor();
    await page.getByRole("tab", { name: "HTML" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading", { name: /Welcome/ }).waitFor();
    const button = frame.getByRole("link").first();
    expect(await button.evaluate(({ style }: Styled) => style.backgroundColor)).toBe("rgb(47, 84, 214)");
    expect(await page.locator("iframe").getAttribute("sandbox")).not.toContain("allow-scripts");
    await shot(page, "op-mail-html-light");
  });

  it("hostile markup in a mail stays inert", async () => {
    const { database } = scene.door.pipe;
    await database.query({
      text: "update mails set fields = jsonb_set(fields, '{name}', $1::jsonb) where recipient = $2 and template = 'welcome'",
      values: [
        JSON.stringify('<img src="https://evil.example/x.png" onerror="document.title=1"><script>x</script>'),
        scene.stranger,
      ],
    });
    await page.reload();
    await page
      .frameLocator("iframe")
      .getByRole("heading", { name: /Welcome/ })
      .waitFor();
    expect(await page.frameLocator("iframe").locator("img, script").count()).toBe(0);
  });

  it("filters live in the address and survive a reload", async () => {
    await go("/operator/invoices");
    const table = page.getByRole("table", { name: "Invoices" });
    await page.getByRole("textbox", { name: "Search" }).fill("ada@example.com");
    await page.keyboard.press("Enter");
    await table.getByRole("link", { name: "in_first" }).waitFor();
    await page.getByRole("combobox", { name: "Status" }).click();
    await page.getByRole("option", { name: "Paid" }).click();
    await page.waitForURL(/text=ada%40example.com&status=paid/);
    await page.reload();
    await table.getByRole("link", { name: "in_first" }).waitFor();
    expect(await page.getByRole("textbox", { name: "Search" }).inputValue()).toBe("ada@example.com");
    expect(await table.getByRole("row").count()).toBe(2);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.waitForURL((url) => url.search === "");
  });

  it("a day that is chosen is within since and until, and a replay takes the mode and the days that are seen", async () => {
    for (const livemode of [true, false]) {
      const object = newCustomer({ id: "cus_days", livemode });
      await scene.door.webhook(JSON.stringify(event("customer.updated", object, { livemode })));
    }
    await drain();
    const day = new Date(BEGIN * 1000).toISOString().slice(0, 10);
    await go("/operator/stripe-events?object_id=cus_days");
    for (const name of ["Since", "Until"]) {
      await page.getByLabel(name).fill(day);
      await page.keyboard.press("Enter");
    }
    await page.waitForURL(new RegExp(`since=${day}&until=${day}$`));
    await page.reload();
    await page.getByRole("table", { name: "Stripe events" }).getByRole("link", { name: "customer.updated" }).waitFor();
    expect(await page.getByLabel("Until").inputValue()).toBe(day);
    await page.getByRole("button", { name: "Replay these" }).click();
    await page.getByRole("dialog").getByText("1 event of test mode fits these filters.").waitFor();
    await page.keyboard.press("Escape");
  });

  it(`a list of ${MANY} rows is scrolled through as its pages come`, async () => {
    await go("/operator/customers");
    const box = page.getByRole("region", { name: "Customers" });
    await box.getByRole("row").nth(20).waitFor();
    for (let scrolls = 0; scrolls < 10; scrolls++) {
      await box.evaluate(scrollDown, 1);
      await page.getByText(new RegExp(`${((scrolls + 2) * 50).toLocaleString("en")} shown so far`)).waitFor();
    }
    expect(await box.getByRole("row").count()).toBeLessThan(MOST_ROWS);
  });

  it("gives a payment's credits to the account that a person chose, and is back in the list as it was filtered", async () => {
    const list = `/operator/unmatched-purchases?status=open&tenant_id=${scene.door.pipe.platformTenant}`;
    await go(list);
    await page.getByRole("table", { name: "Unmatched purchases" }).getByRole("link", { name: scene.unsure }).click();
    await heading(scene.unsure);
    await page.getByText(/which proves nothing/).waitFor();
    await page.reload();
    await page.getByRole("radio", { name: scene.account }).check();
    await page.getByRole("button", { name: "Give the credits" }).click();
    await page.getByText("The credits are in the account.").waitFor();
    await page.getByText("None is open").waitFor();
    expect(page.url()).toBe(scene.door.url + list);
    const body = { email: scene.unsure, password: PASSWORD };
    const { access } = sessionOf(await send(scene.door, "POST", "/api/v1/auth/login/", { body }));
    expect(await balanceOf(scene.sale, access)).toBe(100);
  });

  it("changes the fee of a tenant, and takes it back", async () => {
    const { id } = await registerTenant(scene.door);
    await go(`/operator/tenants/${id}`);
    const fee = page.getByText("Application fee").locator("..");
    expect(await fee.textContent()).toMatch(/configuration/);
    await page.getByRole("button", { name: "Change the fee" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("switch").click();
    await dialog.getByLabel("Percent of each invoice").fill("7.5");
    await shot(page, "op-fee-light");
    await dialog.getByRole("button", { name: "Change" }).click();
    await fee.getByText("7.5 %").waitFor();
    await page.getByRole("button", { name: "Change the fee" }).click();
    await dialog.getByRole("switch").click();
    await dialog.getByRole("button", { name: "Change" }).click();
    await fee.getByText(/configuration/).waitFor();
  });
});
