// `billhook/react` in a real browser: the payment form with the sandbox's cards and with Stripe's Element, and the packs.
import type { ServerResponse } from "node:http";

import type { Page } from "playwright-core";
import type Stripe from "stripe";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { PaymentStatus } from "../kit/client/client.ts";
import { openBrowser, type TestBrowser, withoutBrowser } from "./support/browser.ts";
import { shot } from "./support/dashboard-browser.ts";
import { COMPLETE_ACCOUNT } from "./support/connected-accounts.ts";
import { type KitPage, openKitPage } from "./support/kit-page.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

/** The payment comes in the page's address; what the form tells is kept on the page. */
const FORM = `
  import { StrictMode } from "react";
  import { createRoot } from "react-dom/client";
  import { PaymentForm } from "./kit/react/react.ts";
  const payment = JSON.parse(new URLSearchParams(location.search).get("payment"));
  window.told = [];
  createRoot(document.getElementById("root")).render(
    <StrictMode>
      <PaymentForm payment={payment} returnUrl={location.origin + "/back"} postalCode="94110" submitLabel="Pay now"
        onProgress={({ state }) => window.told.push(state)} />
    </StrictMode>,
  );
`;

const STATUS_OF: Record<string, PaymentStatus["status"]> = {
  succeeded: "succeeded",
  processing: "pending",
  requires_action: "action_required",
  canceled: "canceled",
};

describe.skipIf(withoutBrowser())("in a browser", () => {
  let browser: TestBrowser;
  let sandbox: OpenSandbox;
  let kit: KitPage;
  let page: Page;
  /** Whose the one intent of the test is; {}: the platform's. */
  let onAccount: Stripe.RequestOptions;
  let intent: Stripe.PaymentIntent | Stripe.SetupIntent;
  /** Each ends with its page, and its test waits for it: the next one has another intent, and another account. */
  const telling: Promise<void>[] = [];
  beforeAll(async () => {
    [browser, sandbox] = await Promise.all([openBrowser(), openSandbox()]);
    kit = await openKitPage(FORM, (request, response) => {
      if (request.url?.startsWith("/back") === true) {
        response.writeHead(200, { "content-type": "text/html" }).end("<h1>Back</h1>");
      } else telling.push(tellStatus(response));
    });
  }, 60_000);
  afterAll(async () => {
    await kit.close();
    await browser.close();
    await sandbox.close();
  });
  beforeEach(async () => {
    onAccount = {};
    page = await browser.visitor();
  });
  afterEach(async () => {
    await page.context().close();
    await Promise.all(telling.splice(0));
  });

  /** As Billhook would: told of the test's intent as the sandbox has it, over a stream, until the page goes. */
  async function tellStatus(response: ServerResponse): Promise<void> {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 1000\n\n");
    for (let before = ""; !response.destroyed; await new Promise((resolve) => setTimeout(resolve, 30))) {
      const now = await current();
      const hasFailed = "last_payment_error" in now && now.last_payment_error !== null;
      const status = STATUS_OF[now.status] ?? (hasFailed ? "failed" : "pending");
      if (status === before) continue;
      before = status;
      const name = status === "pending" || status === "action_required" ? "status" : "final";
      const answer = { id: now.id, status, failure: null, updated_at: new Date().toISOString() };
      response.write(`event: ${name}\ndata: ${JSON.stringify(answer)}\n\n`);
    }
  }
  const current = () =>
    intent.object === "payment_intent"
      ? sandbox.stripe.paymentIntents.retrieve(intent.id, {}, onAccount)
      : sandbox.stripe.setupIntents.retrieve(intent.id, {}, onAccount);

  async function show(begun: object): Promise<void> {
    const payment = { client_secret: intent.client_secret, status_url: `${kit.url}/status?token=t`, ...begun };
    await page.goto(`${kit.url}/?payment=${encodeURIComponent(JSON.stringify(payment))}`);
  }
  const told = (): Promise<string[]> => page.evaluate("window.told");
  const words = (role: "status" | "alert") => page.getByRole(role).textContent();

  describe("where the sandbox stands in for Stripe", () => {
    const begun = () => ({ publishable_key: "pk_test_sandbox_of_the_tests", sandbox_url: sandbox.url });
    const payWith = async (card: RegExp): Promise<void> => {
      const option = page.locator("option").filter({ hasText: card });
      await page
        .getByLabel("Test card")
        .last()
        .selectOption(await option.first().getAttribute("value"));
      await page.getByRole("button", { name: "Pay now" }).click();
    };

    it("a test card pays in place, and the form gives way to the payment's end", async () => {
      intent = await sandbox.stripe.paymentIntents.create({ amount: 1000, currency: "usd" });
      await show(begun());
      await shot(page, "sandbox-card-form", { fullPage: true });
      await page.getByRole("button", { name: "Pay now" }).click();
      await page.getByText("your payment has arrived").waitFor();
      expect(await page.getByRole("button").count()).toBe(0);
      expect(await told()).toContain("succeeded");
      expect((await current()).status).toBe("succeeded");
      expect(browser.refused).toEqual([]);
    });

    it("a card that is declined says why, and another one pays", async () => {
      intent = await sandbox.stripe.paymentIntents.create({ amount: 1000, currency: "usd" });
      await show(begun());
      await payWith(/declined/);
      expect(await words("alert")).toMatch(/declined/);
      await payWith(/succeeds/);
      await page.getByText("your payment has arrived").waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    });

    it("a card that asks the bank leads to its page, and back", async () => {
      intent = await sandbox.stripe.setupIntents.create({ usage: "off_session" });
      await show(begun());
      await payWith(/3-D Secure/);
      await page.waitForURL(`${sandbox.url}/3ds/**`);
      expect((await current()).status).toBe("requires_action");
      await page.getByRole("button").first().click();
      await page.waitForURL(`${kit.url}/back?**`);
      expect(new URL(page.url()).searchParams.get("setup_intent")).toBe(intent.id);
      const kept = await page.evaluate(`sessionStorage.getItem("billhook:status:${intent.id}")`);
      expect(kept).toBe(`${kit.url}/status?token=t`);
    });

    it("a connected account's payment is confirmed on that account", async () => {
      const account = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
      onAccount = { stripeAccount: account.id };
      intent = await sandbox.stripe.paymentIntents.create({ amount: 1000, currency: "usd" }, onAccount);
      await show({ ...begun(), stripe_account: account.id });
      await page.getByRole("button", { name: "Pay now" }).click();
      await page.getByText("your payment has arrived").waitFor();
      expect((await sandbox.stripe.paymentIntents.retrieve(intent.id, {}, onAccount)).status).toBe("succeeded");
    });
  });

  describe("with Stripe itself", () => {
    interface Asked {
      key: string;
      options: object;
      elements: object;
      element: object;
      confirmed: { how: string; params: object }[];
    }
    const asked = (): Promise<Asked> => page.evaluate("window.stripeAsked");
    beforeEach(async () => {
      await page.route("https://js.stripe.com/**", (route) =>
        route.fulfill({ contentType: "text/javascript", body: STRIPE_SCRIPT }),
      );
    });
    const begun = { publishable_key: "pk_test_1", stripe_account: "acct_1", sandbox_url: null };

    it("the Payment Element asks for no postal code, and what is known of it goes with the confirmation", async () => {
      intent = await sandbox.stripe.paymentIntents.create({ amount: 1000, currency: "usd" });
      await show(begun);
      await page.getByText("Stripe's fields").waitFor();
      await page.getByRole("button", { name: "Pay now" }).click();
      await expect.poll(async () => (await asked()).confirmed.length).toBe(1);
      expect(await asked()).toMatchObject({
        key: "pk_test_1",
        options: { stripeAccount: "acct_1" },
        elements: { clientSecret: intent.client_secret },
        element: { fields: { billingDetails: { address: { postalCode: "never" } } } },
        confirmed: [
          {
            how: "payment",
            params: {
              redirect: "if_required",
              confirmParams: {
                return_url: `${kit.url}/back`,
                payment_method_data: { billing_details: { address: { postal_code: "94110" } } },
              },
            },
          },
        ],
      });
      await sandbox.stripe.paymentIntents.confirm(intent.id, {
        payment_method: "pm_card_visa",
        return_url: "https://shop.example",
      });
      await page.getByText("your payment has arrived").waitFor();
    });

    it("a setup is confirmed as one, and Stripe's refusal is shown in its words", async () => {
      intent = await sandbox.stripe.setupIntents.create({ usage: "off_session" });
      await show(begun);
      await page.getByText("Stripe's fields").waitFor();
      await page.evaluate("window.stripeRefuses = { message: 'Your card number is incomplete.' }");
      await page.getByRole("button", { name: "Pay now" }).click();
      await page.getByText("Your card number is incomplete.").waitFor();
      expect((await asked()).confirmed).toMatchObject([{ how: "setup" }]);
      expect(await page.getByRole("button", { name: "Pay now" }).isEnabled()).toBe(true);
    });

    it("without a publishable key the form says what the server lacks", async () => {
      intent = await sandbox.stripe.paymentIntents.create({ amount: 1000, currency: "usd" });
      await show({ ...begun, publishable_key: null });
      expect(await words("alert")).toContain("STRIPE_PUBLISHABLE_KEY");
    });
  });
});

/** In place of Stripe's script: notes what it is asked. */
const STRIPE_SCRIPT = `
  window.stripeAsked = { confirmed: [] };
  window.Stripe = (key, options) => {
    const confirm = (how) => async ({ elements, ...params }) => {
      window.stripeAsked.confirmed.push({ how, params });
      return window.stripeRefuses === undefined ? {} : { error: window.stripeRefuses };
    };
    Object.assign(window.stripeAsked, { key, options });
    const element = { on() {}, off() {}, update() {}, destroy() {},
      mount(node) { node.textContent = "Stripe's fields"; } };
    return {
      elements: (given) => {
        window.stripeAsked.elements = given;
        return { update() {}, getElement: () => null, submit: async () => ({}),
          create: (type, given) => { window.stripeAsked.element = given; return element; } };
      },
      confirmPayment: confirm("payment"), confirmSetup: confirm("setup"),
      createToken() {}, createPaymentMethod() {}, confirmCardPayment() {}, registerAppInfo() {}, _registerWrapper() {},
    };
  };
  window.Stripe.version = 3;
`;
