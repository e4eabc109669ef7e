// Mails of a real process: by Mailgun as its environment says, or kept and read with the command line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, expect, it } from "vitest";

import { compileCache } from "./support/compile-cache.ts";
import { MAILGUN_DOMAIN, MAILGUN_KEY, openMailgunServer } from "./support/mailgun-server.ts";
import { OPERATOR_TOKEN, serve } from "./support/serve.ts";
import type { Served } from "./support/serve.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-mails-"));
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

async function register(server: Served, email: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/auth/register/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: "Correct-Horse-9-Battery", name: "Ada" }),
  });
  expect(answer.status).toBe(201);
}

async function billhook(server: Served, ...words: string[]): Promise<{ code: unknown; out: string }> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...compileCache(), NODE_ENV: "test", OPERATOR_TOKEN, BILLHOOK_URL: server.url };
  const child = spawn(process.execPath, ["bin/billhook.mjs", ...words], { env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString("utf8")));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, out };
}

it("a stranger without a mail server finds the link with `billhook mails`", async () => {
  const server = await start({ DATA_DIR: join(folder, "kept"), PRODUCT_NAME: "Acme", LOG_LEVEL: "error" });
  await register(server, "ada@people.example");
  const kept = (): Promise<{ out: string }> => billhook(server, "mails", "list", "--status", "kept");
  await expect.poll(async () => (await kept()).out, { timeout: 20_000, interval: 500 }).toContain("verify_address");
  const id = /mail_\w+/.exec((await kept()).out)?.[0] ?? "";
  const { code, out } = await billhook(server, "mails", "show", id);
  expect(code).toBe(0);
  expect(out).toContain("ada@people.example");
  expect(out).toContain("Confirm your e-mail address for Acme\n\nConfirm your e-mail address\n\nHello Ada,");
  expect(out).toMatch(/Confirm the address:\nhttp:\/\/\S+#token=\S+\n/);
  const retried = await billhook(server, "mails", "retry", id);
  expect([retried.code, retried.out]).toEqual([0, `${id} is queued again.\n`]);
  expect((await billhook(server, "mails", "retry", "mail_none")).code).toBe(1);
});

it("with MAILGUN_* set the process sends by Mailgun, under its product's name", async () => {
  const mailgun = await openMailgunServer();
  const server = await start({
    DATA_DIR: join(folder, "mailgun"),
    MAILGUN_API_KEY: MAILGUN_KEY,
    MAILGUN_DOMAIN,
    MAILGUN_SENDER_EMAIL: "Acme <billing@acme.example>",
    MAILGUN_API_BASE: mailgun.url,
    PRODUCT_NAME: "Acme",
  });
  await register(server, "bob@people.example");
  await expect.poll(() => mailgun.received.length, { timeout: 20_000 }).toBe(1);
  expect(mailgun.received).toMatchObject([
    { to: "bob@people.example", from: "Acme <billing@acme.example>", subject: "Confirm your e-mail address for Acme" },
  ]);
  expect(server.log()).not.toMatch(/bob@people|#token=/);
  await mailgun.close();
});
