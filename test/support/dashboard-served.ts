// The dashboard of a real `billhook serve` with its sandbox, in a real browser: everything that a person sees, and nothing in between.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import type { Wire } from "./api-door.ts";
import { openBrowser } from "./browser.ts";
import { signIn, type VisitOptions, watch } from "./dashboard-browser.ts";
import { builtDashboard } from "./dashboard-build.ts";
import { newEmail, PASSWORD } from "./people.ts";
import { readyFolder } from "./ready-database.ts";
import { freePort } from "./free-port.ts";
import { serve } from "./serve.ts";

export interface ServedDashboard {
  /** `http://localhost:…`, as the start prints it. */
  url: string;
  sandboxUrl: string;
  /** The link that the start printed: it signs the operator in, once. */
  link: string;
  /** A new visitor at an address of the dashboard. */
  visit(address: string, options?: VisitOptions): Promise<Page>;
  /** A new visitor who has just registered, signed in by the form, at `path`. */
  newcomer(path: string, options?: VisitOptions): Promise<Page>;
  /** One of the sandbox's control endpoints. */
  control(path: string, body: object): Promise<Wire>;
  /** No error in a console, nothing against the policy, nothing asked of another machine. */
  expectNoFaults(): void;
  close(): Promise<void>;
}

export async function openServedDashboard(): Promise<ServedDashboard> {
  await builtDashboard();
  const folder = mkdtempSync(join(tmpdir(), "billhook-dashboard-"));
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const [url, sandboxUrl] = [`http://localhost:${port}`, `http://127.0.0.1:${sandboxPort}`];
  const env = {
    PORT: String(port),
    SANDBOX_PORT: String(sandboxPort),
    DATA_DIR: await readyFolder(folder),
    LOG_FORMAT: "pretty",
  };
  const served = await serve(env);
  const browser = await openBrowser();
  const faults: string[] = [];
  const close = async (): Promise<void> => {
    await browser.close();
    await served.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  const visit: ServedDashboard["visit"] = async (address, options = {}) => {
    const page = await browser.visitor();
    watch(page, faults, options.expected);
    await page.emulateMedia({ colorScheme: options.scheme ?? "light", reducedMotion: "reduce" });
    if (options.viewport !== undefined) await page.setViewportSize(options.viewport);
    await page.goto(address);
    return page;
  };
  try {
    await served.ready();
    return {
      ...{ url, sandboxUrl, visit, close },
      link: await printedLink(served.log),
      newcomer: async (path, options) => {
        const email = newEmail();
        await post(`${url}/api/v1/auth/register/`, { email, password: PASSWORD });
        const page = await visit(`${url}/sign-in?next=${encodeURIComponent(path)}`, options);
        await signIn(page, email);
        await page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });
        return page;
      },
      control: (path, body) => post(`${sandboxUrl}/_sandbox/${path}`, body),
      expectNoFaults: () => {
        expect([...faults, ...browser.refused.map((asked) => `asked ${asked}`)]).toEqual([]);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It is printed a moment after /readyz says yes. */
async function printedLink(log: () => string): Promise<string> {
  const printed = /http:\/\/localhost:\d+\/sign-in\/link#token=\S+/;
  for (let left = 500; left > 0; left--) {
    const [link] = printed.exec(log()) ?? [];
    if (link !== undefined) return link;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`no sign-in link was printed: ${log()}`);
}

async function post(url: string, body: object): Promise<Wire> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Wire;
}
