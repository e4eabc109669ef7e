// The shape of a route: what it takes, what it answers and what runs. Pure; server.ts makes Fastify routes of it.
import type { IncomingHttpHeaders } from "node:http";

import type { FastifyReply } from "fastify";
import { z } from "zod";

import type { Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Secret } from "../base/secret.ts";
import type { StatusWatch } from "../billing/status-watch.ts";
import type { ConnectSettings } from "../connect/connect-context.ts";
import type { Database } from "../db/database.ts";
import type { Receiver } from "../inbox/receive.ts";
import type { AddressPolicy } from "../outbox/address-policy.ts";
import type { CreditDesk } from "../credits/credit-requests.ts";
import type { DoctorContext } from "../operations/doctor-check.ts";
import type { DriftMetrics } from "../operations/drift.ts";
import type { MoveHold } from "../operations/move-hold.ts";
import type { StripeAccess } from "../stripe/access.ts";
import type { KeyUse } from "../tenants/key-use.ts";
import type { PeopleContext } from "../tenants/people-context.ts";
import type { ActLimits, LimitedAct } from "../tenants/rate-limits.ts";
import type { RequestRates } from "../tenants/request-rates.ts";
import type { Caller } from "./caller.ts";
import type { Dashboard } from "./dashboard-assets.ts";

/** What the routes work with. Everything is passed in by app.ts. */
export interface ApiDependencies {
  /** The owner's: for who is not known yet, for the operator, and for what Stripe told us. */
  database: Database;
  /** The same where no statement is cut short: for what an operator asks of all that is stored. Left out: `database`. */
  patientDatabase?: Database;
  /** The API's own login, of which scopes are made: see `scopeOf`. */
  apiDatabase: Database;
  stripe: StripeAccess;
  connect: ConnectSettings;
  /** How mails are shown to the operator; one-time links only outside production. */
  mail: { productName: string | undefined; showsOneTimeLinks: boolean };
  log: Log;
  clock: Clock;
  receiver: Receiver;
  operatorToken: Secret;
  readiness: () => Promise<{ ready: boolean; checks: Record<string, string> }>;
  metrics: () => Promise<{ contentType: string; text: string }>;
  /** Look at the queue now. */
  wake: () => void;
  /** There are deliveries in the queue: this process looks now. Others find them within a poll. */
  wakeDeliveries: () => void;
  /** So many deliveries were canceled: for metrics. */
  deliveriesCanceled: (count: number) => void;
  /** Who waits for what on this node. */
  status: StatusWatch;
  /** Where tenants' endpoints may be. */
  addressPolicy: AddressPolicy;
  /** How long it is known what was delivered. */
  deliveriesRetentionDays: number;
  platformTenant: string;
  people: PeopleContext;
  /** Where the use of API keys is noted. */
  keyUse: KeyUse;
  /** Where spends, grants and refunds gather. */
  credits: CreditDesk;
  /** What a new account is given. */
  trialCredits: number;
  /** How many active subscriptions of one plan group an account may have; one, unless it is set. */
  subscriptionsPerGroup?: "one" | "many";
  /** The default mode: that of STRIPE_SECRET_KEY. */
  livemode: boolean;
  /** The platform's share of connected-account invoices, in percent. */
  platformFeePercent: number;
  publicUrl: string;
  /** What goes with a client_secret to a page; without one for the mode the page has its own. */
  publishableKeys?: { live?: string; test?: string };
  /** Where something else than Stripe answers for it, to browsers too. */
  sandboxUrl?: string | undefined;
  /** Undefined: none is served. */
  dashboard?: Dashboard | undefined;
  /** Whose pages may call from a browser. */
  corsOrigins: readonly string[];
  /** As Fastify takes it; undefined: the source of a request is whoever connects. */
  trustProxy?: number | string | undefined;
  /** Undefined: requests of keys and tenants are not limited. */
  rates?: RequestRates;
  /** Instead of those of tenants/rate-limits.ts. */
  tryLimits?: Partial<Record<LimitedAct, ActLimits>> | undefined;
  /** Seconds between two catch-ups of an account: see config. */
  catchUpEverySeconds?: number | undefined;
  /** Instead of what the reading of Stripe's lists keeps to: see operations/stripe-lists.ts. */
  pagesPerSecond?: number | undefined;
  /** What the doctor looks at besides: see operations/doctor.ts. */
  doctor: Pick<DoctorContext, "config" | "webhookSecrets" | "flushReceipts">;
  /** Where comparisons with Stripe are counted, and how long a webhook on its way may take. */
  drift?: { metrics?: DriftMetrics; settleMs?: number };
  /** Undefined: the database is no embedded one. */
  move?: MoveHold | undefined;
  /** From SIGTERM on: webhooks are answered 503, so that another process or a later try takes them. */
  stopping: () => boolean;
  version: string;
  /** A webhook request that was not answered 200. */
  refused?: (code: ErrorCode) => void;
  limits?: Partial<ListenerLimits>;
  /** How many bytes the webhook bodies that are still arriving may hold together; 64 MiB unless it is set. */
  maxCollectingBytes?: number;
}

/** For what an operator asks of all that is stored: no statement of it is cut short. */
export const patient = ({ patientDatabase, database }: ApiDependencies): Database => patientDatabase ?? database;

/** Milliseconds. */
export interface ListenerLimits {
  /** For a whole request to arrive. */
  request: number;
  headers: number;
  /** How often these two are looked at. */
  check: number;
  keepAlive: number;
}

/**
 * Who may call. stripe: by its signature · operator: OPERATOR_TOKEN, or an owner or admin of the platform · user: any person
 * who has signed in · "account user": who acts for one account: such a person, for the platform's account of theirs, or an
 * account session, for its own; see `accountOf` · "secret key": a tenant's, and nobody else · member, admin: a tenant's
 * person of at least that role, or its secret key · "admin person", owner: no key
 */
export type Who =
  | "anyone"
  | "operator"
  | "stripe"
  | "user"
  | "account user"
  | "secret key"
  | "member"
  | "admin"
  | "admin person"
  | "owner";

export interface Call<Params, Query, Body> {
  deps: ApiDependencies;
  params: Params;
  query: Query;
  body: Body;
  /** For a status, a header or a stream. */
  reply: FastifyReply;
  headers: IncomingHttpHeaders;
  caller: Caller;
  requestId: string;
  /**
   * Of an `idempotent` operation whose caller sent an Idempotency-Key: stands for this operation. The same for each run of
   * it (after a crash or a 5xx), by which it finds what an earlier run did; never again for another one, though the
   * header's own text may come again from another caller, or after its 24 hours.
   */
  idempotencyKey?: string | undefined;
}

type Answer = z.ZodType | { description: string; contentType: string };

interface OperationSpec<Params, Query, Body> {
  /** Where the reference lists it. */
  tag: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** Headers of its own; `call.headers` has them. */
  headers?: z.ZodType;
  /** By status. Errors need not be named: they all have one shape. */
  answers: Record<number, Answer>;
  /** Takes an Idempotency-Key: see idempotency.ts. Its `run` returns the answer. */
  idempotent?: true;
  /** How its line in the log is told: probes at `debug`; of webhooks the batches tell. */
  logged?: "info" | "debug" | "none";
  /** Is answered while the data moves to another database, when nobody else is. Probes are too. */
  whileMoving?: true;
  /** What it returns is the JSON body; a route that answers by `reply` returns it. */
  run: (call: Call<Params, Query, Body>) => Promise<unknown>;
}

/** An operation whose input types are no longer known: its schemas have checked what `run` gets. */
export type Operation = OperationSpec<unknown, unknown, unknown>;

export function operation<Params = undefined, Query = undefined, Body = undefined>(
  spec: OperationSpec<Params, Query, Body>,
): Operation {
  return spec as unknown as Operation;
}

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface Route {
  method: Method;
  /** Answers with and without a slash at its end. */
  path: string;
  who: Who;
  /** One line for the reference. */
  summary: string;
  operation: Operation;
}

/** One line of the table. */
export const at = (method: Method, path: string, who: Who, operation: Operation, summary: string): Route => ({
  method,
  path,
  who,
  operation,
  summary,
});

/** A registry refuses duplicates: the second of two equal routes would never run. */
export function uniqueRoutes(routes: readonly Route[]): readonly Route[] {
  const seen = new Set<string>();
  for (const { method, path } of routes) {
    const name = `${method} ${path.replace(/\/$/, "").replace(/:\w+/g, ":")}`;
    if (seen.has(name)) throw new Error(`The route ${name} is there twice.`);
    seen.add(name);
  }
  return routes;
}

/** The methods that a path's routes take, for the Allow header; empty for a path that is nobody's. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  const found = routes.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method);
  return [...new Set(found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

const patterns = new Map<string, RegExp>();

function patternOf(path: string): RegExp {
  const known = patterns.get(path);
  if (known !== undefined) return known;
  const source = path
    .replace(/\/$/, "")
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/:\w+/g, "[^/]+");
  const pattern = new RegExp(`^${source}/?$`);
  patterns.set(path, pattern);
  return pattern;
}

/** The body of every error answer. */
export const ErrorAnswer = z
  .strictObject({
    error: z.string().meta({ description: "A short title, or OAuth's code." }),
    description: z.string().optional().meta({ description: "OAuth's own words, where it refused." }),
    code: z.string().meta({ description: "For programs: never changes." }),
    message: z.string().meta({ description: "One sentence that says what to do." }),
    param: z.string().optional().meta({ description: "The path of the field that is wrong." }),
    request_id: z.string(),
    stripe_request_id: z
      .string()
      .optional()
      .meta({ description: "Stripe's id of the call that failed, for its support and logs." }),
  })
  .meta({ id: "Error" });
