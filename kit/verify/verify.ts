// `billhook/verify`: whether a webhook is Billhook's, and its event. Needs Web Crypto alone: Node, Deno, Bun, workers, edges.
import { bytesOf } from "./signature-bytes.ts";
import { type Signed, signedOf, type WebhookHeaders } from "./signature-headers.ts";
import { WebhookError } from "./webhook-error.ts";

export { WebhookError, type WebhookErrorCode } from "./webhook-error.ts";
export type { WebhookHeaders } from "./signature-headers.ts";

/** What tenants are told. `data.object` is the thing that it happened to, in the form of `api_version`. */
export interface WebhookEvent<Thing = Record<string, unknown>> {
  /** The same however often it is sent: take each once. */
  id: string;
  object: "event";
  /** Such as `2026-11-21`. */
  api_version: string;
  /** Such as `invoice.paid`. */
  type: string;
  /** Unix seconds. */
  created: number;
  livemode: boolean;
  data: { object: Thing };
  tenant: { id: string; company_name: string };
}

export interface VerifyOptions {
  /** As it came, before any parser: the signature is over these bytes. */
  body: string | Uint8Array | ArrayBuffer;
  /** All of them: a request's `headers`, of `fetch` or of Node. */
  headers: WebhookHeaders;
  /** `whsec_…`, or `whpk_…` for `v1a` signatures; several while one is being replaced. */
  secret: string | readonly string[];
  /** How old or new a signature may be, in seconds; 300 unless it is set. */
  tolerance?: number;
  /** Unix seconds, instead of this machine's clock. */
  now?: number;
}

const TOLERANCE = 300;

/**
 * Gives the event of a webhook that one of the secrets has signed, or throws a WebhookError. Answer it with 400 then, and
 * with 2xx only when the event is safe with you: until then it is sent again. It may come more than once, always with the
 * same `id`: tell by that one, which is signed, and not by the header `webhook-id`.
 */
export async function verifyWebhook<Thing = Record<string, unknown>>({
  body,
  headers,
  secret,
  tolerance = TOLERANCE,
  now = Date.now() / 1000,
}: VerifyOptions): Promise<WebhookEvent<Thing>> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  // Undefined where a program without types read a variable that is not set.
  const secrets: readonly unknown[] = typeof secret === "string" ? [secret] : Array.isArray(secret) ? secret : [];
  if (secrets.length === 0) throw new WebhookError("secret_invalid", "Give the endpoint's signing secret: whsec_….");
  const keys = secrets.map(keyOf);
  const signed = signedOf(headers);
  if (!(Math.abs(now - signed.timestamp) <= tolerance)) {
    const message = `The signature is more than ${tolerance} seconds away from this machine's time: check its clock.`;
    throw new WebhookError("signature_stale", message);
  }
  if (!(await someFits(keys, signed, bytes))) throw new WebhookError("signature_mismatch", MISMATCH);
  return eventOf<Thing>(bytes);
}

const MISMATCH =
  "No signature fits: check that the secret is this endpoint's, and that the body is passed as it came, not parsed and written again.";

/** A secret as the two schemes use it: its text, and the bytes in it. */
interface Key {
  kind: "whsec" | "whpk";
  text: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const FORM = /^(whsec|whpk)_([A-Za-z0-9+/]{22,}={0,2})$/;
/** Of an Ed25519 public key. Source: RFC 8032, 5.1.5. */
const PUBLIC_KEY_BYTES = 32;

function keyOf(secret: unknown): Key {
  const text = typeof secret === "string" ? secret.trim() : "";
  const [, kind, base64] = FORM.exec(text) ?? [];
  const bytes = base64 === undefined ? undefined : bytesOf(base64);
  if (bytes === undefined || (kind === "whpk" && bytes.length !== PUBLIC_KEY_BYTES)) {
    throw new WebhookError("secret_invalid", "The secret has not the form whsec_… or whpk_…: copy it again.");
  }
  return { kind: kind === "whpk" ? "whpk" : "whsec", text, bytes };
}

/** Each comparison is Web Crypto's own, whose time tells nothing about the signature. */
async function someFits(
  keys: readonly Key[],
  { scheme, head, signatures }: Signed,
  body: Uint8Array,
): Promise<boolean> {
  const text = joined(new TextEncoder().encode(head), body);
  for (const key of keys) {
    const wanted = key.kind === "whpk" ? "v1a" : "v1";
    const fitting = signatures.filter(({ version }) => version === wanted);
    if (fitting.length === 0) continue;
    const imported = await importKey(key, scheme);
    for (const { bytes } of fitting) {
      if (await crypto.subtle.verify(imported.algorithm.name, imported, bytes, text)) return true;
    }
  }
  return false;
}

function importKey({ kind, text, bytes }: Key, scheme: Signed["scheme"]) {
  if (kind === "whpk") return crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
  const key = scheme === "stripe" ? new TextEncoder().encode(text) : bytes;
  return crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

function eventOf<Thing>(bytes: Uint8Array): WebhookEvent<Thing> {
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new WebhookError("not_an_event", "The signed body is not JSON.", cause);
  }
  if (typeof event !== "object" || event === null || !("object" in event) || event.object !== "event") {
    throw new WebhookError("not_an_event", "The signed body is no event.");
  }
  return event as WebhookEvent<Thing>;
}
