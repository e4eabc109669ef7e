// Keys derived from SECRET_KEY, one family per purpose, and the sealing of secrets that must be read back. Pure but for chance.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

import type { Secret } from "./secret.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = "v1";

export interface KeyRing {
  /** 32 bytes for this purpose from each secret key, the newest first: the first signs and seals, all verify and open. */
  keysFor(purpose: string): readonly Buffer[];
  /** AES-256-GCM, as text. `context` (such as a tenant's id and the column) must be the same to open it: a sealed text that was moved elsewhere does not open. */
  seal(text: string, context: string): string;
  /** Throws when no key opens it. */
  open(sealed: string, context: string): string;
}

/** `secretKeys` as in SECRET_KEY: the first is the current one, the others are being rotated out. */
export function keyRing(secretKeys: readonly Secret[]): KeyRing {
  if (secretKeys.length === 0) throw new Error("there is no secret key");
  const derived = new Map<string, readonly Buffer[]>();
  const keysFor = (purpose: string): readonly Buffer[] => {
    const known = derived.get(purpose);
    if (known !== undefined) return known;
    const keys = secretKeys.map((secret) =>
      Buffer.from(hkdfSync("sha256", secret.reveal(), "billhook", purpose, KEY_BYTES)),
    );
    derived.set(purpose, keys);
    return keys;
  };
  return {
    keysFor,
    seal: (text, context) => sealWith(keysFor("seal")[0] ?? Buffer.alloc(0), text, context),
    open: (sealed, context) => {
      for (const key of keysFor("seal")) {
        const text = openWith(key, sealed, context);
        if (text !== undefined) return text;
      }
      throw new Error("a sealed secret does not open: the SECRET_KEY that sealed it is not in SECRET_KEY any more");
    },
  };
}

function sealWith(key: Buffer, text: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const bytes = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return `${FORM}.${Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString("base64url")}`;
}

function openWith(key: Buffer, sealed: string, context: string): string | undefined {
  const [form, body = ""] = sealed.split(".");
  const bytes = Buffer.from(body, "base64url");
  if (form !== FORM || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    // Another key sealed it, or it was changed: the caller tries the next key.
    return undefined;
  }
}
