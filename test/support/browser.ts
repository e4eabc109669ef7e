// A real browser for tests: the Chromium or Chrome of this machine, headless, with a fresh profile, that reaches this machine alone.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** The best first: without a window's parts the same pages take less processor time. */
const NAMES = [
  ...["chromium-headless-shell", "chrome-headless-shell"],
  ...["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
];
const PLACES = ["/usr/bin", "/snap/bin", "/opt/google/chrome"];

/** CHROMIUM_PATH if it is set, else the best that is installed here; undefined: none, or CHROMIUM_PATH names no file. */
export function chromiumPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env.CHROMIUM_PATH ?? "";
  if (given !== "") return existsSync(given) ? given : undefined;
  const folders = [...PLACES, ...(env.PATH ?? "").split(delimiter).filter((folder) => folder !== "")];
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

const MISSING =
  "no browser was found: install Chromium (Debian and Ubuntu: `apt-get install chromium`; macOS: `brew install --cask chromium`), or set CHROMIUM_PATH to Chromium's or Chrome's program. BROWSER_TESTS=off leaves the browser tests out";

/**
 * For `describe.skipIf`: BROWSER_TESTS is `off`. Else throws when no browser is here: the file fails as it is read, before a
 * server is started that nobody would end.
 */
export function withoutBrowser(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.BROWSER_TESTS === "off") return true;
  if (chromiumPath(env) === undefined) throw new Error(MISSING);
  return false;
}

export interface TestBrowser {
  /** A new visitor: no cookies, no history. */
  visitor(): Promise<Page>;
  /** What pages asked of other machines: it was refused. */
  refused: string[];
  close(): Promise<void>;
}

/** No QUIC, no first-run pages, and none of the browser's own calls home. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // Names of other machines are not even looked up.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** How long a page may take to load, or an element to come. */
const PATIENCE_MS = 15_000;

export async function openBrowser(): Promise<TestBrowser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error(MISSING);
  const browser = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
  const refused: string[] = [];
  return {
    refused,
    visitor: async () => (await newContext(browser, refused)).newPage(),
    close: () => browser.close(),
  };
}

async function newContext(browser: Browser, refused: string[]): Promise<BrowserContext> {
  const context = await browser.newContext({
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1200, height: 900 },
  });
  context.setDefaultTimeout(PATIENCE_MS);
  // Watched, not routed: a routed context has no cache, and each page would compile the dashboard anew. The resolver refuses them.
  context.on("request", (request) => {
    if (!LOOPBACK.has(new URL(request.url()).hostname) && /^(https?|wss?):/.test(request.url()))
      refused.push(request.url());
  });
  return context;
}
