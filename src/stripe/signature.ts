// The signature on a Stripe webhook: was this body signed by Stripe, with one of our signing secrets, just now? Pure.
import { isUtf8 } from "node:buffer";
import { timingSafeEqual } from "node:crypto";

import { type HmacKey, hmacKey, hmacSha256 } from "../base/hmac.ts";

/** One endpoint's signing secret, with the name under which logs and metrics know it. */
export interface SigningSecret {
  secret: string;
  name: string;
}

/**
 * missing: no header · malformed: no `t`, an empty or non-ASCII `v1`, or several headers · no_v1: only schemes that prove
 * nothing · mismatch: no `v1` fits any secret · stale: it fits, but was made too long ago.
 */
export type SignatureRefusal = "missing" | "malformed" | "no_v1" | "stale" | "mismatch";

/** `timestamp` is the header's `t` in Unix seconds, as `parseInt` reads it: NaN where a signer wrote no number. */
export type SignatureVerdict = { ok: true; name: string; timestamp: number } | { ok: false; reason: SignatureRefusal };

/** How old a signature may be, in seconds: the official SDK's default. A replayed delivery is refused after that. */
export const SIGNATURE_TOLERANCE = 300;

const LOWERCASE_SHA256 = /^[0-9a-f]{64}$/;
const NOT_ASCII = /[^\u0000-\u007f]/;
const HEX_LENGTH = 64;

/**
 * Checks `Stripe-Signature` (`t=<unix>,v1=<hex>[,v1=<hex>…]`) over the raw bytes of the body, against each secret in turn.
 * The verdict is the one of the official SDK (stripe 23.1.0, `webhooks.constructEvent`) on every input, which
 * signature.test.ts holds it to, except that a tolerance of 0 does not switch the age check off.
 * A time in the future is accepted: our own clock may be behind. A blank secret never matches, because anyone can forge it.
 */
export function verifySignature(
  body: Uint8Array,
  header: string | readonly string[] | undefined,
  secrets: readonly SigningSecret[],
  nowSeconds: number,
  tolerance: number = SIGNATURE_TOLERANCE,
): SignatureVerdict {
  if (header === undefined || header === "") return { ok: false, reason: "missing" };
  if (typeof header !== "string") return { ok: false, reason: "malformed" };
  const { timestamp, signatures } = parseHeader(header);
  if (timestamp === -1) return { ok: false, reason: "malformed" };
  if (signatures.length === 0) return { ok: false, reason: "no_v1" };
  if (signatures.some(breaksComparison)) return { ok: false, reason: "malformed" };

  const candidates = signatures
    .filter((signature) => LOWERCASE_SHA256.test(signature))
    .map((hex) => Buffer.from(hex, "hex"));
  const signer = candidates.length === 0 ? undefined : findSigner(signedBytes(body), timestamp, candidates, secrets);
  if (signer === undefined) return { ok: false, reason: "mismatch" };
  if (Math.floor(nowSeconds) - timestamp > tolerance) return { ok: false, reason: "stale" };
  return { ok: true, name: signer.name, timestamp };
}

/** The last `t` wins, every `v1` counts, all else is ignored: `v0` is a test scheme, and taking it would be a downgrade. */
function parseHeader(header: string): { timestamp: number; signatures: string[] } {
  let timestamp = -1;
  const signatures: string[] = [];
  for (const item of header.split(",")) {
    const [key, value = ""] = item.split("=");
    if (key === "t") timestamp = Number.parseInt(value, 10);
    else if (key === "v1") signatures.push(value);
  }
  return { timestamp, signatures };
}

/** What makes the SDK's comparison throw, and with it refuse the whole header, even beside a signature that fits. */
function breaksComparison(signature: string): boolean {
  return signature === "" || (signature.length === HEX_LENGTH && NOT_ASCII.test(signature));
}

/**
 * The bytes that the SDK signs, which turns the body into text first: without a byte order mark, and with U+FFFD where the
 * bytes are not UTF-8. An ordinary body is neither and is not copied. (The envelope then refuses what is not UTF-8.)
 */
function signedBytes(body: Uint8Array): Uint8Array {
  if (!isUtf8(body)) return Buffer.from(new TextDecoder().decode(body));
  const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return marked ? body.subarray(3) : body;
}

function findSigner(
  body: Uint8Array,
  timestamp: number,
  candidates: readonly Buffer[],
  secrets: readonly SigningSecret[],
): SigningSecret | undefined {
  const prefix = `${String(timestamp)}.`;
  return secrets.find(({ secret }) => {
    if (secret.trim() === "") return false;
    const expected = hmacSha256(keyOf(secret), prefix, body);
    return candidates.some((candidate) => timingSafeEqual(candidate, expected));
  });
}

/** Of the secrets that are configured: a handful. */
const keys = new Map<string, HmacKey>();
const MOST_KEYS = 64;

function keyOf(secret: string): HmacKey {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const made = hmacKey(secret);
  if (keys.size >= MOST_KEYS) keys.clear();
  keys.set(secret, made);
  return made;
}
