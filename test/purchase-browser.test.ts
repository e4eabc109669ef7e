// Buying credits in a real browser: the example app, the sandbox's Checkout page and back, whatever befalls the webhooks.
import { setTimeout as sleep } from "node:timers/promises";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser, withoutBrowser } from "./support/browser.ts";
import { shot } from "./support/dashboard-browser.ts";
import { BOTH, type Kind } from "./support/pipe.ts";
import { befall, type Chaos, openShop, type Shop } from "./support/shop.ts";

const CREDITS = 500;
/** From the page that Checkout leads back to, to the credits on it. */
const SOON_MS = 1000;

const WEBHOOKS: [how: string, chaos: Chaos, checkoutWaits: boolean][] = [
  ["on time", {}, false],
  ["later than Checkout waits for them", { delay: { share: 1, ms: 13_000 } }, true],
  ["each of them twice, and in any order", { duplicate: 1, reorder: 1 }, false],
  ["lost altogether", { drop: 1, forget: true }, true],
];
/** Where Checkout waits, ten seconds, both databases' buyers do, one so long behind the other: what is measured is not at once. */
const APART_MS = 4000;

/** Looked for at every frame: a locator's wait looks again after half a second, which is no measure of the page. */
async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction(`document.body?.innerText.includes(${JSON.stringify(text)})`, undefined, {
    polling: "raf",
  });
}

describe.skipIf(withoutBrowser())("in a browser", () => {
  const shops = new Map<Kind, Shop>();
  let browser: TestBrowser;
  beforeAll(async () => {
    const opened = Promise.all(BOTH.map(async (kind) => shops.set(kind, await openShop(kind))));
    [browser] = await Promise.all([openBrowser(), opened]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...shops.values()].map((shop) => shop.close()));
    await browser.close();
  });

  const balance = (page: Page) => page.getByLabel("Balance").textContent();
  const visit = async (kind: Kind): Promise<{ page: Page; shop: Shop }> => {
    const shop = shops.get(kind);
    if (shop === undefined) throw new Error(`no shop on the ${kind} database`);
    const page = await browser.visitor();
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.goto(`${shop.url}/dashboard/credits`);
    await page.getByLabel("Balance").filter({ hasText: "0" }).waitFor();
    return { page, shop };
  };

  describe.each(WEBHOOKS)("with webhooks %s", (how, chaos, checkoutWaits) => {
    (checkoutWaits ? it.concurrent : it).each(BOTH)(
      "what was bought is on the page within a second of returning, on the %s database",
      async (kind) => {
        const { page, shop } = await visit(kind);
        if (checkoutWaits && kind === "server") await sleep(APART_MS);
        await befall(shop, chaos);
        await page.getByRole("button", { name: `Buy ${CREDITS} credits` }).click();
        await page.waitForURL(`${shop.sandboxUrl}/**`);
        // Not for what it leads to: Checkout itself waits, up to ten seconds.
        await page.getByRole("button", { name: "Pay $45.00", exact: true }).click({ noWaitAfter: true });
        await page.waitForURL(`${shop.url}/dashboard/credits/return?**`, { waitUntil: "commit" });
        const returned = performance.now();
        await shows(page, `${CREDITS} credits were added.`);
        const took = performance.now() - returned;
        await shot(page, `bought-${kind}-${how.slice(0, 7)}`, { fullPage: true });
        console.log(`${kind}, ${how}: ${took.toFixed(0)} ms from the return to the credits`);
        expect(await balance(page)).toBe(String(CREDITS));
        expect(took).toBeLessThan(SOON_MS);
        // However often it is told, and whenever: once.
        await befall(shop, {});
        await shop.control("deliveries/flush", {});
        await shop.control("idle", { timeout_ms: 20_000 });
        await page.getByRole("link", { name: "Back" }).click();
        await page
          .getByLabel("Balance")
          .filter({ hasText: String(CREDITS) })
          .waitFor();
        expect(await balance(page)).toBe(String(CREDITS));
        await page.context().close();
        expect(browser.refused).toEqual([]);
      },
    );
  });

  it.each(BOTH)(
    "a card that asks its bank is kept by the payment form, and is there when the bank leads back, on the %s database",
    async (kind) => {
      const { page, shop } = await visit(kind);
      await page.getByRole("link", { name: "Card" }).click();
      await page.getByRole("button", { name: "Add a card" }).click();
      await page.getByLabel("Test card").last().selectOption("4000 0025 0000 3155");
      await shot(page, `card-${kind}`, { fullPage: true });
      await page.getByRole("button", { name: "Save the card" }).click();
      await page.waitForURL(`${shop.sandboxUrl}/3ds/**`);
      await page.getByRole("button").first().click();
      await page.getByText("The bank's answer: succeeded.").waitFor();
      await page.context().close();
      expect(browser.refused).toEqual([]);
    },
  );
});
