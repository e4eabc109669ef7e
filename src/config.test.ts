// The configuration: what starts, what is refused, and what is documented.
import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { betweenMarkers, configTable, envExample } from "./config-docs.ts";
import { readConfig } from "./config.ts";
import { CONFIG_VARIABLES } from "./config-variables.ts";
import type { Config, Environment, ReadOptions } from "./config.ts";

/** What is wrong, by variable. */
function problems(env: Environment, options?: ReadOptions): Record<string, string> {
  try {
    readConfig(env, options);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
}

function secrets(config: Config): string[] | "generate" {
  if (config.webhookSecrets === "generate") return "generate";
  return config.webhookSecrets.map(({ secret, variable }) => `${variable}=${secret.reveal()}`);
}

const SECRET_KEY = "k".repeat(32);
const LIVE = {
  NODE_ENV: "production",
  PUBLIC_URL: "https://billing.example.com",
  SECRET_KEY,
  STRIPE_SECRET_KEY: "sk_live_1",
  STRIPE_WEBHOOK_SECRET: "whsec_1",
};

describe("starting without an account", () => {
  it("nothing set: development on loopback, the embedded database, generated secrets", () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      environment: "development",
      host: "127.0.0.1",
      port: 8000,
      publicUrl: "http://localhost:8000",
      dataDir: "./data",
      roles: ["api", "work"],
      databaseUrl: undefined,
      webhookSecrets: "generate",
      operatorToken: undefined,
      livemode: false,
      allowUnsignedWebhooks: false,
      receiveMaxWaiting: 4096,
      receiveMaxWaitingBytes: 67_108_864,
      workLeaseSeconds: 30,
      workMaxAttempts: 8,
      warnings: [],
    });
  });

  it("production listens on every address and refuses to start without its keys, a webhook secret and https", () => {
    expect(readConfig(LIVE)).toMatchObject({ host: "0.0.0.0", livemode: true });
    expect(Object.keys(problems({ NODE_ENV: "production" })).sort()).toEqual([
      "PUBLIC_URL",
      "SECRET_KEY",
      "STRIPE_SECRET_KEY",
      "STRIPE_WEBHOOK_SECRET",
    ]);
    expect(problems({ ...LIVE, PUBLIC_URL: "http://billing.example.com" })).toHaveProperty("PUBLIC_URL");
    expect(Object.keys(problems({ ...LIVE, SECRET_KEY: undefined }))).toEqual(["SECRET_KEY"]);
    expect(Object.keys(problems({ ...LIVE, STRIPE_SECRET_KEY: undefined }))).toEqual(["STRIPE_SECRET_KEY"]);
    expect(Object.keys(problems({ ...LIVE, STRIPE_WEBHOOK_SECRET: undefined }))).toEqual(["STRIPE_WEBHOOK_SECRET"]);
  });

  it("production refuses to take unsigned events, with and without a secret", () => {
    const unsigned = { STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" };
    expect(problems({ ...LIVE, ...unsigned })).toHaveProperty("STRIPE_WEBHOOK_ALLOW_UNSIGNED");
    const bare = problems({ ...LIVE, ...unsigned, STRIPE_WEBHOOK_SECRET: undefined });
    expect(Object.keys(bare).sort()).toEqual(["STRIPE_WEBHOOK_ALLOW_UNSIGNED", "STRIPE_WEBHOOK_SECRET"]);
  });

  it("development with a Stripe key needs a webhook secret, or the word that unsigned events are taken", () => {
    const key = { STRIPE_SECRET_KEY: "sk_test_bar" };
    expect(problems(key).STRIPE_WEBHOOK_SECRET).toContain("STRIPE_WEBHOOK_ALLOW_UNSIGNED=true");
    const behindProxy = { ...key, STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true", TRUST_PROXY: "1" };
    expect(problems(behindProxy).STRIPE_WEBHOOK_ALLOW_UNSIGNED).toContain("through the proxy");
    const open = readConfig({ ...key, STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" });
    expect([open.allowUnsignedWebhooks, open.webhookSecrets]).toEqual([true, []]);
  });

  it("unsigned events are not taken beside a configured secret, and a warning says so", () => {
    const config = readConfig({ STRIPE_WEBHOOK_SECRET: "whsec_1", STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" });
    expect(config.allowUnsignedWebhooks).toBe(false);
    expect(config.warnings.join()).toContain("STRIPE_WEBHOOK_ALLOW_UNSIGNED");
  });

  it("unsigned events are not taken where secrets are generated, and a warning says so", () => {
    const config = readConfig({ STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" });
    expect([config.allowUnsignedWebhooks, config.webhookSecrets]).toEqual([false, "generate"]);
    expect(config.warnings).toEqual([expect.stringContaining("STRIPE_WEBHOOK_ALLOW_UNSIGNED has no effect")]);
    const open = { STRIPE_SECRET_KEY: "sk_test_bar", STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" };
    expect(readConfig(open).warnings).toEqual([]);
  });

  it("an account has one subscription of a plan group, or many where that is said, and nothing else can be said", () => {
    expect(readConfig({}).subscriptionsPerGroup).toBe("one");
    expect(readConfig({ SUBSCRIPTIONS_PER_GROUP: "many" }).subscriptionsPerGroup).toBe("many");
    expect(problems({ SUBSCRIPTIONS_PER_GROUP: "2" })).toHaveProperty("SUBSCRIPTIONS_PER_GROUP");
  });

  it("a command that serves nothing needs no Stripe key in production, but no bad value passes", () => {
    expect(problems({ NODE_ENV: "production" }, { serving: false })).toEqual({});
    expect(problems({ NODE_ENV: "production", PORT: "x" }, { serving: false })).toHaveProperty("PORT");
  });
});

describe("webhook secrets", () => {
  it("Connect's come first, then the platform's, then the other name, each list in its order, none twice", () => {
    const config = readConfig({
      STRIPE_ENDPOINT_SECRET: "whsec_e,whsec_p1",
      STRIPE_WEBHOOK_SECRET: "whsec_p1, whsec_p2",
      STRIPE_CONNECT_WEBHOOK_SECRET: " whsec_c ",
    });
    expect(secrets(config)).toEqual([
      "STRIPE_CONNECT_WEBHOOK_SECRET=whsec_c",
      "STRIPE_WEBHOOK_SECRET=whsec_p1",
      "STRIPE_WEBHOOK_SECRET=whsec_p2",
      "STRIPE_ENDPOINT_SECRET=whsec_e",
    ]);
  });

  it.each(["", " ", "\t\n", ",", "a,,b", "a,", ",a", "a, ,b"])("an empty or blank entry (%j) is an error", (text) => {
    for (const variable of ["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET", "STRIPE_ENDPOINT_SECRET"]) {
      expect(Object.keys(problems({ [variable]: text }))).toEqual([variable]);
      expect(Object.keys(problems({ ...LIVE, [variable]: text }))).toEqual([variable]);
    }
  });

  it.each(["whsec_a whsec_b", "whsec_a\nb", '"whsec_a"', 'whsec_a"b', "whsec_\u200ba", "sk_test_1", "whsec_"])(
    "a mangled secret (%j) is refused with a hint, and never quoted",
    (text) => {
      const found = problems({ STRIPE_WEBHOOK_SECRET: text });
      expect(found).toHaveProperty("STRIPE_WEBHOOK_SECRET");
      expect(JSON.stringify(found)).not.toContain(text);
    },
  );

  it("no text whatsoever makes an empty or blank secret", () => {
    const anything = fc.string({ unit: fc.constantFrom("a", ",", " ", "\t", "\u00a0", "\u200b", '"') });
    fc.assert(
      fc.property(anything, anything, (first, second) => {
        const env = { STRIPE_WEBHOOK_SECRET: first, STRIPE_CONNECT_WEBHOOK_SECRET: second };
        if (Object.keys(problems(env)).length > 0) return;
        for (const line of secrets(readConfig(env))) expect(line).toMatch(/^STRIPE_\w+=a+$/);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("bad values", () => {
  it("every problem is told at once, each with what to do", () => {
    const found = problems({
      NODE_ENV: "prod",
      PORT: "80a",
      PUBLIC_URL: "example.com",
      DATABASE_URL: "mysql://localhost/x",
      STRIPE_SECRET_KEY: "pk_test_1",
      OPERATOR_TOKEN: "short",
      LOG_LEVEL: "",
      BILLHOOK_ROLES: "api,worker",
      WORK_MAX_ATTEMPTS: "0",
      RECEIVE_MAX_WAITING_BYTES: "-1",
      STRIPE_WEBHOOK_ALLOW_UNSIGNED: "yes",
    });
    expect(Object.keys(found).sort()).toEqual([
      "BILLHOOK_ROLES",
      "DATABASE_URL",
      "LOG_LEVEL",
      "NODE_ENV",
      "OPERATOR_TOKEN",
      "PORT",
      "PUBLIC_URL",
      "RECEIVE_MAX_WAITING_BYTES",
      "SECRET_KEY",
      "STRIPE_SECRET_KEY",
      "STRIPE_WEBHOOK_ALLOW_UNSIGNED",
      "STRIPE_WEBHOOK_SECRET",
      "WORK_MAX_ATTEMPTS",
    ]);
    for (const problem of Object.values(found)) expect(problem).toMatch(/: .+\.$/);
  });

  it("no variable may be set and empty", () => {
    for (const { name } of CONFIG_VARIABLES) expect(problems({ [name]: " " })).toHaveProperty(name);
  });

  it.each([
    ["STRIPE_API_BASE", { ...LIVE, STRIPE_API_BASE: "http://127.0.0.1:12111" }],
    ["STRIPE_API_BASE", { STRIPE_API_BASE: "http://127.0.0.1:12111/v1" }],
    ["STRIPE_PUBLISHABLE_KEY", { ...LIVE, STRIPE_PUBLISHABLE_KEY: "pk_test_1" }],
    ["DATABASE_DIRECT_URL", { DATABASE_DIRECT_URL: "postgres://localhost/billhook" }],
    ["DATABASE_API_URL", { DATABASE_API_URL: "postgres://localhost/billhook" }],
    ["HOST", { HOST: "http://localhost" }],
  ])("%s that does not fit is refused", (variable, env) => {
    expect(Object.keys(problems(env))).toEqual([variable]);
  });

  it("PUBLIC_URL below a path is refused, with what to do instead", () => {
    for (const path of ["/billing", "/billing/", "//x", "/%20"])
      expect(problems({ PUBLIC_URL: `https://x.example${path}` }).PUBLIC_URL).toMatch(
        /remove \/.*host name of its own/,
      );
    expect(readConfig({ PUBLIC_URL: "https://x.example:8443/" }).publicUrl).toBe("https://x.example:8443");
  });

  it("a value is read whole: URLs lose their last slash, restricted keys have a mode, the direct URL falls back", () => {
    const url = "postgresql://billhook:pa%20ss@db/billhook?sslmode=require";
    const config = readConfig({
      ...LIVE,
      STRIPE_SECRET_KEY: "rk_test_1",
      PUBLIC_URL: "https://pay.example.com/",
      FRONTEND_URL: "https://app.example.com/billing/",
      DATABASE_URL: url,
      BILLHOOK_ROLES: "work, work",
    });
    expect(config).toMatchObject({ publicUrl: "https://pay.example.com", livemode: false, roles: ["work"] });
    expect(config.frontendUrl).toBe("https://app.example.com/billing");
    expect(config.databaseDirectUrl?.reveal()).toBe(url);
  });
});

describe("SECRET_KEY", () => {
  it("is generated when embedded in development, and needed by every node on a server", () => {
    expect(readConfig({}).secretKeys).toBe("generate");
    expect(Object.keys(problems({ DATABASE_URL: "postgres://db/billhook" }))).toEqual(["SECRET_KEY"]);
    expect(problems({ DATABASE_URL: "postgres://db/billhook" }, { serving: false })).toEqual({});
  });

  it("is a list while it is rotated, the current one first", () => {
    const { secretKeys } = readConfig({ SECRET_KEY: `${"n".repeat(32)}, ${"o".repeat(40)}` });
    expect(secretKeys === "generate" ? [] : secretKeys.map((key) => key.reveal()[0])).toEqual(["n", "o"]);
    for (const commas of [`${SECRET_KEY},`, `,${SECRET_KEY}`, `${SECRET_KEY}, ,${"o".repeat(40)}`])
      expect(problems({ SECRET_KEY: commas })).toEqual({
        SECRET_KEY: expect.stringContaining("empty entry") as string,
      });
    for (const bad of ["short", `${SECRET_KEY},${SECRET_KEY}`]) {
      expect(Object.keys(problems({ SECRET_KEY: bad }))).toEqual(["SECRET_KEY"]);
    }
  });
});

describe("where requests come from and links lead", () => {
  it("nobody is believed about the source unless TRUST_PROXY says who", () => {
    expect(readConfig({}).trustProxy).toBeUndefined();
    expect(readConfig({ TRUST_PROXY: "1" }).trustProxy).toBe(1);
    expect(readConfig({ TRUST_PROXY: "10.0.0.0/8, loopback,fd00::/8" }).trustProxy).toBe(
      "10.0.0.0/8,loopback,fd00::/8",
    );
    for (const bad of ["true", "0", "99", "10.0.0.0/33", "example.com", "10.0.0.1/8/8", "::1/x"]) {
      expect(Object.keys(problems({ TRUST_PROXY: bad }))).toEqual(["TRUST_PROXY"]);
    }
  });

  it("FRONTEND_URL follows PUBLIC_URL, and CORS_ORIGINS follow FRONTEND_URL", () => {
    expect(readConfig({})).toMatchObject({
      frontendUrl: "http://localhost:8000",
      corsOrigins: ["http://localhost:8000"],
    });
    const config = readConfig({ FRONTEND_URL: "https://app.example.com/billing/" });
    expect(config).toMatchObject({
      frontendUrl: "https://app.example.com/billing",
      corsOrigins: ["https://app.example.com"],
    });
    expect(readConfig({ CORS_ORIGINS: "https://a.example, https://b.example" }).corsOrigins).toHaveLength(2);
    for (const bad of ["*", "https://a.example/x", "a.example"])
      expect(problems({ CORS_ORIGINS: bad })).not.toEqual({});
  });

  it("API_KEY_PREFIX is a brand, not a kind of key", () => {
    expect(readConfig({ API_KEY_PREFIX: "acme" }).apiKeyPrefix).toBe("acme");
    for (const bad of ["sk", "Acme", "a_b", "9a"]) expect(problems({ API_KEY_PREFIX: bad })).not.toEqual({});
  });
});

describe("secrets stay secret", () => {
  it("a printed configuration shows no secret value", () => {
    const env = {
      ...LIVE,
      STRIPE_SECRET_KEY: "sk_live_SENTINEL",
      STRIPE_WEBHOOK_SECRET: "whsec_SENTINEL",
      OPERATOR_TOKEN: "operator-SENTINEL-token",
      DATABASE_URL: "postgres://user:SENTINEL@db/billhook",
    };
    const config = readConfig(env);
    for (const text of [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      String(config.stripeKeys.live),
    ]) {
      expect(text).toContain("[secret]");
      expect(text).not.toContain("SENTINEL");
    }
  });

  it("no problem quotes the value of a secret variable", () => {
    for (const { name } of CONFIG_VARIABLES.filter(({ secret }) => secret)) {
      for (const value of ["SENTI NEL", "SENTINEL", '"SENTINEL"', "SENTINELé", "SENTINEL,", "https://u:SENTINEL@h/"]) {
        expect(Object.values(problems({ [name]: value })).join()).not.toContain("SENTI");
      }
    }
  });
});

describe("the documentation", () => {
  it("every variable is documented, in the table and in .env.example, with a sentence", () => {
    for (const { name, doc } of CONFIG_VARIABLES) {
      expect(doc).toMatch(/.\.$/);
      expect(configTable()).toContain(`| \`${name}\` |`);
      expect(envExample()).toContain(`\n# ${name}=`);
    }
  });

  it("an untouched .env.example sets nothing", () => {
    for (const line of envExample().split("\n")) expect(line).toMatch(/^(#.*)?$/);
  });

  it("text goes between its markers, the same again when it is there already, and nowhere without them", () => {
    const page = "# A\n<!-- config:begin -->\nold\n<!-- config:end -->\nrest\n";
    const made = betweenMarkers(page, "config", "new\n");
    expect(made).toBe("# A\n<!-- config:begin -->\nnew\n<!-- config:end -->\nrest\n");
    expect(betweenMarkers(made, "config", "new\n")).toBe(made);
    expect(() => betweenMarkers("# A\n<!-- config:end --><!-- config:begin -->", "config", "x")).toThrow(/once each/);
  });
});
