// The real Stripe CLI listens to the sandbox: `stripe listen` forwards its events, `stripe events resend` sends them again.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import Stripe from "stripe";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

import { keepConnection } from "../sandbox/connect/connection.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { openReceiver, type Received, type WebhookReceiver } from "./support/webhook-receiver.ts";

const CLI = fileURLToPath(new URL("../node_modules/@stripe/cli-linux-x64/bin/stripe", import.meta.url));
const KEY = "sk_test_1234567890abcdef";
const ACCOUNT = "acct_1ConnectedForTests0";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface RunningCli {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | null>;
}

function runCli(sandbox: OpenSandbox, words: string[]): RunningCli {
  const home = mkdtempSync(join(tmpdir(), "stripe-cli-"));
  const child = spawn(CLI, [...words, "--api-base", sandbox.url, "--api-key", KEY], {
    env: { PATH: process.env.PATH ?? "", HOME: home, STRIPE_CLI_TELEMETRY_OPTOUT: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (text += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  closing.push(async () => {
    child.kill();
    await ended;
    rmSync(home, { recursive: true });
  });
  return { child, said: () => text, ended };
}

async function listening(sandbox: OpenSandbox, words: string[]): Promise<{ cli: RunningCli; secret: string }> {
  const cli = runCli(sandbox, ["listen", "--skip-update", ...words]);
  await expect.poll(cli.said, { timeout: 15_000 }).toMatch(/Ready!.*whsec_\w+/);
  return { cli, secret: /whsec_\w+/.exec(cli.said())?.[0] ?? "" };
}

async function scene(): Promise<{ sandbox: OpenSandbox; receiver: WebhookReceiver }> {
  const [sandbox, receiver] = [await openSandbox(), await openReceiver()];
  closing.push(sandbox.close, receiver.close);
  return { sandbox, receiver };
}

function raise(sandbox: OpenSandbox, account?: string): string {
  const act = (tx: Parameters<Parameters<OpenSandbox["world"]["run"]>[0]>[0]): void =>
    tx.raise("customer.created", { id: "cus_1", object: "customer" });
  if (account === undefined) sandbox.world.run(act);
  else sandbox.world.run(act, { livemode: false, account });
  return sandbox.events().at(-1)?.id ?? "";
}

function verified(received: Received | undefined, secret: string): Stripe.Event {
  const { body = "", headers = {} } = received ?? {};
  return Stripe.webhooks.constructEvent(body, headers["stripe-signature"] ?? "", secret);
}

describe.skipIf(!existsSync(CLI))("stripe listen", () => {
  it("forwards each event once, signed with the secret it prints, and tells what the receiver answered", async () => {
    const { sandbox, receiver } = await scene();
    const { cli, secret } = await listening(sandbox, ["--all-snapshot", "--forward-to", receiver.url]);
    const id = raise(sandbox);
    const [got] = await receiver.got(1);
    expect(verified(got, secret)).toMatchObject({ id, type: "customer.created" });
    await expect.poll(cli.said).toMatch(new RegExp(`<--\\s+\\[200\\] POST \\S+ \\[${id}\\]`));
    receiver.answer(500);
    raise(sandbox);
    await expect
      .poll(async () => (await sandbox.call("GET", "/_sandbox/status")).json)
      .toMatchObject({
        listen: { listening: 1, forwarded: 1, refused: 1 },
      });
    expect(receiver.received).toHaveLength(2);
    expect(cli.said()).toContain("You are using Stripe API Version [2026-10-28.endive]");
  });

  it("forwards in the latest version, and the events of connected accounts to an address of their own", async () => {
    const { sandbox, receiver } = await scene();
    const connect = await openReceiver();
    closing.push(connect.close);
    sandbox.world.run((tx) => keepConnection(tx, ACCOUNT, { connected: true }));
    const forward = ["--forward-to", receiver.url, "--forward-connect-to", connect.url];
    const { secret } = await listening(sandbox, ["--all-snapshot", "--latest", ...forward]);
    raise(sandbox, "acct_1NotConnectedToUs00");
    raise(sandbox);
    raise(sandbox, ACCOUNT);
    await Promise.all([receiver.got(1), connect.got(1)]);
    expect(verified(connect.received[0], secret).account).toBe(ACCOUNT);
    expect(verified(receiver.received[0], secret).account).toBeUndefined();
    expect([receiver.received.length, connect.received.length]).toEqual([1, 1]);
  });

  it("forwards thin events", async () => {
    const { sandbox, receiver } = await scene();
    const { secret } = await listening(sandbox, ["--all-thin", "--forward-to", receiver.url]);
    raise(sandbox);
    const [got] = await receiver.got(1);
    const told = sandbox.stripe.parseEventNotification(got?.body ?? "", got?.headers["stripe-signature"] ?? "", secret);
    expect(told).toMatchObject({ type: "v1.customer.created", related_object: { id: "cus_1" } });
    expect(receiver.received).toHaveLength(1);
  });

  it("prints the same secret each time; `events resend` reaches who listens, and an endpoint that it names", async () => {
    const { sandbox, receiver } = await scene();
    const { secret } = await listening(sandbox, ["--all-snapshot", "--forward-to", receiver.url]);
    const print = runCli(sandbox, ["listen", "--skip-update", "--print-secret", "--all-snapshot"]);
    expect(await print.ended).toBe(0);
    expect(print.said()).toContain(secret);
    const id = raise(sandbox);
    await receiver.got(1);
    const again = runCli(sandbox, ["events", "resend", id]);
    expect(await again.ended, again.said()).toBe(0);
    await receiver.got(2);
    const endpoint = await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    const named = runCli(sandbox, ["events", "resend", id, "--webhook-endpoint", endpoint.id]);
    expect(await named.ended, named.said()).toBe(0);
    await receiver.got(3);
    expect(verified(receiver.received[2], endpoint.secret ?? "").id).toBe(id);
  });
});

it("a websocket without a session of the sandbox is refused", async () => {
  const { sandbox } = await scene();
  const address = `${sandbox.url.replace("http", "ws")}/v1/stripecli/subscribe/acct_1`;
  const refused = new Promise((resolve) => new WebSocket(address).once("error", resolve));
  expect(String(await refused)).toContain("401");
});
