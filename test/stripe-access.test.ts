// Failed calls to Stripe: each becomes one clear error, with Stripe's request id, at Billhook's own door.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";

import { operation, type Route } from "../src/api/route.ts";
import { systemClock } from "../src/base/clock.ts";
import type { ErrorCode } from "../src/base/errors.ts";
import { Secret } from "../src/base/secret.ts";
import { type StripeAccess, stripeAccess, type StripeTarget } from "../src/stripe/access.ts";
import { StripeCallError } from "../src/stripe/call-failure.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { BOTH } from "./support/pipe.ts";
import { failure, reply, type Reply, reset, type ScriptedStripe, scriptedStripe } from "./support/scripted-stripe.ts";

const ACCOUNT = "acct_1ScriptedAccount";
const CUSTOMER = { id: "cus_1", object: "customer" };
const TARGET: StripeTarget = {
  livemode: false,
  account: ACCOUNT,
  idempotencyKey: "row_1",
  fields: { "items[0][price]": "items.0.price_id" },
};

/** Makes a customer, by the test's own target. */
function createRoute(stripe: () => StripeAccess, target: () => StripeTarget): Route {
  return {
    method: "POST",
    path: "/create/",
    who: "anyone",
    summary: "Create a customer.",
    operation: operation({
      tag: "test",
      answers: { 200: z.unknown() },
      run: async () => {
        const { value } = await stripe().call(target(), (client, options) => client.customers.create({}, options));
        return { id: value.id };
      },
    }),
  };
}

interface Case {
  says: string;
  reply: Reply[];
  status: number;
  code: ErrorCode;
  message: RegExp;
  param?: string;
  retryAfter?: string;
  /** Requests that Stripe gets; 1 unless told. */
  sent?: number;
}

const busy = (headers: Record<string, string> = {}): Reply =>
  reply(429, failure("invalid_request_error", { code: "rate_limit" }), headers);

const CASES: Case[] = [
  {
    says: "a declined card",
    reply: [
      reply(
        402,
        failure("card_error", {
          code: "card_declined",
          decline_code: "insufficient_funds",
          message: "Your card has insufficient funds.",
        }),
      ),
    ],
    status: 402,
    code: "card_declined",
    message: /^Your card has insufficient funds\. Use another payment method/,
  },
  {
    says: "a wrong request, by the caller's own field",
    reply: [
      reply(
        400,
        failure("invalid_request_error", {
          code: "resource_missing",
          param: "items[0][price]",
          message: "No such price: 'price_1'",
        }),
      ),
    ],
    status: 400,
    code: "stripe_refused",
    message: /No such price: 'price_1'\./,
    param: "items.0.price_id",
  },
  {
    says: "an id that is not there",
    reply: [reply(404, failure("invalid_request_error", { code: "resource_missing", param: "customer" }))],
    status: 400,
    code: "stripe_refused",
    message: /It failed\./,
  },
  {
    says: "a key that Stripe does not know",
    reply: [reply(401, failure("invalid_request_error", { message: "Invalid API Key provided: sk_test_****1234" }))],
    status: 502,
    code: "stripe_permission_denied",
    message: /operator sets a valid one/,
  },
  {
    says: "a restricted key that lacks a right",
    reply: [
      reply(
        403,
        failure("invalid_request_error", {
          message:
            "The provided key 'rk_test_*****1234' does not have the required permissions. Having the 'rak_customer_write' permission would allow this request to continue.",
        }),
      ),
    ],
    status: 502,
    code: "stripe_permission_denied",
    message: /`rak_customer_write`/,
  },
  {
    says: "an account that has left",
    reply: [reply(403, failure("invalid_request_error", { code: "account_invalid" }))],
    status: 409,
    code: "stripe_not_connected",
    message: /connects it again/,
  },
  {
    says: "an account that may not charge",
    reply: [
      reply(400, failure("invalid_request_error", { message: "Your account cannot currently make live charges." })),
    ],
    status: 409,
    code: "stripe_account_restricted",
    message: /complete what its Stripe dashboard asks for/,
  },
  {
    says: "a key that was used for other content",
    reply: [reply(400, failure("idempotency_error"))],
    status: 409,
    code: "stripe_conflict",
    message: /look at its state/,
  },
  {
    says: "a call that runs already, after the SDK's two retries",
    reply: [reply(409, failure("idempotency_error", { code: "idempotency_key_in_use" }))],
    status: 409,
    code: "stripe_conflict",
    message: /look at its state/,
    sent: 3,
  },
  {
    says: "one object's hourly limit, which a few seconds do not mend",
    reply: [busy({ "stripe-rate-limited-reason": "resource-specific" })],
    status: 503,
    code: "stripe_rate_limited",
    message: /Retry-After/,
    retryAfter: "2",
  },
  {
    says: "a rate limit that stays, after four tries",
    reply: [busy({ "stripe-rate-limited-reason": "global-concurrency" })],
    status: 503,
    code: "stripe_rate_limited",
    message: /Retry-After/,
    retryAfter: "2",
    sent: 4,
  },
  {
    says: "a rate limit that ends later than anybody waits",
    reply: [busy({ "retry-after": "30" })],
    status: 503,
    code: "stripe_rate_limited",
    message: /Retry-After/,
    retryAfter: "30",
  },
  {
    says: "a lock on the object",
    reply: [
      reply(429, failure("invalid_request_error", { code: "lock_timeout" }), {
        "stripe-rate-limited-reason": "resource-specific",
      }),
    ],
    status: 409,
    code: "stripe_conflict",
    message: /look at its state/,
  },
  {
    says: "a gateway's page, after the SDK's two retries",
    reply: [reply(500, "<html><h1>sk_test_leak</h1></html>", { "content-type": "text/html" })],
    status: 503,
    code: "stripe_unreachable",
    message: /Stripe does not answer/,
    retryAfter: "2",
    sent: 3,
  },
];

describe.each(BOTH)("a failed call, %s database", (kind) => {
  let stripe: ScriptedStripe;
  let access: StripeAccess;
  let target: StripeTarget;
  let door: Door;
  beforeAll(async () => {
    stripe = await scriptedStripe();
    door = await openDoor(kind, {
      routes: [
        createRoute(
          () => access,
          () => target,
        ),
      ],
    });
  });
  beforeEach(() => {
    target = TARGET;
    access = stripeAccess({
      keys: { test: new Secret("sk_test_scripted") },
      apiBase: stripe.url,
      clock: systemClock,
      log: door.deps.log,
    });
    door.lines.length = 0;
  });
  afterAll(async () => {
    await door.close();
    await stripe.close();
  });
  const create = () => door.call("POST", "/create/");

  it.each(CASES)(
    "that tells of $says",
    async ({ reply: replies, status, code, message, param, retryAfter, sent = 1 }) => {
      stripe.script(...replies);
      const { status: answered, json, headers, text } = await create();
      expect([answered, json.code, json.param]).toEqual([status, code, param]);
      expect(json.message).toMatch(message);
      expect(headers.get("retry-after")).toBe(retryAfter ?? null);
      expect(stripe.requests.map(({ idempotencyKey, account }) => [idempotencyKey, account])).toEqual(
        Array.from({ length: sent }, () => ["row_1", ACCOUNT]),
      );
      // A page is no answer of Stripe's API: the SDK gives its request id all the same.
      expect(json.stripe_request_id).toBe("req_scripted");
      expect(json.message).toMatch(/ \(Stripe request req_scripted\)$/);
      expect(text).not.toMatch(/sk_test|rk_test|1234|<h1>|at .*:\d+/);
      const line = door.lines.find((one) => one.message === "stripe.call_failed");
      expect(line).toMatchObject({
        stripe_account: ACCOUNT,
        method: "POST",
        route: "/v1/customers",
        code,
        attempt: sent,
      });
    },
  );

  it("by a lost connection is tried three times with one key, and says that Stripe does not answer", async () => {
    stripe.script(reset);
    const { status, json, headers } = await create();
    expect([status, json.code, headers.get("retry-after"), json.stripe_request_id]).toEqual([
      503,
      "stripe_unreachable",
      "2",
      undefined,
    ]);
    expect(new Set(stripe.requests.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set(["row_1"]));
    expect(stripe.requests).toHaveLength(3);
  });

  it("that passes is not seen: a reset, a 500 and a 429 on the way end in the answer", async () => {
    stripe.script(reset, reply(500, failure("api_error")), busy(), reply(200, CUSTOMER));
    const { status, json } = await create();
    expect([status, json.id, stripe.requests.length]).toEqual([200, "cus_1", 4]);
    expect(door.lines.filter(({ message }) => message === "stripe.call_failed")).toEqual([]);
  });

  it("without a key for its mode says which variable the operator sets", async () => {
    target = { ...TARGET, livemode: true };
    const { status, json } = await create();
    expect([status, json.code]).toEqual([503, "stripe_not_configured"]);
    expect(json.message).toContain("STRIPE_SECRET_KEY");
  });

  it("for who decides in code says whether it may pass, and why the bank refused", async () => {
    const failed = (): Promise<unknown> =>
      access.call(TARGET, (client, options) => client.customers.create({}, options)).catch((error: unknown) => error);
    stripe.script(reply(402, failure("card_error", { code: "card_declined", decline_code: "lost_card" })));
    const declined = await failed();
    expect(declined).toBeInstanceOf(StripeCallError);
    expect(declined).toMatchObject({ transient: false, stripeCode: "card_declined", declineCode: "lost_card" });
    stripe.script(reply(503, failure("api_error"), {}, { retry: false }));
    expect(await failed()).toMatchObject({ transient: true, stripeStatus: 503, stripeRequestId: "req_scripted" });
  });
});
