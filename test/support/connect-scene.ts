// A door whose Stripe is a sandbox, and a tenant's owner who goes through the sandbox's pages over HTTP, for tests.
import type { EndpointRegistration } from "../../sandbox/sandbox.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Secret } from "../../src/base/secret.ts";
import { enqueueRoutable } from "../../src/inbox/event-tables.ts";
import { type StripeAccess, stripeAccess } from "../../src/stripe/access.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET, type Wire } from "./api-door.ts";
import { send, type TestTenant } from "./people.ts";
import type { Kind } from "./pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./sandbox.ts";

export const STRIPE = "/api/v1/auth/tenants/stripe";

export interface ConnectScene {
  door: Door;
  sandbox: OpenSandbox;
  /** Stripe cannot be reached; or its answer to the next call comes, and the process dies with it. */
  trouble: { unreachable: boolean; crash: boolean; /** Nothing can be fetched. */ blind: boolean };
  /** Ours, as the sandbox has it registered. */
  endpoint: EndpointRegistration;
  /** Processes what is in the queue. */
  drain(): Promise<void>;
  /** Delivers what the sandbox has to tell, and processes it. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface SceneOptions {
  clientIds?: { live?: string; test?: string };
}

export async function openConnectScene(
  kind: Kind,
  { clientIds = { test: "ca_OfTheTests" } }: SceneOptions = {},
): Promise<ConnectScene> {
  const sandbox = await openSandbox();
  const trouble = { unreachable: false, crash: false, blind: false };
  let draining: Promise<void> = Promise.resolve();
  let closing = false;
  const drain = (): Promise<void> => {
    // What wakes the worker while the scene closes comes too late: its database is about to go.
    if (!closing) draining = draining.then(() => door.pipe.drain());
    return draining;
  };
  const door: Door = await openDoor(kind, {
    deps: {
      stripe: troubled(access(sandbox.url), access("http://127.0.0.1:9"), trouble),
      connect: { method: "account_link", clientIds, oauthBase: sandbox.url },
      wake: () => void drain(),
      tryLimits: WIDE_LIMITS,
    },
  });
  const endpoint = { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true };
  sandbox.register([endpoint]);
  const settle = async (): Promise<void> => {
    await sandbox.idle(10_000);
    await drain();
    await enqueueRoutable(door.pipe.database, 1000);
    await drain();
  };
  const close = async (): Promise<void> => {
    closing = true;
    await sandbox.close();
    await draining;
    await door.close();
  };
  return { door, sandbox, endpoint, trouble, drain, settle, close };
}

const access = (apiBase: string): StripeAccess =>
  stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase, clock: systemClock });

function troubled(stripe: StripeAccess, nobody: StripeAccess, trouble: ConnectScene["trouble"]): StripeAccess {
  const asked = (): StripeAccess => (trouble.unreachable ? nobody : stripe);
  return {
    ...stripe,
    client: (livemode) => asked().client(livemode),
    retrieve: async (livemode, wanted) =>
      trouble.blind ? { outcome: "retry", reason: "blind" } : asked().retrieve(livemode, wanted),
    call: async (target, ask) => {
      const answer = await asked().call(target, ask);
      if (!trouble.crash) return answer;
      trouble.crash = false;
      throw new Error("the process died");
    },
  };
}

const WIDE = { tries: 100_000, seconds: 60 };
const LIMIT = { address: WIDE, source: WIDE };
const WIDE_LIMITS = { sign_in: LIMIT, reset: LIMIT, invitation: LIMIT, registration: LIMIT, token: LIMIT };

export async function connect(scene: ConnectScene, tenant: TestTenant, body?: object): Promise<Wire> {
  const answer = await send(scene.door, "POST", `${STRIPE}/connect/`, { token: tenant.access, body });
  if (answer.status !== 200) throw new Error(`connect: ${answer.status} ${answer.text}`);
  return answer.json;
}

export const status = (scene: ConnectScene, tenant: TestTenant): Promise<Answer> =>
  send(scene.door, "GET", `${STRIPE}/status/`, { token: tenant.access });

export const disconnect = (scene: ConnectScene, tenant: TestTenant): Promise<Answer> =>
  send(scene.door, "POST", `${STRIPE}/disconnect/`, { token: tenant.access });

/** The sandbox's onboarding pages to their end; returns the address that they lead back to. */
export async function onboard(
  url: unknown,
  act: "complete" | "complete_with_open_points" | "leave" = "complete",
): Promise<string> {
  const page = await fetch(String(url), { redirect: "manual" });
  if (page.status !== 200) return page.headers.get("location") ?? "";
  const session = /name="session" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
  const form = {
    session,
    act,
    name: "Jenny Rosen",
    email: "jenny@example.com",
    business_type: "individual",
    bank: "yes",
  };
  return posted(String(url), form);
}

/** The sandbox's consent page answered; returns the address that it leads back to. */
export async function consent(
  url: unknown,
  form: Record<string, string> = { act: "allow", account: "new" },
): Promise<string> {
  const { origin, pathname, searchParams } = new URL(String(url));
  return posted(`${origin}${pathname}`, { ...Object.fromEntries(searchParams), ...form });
}

async function posted(url: string, form: Record<string, string>): Promise<string> {
  const body = new URLSearchParams(form);
  const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
  return answer.headers.get("location") ?? "";
}

/** Follows an address that Stripe leads back to, which names our public address and not the door's port. */
export async function comeBack(
  scene: ConnectScene,
  location: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { pathname, search } = new URL(location);
  const response = await fetch(scene.door.url + pathname + search, { redirect: "manual", headers });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, headers: response.headers, text, json: isJson ? (JSON.parse(text) as Wire) : {} };
}

export const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** Connected by OAuth, with an account that works unless the form says otherwise; returns the account's id. */
export async function connectedByOAuth(
  scene: ConnectScene,
  tenant: TestTenant,
  form?: Record<string, string>,
): Promise<string> {
  const { url } = await connect(scene, tenant, { method: "oauth" });
  const answer = await comeBack(scene, await consent(url, form));
  if (answer.status !== 200) throw new Error(`callback: ${answer.status} ${answer.text}`);
  return String(answer.json.account_id);
}
