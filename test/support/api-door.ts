// The HTTP door on a real database and a real port, for tests: what is sent goes over a socket.
import { createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";

import type { FastifyInstance } from "fastify";

import { buildApi } from "../../src/api/server.ts";
import type { Route } from "../../src/api/route.ts";
import { ROUTES } from "../../src/api/routes.ts";
import type { ApiDependencies } from "../../src/api/server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { statusWatch } from "../../src/billing/status-watch.ts";
import { readConfig } from "../../src/config.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Database } from "../../src/db/database.ts";
import { creditDesk } from "../../src/credits/credit-requests.ts";
import { receiver } from "../../src/inbox/receive.ts";
import type { ReceiveOptions } from "../../src/inbox/receive.ts";
import { stripeAccess } from "../../src/stripe/access.ts";
import { keyUse } from "../../src/tenants/key-use.ts";
import { openPeople } from "../../src/tenants/open-people.ts";
import { openApiHandle } from "./api-login.ts";
import { watchOwner } from "./owner-uses.ts";
import { type Kind, openPipe, type Pipe } from "./pipe.ts";

export const SIGNING_SECRET = "whsec_door_test";
export const SECRET_KEY = "secret-key-of-the-tests-with-enough-characters";
export const PUBLIC_URL = "http://localhost:8000";
export const OPERATOR_TOKEN = "operator-token-of-the-tests";

/** A JSON object whose fields the test asks for. */
export type Wire = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** {} for what is not JSON. */
  json: Wire;
}

export interface LogLine extends LogFields {
  level: string;
  message: string;
}

export interface Door {
  pipe: Pipe;
  /** What scopes are made of: on a server the API's own login. */
  apiDatabase: Database;
  api: FastifyInstance;
  /** What the routes work with: for another node beside this one. */
  deps: ApiDependencies;
  url: string;
  port: number;
  /** What was logged, newest last. */
  lines: LogLine[];
  /** Codes of webhook requests that were refused. */
  refused: string[];
  call(
    method: string,
    path: string,
    options?: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** As the operator; an object becomes a JSON body. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Sends a signed body to a webhook address. */
  webhook(body: string | Buffer, headers?: Record<string, string>, path?: string): Promise<Answer>;
  /** Writes bytes to a new connection, and gives what came back when it is closed or `until` has come. */
  raw(
    bytes: string | Buffer | readonly (string | Buffer)[],
    options?: { until?: RegExp; milliseconds?: number },
  ): Promise<string>;
  storedEvents(): Promise<number>;
  close(): Promise<void>;
}

export function signature(
  body: string | Buffer,
  secret = SIGNING_SECRET,
  time = Math.floor(Date.now() / 1000),
): string {
  const mac = createHmac("sha256", secret).update(`${time}.`).update(body).digest("hex");
  return `t=${time},v1=${mac}`;
}

export interface DoorOptions {
  deps?: Partial<ApiDependencies> | ((database: Database) => Partial<ApiDependencies>);
  receive?: Partial<ReceiveOptions>;
  /** Instead of those of api/routes.ts. */
  routes?: readonly Route[];
}

export async function openDoor(kind: Kind, { deps, receive, routes }: DoorOptions = {}): Promise<Door> {
  const pipe = await openPipe(kind);
  const apiHandle = await openApiHandle(pipe.database, pipe.url);
  const owner = watchOwner(pipe.database);
  const lines: LogLine[] = [];
  const refused: string[] = [];
  const base: Omit<ApiDependencies, "status"> = {
    database: owner.database,
    apiDatabase: apiHandle.database,
    stripe: stripeAccess({ keys: {}, clock: systemClock }),
    connect: { method: "account_link", clientIds: {}, oauthBase: "http://127.0.0.1:9" },
    mail: { productName: undefined, showsOneTimeLinks: true },
    log: recordingLog(lines),
    clock: systemClock,
    receiver: receiver({ ...receiveOptions(pipe, lines), ...receive }),
    operatorToken: new Secret(OPERATOR_TOKEN),
    readiness: async () => ({ ready: true, checks: { database: "reachable" } }),
    metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "billhook_up 1\n" }),
    wake: () => undefined,
    wakeDeliveries: () => undefined,
    deliveriesCanceled: () => undefined,
    addressPolicy: { loopback: true, allowed: [], ports: undefined },
    deliveriesRetentionDays: 36_500,
    platformTenant: pipe.platformTenant,
    people: openPeople({
      ...{ database: owner.database, clock: systemClock, secretKeys: [new Secret(SECRET_KEY)], keyBrand: "" },
      ...{ publicUrl: PUBLIC_URL, frontendUrl: PUBLIC_URL },
    }),
    keyUse: keyUse(pipe.database, systemClock),
    // Nobody listens there.
    doctor: {
      config: readConfig({ PUBLIC_URL: "http://127.0.0.1:9" }),
      webhookSecrets: [],
      flushReceipts: async () => undefined,
    },
    livemode: false,
    platformFeePercent: 15,
    credits: creditDesk(),
    trialCredits: 0,
    corsOrigins: [PUBLIC_URL],
    publicUrl: PUBLIC_URL,
    stopping: () => false,
    version: "0.0.0-test",
    refused: (code) => refused.push(code),
    ...(typeof deps === "function" ? deps(pipe.database) : deps),
  };
  const { stripe, clock, log, platformTenant, wake } = base;
  const status = statusWatch({ database: pipe.database, stripe, clock, log, platformTenant, wake });
  const allDeps: ApiDependencies = { status, ...base };
  const api = buildApi(allDeps, routes);
  api.addHook("preHandler", ({ method, routeOptions: { url: path } }, _reply, done) => {
    owner.during((routes ?? ROUTES).find(isRoute(method, path)), done);
  });
  await api.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const call: Door["call"] = async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  return {
    pipe,
    apiDatabase: apiHandle.database,
    api,
    deps: allDeps,
    url,
    port,
    lines,
    refused,
    call,
    admin: (method, path, body) =>
      call(method, `/api/v1/admin/${path}`, {
        headers: {
          authorization: `Bearer ${OPERATOR_TOKEN}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    webhook: (body, headers = {}, path = "/stripe/webhook/") =>
      call("POST", path, {
        body: new Uint8Array(Buffer.from(body)),
        headers: { "content-type": "application/json", "stripe-signature": signature(body), ...headers },
      }),
    raw: (bytes, options) => exchange(port, bytes, options),
    storedEvents: async () => {
      const { rows } = await pipe.database.query<{ count: number }>("select count(*) as count from stripe_events");
      return rows[0]?.count ?? 0;
    },
    close: async () => {
      await api.close();
      await apiHandle.close();
      await pipe.close();
      owner.check();
    },
  };
}

const isRoute =
  (method: string, path: string | undefined) =>
  (route: Route): boolean =>
    route.path === path && (route.method === method || (method === "HEAD" && route.method === "GET"));

function receiveOptions(pipe: Pipe, lines: LogLine[]): ReceiveOptions {
  return {
    database: pipe.database,
    clock: systemClock,
    log: recordingLog(lines),
    secrets: [{ secret: SIGNING_SECRET, name: "STRIPE_WEBHOOK_SECRET" }],
    allowUnsigned: false,
    platformTenant: pipe.platformTenant,
    maxWaiting: 1000,
    maxWaitingBytes: 64 * 1024 * 1024,
    metrics: { received: () => undefined, batch: () => undefined },
    onStored: () => undefined,
  };
}

function recordingLog(lines: LogLine[]): Log {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, ...fields });
    };
  const log: Log = {
    unit: at("unit"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => log,
  };
  return log;
}

function parsed(text: string): Wire {
  try {
    return JSON.parse(text) as Wire;
  } catch {
    // Not every answer is JSON.
    return {};
  }
}

async function exchange(
  port: number,
  bytes: string | Buffer | readonly (string | Buffer)[],
  { until, milliseconds = 10_000 }: { until?: RegExp; milliseconds?: number } = {},
): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  try {
    return await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no end after ${milliseconds} ms: ${text.slice(0, 200)}`)),
        milliseconds,
      );
      const done = (): void => {
        clearTimeout(timer);
        resolve(text);
      };
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (until?.test(text) === true) done();
      });
      socket.on("close", done);
      // A server that closes while we still write resets the connection: what came before counts.
      socket.on("error", () => undefined);
      for (const part of typeof bytes === "string" || Buffer.isBuffer(bytes) ? [bytes] : bytes) socket.write(part);
    });
  } finally {
    socket.destroy();
  }
}
