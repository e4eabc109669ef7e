// Calls of a page that fail until its "Try again" is pressed: refused by the server, or lost on the way.
import type { Page, Route } from "playwright-core";

import { asPublicError, errorBody } from "../../src/base/errors.ts";

export const FAULTS = {
  "a server that fails": (route: Route) =>
    route.fulfill({ status: 500, json: errorBody(asPublicError(new Error("a test's")), REQUEST) }),
  "a network that loses what is sent": (route: Route) => route.abort("connectionfailed"),
} as const;

/** The request's id that the failing server names. */
export const REQUEST = "req_of_a_test";

/** What the browser's console says of them. */
export const FAULTS_TOLD = /status of 500|net::ERR_(CONNECTION_FAILED|INTERNET_DISCONNECTED)/;

/** Only the press ends the fault: what asks by itself every few seconds does not heal the page before. */
const PRESSED = `
  addEventListener("click", ({ target }) => {
    if (target.closest("button")?.textContent === "Try again") globalThis.bhPressed = true;
  }, true);`;

/** Of what is loaded from now on. Resolves to what ends it, without which later pages fail as well. */
export async function breakApi(
  page: Page,
  calls: RegExp,
  fault: (route: Route) => Promise<void>,
): Promise<() => Promise<void>> {
  await page.addInitScript({ content: PRESSED });
  await page.route(calls, async (route) => {
    // A page that is being left answers nothing, and its calls end with it.
    const isPressed = await page.evaluate<boolean>("globalThis.bhPressed === true").catch(() => false);
    await (isPressed ? route.continue() : fault(route)).catch(() => undefined);
  });
  return () => page.unrouteAll({ behavior: "wait" });
}
