// Idempotency-Key: the same request under the same key runs once, and is answered alike each time (API.md, "Rules for every route").
//
// What is kept: the answer of an operation that was carried out, success or refusal (an insufficient balance, a declined
// card). What is not: a request that was refused before anything was done, which is sent again corrected, under the same
// key; and a failure after which the same request may succeed (5xx, 429, any with Retry-After, an account that Stripe
// restricts), and then runs again. A process that dies between the operation's commit and the keeping of its answer leaves
// a claim that ends after a minute: the operation runs again, and finds what it did by `call.idempotencyKey`.
import { createHash } from "node:crypto";

import { z } from "zod";

import { errorBody, publicError } from "../base/errors.ts";
import type { ErrorCode, PublicError } from "../base/errors.ts";
import {
  claimAnswer,
  forgetClaim,
  keepAnswer,
  LEASE_SECONDS,
  releaseClaim,
  renewClaim,
} from "../tenants/kept-answers.ts";
import type { AnswerKey, Claim } from "../tenants/kept-answers.ts";
import { every } from "../work/schedule.ts";
import type { Caller } from "./caller.ts";
import { requestError } from "./request-errors.ts";
import type { ApiDependencies, Call, Operation, Route } from "./route.ts";

/** Of routes whose operation is `idempotent`. Other headers are none of its business. */
export const IDEMPOTENCY_HEADERS = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "Send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID.")
    .optional()
    .meta({
      description:
        "At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready).",
    }),
});

export const REPLAYED_HEADER = "Idempotent-Replayed";

export interface SentRequest {
  method: string;
  /** Path and query as they were sent. */
  url: string;
  /** SHA-256 of the body's bytes; undefined for none. */
  bodyHash: Buffer | undefined;
}

type Asked = Omit<Call<unknown, unknown, unknown>, "idempotencyKey">;

/** Runs the operation, unless the key says that it runs or has run. Without a key: simply runs it. */
export async function runOnce(route: Route, call: Asked, sent: SentRequest): Promise<unknown> {
  const { operation } = route;
  const { deps, caller, headers, reply, requestId } = call;
  const key = headers["idempotency-key"];
  if (typeof key !== "string") return operation.run({ ...call, idempotencyKey: undefined });
  const answerKey: AnswerKey = {
    caller: callerName(caller),
    route: `${route.method} ${route.path}`,
    keyHash: createHash("sha256").update(key).digest(),
  };
  const tenantId = caller.tenant?.id ?? null;
  const requestHash = hashOfRequest(sent);
  const claimed = await claimAnswer(deps.database, { ...answerKey, tenantId, requestHash, requestId });
  switch (claimed.is) {
    case "running":
      throw publicError("idempotency_key_in_use", { retryAfter: 1 });
    case "of another request":
      throw publicError("idempotency_key_reused");
    case "answered":
      reply.status(claimed.status).header(REPLAYED_HEADER, "true");
      return openAnswer(deps, answerKey, claimed.answer);
    case "mine":
      return runClaimed(operation, { ...call, idempotencyKey: claimed.operationId }, claimed.claim);
  }
}

type Claimant = Call<unknown, unknown, unknown> & { idempotencyKey: string };

async function runClaimed({ run }: Operation, call: Claimant, claim: Claim): Promise<unknown> {
  const { deps, reply, requestId, idempotencyKey } = call;
  const { database, log } = deps;
  const warn = (what: string) => (error: unknown) =>
    log.warn(`an Idempotency-Key could not be ${what}`, { request_id: requestId, error });
  const renewal = every(LEASE_SECONDS / 3, () => renewClaim(database, claim), warn("renewed"));
  const keep = async (status: number, body: unknown): Promise<void> => {
    const answer = deps.people.ring.seal(JSON.stringify(body ?? null), contextOf(claim));
    if (!(await keepAnswer(database, claim, { status, answer }))) warn("kept")("the claim had ended");
  };
  // Whatever becomes of the claim, the caller is told what became of the operation.
  try {
    const answer = await run(call);
    if (answer === reply) throw new Error("an idempotent operation must return its answer");
    await renewal.stop();
    await keep(reply.statusCode, answer).catch(warn("kept"));
    return answer;
  } catch (thrown) {
    await renewal.stop();
    const error = requestError(thrown);
    const first = idempotencyKey === requestId;
    switch (fateOf(error, first)) {
      case "keep":
        await keep(error.status, errorBody(error, requestId)).catch(warn("kept"));
        break;
      case "release":
        await releaseClaim(database, claim).catch(warn("released"));
        break;
      case "forget":
        await forgetClaim(database, claim).catch(warn("forgotten"));
        break;
    }
    throw error;
  }
}

/** Refusals that come before anything is done. */
const NOT_BEGUN: ReadonlySet<ErrorCode> = new Set([
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "tenant_required",
  "confirmation_required",
]);

/** Refusals that end when the Stripe account has changed, or another request to Stripe is done. */
const MAY_SUCCEED_LATER: ReadonlySet<ErrorCode> = new Set([
  "stripe_conflict",
  "stripe_not_connected",
  "stripe_account_restricted",
]);

/** A 429 always says when to try again. `first`: no earlier run of the operation may have left something. */
function fateOf({ code, status, retryAfter }: PublicError, first: boolean): "keep" | "release" | "forget" {
  if (status >= 500 || retryAfter !== undefined || MAY_SUCCEED_LATER.has(code)) return "release";
  if (!NOT_BEGUN.has(code)) return "keep";
  return first ? "forget" : "release";
}

/** Whom a key belongs to: two callers' equal keys are two keys, as are one's in two tenants or modes. */
function callerName({ identity, tenant, livemode }: Caller): string {
  const place = `${tenant === undefined ? "" : `@${tenant.id}`}:${livemode ? "live" : "test"}`;
  switch (identity.kind) {
    case "person":
      return `person:${identity.person.personId}${place}`;
    case "key":
      return `key:${identity.key.id}${place}`;
    case "account":
      return `account:${identity.session.accountId}${place}`;
    case "operator":
      return `operator${place}`;
    case "nobody":
    case "unknown":
      throw new Error("an Idempotency-Key needs a caller who can be told");
  }
}

/** The same for each way of writing one request: slash at the end or not, parameters in any order. */
function hashOfRequest({ method, url, bodyHash }: SentRequest): Buffer {
  const [path = "", query = ""] = url.split(/\?(.*)/s, 2);
  const parameters = new URLSearchParams(query);
  parameters.sort();
  return createHash("sha256")
    .update(JSON.stringify([method, path.replace(/\/$/, ""), parameters.toString(), bodyHash?.toString("hex")]))
    .digest();
}

function contextOf({ caller, route, keyHash }: AnswerKey): string {
  return `kept_answers ${caller} ${route} ${keyHash.toString("hex")}`;
}

function openAnswer({ people }: Pick<ApiDependencies, "people">, key: AnswerKey, sealed: string): unknown {
  try {
    return JSON.parse(people.ring.open(sealed, contextOf(key)));
  } catch (error) {
    // Its SECRET_KEY was taken away within the day. The operation was carried out: it must not run again.
    throw publicError("idempotency_key_reused", {
      message:
        "This was carried out, but its answer cannot be read any more: look at what it made, and use a new key for something new.",
      cause: error,
    });
  }
}
