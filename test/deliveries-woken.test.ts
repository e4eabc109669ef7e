// Deliveries begin when they are due, without a poll: the polls of these processes are a minute apart.
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, describe, expect, it } from "vitest";

import { type App, openApp } from "../src/app.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { readConfig } from "../src/config.ts";
import { ENDPOINTS_AT_ONCE } from "../src/outbox/delivery-turns.ts";
import {
  type Behaviour,
  newDeliverer,
  newEndpoint,
  newTenant,
  ok,
  openTarget,
  startWorker,
  type Target,
  tell,
  until,
} from "./support/delivery-scene.ts";
import { PASSWORD } from "./support/people.ts";
import { openPipe } from "./support/pipe.ts";
import { readyDatabase, readyFolder } from "./support/ready-database.ts";

const MINUTE = 60_000;
/** Far below a poll, and far above what a busy machine takes. */
const WOKEN = 20_000;

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Node {
  app: App;
  call(method: string, path: string, options?: { body?: unknown; token?: string }): Promise<Record<string, unknown>>;
  metrics(): Promise<string>;
}

async function openNode(env: Record<string, string>): Promise<Node> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-woken-"));
  if (env.DATABASE_URL === undefined) await readyFolder(folder);
  const config = readConfig({
    ...{ NODE_ENV: "test", DATA_DIR: folder, SECRET_KEY: "secret-key-of-the-tests-with-enough-characters" },
    ...{ STRIPE_WEBHOOK_SECRET: "whsec_woken_test_with_enough_characters", ...env },
  });
  const app = await openApp(config, {
    ...{ log: silentLog, operatorToken: new Secret("operator-token-of-the-tests"), webhookSecrets: [] },
    secretKeys: [new Secret("secret-key-of-the-tests-with-enough-characters")],
    ...{ version: "0.0.0-test", pollDeliveriesMs: MINUTE },
  });
  app.start();
  await app.api.listen({ host: "127.0.0.1", port: 0 });
  closing.push(async () => {
    await app.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${(app.api.server.address() as AddressInfo).port}`;
  return {
    app,
    call: async (method, path, { body, token } = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  };
}

interface Told {
  token: string;
  target: Target;
}

/** A tenant whose webhook leads to a receiver. */
async function toldTenant({ call }: Node, behave: Behaviour = ok): Promise<Told> {
  const email = `woken${Math.random().toString(36).slice(2)}@people.example`;
  const body = { company_name: "Woken", email, password: PASSWORD, domain: "company.example" };
  const { tokens } = (await call("POST", "/api/v1/auth/tenants/register/", { body })) as { tokens: { access: string } };
  const target = await openTarget(behave);
  closing.push(() => target.close());
  const token = tokens.access;
  await call("POST", "/api/v1/auth/tenants/webhooks/config/", { token, body: { webhook_url: target.url } });
  return { token, target };
}

/** What tells of two regenerated keys and of two new ones. */
const regenerate = ({ call }: Node, { token }: Told): Promise<unknown> =>
  call("POST", "/api/v1/auth/tenants/api-keys/regenerate/", { token, body: { key_type: "test", confirm: true } });

describe.each(["embedded", "server"])("on one node, %s database", (kind) => {
  it("what the API tells, a resend and a retry are delivered without a poll, and /metrics counts them", async () => {
    const node = await openNode(kind === "server" ? { DATABASE_URL: await readyDatabase() } : {});
    const told = await toldTenant(node, (response, _, nth) => {
      response.writeHead(nth === 5 ? 500 : 200).end();
    });
    const { target, token } = told;
    const began = performance.now();
    await regenerate(node, told);
    await until(() => target.got.length === 4, WOKEN);
    const [event] = target.got;

    await node.call("POST", `/api/v1/events/${String(event?.id)}/resend/`, { token, body: {} });
    await until(() => target.got.length === 5, WOKEN);
    // It was answered 500, and is due again only in some seconds.
    const waiting = async (): Promise<{ id: string }[]> => {
      const { data } = await node.call("GET", "/api/v1/deliveries/?status=pending", { token });
      return (data as { id: string; last_status_code: number | null }[]).filter((one) => one.last_status_code === 500);
    };
    await until(async () => (await waiting()).length === 1, WOKEN);
    const [delivery] = await waiting();
    await node.call("POST", `/api/v1/deliveries/${String(delivery?.id)}/retry/`, { token, body: {} });
    await until(() => target.got.length === 6, WOKEN);
    expect(target.got.slice(4).map(({ id }) => id)).toEqual([event?.id, event?.id]);
    expect(performance.now() - began).toBeLessThan(MINUTE);

    const counted = [
      ...['billhook_delivery_attempts_total{outcome="delivered"} 5', "billhook_delivery_attempt_seconds_count 6"],
      ...['billhook_delivery_attempts_total{outcome="http_5xx"} 1', "billhook_deliveries_pending 0"],
      ...['billhook_deliveries_ended_total{status="delivered"} 5', "billhook_delivery_lag_seconds_count 4"],
    ];
    await expect
      .poll(async () => (await node.metrics()).split("\n"), { timeout: WOKEN })
      .toEqual(expect.arrayContaining(counted));
  }, 120_000);

  it("what a request cancels is in /metrics", async () => {
    const node = await openNode(kind === "server" ? { DATABASE_URL: await readyDatabase() } : {});
    const told = await toldTenant(node, (response) => {
      response.writeHead(500, { "retry-after": "3600" }).end();
    });
    await regenerate(node, told);
    const waiting = async (): Promise<unknown[]> => {
      const { data } = await node.call("GET", "/api/v1/deliveries/?status=pending", { token: told.token });
      return (data as { next_attempt_at: string | null; attempts: number }[]).filter(
        (one) => one.next_attempt_at !== null && one.attempts === 1,
      );
    };
    await until(async () => (await waiting()).length === 4, WOKEN);
    await node.call("DELETE", "/api/v1/auth/tenants/webhooks/config/", { token: told.token });
    expect(await node.metrics()).toContain('billhook_deliveries_ended_total{status="canceled"} 4');
  }, 120_000);
});

it("what a node without workers tells is delivered by another node without a poll", async () => {
  const DATABASE_URL = await readyDatabase();
  await openNode({ DATABASE_URL, BILLHOOK_ROLES: "work" });
  const door = await openNode({ DATABASE_URL, BILLHOOK_ROLES: "api" });
  const told = await toldTenant(door);
  const began = performance.now();
  await regenerate(door, told);
  await until(() => told.target.got.length === 4, WOKEN);
  await door.call("POST", `/api/v1/events/${String(told.target.got[0]?.id)}/resend/`, { token: told.token, body: {} });
  await until(() => told.target.got.length === 5, WOKEN);
  expect(performance.now() - began).toBeLessThan(MINUTE);
}, 120_000);

it("what a failing endpoint gives back is claimed as soon as it is released, though a claim came between", async () => {
  const pipe = await openPipe("server");
  closing.push(() => pipe.close());
  const { database } = pipe;
  const tenant = await newTenant(database);
  const answers: ServerResponse[] = [];
  const target = await openTarget((response) => void answers.push(response));
  closing.push(() => target.close());
  await newEndpoint(database, tenant, target.url);
  await tell(database, tenant, 3);
  const worker = startWorker(database, { limits: { all: 8, perEndpoint: 4 } }, MINUTE);
  closing.push(() => worker.stop(0));
  // Two are under way, and one that was claimed ahead waits behind them.
  const count = async (where: string): Promise<number> =>
    (await database.query(`select from delivery_queue where ${where}`)).rowCount;
  await until(async () => answers.length === 2 && (await count("lease is not null")) === 3, WOKEN);
  await database.transaction(async (tx) => {
    const values = [target.got.map(({ id }) => id)];
    await tx.query({ text: "select from delivery_queue where event_id <> all ($1::text[]) for update", values });
    // Their ends wake a claim, while what they give back waits for us.
    for (const response of answers) response.writeHead(500).end();
    await until(async () => (await count("attempts = 1")) === 2, WOKEN);
    await sleep(200);
  });
  await until(() => target.got.length === 3, WOKEN);
}, 120_000);

it("an endpoint whose deliveries are all done before the next claim is given more from claim to claim", async () => {
  const pipe = await openPipe("server");
  closing.push(() => pipe.close());
  const { database } = pipe;
  const target = await openTarget(ok);
  closing.push(() => target.close());
  const tenant = await newTenant(database);
  await newEndpoint(database, tenant, target.url);
  await tell(database, tenant, 300);
  const worker = newDeliverer(database, { limits: { all: 256, perEndpoint: 16 } });
  closing.push(() => worker.stop(0));
  const held = "select from delivery_queue where lease is not null";
  let claims = 0;
  for (; target.got.length < 300 && claims < 300; claims += 1) {
    await worker.run();
    await until(async () => (await database.query(held)).rowCount === 0, WOKEN);
  }
  // Two each time, as for an endpoint that nobody knows yet, would be 150 claims.
  expect(target.got.length).toBe(300);
  expect(claims).toBeLessThan(50);
}, 120_000);

it("a backlog is delivered without a poll beside more endpoints than one look takes, of which nothing is due", async () => {
  const pipe = await openPipe("server");
  closing.push(() => pipe.close());
  const { database } = pipe;
  const target = await openTarget((response) => void setTimeout(() => response.end(), 10));
  closing.push(() => target.close());
  const [busy, quiet] = [await newTenant(database), await newTenant(database)];
  // Ids sort by time: it is in the first look.
  await newEndpoint(database, busy, target.url);
  for (let number = 0; number < 2 * ENDPOINTS_AT_ONCE; number += 1) await newEndpoint(database, quiet, target.url);
  await tell(database, quiet, 1);
  await database.query("update delivery_queue set next_attempt_at = now() + interval '1 day'");
  await tell(database, busy, 300);
  const worker = startWorker(database, { limits: { all: 256, perEndpoint: 16 } }, MINUTE);
  closing.push(() => worker.stop(0));
  await until(() => target.got.length === 300, WOKEN);
}, 120_000);
