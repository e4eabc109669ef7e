import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { type Environment, readConfig } from "./config.ts";

const TEST_KEY = { STRIPE_SECRET_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRET: "whsec_1" };
const LIVE_KEY = { STRIPE_SECRET_KEY: "sk_live_1", STRIPE_WEBHOOK_SECRET: "whsec_1" };

function wrong(env: Environment): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable);
    throw error;
  }
  return [];
}

describe("the settings of Connect", () => {
  it("are account links and no client id by default", () => {
    expect(readConfig({}).connect).toEqual({ method: "account_link", clientIds: {} });
  });

  it("take a client id for the mode of the key, and another for test mode beside a live key", () => {
    const own = { STRIPE_CONNECT_CLIENT_ID: "ca_own" };
    expect(readConfig({ ...TEST_KEY, ...own }).connect.clientIds).toEqual({ test: "ca_own" });
    const both = { ...LIVE_KEY, ...own, STRIPE_TEST_SECRET_KEY: "sk_test_1", STRIPE_TEST_CONNECT_CLIENT_ID: "ca_test" };
    expect(readConfig(both).connect.clientIds).toEqual({ live: "ca_own", test: "ca_test" });
  });

  it("refuse OAuth without a client id, an unknown method, and what is no client id", () => {
    const oauth = { ...TEST_KEY, STRIPE_CONNECT_METHOD: "oauth" };
    expect(wrong(oauth)).toEqual(["STRIPE_CONNECT_CLIENT_ID"]);
    expect(wrong({ ...oauth, STRIPE_CONNECT_CLIENT_ID: "ca_1" })).toEqual([]);
    expect(wrong({ STRIPE_CONNECT_METHOD: "oauth" })).toEqual([]);
    expect(wrong({ STRIPE_CONNECT_METHOD: "standard" })).toEqual(["STRIPE_CONNECT_METHOD"]);
    expect(wrong({ STRIPE_CONNECT_CLIENT_ID: "acct_1" })).toEqual(["STRIPE_CONNECT_CLIENT_ID"]);
  });
});
