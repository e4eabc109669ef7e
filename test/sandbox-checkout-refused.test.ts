// What checkout sessions of the sandbox refuse, with Stripe's status, code and parameter; and sessions of connected accounts.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

type CreateParams = Stripe.Checkout.SessionCreateParams;

const now = 1_800_000_000;
let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now });
});
afterAll(() => sandbox.close());

async function price(unit_amount: number, more: Partial<Stripe.PriceCreateParams> = {}, account = ""): Promise<string> {
  const options = account === "" ? {} : { stripeAccount: account };
  const params = { unit_amount, currency: "usd", product_data: { name: "Credits" }, ...more };
  return (await sandbox.stripe.prices.create(params, options)).id;
}

const monthly = (amount: number, account = "") => price(amount, { recurring: { interval: "month" } }, account);

async function session(params: CreateParams, account = ""): Promise<Stripe.Checkout.Session> {
  const addresses = { success_url: "https://shop.example/done", cancel_url: "https://shop.example/cart" };
  return sandbox.stripe.checkout.sessions.create(
    { ...addresses, ...params },
    account === "" ? {} : { stripeAccount: account },
  );
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => {
      const { statusCode, code, param, message } = error as Stripe.errors.StripeError;
      return { statusCode, code, param, message };
    },
  );

describe("what is refused", () => {
  const cases: [string, () => Promise<CreateParams>, object][] = [
    ["no mode", async () => ({ line_items: [{ price: await price(900), quantity: 1 }] }), { param: "mode" }],
    ["no lines", () => Promise.resolve({ mode: "payment" }), { code: "parameter_missing", param: "line_items" }],
    [
      "an unknown price",
      () => Promise.resolve({ mode: "payment", line_items: [{ price: "price_none", quantity: 1 }] }),
      {
        code: "resource_missing",
        param: "line_items[0][price]",
      },
    ],
    [
      "a recurring price in payment mode",
      async () => ({ mode: "payment", line_items: [{ price: await monthly(900), quantity: 1 }] }),
      {
        param: "line_items[0][price]",
      },
    ],
    [
      "only one-time prices in subscription mode",
      async () => ({ mode: "subscription", line_items: [{ price: await price(900), quantity: 1 }] }),
      {
        param: "line_items",
      },
    ],
    [
      "no quantity",
      async () => ({ mode: "payment", line_items: [{ price: await price(900) }] }),
      { param: "line_items" },
    ],
    [
      "less than can be charged",
      async () => ({ mode: "payment", line_items: [{ price: await price(10), quantity: 1 }] }),
      {
        code: "amount_too_small",
      },
    ],
    [
      "an expiry that is too near",
      async () => ({ mode: "payment", line_items: [{ price: await price(900), quantity: 1 }], expires_at: now + 60 }),
      {
        param: "expires_at",
      },
    ],
    [
      "an expiry that is too far",
      async () => ({
        mode: "payment",
        line_items: [{ price: await price(900), quantity: 1 }],
        expires_at: now + 90_000,
      }),
      {
        param: "expires_at",
      },
    ],
    [
      "an address without a scheme",
      async () => ({
        mode: "payment",
        success_url: "shop.example",
        line_items: [{ price: await price(900), quantity: 1 }],
      }),
      {
        code: "url_invalid",
        param: "success_url",
      },
    ],
    [
      "payment data in subscription mode",
      async () => ({
        mode: "subscription",
        payment_intent_data: {},
        line_items: [{ price: await monthly(900), quantity: 1 }],
        subscription_data: {},
        customer_creation: "always",
      }),
      {
        param: "customer_creation",
      },
    ],
    [
      "an unknown customer",
      async () => ({ mode: "payment", customer: "cus_none", line_items: [{ price: await price(900), quantity: 1 }] }),
      {
        code: "resource_missing",
        param: "customer",
      },
    ],
  ];
  test.each(cases)("%s", async (_name, params, expected) => {
    expect(await codeOf(session(await params()))).toMatchObject({ statusCode: 400, ...expected });
  });

  test("a session that is not there", async () => {
    const call = sandbox.stripe.checkout.sessions.retrieve("cs_test_none");
    expect(await codeOf(call)).toMatchObject({ statusCode: 404, code: "resource_missing" });
  });
});

describe("connected accounts", () => {
  test("a direct payment and subscription carry the platform's fee, and are the account's own", async () => {
    const { id: account } = await sandbox.stripe.accounts.create({ type: "standard" });
    const buy = async (params: CreateParams) => {
      const one = await session(params, account);
      const form = "payment_method=pm_card_visa";
      const answer = await sandbox.call("POST", `/v1/payment_pages/${one.id}/confirm`, form, {
        "stripe-account": account,
      });
      expect(answer).toMatchObject({ status: 200, json: { status: "complete", payment_status: "paid" } });
    };
    await buy({
      mode: "payment",
      line_items: [{ price: await price(1000, {}, account), quantity: 1 }],
      payment_intent_data: { application_fee_amount: 123 },
    });
    await buy({
      mode: "subscription",
      line_items: [{ price: await monthly(2000, account), quantity: 1 }],
      subscription_data: { application_fee_percent: 12.5 },
    });
    const { data } = await sandbox.stripe.paymentIntents.list({}, { stripeAccount: account });
    expect(data.map(({ application_fee_amount }) => application_fee_amount)).toEqual([250, 123]);
    const raised = await sandbox.stripe.events.list({ type: "checkout.session.completed" }, { stripeAccount: account });
    expect(raised.data).toHaveLength(2);
    expect((await sandbox.stripe.checkout.sessions.list()).data).toEqual([]);
  });

  test("a destination payment is the platform's, and moves money to the account", async () => {
    const { id: destination } = await sandbox.stripe.accounts.create({
      type: "express",
      capabilities: { transfers: { requested: true } },
    });
    const one = await session({
      mode: "payment",
      line_items: [{ price: await price(1000), quantity: 1 }],
      payment_intent_data: { application_fee_amount: 100, transfer_data: { destination } },
    });
    const answer = await sandbox.call("POST", `/v1/payment_pages/${one.id}/confirm`, "payment_method=pm_card_visa");
    expect(answer.status).toBe(200);
    const done = await sandbox.stripe.checkout.sessions.retrieve(one.id, { expand: ["payment_intent"] });
    expect(done.payment_intent).toMatchObject({ application_fee_amount: 100, transfer_data: { destination } });
  });
});
