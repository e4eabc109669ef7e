// The sandbox's door: keys, accounts, parameters, idempotency, pages, expansion, errors and persistence, as Stripe has them.
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Stripe from "stripe";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { KNOWN_ROUTES } from "../sandbox/core/parameters.ts";
import { openSurface } from "../sandbox/registry.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const failure = async (call: Promise<unknown>): Promise<Record<string, unknown>> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Stripe.errors.StripeError);
  const { statusCode, rawType, code, param, decline_code, message } = error as InstanceType<
    typeof Stripe.errors.StripeError
  >;
  return { status: statusCode, type: rawType, code, param, decline_code, message };
};

describe("keys", () => {
  it.each([
    ["no key", "", "You did not provide an API key."],
    ["a short one", "Bearer sk_test_short", "Invalid API Key provided: sk_test_"],
    ["another product's", "Bearer ghp_0123456789abcdef0123", "Invalid API Key provided: ghp_0123"],
  ])("%s is answered 401", async (_, authorization, message) => {
    const { status, json } = await sandbox.call("GET", "/v1/customers", "", { authorization });
    const { error } = json as unknown as { error: { type: string; message: string } };
    expect([status, error.type]).toEqual([401, "invalid_request_error"]);
    expect(error.message).toContain(message);
  });

  it("never come back whole in an error", async () => {
    const { text } = await sandbox.call("GET", "/v1/customers", "", {
      authorization: "Bearer wrong_key_0123456789abcdef",
    });
    expect(text).not.toContain("wrong_key_0123456789abcdef");
  });

  it("of the two modes see objects of their own mode alone", async () => {
    const live = sandbox.client({ key: "sk_live_sandbox_of_the_tests" });
    const { id, livemode } = await live.customers.create({ name: "Live" });
    expect(livemode).toBe(true);
    expect(await failure(sandbox.stripe.customers.retrieve(id))).toMatchObject({
      status: 404,
      code: "resource_missing",
    });
    expect((await live.customers.list()).data.map((customer) => customer.id)).toEqual([id]);
  });

  it("for browsers make tokens and payment methods, and nothing else", async () => {
    const browser = sandbox.client({ key: "pk_test_sandbox_of_the_tests" });
    const card = { number: "4242424242424242", exp_month: "12", exp_year: "2034" };
    expect((await browser.tokens.create({ card })).id).toMatch(/^tok_/);
    expect(await failure(browser.customers.create({}))).toMatchObject({ status: 403, code: "secret_key_required" });
  });
});

describe("connected accounts", () => {
  it("have objects of their own, and the platform acts for them by Stripe-Account", async () => {
    const account = await sandbox.stripe.accounts.create({ type: "standard" });
    const there = { stripeAccount: account.id };
    const { id } = await sandbox.stripe.customers.create({ name: "Theirs" }, there);
    expect((await sandbox.stripe.customers.retrieve(id, {}, there)).id).toBe(id);
    expect(await failure(sandbox.stripe.customers.retrieve(id))).toMatchObject({ status: 404 });
  });

  it("that are not the platform's answer 403", async () => {
    const call = sandbox.stripe.customers.list({}, { stripeAccount: "acct_nobody000000" });
    expect(await failure(call)).toMatchObject({ status: 403, code: "account_invalid" });
  });
});

describe("bad parameters", () => {
  it.each([
    [
      "unknown",
      "/v1/customers",
      "colour=red",
      400,
      { code: "parameter_unknown", param: "colour", message: "Received unknown parameter: colour" },
    ],
    [
      "unknown inside",
      "/v1/customers",
      "address[planet]=mars",
      400,
      { code: "parameter_unknown", param: "address[planet]" },
    ],
    [
      "missing",
      "/v1/payment_intents",
      "currency=usd",
      400,
      { code: "parameter_missing", param: "amount", message: "Missing required param: amount." },
    ],
    [
      "no integer",
      "/v1/payment_intents",
      "currency=usd&amount=ten",
      400,
      { code: "parameter_invalid_integer", param: "amount", message: "Invalid integer: ten" },
    ],
    [
      "an id that names nothing",
      "/v1/payment_intents",
      "currency=usd&amount=500&customer=cus_none",
      400,
      { code: "resource_missing", param: "customer", message: "No such customer: 'cus_none'" },
    ],
    ["an amount below zero", "/v1/payment_intents", "currency=usd&amount=-5", 400, { param: "amount" }],
    ["no currency of this world", "/v1/payment_intents", "currency=zzz&amount=500", 400, { param: "currency" }],
    ["nested too deeply", "/v1/customers", `a${"[b]".repeat(40)}=1`, 400, {}],
  ])("%s: Stripe's status, type, code and param", async (_, path, form, status, expected) => {
    const answer = await sandbox.call("POST", path, form);
    const { error } = answer.json as unknown as { error: Record<string, unknown> };
    expect(answer.status).toBe(status);
    expect(error).toMatchObject({ type: "invalid_request_error", ...expected });
  });

  it.each([
    ["GET", "/v1/customers/cus_none", 404, "resource_missing"],
    ["GET", "/v1/nothing_here", 404, undefined],
    ["DELETE", "/v1/customers", 404, undefined],
    ["GET", "/v1/customers?limit=101", 400, "parameter_invalid_integer"],
    ["GET", "/v1/customers?starting_after=cus_none", 400, "resource_missing"],
  ])("%s %s is answered %i", async (method, path, status, code) => {
    const answer = await sandbox.call(method, path);
    const { error } = answer.json as unknown as { error: Record<string, unknown> };
    expect([answer.status, error.type, error.code]).toEqual([status, "invalid_request_error", code]);
  });

  it("change nothing", async () => {
    const before = sandbox.objects("payment_intent").length + sandbox.events().length;
    await sandbox.call("POST", "/v1/payment_intents", "currency=usd&amount=500&customer=cus_none");
    expect(sandbox.objects("payment_intent").length + sandbox.events().length).toBe(before);
  });
});

describe("card errors", () => {
  it.each([
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", undefined],
    ["pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"],
    ["pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"],
  ])("%s: 402 with code %s", async (payment_method, code, decline_code) => {
    const form = `amount=900&currency=usd&payment_method=${payment_method}&payment_method_types[]=card&confirm=true`;
    const { status, json } = await sandbox.call("POST", "/v1/payment_intents", form);
    const { error } = json as unknown as { error: Record<string, unknown> & { payment_intent: Stripe.PaymentIntent } };
    expect(status).toBe(402);
    expect(error).toMatchObject({ type: "card_error", code });
    expect(error.decline_code).toBe(decline_code);
    // What was tried is kept, and says why it failed.
    const kept = await sandbox.stripe.paymentIntents.retrieve(error.payment_intent.id);
    expect(kept).toMatchObject({ status: "requires_payment_method", last_payment_error: { code } });
    expect(sandbox.events("payment_intent.payment_failed").at(-1)?.data.object).toMatchObject({ id: kept.id });
  });
});

describe("idempotency keys", () => {
  it("give the first answer again, and do the work once", async () => {
    const options = { idempotencyKey: "key-1" };
    const first = await sandbox.stripe.customers.create({ name: "Once" }, options);
    const second = await sandbox.stripe.customers.create({ name: "Once" }, options);
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(sandbox.objects("customer").filter(({ name }) => name === "Once")).toHaveLength(1);
  });

  it("with other parameters are an idempotency error", async () => {
    const options = { idempotencyKey: "key-2" };
    await sandbox.stripe.customers.create({ name: "One" }, options);
    expect(await failure(sandbox.stripe.customers.create({ name: "Other" }, options))).toMatchObject({
      status: 400,
      type: "idempotency_error",
    });
  });

  it("keep a declined card's answer, and none of a call that was refused for its parameters", async () => {
    const form =
      "amount=900&currency=usd&payment_method=pm_card_chargeDeclined&payment_method_types[]=card&confirm=true";
    const key = { "idempotency-key": "key-3" };
    const [first, second] = [
      await sandbox.call("POST", "/v1/payment_intents", form, key),
      await sandbox.call("POST", "/v1/payment_intents", form, key),
    ];
    expect([second.status, second.text, second.headers["idempotent-replayed"]]).toEqual([402, first.text, "true"]);
    const later = { "idempotency-key": "key-4" };
    expect((await sandbox.call("POST", "/v1/customers", "colour=red", later)).status).toBe(400);
    expect((await sandbox.call("POST", "/v1/customers", "name=red", later)).status).toBe(200);
  });

  it("are each account's own", async () => {
    const account = await sandbox.stripe.accounts.create({ type: "standard" });
    const one = await sandbox.stripe.customers.create({}, { idempotencyKey: "key-5" });
    const other = await sandbox.stripe.customers.create({}, { idempotencyKey: "key-5", stripeAccount: account.id });
    expect(other.id).not.toBe(one.id);
  });

  it("of a call that is still under way are answered 409", async () => {
    const socket = connect(sandbox.port, "127.0.0.1");
    const head = [
      "POST /v1/customers HTTP/1.1",
      "Host: localhost",
      `Authorization: Bearer ${SANDBOX_KEY}`,
      "Idempotency-Key: key-6",
      "Content-Length: 9",
      "",
      "name=",
    ];
    socket.write(head.join("\r\n"));
    await expect
      .poll(
        async () => (await sandbox.call("POST", "/v1/customers", "name=Slow", { "idempotency-key": "key-6" })).status,
      )
      .toBe(409);
    socket.destroy();
  });
});

describe("lists", () => {
  it("walk every object once, newest first, forwards and back", async () => {
    const fresh = await openSandbox();
    const made: string[] = [];
    for (let count = 0; count < 23; count += 1) made.push((await fresh.stripe.customers.create({})).id);
    const seen: string[] = [];
    for await (const { id } of fresh.stripe.customers.list({ limit: 5 })) seen.push(id);
    expect(seen).toEqual(made.toReversed());
    const back = await fresh.stripe.customers.list({ limit: 5, ending_before: seen[10] ?? "" });
    expect([back.data.map(({ id }) => id), back.has_more]).toEqual([seen.slice(5, 10), true]);
    await fresh.close();
  });
});

describe("expansion", () => {
  it("puts objects in place of ids, four levels deep and in lists", async () => {
    const { stripe } = sandbox;
    const customer = await stripe.customers.create({
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const price = await stripe.prices.create({
      currency: "usd",
      unit_amount: 900,
      recurring: { interval: "month" },
      product_data: { name: "P" },
    });
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      expand: ["latest_invoice.payments.data.payment.payment_intent", "customer", "items.data.price.product"],
    });
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    const intent = invoice.payments?.data[0]?.payment.payment_intent as Stripe.PaymentIntent;
    expect(intent).toMatchObject({ object: "payment_intent", amount: 900 });
    expect(subscription.customer).toMatchObject({ object: "customer" });
    expect(subscription.items.data[0]?.price.product).toMatchObject({ object: "product", name: "P" });
    const list = await stripe.subscriptions.list({
      customer: customer.id,
      expand: ["data.default_payment_method", "data.customer"],
    });
    expect(list.data[0]?.customer).toMatchObject({ object: "customer" });
  });

  it.each(["colour", "metadata", "customer.a.b.c.d"])("of %s is refused", async (path) => {
    const { id } = await sandbox.stripe.customers.create({});
    expect(await failure(sandbox.stripe.customers.retrieve(id, { expand: [path] }))).toMatchObject({
      status: 400,
      param: "expand",
    });
  });
});

describe("the surface", () => {
  /** Routes of the listed resources that the sandbox leaves out, with the reason. */
  const LEFT_OUT: Readonly<Record<string, string>> = {
    "POST /v1/payment_intents/*/apply_customer_balance": "payments out of a cash balance are reconciled by themselves",
    "GET /v1/quotes/*/pdf": "a file, from another host of Stripe's",
    "POST /v1/sources/*/verify": "Sources are retired: cards alone are kept for old code",
    "POST /v1/test_helpers/issuing/authorizations/*/fraud_challenges/respond":
      "issuing goes as far as the CLI's triggers",
    "POST /v1/test_helpers/issuing/personalization_designs/*/activate": "issuing goes as far as the CLI's triggers",
    "POST /v1/test_helpers/issuing/personalization_designs/*/deactivate": "issuing goes as far as the CLI's triggers",
    "POST /v1/test_helpers/issuing/personalization_designs/*/reject": "issuing goes as far as the CLI's triggers",
  };

  it("answers every route of its resources that the SDK has", () => {
    const { api } = openSurface();
    const missing = KNOWN_ROUTES.filter((pattern) => {
      const [method = "", path = ""] = pattern.split(" ");
      return api.find(method, path.replaceAll("*", "x"))?.route.pattern !== pattern && LEFT_OUT[pattern] === undefined;
    });
    expect(missing).toEqual([]);
  });
});

describe("a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "billhook-sandbox-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("keeps everything over a restart, keys and order included, and serves one sandbox at a time", async () => {
    const first = await openSandbox({ folder });
    const customer = await first.stripe.customers.create({ name: "Kept" }, { idempotencyKey: "kept" });
    await first.stripe.customers.update(customer.id, { phone: "1" });
    const events = first.events().map(({ id, type }) => [id, type]);
    await expect(openSandbox({ folder })).rejects.toThrow("another sandbox may be using it");
    await first.close();

    const second = await openSandbox({ folder });
    expect(await second.stripe.customers.retrieve(customer.id)).toMatchObject({ name: "Kept", phone: "1" });
    expect((await second.stripe.customers.create({ name: "Kept" }, { idempotencyKey: "kept" })).id).toBe(customer.id);
    expect(second.events().map(({ id, type }) => [id, type])).toEqual(events);
    await second.close();
  });
});
