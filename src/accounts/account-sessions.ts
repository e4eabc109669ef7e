// Account sessions: tokens by which a tenant's own customer acts for one account. Signed; nothing of them is stored.
import { jwtVerify, SignJWT } from "jose";

import type { Clock } from "../base/clock.ts";
import { isId } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";

export const ACCOUNT_SESSION_SECONDS = 15 * 60;

/** read: profile, purchases, ledger, invoices, statuses · the others: what may be begun */
export const ACCOUNT_SCOPES = ["read", "purchase", "subscription", "payment_method"] as const;
export type AccountScope = (typeof ACCOUNT_SCOPES)[number];

export interface AccountSession {
  tenantId: string;
  livemode: boolean;
  accountId: string;
  /** The secret key that asked for it: it works as long as that one does. */
  keyId: string;
  scopes: readonly AccountScope[];
}

export interface SessionSigning {
  people: { ring: KeyRing };
  publicUrl: string;
  clock: Pick<Clock, "now">;
}

const PURPOSE = "account sessions: HMAC-SHA-256";
const ALGORITHM = "HS256";
/** Neither is an access token's: neither token is taken for the other. */
const AUDIENCE = "billhook/account";
const TYPE = "account-session+jwt";

export async function signAccountSession(
  { people, publicUrl, clock }: SessionSigning,
  { tenantId, livemode, accountId, keyId, scopes }: AccountSession,
): Promise<{ token: string; expiresAt: Date }> {
  const [key] = people.ring.keysFor(PURPOSE);
  if (key === undefined) throw new Error("there is no key to sign with");
  const issued = Math.floor(clock.now() / 1000);
  const expires = issued + ACCOUNT_SESSION_SECONDS;
  const token = await new SignJWT({ tenant: tenantId, livemode, key: keyId, scope: scopes.join(" ") })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setSubject(accountId)
    .setIssuer(publicUrl)
    .setAudience(AUDIENCE)
    .setIssuedAt(issued)
    .setExpirationTime(expires)
    .sign(key);
  return { token, expiresAt: new Date(expires * 1000) };
}

/** Undefined: not ours, changed, or too old. Whether its key still works is another question. */
export async function readAccountSession(
  { people, publicUrl, clock }: SessionSigning,
  token: string,
): Promise<AccountSession | undefined> {
  const options = {
    algorithms: [ALGORITHM],
    typ: TYPE,
    issuer: publicUrl,
    audience: AUDIENCE,
    requiredClaims: ["sub", "exp"],
    currentDate: new Date(clock.now()),
  };
  for (const key of people.ring.keysFor(PURPOSE)) {
    try {
      const { payload } = await jwtVerify(token, key, options);
      return sessionOf(payload);
    } catch {
      // jose throws for each way in which a token can be wrong: another key may fit, or it is 401.
    }
  }
  return undefined;
}

/** What we signed has the form that we gave it; a scope that a later version took away is no scope any more. */
function sessionOf({ sub, tenant, livemode, key, scope }: Record<string, unknown>): AccountSession | undefined {
  if (typeof sub !== "string" || typeof tenant !== "string" || typeof key !== "string") return undefined;
  if (!isId(sub, "acc") || !isId(tenant, "ten") || typeof livemode !== "boolean") return undefined;
  const named = new Set(typeof scope === "string" ? scope.split(" ") : []);
  const scopes = ACCOUNT_SCOPES.filter((one) => named.has(one));
  return { tenantId: tenant, livemode, accountId: sub, keyId: key, scopes };
}
