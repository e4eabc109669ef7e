// The commands of test/seed-003-example.sh against a served Billhook, with the real curl and a real browser, on both databases.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Wire } from "./support/api-door.ts";
import { openBrowser, type TestBrowser, withoutBrowser } from "./support/browser.ts";
import { arrival, serveConnect, type ServedConnect } from "./support/connect-visit.ts";
import { BOTH } from "./support/pipe.ts";

const run = promisify(execFile);
const SCRIPT = readFileSync(join(import.meta.dirname, "seed-003-example.sh"), "utf8");

/** By name ("step 1.1"), in their order. */
const COMMANDS = new Map(
  SCRIPT.split(/^## /m)
    .slice(1)
    .map((block) => {
      const [title = "", ...lines] = block.split("\n");
      return [title.split(":", 1)[0] ?? "", lines.join("\n").trim()];
    }),
);

interface Keys {
  keys: { type: string; key: string; masked: boolean; created_at: string }[];
  warning: string;
}

const SECRET = (mode: string): RegExp => new RegExp(`^sk_${mode}_[0-9A-Za-z]{32}$`);
const PUBLIC = (mode: string): RegExp => new RegExp(`^pk_${mode}_[0-9A-Za-z]{32}$`);
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

it("curl is here: on Debian and Ubuntu it is `apt-get install curl`", async () => {
  await expect(run("curl", ["--version"]).then(({ stdout }) => stdout)).resolves.toMatch(/^curl /);
});

it("the script has the commands of steps 1 and 3, and each is one call of curl", () => {
  expect([...COMMANDS.keys()]).toEqual(["step 1.1", "step 1.2", "step 1.3", "step 3.1", "step 3.2"]);
  for (const command of COMMANDS.values()) {
    expect(command).toMatch(/^curl -X (GET|POST) http:\/\/localhost:8000\/api\/v1\/auth\/tenants\//);
    expect(command.match(/curl /g)).toHaveLength(1);
  }
});

describe.skipIf(withoutBrowser()).each(BOTH)("the walk of the seed's example, %s database", (kind) => {
  let billhook: ServedConnect;
  let browser: TestBrowser;
  let token = "";
  let first: Record<string, string> = {};
  beforeAll(async () => {
    [billhook, browser] = await Promise.all([serveConnect(kind), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await billhook.close();
  });

  /** The command as it stands in the script; its answer's status and body. */
  const curl = async (name: string): Promise<{ status: number; json: Wire }> => {
    const command = (COMMANDS.get(name) ?? "exit 1")
      .replaceAll("http://localhost:8000", billhook.url)
      .replaceAll("<JWT_ACCESS_TOKEN>", token);
    // Only how it is told differs: no progress meter, and the status behind the body.
    const shell = `curl() { command curl --silent --show-error --noproxy localhost --write-out '\\n%{http_code}' "$@"; }\n${command}`;
    const { stdout } = await run("bash", ["-euc", shell]);
    const end = stdout.lastIndexOf("\n");
    return { status: Number(stdout.slice(end + 1)), json: JSON.parse(stdout.slice(0, end)) as Wire };
  };

  it("step 1: who registers gets tokens and keys, connects Stripe in the browser, and finds the account active", async () => {
    const registered = await curl("step 1.1");
    expect([registered.status, registered.json]).toEqual([
      201,
      {
        message: expect.any(String) as string,
        tenant: expect.objectContaining({ company_name: "My SaaS", domain: "mysaas.com" }) as unknown,
        user: expect.objectContaining({ email: "admin@mysaas.com" }) as unknown,
        tokens: { access: expect.stringMatching(JWT) as string, refresh: expect.any(String) as string },
        api_keys: {
          live_public: expect.stringMatching(PUBLIC("live")) as string,
          live_secret: expect.stringMatching(SECRET("live")) as string,
          test_public: expect.stringMatching(PUBLIC("test")) as string,
          test_secret: expect.stringMatching(SECRET("test")) as string,
        },
        webhook_secret: expect.stringMatching(/^whsec_/) as string,
      },
    ]);
    token = (registered.json.tokens as { access: string }).access;
    first = registered.json.api_keys as Record<string, string>;

    const before = await curl("step 1.3");
    expect([before.status, before.json]).toEqual([
      200,
      { connected: false, status: "not_connected", message: "No Stripe account connected" },
    ]);

    const started = await curl("step 1.2");
    expect([started.status, started.json]).toEqual([
      200,
      {
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/connect\/onboarding\/\w+$/) as string,
        state: expect.stringMatching(/^[\w-]{43}$/) as string,
        redirect_uri: `${billhook.url}/api/v1/auth/tenants/stripe/callback/`,
        method: "account_link",
      },
    ]);
    const page = await browser.visitor();
    await page.goto(String(started.json.url));
    await page.getByRole("button", { name: "Complete", exact: true }).click();
    expect(await arrival(page)).toEqual({ status: "active" });

    const after = await curl("step 1.3");
    expect([after.status, after.json]).toEqual([
      200,
      {
        connected: true,
        account_id: expect.stringMatching(/^acct_\w+$/) as string,
        status: "active",
        charges_enabled: true,
        payouts_enabled: true,
        requirements: { currently_due: [], eventually_due: [], past_due: [], disabled_reason: null },
        account_details: {
          email: "jenny@example.com",
          business_type: "individual",
          country: "US",
          default_currency: "usd",
          details_submitted: true,
        },
        refreshed: true,
      },
    ]);
  });

  it("step 3: the keys are listed with the secret ones masked, and the test keys are replaced at once", async () => {
    const listed = await curl("step 3.1");
    expect(listed.status).toBe(200);
    const { keys, warning } = listed.json as unknown as Keys;
    expect(warning).toMatch(/masked/i);
    expect(keys.map(({ type, masked }) => [type, masked])).toEqual([
      ["live_public", false],
      ["live_secret", true],
      ["test_public", false],
      ["test_secret", true],
    ]);
    for (const { type, key, masked, created_at } of keys) {
      const whole = first[type] ?? "";
      expect(key).toBe(masked ? `${whole.slice(0, 8)}****...${whole.slice(-4)}` : whole);
      expect(created_at).toMatch(TIME);
    }

    const replaced = await curl("step 3.2");
    expect([replaced.status, replaced.json]).toMatchObject([
      200,
      {
        message: expect.any(String) as string,
        keys: {
          test_public: expect.stringMatching(PUBLIC("test")) as string,
          test_secret: expect.stringMatching(SECRET("test")) as string,
        },
        warning: expect.any(String) as string,
      },
    ]);
    const fresh = replaced.json.keys as Record<string, string>;
    expect(Object.keys(fresh).sort()).toEqual(["test_public", "test_secret"]);
    expect(fresh.test_secret).not.toBe(first.test_secret);
    // What was replaced stops, what replaces it works, and the live keys are as they were.
    const status = async (key = ""): Promise<number> =>
      (await billhook.ask("GET", "/api/v1/auth/tenants/api-keys/", key)).status;
    expect([await status(first.test_secret), await status(fresh.test_secret), await status(first.live_secret)]).toEqual(
      [401, 200, 200],
    );
    const again = (await curl("step 3.1")).json as unknown as Keys;
    const shown = (type: string) => again.keys.find((key) => key.type === type)?.key;
    expect([shown("live_public"), shown("test_public")]).toEqual([first.live_public, fresh.test_public]);
  });
});
