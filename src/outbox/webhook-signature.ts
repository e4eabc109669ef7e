// What deliveries are signed with: Stripe's scheme and Standard Webhooks, over the same bytes with the same secrets. Pure.
import { createPrivateKey, type KeyObject, sign } from "node:crypto";

import { hmacKey, hmacSha256Text } from "../base/hmac.ts";

export interface Signing {
  /** Of the message: the same in every attempt. Without a dot, which would blur where the signed text is cut. */
  id: string;
  /** Unix seconds. */
  timestamp: number;
  /** Bytes are sent as they are signed: encoded once. */
  body: string | Buffer;
  /** `whsec_` and base64: the current one first, then those that are being rotated out. */
  secrets: readonly string[];
  /** `whsk_` and base64 of the 32 bytes of an ed25519 key, with or without the public key's 32 behind them. */
  ed25519Keys?: readonly string[];
}

/**
 * `X-Webhook-Signature: t=…,v1=<hex>` is HMAC-SHA256 of `t.body` with the whole secret text as the key, as Stripe signs;
 * `webhook-signature: v1,<base64>` is HMAC-SHA256 of `id.t.body` with the secret's decoded bytes, and `v1a,<base64>` the
 * ed25519 signature of that text, as Standard Webhooks has them. One of each for every secret and key.
 */
export function signatureHeaders({ id, timestamp, body, secrets, ed25519Keys = [] }: Signing): Record<string, string> {
  if (secrets.length === 0) throw new Error("a webhook cannot be signed without a secret");
  if (!/^[\w-]+$/.test(id)) throw new Error("a webhook's id has letters, digits, - and _ alone");
  if (!Number.isSafeInteger(timestamp)) throw new Error("a webhook's time is in whole seconds");
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const [stamp, head] = [`${timestamp}.`, `${id}.${timestamp}.`];
  const hex = secrets.map((secret) => `v1=${hmacSha256Text(textKey(secret), stamp, bytes, "hex")}`);
  const standard = secrets.map((secret) => `v1,${hmacSha256Text(bytesKey(secret), head, bytes, "base64")}`);
  if (ed25519Keys.length > 0) {
    const whole = Buffer.concat([Buffer.from(head), bytes]);
    standard.push(...ed25519Keys.map((key) => `v1a,${sign(null, whole, signingKey(key)).toString("base64")}`));
  }
  return {
    "X-Webhook-Signature": [`t=${timestamp}`, ...hex].join(","),
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": standard.join(" "),
  };
}

/** What was made of the latest keys: to make one costs as much as signing with it. */
function kept<Made>(make: (key: string) => Made): (key: string) => Made {
  const made = new Map<string, Made>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.delete(key);
    made.set(key, known);
    const [oldest] = made.keys();
    if (made.size > KEPT_KEYS && oldest !== undefined) made.delete(oldest);
    return known;
  };
}

const KEPT_KEYS = 2000;
const textKey = kept((secret) => hmacKey(secret));
const bytesKey = kept((secret) => hmacKey(bytesOf(secret, "whsec_")));
const signingKey = kept(ed25519);

/** An empty key, or one that is cut short, would sign what anyone can sign. */
const LEAST_BYTES = 16;

function bytesOf(secret: string, prefix: string): Buffer {
  const bytes = Buffer.from(secret.slice(prefix.length), "base64");
  if (!secret.startsWith(prefix) || bytes.length < LEAST_BYTES) {
    throw new Error(`a webhook's key does not have the form ${prefix}<base64>`);
  }
  return bytes;
}

/** A private key as PKCS #8 has it, before its 32 bytes. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519_BYTES = 32;

function ed25519(key: string): KeyObject {
  const seed = bytesOf(key, "whsk_").subarray(0, ED25519_BYTES);
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}
