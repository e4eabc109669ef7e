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
const LONGEST_TASK_MS = 100;

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

/** From one end to the other in so many frames: each shows other rows than the one before. */
const SWEEP = `(async () => {
  const box = document.querySelector('[role=region][aria-label="Customers"]');
  const tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  let [mostRows, mostElements, fewestRows] = [0, 0, Infinity];
  box.scrollTop = 0;
  await new Promise((go) => requestAnimationFrame(go));
  watch.observe({ type: "longtask" });
  for (let step = 1; step <= 120; step++) {
    box.scrollTop = ((box.scrollHeight - box.clientHeight) * step) / 120;
    for (let frames = 2; frames > 0; frames--) await new Promise((go) => requestAnimationFrame(go));
    const rows = box.querySelectorAll("tr[aria-rowindex]").length;
    mostRows = Math.max(mostRows, box.querySelectorAll("tbody tr").length);
    fewestRows = Math.min(fewestRows, rows);
    mostElements = Math.max(mostElements, document.querySelectorAll("*").length);
  }
  tasks.push(...watch.takeRecords().map(({ duration }) => duration));
  watch.disconnect();
  const lastRow = Number([...box.querySelectorAll("tr[aria-rowindex]")].at(-1).getAttribute("aria-rowindex"));
  return { longestTask: Math.max(0, ...tasks), mostRows, mostElements, fewestRows, lastRow };
})()`;

export interface Sweep extends Scrolling {
  /** Shown in a frame. */
  fewestRows: number;
}

/** Three short stretches of the list, at the top, in the middle and at the end. */
export const scrolledThrough = (page: Page): Promise<Scrolling> => page.evaluate<Scrolling>(SCROLL_THROUGH);

/** Its whole length in two seconds. */
export const sweptThrough = (page: Page): Promise<Sweep> => page.evaluate<Sweep>(SWEEP);

/** Of the round that was the smoothest beside its limit. */
export interface Judged<Seen> {
  seen: Seen;
  /** Milliseconds: what its longest task may take. */
  limit: number;
}

/**
 * Scrolls, and where that took longer than LONGEST_TASK_MS scrolls `beside` it at once, a list that is known to be quick: the
 * machine that halts that one may halt this one twice as long.
 */
export async function judged<Seen extends Scrolling>(
  scroll: () => Promise<Seen>,
  beside: () => Promise<Scrolling>,
): Promise<Judged<Seen>> {
  let best: Judged<Seen> | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const seen = await scroll();
    const limit =
      seen.longestTask <= LONGEST_TASK_MS
        ? LONGEST_TASK_MS
        : Math.max(LONGEST_TASK_MS, 2 * (await beside()).longestTask);
    if (best === undefined || seen.longestTask / limit < best.seen.longestTask / best.limit) best = { seen, limit };
    if (seen.longestTask <= limit) break;
  }
  if (best === undefined) throw new Error("there is no round");
  return best;
}

/** Every page of the list that is left. */
export async function loadAll(page: Page): Promise<void> {
  await page.evaluate(LOAD_MORE);
}
