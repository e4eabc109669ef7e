// What the dashboard may take in a real browser, by the clock: its first page, and a long list that is scrolled through.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { MANY, openOperatorScene, type OperatorScene } from "./support/dashboard-operator-scene.ts";
import { loadAll, MOST_ROWS, scrolledThrough } from "./support/dashboard-scrolling.ts";

const MOST_GZIP_BYTES = 350 * 1024;
const FIRST_PAINT_MS = 1000;
const MOST_ELEMENTS = 2000;
const LONGEST_TASK_MS = 100;

describe.skipIf(withoutBrowser())("in a browser", () => {
  let scene: OperatorScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openOperatorScene();
    page = await scene.signedIn(scene.operator);
  }, 240_000);
  afterAll(() => scene.close());

  it("the first page is small, painted within a second, and asks nobody else", async () => {
    const visitor = await scene.visit("/sign-in");
    await visitor.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    const { bytes, files, paint } = await visitor.evaluate<{ bytes: number; files: number; paint: number }>(MEASURED);
    console.log(
      `first page: ${files} files, ${bytes} bytes as sent, first contentful paint after ${paint.toFixed(0)} ms`,
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(MOST_GZIP_BYTES);
    expect(paint).toBeLessThan(FIRST_PAINT_MS);
    await visitor.context().close();
    scene.expectNoFaults();
  });

  it(`a list of ${MANY} rows that is loaded whole stays as small as its first page, and scrolls without a halt`, async () => {
    await page.goto(`${scene.door.url}/operator/customers`);
    const box = page.getByRole("region", { name: "Customers" });
    await box.getByRole("row").nth(20).waitFor();
    const short = await scrolledThrough(page);
    await loadAll(page);
    await page.getByText(/^3,0\d\d in all$/).waitFor();
    const { longestTask, mostRows, mostElements, lastRow } = await scrolledThrough(page);
    console.log(
      `scrolled through ${lastRow} rows: ${mostRows} at a time, longest task ${longestTask.toFixed(0)} ms, of the first page ${short.longestTask.toFixed(0)} ms`,
    );
    expect(lastRow).toBeGreaterThan(MANY);
    expect(mostRows).toBeGreaterThan(10);
    expect(mostRows).toBeLessThan(MOST_ROWS);
    expect(mostElements).toBeLessThan(MOST_ELEMENTS);
    // Where the machine halts even the first page, the whole list is halted no more than that.
    expect(longestTask).toBeLessThanOrEqual(Math.max(LONGEST_TASK_MS, 2 * short.longestTask));
    scene.expectNoFaults();
  });
});

/** What the browser took from the wire for this page, by its own account. */
const MEASURED = `(() => {
  const taken = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {
    files: taken.length,
    bytes: taken.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity,
  };
})()`;
