// What an audit entry may show of a value: everything but secrets, which are known by their names and by their shape. Pure.
import { type Json, MAX_DEPTH, storableJson, TOO_DEEP } from "../base/text.ts";

export const REDACTED = "[secret]";

/** Names, without case, `_` and `-`. One that ends in a word of the second list is a secret too. */
const NAMES: ReadonlySet<string> = new Set(
  "access refresh pass passwd pwd authorization cookie setcookie session sessionid jwt otp pin salt seed signature code key keys cvc cvv cardnumber".split(
    " ",
  ),
);
const ENDINGS =
  /(password|passwords|passphrase|secret|secrets|token|tokens|hash|digest|apikey|apikeys|privatekey|secretkey|signingkey|encryptionkey|credential|credentials|connectionstring|databaseurl)$/;

/** API keys and signing secrets whole (a masked one has stars), JWTs, Stripe's client secrets, credentials in a header or an address. */
const SHAPES: readonly RegExp[] = [
  /(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}/,
  /whsec_[A-Za-z0-9+/=_-]{8,}/,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/,
  /_secret_[A-Za-z0-9]{8,}/,
  /\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/i,
  /:\/\/[^\s/@:]+:[^\s/@]+@/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\$argon2/,
];

/** The value as JSON with every secret replaced. Throws for what JSON cannot say (a cycle, a bigint). */
export function redacted(value: object): Json {
  return storableJson(withoutSecrets(JSON.parse(JSON.stringify(value)) as Json, 0));
}

function withoutSecrets(value: Json, depth: number): Json {
  if (typeof value === "string") return SHAPES.some((shape) => shape.test(value)) ? REDACTED : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return TOO_DEEP;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isSecret(name, item) ? REDACTED : withoutSecrets(item, depth + 1),
    ]),
  );
}

/** Whether something is set is no secret: null, true and false stay, also under a secret's name. */
function isSecret(name: string, value: Json): boolean {
  if (value === null || typeof value === "boolean") return false;
  const plain = name.toLowerCase().replace(/[_\s-]/g, "");
  return NAMES.has(plain) || ENDINGS.test(plain);
}
