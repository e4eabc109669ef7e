// How much of a page jumps while it loads, by the browser's own account.
import type { Page } from "playwright-core";

import { settled } from "./dashboard-browser.ts";

export interface Shifts {
  /** Each shift's share of the window times its way, added up: what Lighthouse calls good is below 0.1. */
  sum: number;
  /** What moved, and how far. */
  moved: string[];
}

/** Kept from the page's first line on. */
const WATCH = `
  globalThis.bhShifts = [];
  const nameOf = (node) => node === null ? "something" : node.nodeType !== 1 ? "text in " + nameOf(node.parentElement) : node.localName + "." + node.className + " " + (node.textContent ?? "").slice(0, 30);
  const edges = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(",");
  globalThis.bhShiftWatch = new PerformanceObserver((list) => globalThis.bhTakeShifts(list.getEntries()));
  globalThis.bhTakeShifts = (entries) => globalThis.bhShifts.push(...entries.filter((one) => !one.hadRecentInput).map(({ value, sources }) => ({
    value,
    moved: sources.map(({ node, previousRect, currentRect }) => nameOf(node) + ": " + edges(previousRect) + " to " + edges(currentRect)),
  })));
  bhShiftWatch.observe({ type: "layout-shift", buffered: true });`;

/** After the frame that draws what came last. */
const TAKE = `(async () => {
  for (let frames = 3; frames > 0; frames--) await new Promise((go) => requestAnimationFrame(go));
  bhTakeShifts(bhShiftWatch.takeRecords());
  return { sum: bhShifts.reduce((sum, { value }) => sum + value, 0), moved: bhShifts.flatMap(({ moved }) => moved) };
})()`;

/** Milliseconds more for each answer: what stands there meanwhile is drawn, and what jumps is seen to. */
const SLOWER = 60;

/** Of all pages that this one loads from now on. */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript({ content: WATCH });
  const session = await page.context().newCDPSession(page);
  const unlimited = { downloadThroughput: -1, uploadThroughput: -1 };
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: SLOWER, ...unlimited });
}

/** Loads an address, until nothing is on its way any more. */
export async function shiftsOf(page: Page, url: string): Promise<Shifts> {
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).filter({ hasNotText: "One moment" }).waitFor();
  await settled(page);
  return page.evaluate<Shifts>(TAKE);
}
