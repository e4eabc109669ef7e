// The browser that other tests visit pages with: it is real, each visitor is new, and it reaches this machine alone.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { chromiumPath, openBrowser, type TestBrowser, withoutBrowser } from "./support/browser.ts";

const PAGE = `<!doctype html><title>A page</title><p id="seen"></p><script>
  document.cookie = "been=here; path=/";
  const image = new Image();
  image.onerror = () => (document.getElementById("seen").textContent = "refused");
  image.onload = () => (document.getElementById("seen").textContent = "loaded");
  image.src = "http://tracker.example/pixel.gif";
</script>`;

describe.skipIf(withoutBrowser())("the browser of the tests", () => {
  let browser: TestBrowser;
  let server: Server;
  let url: string;
  const cookies: (string | undefined)[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/") cookies.push(request.headers.cookie);
      response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  it("runs a page's scripts, refuses other machines, and forgets each visitor", async () => {
    for (let visit = 0; visit < 2; visit += 1) {
      const page = await browser.visitor();
      await page.goto(url);
      expect(await page.title()).toBe("A page");
      await expect.poll(() => page.textContent("#seen")).toBe("refused");
      await page.context().close();
    }
    expect(cookies).toEqual([undefined, undefined]);
    expect(browser.refused).toEqual(["http://tracker.example/pixel.gif", "http://tracker.example/pixel.gif"]);
  });
});

it("without a browser its tests fail and say what to install, also on nobody's build machine", () => {
  const without = { CHROMIUM_PATH: "/nowhere/chromium" };
  for (const env of [without, { ...without, CI: "true" }, { ...without, BROWSER_TESTS: "false" }]) {
    expect(() => withoutBrowser(env)).toThrow(/install Chromium .*CHROMIUM_PATH.*BROWSER_TESTS=off/);
  }
});

it("of the browsers on the PATH the one without a window is taken first", () => {
  const folder = mkdtempSync(join(tmpdir(), "billhook-browsers-"));
  const [far, near] = [join(folder, "far"), join(folder, "near")];
  for (const one of [far, near]) mkdirSync(one);
  // Names that no place of the system has.
  const env = { PATH: [near, far].join(delimiter) };
  writeFileSync(join(near, "google-chrome-stable"), "");
  writeFileSync(join(far, "chrome-headless-shell"), "");
  const found = chromiumPath(env) ?? "";
  rmSync(folder, { recursive: true });
  expect([join(far, "chrome-headless-shell"), "/usr/bin/chromium-headless-shell"]).toContain(found);
});

it("only BROWSER_TESTS=off leaves browser tests out", () => {
  expect(withoutBrowser({ BROWSER_TESTS: "off", CHROMIUM_PATH: "/nowhere/chromium" })).toBe(true);
  expect(withoutBrowser({ BROWSER_TESTS: "off", CHROMIUM_PATH: process.execPath })).toBe(true);
  expect(withoutBrowser({ CHROMIUM_PATH: process.execPath })).toBe(false);
  expect(chromiumPath({ CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
});
