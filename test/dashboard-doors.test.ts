// The dashboard's pages outside its areas in a real browser: the way in, the links in mails, what is not there or not for one.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { type DashboardScene, lookAt, newPerson, openDashboard } from "./support/dashboard-browser.ts";
import { mailedToken, newEmail, registerTenant, send } from "./support/people.ts";

type Visit = (scene: DashboardScene) => Promise<Page>;

const at =
  (path: string): Visit =>
  ({ visit }) =>
    visit(path);

/** Opens the link of a mail that `cause` has sent, and answers to whom. */
const mailed =
  (path: string, cause: (scene: DashboardScene) => Promise<string>): Visit =>
  async (scene) => {
    const email = await cause(scene);
    return scene.visit(`${path}#token=${await mailedToken(scene.door, email)}`);
  };

const registered = async ({ door }: DashboardScene): Promise<string> => (await newPerson(door)).email;

async function hasForgotten({ door }: DashboardScene): Promise<string> {
  const { email } = await newPerson(door);
  const { status } = await send(door, "POST", "/api/v1/auth/password/forgot/", { body: { email } });
  expect(status).toBe(200);
  return email;
}

async function isInvited({ door }: DashboardScene): Promise<string> {
  const [{ access: token }, email] = [await registerTenant(door), newEmail()];
  const body = { email, role: "admin" };
  expect((await send(door, "POST", "/api/v1/auth/tenants/members/", { token, body })).status).toBe(201);
  return email;
}

const PAGES: [name: string, title: string, visit: Visit][] = [
  ["sign-in", "Sign in", at("/sign-in")],
  [
    "sign-in-link",
    "This link cannot be used",
    ({ visit }) => visit("/sign-in/link#token=used_up", { expected: /status of 401/ }),
  ],
  ["register", "Create an account", at("/register")],
  ["register-tenant", "Register a tenant", at("/register/tenant")],
  ["forgot-password", "Forgot your password?", at("/forgot-password")],
  ["reset-password", "Choose a new password", mailed("/reset-password", hasForgotten)],
  ["verify-address", "Verify your address", mailed("/verify-address", registered)],
  ["invitation", "Accept the invitation", mailed("/invitation", isInvited)],
  ["no-such-page", "There is no such page", at("/nowhere/at/all")],
  [
    "no-permission",
    "You may not open this page",
    async (scene) => scene.signedIn(await newPerson(scene.door), "/operator/stripe-events"),
  ],
];

describe.skipIf(withoutBrowser())("in a browser", () => {
  let scene: DashboardScene;
  beforeAll(async () => {
    scene = await openDashboard("embedded");
  }, 120_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  it.each(PAGES)("%s: axe finds nothing serious in either scheme, and it fits a phone", async (name, title, visit) => {
    const page = await visit(scene);
    await page.locator("h1, .bh-empty .bh-strong").getByText(title, { exact: true }).waitFor();
    await lookAt(page, name);
    await page.context().close();
  });
});
