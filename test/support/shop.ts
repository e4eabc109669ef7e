// A shop for tests: a served Billhook with its sandbox, and the example app, which sells the platform's credits, before it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Example, serveExample } from "../../examples/next-app/serve.ts";
import type { Wire } from "./api-door.ts";
import type { Kind } from "./pipe.ts";
import { readyDatabase, readyFolder } from "./ready-database.ts";
import { freePort } from "./free-port.ts";
import { serve } from "./serve.ts";

export interface Shop {
  /** Of the example app. */
  url: string;
  billhookUrl: string;
  sandboxUrl: string;
  /** The platform's, in test mode. */
  secretKey: string;
  log: () => string;
  ask(method: string, path: string, token?: string, body?: object): Promise<Wire>;
  /** One of the sandbox's control endpoints. */
  control(path: string, body: object): Promise<Wire>;
  close(): Promise<void>;
}

const CALM = { duplicate: 0, reorder: 0, delay: 0, drop: 0, forget: false };
export type Chaos = Partial<Omit<typeof CALM, "delay"> & { delay: number | { share: number; ms: number } }>;

export async function openShop(kind: Kind): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-shop-"));
  const [port, sandboxPort, shopPort] = [await freePort(), await freePort(), await freePort()];
  const billhookUrl = `http://localhost:${port}`;
  const served = await serve({
    PORT: String(port),
    SANDBOX_PORT: String(sandboxPort),
    DATA_DIR: await readyFolder(join(folder, "data")),
    FRONTEND_URL: `http://localhost:${shopPort}`,
    // The link is for people: it is in no log of a machine's.
    LOG_FORMAT: "pretty",
    ...(kind === "server" ? { DATABASE_URL: await readyDatabase() } : {}),
  });
  let example: Example | undefined;
  const close = async (): Promise<void> => {
    await example?.close();
    await served.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  const ask: Shop["ask"] = (method, path, token, body) => call(billhookUrl + path, method, token, body);
  try {
    await served.ready();
    const secretKey = await platformKey(ask, served.log);
    example = await serveExample({ port: shopPort, billhookUrl, secretKey });
    const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
    const control: Shop["control"] = (path, body) => call(`${sandboxUrl}/_sandbox/${path}`, "POST", undefined, body);
    return { url: example.url, billhookUrl, sandboxUrl, secretKey, log: served.log, ask, control, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What befalls the sandbox's webhooks from now on; nothing where nothing is said. */
export async function befall({ control }: Shop, chaos: Chaos): Promise<void> {
  await control("chaos", { ...CALM, ...chaos });
}

async function call(url: string, method: string, token?: string, body?: object): Promise<Wire> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Wire;
}

/** As whoever runs Billhook gets it: by the link that it prints at its start. */
async function platformKey(ask: Shop["ask"], log: () => string): Promise<string> {
  for (let left = 250; !/#token=\S+\s/.test(log()) && left > 0; left--) await new Promise((go) => setTimeout(go, 20));
  const token = /#token=(\S+)/.exec(log())?.[1] ?? "";
  const signedIn = await ask("POST", "/api/v1/auth/sign-in-link/", undefined, { token });
  const { access } = signedIn.tokens as { access: string };
  const body = { key_type: "test", confirm: true };
  const { keys } = await ask("POST", "/api/v1/auth/tenants/api-keys/regenerate/", access, body);
  return (keys as { test_secret: string }).test_secret;
}
