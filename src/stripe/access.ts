// Asking Stripe: one client per mode, each call for one account, with what its answer is known to include.
import { setTimeout as sleep } from "node:timers/promises";

import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { publicError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { Secret } from "../base/secret.ts";
import { type FieldNames, retryAfterOf, StripeCallError } from "./call-failure.ts";
import {
  callGuard,
  type EndedCall,
  type GuardedCall,
  type GuardPlan,
  type Running,
  type StripeMetrics,
} from "./call-guard.ts";
import {
  NETWORK_RETRIES,
  type RequestOptions,
  STRIPE_API_VERSION,
  type StripeClient,
  stripeClient,
  StripeError,
} from "./client.ts";
import type { UnixSeconds } from "./envelope.ts";
import { asOfSecond, retrieveObject, type Retrieved, type WantedObject } from "./retrieve.ts";

/** Whose objects a call is about. */
export interface StripeTarget {
  livemode: boolean;
  /** acct_…, sent as Stripe-Account; "" for the platform's own account. */
  account: string;
  /** Made from the id of our own row, so that the same call again does nothing more. For every POST: one without is not sent. */
  idempotencyKey?: string;
  /** One request at most, whatever happens to it: for what Stripe's idempotency does not cover, such as an OAuth code. */
  once?: boolean;
  /** Our fields by Stripe's parameters, so that `stripe_refused` names the caller's own. */
  fields?: FieldNames;
  /** request (default): somebody waits, 8 s at most · background: 25 s, less than a lease. */
  patience?: keyof typeof PATIENCE;
}

export interface StripeAnswer<T> {
  value: T;
  /** The second that the answer is known to include: what observe() takes. */
  asOf: UnixSeconds;
  apiVersion: string;
  /**
   * It came out of Stripe's store of idempotent answers, in this second: its object is as it was when the key was used first, so
   * that `asOf` is before the object was made. What it is now must be fetched, as observe() does.
   */
  replayedAt?: UnixSeconds;
}

/** Nothing was asked, because the account does not answer lately: again after so many seconds. */
export interface Paused {
  outcome: "paused";
  after: number;
}

export interface StripeAccess {
  /** Whether there is a key for this mode. */
  has(livemode: boolean): boolean;
  /** The client itself, for what is not a call for an account. It repeats no POST by itself. Throws `stripe_not_configured`. */
  client(livemode: boolean): StripeClient;
  /**
   * One call, with its retries: the SDK's for the network, 5xx and 409, ours for 429. `ask` passes the options on.
   * Rejects with a StripeCallError, and at once while the account's circuit is open.
   */
  call<T>(
    target: StripeTarget,
    ask: (client: StripeClient, options: RequestOptions) => Promise<T>,
  ): Promise<StripeAnswer<T>>;
  /** Fetches one object in the background. Never rejects for what Stripe answers; `paused`: its account's circuit is open. */
  retrieve(livemode: boolean, wanted: WantedObject): Promise<Retrieved | Paused>;
  /** Accounts for which calls would fail at once. */
  paused(livemode: boolean): string[];
}

export interface StripeAccessOptions {
  keys: { live?: Secret | undefined; test?: Secret | undefined };
  /** Stripe's own when absent. */
  apiBase?: string | undefined;
  clock: Pick<Clock, "monotonic">;
  log?: Log;
  metrics?: StripeMetrics;
  guard?: GuardPlan;
}

/** Milliseconds that a call may take in all. */
const PATIENCE = { request: 8_000, background: 25_000 } as const;

const BUSY_TRIES = { request: 4, background: 6 } as const;
/** Full jitter: calls that were refused together do not come back together. */
const BUSY_BACKOFF = { first: 800, factor: 2, max: 5_000, jitter: 1 };
/** A place among concurrent calls frees sooner than a rate. */
const CROWDED_BACKOFF = { ...BUSY_BACKOFF, first: 300 };

const NO_METRICS: StripeMetrics = { called: () => undefined, circuitsOpen: () => undefined };

export function stripeAccess(options: StripeAccessOptions): StripeAccess {
  const { keys, apiBase, clock, log = silentLog } = options;
  const open = (key: Secret | undefined): StripeClient | undefined =>
    key === undefined
      ? undefined
      : stripeClient({ secretKey: key.reveal(), ...(apiBase === undefined ? {} : { apiBase }), networkRetries: 0 });
  const clients = { live: open(keys.live), test: open(keys.test) };
  const guard = callGuard(clock, options.metrics ?? NO_METRICS, options.guard);
  const client = (livemode: boolean): StripeClient => {
    const found = livemode ? clients.live : clients.test;
    if (found === undefined) throw publicError("stripe_not_configured");
    return found;
  };
  const tell =
    ({ livemode, account }: { livemode: boolean; account: string }) =>
    (ended: EndedCall): void => {
      logFailure(log, livemode, account, ended);
    };
  return {
    has: (livemode) => (livemode ? clients.live : clients.test) !== undefined,
    client,
    paused: (livemode) => guard.paused(livemode),
    call: async (target, ask) => {
      const asked = client(target.livemode);
      const { patience = "request" } = target;
      return guard.run(
        { ...target, within: PATIENCE[patience] },
        (running) => askPatiently(asked, target, ask, running, BUSY_TRIES[patience], clock),
        tell(target),
      );
    },
    retrieve: async (livemode, wanted) => {
      const asked = client(livemode);
      // A connected account itself is read in the platform's name.
      const account = wanted.objectType === "account" ? "" : wanted.account;
      const call: GuardedCall = { livemode, account, within: PATIENCE.background };
      const fetch = (): Promise<Retrieved> => fetchOf(() => retrieveObject(asked, wanted, clock));
      return guard.run(call, fetch, tell(call)).catch(asFetched);
    },
  };
}

/** One call, asked again while Stripe says that it is too busy, as long as there are tries and time left. */
async function askPatiently<T>(
  client: StripeClient,
  { account, idempotencyKey, once = false }: StripeTarget,
  ask: (client: StripeClient, options: RequestOptions) => Promise<T>,
  { left }: Running,
  tries: number,
  clock: Pick<Clock, "monotonic">,
): Promise<StripeAnswer<T>> {
  for (let attempt = 1; ; attempt++) {
    const asked = clock.monotonic();
    try {
      const value = await ask(client, {
        maxNetworkRetries: once ? 0 : NETWORK_RETRIES,
        ...(account === "" ? {} : { stripeAccount: account }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return answerOf(value, clock.monotonic() - asked);
    } catch (error) {
      const wait = attempt < tries && !once ? busyWait(error, attempt) : undefined;
      if (wait === undefined || wait >= left()) throw error;
      await sleep(wait);
    }
  }
}

/** Milliseconds to wait before a 429 is tried again; undefined: another error, or one that a few seconds do not mend. */
function busyWait(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof StripeError) || error.statusCode !== 429) return undefined;
  const reason = error.headers?.["stripe-rate-limited-reason"] ?? "";
  // One object's limit counts by the hour.
  if (reason === "resource-specific") return undefined;
  const drawn = backoff(attempt, reason.endsWith("-concurrency") ? CROWDED_BACKOFF : BUSY_BACKOFF);
  return Math.max(drawn, (retryAfterOf(error) ?? 0) * 1000);
}

function answerOf<T>(value: T, roundTrip: number): StripeAnswer<T> {
  const { lastResponse } = value as { lastResponse?: { headers?: Record<string, string> } };
  const asOf = asOfSecond(lastResponse?.headers?.date, roundTrip);
  if (asOf === undefined) throw new Error("the answer has no valid Date header");
  const apiVersion = lastResponse?.headers?.["stripe-version"] ?? STRIPE_API_VERSION;
  if (lastResponse?.headers?.["idempotent-replayed"] !== "true") return { value, asOf, apiVersion };
  const { created } = value as { created?: unknown };
  return { value, asOf: typeof created === "number" ? Math.min(asOf, created - 1) : 0, apiVersion, replayedAt: asOf };
}

/** A fetch never throws by itself: thus its circuit hears of what failed. */
class FetchFailed extends Error {
  readonly answer: Retrieved;

  constructor(answer: Retrieved & { outcome: "retry" }) {
    super(answer.reason);
    this.answer = answer;
  }
}

async function fetchOf(fetch: () => Promise<Retrieved>): Promise<Retrieved> {
  const answer = await fetch();
  if (answer.outcome === "retry") throw new FetchFailed(answer);
  return answer;
}

function asFetched(failure: unknown): Retrieved | Paused {
  if (!(failure instanceof StripeCallError)) throw failure;
  if (failure.cause instanceof FetchFailed) return failure.cause.answer;
  // Nothing was asked: the circuit is open, or too many wait.
  if (failure.cause === undefined) return { outcome: "paused", after: failure.retryAfter ?? 1 };
  return { outcome: "retry", reason: failure.cause instanceof Error ? failure.cause.message : failure.code };
}

function logFailure(log: Log, livemode: boolean, account: string, { context, failure, milliseconds }: EndedCall): void {
  const told = failure instanceof StripeCallError ? failure : undefined;
  log.unit("stripe.call_failed", {
    livemode,
    stripe_account: account === "" ? undefined : account,
    method: context.sent?.method,
    route: context.sent?.route,
    attempt: context.attempts,
    code: told?.code ?? "internal",
    stripe_code: told?.stripeCode,
    decline_code: told?.declineCode,
    stripe_request: told?.stripeRequestId,
    status: told?.stripeStatus,
    outcome: told === undefined ? "mistake" : told.transient ? "transient" : "final",
    duration_ms: milliseconds,
    error: told === undefined ? failure : told.cause,
  });
}
