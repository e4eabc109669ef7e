// Our ids: a prefix, then 48 bits of milliseconds and 80 random bits in 26 characters that sort by time.
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { randomBits } from "./random.ts";

/** Every prefix of ours. None is the prefix of a Stripe object (`req_` is also how Stripe names its requests, not objects). */
export const ID_PREFIXES = {
  ten: "tenant",
  usr: "person",
  acc: "account: a tenant's customer",
  inv: "invitation to a tenant",
  key: "API key",
  whe: "webhook endpoint",
  msg: "event that tenants are told",
  dlv: "delivery",
  att: "attempt of a delivery",
  clm: "claim of deliveries: processes from before 0037 make others, and are refused",
  rcv: "recovery of what an endpoint missed",
  crd: "credit entry",
  pack: "credit pack",
  pln: "plan",
  pur: "purchase of credits",
  unm: "payment that belongs to no purchase of ours",
  cinv: "connected-account invoice",
  subr: "subscription that was asked for",
  pms: "payment method that is set up",
  rfr: "refund that was asked for",
  req: "request to us",
  obs: "observation that was fetched, not received",
  mail: "mail",
  aud: "audit entry",
  node: "running process",
} as const;

export type IdPrefix = keyof typeof ID_PREFIXES;

/** Crockford's base 32 in lower case: no i, l, o, u; digits sort before letters in every collation. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_BODY = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const FORTY_BITS = 2 ** 40;

export type IdSource = <Prefix extends IdPrefix>(prefix: Prefix) => `${Prefix}_${string}`;

/**
 * A source of ids that only grow, also within one millisecond and when the clock is set back: the random part then
 * grows by a random step of up to 2^32, so that a neighbour cannot be guessed by adding one.
 */
export function idSource(clock: Clock, random: typeof randomBits = randomBits): IdSource {
  let milliseconds = -1;
  let high = 0;
  let low = 0;

  function step(): void {
    low += 1 + random(4);
    if (low < FORTY_BITS) return;
    low -= FORTY_BITS;
    high += 1;
    if (high < FORTY_BITS) return;
    milliseconds += 1;
    high = random(5);
  }

  return (prefix) => {
    const now = Math.floor(clock.now());
    if (now > milliseconds) {
      milliseconds = now;
      high = random(5);
      low = random(5);
    } else {
      step();
    }
    return `${prefix}_${encode(milliseconds, 10)}${encode(high, 8)}${encode(low, 8)}`;
  };
}

/** The process's own source: `newId("msg")` → `msg_01jd…`. */
export const newId: IdSource = idSource(systemClock);

/** An id that is the same for each run of one operation, which is named by an id of ours; a new one where there is none. */
export function idOfOperation<Prefix extends IdPrefix>(
  prefix: Prefix,
  operationId: string | undefined,
): `${Prefix}_${string}` {
  if (operationId === undefined) return newId(prefix);
  return `${prefix}_${operationId.slice(operationId.lastIndexOf("_") + 1)}`;
}

/** Whether `text` has the form of one of our ids, of this kind where a prefix is given. */
export function isId(text: string, prefix?: IdPrefix): boolean {
  const bar = text.lastIndexOf("_");
  const found = text.slice(0, Math.max(bar, 0));
  return (
    ID_BODY.test(text.slice(bar + 1)) && (prefix === undefined ? Object.hasOwn(ID_PREFIXES, found) : found === prefix)
  );
}

/** When an id was made, in milliseconds since 1970. The caller has checked it with `isId`. */
export function timeOfId(id: string): number {
  let value = 0;
  for (const character of id.slice(-26, -16)) value = value * 32 + ALPHABET.indexOf(character);
  return value;
}

/** No id of this kind that was made at `milliseconds` or later sorts before it: for ranges of ids by time. */
export function firstIdAt<Prefix extends IdPrefix>(prefix: Prefix, milliseconds: number): `${Prefix}_${string}` {
  return `${prefix}_${encode(Math.max(Math.floor(milliseconds), 0), 10)}${encode(0, 8)}${encode(0, 8)}`;
}

function encode(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let index = 0; index < length; index += 1) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
