// One call of the API, from its headers and parameters to status and body.
import { StripeFailure, invalidRequest } from "../core/errors.ts";
import { NEWEST_VERSION, PLATFORM_ACCOUNT, scopeKey, type Scope } from "../core/kinds.ts";
import { checkParameters, isVersion } from "../core/parameters.ts";
import type { Route } from "../core/route.ts";
import type { Origin, Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { render } from "../versions/render.ts";
import { type Caller, callerOf, checkKeyMay, scopeOfCall } from "./authentication.ts";
import { expandAnswer } from "./expand.ts";
import { fingerprintOf, isKept, keepAnswer, keptAnswer, type KeptAnswer } from "./idempotency.ts";
import type { RouteTable } from "./route-table.ts";

export interface ApiCall {
  method: string;
  path: string;
  /** Decoded, not yet checked. */
  parameters: Record<string, unknown>;
  authorization: string | undefined;
  /** Stripe-Account or Stripe-Context. */
  account: string | undefined;
  idempotencyKey: string | undefined;
  /** Stripe-Version. */
  version: string | undefined;
  requestId: string;
}

export interface ApiAnswer {
  status: number;
  /** JSON. */
  body: string;
  /** The answer of an earlier call with the same idempotency key. */
  replayed: boolean;
  version: string;
  /** Of a replayed one: the call that it answered first. */
  request?: string | undefined;
}

/** Never throws for what a caller does wrong: that is an answer too. */
export function callApi(world: World, routes: RouteTable, call: ApiCall): ApiAnswer {
  const version = call.version || NEWEST_VERSION;
  try {
    if (!isVersion(version)) throw invalidRequest(`Invalid Stripe API version: ${version}`);
    const caller = callerOf(call.authorization);
    const platform: Scope = { livemode: caller.livemode, account: PLATFORM_ACCOUNT };
    const scope = world.run((tx) => scopeOfCall(tx, caller, call.account), platform);
    return { ...answerOnce(world, routes, { ...call, caller, scope, version }), version };
  } catch (error) {
    return { ...failureAnswer(error), replayed: false, version };
  }
}

interface KnownCall extends ApiCall {
  caller: Caller;
  scope: Scope;
  version: string;
}

/** With an idempotency key, a POST's first answer is kept in the commit of what it did. */
function answerOnce(world: World, routes: RouteTable, call: KnownCall): KeptAnswer & { replayed: boolean } {
  const { method, path, scope, parameters } = call;
  // An id that is empty, as a program's variable may be, must not turn a retrieval into a list.
  const found = /\/(\/|$)/.test(path) ? undefined : routes.find(method, path);
  if (found === undefined) throw unrecognized(method, path);
  const key = (method === "POST" && call.idempotencyKey) || undefined;
  const fingerprint = key === undefined ? "" : fingerprintOf(method, path, parameters);
  const kept = key === undefined ? undefined : world.run((tx) => keptAnswer(tx, key, fingerprint), scope);
  if (kept !== undefined) return { ...kept, replayed: true };

  const checked = checkParameters(found.route.pattern, withoutExpand(parameters));
  checkKeyMay(call.caller, found.route.pattern, parameters);
  const origin: Origin = { request: call.requestId, idempotency_key: call.idempotencyKey || null };
  const act = (tx: Transaction): KeptAnswer => {
    const body = JSON.stringify(answerOf(tx, found.route, found.ids, checked, call));
    const answer = { status: 200, body, request: call.requestId };
    if (key !== undefined) keepAnswer(tx, key, fingerprint, answer);
    return answer;
  };
  try {
    return { ...world.run(act, scope, origin), replayed: false };
  } catch (error) {
    const answer = { ...failureAnswer(error), request: call.requestId };
    if (key !== undefined && isKept(answer)) world.run((tx) => keepAnswer(tx, key, fingerprint, answer), scope);
    return { ...answer, replayed: false };
  }
}

function answerOf(tx: Transaction, route: Route, ids: string[], parameters: object, call: KnownCall): object {
  const answer = route.answer(tx, parameters, ids);
  return expandAnswer(tx, render(tx, answer, call.version) as object, expandOf(call.parameters), call.version);
}

function expandOf({ expand }: Record<string, unknown>): string[] {
  if (expand === undefined || expand === "") return [];
  const paths = Array.isArray(expand)
    ? (expand as unknown[])
    : typeof expand === "object" && expand !== null
      ? Object.values(expand)
      : [expand];
  return paths.map((path) => {
    if (typeof path !== "string") throw invalidRequest("Invalid array", { param: "expand" });
    return path;
  });
}

function withoutExpand({ expand: _expand, ...parameters }: Record<string, unknown>): Record<string, unknown> {
  return parameters;
}

export function failureAnswer(error: unknown): KeptAnswer {
  if (error instanceof StripeFailure) return { status: error.status, body: JSON.stringify({ error: error.body }) };
  // Something here is broken: say it where it can be seen, as Stripe's own 500 looks on the wire.
  process.stderr.write(`sandbox: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  const message = "Sorry! There was an error while talking to the sandbox: its log says more.";
  return { status: 500, body: JSON.stringify({ error: { type: "api_error", message } }) };
}

export function unrecognized(method: string, path: string): StripeFailure {
  const hint = path.endsWith("/")
    ? "If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code."
    : "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.";
  return invalidRequest(`Unrecognized request URL (${method}: ${path}). ${hint}`, { status: 404 });
}

/** For KeysInUse. The account may be wrong here: then the call fails by itself. */
export function scopeNameOf(call: Pick<ApiCall, "authorization" | "account">): string {
  const livemode = call.authorization?.includes("_live_") === true;
  return scopeKey({ livemode, account: call.account ?? PLATFORM_ACCOUNT });
}
