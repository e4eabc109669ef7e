// The status_url: an address that whoever has it may ask, for one object and 24 hours. Signed; nothing of it is stored.
import { createHmac, timingSafeEqual } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import type { KeyRing } from "../base/key-ring.ts";
import type { StatusGrant } from "./status-grants.ts";

export interface StatusUrlContext {
  people: { ring: KeyRing };
  publicUrl: string;
  clock: Pick<Clock, "now">;
}

const PURPOSE = "status links: HMAC-SHA-256";
const FORM = "s1";
const VALID_SECONDS = 86_400;

/** Which object the token speaks of, and of whose. */
export type StatusClaim = Omit<StatusGrant, "accountId">;

/** Where the status of a recorded object is asked for, with the token that lets one ask. */
export function statusUrl(context: StatusUrlContext, claim: StatusClaim): string {
  const { objectId } = claim;
  return `${context.publicUrl}/api/v1/status/${objectId}/?token=${statusToken(context, claim)}`;
}

export function statusToken({ people, clock }: Omit<StatusUrlContext, "publicUrl">, claim: StatusClaim): string {
  const { tenantId, livemode, stripeAccount, objectId } = claim;
  const until = Math.floor(clock.now() / 1000) + VALID_SECONDS;
  const body = Buffer.from(JSON.stringify([tenantId, livemode, stripeAccount, objectId, until])).toString("base64url");
  const [key] = people.ring.keysFor(PURPOSE);
  if (key === undefined) throw new Error("there is no key to sign with");
  return `${FORM}.${body}.${macOf(key, body).toString("base64url")}`;
}

/** Undefined: not ours, changed, or too old. */
export function readStatusToken(
  { people, clock }: Omit<StatusUrlContext, "publicUrl">,
  token: string,
): StatusClaim | undefined {
  const [form, body = "", mac = "", ...more] = token.split(".");
  if (form !== FORM || more.length > 0) return undefined;
  const given = Buffer.from(mac, "base64url");
  const signed = people.ring.keysFor(PURPOSE).some((key) => {
    const wanted = macOf(key, body);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  if (!signed) return undefined;
  // What we signed has the form that we gave it.
  const [tenantId, livemode, stripeAccount, objectId, until] = JSON.parse(
    Buffer.from(body, "base64url").toString("utf8"),
  ) as [string, boolean, string, string, number];
  return clock.now() / 1000 < until ? { tenantId, livemode, stripeAccount, objectId } : undefined;
}

const macOf = (key: Buffer, body: string): Buffer => createHmac("sha256", key).update(`${FORM}.${body}`).digest();
