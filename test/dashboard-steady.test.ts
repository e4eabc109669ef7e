// What a person may rely on while pages load and when something fails: nothing jumps, what went wrong is said and can be tried
// again, and charts tell their values to the pointer and to keys.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { breakApi, FAULTS, FAULTS_TOLD, REQUEST } from "./support/broken-api.ts";
import { withoutBrowser } from "./support/browser.ts";
import { DESK, expectFitsWidth, PHONE, settled, watch } from "./support/dashboard-browser.ts";
import { openOperatorScene, type OperatorScene } from "./support/dashboard-operator-scene.ts";
import { shiftsOf, watchShifts } from "./support/layout-shifts.ts";
import { send } from "./support/people.ts";

/** Lighthouse calls less than 0.1 good. A line of text that moves by its own height in a window is about 0.001. */
const MOST_SHIFTED = 0.02;
/** Less than any page waits until it asks again by itself. */
const ASKED_MS = 3000;

describe.skipIf(withoutBrowser())("in a browser", () => {
  let scene: OperatorScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openOperatorScene();
    page = await scene.signedIn(scene.operator, "/operator/overview", { expected: FAULTS_TOLD });
    await credits();
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  /** Entries for the account of a person who can sign in. */
  const credits = async (): Promise<void> => {
    for (const amount of [50, 70, 20]) {
      const answer = await send(scene.door, "POST", `/api/v1/accounts/${scene.account}/credits/grant/`, {
        token: scene.operator.access,
        body: { amount, reason: "A gift" },
        headers: { "billhook-mode": "test", "idempotency-key": `gift-${amount}` },
      });
      expect([answer.status, answer.text]).toEqual([201, answer.text]);
    }
  };

  it("a chart tells the values of the point under the pointer, and by keys of each", async () => {
    await page.setViewportSize(DESK);
    await page.goto(`${scene.door.url}/operator/overview`);
    await settled(page);
    for (const [name, values] of [
      ["Stripe events by the minute", /Failed\d+Received\d+Processed\d+$/],
      ["Longest waits by the minute", /Oldest waited.*Lag.*$/],
      ["Deliveries that ended by the minute", /Delivered\d+Given up\d+$/],
    ] as const) {
      const figure = page.getByRole("figure", { name });
      const plot = figure.getByRole("slider");
      const tip = figure.locator(".bh-chart-tip");
      await plot.hover();
      expect(await tip.textContent()).toMatch(/^\d\d:\d\d/);
      expect(await tip.textContent()).toMatch(values);
      await page.mouse.move(0, 0);
      await tip.waitFor({ state: "detached" });
    }
    const figure = page.getByRole("figure", { name: "Deliveries that ended by the minute" });
    const rows = figure.getByRole("table").getByRole("row");
    const cells = async (row: number): Promise<string[]> => rows.nth(row).locator("th, td").allTextContents();
    const plot = figure.getByRole("slider");
    await plot.focus();
    // The first row names the columns.
    for (const [key, row] of [
      ["Home", 1],
      ["ArrowRight", 2],
      ["PageUp", 12],
      ["End", 60],
      ["ArrowLeft", 59],
    ] as const) {
      await page.keyboard.press(key);
      // The page may ask between two of these.
      const told = async (): Promise<unknown[]> => {
        const [when, delivered, failed] = await cells(row);
        return [
          (await plot.getAttribute("aria-valuetext")) === `${when}, Delivered ${delivered}, Given up ${failed}`,
          (await figure.locator(".bh-chart-tip").textContent()) === `${when}Delivered${delivered}Given up${failed}`,
        ];
      };
      await expect.poll(told).toEqual([true, true]);
    }
    await page.keyboard.press("Escape");
    await figure.locator(".bh-chart-tip").waitFor({ state: "detached" });
  });

  it("where nobody looked a chart has a gap and its table a dash, and on a phone no chart widens the page", async () => {
    await page.setViewportSize(DESK);
    await page.goto(`${scene.door.url}/operator/overview`);
    await settled(page);
    const waits = page.getByRole("figure", { name: "Longest waits by the minute" });
    const dashes = await waits.getByRole("cell", { name: "–" }).count();
    // Five minutes of two figures.
    expect(dashes).toBeGreaterThanOrEqual(10);
    const line = await waits.locator("path.bh-chart-line").first().getAttribute("d");
    expect(line?.match(/M/g)).toHaveLength(2);
    await page.setViewportSize(PHONE);
    for (const plot of await page.getByRole("slider").all()) {
      // At the right edge, where the values have the least room.
      await plot.focus();
      await page.keyboard.press("Home");
      await expectFitsWidth(page);
      await page.keyboard.press("End");
      await expectFitsWidth(page);
    }
    await page.setViewportSize(DESK);
  });

  it("nothing jumps while a page loads, on a desk and on a phone", async () => {
    const [owner, person] = [
      await scene.signedIn(scene.sale.tenant),
      await scene.signedIn({ email: scene.unsure }),
    ] as const;
    const operator = await page.context().newPage();
    watch(operator, scene.faults);
    const pages: [Page, string[]][] = [
      [
        operator,
        [
          ...["overview", "invoices", "invoices/in_first", "stripe-events/evt_first_05", "customers/cus_first"],
          ...[`accounts/${scene.account}`, "background", `tenants/${scene.sale.tenant.id}`],
        ].map((path) => `/operator/${path}`),
      ],
      [person, ["/dashboard/credits"]],
      [
        owner,
        [
          ...[`/tenant/invoices/${scene.theirs.invoice}`, "/tenant/members", "/dashboard/webhooks"],
          `/dashboard/webhooks/${scene.theirs.endpoint}`,
        ],
      ],
    ];
    const jumped: unknown[] = [];
    for (const [visitor, paths] of pages) {
      await watchShifts(visitor);
      for (const viewport of [DESK, PHONE])
        for (const path of paths) {
          await visitor.setViewportSize(viewport);
          const { sum, moved } = await shiftsOf(visitor, scene.door.url + path);
          if (sum > MOST_SHIFTED) jumped.push([viewport.width, path, sum, moved]);
        }
      await visitor.close();
    }
    expect(jumped).toEqual([]);
  }, 180_000);

  const BROKEN: [what: string, path: string, calls: RegExp, shown: (page: Page) => Promise<void>][] = [
    ["a list", "invoices", /\/admin\/invoices\//, (at) => at.getByRole("link", { name: "in_first" }).first().waitFor()],
    [
      "the next page of a list",
      "customers",
      /\/admin\/customers\/\?.*cursor=/,
      (at) => at.getByText("100 shown so far").waitFor(),
    ],
    [
      "an object's page",
      "invoices/in_first",
      /\/admin\/objects\/in_first\//,
      (at) => at.getByRole("tab", { name: "What happened" }).waitFor(),
    ],
    [
      "the overview's figures",
      "overview",
      /\/admin\/overview\/$/,
      (at) => at.getByRole("link", { name: "1", exact: true }).first().waitFor(),
    ],
    [
      "the overview's charts",
      "overview",
      /\/admin\/overview\/series\/\?.*range=hour/,
      (at) => at.getByRole("figure", { name: "Stripe events by the minute" }).waitFor(),
    ],
  ];
  const CASES = Object.entries(FAULTS).flatMap(([fault, fails]) =>
    BROKEN.map(([what, ...more]) => [what, fault, fails, ...more] as const),
  );

  it.each(CASES)(
    "%s and %s: it says so and what to do, and shows the data when it is tried again",
    async (...given) => {
      const [what, fault, fails, path, calls, shown] = given;
      const mend = await breakApi(page, calls, fails);
      await page.goto(`${scene.door.url}/operator/${path}`);
      if (what === "the next page of a list") await page.getByRole("button", { name: "Load more" }).click();
      const alert = page.getByRole("alert");
      await alert.waitFor();
      const text = await alert.textContent();
      if (fault === "a server that fails") {
        expect(text).toContain("Internal error");
        expect(text).toContain(REQUEST);
      } else expect(text).toContain("Billhook could not be reached: check the connection, and try again.");
      // By the press: what asks by itself does so five seconds after it failed.
      const again = alert.getByRole("button", { name: "Try again" });
      await Promise.all([page.waitForRequest(calls, { timeout: ASKED_MS }), again.click()]);
      await alert.waitFor({ state: "detached" });
      await shown(page);
      await mend();
    },
  );

  it("a page that is opened without a network says so, and shows its data when there is one again", async () => {
    await page.goto(`${scene.door.url}/operator/invoices`);
    await settled(page);
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "Refunds" }).click();
    await page.getByRole("alert").filter({ hasText: "Billhook could not be reached" }).waitFor();
    await page.context().setOffline(false);
    await page.getByRole("link", { name: "re_taken" }).first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});
