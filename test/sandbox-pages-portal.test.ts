// The customer portal opened for one thing (flow_data), and pausing: as a browser without scripts sees it.
import type Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const price = (unit_amount: number): Promise<Stripe.Price> =>
  sandbox.stripe.prices.create({
    currency: "usd",
    unit_amount,
    recurring: { interval: "month" },
    product_data: { name: `Plan ${unit_amount}` },
  });

async function subscribed(): Promise<{ customer: string; subscription: Stripe.Subscription }> {
  const { id: customer } = await sandbox.stripe.customers.create({
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  const items = [{ price: (await price(1000)).id }];
  return { customer, subscription: await sandbox.stripe.subscriptions.create({ customer, items }) };
}

type Params = Stripe.BillingPortal.SessionCreateParams;

async function opened(params: Params) {
  const { url } = await sandbox.stripe.billingPortal.sessions.create(params);
  const path = new URL(url).pathname;
  return {
    look: (query = "") => sandbox.call("GET", path + query),
    press: (fields: Record<string, string>) => sandbox.call("POST", path, new URLSearchParams(fields).toString()),
  };
}

test("a portal for cancelling shows that alone, and ends at the address that was asked for", async () => {
  const { customer, subscription } = await subscribed();
  const { look, press } = await opened({
    customer,
    flow_data: {
      type: "subscription_cancel",
      subscription_cancel: { subscription: subscription.id },
      after_completion: { type: "redirect", redirect: { return_url: "https://shop.example/gone" } },
    },
  });
  const { text } = await look();
  expect(text).toContain("Cancel the subscription");
  expect(text).not.toMatch(/Add a card|About you|Change the plan/);
  expect((await look("?view=all")).text).toContain("Add a card");
  const done = await press({ action: "cancel", subscription: subscription.id });
  expect(done).toMatchObject({ status: 303, headers: { location: "https://shop.example/gone" } });
  expect((await sandbox.stripe.subscriptions.retrieve(subscription.id)).cancel_at).not.toBeNull();
});

test("a proposed change is confirmed with one button, and thanks in the shop's words", async () => {
  const { customer, subscription } = await subscribed();
  const bigger = await price(2500);
  const { look, press } = await opened({
    customer,
    flow_data: {
      type: "subscription_update_confirm",
      subscription_update_confirm: {
        subscription: subscription.id,
        items: [{ id: subscription.items.data[0]?.id ?? "", price: bigger.id, quantity: 3 }],
      },
      after_completion: { type: "hosted_confirmation", hosted_confirmation: { custom_message: "Thanks <b>a lot</b>" } },
    },
  });
  expect((await look()).text).toMatch(/Plan 2500, 3 × \$25\.00 every month/);
  expect((await press({ action: "confirm" })).text).toContain("Thanks &lt;b&gt;a lot&lt;/b&gt;");
  const [item] = (await sandbox.stripe.subscriptions.retrieve(subscription.id)).items.data;
  expect(item).toMatchObject({ quantity: 3, price: { id: bigger.id } });
});

test("a pause for a month resumes by itself or by hand; without the feature it is refused", async () => {
  const { customer, subscription } = await subscribed();
  const configuration = await sandbox.stripe.billingPortal.configurations.create({
    features: {
      subscription_pause: {
        enabled: true,
        duration: { type: "interval_options", interval_options: [{ interval: "month", interval_count: 1 }] },
      },
    },
  });
  const { look, press } = await opened({ customer, configuration: configuration.id });
  expect((await look()).text).toContain("Pause the subscription");
  const paused = await press({ action: "pause", subscription: subscription.id, duration: "month 1" });
  expect(paused.text).toContain("Go on with the subscription");
  const now = () => sandbox.stripe.subscriptions.retrieve(subscription.id);
  const { pause_collection: pause } = await now();
  expect(pause).toMatchObject({ behavior: "void" });
  expect(pause?.resumes_at).toBeGreaterThan(Date.now() / 1000 + 27 * 86_400);
  await press({ action: "unpause", subscription: subscription.id });
  expect((await now()).pause_collection).toBeNull();
  const flow_data = { type: "subscription_pause", subscription_pause: { subscription: subscription.id } } as const;
  await expect(opened({ customer, flow_data })).rejects.toMatchObject({ statusCode: 400, param: "flow_data[type]" });
  const plain = await opened({ customer });
  expect((await plain.press({ action: "pause", subscription: subscription.id })).status).toBe(403);
});
