// Connecting a Stripe account as its owner does it: a served Billhook with its sandbox, and a browser that goes where it is sent.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";

import type { Wire } from "./api-door.ts";
import { builtDashboard } from "./dashboard-build.ts";
import type { Kind } from "./pipe.ts";
import { readyDatabase, readyFolder } from "./ready-database.ts";
import { freePort } from "./free-port.ts";
import { serve } from "./serve.ts";

export const STRIPE_PATH = "/api/v1/auth/tenants/stripe";

export interface ServedConnect {
  /** As people write it: `http://localhost:8000`, which is PUBLIC_URL too. */
  url: string;
  sandboxUrl: string;
  log: () => string;
  ask(method: string, path: string, token?: string, body?: object): Promise<{ status: number; json: Wire }>;
  /** A new tenant's owner: an access token. */
  owner(): Promise<string>;
  close(): Promise<void>;
}

/** A `billhook serve` with its own sandbox, as `npm start` has it, on either database. */
export async function serveConnect(kind: Kind, env: Record<string, string> = {}): Promise<ServedConnect> {
  await builtDashboard();
  const folder = mkdtempSync(join(tmpdir(), "billhook-visit-"));
  const [port, sandboxPort] = [String(await freePort()), String(await freePort())];
  const served = await serve({
    PORT: port,
    SANDBOX_PORT: sandboxPort,
    DATA_DIR: await readyFolder(join(folder, "data")),
    // So that a secret would show in it.
    LOG_LEVEL: "debug",
    ...(kind === "server" ? { DATABASE_URL: await readyDatabase() } : {}),
    ...env,
  });
  const close = async (): Promise<void> => {
    await served.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  await served.ready().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const url = `http://localhost:${port}`;
  const ask: ServedConnect["ask"] = async (method, path, token, body) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Wire };
  };
  let owners = 0;
  const owner = async (): Promise<string> => {
    owners += 1;
    const email = `owner${String(owners)}@visit.example`;
    const body = { company_name: "Visit", email, password: "Correct-Horse-9-Battery", domain: "visit.example" };
    const { json } = await ask("POST", "/api/v1/auth/tenants/register/", undefined, body);
    return (json.tokens as { access: string }).access;
  };
  return { url, sandboxUrl: `http://127.0.0.1:${sandboxPort}`, log: served.log, ask, owner, close };
}

/** A redirect that the browser was given, and where it led. */
export interface Hop {
  status: number;
  from: URL;
  to: URL;
  referrerPolicy: string | undefined;
}

/** Every redirect that the page is given from now on, in turn. */
export function watchHops(page: Page): Hop[] {
  const hops: Hop[] = [];
  page.on("response", (response) => {
    const { location, "referrer-policy": referrerPolicy } = response.headers();
    if (location === undefined) return;
    const from = new URL(response.url());
    hops.push({ status: response.status(), from, to: new URL(location, from), referrerPolicy });
  });
  return hops;
}

/**
 * What the dashboard is told in the end: the query with which the browser comes to it. Nobody is signed in there: once its
 * script runs it leads to the sign-in, and on from there. Only then nothing is on its way any more.
 */
export async function arrival(page: Page): Promise<Record<string, string>> {
  const placeOf = (url: URL): URL => new URL(url.searchParams.get("next") ?? "/", url);
  await page.waitForURL((url) => url.pathname === "/sign-in" && placeOf(url).pathname === "/dashboard/connect");
  return Object.fromEntries(placeOf(new URL(page.url())).searchParams);
}
