// Stripe's keys in the configuration: which modes they serve, and which cannot stand beside each other.
import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { type Environment, readConfig } from "./config.ts";

/** What is wrong, by variable. */
function problems(env: Environment): Record<string, string> {
  try {
    readConfig(env);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
}

const LIVE = { STRIPE_SECRET_KEY: "sk_live_1", STRIPE_WEBHOOK_SECRET: "whsec_1" };

describe("Stripe's keys", () => {
  const TEST = { STRIPE_TEST_SECRET_KEY: "rk_test_2" };

  it("serve the mode that they name, and both where a test key stands beside a live one", () => {
    const both = readConfig({
      ...LIVE,
      ...TEST,
      STRIPE_PUBLISHABLE_KEY: "pk_live_1",
      STRIPE_TEST_PUBLISHABLE_KEY: "pk_test_2",
    });
    expect([both.livemode, both.stripeKeys.live?.reveal(), both.stripeKeys.test?.reveal()]).toEqual([
      true,
      "sk_live_1",
      "rk_test_2",
    ]);
    expect(both.publishableKeys).toEqual({ live: "pk_live_1", test: "pk_test_2" });
    const test = readConfig({ STRIPE_SECRET_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRET: "whsec_1" });
    expect([test.livemode, Object.keys(test.stripeKeys)]).toEqual([false, ["test"]]);
    expect(readConfig({}).stripeKeys).toEqual({});
  });

  it.each([
    ["STRIPE_TEST_SECRET_KEY", { ...LIVE, STRIPE_TEST_SECRET_KEY: "sk_live_2" }, "sk_test_…"],
    [
      "STRIPE_TEST_SECRET_KEY",
      { STRIPE_SECRET_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRET: "whsec_1", ...TEST },
      "another",
    ],
    ["STRIPE_TEST_SECRET_KEY", TEST, "put the test key there"],
    ["STRIPE_TEST_PUBLISHABLE_KEY", { ...LIVE, STRIPE_TEST_PUBLISHABLE_KEY: "pk_test_1" }, "set both"],
    ["STRIPE_TEST_PUBLISHABLE_KEY", { ...LIVE, ...TEST, STRIPE_TEST_PUBLISHABLE_KEY: "pk_live_1" }, "pk_test_…"],
  ])("%s beside keys that it does not fit is refused", (variable, env, advice) => {
    expect(problems(env)).toEqual({ [variable]: expect.stringContaining(advice) as string });
  });

  it("the same test key in both variables is no mistake", () => {
    const env = {
      STRIPE_SECRET_KEY: "sk_test_1",
      STRIPE_TEST_SECRET_KEY: "sk_test_1",
      STRIPE_WEBHOOK_SECRET: "whsec_1",
    };
    expect(Object.keys(readConfig(env).stripeKeys)).toEqual(["test"]);
  });
});
