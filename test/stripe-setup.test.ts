// `billhook stripe setup`: the endpoints on the Stripe account are made, mended and replaced, and what they send is taken.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseEnv } from "node:util";

import type Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { STRIPE_API_VERSION } from "../src/stripe/client.ts";
import { SETUP_EVENT_TYPES } from "../src/operations/stripe-setup-events.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { type Ended, runBillhook } from "./support/run-billhook.ts";
import { type OpenSandbox, openSandbox, SANDBOX_KEY } from "./support/sandbox.ts";
import { freePort } from "./support/free-port.ts";
import { OPERATOR_TOKEN, serve, type Served } from "./support/serve.ts";

const PUBLIC_URL = "https://billing.example.com";
const ADDRESS = `${PUBLIC_URL}/stripe/webhook/`;

let sandbox: OpenSandbox;
let folder = "";
let servers: Served[] = [];
beforeEach(async () => {
  sandbox = await openSandbox();
  folder = mkdtempSync(join(tmpdir(), "billhook-setup-"));
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.end("SIGKILL")));
  servers = [];
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const envFile = (): string => join(folder, "billhook.env");
const setUp = (args: string[] = [], env: Record<string, string | undefined> = {}): Promise<Ended> =>
  runBillhook(["stripe", "setup", ...args], {
    STRIPE_SECRET_KEY: SANDBOX_KEY,
    STRIPE_API_BASE: sandbox.url,
    PUBLIC_URL,
    DATA_DIR: folder,
    ...env,
  });
const write = (args: string[] = [], env?: Record<string, string>): Promise<Ended> =>
  setUp(["--write-env", envFile(), ...args], env);

async function endpoints(): Promise<Stripe.WebhookEndpoint[]> {
  return (await sandbox.stripe.webhookEndpoints.list({ limit: 100 })).data.toReversed();
}
const written = (): Record<string, string | undefined> => parseEnv(readFileSync(envFile(), "utf8"));

describe("a first run", () => {
  it("makes an endpoint for each, pinned and with the types that are read; a second finds nothing to do", async () => {
    writeFileSync(envFile(), "# kept\nPORT=8001\n");
    const first = await write();
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).not.toContain("whsec_");
    const made = await endpoints();
    expect(
      made.map(({ application, metadata, ...endpoint }) => [application !== null, metadata.billhook, endpoint]),
    ).toEqual(
      [false, true].map((connect) => [
        connect,
        connect ? "connect" : "platform",
        expect.objectContaining({
          url: ADDRESS,
          status: "enabled",
          api_version: STRIPE_API_VERSION,
          enabled_events: SETUP_EVENT_TYPES,
          description: expect.stringContaining("Billhook") as string,
        }) as unknown,
      ]),
    );
    const secret = expect.stringMatching(/^whsec_\w+$/) as string;
    expect(written()).toEqual({ PORT: "8001", STRIPE_WEBHOOK_SECRET: secret, STRIPE_CONNECT_WEBHOOK_SECRET: secret });
    expect(readFileSync(envFile(), "utf8")).toMatch(/^# kept\nPORT=8001\n/);
    expect(statSync(envFile()).mode & 0o777).toBe(0o600);
    const before = readFileSync(envFile(), "utf8");
    const second = await write();
    expect([second.code, second.out.match(/nothing to do/g)?.length]).toEqual([0, 2]);
    expect(await endpoints()).toEqual(made);
    expect(readFileSync(envFile(), "utf8")).toBe(before);
  });

  it("without a file prints the secrets, as lines or as JSON, and with --dry-run makes nothing", async () => {
    const dry = await setUp(["--dry-run"]);
    expect([dry.code, dry.out.match(/would make/g)?.length, (await endpoints()).length]).toEqual([1, 2, 0]);
    const printed = await setUp();
    expect(printed.code).toBe(0);
    const lines = parseEnv(
      printed.out
        .split("\n")
        .filter((line) => line.startsWith("STRIPE_"))
        .join("\n"),
    );
    expect(Object.keys(lines).sort()).toEqual(["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"]);
    const json = JSON.parse((await setUp(["--json", "--rotate"], lines)).out) as {
      endpoints: { role: string; action: string }[];
      secrets: Record<string, string>;
    };
    expect(json.endpoints.map(({ role, action }) => `${role} ${action}`)).toEqual([
      "platform replaced",
      "platform left",
      "connect replaced",
      "connect left",
    ]);
    expect(json.secrets.STRIPE_WEBHOOK_SECRET).toMatch(
      new RegExp(`^whsec_\\w+,${String(lines.STRIPE_WEBHOOK_SECRET)}$`),
    );
  });

  it.each([
    ["no key", [], { STRIPE_SECRET_KEY: undefined }, 1, "set STRIPE_SECRET_KEY"],
    ["no key of the mode", ["--mode", "live"], {}, 1, "STRIPE_SECRET_KEY"],
    ["plain http", ["--url", "http://billing.example.com"], { STRIPE_API_BASE: undefined }, 2, "https addresses only"],
    ["no address", ["--url", "billing"], {}, 2, "https://billing.example.com/stripe/webhook/"],
    ["two places for the secrets", ["--json", "--write-env", "x"], {}, 2, "one of the two"],
    ["an unknown mode", ["--mode", "both"], {}, 2, "mode"],
  ])("asked with %s says what to do", async (_, args, env, code, says) => {
    const ended = await setUp(args, env);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(says);
    expect(await endpoints()).toEqual([]);
  });
});

describe("a file for the secrets", () => {
  it.each([
    ["stands in no folder", () => join(folder, "none", ".env"), "ENOENT"],
    ["is a folder", () => folder, "EISDIR"],
    ["has a form in which a variable cannot be set", () => envFile(), "STRIPE_CONNECT_WEBHOOK_SECRET cannot be set"],
  ])("that %s is told before anything is made at Stripe", async (_, file, says) => {
    writeFileSync(envFile(), 'TEXT="begins\nSTRIPE_CONNECT_WEBHOOK_SECRET=inside\n"\n');
    const ended = await setUp(["--write-env", file()]);
    expect([ended.code, ended.out]).toEqual([2, ""]);
    expect(ended.err).toContain(file());
    expect(ended.err).toContain(says);
    expect(await endpoints()).toEqual([]);
  });

  it("that cannot be written after all loses no secret: each is told, and the run ends with 1", async () => {
    const gone = join(folder, "gone");
    mkdirSync(gone);
    const stripe = await passing(() => {
      rmSync(gone, { recursive: true, force: true });
    });
    try {
      const ended = await setUp(["--write-env", join(gone, ".env")], { STRIPE_API_BASE: stripe.url });
      expect(ended.code).toBe(1);
      expect(ended.err).toMatch(/gone\/\.env could not be written \(ENOENT/);
      const told = parseEnv(ended.out.replace(/^(?!STRIPE_).*$/gm, ""));
      expect(Object.keys(told).sort()).toEqual(["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"]);
      // They are those of the endpoints: with them set there is nothing left to do.
      const after = await setUp([], told);
      expect([after.code, after.out.match(/nothing to do/g)?.length]).toEqual([0, 2]);
    } finally {
      stripe.server.close();
    }
  });
});

/** The sandbox behind a door that does something whenever an endpoint is asked for. */
async function passing(onEndpoint: () => void): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const { method = "GET", url = "/" } = request;
    if (method === "POST" && url === "/v1/webhook_endpoints") onEndpoint();
    const headers = { authorization: request.headers.authorization ?? "", ...typeOf(request.headers["content-type"]) };
    void text(request)
      .then((sent) => fetch(`${sandbox.url}${url}`, { method, headers, ...(method === "GET" ? {} : { body: sent }) }))
      .then(async (answer) => response.writeHead(answer.status, typeOf("application/json")).end(await answer.text()));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}`, server };
}
const typeOf = (type: string | undefined): Record<string, string> =>
  type === undefined ? {} : { "content-type": type };

describe("a later run", () => {
  it("adds the event types that lack, enables what is disabled, and takes an endpoint made by hand as its own", async () => {
    await write();
    const [platform, connect] = await endpoints();
    await sandbox.stripe.webhookEndpoints.update(platform?.id ?? "", {
      enabled_events: ["invoice.paid", "topup.created"],
    });
    await sandbox.stripe.webhookEndpoints.update(connect?.id ?? "", { disabled: true, metadata: { billhook: "" } });
    const dry = await write(["--dry-run"]);
    expect([dry.code, dry.out.match(/would be repaired/g)?.length]).toEqual([1, 2]);
    const mended = await write();
    expect(mended.code).toBe(0);
    expect(mended.out).toMatch(/event types added: account\.application\.authorized/);
    expect(mended.out).toContain("enabled again; marked as Billhook's");
    const after = await endpoints();
    expect(after.map(({ id, status }) => [id, status])).toEqual([
      [platform?.id, "enabled"],
      [connect?.id, "enabled"],
    ]);
    // What a person has added stays.
    expect(after[0]?.enabled_events.toSorted()).toEqual([...SETUP_EVENT_TYPES, "topup.created"].sort());
    expect((await write()).out.match(/nothing to do/g)).toHaveLength(2);
  });

  it("leaves other addresses alone, tells of duplicates, and never takes away what it did not make", async () => {
    const by = (url: string, connect = false): Promise<Stripe.WebhookEndpoint> =>
      sandbox.stripe.webhookEndpoints.create({ url, connect, enabled_events: ["*"], api_version: STRIPE_API_VERSION });
    const foreign = await by("https://staging.example.com/stripe/webhook/");
    await write();
    const twin = await by(`${PUBLIC_URL}/api/webhooks/stripe/`);
    const before = await endpoints();
    const ended = await write();
    expect(ended.code).toBe(1);
    expect(ended.out).toContain(`platform  ${twin.id}  it brings the same events as`);
    expect(ended.out).toContain(`left alone, on other addresses: ${foreign.id}`);
    expect(await endpoints()).toEqual(before);
  });

  it("that has no secret for an endpoint says so; with --rotate there is a new one", async () => {
    await setUp();
    const lost = await write();
    expect([lost.code, lost.out.match(/not configured here.*--rotate/g)?.length]).toEqual([1, 2]);
    // The run that made this one ended before it could keep the secret.
    const [platform] = await endpoints();
    await sandbox.stripe.webhookEndpoints.update(platform?.id ?? "", { metadata: { billhook_secret: "" } });
    const any = await setUp([], { STRIPE_WEBHOOK_SECRET: "whsec_of_another_one" });
    expect(any.out).toMatch(/platform .* not configured here/);
    const rotated = await write(["--rotate"]);
    expect(rotated.out).toContain("made in place of");
    expect(Object.keys(written()).sort()).toEqual(["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"]);
    expect(await endpoints()).toHaveLength(4);
  });

  it("keeps the old endpoint where the address only leads elsewhere: Stripe follows nobody there", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url !== "/stripe/webhook/") response.end(JSON.stringify({ code: "not_a_stripe_event" }));
      else response.writeHead(307, { location: "/elsewhere/" }).end();
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      const at = ["--url", `http://127.0.0.1:${port}/stripe/webhook/`];
      await write(at);
      const rotated = await write([...at, "--rotate"]);
      expect([rotated.code, rotated.out.match(/the server does not answer/g)?.length]).toEqual([1, 2]);
      expect(asked).not.toContain("/elsewhere/");
      expect(await endpoints()).toHaveLength(4);
    } finally {
      server.close();
    }
  });
});

describe("with a served Billhook", () => {
  const ARRIVES = { timeout: 15_000 };
  let database = "";
  beforeEach(async () => {
    database = await readyDatabase();
  });

  async function start(port: number): Promise<Served> {
    const { STRIPE_WEBHOOK_SECRET = "", STRIPE_CONNECT_WEBHOOK_SECRET = "" } = written();
    const served = await serve({
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: database,
      STRIPE_SECRET_KEY: SANDBOX_KEY,
      STRIPE_API_BASE: sandbox.url,
      STRIPE_WEBHOOK_SECRET,
      STRIPE_CONNECT_WEBHOOK_SECRET,
    });
    servers.push(served);
    await served.ready();
    return served;
  }
  async function stored(url: string): Promise<{ id: string; account: string | null }[]> {
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
    const answer = await fetch(`${url}/api/v1/admin/stripe-events/?limit=100`, { headers });
    return ((await answer.json()) as { data: { id: string; account: string | null }[] }).data;
  }
  const sent = (): string[] =>
    sandbox
      .events()
      .filter(({ type }) => SETUP_EVENT_TYPES.includes(type))
      .map(({ id }) => id)
      .sort();

  it("events of the platform and of connected accounts arrive signed with the secrets that it wrote", async () => {
    const port = await freePort();
    const at = ["--url", `http://127.0.0.1:${port}`];
    expect((await write(at)).code).toBe(0);
    const { url } = await start(port);
    await sandbox.stripe.customers.create({ name: "Of the platform" });
    const { id: account } = await sandbox.stripe.accounts.create({ type: "standard" });
    await sandbox.stripe.customers.create({ name: "Of the account" }, { stripeAccount: account });
    await expect.poll(async () => (await stored(url)).map(({ id }) => id).sort(), ARRIVES).toEqual(sent());
    const accounts = new Set((await stored(url)).map(({ account: of }) => of));
    expect(accounts).toEqual(new Set([null, account]));
    expect((await write(at)).code).toBe(0);
  });

  it(
    "an endpoint of another API version is replaced without a gap: the old one goes when the new secret is known",
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      const at = ["--url", `http://127.0.0.1:${port}/stripe/webhook/`];
      await write([...at, "--api-version", "2024-06-20"]);
      const first = await start(port);
      const old = written();
      const replaced = await write(at);
      expect(replaced.code).toBe(1);
      expect(replaced.out).toContain("it sends API version 2024-06-20");
      expect(replaced.out).toContain("the server does not know the new secret yet");
      expect(written().STRIPE_WEBHOOK_SECRET).toMatch(new RegExp(`^whsec_\\w+,${String(old.STRIPE_WEBHOOK_SECRET)}$`));
      // Until the restart the old endpoints deliver.
      await sandbox.stripe.customers.create({ name: "Meanwhile" });
      await expect.poll(async () => (await stored(first.url)).map(({ id }) => id).sort(), ARRIVES).toEqual(sent());
      await first.end("SIGTERM");
      const unanswered = await write(at);
      expect(unanswered.out).toContain("the server does not answer");
      const second = await start(port);
      const finished = await write(at);
      expect([finished.code, finished.out.match(/deleted: its successor delivers/g)?.length]).toEqual([0, 2]);
      expect((await endpoints()).map(({ api_version }) => api_version)).toEqual([
        STRIPE_API_VERSION,
        STRIPE_API_VERSION,
      ]);
      // The secret of a deleted endpoint goes with it.
      expect(written().STRIPE_WEBHOOK_SECRET).toMatch(/^whsec_\w+$/);
      await sandbox.stripe.customers.create({ name: "After" });
      await expect.poll(async () => (await stored(second.url)).map(({ id }) => id).sort(), ARRIVES).toEqual(sent());
      expect((await write(at)).out.match(/nothing to do/g)).toHaveLength(2);
    },
  );
});
