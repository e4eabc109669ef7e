// The envelope of a Stripe event: what a webhook's body must say before we keep it, for snapshot and thin events. Pure.
import { isUtf8 } from "node:buffer";

import { nestsDeeperThan } from "../base/json-depth.ts";
import { OBJECT_ID } from "./read-values.ts";

/** A Stripe object as parsed from JSON: nothing about its shape is trusted. */
export type StripeObject = Readonly<Record<string, unknown>>;

/** Unix seconds, as Stripe counts time. */
export type UnixSeconds = number;

interface EventEnvelope {
  id: string;
  /** As Stripe wrote it: `invoice.paid` of a snapshot event, `v1.invoice.paid` of a thin one. */
  type: string;
  /** The connected account that it happened on, "" for our own. */
  account: string;
  /** 0 ≤ created < year 9999. */
  created: UnixSeconds;
  livemode: boolean;
  /** null where Stripe gives none. Thin events never have one. */
  apiVersion: string | null;
}

export interface SnapshotEnvelope extends EventEnvelope {
  thin: false;
  /** `data.object`: the object as it was when the event was made. */
  object: StripeObject;
  /** `data.previous_attributes`, where it names anything. */
  previous?: StripeObject;
}

export interface ThinEnvelope extends EventEnvelope {
  thin: true;
  /** As given, for the `Stripe-Context` header: an account id, or a path of ids whose last is the account. */
  context: string | null;
  /** What to fetch. null where there is none, or where it cannot be read: the event is kept all the same. */
  relatedObject: RelatedObject | null;
}

export interface RelatedObject {
  id: string;
  type: string;
  /** A path such as `/v1/invoices/in_1`, unchecked: `retrievePath` refuses what is no such path. */
  url: string;
}

export type Envelope = SnapshotEnvelope | ThinEnvelope;

/** `text` is the body as text without a byte order mark, to be stored; `detail` names a field, never a value. */
export type EnvelopeReading =
  | { ok: true; envelope: Envelope; parsed: StripeObject; text: string }
  | { ok: false; reason: "not_utf8" | "not_json" | "not_event"; detail: string };

/** Real events nest under 20 levels. What walks an object may recurse; a megabyte of `[` would end the process there. */
export const MAX_NESTING = 512;

const YEAR_9999: UnixSeconds = Date.UTC(9999, 0, 1) / 1000;
const NAME = /^[!-~]{1,255}$/;
/** Without `|`, which separates the parts of an object key. */
const ACCOUNT = /^[\w-]{1,255}$/;
const CONTEXT = /^[\w-]{1,255}(?:\/[\w-]{1,255}){0,8}$/;
/** Without `|` too: it is the second part of an object key. */
const OBJECT_TYPE = /^[\w.-]{1,255}$/;
const URL_PATH = /^[!-~]{1,2048}$/;
const API_VERSION = /^[!-~]{1,64}$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Reads the envelope of an event, given the body as received or the stored text. Strict about what an event needs, and
 * about the account, on which the tenant depends; tolerant about all else, because a refused event is retried for days
 * and then lost. Never throws, whatever the body.
 */
export function readEnvelope(body: Uint8Array | string): EnvelopeReading {
  const text = decode(body);
  if (text === undefined) return { ok: false, reason: "not_utf8", detail: "the body is not UTF-8" };
  if (nestsDeeperThan(text, MAX_NESTING)) return notEvent(`the body nests deeper than ${MAX_NESTING} levels`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which must not reach a log.
    return { ok: false, reason: "not_json", detail: "the body is not JSON" };
  }
  const parsed = asObject(json);
  if (parsed === undefined) return notEvent("the body is not a JSON object");
  const envelope = envelopeOf(parsed);
  return typeof envelope === "string" ? notEvent(envelope) : { ok: true, envelope, parsed, text };
}

function decode(body: Uint8Array | string): string | undefined {
  if (typeof body !== "string" && !isUtf8(body)) return undefined;
  const text =
    typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function notEvent(detail: string): EnvelopeReading {
  return { ok: false, reason: "not_event", detail };
}

/** The envelope, or what is wrong with it. */
function envelopeOf(parsed: StripeObject): Envelope | string {
  if (parsed.object === "event") return snapshotOf(parsed);
  if (parsed.object === "v2.core.event") return thinOf(parsed);
  return '`object` is neither "event" nor "v2.core.event"';
}

function snapshotOf(parsed: StripeObject): SnapshotEnvelope | string {
  const { id, type, created, livemode, account = null } = parsed;
  if (!matches(id, NAME)) return "`id` is not a printable string of 1 to 255 characters";
  if (!matches(type, NAME)) return "`type` is not a printable string of 1 to 255 characters";
  if (!isTime(created)) return "`created` is not a time in whole Unix seconds";
  if (typeof livemode !== "boolean") return "`livemode` is not a boolean";
  if (account !== null && !matches(account, ACCOUNT)) return "`account` is not an account id";
  const data = asObject(parsed.data);
  const object = asObject(data?.object);
  if (object === undefined) return "`data.object` is not an object";
  const previous = asObject(data?.previous_attributes);
  const version = parsed.api_version;
  return {
    thin: false,
    id,
    type,
    account: account ?? "",
    created,
    livemode,
    apiVersion: matches(version, API_VERSION) ? version : null,
    object,
    ...(previous !== undefined && Object.keys(previous).length > 0 ? { previous } : {}),
  };
}

function thinOf(parsed: StripeObject): ThinEnvelope | string {
  const { id, type, livemode = false, context = null } = parsed;
  if (!matches(id, NAME)) return "`id` is not a printable string of 1 to 255 characters";
  if (!matches(type, NAME)) return "`type` is not a printable string of 1 to 255 characters";
  const created = matches(parsed.created, ISO_TIME) ? Math.floor(Date.parse(parsed.created) / 1000) : undefined;
  if (!isTime(created)) return "`created` is not an ISO 8601 time";
  if (typeof livemode !== "boolean") return "`livemode` is not a boolean";
  if (context !== null && !matches(context, CONTEXT)) return "`context` is not an account id";
  return {
    thin: true,
    id,
    type,
    account: context === null ? "" : context.slice(context.lastIndexOf("/") + 1),
    created,
    livemode,
    apiVersion: null,
    context,
    relatedObject: relatedObjectOf(parsed.related_object),
  };
}

function relatedObjectOf(value: unknown): RelatedObject | null {
  const { id, type, url } = asObject(value) ?? {};
  return matches(id, OBJECT_ID) && matches(type, OBJECT_TYPE) && matches(url, URL_PATH) ? { id, type, url } : null;
}

/** The id of the snapshot event that says the same as this thin one, while a platform moves from one kind to the other. */
export function snapshotTwin({ snapshot_event: twin }: StripeObject): string | undefined {
  return matches(twin, NAME) ? twin : undefined;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function isTime(value: unknown): value is UnixSeconds {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < YEAR_9999;
}

function asObject(value: unknown): StripeObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as StripeObject) : undefined;
}
