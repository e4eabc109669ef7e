// Tenants with endpoints, events that are told, receivers that behave as they are told, and the worker that delivers.
import { randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { keyRing } from "../../src/base/key-ring.ts";
import { silentLog } from "../../src/base/log.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Database } from "../../src/db/database.ts";
import type { AddressPolicy } from "../../src/outbox/address-policy.ts";
import { type Deliverer, deliverer, type DeliverOptions } from "../../src/outbox/deliver.ts";
import { newWebhookSecret, sealSecret } from "../../src/outbox/endpoint-secrets.ts";
import { insertEndpoint, type Ordering } from "../../src/outbox/endpoint-table.ts";
import { publishEvents } from "../../src/outbox/event-table.ts";
import { claimLoop } from "../../src/work/claim-loop.ts";

export const RING = keyRing([new Secret("secret_key_of_the_tests_with_enough_characters")]);
const LOOPBACK: AddressPolicy = { loopback: true, allowed: [], ports: undefined };

export interface SceneEndpoint {
  tenantId: string;
  id: string;
  secret: string;
}

export async function newTenant(database: Database, companyName = "Acme"): Promise<string> {
  const id = newId("ten");
  await database.query({ text: "insert into tenants (id, company_name) values ($1, $2)", values: [id, companyName] });
  return id;
}

/** Somebody of the tenant whom mails reach. */
export async function newMember(database: Database, tenantId: string, role: string, email: string): Promise<void> {
  const id = newId("usr");
  await database.query({
    text: "insert into people (id, email, name, password_hash) values ($1, $2, 'Ada', '')",
    values: [id, email],
  });
  await database.query({
    text: "insert into memberships (tenant_id, person_id, role) values ($1, $2, $3)",
    values: [tenantId, id, role],
  });
}

export async function newEndpoint(
  database: Database,
  tenantId: string,
  url: string | null,
  more: { enabledEvents?: string[]; livemode?: boolean | null; ordering?: Ordering; first?: boolean } = {},
): Promise<SceneEndpoint> {
  const secret = newWebhookSecret();
  const endpoint = {
    ...{ tenantId, id: newId("whe"), first: false, url, description: null, enabledEvents: ["*"], livemode: null },
    ...{ ordering: "none" as const, ed25519Sealed: null, secretSealed: sealSecret(RING, tenantId, secret), ...more },
  };
  await insertEndpoint(database, endpoint);
  return { tenantId, id: endpoint.id, secret };
}

/** Tells of so many paid invoices, in one commit. `objectOf`: whose the n-th is. */
export async function tell(
  database: Database,
  tenantId: string,
  count: number,
  {
    livemode = false,
    objectOf = (n: number) => `in_${n}`,
  }: { livemode?: boolean; objectOf?: (n: number) => string } = {},
): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({
    ...{ tenantId, livemode, type: "invoice.paid", objectType: "invoice", objectId: objectOf(n), created: new Date() },
    object: { id: objectOf(n), number: n },
  }));
  await database.transaction((tx) => publishEvents(tx, events));
}

export interface Worker {
  deliverer: Deliverer;
  wake(): void;
  stop(graceMs?: number): Promise<void>;
}

/** One that nothing runs yet. */
export function newDeliverer(database: Database, more: Partial<DeliverOptions> = {}): Deliverer {
  return deliverer({
    ...{ database, clock: systemClock, log: silentLog, ring: RING, policy: LOOPBACK },
    limits: { all: 64, perEndpoint: 8 },
    leaseSeconds: 5,
    newLease: () => newId("clm"),
    frontendUrl: "https://app.example.com",
    metrics: { attempted: () => undefined, ended: () => undefined, canceled: () => undefined },
    onError: () => undefined,
    onFree: () => undefined,
    ...more,
  });
}

/** Polls so often that nothing needs to wake it, unless `pollEvery` says otherwise: milliseconds. */
export function startWorker(database: Database, more: Partial<DeliverOptions> = {}, pollEvery = 50): Worker {
  const onFree = (): void => {
    loop.wake();
  };
  const worker = newDeliverer(database, { onFree, ...more });
  const loop = claimLoop({
    name: "webhooks",
    run: () => worker.run(),
    concurrency: 1,
    pollEvery,
    gatherFor: (found) => (found === "full" ? 2 : 0),
    pauseAfterError: 100,
    onError: more.onError ?? (() => undefined),
  });
  return {
    deliverer: worker,
    wake: () => {
      loop.wake();
    },
    stop: async (graceMs = 2000) => {
      await Promise.all([worker.stop(graceMs), loop.stop()]);
    },
  };
}

export interface Got {
  id: string;
  at: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Target {
  url: string;
  got: Got[];
  /** How many requests are open now, and were at most. */
  open: () => number;
  most: () => number;
  close(): Promise<void>;
}

export type Behaviour = (response: ServerResponse, got: Got, nth: number) => void;

export const ok: Behaviour = (response) => {
  response.end("ok");
};

/** A receiver on loopback. */
export async function openTarget(behave: Behaviour = ok): Promise<Target> {
  const got: Got[] = [];
  let [open, most] = [0, 0];
  const server = createServer((request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.once("close", () => (open -= 1));
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.once("end", () => {
      const body = Buffer.concat(pieces).toString("utf8");
      const one = { id: String(request.headers["webhook-id"]), at: performance.now(), headers: request.headers, body };
      got.push(one);
      behave(response, one, got.length);
    });
  });
  server.on("clientError", (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${randomBytes(3).toString("hex")}`,
    got,
    open: () => open,
    most: () => most,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Waits until it is so, or fails. */
export async function until(what: () => boolean | Promise<boolean>, atMostMs = 15_000): Promise<void> {
  const end = performance.now() + atMostMs;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`it was not so within ${atMostMs} ms: ${what.toString()}`);
    await sleep(10);
  }
}

/** As many of this tenant's deliveries as have each status. */
export async function statuses(database: Database, tenantId: string): Promise<Record<string, number>> {
  const { rows } = await database.query<{ status: string; count: number }>({
    text: "select status, count(*) as count from deliveries where tenant_id = $1 group by status",
    values: [tenantId],
  });
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** Makes what waits due: time passes for a test. */
export async function makeDue(database: Database): Promise<void> {
  await database.query("update delivery_queue set next_attempt_at = now() where lease is null");
}
