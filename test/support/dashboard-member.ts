// A member in a tenant's area, for tests: every list and the first row of each is read, and nothing there changes anything.
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { settled } from "./dashboard-browser.ts";

const LISTS = "Customers,Connected invoices,Plans,Credit packs,Events,Webhooks,Deliveries,Members".split(",");
const FOR_ADMINS = ["/dashboard/connect", "/tenant/invoices/new", "/tenant/api-keys", "/tenant/audit-log"];

/** What every button says that only reads: all others change something, also those that are yet to be made. */
const NOT_READING = /^(?!Copy |Clear |Show |Load more|\d+ more)/;

/** On the page as it stands: nothing was refused, and nothing on it changes anything. */
export async function seesNoAct(member: Page): Promise<void> {
  await settled(member);
  expect(await member.getByRole("alert").count(), member.url()).toBe(0);
  const main = member.getByRole("main");
  // A branch of a JSON is opened by a button that is called as the branch is.
  const buttons = main.getByRole("button", { name: NOT_READING }).and(main.locator(":not(.bh-json-fold)"));
  const acts = buttons.or(main.getByRole("switch")).or(main.locator("form"));
  expect(await acts.allTextContents(), member.url()).toEqual([]);
}

/** From the first page on, in a tenant that has one of everything. */
export async function readsWithoutActs(
  member: Page,
  { url, company }: { url: string; company: string },
): Promise<void> {
  const own = member.getByRole("list", { name: `Tenant: ${company}` });
  await own.waitFor();
  expect(await own.getByRole("link").allTextContents()).toEqual(LISTS);
  const rows: string[] = [];
  for (const name of LISTS) {
    await own.getByRole("link", { name, exact: true }).click();
    await member.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    await seesNoAct(member);
    const row = member.locator(".bh-row-link").first();
    if ((await row.count()) === 0) continue;
    await row.click();
    await member.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link", { name }).waitFor();
    await seesNoAct(member);
    rows.push(name);
  }
  // Who belongs to the tenant has no page of their own.
  expect(rows).toEqual(LISTS.slice(0, -1));
  for (const path of FOR_ADMINS) {
    await member.goto(url + path);
    await member.getByText("It is for the tenant's admins and owners").waitFor();
  }
}
