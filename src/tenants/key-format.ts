// The form of our API keys: brand, kind and mode, 26 random characters, 6 of checksum. Pure but for chance.
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

export type KeyKind = "public" | "secret";

/** As the wire names the four keys of a tenant. */
export type KeyType = "live_public" | "live_secret" | "test_public" | "test_secret";

export const KEY_TYPES: readonly KeyType[] = ["live_public", "live_secret", "test_public", "test_secret"];

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 26 · log2(62) = 154 bits. */
const RANDOM_LENGTH = 26;
/** 62^6 > 2^32. */
const CHECKSUM_LENGTH = 6;
/** The greatest multiple of 62 in a byte: what lies above is drawn again, so that all characters are equally likely. */
const FAIR = 248;

const FORM = /^(?:[a-z][a-z0-9]*_)?(sk|pk)_(live|test)_[0-9A-Za-z]{32}$/;

export interface KeyForm {
  kind: KeyKind;
  livemode: boolean;
}

export interface NewKey extends KeyForm {
  key: string;
  /** What stands before the random part. */
  prefix: string;
  last4: string;
}

/** `brand` is API_KEY_PREFIX, or empty. */
export function newKey({ kind, livemode }: KeyForm, brand: string): NewKey {
  const prefix = `${brand === "" ? "" : `${brand}_`}${kind === "secret" ? "sk" : "pk"}_${livemode ? "live" : "test"}_`;
  const body = prefix + randomText(RANDOM_LENGTH);
  const key = body + checksum(body);
  return { kind, livemode, key, prefix, last4: key.slice(-4) };
}

/** Undefined: no key of ours, or mistyped; nothing needs to be looked up to say so. A key keeps the brand that it was made with. */
export function readKey(text: string): KeyForm | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (checksum(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  return { kind: found[1] === "sk" ? "secret" : "public", livemode: found[2] === "live" };
}

/** `sk_live_****...3456` */
export function maskedKey({ prefix, last4 }: { prefix: string; last4: string }): string {
  return `${prefix}****...${last4}`;
}

export function keyTypeOf({ kind, livemode }: KeyForm): KeyType {
  return `${livemode ? "live" : "test"}_${kind}`;
}

export function formOfType(type: KeyType): KeyForm {
  return { kind: type.endsWith("secret") ? "secret" : "public", livemode: type.startsWith("live") };
}

function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < FAIR && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = "";
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}
