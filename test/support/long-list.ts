// A list's API as the page sees it, with more rows than any test has the time to store: pages of it are made up from one real row.
import type { Page } from "playwright-core";

/** So many come at a time, whatever the page asks for. */
const AT_ONCE = 5000;

interface Row {
  id: string;
  [field: string]: unknown;
}

/** What is asked of this address from now on has so many rows. Resolves to what ends it. */
export async function answerManyRows(page: Page, calls: RegExp, many: number, like: Row): Promise<() => Promise<void>> {
  await page.route(calls, async (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const data = Array.from({ length: Math.min(AT_ONCE, many - from) }, (_, index) => ({
      ...like,
      ...{ id: `cus_long${from + index}`, email: `long${from + index}@long.example`, name: `Long ${from + index}` },
    }));
    const next = from + data.length;
    await route.fulfill({ json: { data, has_more: next < many, next_cursor: next < many ? String(next) : null } });
  });
  return () => page.unroute(calls);
}

/** Bytes that the page's script holds once what nobody needs is gone. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}
