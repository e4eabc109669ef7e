// Receiving: a Stripe event is verified, read, and on disk before it is answered.
import type { Clock } from "../base/clock.ts";
import { type ErrorCode, publicError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/trace.ts";
import { type Database, within } from "../db/database.ts";
import { databaseFailure, isItemsFault } from "../db/failure.ts";
import { customerOf, emailOf, objectTypeOf, keyTypeOf } from "../projections/registry.ts";
import { type Envelope, readEnvelope, type StripeObject } from "../stripe/envelope.ts";
import { OBJECT_ID } from "../stripe/read-values.ts";
import { type SignatureRefusal, type SigningSecret, verifySignature } from "../stripe/signature.ts";
import { type IncomingEvent, insertEvents } from "./event-tables.ts";
import { groupCommit } from "./group-commit.ts";
import { rush } from "./rush.ts";
import { timeAverage } from "./time-average.ts";

export interface ReceiveOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** In the order in which they are tried. Empty only where unsigned events are allowed. */
  secrets: readonly SigningSecret[];
  /** Development only: take unsigned events, from loopback alone. */
  allowUnsigned: boolean;
  platformTenant: string;
  maxWaiting: number;
  maxWaitingBytes: number;
  metrics: ReceiveMetrics;
  /** Told after each commit that stored something new. */
  onStored: () => void;
  /** Told of each delivery whose signature was looked at. */
  notes?: ReceiptNotes;
}

/** Where it is counted how deliveries were met, for who must find out why none arrive. Neither may throw, or take long. */
export interface ReceiptNotes {
  /** `secret`: the name of the one that signed it; "" for what came unsigned. */
  accepted: (address: string, secret: string, event: { account: string; livemode: boolean }) => void;
  refused: (refusal: RefusedDelivery) => void;
}

export interface RefusedDelivery extends Pick<Delivery, "body" | "signature"> {
  address: string;
  reason: SignatureRefusal;
}

export interface ReceiveMetrics {
  received: (count: number, duplicates: number) => void;
  batch: (events: number, seconds: number) => void;
}

export interface Delivery {
  /** The body as it came, byte for byte. */
  body: Buffer;
  signature: string | string[] | undefined;
  fromLoopback: boolean;
  /** Which of the door's addresses it came to. */
  address?: string;
}

export interface Receiver {
  /**
   * Resolves when the event is on disk; `false` for a duplicate. Rejects with a PublicError: 400 for a signature or body
   * that is not right, 503 when it cannot be stored, so that Stripe sends it again.
   */
  receive(delivery: Delivery): Promise<boolean>;
  /** Events that wait for their commit. */
  waiting(): number;
  /** How many waited of late, on average: even in a burst there are moments in which none does. */
  crowd(): number;
  /** Milliseconds since so many came at once, behind calm, as only a burst brings; Infinity: they never have. */
  sinceRush(): number;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

/** One batch at 64 connections is about 30 events; more than this makes a batch slow for its first caller. */
const MAX_BATCH = { server: 256, embedded: 100 } as const;
const MAX_IN_FLIGHT = { server: 2, embedded: 1 } as const;
/** A second batch beside a first one of fewer events than this cost more than it gained: its statement is shared by too few. */
const MIN_BESIDE = 64;
const SLOW_COMMIT_MS = 50;
/** Stripe is told 503 then, and sends again: an event that was stored all the same is known by its id. */
const STORE_LIMIT_MS = 10_000;
/** Several commits of a busy machine. */
const CROWD_MS = 100;
/** More than wait at once of a steady stream, of 2,000 a second and 5 ms a commit say. */
const RUSH = 40;

const REFUSALS: Record<SignatureRefusal, ErrorCode> = {
  missing: "signature_missing",
  malformed: "signature_malformed",
  no_v1: "signature_malformed",
  stale: "signature_stale",
  mismatch: "signature_mismatch",
};

export function receiver(options: ReceiveOptions): Receiver {
  const crowd = timeAverage(CROWD_MS, options.clock);
  const begin = rush({ many: RUSH, calm: CROWD_MS }, options.clock);
  const commits = groupCommit<IncomingEvent, boolean>({
    write: (batch) => traced("events.store", { events: batch.length }, () => storeBatch(options, batch)),
    sizeOf: ({ payload }) => payload.length,
    maxInFlight: MAX_IN_FLIGHT[options.database.kind],
    minBeside: MIN_BESIDE,
    slowAfter: SLOW_COMMIT_MS,
    maxBatch: MAX_BATCH[options.database.kind],
    maxWaiting: options.maxWaiting,
    maxWaitingBytes: options.maxWaitingBytes,
    isItemsFault,
    onWaiting: (count) => {
      crowd.set(count);
      begin.set(count);
    },
  });
  return {
    receive: async (delivery) => {
      const signer = verify(options, delivery);
      const event = read(delivery.body, options.platformTenant);
      options.notes?.accepted(delivery.address ?? "", signer, event);
      try {
        return await commits.add(event);
      } catch (error) {
        if (error instanceof Error && error.name === "PublicError") throw error;
        throw publicError("storage_unavailable", { cause: error });
      }
    },
    waiting: commits.waiting,
    crowd: () => crowd.get(),
    sinceRush: () => begin.since(),
    idle: commits.idle,
  };
}

/** The name of the secret that signed it; "" for what may come unsigned. */
function verify(options: ReceiveOptions, delivery: Delivery): string {
  const verdict = verifySignature(
    delivery.body,
    delivery.signature,
    options.secrets,
    Math.floor(options.clock.now() / 1000),
  );
  if (verdict.ok) return verdict.name;
  if (options.allowUnsigned && verdict.reason === "missing") {
    if (!delivery.fromLoopback)
      throw publicError("signature_missing", { message: "Unsigned events are taken from this machine alone." });
    options.log.warn(
      "an unsigned event was taken: STRIPE_WEBHOOK_ALLOW_UNSIGNED is on; set STRIPE_WEBHOOK_SECRET instead",
    );
    return "";
  }
  const { address = "", body, signature } = delivery;
  options.notes?.refused({ address, body, signature, reason: verdict.reason });
  throw publicError(REFUSALS[verdict.reason]);
}

function read(body: Buffer, platformTenant: string): IncomingEvent {
  const reading = readEnvelope(body);
  if (!reading.ok) {
    throw publicError(reading.reason === "not_event" ? "not_a_stripe_event" : "invalid_json", {
      message: `Not a Stripe event: ${reading.detail}.`,
    });
  }
  const payload = reading.text.length === 0 || body[0] === BYTE_ORDER_MARK ? Buffer.from(reading.text, "utf8") : body;
  return incomingEvent(reading.envelope, payload, platformTenant);
}

const BYTE_ORDER_MARK = 0xef;

/** A preview of an invoice that is not there yet, whatever id it shows. */
const UPCOMING = "invoice.upcoming";

/** The row of a verified event. Pure. */
export function incomingEvent(envelope: Envelope, payload: Buffer, platformTenant: string): IncomingEvent {
  const { id, type, created, livemode, account, apiVersion } = envelope;
  const object = envelope.thin ? {} : envelope.object;
  const objectType = envelope.thin
    ? keyTypeOf(envelope.relatedObject?.type ?? "v2.core.event")
    : objectTypeOf(type, object);
  const objectId = envelope.thin ? (envelope.relatedObject?.id ?? null) : type === UPCOMING ? null : idOf(object);
  return {
    id,
    source: "webhook",
    // A thin event's type names its generation first; what happened is the same.
    type: envelope.thin ? type.replace(/^v1\./, "") : type,
    created,
    livemode,
    account,
    apiVersion,
    objectType,
    objectId,
    // A payment method that was detached has no customer any more: whose it was stands before.
    customerId: customerOf(object) ?? (envelope.thin ? null : customerOf(envelope.previous ?? {})),
    email: emailOf(object),
    tenantId: account === "" ? platformTenant : null,
    payload,
  };
}

/** An object whose id can be no key is kept with its event, not reduced. */
export function idOf(object: StripeObject): string | null {
  const id = object.id;
  return typeof id === "string" && OBJECT_ID.test(id) ? id : null;
}

async function storeBatch(options: ReceiveOptions, events: readonly IncomingEvent[]): Promise<boolean[]> {
  const started = options.clock.monotonic();
  const inTime = within(options.database, STORE_LIMIT_MS);
  const stored = await insertEvents(inTime, events).catch((error: unknown) => {
    // Two nodes that store the same events meet here; the second try finds them stored.
    if (databaseFailure(error) === "conflict") return insertEvents(inTime, events);
    throw error;
  });
  const fresh = events.map((event) => stored.has(event));
  const seconds = (options.clock.monotonic() - started) / 1000;
  const duplicates = fresh.filter((isNew) => !isNew).length;
  options.metrics.received(events.length, duplicates);
  options.metrics.batch(events.length, seconds);
  options.log.unit("batch.received", {
    events: events.length,
    duplicates,
    stripe_event: events.length === 1 ? events[0]?.id : undefined,
    event_type: events.length === 1 ? events[0]?.type : undefined,
    duration_ms: Math.round(seconds * 1000),
    outcome: "stored",
  });
  if (duplicates < events.length) options.onStored();
  return fresh;
}
