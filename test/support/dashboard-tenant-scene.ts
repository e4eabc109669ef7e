// A tenant's owner in a browser, for tests: a whole served Billhook with its sandbox, and a receiver for its webhooks.
import type { Page } from "playwright-core";
import { expect } from "vitest";

import type { Wire } from "./api-door.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { serveConnect, type ServedConnect } from "./connect-visit.ts";
import { watch } from "./dashboard-browser.ts";
import { builtDashboard } from "./dashboard-build.ts";
import { PASSWORD } from "./people.ts";
import { OPERATOR_TOKEN } from "./serve.ts";
import { openReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

export interface TenantScene {
  billhook: ServedConnect;
  browser: TestBrowser;
  receiver: WebhookReceiver;
  /** Of the owner. */
  page: Page;
  email: string;
  /** As shown at the registration: by their labels. */
  secrets: Record<string, string>;
  go(path: string): Promise<void>;
  heading(name: string | RegExp): Promise<void>;
  press(name: string | RegExp): Promise<void>;
  /** The button of the open dialog. */
  confirm(name: string): Promise<void>;
  /** Another person's page; `watched` as the owner's is. */
  visitor(path: string): Promise<Page>;
  /** Somebody who was invited by mail, with a new password. */
  accepts(email: string): Promise<Page>;
  /** Since the last time; `expected`: texts of the console that were to come, as of a call that is refused. */
  expectNoFaults(expected?: RegExp): void;
  close(): Promise<void>;
}

const EMAIL = "owner@hook.example";
/** The sandbox's own pages have no icon. */
const NO_ICON = /favicon/;

export async function openTenantScene(): Promise<TenantScene> {
  await builtDashboard();
  const [billhook, browser, receiver] = await Promise.all([serveConnect("embedded"), openBrowser(), openReceiver()]);
  const faults: string[] = [];
  const visitor = async (path: string): Promise<Page> => {
    const page = await browser.visitor();
    watch(page, faults, NO_ICON);
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(billhook.url + path);
    return page;
  };
  const page = await visitor("/register/tenant");
  const secrets = await register(page);
  return {
    ...{ billhook, browser, receiver, page, email: EMAIL, secrets, visitor },
    go: async (path) => {
      await page.goto(billhook.url + path);
    },
    heading: (name) => page.getByRole("heading", { level: 1, name }).waitFor(),
    press: (name) => page.getByRole("button", { name, exact: typeof name === "string" }).click(),
    confirm: (name) => page.getByRole("dialog").getByRole("button", { name, exact: true }).click(),
    accepts: async (email) => {
      const invited = await visitor(`/invitation#token=${await mailedToken(billhook, email)}`);
      await invited.locator("input[name=password]").fill(PASSWORD);
      await invited.getByRole("button", { name: "Accept" }).click();
      await invited.getByRole("navigation", { name: "Main" }).waitFor();
      return invited;
    },
    expectNoFaults: (expected) => {
      const unexpected = faults.splice(0).filter((fault) => expected?.test(fault) !== true);
      expect([...unexpected, ...browser.refused.map((url) => `asked ${url}`)]).toEqual([]);
    },
    close: async () => {
      await browser.close();
      await receiver.close();
      await billhook.close();
    },
  };
}

async function register(page: Page): Promise<Record<string, string>> {
  await page.getByLabel("Company").fill("Hook Ltd");
  await page.getByLabel("Domain").fill("hook.example");
  await page.getByLabel("Your e-mail address").fill(EMAIL);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByLabel("I have stored them").check();
  const secrets: Record<string, string> = {};
  for (const one of await page.locator(".bh-secrets > div").all()) {
    secrets[(await one.locator("dt").textContent()) ?? ""] = (await one.locator("code").textContent()) ?? "";
  }
  await page.getByRole("button", { name: "Open the dashboard" }).click();
  return secrets;
}

/** A mail can be read when the sender has looked at it, which is soon. */
async function mailedToken({ ask }: ServedConnect, email: string): Promise<string> {
  let detail: Wire = {};
  for (let left = 250; left > 0; left--) {
    const { json } = await ask("GET", "/api/v1/admin/mails/?limit=50", OPERATOR_TOKEN);
    const mail = (json.data as { id: string; to: string }[]).find(({ to }) => to === email);
    ({ json: detail } = await ask("GET", `/api/v1/admin/mails/${mail?.id ?? ""}/`, OPERATOR_TOKEN));
    const token = /#token=([\w-]+)/.exec(JSON.stringify(detail))?.[1];
    if (token !== undefined) return token;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`no mail with a link for ${email}: ${JSON.stringify(detail)}`);
}
