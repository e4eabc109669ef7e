// The operator's command line against a real server: started, asked, replayed, checked and stopped as a person would.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { compileCache } from "./support/compile-cache.ts";
import { freshDatabase } from "./support/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-cli-"));
const dataDir = join(folder, "data");
const EXAMPLE = "examples/first-invoice";

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
  out: () => string;
}

const alive = new Set<ChildProcess>();

function start(args: string[], env: Record<string, string> = {}): Started {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, ["bin/billhook.mjs", ...args], {
    env: { PATH, HOME, ...compileCache(), NODE_ENV: "test", DATA_DIR: dataDir, PORT: "0", SANDBOX_PORT: "off", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  alive.add(child);
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      alive.delete(child);
      resolve({ code, out: out.join(""), err: err.join("") });
    });
  });
  return { child, ended, out: () => out.join("") };
}

const run = (args: string[], env?: Record<string, string>): Promise<Ended> => start(args, env).ended;

async function runJson(args: string[], env?: Record<string, string>) {
  const { code, out, err } = await run([...args, "--json"], env);
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out);
}

async function eventually<T>(what: () => Promise<T | undefined> | T | undefined, ms = 30_000): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    const found = await what();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`never came true: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ready(server: Started, dir: string): Promise<string> {
  return eventually(async () => {
    if (server.child.exitCode !== null) throw new Error(JSON.stringify(await server.ended));
    const file = join(dir, "server.json");
    return existsSync(file) && server.out().includes("process.started")
      ? JSON.parse(readFileSync(file, "utf8")).url
      : undefined;
  });
}

async function stop({ child, ended }: Started): Promise<Ended> {
  child.kill("SIGTERM");
  return ended;
}

afterAll(() => {
  alive.forEach((child) => child.kill("SIGKILL"));
  rmSync(folder, { recursive: true, force: true });
});

it("what a command compiled is kept for the next one, beside the packages", async () => {
  const kept = join(import.meta.dirname, "../node_modules/.cache/billhook");
  rmSync(kept, { recursive: true, force: true });
  for (const _ of ["compiles", "finds it"]) {
    const { code, out } = await run(["--help"], { NODE_COMPILE_CACHE: "" });
    expect(code).toBe(0);
    expect(out).toContain("Usage: billhook");
    expect(readdirSync(kept)).not.toEqual([]);
  }
});

describe("beside a server on the embedded database", () => {
  let server: Started;
  let url: string;
  beforeAll(async () => {
    server = start(["serve"]);
    url = await ready(server, dataDir);
  });

  it("the server says what runs where, and shows no secret", async () => {
    const text = await eventually(() => (server.out().includes("objects show in_first") ? server.out() : undefined));
    const token = readFileSync(join(dataDir, "operator-token"), "utf8").trim();
    const secrets: Record<string, string> = JSON.parse(readFileSync(join(dataDir, "webhook-secrets.json"), "utf8"));
    for (const said of [
      `${url}/stripe/webhook/`,
      `${url}/account/stripe-webhook/`,
      `${url}/api/webhooks/stripe/`,
      join(dataDir, "operator-token"),
      `npx billhook send ${EXAMPLE}`,
      "api, work",
    ]) {
      expect(text).toContain(said);
    }
    for (const hidden of [token, ...Object.values(secrets)]) expect(text).not.toContain(hidden);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("the example comes out right, sent twice and shuffled", async () => {
    const sent = await runJson(["send", EXAMPLE, "--shuffle", "--seed", "7", "--duplicate", "2"]);
    expect(sent).toMatchObject({ sent: 10, accepted: 10, refused: 0, seed: 7 });
    const invoice = await eventually(async () => {
      const answer = await run(["objects", "show", "in_first", "--json"]);
      const found = answer.code === 0 ? JSON.parse(answer.out) : undefined;
      return found?.row?.status === "paid" && found.story.data.length === 4 ? found : undefined;
    });
    expect(invoice.snapshot).toMatchObject({ id: "in_first", amount_paid: 4900 });
    expect(invoice.row).toMatchObject({ subscription_id: "sub_first", amount_due: 4900 });
    const { out } = await run(["objects", "show", "in_first"]);
    expect(out).toMatch(/^status +paid$/m);
    const story = out.slice(out.indexOf("Its story"));
    const steps = story.match(/(invoice\.\w+ {2}evt_first_\d\d.*|(status|amount_paid|attempt_count): .*)$/gm);
    expect(steps).toEqual([
      "invoice.created  evt_first_02",
      "status: – → draft",
      "amount_paid: – → 0",
      "attempt_count: – → 0",
      "invoice.finalized  evt_first_03",
      "status: draft → open",
      "invoice.payment_failed  evt_first_04",
      "attempt_count: 0 → 1",
      "invoice.paid  evt_first_05  ← its state now",
      "status: open → paid",
      "amount_paid: 0 → 4900",
      "attempt_count: 1 → 2",
    ]);
  });

  it("events are listed with the API's filters, as a table and as the API's JSON", async () => {
    const list: { data: { id: string }[]; has_more: boolean } = await runJson([
      "events",
      "list",
      "--type",
      "invoice.*",
      "--since",
      "2026-11-02",
      "--limit",
      "3",
    ]);
    expect(list.data.map((event) => event.id)).toEqual(["evt_first_05", "evt_first_04", "evt_first_03"]);
    expect(list.has_more).toBe(true);
    const { out, err } = await run(["events", "list", "--customer", "cus_first", "--limit", "3"]);
    expect(out.split("\n")[0]).toMatch(/^CREATED +EVENT +TYPE +STATUS +OBJECT/);
    expect(out).toMatch(/evt_first_05 +invoice\.paid +processed +in_first/);
    expect(err).toContain("add --cursor");
    const next = /--cursor (\S+)/.exec(err)?.[1] ?? "";
    expect((await run(["events", "list", "--customer", "cus_first", "--cursor", next])).out).toContain("evt_first_01");
    expect((await run(["events", "list", "--type", "payout.paid"])).err).toContain("No events match");
  });

  it("an event is shown with what it changed", async () => {
    const { out } = await run(["events", "show", "evt_first_05"]);
    expect(out).toContain("amount_paid: 0 → 4900");
    expect(out).toContain('"type": "invoice.paid"');
    expect(await runJson(["events", "show", "evt_first_05"])).toMatchObject({
      id: "evt_first_05",
      payload: { object: "event" },
    });
  });

  it("replay queues one event or a range, of one mode if asked to, counts first, and needs to be told which", async () => {
    expect(await runJson(["events", "replay", "evt_first_01"])).toEqual({ replayed: 1 });
    expect(await runJson(["events", "replay", "--type", "invoice.paid,invoice.created", "--dry-run"])).toEqual({
      count: 2,
      dry_run: true,
    });
    expect((await run(["events", "replay", "--all"])).out).toBe("5 events queued again.\n");
    // All that came are of the test mode.
    for (const [livemode, count] of [
      ["true", 0],
      ["false", 5],
    ] as const) {
      expect(await runJson(["events", "replay", "--all", "--livemode", livemode, "--dry-run"])).toEqual({
        count,
        dry_run: true,
      });
    }
    for (const more of [[], ["evt_first_01"]])
      expect((await run(["events", "replay", ...more, "--livemode", "false"])).code).toBe(2);
    expect((await run(["events", "replay"])).code).toBe(2);
    expect((await run(["events", "replay", "evt_first_01", "--all"])).code).toBe(2);
    await eventually(async () => {
      const { data } = await runJson(["events", "list", "--status", "pending"]);
      return data.length === 0 ? true : undefined;
    });
  });

  it("rebuild --check finds no difference, and rebuild changes nothing", async () => {
    expect(await run(["rebuild", "--check"])).toMatchObject({ code: 0, out: "2 objects compared: no differences.\n" });
    const lines = (await run(["rebuild", "--json"])).out.trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ done: { done: 2, total: 2, differing: 0 } });
  });

  it("what fails says so in one sentence, or in the API's shape, with its exit code", async () => {
    const missing = await run(["objects", "show", "in_nobody"]);
    expect(missing).toMatchObject({ code: 1, out: "" });
    expect(missing.err).toMatch(/^billhook: .+\n$/);
    const json = JSON.parse((await run(["events", "show", "evt_nobody", "--json"])).err);
    expect(json).toMatchObject({ code: "not_found", request_id: expect.stringMatching(/^req_/) });
    const refused = await run(["send", EXAMPLE, "--secret", "whsec_of_somebody_else"]);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain("0 answered 200, 5 refused");
    expect((await run(["send", "package.json"])).err).toContain("package.json: `object` is neither");
    const token = await run(["events", "list"], { OPERATOR_TOKEN: "not-the-servers-token" });
    expect(token).toMatchObject({ code: 2, out: "" });
    expect(token.err).toContain("OPERATOR_TOKEN");
  });

  it("fresh events can be sent again and again, each time about a new invoice", async () => {
    expect(await runJson(["send", EXAMPLE, "--fresh"])).toMatchObject({ accepted: 5 });
    expect(await runJson(["send", EXAMPLE, "--fresh"])).toMatchObject({ accepted: 5 });
    const { data } = await runJson(["events", "list", "--type", "invoice.paid", "--since", "1h"]);
    expect(data).toHaveLength(2);
  });

  it("a second server on the folder is refused with a sentence that names the first", async () => {
    const second = await run(["serve"]);
    expect(second.code).toBe(1);
    expect(second.err).toContain(String(server.child.pid));
  });

  it("SIGTERM, also several at once as npm passes it on, ends it cleanly; then the commands open the folder themselves", async () => {
    const started = performance.now();
    server.child.kill("SIGTERM");
    server.child.kill("SIGTERM");
    expect(await stop(server)).toMatchObject({ code: 0, err: "" });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(server.out()).toContain("process.stopped");
    expect(existsSync(join(dataDir, "server.json"))).toBe(false);
    expect((await run(["events", "list"])).out).toContain("evt_first_05");
    expect((await run(["rebuild", "--check"])).out).toContain("no differences");
    expect((await run(["events", "replay", "evt_first_05"])).err).toContain("at the next `billhook serve`");
    const unreachable = await run(["send", EXAMPLE, "--url", url]);
    expect(unreachable).toMatchObject({ code: 1 });
    expect(unreachable.err).toContain("No server answers");
  });

  it("a folder whose holder does not answer is named, with its process", async () => {
    const script = `import("./src/db/embedded-lock.ts").then(({ lockFolder }) => {
      lockFolder(${JSON.stringify(dataDir)}); process.stdout.write("held"); setInterval(() => {}, 1000); });`;
    const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    alive.add(holder);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const { code, err } = await run(["events", "list"], { PORT: "9" });
    expect(code).toBe(1);
    expect(err).toContain(`held by process ${holder.pid}`);
    expect(err).toContain("http://127.0.0.1:9");
    holder.kill("SIGKILL");
  });
});

describe("on PostgreSQL", () => {
  const dir = join(folder, "server");

  it("nothing but migrate and serve changes the schema, and commands ask the database themselves", async () => {
    const env = { DATABASE_URL: await freshDatabase(), DATA_DIR: dir, SECRET_KEY: "k".repeat(32) };
    expect((await run(["events", "list"], env)).err).toContain("billhook migrate");
    const { applied } = await runJson(["migrate"], env);
    expect(applied[0]).toBe("0001_inbox");
    expect(await run(["migrate"], env)).toMatchObject({ code: 0, out: "The schema is up to date.\n" });
    const server = start(["serve", "--json"], env);
    await ready(server, dir);
    expect(await runJson(["send", EXAMPLE, "--duplicate", "3", "--rate", "200"], env)).toMatchObject({ accepted: 15 });
    await eventually(async () => {
      const { data } = await runJson(["events", "list", "--status", "processed"], env);
      return data.length === 5 ? true : undefined;
    });
    expect((await run(["events", "replay", "--all"], env)).out).toBe("5 events queued again.\n");
    expect((await run(["rebuild", "--check"], env)).code).toBe(0);
    const { code, out, err } = await stop(server);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const line of out.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });
});

it("a configuration with several problems is refused with all of them, and exit code 2", async () => {
  const { code, err } = await run(["serve", "--roles", "api,play"], {
    DATA_DIR: join(folder, "none"),
    DATABASE_POOL_SIZE: "1",
  });
  expect(code).toBe(2);
  expect(err).toContain("BILLHOOK_ROLES");
  expect(err).toContain("DATABASE_POOL_SIZE");
  const one = await run(["serve", "--roles", "api"], { DATA_DIR: join(folder, "none") });
  expect(one).toMatchObject({ code: 2 });
  expect(one.err).toContain("DATABASE_URL");
});
