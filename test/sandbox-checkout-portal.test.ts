// The customer portal of the sandbox: configurations and sessions, through the official SDK.
import type Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

test("a configuration keeps what was asked for, and an update tells what was before", async () => {
  const made = await sandbox.stripe.billingPortal.configurations.create({
    business_profile: { headline: "Our shop", privacy_policy_url: "https://www.example.com" },
    features: { subscription_cancel: { enabled: true, mode: "immediately" }, invoice_history: { enabled: true } },
    metadata: { a: "1" },
  });
  expect(made).toMatchObject({
    active: true,
    is_default: false,
    business_profile: { headline: "Our shop", terms_of_service_url: null },
    features: { subscription_cancel: { enabled: true, mode: "immediately", proration_behavior: "none" } },
    metadata: { a: "1" },
  });
  const updated = await sandbox.stripe.billingPortal.configurations.update(made.id, {
    metadata: { foo: "bar" },
    features: { invoice_history: { enabled: false } },
  });
  expect(updated).toMatchObject({
    metadata: { a: "1", foo: "bar" },
    features: { subscription_cancel: { enabled: true } },
  });
  expect(sandbox.events("billing_portal.configuration.created")).toHaveLength(1);
  const [event] = sandbox.events("billing_portal.configuration.updated");
  expect(event?.data.previous_attributes).toMatchObject({
    metadata: { foo: null },
    features: { invoice_history: { enabled: true } },
  });
});

test("a session needs a customer, leads to the sandbox's own page, and is announced", async () => {
  const customer = await sandbox.stripe.customers.create({});
  const session = await sandbox.stripe.billingPortal.sessions.create({
    customer: customer.id,
    return_url: "https://shop.example/account",
  });
  expect(session).toMatchObject({ customer: customer.id, return_url: "https://shop.example/account", flow: null });
  expect(session.url).toBe(`${sandbox.url}/p/session/${session.id}`);
  expect(sandbox.events("billing_portal.session.created").map(({ data }) => data.object)).toMatchObject([
    { id: session.id },
  ]);
  const fallback = await sandbox.stripe.billingPortal.configurations.list({ is_default: true });
  expect(fallback.data.map(({ id }) => id)).toEqual([session.configuration]);
  for (const params of [{}, { customer: "cus_none" }, { customer: customer.id, configuration: "bpc_none" }]) {
    await expect(sandbox.stripe.billingPortal.sessions.create(params)).rejects.toMatchObject({ statusCode: 400 });
  }
});

test("a flow names a subscription of that customer", async () => {
  const [customer, other] = [await sandbox.stripe.customers.create({}), await sandbox.stripe.customers.create({})];
  const price = await sandbox.stripe.prices.create({
    unit_amount: 500,
    currency: "usd",
    recurring: { interval: "month" },
    product_data: { name: "Plan" },
  });
  const subscription = await sandbox.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    trial_period_days: 3,
  });
  const flow_data: Stripe.BillingPortal.SessionCreateParams.FlowData = {
    type: "subscription_cancel",
    subscription_cancel: { subscription: subscription.id },
    after_completion: { type: "redirect", redirect: { return_url: "https://shop.example/bye" } },
  };
  const session = await sandbox.stripe.billingPortal.sessions.create({ customer: customer.id, flow_data });
  expect(session.flow).toMatchObject({
    type: "subscription_cancel",
    subscription_cancel: { subscription: subscription.id },
  });
  await expect(sandbox.stripe.billingPortal.sessions.create({ customer: other.id, flow_data })).rejects.toMatchObject({
    statusCode: 400,
  });
});
