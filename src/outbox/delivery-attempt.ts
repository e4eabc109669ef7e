// One attempt: signs the event, posts it, and says what the answer means.
import { newId } from "../base/ids.ts";
import type { Clock } from "../base/clock.ts";
import type { KeyRing } from "../base/key-ring.ts";
import type { Log } from "../base/log.ts";
import type { Queryable } from "../db/database.ts";
import type { AddressPolicy } from "./address-policy.ts";
import type { ClaimedDelivery, DeliveryEnd } from "./claimed-delivery.ts";
import { type AttemptOutcome, saysGone, type Verdict, verdictOn } from "./delivery-schedule.ts";
import { openSecrets, stillValid } from "./endpoint-secrets.ts";
import { type DeliverySettings, findEndpoint } from "./endpoint-table.ts";
import type { StoredEvent } from "./event-table.ts";
import { type Exchange, guardedPost, POST_HEADERS } from "./guarded-post.ts";
import { bodyOf } from "./webhook-body.ts";
import { signatureHeaders } from "./webhook-signature.ts";

export interface PreparedDelivery {
  delivery: ClaimedDelivery;
  event: StoredEvent;
  settings: DeliverySettings & { url: string };
}

export interface Attempted extends DeliveryEnd {
  prepared: PreparedDelivery;
  outcome: AttemptOutcome | "unsigned";
  isGone: boolean;
  /** undefined: nothing was posted. */
  latencyMs: number | undefined;
}

export interface AttemptOptions {
  database: Queryable;
  clock: Clock;
  log: Log;
  ring: KeyRing;
  policy: AddressPolicy;
  /** Instead of guardedPost: for tests and benches. */
  post?: typeof guardedPost;
}

/** The whole exchange with a receiver, from DNS to the last byte of its answer. */
export const EXCHANGE_MS = 15_000;
/** Milliseconds until a delivery is tried again that could not be signed: that is our fault, and no attempt. */
const UNSIGNED_WAIT = 60_000;

/** Never rejects: what went wrong is in its answer. */
export async function attemptDelivery(
  options: AttemptOptions,
  prepared: PreparedDelivery,
  signal: AbortSignal,
): Promise<Attempted> {
  const { clock, log, policy, post = guardedPost } = options;
  const { delivery, event, settings } = prepared;
  const at = clock.now();
  const began = clock.monotonic();
  const body = Buffer.from(bodyOf(event, { id: event.tenantId, companyName: settings.companyName }));
  let signature: Record<string, string>;
  try {
    const secrets = secretsOf(options.ring, settings, at);
    // The id is the event's: the same for every attempt, retry and resend, so that receivers can tell.
    signature = signatureHeaders({ id: event.id, timestamp: Math.floor(at / 1000), body, ...secrets });
  } catch (error) {
    log.error("a delivery could not be signed: is its SECRET_KEY gone?", { object_id: delivery.id, error });
    const error_ = "This server could not sign it: its operator is told.";
    const end = { delivery, status: "pending", wait: UNSIGNED_WAIT, error: error_ } as const;
    return { ...end, prepared, outcome: "unsigned", isGone: false, latencyMs: undefined };
  }
  const exchange = await post({
    ...{ url: settings.url, headers: signature, body, timeoutMs: EXCHANGE_MS, policy, signal, clock },
  }).catch((error: unknown): Exchange => {
    log.error("an exchange with a receiver failed in a way that is not known", { object_id: delivery.id, error });
    const latencyMs = Math.round(clock.monotonic() - began);
    return { outcome: "failed", code: "protocol", message: "The exchange failed.", latencyMs };
  });
  const hasMoved = saysGone(exchange) && (await movedFrom(options, delivery, settings.url));
  const verdict = verdictOn(exchange, delivery.attempts + 1, hasMoved);
  return { ...endOf(prepared, { at, exchange, verdict, signature }), prepared, latencyMs: exchange.latencyMs };
}

function endOf(
  { delivery, settings }: PreparedDelivery,
  made: { at: number; exchange: Exchange; verdict: Verdict; signature: Record<string, string> },
): Omit<Attempted, "prepared" | "latencyMs"> {
  const { exchange, verdict, at } = made;
  const answered = exchange.outcome === "answered" ? exchange : undefined;
  return {
    delivery,
    ...verdict,
    attempt: {
      ...{ id: newId("att"), at, url: settings.url, requestHeaders: { ...POST_HEADERS, ...made.signature } },
      ...{ statusCode: answered?.statusCode ?? null, latencyMs: exchange.latencyMs },
      ...{ responseHeaders: answered?.headers ?? null, responseBody: answered?.body ?? null },
      errorCode: exchange.outcome === "failed" ? exchange.code : null,
    },
  };
}

/** Settings are those of the claim: meanwhile the endpoint may have got another url. Where nobody can tell it has not. */
async function movedFrom({ database, log }: AttemptOptions, delivery: ClaimedDelivery, url: string): Promise<boolean> {
  try {
    const endpoint = await findEndpoint(database, { tenantId: delivery.tenantId, id: delivery.endpointId });
    return endpoint?.url !== undefined && endpoint.url !== null && endpoint.url !== url;
  } catch (error) {
    log.error("nobody could tell whether an endpoint has another url by now", { object_id: delivery.id, error });
    return false;
  }
}

type Opened = ReturnType<typeof openSecrets>;

/** Opened secrets by their sealed texts: 10 µs less for each delivery, and nothing that was replaced stays. */
const opened = new WeakMap<KeyRing, Map<string, { sealed: readonly (string | null)[]; secrets: Opened }>>();
const REMEMBERED = 2000;

function secretsOf(ring: KeyRing, settings: DeliverySettings, now: number): Opened {
  const known = opened.get(ring) ?? new Map<string, { sealed: readonly (string | null)[]; secrets: Opened }>();
  opened.set(ring, known);
  const valid = stillValid(settings.previousSecrets, now);
  const previous = valid.flatMap(({ sealed: secret, ed25519Sealed = null }) => [secret, ed25519Sealed]);
  const sealed = [settings.secretSealed, settings.ed25519Sealed, ...previous];
  const before = known.get(settings.id);
  if (before?.sealed.length === sealed.length && sealed.every((one, at) => one === before.sealed[at]))
    return before.secrets;
  const secrets = openSecrets(ring, settings, now);
  known.delete(settings.id);
  known.set(settings.id, { sealed, secrets });
  const [oldest] = known.keys();
  if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  return secrets;
}
