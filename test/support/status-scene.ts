// Somebody who buys and waits, for tests: the door, Stripe's sandbox behind it, purchases, and what is asked of their status.
import type Stripe from "stripe";

import type { AccountScope } from "../../src/accounts/account-sessions.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Secret } from "../../src/base/secret.ts";
import { recordStatusId } from "../../src/billing/status-grants.ts";
import { statusUrl } from "../../src/billing/status-url.ts";
import { recordSession } from "../../src/credits/purchase-table.ts";
import { tenantScope } from "../../src/db/tenant-scope.ts";
import { observe } from "../../src/inbox/observe.ts";
import type { WantedObject } from "../../src/stripe/retrieve.ts";
import { type StripeAccess, stripeAccess } from "../../src/stripe/access.ts";
import { endKeys, makeKeys } from "../../src/tenants/api-keys.ts";
import type { KeyType } from "../../src/tenants/key-format.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET } from "./api-door.ts";
import { send } from "./people.ts";
import type { Kind } from "./pipe.ts";
import { makeAccount, makePurchase } from "./purchase-lives.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./sandbox.ts";

export interface StatusScene {
  door: Door;
  sandbox: OpenSandbox;
  /** What was read from the sandbox, in order. */
  pulled: string[];
  /** Whether its events reach us; at first they are lost. */
  deliver(on: boolean): void;
  drain(): Promise<void>;
  /** Delivers what is on its way and processes it. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface SceneOptions {
  /** Of our calls to Stripe. */
  access?: (stripe: StripeAccess) => StripeAccess;
}

export async function openStatusScene(
  kind: Kind,
  { access = (same) => same }: SceneOptions = {},
): Promise<StatusScene> {
  const sandbox = await openSandbox();
  const pulled: string[] = [];
  const real = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: sandbox.url, clock: systemClock });
  const stripe = access({
    ...real,
    retrieve: (livemode, wanted: WantedObject) => {
      pulled.push(wanted.objectId);
      return real.retrieve(livemode, wanted);
    },
  });
  let draining: Promise<void> = Promise.resolve();
  let closing = false;
  const drain = (): Promise<void> => {
    // What is still read from the sandbox while the scene closes comes too late: its database is about to go.
    if (!closing)
      draining = draining.then(() => door.pipe.drain({ committed: (objects) => door.deps.status.changed(objects) }));
    return draining;
  };
  const door = await openDoor(kind, {
    deps: { stripe, wake: () => void drain() },
    receive: { onStored: () => void drain() },
  });
  const endpoint = { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: false };
  return {
    door,
    sandbox,
    pulled,
    deliver: (on) => {
      sandbox.register(on ? [endpoint] : []);
    },
    drain,
    settle: async () => {
      await sandbox.idle(10_000);
      await drain();
    },
    close: async () => {
      closing = true;
      await sandbox.close();
      await draining;
      await door.close();
    },
  };
}

/** An account of the platform; of this person, where one is named. */
export async function accountOf({ door }: StatusScene, personId?: string): Promise<string> {
  const { database, platformTenant } = door.pipe;
  const accountId = await makeAccount(database, platformTenant);
  if (personId !== undefined) {
    const values = [accountId, personId];
    await database.query({ text: "update accounts set person_id = $2 where id = $1", values });
  }
  return accountId;
}

/** A session for an account of the platform, and what ends the key that asked for it. */
export async function accountSession({ door }: StatusScene, accountId: string, scopes: readonly AccountScope[]) {
  const { database, platformTenant: tenantId } = door.pipe;
  const types: KeyType[] = ["test_secret"];
  const keys = await database.transaction((tx) => makeKeys(tx, { tenantId, types, brand: "", by: null }));
  const path = `/api/v1/accounts/${accountId}/session/`;
  const { json } = await send(door, "POST", path, { token: keys.test_secret, body: { scopes } });
  const end = { tenantId, types, reason: "stolen", graceSeconds: 0, told: "key.revoked" } as const;
  return { token: String(json.token), endKey: () => database.transaction((tx) => endKeys(tx, end)) };
}

export interface Bought {
  session: Stripe.Checkout.Session;
  /** Path and query of its status_url. */
  path: string;
  accountId: string;
}

/** A checkout session of 100 credits, recorded as a purchase is: before Stripe is asked, and when it has answered. */
export async function buy(scene: StatusScene, accountId: string): Promise<Bought> {
  const { door, sandbox } = scene;
  const { database, platformTenant: tenantId } = door.pipe;
  const { id } = await makePurchase(database, { tenantId, accountId }, { sessionId: null });
  const session = await sandbox.stripe.checkout.sessions.create({
    mode: "payment",
    client_reference_id: id,
    success_url: "https://shop.example/done",
    line_items: [
      { price_data: { currency: "usd", unit_amount: 1000, product_data: { name: "Credits" } }, quantity: 1 },
    ],
  });
  await tenantScope(door.apiDatabase, { tenantId }).transaction(async (tx) => {
    await recordSession(tx, { tenantId, livemode: false, id }, session.id);
    await recordStatusId(tx, grantOf(tenantId, accountId, session.id));
  });
  return { session, path: pathOf(scene, session.id), accountId };
}

export function grantOf(tenantId: string, accountId: string | null, objectId: string) {
  return { tenantId, livemode: false, stripeAccount: "", accountId, objectId };
}

/** Path and query of a status_url for an object of the platform's. */
export function pathOf({ door }: StatusScene, objectId: string): string {
  const { platformTenant: tenantId } = door.pipe;
  const { pathname, search } = new URL(
    statusUrl(door.deps, { tenantId, livemode: false, stripeAccount: "", objectId }),
  );
  return pathname + search;
}

/** Pays a session as Stripe's own page does. */
export async function pay({ sandbox }: StatusScene, sessionId: string, method = "pm_card_visa"): Promise<void> {
  const form = new URLSearchParams({ payment_method: method }).toString();
  const answer = await sandbox.call("POST", `/v1/payment_pages/${sessionId}/confirm`, form);
  if (answer.status >= 500) throw new Error(answer.text);
}

/** Stores an object as our own question to Stripe was answered. */
export async function told({ door, sandbox, drain }: StatusScene, path: string): Promise<void> {
  const { json } = await sandbox.call("GET", path);
  const asOf = Math.floor(Date.now() / 1000) - 2;
  const fetched = { livemode: false, account: "", object: json, asOf, apiVersion: null };
  await observe(door.pipe.database, [fetched], door.pipe.platformTenant);
  await drain();
}

export const ask = ({ door }: StatusScene, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  send(door, "GET", path, { headers });

export const waiting = (path: string, seconds = 25): string =>
  `${path}${path.includes("?") ? "&" : "?"}wait=${String(seconds)}`;

export interface Stream {
  status: number;
  headers: Headers;
  /** Everything that has come. */
  text(): string;
  /** Resolves when what has come matches, or fails after so many milliseconds. */
  until(pattern: RegExp, milliseconds?: number): Promise<void>;
  ended: Promise<void>;
  close(): void;
}

export async function openStream(
  scene: StatusScene,
  path: string,
  headers: Record<string, string> = {},
): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetch(scene.door.url + path, {
    headers: { accept: "text/event-stream", ...headers },
    signal: controller.signal,
  });
  let text = "";
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => undefined);
  const until = async (pattern: RegExp, milliseconds = 8000): Promise<void> => {
    const limit = Date.now() + milliseconds;
    while (!pattern.test(text)) {
      if (Date.now() > limit) throw new Error(`${String(pattern)} did not come: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    until,
    ended,
    close: () => {
      controller.abort();
    },
  };
}
