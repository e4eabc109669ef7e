// The tenant's area in a real browser, against a whole Billhook with its sandbox: from the registration over onboarding,
// webhooks, keys, customers, invoices and members, each as a person does it.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { expectAccessible, lookAt, settled, shot } from "./support/dashboard-browser.ts";
import { readsWithoutActs, seesNoAct } from "./support/dashboard-member.ts";
import { openTenantScene, type TenantScene } from "./support/dashboard-tenant-scene.ts";

const CUSTOMER = "buyer@example.com";
const KEY = /^sk_test_\w{32}$/;

describe.skipIf(withoutBrowser())("a tenant in a browser", () => {
  let scene: TenantScene;
  let page: Page;
  /** Pages of single objects, as they come to be. */
  const found: Record<string, string> = {};
  beforeAll(async () => {
    scene = await openTenantScene();
    ({ page } = scene);
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const here = () => new URL(page.url()).pathname;
  const dialog = () => page.getByRole("dialog");
  const region = (name: string) => page.getByRole("region", { name });
  const row = (name: string | RegExp) => page.getByRole("row", { name });
  /** The secret that a dialog shows this once; the dialog is closed after it. */
  const shownOnce = async (close: string): Promise<string> => {
    const secret = await dialog().locator("code").first().textContent();
    await dialog()
      .getByLabel(/^I have stored/)
      .check();
    await scene.confirm(close);
    return secret ?? "";
  };

  it("connects its Stripe account: pending, what is still due, and active, each after Stripe led back", async () => {
    await scene.heading("Stripe account");
    await scene.press("Connect with Stripe");
    await scene.heading("Set up your account");
    await scene.press("Complete with something still due");
    await scene.heading("Stripe account");
    await page.getByText("Individual: verification, document").first().waitFor();
    await expectAccessible(page);
    await shot(page, "connect-due-dark");
    await scene.press("Go on at Stripe");
    await scene.heading("Set up your account");
    await scene.press("Complete");
    await page.getByText("The account is connected: it can take payments.").waitFor();
    expect(here()).toBe("/dashboard/connect");
    // The way back is told by the address, how the account stands by the server a moment later.
    await page.locator("h1").locator("..").getByText("Active").waitFor();
    await page.getByText("15 %").waitFor();
  }, 60_000);

  it("tests its first endpoint and sees what was sent beside what came back", async () => {
    await scene.go("/dashboard/webhooks");
    await page.getByRole("link", { name: "First endpoint" }).click();
    await page.getByRole("tab", { name: "Test" }).click();
    await scene.press("Set the URL");
    await dialog().getByLabel("URL").fill(scene.receiver.url);
    await scene.confirm("Save");
    // The dialog gives the focus back when it is gone, which closes what was opened before.
    await dialog().waitFor({ state: "detached" });
    await page.getByRole("combobox", { name: "Event" }).fill("credit.granted");
    await page.getByRole("option", { name: "credit.granted" }).click();
    await scene.press("Send a test event");
    const result = region("Result of the test");
    await result.getByText("Answered 200", { exact: true }).waitFor();
    await result.getByText(`POST ${scene.receiver.url}`).waitFor();
    await result.getByText("thanks").waitFor();
    expect(await result.textContent()).toContain("webhook-signature: v1,");
    expect(scene.receiver.received.at(-1)?.event.type).toBe("credit.granted");
    found["webhook-test"] = `${here()}?tab=test`;
    await shot(page, "webhook-test-result");
    await expectAccessible(page);
    // One that fails says so, and what came back.
    scene.receiver.answer(500, 200);
    await scene.press("Send a test event");
    await result.getByText("Answered 500", { exact: true }).waitFor();
  }, 60_000);

  it("adds an endpoint for chosen events, and its secret is shown once", async () => {
    await scene.go("/dashboard/webhooks");
    await scene.press("Add an endpoint");
    await dialog().getByLabel("URL").fill(`${scene.receiver.url}/second`);
    await dialog().getByLabel("Only these").check();
    await dialog().getByRole("combobox", { name: "Types of events" }).fill("credit");
    await page.getByRole("option", { name: "credit.*" }).click();
    await page.keyboard.press("Tab");
    await expectAccessible(page);
    await shot(page, "endpoint-form-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await scene.confirm("Add");
    await dialog()
      .getByText(/^whsec_/)
      .waitFor();
    const secret = await shownOnce("Open the endpoint");
    expect(secret).toMatch(/^whsec_[\w+/=]{20,}$/);
    await page.getByText("credit.*").waitFor();
    expect(await page.content()).not.toContain(secret);
    found.endpoint = here();
    // A test goes to the endpoint whose page it is.
    scene.receiver.answer(200);
    await page.getByRole("tab", { name: "Test" }).click();
    await scene.press("Send a test event");
    await region("Result of the test").getByText("Answered 200", { exact: true }).waitFor();
    await region("Result of the test").getByText(`POST ${scene.receiver.url}/second`).waitFor();
  }, 60_000);

  it("adds a customer, grants credits, and sees the delivery of that with every attempt", async () => {
    // Of both endpoints the first attempt.
    scene.receiver.answer(500, 500, 200);
    await scene.go("/tenant/customers");
    await scene.press("Add a customer");
    await dialog().getByLabel("E-mail address").fill(CUSTOMER);
    await scene.confirm("Add");
    await scene.heading(CUSTOMER);
    found.customer = here();
    await scene.press("Grant credits");
    await dialog().getByRole("textbox", { name: "Credits" }).fill("250");
    await dialog().getByLabel("Reason").fill("A warm welcome");
    await scene.confirm("Grant");
    await page.getByText(/^Granted. The balance is/).waitFor();
    await row(/Grant.*\+250.*A warm welcome/).waitFor();
    await scene.go(`${found.endpoint ?? ""}?tab=deliveries`);
    await page.getByRole("link", { name: "credit.granted" }).first().click();
    await region("Attempts").getByText("Attempt 1").waitFor();
    found.delivery = here();
    const attempt = region("Attempts");
    await attempt.getByText("Answered 500").first().waitFor();
    await scene.press("Try now");
    await attempt.getByText("Answered 200").waitFor();
    await attempt.getByText("webhook-signature").first().waitFor();
    await page.locator("h1").locator("..").getByText("Delivered").waitFor();
    await region("Attempts").scrollIntoViewIfNeeded();
    await page.locator("dd").getByRole("link", { name: /^msg_/ }).click();
    await region("body of the event").getByText('"credit.granted"').waitFor();
    found.event = here();
    await scene.press("Resend");
    await scene.confirm("Resend");
    await page.getByText("Sent to 2 of your endpoints.").waitFor();
  }, 60_000);

  it("rotates the secret: the new one is shown once, the old one's end is told", async () => {
    await scene.go(found.endpoint ?? "");
    await scene.press("Rotate the secret");
    await scene.confirm("Rotate");
    await dialog()
      .getByText(/^whsec_/)
      .waitFor();
    const secret = await shownOnce("Close");
    expect(secret).toMatch(/^whsec_/);
    await page.getByText("Old secret ends").waitFor();
    expect(await page.content()).not.toContain(secret);
  }, 60_000);

  it("disables and enables an endpoint, counts what it missed and recovers it", async () => {
    await scene.press("Disable");
    await scene.confirm("Disable");
    await page.getByText("Somebody of this tenant disabled it.").waitFor();
    const account = (found.customer ?? "").split("/").at(-1) ?? "";
    const granted = await fetch(`${scene.billhook.url}/api/v1/accounts/${account}/credits/grant/`, {
      method: "POST",
      headers: {
        ...{ authorization: `Bearer ${scene.secrets["Test secret key"] ?? ""}`, "content-type": "application/json" },
        "idempotency-key": "missed-1",
      },
      body: JSON.stringify({ amount: 5, reason: "Missed" }),
    });
    expect(granted.status).toBe(201);
    await scene.press("Enable");
    await scene.confirm("Enable");
    await page.getByText("The endpoint is enabled.").waitFor();
    await page.getByRole("tab", { name: "Recover" }).click();
    await scene.press("Count what it missed");
    await page.getByText(/1\s*event\s*missed since/).waitFor();
    await scene.press("Send them");
    await region("Recoveries").getByText("1 of 1").waitFor();
    await region("Recoveries").getByText("Done").waitFor();
    found.recover = `${here()}?tab=recover`;
  }, 60_000);

  it("regenerates keys with grace: old and new work; revoked ones do not", async () => {
    const status = async (key: string) => (await scene.billhook.ask("GET", "/api/v1/accounts/", key)).status;
    const old = scene.secrets["Test secret key"] ?? "";
    await scene.go("/tenant/api-keys");
    await row(/Test secret/).waitFor();
    await scene.press("Regenerate");
    await scene.confirm("Regenerate");
    await dialog().getByText(KEY).waitFor();
    const fresh = (await dialog().getByText(KEY).textContent()) ?? "";
    await dialog().getByLabel("I have stored them").check();
    await scene.confirm("Close");
    await row(/Test secret.*Replaced, ends/).waitFor();
    expect([await status(old), await status(fresh)]).toEqual([200, 200]);
    expect(await page.content()).not.toContain(fresh);
    await shot(page, "api-keys-grace");
    await scene.press("Revoke");
    await dialog().getByLabel("Reason").fill("A leak");
    await dialog().getByLabel("Type revoke to confirm").fill("revoke");
    await expectAccessible(page);
    await scene.confirm("Revoke");
    await page.getByText("The keys are revoked.").waitFor();
    expect([await status(old), await status(fresh)]).toEqual([401, 401]);
  }, 60_000);

  const newInvoice = async (): Promise<void> => {
    await scene.go("/tenant/invoices/new");
    await page.getByLabel("Customer’s e-mail address").fill(CUSTOMER);
    await page.getByLabel("Description of item 1").fill("Consulting");
    await page.getByLabel("Quantity of item 1").fill("2");
    await page.getByLabel("Price of item 1").fill("100.03");
    const sum = page.getByRole("complementary", { name: "What it comes to" });
    await sum.getByText("$200.06").waitFor();
    // 15 % of 200.06 is 30.009.
    await sum.getByText("$30.01").waitFor();
    await sum.getByText("$170.05").waitFor();
  };

  it("an invoice shows its fee before it is made, and is paid at Stripe before the person's eyes", async () => {
    await newInvoice();
    await expectAccessible(page);
    await shot(page, "new-invoice-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await shot(page, "new-invoice-light");
    await scene.press("Create and send");
    await page.getByText("The invoice is sent.").waitFor();
    found.invoice = here();
    await page.getByText("$30.01").waitFor();
    const address = await page.getByRole("link", { name: "Open it", exact: true }).getAttribute("href");
    const paying = await page.context().newPage();
    await paying.goto(address ?? "");
    await paying.getByRole("button", { name: /^Pay with 4242/ }).click();
    await page.locator("h1").locator("..").getByText("Paid").waitFor();
    await paying.close();
  }, 60_000);

  it("an invoice that is void can be neither sent nor voided again", async () => {
    await newInvoice();
    await scene.press("Create and send");
    await page.getByText("The invoice is sent.").waitFor();
    await scene.press("Void");
    await scene.confirm("Void");
    await page.getByText("The invoice is void.").waitFor();
    await page.locator("h1").locator("..").getByText("Void").waitFor();
    expect(await page.getByRole("button", { name: "Send again" }).count()).toBe(0);
  }, 60_000);

  it.each([
    { what: "a plan", path: "/tenant/plans", price: "29.00", shown: "$29.00", dearer: "31.50", after: "$31.50" },
    {
      what: "a credit pack",
      path: "/tenant/credit-packs",
      price: "9.90",
      shown: "$9.90",
      dearer: "12",
      after: "$12.00",
    },
  ])(
    "adds $what, changes its price and takes it off sale",
    async ({ what, path, price, shown, dearer, after }) => {
      await scene.go(path);
      await scene.press(`Add ${what}`);
      await dialog().getByLabel("Name").fill("Gold");
      await dialog().getByLabel("Price").fill(price);
      await scene.confirm("Add");
      await scene.heading("Gold");
      found[path === "/tenant/plans" ? "plan" : "credit-pack"] = here();
      await page.getByText(shown).waitFor();
      await page
        .getByRole("link", { name: /^prod_/ })
        .or(page.getByText(/^price_/).first())
        .waitFor();
      await scene.press("Change");
      await dialog().getByLabel("Price").fill(dearer);
      await scene.confirm("Save");
      await page.getByText(after).waitFor();
      await scene.press("Take off sale");
      await scene.confirm("Take off sale");
      await page.getByText("Not sold", { exact: true }).waitFor();
    },
    60_000,
  );

  it("invites a member, who reads the tenant's lists and rows and finds no button that changes anything", async () => {
    await scene.go("/tenant/members");
    for (const [email, role] of [
      ["member@hook.example", /^Member/],
      ["admin@hook.example", /^Admin/],
    ] as const) {
      await scene.press("Invite somebody");
      await dialog().getByLabel("E-mail address").fill(email);
      await dialog().getByRole("combobox", { name: "Role" }).click();
      await page.getByRole("option", { name: role }).click();
      await scene.confirm("Invite");
      await row(new RegExp(`${email}.*Invited`)).waitFor();
    }
    const member = await scene.accepts("member@hook.example");
    await readsWithoutActs(member, { url: scene.billhook.url, company: "Hook Ltd" });
    await member.goto(`${scene.billhook.url}${found.recover ?? ""}`);
    await member.getByRole("region", { name: "Recoveries" }).getByText("1 of 1").waitFor();
    await seesNoAct(member);
    await member.context().close();
    const admin = await scene.accepts("admin@hook.example");
    await admin.goto(`${scene.billhook.url}/tenant/api-keys`);
    await admin.getByText("Only an owner of the tenant can replace or revoke keys.").waitFor();
    expect(await admin.getByRole("button", { name: /Regenerate|Revoke/ }).count()).toBe(0);
    await admin.goto(`${scene.billhook.url}/dashboard/connect`);
    await admin.getByText("Details submitted").waitFor();
    expect(await admin.getByRole("button", { name: /Disconnect|Stripe/ }).count()).toBe(0);
    await admin.context().close();
    await scene.go("/tenant/members");
    await scene.press(/^Role.*member@hook/);
    await dialog().getByRole("combobox", { name: "Role" }).click();
    await page.getByRole("option", { name: /^Admin/ }).click();
    await scene.confirm("Change");
    await row(/member@hook.example.*Admin/).waitFor();
    await scene.press(/^Remove.*member@hook/);
    await scene.confirm("Remove");
    await row(/member@hook.example/).waitFor({ state: "detached" });
  }, 90_000);

  it("the audit log tells what was done here, by whom, with what was before and after", async () => {
    await scene.go("/tenant/audit-log");
    const revoked = row(/keys? revoked.*owner@hook.example/i).first();
    await revoked.getByRole("button", { name: /^Show/ }).click();
    await dialog().getByText("A leak").waitFor();
    await expectAccessible(page);
    await shot(page, "audit-entry-dark");
  }, 60_000);

  const LISTS: [name: string, path: string, heading: string | RegExp][] = [
    ["connect", "/dashboard/connect", "Stripe account"],
    ["api-keys", "/tenant/api-keys", "API keys"],
    ["webhooks", "/dashboard/webhooks", "Webhooks"],
    ["deliveries", "/tenant/deliveries", "Deliveries"],
    ["events", "/tenant/events", "Events"],
    ["invoices", "/tenant/invoices", "Connected invoices"],
    ["new-invoice", "/tenant/invoices/new", "New invoice"],
    ["customers", "/tenant/customers", "Customers"],
    ["plans", "/tenant/plans", "Plans"],
    ["credit-packs", "/tenant/credit-packs", "Credit packs"],
    ["members", "/tenant/members", "Members"],
    ["audit-log", "/tenant/audit-log", "Audit log"],
    ["endpoint", "", /webhooks\/second$/],
    ["recover", "", /webhooks\/second$/],
    ["webhook-test", "", /webhooks$/],
    ["delivery", "", /^dlv_/],
    ["event", "", /^msg_/],
    ["customer", "", CUSTOMER],
    ["invoice", "", /./],
    ["plan", "", "Gold"],
    ["credit-pack", "", "Gold"],
  ];

  it.each(LISTS)(
    "%s: axe finds nothing serious, and a phone shows it without scrolling sideways",
    async (name, path, title) => {
      await scene.go(path === "" ? (found[name] ?? "") : path);
      await scene.heading(title);
      await settled(page);
      await lookAt(page, name);
    },
    60_000,
  );
});
