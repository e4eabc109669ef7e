// Calls to Stripe: how long they last, what is sent and what is not, and the sandbox's own failures.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { Secret } from "../src/base/secret.ts";
import { type StripeAccess, stripeAccess, type StripeTarget } from "../src/stripe/access.ts";
import { StripeCallError } from "../src/stripe/call-failure.ts";
import { type OpenSandbox, openSandbox, SANDBOX_KEY } from "./support/sandbox.ts";
import {
  failure,
  hang,
  reply,
  type Reply,
  reset,
  type ScriptedStripe,
  scriptedStripe,
} from "./support/scripted-stripe.ts";

const ACCOUNT = "acct_1ScriptedAccount";
const CUSTOMER = { id: "cus_1", object: "customer" };
const TARGET: StripeTarget = { livemode: false, account: ACCOUNT, idempotencyKey: "row_1" };

const busy = (headers: Record<string, string> = {}): Reply =>
  reply(429, failure("invalid_request_error", { code: "rate_limit" }), headers);

describe("a call to Stripe", () => {
  let stripe: ScriptedStripe;
  let access: StripeAccess;
  beforeAll(async () => {
    stripe = await scriptedStripe();
  });
  beforeEach(() => {
    access = stripeAccess({ keys: { test: new Secret("sk_test_scripted") }, apiBase: stripe.url, clock: systemClock });
  });
  afterAll(() => stripe.close());

  it("that Stripe answers with what it said before tells the object of then, and when it said so", async () => {
    const created = 1_790_000_000;
    const now = Math.floor(Date.now() / 1000);
    const dated = { date: new Date(now * 1000).toUTCString() };
    const ask = async (headers: Record<string, string>) => {
      stripe.script(reply(200, { ...CUSTOMER, created }, headers));
      return access.call(TARGET, (client, options) => client.customers.create({}, options));
    };
    const first = await ask(dated);
    expect(first.asOf).toBeGreaterThan(now - 5);
    expect(first).not.toHaveProperty("replayedAt");
    const again = await ask({ ...dated, "idempotent-replayed": "true" });
    expect(again.asOf).toBe(created - 1);
    expect(again.replayedAt).toBeGreaterThan(now - 5);
  });

  it("ends after 8 seconds, whether Stripe is silent or answers drop by drop", { timeout: 30_000 }, async () => {
    const drops: Reply = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 100);
      response.once("close", () => {
        clearInterval(timer);
      });
    };
    for (const kind of [hang, drops]) {
      stripe.script(kind);
      const started = performance.now();
      const due = sleep(8_000).then(() => performance.now());
      const failed = await access
        .call(TARGET, (client, options) => client.customers.create({}, options))
        .catch((error: unknown) => error);
      const ended = performance.now();
      expect(failed).toMatchObject({ code: "stripe_unreachable", transient: true });
      expect(ended - started).toBeGreaterThan(7_900);
      // Beside a timer for the same time: a busy machine holds up both.
      expect(ended - (await due)).toBeLessThan(600);
    }
  });

  it("that is a POST without its idempotency key, or without its account, is a mistake and is not sent", async () => {
    stripe.script(reply(200, CUSTOMER));
    const { idempotencyKey: _, ...keyless } = TARGET;
    await expect(access.call(keyless, (client, options) => client.customers.create({}, options))).rejects.toThrow(
      "needs the idempotency key",
    );
    await expect(access.call(TARGET, (client) => client.customers.create({}))).rejects.toThrow("pass on the options");
    const other = { idempotencyKey: "another", stripeAccount: ACCOUNT };
    await expect(access.call(TARGET, (client) => client.customers.create({}, other))).rejects.toThrow(
      "idempotency key",
    );
    expect(stripe.requests).toEqual([]);
    await access.call(keyless, (client, options) => client.customers.retrieve("cus_1", {}, options));
    expect(stripe.requests).toHaveLength(1);
  });

  it("that must be sent once is sent once, whatever becomes of it", async () => {
    for (const fate of [reset, busy(), reply(500, failure("api_error"))]) {
      stripe.script(fate, reply(200, CUSTOMER));
      const sent = access.call({ ...TARGET, once: true }, (client, options) => client.customers.create({}, options));
      await expect(sent).rejects.toBeInstanceOf(StripeCallError);
      expect(stripe.requests).toHaveLength(1);
    }
  });

  it("that ends in a bug of ours is not told as a failure of Stripe's", async () => {
    const bug = access.call(TARGET, async () => JSON.parse("null").id);
    await expect(bug).rejects.toBeInstanceOf(TypeError);
  });

  it("uses one connection for calls that follow each other", async () => {
    stripe.script(reply(200, CUSTOMER));
    for (let call = 0; call < 5; call++) {
      await access.call(TARGET, (client, options) => client.customers.create({}, options));
    }
    expect(new Set(stripe.requests.map(({ port }) => port)).size).toBe(1);
  });

  it("waits a drawn time after a 429, and at least as long as Retry-After says", async () => {
    stripe.script(busy({ "retry-after": "1" }), reply(200, CUSTOMER));
    await access.call(TARGET, (client, options) => client.customers.create({}, options));
    const [first, second] = stripe.requests.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(990);
  });
});

describe("the sandbox's own failures", () => {
  let sandbox: OpenSandbox;
  let access: StripeAccess;
  beforeAll(async () => {
    sandbox = await openSandbox();
    access = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: sandbox.url, clock: systemClock });
  });
  afterEach(() => sandbox.idle(1000));
  afterAll(() => sandbox.close());
  const platform = (idempotencyKey: string): StripeTarget => ({ livemode: false, account: "", idempotencyKey });
  const failing = async (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  it("are the same errors: declined, missing, another account, a key with other content", async () => {
    const pay = access.call(platform("pay"), (client, options) =>
      client.paymentIntents.create(
        {
          amount: 500,
          currency: "usd",
          confirm: true,
          payment_method: "pm_card_visa_chargeDeclinedInsufficientFunds",
          return_url: "https://example.com",
        },
        options,
      ),
    );
    expect(await failing(pay)).toMatchObject({ code: "card_declined", declineCode: "insufficient_funds" });
    const missing = access.call(platform(""), (client, options) => client.invoices.retrieve("in_none", {}, options));
    expect(await failing(missing)).toMatchObject({ code: "stripe_refused", stripeCode: "resource_missing" });
    const stranger = { ...platform("other"), account: "acct_1NobodysAccount" };
    const refused = access.call(stranger, (client, options) => client.customers.create({}, options));
    const requestId = expect.stringMatching(/^req_\w+$/) as string;
    expect(await failing(refused)).toMatchObject({ code: "stripe_not_connected", stripeRequestId: requestId });
    const named = (name: string): Promise<unknown> =>
      failing(access.call(platform("same"), (client, options) => client.customers.create({ name }, options)));
    expect(await named("One")).toMatchObject({ value: { name: "One" } });
    expect(await named("Two")).toMatchObject({ code: "stripe_conflict", transient: false, stripeRequestId: requestId });
  });
});
