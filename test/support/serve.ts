// A real `billhook serve` as a child process, for tests that kill it, stop it, or run several.
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { compileCache } from "./compile-cache.ts";
import { freePort } from "./free-port.ts";
import { readyFolder } from "./ready-database.ts";

export const SECRET = "whsec_platform_of_the_tests";
export const SECRET_KEY = "secret_key_of_the_tests_with_enough_characters";
export const OPERATOR_TOKEN = "operator_token_of_the_tests";

const LAUNCHER = join(import.meta.dirname, "../../bin/billhook.mjs");

export interface Served {
  child: ChildProcess;
  url: string;
  log: () => string;
  /** Resolves when /readyz answers 200. Rejects with the log when the process ends before. */
  ready: () => Promise<void>;
  /** Sends a signal and waits for the end. Resolves to the exit code, or the signal's name. */
  end: (signal: NodeJS.Signals) => Promise<number | string>;
}

/** An embedded database that is not there yet is migrated already: a first start takes 3 s of processor time more. */
export async function serve(env: Record<string, string>): Promise<Served> {
  const { DATABASE_URL: server, DATA_DIR: folder } = env;
  if (server === undefined && folder !== undefined && !existsSync(join(folder, "postgres"))) await readyFolder(folder);
  const port = env.PORT ?? String(await freePort());
  const child = spawn(process.execPath, [LAUNCHER, "serve"], {
    env: {
      PATH: process.env.PATH,
      ...compileCache(),
      NODE_ENV: "test",
      PORT: port,
      STRIPE_WEBHOOK_SECRET: SECRET,
      OPERATOR_TOKEN,
      SECRET_KEY,
      SANDBOX_PORT: "off",
      LOG_FORMAT: "json",
      LOG_LEVEL: "warn",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  const url = `http://127.0.0.1:${port}`;
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    url,
    log: () => text,
    ready: async () => {
      for (let left = 1500; left > 0; left--) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${text}`);
        const response = await fetch(`${url}/readyz`).catch(() => undefined);
        await response?.arrayBuffer();
        if (response?.status === 200) return;
        await sleep(20);
      }
      throw new Error(`the server did not become ready: ${text}`);
    },
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code, by] = await ended;
      return code ?? by ?? "";
    },
  };
}

export function signed(body: string, secret = SECRET, at = Math.floor(Date.now() / 1000)): string {
  return `t=${at},v1=${createHmac("sha256", secret).update(`${at}.${body}`).digest("hex")}`;
}

/** No process listens: the event was not sent. */
export const REFUSED = -1;
/** The connection ended before its answer: whether the event was stored is not known, and nobody was told that it was. */
export const BROKEN = 0;

/** Posts a signed event; the status, REFUSED or BROKEN. */
export async function post(url: string, body: string, secret = SECRET): Promise<number> {
  try {
    const response = await fetch(`${url}/stripe/webhook/`, {
      method: "POST",
      headers: { "content-type": "application/json", "stripe-signature": signed(body, secret) },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return refused(error) ? REFUSED : BROKEN;
  }
}

/** fetch tells the reason in its error's cause. */
function refused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}
