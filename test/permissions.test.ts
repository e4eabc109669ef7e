// Who may call what: every route of routes.ts with every kind of caller, and the exact status. A route without a row fails.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ROUTES } from "../src/api/routes.ts";
import { manualClock } from "../src/base/clock.ts";
import { Secret } from "../src/base/secret.ts";
import { firstOperatorLink } from "../src/tenants/first-operator.ts";
import { openPeople } from "../src/tenants/open-people.ts";
import { openDoor, OPERATOR_TOKEN, PUBLIC_URL, SECRET_KEY } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";
import { addMember, newEmail, PASSWORD, registerPerson, registerTenant, send, sessionOf } from "./support/people.ts";
import type { TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const CALLERS = [
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
  "operator's token",
  "the platform's owner",
  "the platform's admin",
  "the platform's member",
] as const;
type CallerName = (typeof CALLERS)[number];

/** How a caller is refused; "in": it is let in, and gets the row's status. */
type Fate = "in" | 400 | 401 | 403 | 404;

/** Who cannot be told is 401 wherever somebody must be told. */
const UNKNOWN = {
  nobody: 401,
  "a word that is no token": 401,
  "revoked key": 401,
  "expired key": 401,
  "mistyped key": 401,
  "tampered JWT": 401,
  "unsigned JWT": 401,
  "expired JWT": 401,
  "JWT of an ended session": 401,
} as const;

/** Of a tenant's route, called with `Billhook-Tenant` of our tenant. */
const OUTSIDE = {
  "a person without a tenant": 404,
  "another tenant's owner": 404,
  "another tenant's secret key": 404,
  "operator's token": 403,
  "the platform's owner": 404,
  "the platform's admin": 404,
  "the platform's member": 404,
  "public key": 403,
} as const;

const FATES: Record<string, Record<CallerName, Fate>> = {
  anyone: Object.fromEntries(CALLERS.map((name) => [name, "in"])) as Record<CallerName, Fate>,
  user: {
    ...UNKNOWN,
    ...{ "a person without a tenant": "in", "another tenant's owner": "in", member: "in", admin: "in", owner: "in" },
    ...{ "the platform's owner": "in", "the platform's admin": "in", "the platform's member": "in" },
    ...{ "another tenant's secret key": 403, "public key": 403, "secret key": 403, "operator's token": 403 },
    "secret key of the other mode": 400,
  },
  operator: {
    ...UNKNOWN,
    ...{ "operator's token": "in", "the platform's owner": "in", "the platform's admin": "in" },
    ...{ "a person without a tenant": 403, "another tenant's owner": 403, "the platform's member": 403 },
    ...{ member: 403, admin: 403, owner: 403 },
    ...{
      "another tenant's secret key": 403,
      "public key": 403,
      "secret key": 403,
      "secret key of the other mode": 400,
    },
  },
  member: {
    ...{ ...UNKNOWN, ...OUTSIDE, member: "in", admin: "in", owner: "in" },
    ...{ "secret key": "in", "secret key of the other mode": 400 },
  },
  admin: {
    ...{ ...UNKNOWN, ...OUTSIDE, member: 403, admin: "in", owner: "in" },
    ...{ "secret key": "in", "secret key of the other mode": 400 },
  },
  "admin, no key": {
    ...{ ...UNKNOWN, ...OUTSIDE, member: 403, admin: "in", owner: "in" },
    ...{ "secret key": 403, "secret key of the other mode": 400 },
  },
  "owner, no key": {
    ...{ ...UNKNOWN, ...OUTSIDE, member: 403, admin: 403, owner: "in" },
    ...{ "secret key": 403, "secret key of the other mode": 400 },
  },
};

/** Route → who may, and the status of who is let in: the requests change nothing, so that each caller meets the same. */
const ROWS: Record<string, [keyof typeof FATES, number, { body?: unknown; id?: string }?]> = {
  // Stripe's events are told by their signature, and these have none.
  "POST /stripe/webhook/": ["anyone", 400, { body: {} }],
  "POST /account/stripe-webhook/": ["anyone", 400, { body: {} }],
  "POST /api/webhooks/stripe/": ["anyone", 400, { body: {} }],
  "GET /healthz": ["anyone", 200],
  "GET /readyz": ["anyone", 200],
  "GET /metrics": ["anyone", 200],
  "GET /api/docs": ["anyone", 200],
  "GET /api/openapi.json": ["anyone", 200],
  "GET /.well-known/jwks.json": ["anyone", 200],

  "POST /api/v1/auth/tenants/register/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/register/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/login/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/refresh/": ["anyone", 401, { body: {} }],
  "POST /api/v1/auth/logout/": ["anyone", 200, { body: {} }],
  "POST /api/v1/auth/password/forgot/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/password/reset/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/password/change/": ["user", 400, { body: {} }],
  "POST /api/v1/auth/email/verify/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/email/resend/": ["user", 400, { body: { no: "such field" } }],
  "GET /api/v1/auth/me/": ["user", 200],
  "PATCH /api/v1/auth/me/": ["user", 400, { body: {} }],

  "GET /api/v1/auth/tenants/members/": ["member", 200],
  "POST /api/v1/auth/tenants/members/": ["admin, no key", 400, { body: {} }],
  "POST /api/v1/auth/tenants/members/accept/": ["anyone", 400, { body: {} }],
  "PATCH /api/v1/auth/tenants/members/:id/": ["owner, no key", 400, { body: {} }],
  "DELETE /api/v1/auth/tenants/members/:id/": ["owner, no key", 400, { id: "%C3%A9" }],
  "GET /api/v1/auth/tenants/audit-log/": ["admin", 200],
  "GET /api/v1/auth/tenants/api-keys/": ["admin", 200],
  "POST /api/v1/auth/tenants/api-keys/regenerate/": ["owner, no key", 400, { body: { key_type: "all" } }],
  "POST /api/v1/auth/tenants/api-keys/revoke/": ["owner, no key", 400, { body: { key_type: "all", reason: "x" } }],

  "GET /api/v1/admin/stripe-events/": ["operator", 200],
  "GET /api/v1/admin/stripe-events/:id/": ["operator", 404],
  "POST /api/v1/admin/stripe-events/:id/replay/": ["operator", 404],
  "POST /api/v1/admin/stripe-events/replay/": ["operator", 400, { body: {} }],
  "GET /api/v1/admin/customers/": ["operator", 200],
  "GET /api/v1/admin/customers/:id/": ["operator", 404],
  "GET /api/v1/admin/subscriptions/": ["operator", 200],
  "GET /api/v1/admin/subscriptions/:id/": ["operator", 404],
  "GET /api/v1/admin/invoices/": ["operator", 200],
  "GET /api/v1/admin/invoices/:id/": ["operator", 404],
  "GET /api/v1/admin/payments/": ["operator", 200],
  "GET /api/v1/admin/payments/:id/": ["operator", 404],
  "GET /api/v1/admin/refunds/": ["operator", 200],
  "GET /api/v1/admin/refunds/:id/": ["operator", 404],
  "GET /api/v1/admin/disputes/": ["operator", 200],
  "GET /api/v1/admin/disputes/:id/": ["operator", 404],
  "GET /api/v1/admin/objects/:id/": ["operator", 404],
  "GET /api/v1/admin/billing-log/": ["operator", 200],
  "GET /api/v1/admin/overview/": ["operator", 200],
  "POST /api/v1/admin/rebuild/": ["operator", 400, { body: {} }],
};

it("every route has a row, and every row a route", () => {
  expect(Object.keys(ROWS).sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
});

type Headers = Record<string, string>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  let callers: Record<CallerName, Headers>;

  beforeAll(async () => {
    const wide = { tries: 100_000, seconds: 60 };
    const limit = { address: wide, source: wide };
    door = await openDoor(kind, {
      deps: { tryLimits: { sign_in: limit, reset: limit, registration: limit, token: limit } },
    });
    callers = await everyCaller(door);
  });
  afterAll(async () => door.close());

  const rows = Object.entries(ROWS).map(([route, [audience, ...row]]) => [route, audience, row] as const);
  it.each(rows)("%s is for %s", async (route, audience, [status, { body, id = "none_such" } = {}]) => {
    const [method = "", path = ""] = route.split(" ");
    const found: [CallerName, number][] = [];
    for (const name of CALLERS) {
      const answer = await send(door, method, path.replace(":id", id), { body, headers: callers[name] });
      found.push([name, answer.status]);
    }
    const fates = FATES[audience];
    expect(found).toEqual(CALLERS.map((name) => [name, fates?.[name] === "in" ? status : fates?.[name]]));
  });
});

/** The headers of each caller; each names our tenant, which most of them do not belong to. */
async function everyCaller(door: Door): Promise<Record<CallerName, Headers>> {
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
): Promise<Record<"public" | "secret" | "revoked" | "expired", string>> {
  const regenerate = (body: object) =>
    send(door, "POST", "/api/v1/auth/tenants/api-keys/regenerate/", { token: tenant.access, body });
  const answer = await regenerate({ key_type: "test", confirm: true });
  const { test_public: shown = "", test_secret: secret = "" } = answer.json.keys as Record<string, string>;
  await regenerate({ key_type: "live", confirm: true, grace_seconds: 60 });
  await door.pipe.database.query({
    text: "update api_keys set expires_at = now() - interval '1 second' where tenant_id = $1 and expires_at is not null",
    values: [tenant.id],
  });
  return { public: shown, secret, revoked: tenant.keys.test_secret, expired: tenant.keys.live_secret };
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
