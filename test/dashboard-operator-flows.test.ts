// An operator's work in a real browser, from its list to its end: mails, unmatched purchases, queues, replays of a range, and who
// is who.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import type { SendAnswer } from "../src/mail/mail-sender.ts";
import { queueMail } from "../src/mail/queue-mail.ts";
import { sendOnce } from "../src/mail/send-mail.ts";
import { withoutBrowser } from "./support/browser.ts";
import { openOperatorScene, type OperatorScene } from "./support/dashboard-operator-scene.ts";
import { newEmail, registerPerson, registerTenant } from "./support/people.ts";
import { pay, sessionElsewhere } from "./support/purchase-scene.ts";

const REFUSED: SendAnswer = { outcome: "refused", code: "mail_refused", status: 550, answer: "550 No such user here" };
const SENT: SendAnswer = { outcome: "sent", answer: "250 Queued" };

interface ListedEvent {
  id: string;
  status: string;
  created: string;
}

describe.skipIf(withoutBrowser())("an operator in a browser", () => {
  let scene: OperatorScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openOperatorScene();
    page = await scene.signedIn(scene.operator, "/operator/queue");
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const entry = (name: string) =>
    page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  const heading = (name: string) => page.getByRole("heading", { level: 1, name }).waitFor();
  const beside = () => page.locator(".bh-title");
  const table = (name: string) => page.getByRole("table", { name, exact: true });
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const choose = async (filter: string, option: string): Promise<void> => {
    await page.getByRole("combobox", { name: filter }).click();
    await page.getByRole("option", { name: option, exact: true }).click();
  };
  const type = async (filter: string, text: string): Promise<void> => {
    await page.getByLabel(filter, { exact: true }).fill(text);
    await page.keyboard.press("Enter");
  };
  const events = async (query: string): Promise<ListedEvent[]> =>
    (await scene.door.admin("GET", `stripe-events/?livemode=false&limit=100&${query}`)).json.data as ListedEvent[];
  const pending = async (): Promise<string[]> => (await events("status=pending")).map(({ id }) => id);
  const drain = () => scene.door.pipe.drain();

  /** All that are due get this answer of the mail server. */
  const sendMails = async (answer: SendAnswer): Promise<void> => {
    const options = {
      ...{ database: scene.door.pipe.database, clock: systemClock, log: silentLog, sender: async () => answer },
      ...{ leaseSeconds: 30, maxAttempts: 3, newLease: () => newId("node") },
      metrics: { attempted: () => undefined },
    };
    while ((await sendOnce(options)) !== "none");
  };

  it("finds the failed event by its type, sees why it failed, replays it from its page, and the queue is empty", async () => {
    await page.getByRole("tab", { name: "Failed (1)" }).waitFor();
    await type("Type", "invoice.paid");
    await page.getByText("No event is failed").waitFor();
    await type("Type", "customer.updated");
    await table("Failed events").getByRole("link", { name: "customer.updated" }).click();
    await heading("evt_fails");
    await beside().getByText("Failed", { exact: true }).waitFor();
    await page
      .getByText(/violates check constraint "refuses"/)
      .first()
      .waitFor();
    await press("Replay");
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await beside().getByText("Pending", { exact: true }).waitFor();
    await drain();
    await beside().getByText("Processed", { exact: true }).waitFor();
    await entry("Failed and unrouted");
    await page.getByText("No event is failed").waitFor();
    await page.getByRole("tab", { name: "Failed (0)" }).waitFor();
  });

  it("finds an unrouted event by its account; while nobody has connected that, a replay leaves it there", async () => {
    await page.getByRole("tab", { name: "Unrouted (1)" }).click();
    await page.getByText(/no tenant has connected/).waitFor();
    await type("Stripe account", "acct_others");
    await page.getByText("No event is unrouted").waitFor();
    expect(await page.getByRole("button", { name: "Replay these" }).count()).toBe(0);
    await type("Stripe account", "acct_nobodys");
    await table("Unrouted events").getByText("acct_nobodys").waitFor();
    await press("Replay these");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 event of both modes fits these filters.").waitFor();
    await dialog.getByRole("button", { name: "Replay" }).click();
    await page.getByText("1 event is processed again.").waitFor();
    expect(await pending()).toEqual(["evt_nobodys"]);
    await drain();
    await page.reload();
    await table("Unrouted events").getByRole("link", { name: "invoice.paid" }).click();
    await heading("evt_nobodys");
    await beside().getByText("Unrouted", { exact: true }).waitFor();
  });

  it("a replay of a type and a day is counted first, and takes these alone", async () => {
    const [paid] = (await events("object_id=in_first&type=invoice.paid")) as [ListedEvent];
    const day = paid.created.slice(0, 10);
    expect((await events("type=invoice.paid")).length).toBeGreaterThan(1);
    await entry("Stripe events");
    await type("Type", "invoice.paid");
    for (const name of ["Since", "Until"]) await type(name, day);
    await table("Stripe events").getByRole("link", { name: "in_first" }).waitFor();
    await press("Replay these");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 event of test mode fits these filters.").waitFor();
    expect(await dialog.getByRole("textbox").count()).toBe(0);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await pending()).toEqual([]);
    await press("Replay these");
    await dialog.getByRole("button", { name: "Replay" }).click();
    await page.getByText("1 event is processed again.").waitFor();
    await table("Stripe events").getByText("pending", { exact: false }).waitFor();
    expect(await pending()).toEqual([paid.id]);
    await drain();
    await table("Stripe events").getByText("processed", { exact: false }).waitFor({ timeout: 40_000 });
  }, 90_000);

  it("a replay of everything wants the word typed, is seen on its way and done, and ends in the same state", async () => {
    const all = (await scene.door.admin("POST", "stripe-events/replay/", { livemode: false, since: 0, dry_run: true }))
      .json.count as number;
    const state = async (): Promise<unknown[]> =>
      Promise.all(
        [`accounts/?email=${scene.stranger}`, "invoices/in_first/", "customers/cus_first/"].map(async (path) => ({
          ...(await scene.door.admin("GET", path)).json,
          updated_at: undefined,
        })),
      );
    const before = await state();
    expect(JSON.stringify(before)).toContain('"credit_balance":100');
    await entry("Stripe events");
    await page.waitForURL((url) => url.search === "");
    await press("Replay these");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`${all.toLocaleString("en")} events of test mode fit these filters.`).waitFor();
    const replay = dialog.getByRole("button", { name: "Replay" });
    expect(await replay.isDisabled()).toBe(true);
    await dialog.getByLabel("Type everything to confirm").fill("everythin");
    await page.keyboard.press("Enter");
    expect(await replay.isDisabled()).toBe(true);
    expect(await pending()).toEqual([]);
    await dialog.getByLabel("Type everything to confirm").fill("everything");
    await replay.click();
    await page.getByText(`${all.toLocaleString("en")} events are processed again.`).waitFor();
    await choose("Status", "pending");
    await table("Stripe events").getByRole("row").nth(10).waitFor();
    await drain();
    await page.getByText("No events", { exact: true }).waitFor({ timeout: 40_000 });
    expect(await state()).toEqual(before);
  }, 120_000);

  it("a mail that failed is found by its status, says why, and is tried again until it is sent", async () => {
    const reader = newEmail();
    const fields = { link: "https://app.example.com/dashboard/credits", credits: 100 };
    const mail = {
      tenantId: null,
      cause: "credits of the flows",
      to: reader,
      template: "credits_added",
      fields,
    } as const;
    await queueMail(scene.door.pipe.database, mail);
    await sendMails(REFUSED);
    await entry("Mails");
    await choose("Status", "Failed");
    await table("Mails")
      .getByRole("row")
      .filter({ hasText: reader })
      .getByRole("link", { name: "Credits added" })
      .click();
    await beside().getByText("Failed", { exact: true }).waitFor();
    await page.getByText("Attempt 1: refused").waitFor();
    await page.getByRole("list").getByText("550 No such user here").waitFor();
    await press("Try again");
    await page.getByText("The mail is tried again.").waitFor();
    await beside().getByText("Queued", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    await sendMails(SENT);
    await beside().getByText("Sent", { exact: true }).waitFor();
    await page.getByText("Attempt 2: sent").waitFor();
  });

  it("an unmatched purchase says why it is one, is dismissed, and leaves the list for the dismissed", async () => {
    const buyer = newEmail();
    await registerPerson(scene.door, buyer);
    await pay(
      scene.sale,
      await sessionElsewhere(scene.sale, scene.sale.packs.platform.price_id, { customer_email: buyer }),
    );
    await scene.sale.settle();
    await entry("Unmatched purchases");
    const list = table("Unmatched purchases");
    const row = list.getByRole("row").filter({ hasText: buyer });
    expect(await row.getByRole("cell", { name: "Email known" }).textContent()).toBe("Email known");
    await list.getByRole("link", { name: buyer }).click();
    await page.getByText("An account has this address, which proves nothing: ask the buyer.").waitFor();
    await press("Dismiss");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/Nobody gets credits for it/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await beside().getByText("Open", { exact: true }).waitFor();
    await press("Dismiss");
    await dialog.getByRole("button", { name: "Dismiss" }).click();
    await page.getByText("The payment brings no credits.").waitFor();
    // The list is read anew behind the answer.
    await row.waitFor({ state: "detached" });
    await list.getByRole("link", { name: scene.unsure }).waitFor();
    await choose("Status: open", "Dismissed");
    await row.getByText("Email known").waitFor();
    expect(await list.getByRole("link", { name: scene.unsure }).count()).toBe(0);
    const [account] = (await scene.door.admin("GET", `accounts/?email=${buyer}`)).json.data as {
      credit_balance: number;
    }[];
    expect(account?.credit_balance ?? 0).toBe(0);
  });

  it("a customer is found by address or id, and nobody by what nobody has", async () => {
    await entry("Stripe customers");
    const list = table("Customers");
    for (const [text, shown] of [
      ["many7@many.example", "many7@many.example"],
      ["cus_first", "ada@example.com"],
    ] as const) {
      await type("Search", text);
      await list.getByRole("link", { name: shown, exact: true }).waitFor();
      await page.getByText("1 in all").waitFor();
    }
    await type("Search", "nobody@many.example");
    await page.getByText("Nothing fits these filters").waitFor();
    await press("Clear filters");
    await list.getByRole("row").nth(20).waitFor();
    await type("Search", "cus_first");
    await list.getByRole("link", { name: "ada@example.com" }).click();
    await heading("cus_first");
  });

  it("payments are narrowed by customer and status, the filters together, and each is taken back by itself", async () => {
    await entry("Payments");
    const list = table("Payments");
    await list.getByRole("row").nth(2).waitFor();
    await type("Customer", "cus_first");
    await page.getByText("1 in all").waitFor();
    await list.getByRole("link", { name: "pi_taken" }).waitFor();
    await choose("Status", "Canceled");
    await page.getByText("Nothing fits these filters").waitFor();
    await page.locator('button[aria-label="Clear Status"]').click();
    await list.getByRole("link", { name: "pi_taken" }).waitFor();
    expect(new URL(page.url()).search).toBe("?customer=cus_first");
    await list.getByRole("link", { name: "pi_taken" }).click();
    await heading("pi_taken");
  });

  it("a tenant is found by its owner's address, and leads to what is theirs", async () => {
    const tenant = await registerTenant(scene.door);
    await entry("Tenants");
    await type("Search", tenant.email);
    await table("Tenants")
      .getByRole("link", { name: `Company of ${tenant.email}` })
      .click();
    await heading(`Company of ${tenant.email}`);
    for (const fact of ["company.example", "Not connected"]) await page.locator("dd").getByText(fact).first().waitFor();
    await page.locator("dd").getByRole("link", { name: "Credit packs" }).click();
    await page.waitForURL((url) => url.pathname === "/operator/credit-packs" && url.search === `?tenant=${tenant.id}`);
    await page.getByText("Nothing fits these filters").waitFor();
    await entry("Tenants");
    await type("Search", scene.sale.tenant.id);
    await table("Tenants").getByRole("row").nth(1).getByText("Active").waitFor();
    await table("Tenants").getByRole("row").nth(1).getByRole("link").click();
    await page.locator("dd").getByRole("link", { name: "Credit packs" }).click();
    await table("Credit packs").getByRole("link", { name: "A hundred" }).waitFor();
  });

  it("a person is found by address, with the account's balance and purchases, and leads to their mails", async () => {
    await entry("People");
    await type("Search", scene.stranger);
    await page.getByText("1 in all").waitFor();
    await table("People").getByRole("link", { name: scene.stranger }).click();
    await heading(scene.stranger);
    const account = page.getByRole("region", { name: "Accounts with this address" });
    await account.getByText("100 credits").first().waitFor();
    await account.getByText("Paid", { exact: true }).waitFor();
    await page.getByRole("link", { name: "To this address" }).click();
    await table("Mails").getByRole("link", { name: "Welcome" }).waitFor();
    expect(await page.getByLabel("To", { exact: true }).inputValue()).toBe(scene.stranger);
    expect(await table("Mails").locator("tbody tr").filter({ hasNotText: scene.stranger }).count()).toBe(0);
  });
});
