// Every kind of caller that there is, with the headers that it sends: for tests of who may call what.
import { signAccountSession } from "../../src/accounts/account-sessions.ts";
import { manualClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { Secret } from "../../src/base/secret.ts";
import { firstOperatorLink } from "../../src/tenants/first-operator.ts";
import { openPeople } from "../../src/tenants/open-people.ts";
import { type Door, OPERATOR_TOKEN, PUBLIC_URL, SECRET_KEY } from "./api-door.ts";
import { addMember, newEmail, PASSWORD, registerPerson, registerTenant, send, sessionOf } from "./people.ts";
import type { TestTenant } from "./people.ts";

export const CALLERS = [
  "nobody",
  "a word that is no token",
  "a person without a tenant",
  "another tenant's owner",
  "another tenant's secret key",
  "member",
  "admin",
  "owner",
  "public key",
  "secret key",
  "secret key of the other mode",
  "revoked key",
  "expired key",
  "mistyped key",
  "tampered JWT",
  "unsigned JWT",
  "expired JWT",
  "JWT of an ended session",
  "account session",
  "another tenant's account session",
  "account session of a revoked key",
  "expired account session",
  "operator's token",
  "the platform's owner",
  "the platform's admin",
  "the platform's member",
] as const;
export type CallerName = (typeof CALLERS)[number];

export type Headers = Record<string, string>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** The headers of each caller; each names our tenant, which most of them do not belong to. */
export async function everyCaller(door: Door): Promise<Record<CallerName, Headers>> {
  const tenant = await registerTenant(door);
  const other = await registerTenant(door);
  const platform = await platformPeople(door);
  const keys = await worn(door, tenant);
  const sid = claimsOf(tenant.access).sid;
  const anyToken = (await registerPerson(door)).access;
  const ended = await registerPerson(door);
  await send(door, "POST", "/api/v1/auth/logout/", { body: { refresh: ended.refresh } });
  const headers: Record<CallerName, Headers> = {
    nobody: {},
    "a word that is no token": bearer("nonsense"),
    "a person without a tenant": bearer(anyToken),
    "another tenant's owner": bearer(other.access),
    "another tenant's secret key": bearer(other.keys.test_secret),
    member: bearer((await addMember(door, tenant, "member")).access),
    admin: bearer((await addMember(door, tenant, "admin")).access),
    owner: bearer(tenant.access),
    "public key": bearer(keys.public),
    "secret key": bearer(keys.secret),
    "secret key of the other mode": { ...bearer(keys.secret), "billhook-mode": "live" },
    "revoked key": bearer(keys.revoked),
    "expired key": bearer(keys.expired),
    "mistyped key": bearer(`${keys.secret.slice(0, -1)}${keys.secret.endsWith("A") ? "B" : "A"}`),
    "tampered JWT": bearer(withClaims(anyToken, { sub: tenant.personId, sid })),
    "unsigned JWT": bearer(unsigned(tenant.access)),
    "expired JWT": bearer(await expired(door, { personId: tenant.personId, sessionId: sid })),
    "JWT of an ended session": bearer(ended.access),
    "account session": bearer(await accountSession(door, keys.secret)),
    "another tenant's account session": bearer(await accountSession(door, other.keys.test_secret)),
    "account session of a revoked key": bearer(keys.revokedSession),
    "expired account session": bearer(await expiredAccountSession(door, tenant)),
    "operator's token": bearer(OPERATOR_TOKEN),
    "the platform's owner": bearer(platform.owner),
    "the platform's admin": bearer(platform.admin),
    "the platform's member": bearer(platform.member),
  };
  for (const name of CALLERS) headers[name]["billhook-tenant"] = tenant.id;
  return headers;
}

/** Keys that work, one that was replaced at once, and one whose grace has ended. */
async function worn(
  door: Door,
  tenant: TestTenant,
): Promise<Record<"public" | "secret" | "revoked" | "expired" | "revokedSession", string>> {
  const revokedSession = await accountSession(door, tenant.keys.test_secret);
  const regenerate = (body: object) =>
    send(door, "POST", "/api/v1/auth/tenants/api-keys/regenerate/", { token: tenant.access, body });
  const answer = await regenerate({ key_type: "test", confirm: true });
  const { test_public: shown = "", test_secret: secret = "" } = answer.json.keys as Record<string, string>;
  await regenerate({ key_type: "live", confirm: true, grace_seconds: 60 });
  await door.pipe.database.query({
    text: "update api_keys set expires_at = now() - interval '1 second' where tenant_id = $1 and expires_at is not null",
    values: [tenant.id],
  });
  const ended = { revoked: tenant.keys.test_secret, expired: tenant.keys.live_secret, revokedSession };
  return { public: shown, secret, ...ended };
}

async function accountSession(door: Door, key: string): Promise<string> {
  const account = await send(door, "POST", "/api/v1/accounts/", { token: key, body: {} });
  const path = `/api/v1/accounts/${String(account.json.id)}/session/`;
  return String((await send(door, "POST", path, { token: key })).json.token);
}

async function expiredAccountSession(door: Door, tenant: TestTenant): Promise<string> {
  const clock = manualClock(Date.now() - 16 * 60_000);
  const { rows } = await door.pipe.database.query<{ id: string }>({
    text: "select id from api_keys where tenant_id = $1 and kind = 'secret' and revoked_at is null and not livemode",
    values: [tenant.id],
  });
  const session = { tenantId: tenant.id, livemode: false, accountId: newId("acc"), keyId: rows[0]?.id ?? "" };
  const signed = await signAccountSession({ ...door.deps, clock }, { ...session, scopes: ["read"] });
  return signed.token;
}

async function platformPeople(door: Door): Promise<Record<"owner" | "admin" | "member", string>> {
  const { database, platformTenant } = door.pipe;
  const link = await firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
  const accept = await send(door, "POST", "/api/v1/auth/tenants/members/accept/", {
    body: { token: link?.split("#token=")[1], email: newEmail(), password: PASSWORD },
  });
  const { personId, ...tokens } = sessionOf(accept);
  const platform = { id: platformTenant, personId, ...tokens } as TestTenant;
  const [admin, member] = [await addMember(door, platform, "admin"), await addMember(door, platform, "member")];
  return { owner: tokens.access, admin: admin.access, member: member.access };
}

const parts = (token: string): string[] => token.split(".");
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function claimsOf(token: string): { sub: string; sid: string } {
  return JSON.parse(Buffer.from(parts(token)[1] ?? "", "base64url").toString()) as { sub: string; sid: string };
}

/** Somebody else's claims under the signature of one's own token. */
function withClaims(token: string, claims: object): string {
  const [head = "", , signature = ""] = parts(token);
  return `${head}.${encoded({ ...claimsOf(token), ...claims })}.${signature}`;
}

function unsigned(token: string): string {
  return `${encoded({ alg: "none", typ: "at+jwt" })}.${parts(token)[1] ?? ""}.`;
}

function expired(door: Door, token: { personId: string; sessionId: string }): Promise<string> {
  const people = openPeople({
    ...{ database: door.pipe.database, clock: manualClock(Date.now() - 16 * 60_000), keyBrand: "" },
    ...{ secretKeys: [new Secret(SECRET_KEY)], publicUrl: PUBLIC_URL, frontendUrl: PUBLIC_URL },
  });
  return people.tokens.sign(token);
}
