// The dashboard's frame in a real browser: signing in and out, deep links, search, both schemes, a phone's width.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import {
  type DashboardScene,
  expectAccessible,
  expectFitsWidth,
  newOperator,
  newPerson,
  openDashboard,
  PHONE,
  shot,
  signIn,
  type TestPerson,
} from "./support/dashboard-browser.ts";
import { EVENTS } from "./support/operator-scene.ts";
import { mailedToken, newEmail, PASSWORD, registerTenant, send } from "./support/people.ts";

/** A wrong password, and the page's own try to go on with a session that has ended. */
const REFUSED = /status of 40[013]/;

describe.skipIf(withoutBrowser())("in a browser", () => {
  let scene: DashboardScene;
  let operator: TestPerson;
  beforeAll(async () => {
    scene = await openDashboard("embedded");
    operator = await newOperator(scene.door);
    for (const one of EVENTS) expect((await scene.door.webhook(JSON.stringify(one))).status).toBe(200);
    await scene.door.pipe.drain();
  }, 120_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const focused = (page: Page) => page.evaluate<string>("document.activeElement.textContent");
  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

  it("a person signs in, finds the credits and signs out by keyboard alone", async () => {
    const person = await newPerson(scene.door);
    const page = await scene.visit("/");
    await page.getByLabel("E-mail address").waitFor();
    await page.keyboard.type(person.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await heading(page, "Credits");
    expect(new URL(page.url()).pathname).toBe("/dashboard/credits");
    await page.reload();
    await heading(page, "Credits");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await page.getByRole("button", { name: `You: ${person.email}` }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Your account" }).waitFor();
    // It is shown a moment before it takes the keys: eight of them came sooner.
    await page.locator("[role=menu]:focus-within").waitFor();
    for (let left = 8; left > 0 && (await focused(page)) !== "Sign out"; left--) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await heading(page, "Sign in");
    await page.context().close();
  });

  it("a deep link asks for the sign-in and then leads to its object, filters and all", async () => {
    const page = await scene.signedIn(operator, "/operator/stripe-events?status=ignored");
    await page.getByRole("link", { name: "coupon.created" }).waitFor();
    expect(await page.getByRole("row").count()).toBe(2);
    await page.getByRole("link", { name: "coupon.created" }).click();
    await page.getByRole("region", { name: "payload of the event" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/operator/stripe-events/evt_op_ignored");
    await page.goBack();
    await page.getByRole("link", { name: "coupon.created" }).waitFor();
    await page.context().close();
  });

  it("no other origin is led to after signing in", async () => {
    for (const next of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      const page = await scene.visit(`/sign-in?next=${encodeURIComponent(next)}`);
      await signIn(page, operator.email);
      await heading(page, "Overview");
      expect(new URL(page.url()).origin).toBe(scene.door.url);
      await page.context().close();
    }
  });

  it("a sign-out ends every tab, and a reload finds the session again before it", async () => {
    const page = await scene.signedIn(operator);
    await heading(page, "Overview");
    const other = await page.context().newPage();
    await other.goto(`${scene.door.url}/dashboard/credits`);
    await heading(other, "Credits");
    await Promise.all([page.reload(), other.reload()]);
    await Promise.all([heading(page, "Overview"), heading(other, "Credits")]);
    expect(await page.evaluate("Object.values({ ...localStorage, ...sessionStorage }).join()")).not.toMatch(/eyJ/);
    await page.getByRole("button", { name: `You: ${operator.email}` }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await Promise.all([heading(page, "Sign in"), heading(other, "Sign in")]);
    await page.context().close();
  });

  it("a wrong password says so, and the form stays", async () => {
    const page = await scene.visit("/sign-in", { expected: REFUSED });
    await signIn(page, operator.email, "not the password at all");
    await page.getByRole("alert").waitFor();
    await expectAccessible(page);
    await signIn(page, operator.email);
    await heading(page, "Overview");
    await page.context().close();
  });

  it("⌘K finds a page by its name", async () => {
    const page = await scene.signedIn(operator);
    await heading(page, "Overview");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Search/ }).fill("credits");
    await page.getByRole("option", { name: /Credits/ }).waitFor();
    await shot(page, "search-light");
    await expectAccessible(page);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await heading(page, "Credits");
    await page.context().close();
  });

  it("a tenant registers, sees its keys once, and is in its dashboard", async () => {
    const page = await scene.visit("/register/tenant");
    await page.getByLabel("Company").fill("Hook Ltd");
    await page.getByLabel("Domain").fill("hook.example");
    await page.getByLabel("Your e-mail address").fill(newEmail());
    await page.locator("input[name=password]").fill(PASSWORD);
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByText(/^sk_live_\w{32}$/).waitFor();
    await expectAccessible(page);
    await shot(page, "keys-dark");
    expect(await page.getByRole("button", { name: "Open the dashboard" }).isDisabled()).toBe(true);
    await page.getByLabel("I have stored them").check();
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByText("Hook Ltd").first().waitFor();
    await page.context().close();
  });

  it("who is signed in registers another tenant, sees its keys once, and is in its area as the same person", async () => {
    const owner = await newOperator(scene.door);
    const page = await scene.signedIn(owner);
    await page.getByRole("button", { name: `You: ${owner.email}` }).click();
    await page.getByRole("menuitem", { name: "Register a tenant" }).click();
    await page.getByText(`You become its first owner, as ${owner.email}.`).waitFor();
    expect(await page.locator("input[name=email], input[name=password]").count()).toBe(0);
    await expectAccessible(page);
    await page.getByLabel("Company").fill("Second Ltd");
    await page.getByLabel("Domain").fill("second.example");
    await page.getByRole("button", { name: "Register" }).click();
    const key = (await page.getByText(/^sk_live_\w{32}$/).textContent()) ?? "";
    await page.getByLabel("I have stored them").check();
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await heading(page, "Stripe account");
    await page.getByRole("button", { name: "Tenant: Second Ltd" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Tenant: Second Ltd" }).waitFor();
    expect(await page.content()).not.toContain(key);
    // Still an operator.
    await page.getByRole("button", { name: `You: ${owner.email}` }).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await heading(page, "Overview");
    await page.context().close();
  });

  it("the links in mails lead to pages that do what the mail says", async () => {
    const person = await newPerson(scene.door);
    const page = await scene.visit(`/verify-address#token=${await mailedToken(scene.door, person.email)}`);
    await page.getByRole("button", { name: "Verify the address" }).click();
    expect(page.url()).not.toContain("token");
    await heading(page, "Your address is verified");
    await page.goto(`${scene.door.url}/forgot-password`);
    await page.getByLabel("E-mail address").fill(person.email);
    await page.getByRole("button", { name: "Mail me a link" }).click();
    await heading(page, "Look into your mailbox");
    await page.goto(`${scene.door.url}/reset-password#token=${await mailedToken(scene.door, person.email)}`);
    await page.locator("input[name=password]").fill("Another-Horse-8-Battery");
    await page.getByRole("button", { name: "Change the password" }).click();
    await heading(page, "The password is changed");
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, person.email, "Another-Horse-8-Battery");
    await heading(page, "Credits");
    await page.context().close();
  });

  it("an invitation makes a member, whose refresh token no script sees", async () => {
    const tenant = await registerTenant(scene.door);
    const email = newEmail();
    const invited = await scene.door.call("POST", "/api/v1/auth/tenants/members/", {
      headers: { authorization: `Bearer ${tenant.access}`, "content-type": "application/json" },
      body: JSON.stringify({ email, role: "admin" }),
    });
    expect(invited.status).toBe(201);
    const page = await scene.visit(`/invitation#token=${await mailedToken(scene.door, email)}`);
    await page.locator("input[name=password]").fill(PASSWORD);
    await expectAccessible(page);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const accepted = page.waitForResponse(/\/members\/accept\/$/);
    await page.getByRole("button", { name: "Accept" }).click();
    expect((await (await accepted).json()) as object).toMatchObject({
      tokens: { access: expect.any(String), refresh: null },
    });
    await heading(page, "Stripe account");
    expect(asked.filter((path) => /\/(login|logout)\//.test(path))).toEqual([]);
    await page.reload();
    await heading(page, "Stripe account");
    const cookies = await page.context().cookies(`${scene.door.url}/api/v1/auth/refresh/`);
    expect(cookies).toMatchObject([{ name: "billhook_refresh", httpOnly: true, sameSite: "Strict" }]);
    await page.context().close();
  });

  it("who is invited with a verified account is told so at the password, and joins by the account's own", async () => {
    const [tenant, known] = [await registerTenant(scene.door), await newPerson(scene.door)];
    const post = (path: string, token: string | undefined, body: object) =>
      send(scene.door, "POST", `/api/v1/auth${path}`, { token, body });
    await post("/email/verify/", undefined, { token: await mailedToken(scene.door, known.email) });
    await post("/tenants/members/", tenant.access, { email: known.email, role: "admin" });
    const link = `/invitation#token=${await mailedToken(scene.door, known.email)}`;
    const page = await scene.visit(link, { expected: REFUSED });
    const accept = async (password: string): Promise<void> => {
      await page.locator("input[name=password]").fill(password);
      await page.getByRole("button", { name: "Accept" }).click();
    };
    await accept("Another-Choice-99-q");
    await page.getByText("There is an account with your address").waitFor();
    await accept(PASSWORD);
    await heading(page, "Sign in");
    await signIn(page, known.email);
    await heading(page, "Stripe account");
    await page.context().close();
  });

  it("a page for operators tells others who may open it", async () => {
    const page = await scene.signedIn(await newPerson(scene.door), "/operator/stripe-events");
    await page.getByText("You may not open this page").waitFor();
    await page.goto(`${scene.door.url}/nowhere/at/all`);
    await heading(page, "There is no such page");
    await expectAccessible(page);
    await page.context().close();
  });

  const PAGES: [name: string, path: string, heading: string][] = [
    ["credits", "/dashboard/credits", "Credits"],
    ["stripe-events", "/operator/stripe-events", "Stripe events"],
    ["stripe-event", "/operator/stripe-events/evt_op_paid", "evt_op_paid"],
  ];

  it.each(PAGES)(
    "%s: axe finds nothing serious, and a phone shows it without scrolling sideways",
    async (name, path, title) => {
      const page = await scene.signedIn(operator, path);
      await heading(page, title);
      await page.locator("[aria-busy=true], [aria-label=Loading]").first().waitFor({ state: "detached" });
      await expectAccessible(page);
      await shot(page, `${name}-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await shot(page, `${name}-light`);
      await page.setViewportSize(PHONE);
      await expectFitsWidth(page);
      await expectAccessible(page);
      await shot(page, `${name}-phone`);
      await page.getByRole("button", { name: "Open the navigation" }).click();
      await page.getByRole("dialog").getByRole("link", { name: "Credits" }).click();
      await heading(page, "Credits");
      await page.context().close();
    },
  );

  it("the chosen scheme stays after a reload", async () => {
    const page = await scene.signedIn(operator);
    await page.getByRole("button", { name: /^Colours: as the system/ }).click();
    await page.getByRole("button", { name: /^Colours: light/ }).click();
    await page.locator("html[data-mantine-color-scheme=dark]").waitFor({ state: "attached" });
    await page.reload();
    await page.getByRole("button", { name: /^Colours: dark/ }).waitFor();
    await page.context().close();
  });
});
