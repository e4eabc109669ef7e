// A real process seen from outside: unsigned events, a database that goes away, its metrics, and npm's two ways to start it.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";
import { afterAll, afterEach, describe, expect, inject, it } from "vitest";

import { freshDatabase } from "./support/postgres.ts";
import { freePort } from "./support/free-port.ts";
import { OPERATOR_TOKEN, post, serve, signed } from "./support/serve.ts";
import type { Served } from "./support/serve.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "billhook-served-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const started: Served[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.end("SIGKILL")));
});

async function start(env: Record<string, string>): Promise<Served> {
  const server = await serve(env);
  started.push(server);
  await server.ready();
  return server;
}

const body = (id: string): string =>
  JSON.stringify(event("invoice.paid", newInvoice({ id: `in_${id}` }), { id: `evt_${id}`, apiVersion: NEW_API }));

interface Answer {
  status: number;
  code: unknown;
  retryAfter: string | null;
}

async function send(server: Served, sent: string, headers: Record<string, string>): Promise<Answer> {
  const options = { method: "POST", headers: { "content-type": "application/json", ...headers }, body: sent };
  const response = await fetch(`${server.url}/stripe/webhook/`, options);
  const { code } = (await response.json()) as { code?: unknown };
  return { status: response.status, code, retryAfter: response.headers.get("retry-after") };
}

/** Node leaves out what is undefined: the server starts without a secret. */
const WITHOUT_SECRET = { STRIPE_WEBHOOK_SECRET: undefined } as unknown as Record<string, string>;

it("with a Stripe key and no secret unsigned events are taken from this machine alone, with a warning for each", async () => {
  const server = await start({
    ...WITHOUT_SECRET,
    STRIPE_SECRET_KEY: "sk_test_served",
    // Nobody listens there: no test asks Stripe.
    STRIPE_API_BASE: "http://127.0.0.1:9",
    STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true",
    DATA_DIR: join(folder, "unsigned"),
  });
  expect((await send(server, body("unsigned_1"), {})).status).toBe(200);
  expect((await send(server, body("unsigned_2"), {})).status).toBe(200);
  const warnings = (): number => server.log().split("an unsigned event was taken").length - 1;
  await expect.poll(warnings).toBe(2);
  const foreign = [
    ...[{ "x-forwarded-for": "203.0.113.7" }, { "x-forwarded-proto": "https" }, { via: "1.1 tunnel" }],
    { origin: "https://a-page.example" },
  ];
  for (const headers of foreign) {
    const refused = await send(server, body("forged"), headers);
    expect([refused.status, refused.code]).toEqual([400, "signature_missing"]);
  }
  expect(warnings()).toBe(2);
});

it("an event sent twice is counted twice as received, once as a duplicate and once as processed", async () => {
  const server = await start({ DATA_DIR: join(folder, "metrics") });
  for (let time = 0; time < 2; time++) expect(await post(server.url, body("metrics"))).toBe(200);
  const metric = async (name: string): Promise<string | undefined> => {
    const text = await (await fetch(`${server.url}/metrics?from=a-probe`)).text();
    return text
      .split("\n")
      .find((line) => line.startsWith(`billhook_${name} `))
      ?.split(" ")[1];
  };
  await expect.poll(() => metric('events_processed_total{outcome="processed"}'), { timeout: 10_000 }).toBe("1");
  expect(await metric("events_received_total")).toBe("2");
  expect(await metric("events_duplicate_total")).toBe("1");
  expect(await metric("receive_batch_events_count")).toBe("2");
  expect(await metric("event_lag_seconds_count")).toBe("1");
  expect(await metric("oldest_unprocessed_age_seconds")).toBe("0");
});

it("a second process on one DATA_DIR is told of the process that holds it, with the sandbox too", async () => {
  const env = { DATA_DIR: join(folder, "held"), SANDBOX_PORT: "0" };
  const first = await start(env);
  const second = await serve(env);
  started.push(second);
  expect((await once(second.child, "close"))[0]).toBe(1);
  expect(second.log()).toContain(`is already open in process ${String(first.child.pid)}. Stop that process first`);
  expect(second.log()).not.toContain("sandbox");
  // The first one is not disturbed, and its end frees the folder.
  expect(await first.end("SIGTERM")).toBe(0);
  await start(env);
});

it("while the database is gone events are answered 503 with Retry-After, the process lives, and goes on when it is back", async () => {
  const database = await freshDatabase();
  const server = await start({ DATABASE_URL: database, DATA_DIR: join(folder, "gone") });
  expect(await post(server.url, body("before"))).toBe(200);
  const name = new URL(database).pathname.slice(1);
  await ask(`alter database ${pg.escapeIdentifier(name)} allow_connections false`);
  await ask("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);

  const sent = body("meanwhile");
  const refused = await send(server, sent, { "stripe-signature": signed(sent) });
  expect(refused).toEqual({ status: 503, code: "storage_unavailable", retryAfter: expect.stringMatching(/^\d+$/) });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect([server.child.exitCode, server.child.signalCode]).toEqual([null, null]);

  await ask(`alter database ${pg.escapeIdentifier(name)} allow_connections true`);
  await expect.poll(() => post(server.url, sent), { timeout: 10_000 }).toBe(200);
  expect(await server.end("SIGTERM")).toBe(0);
});

/** On the run's server, beside the database that is switched off. */
async function ask(text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}

describe("npm", () => {
  const children = new Set<ChildProcess>();
  afterEach(() => {
    for (const { pid } of children) if (pid !== undefined) endGroup(pid);
    children.clear();
  });

  /** In a group of its own: npm starts a shell, the shell starts Node. */
  function run(command: string, args: string[], env: Record<string, string> = {}) {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(command, args, {
      cwd: ROOT,
      detached: true,
      env: { PATH, HOME, NODE_ENV: "test", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    const text = { out: "", err: "" };
    child.stdout.on("data", (bytes: Buffer) => (text.out += bytes.toString("utf8")));
    child.stderr.on("data", (bytes: Buffer) => (text.err += bytes.toString("utf8")));
    const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    return { child, text, ended };
  }

  it("start serves until npm is told to stop, and stops cleanly then", async () => {
    const port = String(await freePort());
    const sandbox = String(await freePort());
    const env = { PORT: port, SANDBOX_PORT: sandbox, DATA_DIR: join(folder, "npm"), OPERATOR_TOKEN };
    const { child, text, ended } = run("npm", ["start"], env);
    const ready = async (): Promise<number> =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(ready, { timeout: 30_000, message: text.err }).toBe(200);
    // Ready means that the sandbox's small world is in both.
    const listed = async (url: string, token: string): Promise<{ data: Record<string, unknown>[] }> =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json() as never;
    const { data: products } = await listed(`http://127.0.0.1:${sandbox}/v1/products`, "sk_test_1234567890abcdef");
    const { data: customers } = await listed(`http://127.0.0.1:${port}/api/v1/admin/customers/`, OPERATOR_TOKEN);
    expect([products.length, customers.map(({ email }) => email)]).toEqual([6, ["jane@example.com"]]);
    child.kill("SIGTERM");
    // npm hands the signal to its shell only; its own exit code is the shell's. The pipes close when the server has ended.
    await ended;
    expect(text.out).toContain("process.stopped");
    expect(await ready()).toBe(0);
  });

  it("npx runs the clone's own command", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    const { text, ended } = run("npx", ["--no-install", "billhook", "--version"]);
    expect([await ended, text.out.trim()]).toEqual([[0, null], version]);
  });
});

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
