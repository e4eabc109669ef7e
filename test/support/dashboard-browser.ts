// The built dashboard in a real browser, before a real door: signs people in, and fails on what a page must never do.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { type Door, type DoorOptions, openDoor } from "./api-door.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { builtDashboard } from "./dashboard-build.ts";
import { newEmail, PASSWORD, type Session, sessionOf, send } from "./people.ts";
import type { Kind } from "./pipe.ts";

export interface DashboardScene {
  door: Door;
  browser: TestBrowser;
  /** A new visitor who is not signed in. Console errors, violations of the policy and requests elsewhere are kept in `faults`. */
  visit(path?: string, options?: VisitOptions): Promise<Page>;
  /** A new visitor, signed in by the form, at `path`. */
  signedIn(person: { email: string }, path?: string, options?: VisitOptions): Promise<Page>;
  /** What pages did that none may. `expectNoFaults()` at the end of each test. */
  faults: string[];
  expectNoFaults(): void;
  close(): Promise<void>;
}

export interface VisitOptions {
  scheme?: "light" | "dark";
  viewport?: { width: number; height: number };
  /** Texts of the console that are expected: a refused call is an error there. */
  expected?: RegExp;
}

export interface TestPerson extends Session {
  email: string;
}

/** 375 px: the narrowest window that every page must fit into. */
export const PHONE = { width: 375, height: 720 };
export const DESK = { width: 1200, height: 900 };

export async function openDashboard(kind: Kind, { deps, ...options }: DoorOptions = {}): Promise<DashboardScene> {
  const dashboard = await builtDashboard();
  // The door's own address, which is known when it listens: browsers name it when they send the cookie.
  const corsOrigins: string[] = [];
  const given = (database: Parameters<Extract<typeof deps, (...all: never) => unknown>>[0]) =>
    typeof deps === "function" ? deps(database) : deps;
  const door = await openDoor(kind, {
    ...options,
    deps: (database) => ({ dashboard, corsOrigins, ...given(database) }),
  });
  return browseDashboard(door, corsOrigins);
}

/** A door that has the dashboard and these origins: its own address is added to them. */
export async function browseDashboard(door: Door, corsOrigins: string[]): Promise<DashboardScene> {
  corsOrigins.push(door.url);
  const browser = await openBrowser().catch(async (error: unknown) => {
    await door.close();
    throw error;
  });
  const faults: string[] = [];
  const visit: DashboardScene["visit"] = async (path = "/", visitOptions = {}) => {
    const page = await browser.visitor();
    watch(page, faults, visitOptions.expected);
    await page.emulateMedia({ colorScheme: visitOptions.scheme ?? "light", reducedMotion: "reduce" });
    if (visitOptions.viewport !== undefined) await page.setViewportSize(visitOptions.viewport);
    await page.goto(door.url + path);
    return page;
  };
  return {
    door,
    browser,
    faults,
    visit,
    signedIn: async (person, path = "/", visitOptions = {}) => {
      const page = await visit(`/sign-in?next=${encodeURIComponent(path)}`, visitOptions);
      await signIn(page, person.email);
      await page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });
      return page;
    },
    expectNoFaults: () => {
      expect([...faults, ...browser.refused.map((url) => `asked ${url}`)]).toEqual([]);
    },
    close: async () => {
      await browser.close();
      await door.close();
    },
  };
}

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Somebody with an account at the platform and no tenant. */
export async function newPerson(door: Door): Promise<TestPerson> {
  const email = newEmail();
  const body = { email, password: PASSWORD };
  return { ...sessionOf(await send(door, "POST", "/api/v1/auth/register/", { body })), email };
}

/** An owner of the platform. */
export async function newOperator(door: Door): Promise<TestPerson> {
  const person = await newPerson(door);
  await door.pipe.database.query({
    text: "insert into memberships (tenant_id, person_id, role) values ($1, $2, 'owner')",
    values: [door.deps.platformTenant, person.personId],
  });
  return person;
}

/** Every page: nothing in its console, nothing against its policy. */
export function watch(page: Page, faults: string[], expected?: RegExp): void {
  const note = (fault: string): void => {
    if (expected?.test(fault) !== true) faults.push(fault);
  };
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/i.test(message.text()))
      note(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => note(`error: ${error.message}`));
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResult {
  violations: { id: string; impact: string | null; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

const SCHEMES = ["light", "dark"] as const;

/** By axe: nothing serious or critical, in both schemes of colours. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const scheme of SCHEMES) await expectAccessibleIn(page, scheme);
}

/** Of the rest a scheme changes nothing: it is looked at once, in the light. */
const RULES = { light: undefined, dark: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

/** No colour is on its way from one scheme to the other any more. What turns for ever is not waited for. */
const REST = `Promise.allSettled(
  document
    .getAnimations()
    .filter(({ playState, effect }) => playState === "running" && effect?.getTiming().iterations !== Infinity)
    .map((one) => one.finished),
).then(() => undefined)`;

async function expectAccessibleIn(page: Page, scheme: (typeof SCHEMES)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor({ state: "attached" });
  // By the debugger's own way, as all that follows: the page's policy lets no such script in.
  await page.evaluate(REST);
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(`${axeSource}; undefined`);
  const options = JSON.stringify({ resultTypes: ["violations"], runOnly: RULES[scheme] });
  const { violations } = await page.evaluate<AxeResult>(`axe.run(document, ${options})`);
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, help, nodes }) => `${scheme}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`),
  ).toEqual([]);
}

/** A page as people see it: accessible and photographed in each scheme, and no wider than a phone. Left as wide as a desk. */
export async function lookAt(page: Page, name: string): Promise<void> {
  for (const scheme of SCHEMES) {
    await expectAccessibleIn(page, scheme);
    await shot(page, `${name}-${scheme}`);
  }
  await page.setViewportSize(PHONE);
  await expectFitsWidth(page);
  await shot(page, `${name}-phone`);
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: "light" });
}

/** Nothing is on its way any more. The page looks for itself, at each frame: nothing is waited for that is there. */
export async function settled(page: Page): Promise<void> {
  expect(await page.evaluate<string[]>(ON_ITS_WAY)).toEqual([]);
}

const ON_ITS_WAY = `new Promise((tell) => {
  const end = performance.now() + 15_000;
  const look = () => {
    const left = [...document.querySelectorAll("[aria-busy=true], [aria-label=Loading], .mantine-Skeleton-root")];
    if (left.length === 0 || performance.now() > end) tell(left.map(({ outerHTML }) => outerHTML));
    else requestAnimationFrame(look);
  };
  look();
})`;

/** No page scrolls sideways: what is wide scrolls inside itself. Looked at in the third frame of this width. */
export async function expectFitsWidth(page: Page): Promise<void> {
  const { scrolled, seen } = await page.evaluate<{ scrolled: number; seen: number }>(WIDTHS);
  expect(scrolled, "the page is wider than its window").toBeLessThanOrEqual(seen);
}

/** What a script lays out anew by the window's width is told of it in one frame, and drawn in the next. */
const WIDTHS = `new Promise((tell) => {
  const look = (frames) => {
    if (frames > 0) requestAnimationFrame(() => look(frames - 1));
    else tell({ scrolled: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth });
  };
  look(3);
})`;

/** A picture for a person's eyes, in BILLHOOK_SHOTS or the system's temporary folder: of what the window shows, or of all. */
export async function shot(page: Page, name: string, { fullPage = false } = {}): Promise<void> {
  const folder = process.env.BILLHOOK_SHOTS ?? join(tmpdir(), "billhook-shots");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}
