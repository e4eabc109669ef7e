// The operator's list of customers, scrolled through in a browser: what the browser says of its longest task, and how much of the
// list is in the document.
import type { Page } from "playwright-core";

/** The rows of a table that are in the document at a time, at most. */
export const MOST_ROWS = 80;

export interface Scrolling {
  longestTask: number;
  mostRows: number;
  mostElements: number;
  /** Of the list, counted with its head, as screen readers are told. */
  lastRow: number;
}
/** The machine does other work too, which halts a page now and then: one that is slow by itself is slow each time. */
const ROUNDS = 4;
const smoother = (one: Scrolling, other: Scrolling): Scrolling => (one.longestTask <= other.longestTask ? one : other);

/** "Load more" is pressed as often as it is there. */
const LOAD_MORE = `(async () => {
  for (;;) {
    const more = document.querySelector(".bh-foot button");
    if (more === null) return;
    more.click();
    await new Promise((go) => requestAnimationFrame(go));
  }
})()`;

/** At the top, in the middle and at the end, five rows a frame; tasks of more than 50 ms are told by the browser. */
const SCROLL_THROUGH = `(async () => {
  const box = document.querySelector('[role=region][aria-label="Customers"]');
  const tasks = [];
  const told = (list) => tasks.push(...list.map(({ duration }) => duration));
  const frames = async (many, each) => {
    for (let left = many; left > 0; left--) {
      each();
      await new Promise((go) => requestAnimationFrame(go));
    }
  };
  let [mostRows, mostElements] = [0, 0];
  const step = () => {
    box.scrollTop += 5 * 41;
    mostRows = Math.max(mostRows, box.querySelectorAll("tbody tr").length);
    mostElements = Math.max(mostElements, document.querySelectorAll("*").length);
  };
  for (const share of [0, 0.5, 1]) {
    box.scrollTop = (box.scrollHeight - box.clientHeight) * share - 60 * 5 * 41 * share;
    await frames(5, () => undefined);
    const watch = new PerformanceObserver((list) => told(list.getEntries()));
    watch.observe({ type: "longtask" });
    await frames(61, step);
    told(watch.takeRecords());
    watch.disconnect();
  }
  const lastRow = Number([...box.querySelectorAll("tr[aria-rowindex]")].at(-1).getAttribute("aria-rowindex"));
  return { longestTask: Math.max(0, ...tasks), mostRows, mostElements, lastRow };
})()`;

/** The smoothest of some rounds. */
export async function scrolledThrough(page: Page): Promise<Scrolling> {
  const rounds: Scrolling[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await page.evaluate<Scrolling>(SCROLL_THROUGH));
  return rounds.reduce(smoother);
}

/** Every page of the list that is left. */
export async function loadAll(page: Page): Promise<void> {
  await page.evaluate(LOAD_MORE);
}
