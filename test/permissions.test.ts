// Who may call what: every route of routes.ts with every kind of caller, and the exact status. A route without a row fails.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ROUTES } from "../src/api/routes.ts";
import { openDoor } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";
import { type CallerName, CALLERS, everyCaller, type Headers } from "./support/every-caller.ts";
import { send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

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
  "account session of a revoked key": 401,
  "expired account session": 401,
} as const;

/** A tenant's customer may use what is for customers, and nothing else. */
const CUSTOMERS = { "account session": 403, "another tenant's account session": 403 } as const;

/** Of a tenant's route, called with `Billhook-Tenant` of our tenant. */
const OUTSIDE = {
  ...CUSTOMERS,
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
    ...{ ...CUSTOMERS, "secret key of the other mode": 400 },
  },
  "account user": {
    ...UNKNOWN,
    ...{ "a person without a tenant": "in", "another tenant's owner": "in", member: "in", admin: "in", owner: "in" },
    ...{ "the platform's owner": "in", "the platform's admin": "in", "the platform's member": "in" },
    // Every caller names our tenant.
    ...{ "account session": "in", "another tenant's account session": 404 },
    ...{ "another tenant's secret key": 403, "public key": 403, "secret key": 403, "operator's token": 403 },
    "secret key of the other mode": 400,
  },
  "secret key": {
    ...{ ...UNKNOWN, ...CUSTOMERS, "secret key": "in", "another tenant's secret key": 404, "public key": 403 },
    ...{ "a person without a tenant": 403, "another tenant's owner": 403, member: 403, admin: 403, owner: 403 },
    ...{ "the platform's owner": 403, "the platform's admin": 403, "the platform's member": 403 },
    ...{ "operator's token": 403, "secret key of the other mode": 400 },
  },
  /** Anyone reads the platform's, but every caller here names our tenant, whose plans its own people, keys and customers read. */
  "plan reader": {
    ...UNKNOWN,
    ...{ nobody: 404, "public key": "in", "secret key": "in", member: "in", admin: "in", owner: "in" },
    ...{ "account session": "in", "another tenant's account session": 404, "operator's token": 404 },
    ...{ "a person without a tenant": 404, "another tenant's owner": 404, "another tenant's secret key": 404 },
    ...{ "the platform's owner": 404, "the platform's admin": 404, "the platform's member": 404 },
    "secret key of the other mode": 400,
  },
  operator: {
    ...UNKNOWN,
    ...{ "operator's token": "in", "the platform's owner": "in", "the platform's admin": "in" },
    ...{ "a person without a tenant": 403, "another tenant's owner": 403, "the platform's member": 403 },
    ...{ ...CUSTOMERS, member: 403, admin: 403, owner: 403 },
    ...{
      "another tenant's secret key": 403,
      "public key": 403,
      "secret key": 403,
      "secret key of the other mode": 400,
    },
  },
  /** Not even by the platform's people. */
  "operator's token": {
    ...UNKNOWN,
    ...{ "operator's token": "in", "the platform's owner": 403, "the platform's admin": 403 },
    ...{ "a person without a tenant": 403, "another tenant's owner": 403, "the platform's member": 403 },
    ...{ ...CUSTOMERS, member: 403, admin: 403, owner: 403 },
    ...{ "another tenant's secret key": 403, "public key": 403, "secret key": 403 },
    "secret key of the other mode": 400,
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
  "POST /api/v1/auth/tenants/": ["user", 400, { body: {} }],
  "POST /api/v1/auth/register/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/login/": ["anyone", 400, { body: {} }],
  "POST /api/v1/auth/sign-in-link/": ["anyone", 401, { body: { token: "none_such" } }],
  "POST /api/v1/auth/refresh/": ["anyone", 401, { body: {} }],
  "POST /api/v1/auth/logout/": ["anyone", 200, { body: {} }],
  "GET /api/v1/auth/sessions/": ["user", 200],
  "DELETE /api/v1/auth/sessions/:id/": ["user", 404],
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
  "DELETE /api/v1/auth/tenants/members/:id/": ["owner, no key", 400, { id: "%00" }],
  "GET /api/v1/auth/tenants/audit-log/": ["admin", 200],
  "POST /api/v1/auth/tenants/stripe/connect/": ["owner, no key", 400, { body: { method: "none such" } }],
  "GET /api/v1/auth/tenants/stripe/callback/": ["anyone", 400],
  "GET /api/v1/auth/tenants/stripe/refresh/": ["anyone", 400],
  "GET /api/v1/auth/tenants/stripe/status/": ["admin", 200],
  "GET /api/v1/auth/tenants/terms/": ["admin", 200],
  "POST /api/v1/auth/tenants/stripe/disconnect/": ["owner, no key", 409],
  "GET /api/v1/auth/tenants/api-keys/": ["admin", 200],
  "POST /api/v1/auth/tenants/api-keys/regenerate/": ["owner, no key", 400, { body: { key_type: "all" } }],
  "POST /api/v1/auth/tenants/api-keys/revoke/": ["owner, no key", 400, { body: { key_type: "all", reason: "x" } }],

  "GET /api/v1/auth/tenants/webhooks/config/": ["admin", 200],
  "POST /api/v1/auth/tenants/webhooks/config/": ["admin", 400, { body: {} }],
  "DELETE /api/v1/auth/tenants/webhooks/config/": ["owner, no key", 200],
  "POST /api/v1/auth/tenants/webhooks/test/": ["admin", 400],
  "GET /api/v1/event-types/": ["anyone", 200],
  "GET /api/v1/events/": ["member", 200],
  "GET /api/v1/events/:id/": ["member", 404],
  "POST /api/v1/events/:id/resend/": ["admin", 404, { body: {} }],
  "GET /api/v1/webhook-endpoints/": ["member", 200],
  "POST /api/v1/webhook-endpoints/": ["admin", 400, { body: {} }],
  "GET /api/v1/webhook-endpoints/:id/": ["member", 404],
  "PATCH /api/v1/webhook-endpoints/:id/": ["admin", 404, { body: {} }],
  "DELETE /api/v1/webhook-endpoints/:id/": ["admin", 404],
  "POST /api/v1/webhook-endpoints/:id/rotate-secret/": ["admin", 404],
  "POST /api/v1/webhook-endpoints/:id/enable/": ["admin", 404],
  "POST /api/v1/webhook-endpoints/:id/disable/": ["admin", 404],
  "GET /api/v1/webhook-endpoints/:id/stats/": ["member", 404],
  "POST /api/v1/webhook-endpoints/:id/recover/": ["admin", 400, { body: {} }],
  "GET /api/v1/deliveries/": ["member", 200],
  "GET /api/v1/deliveries/:id/": ["member", 404],
  "POST /api/v1/deliveries/:id/retry/": ["admin", 404],
  "GET /api/v1/recoveries/": ["member", 200],
  "GET /api/v1/recoveries/:id/": ["member", 404],
  "POST /api/v1/recoveries/:id/cancel/": ["admin", 404],

  "POST /account/subscription/": ["account user", 400, { body: {} }],
  "POST /account/subscription/cancel/": ["account user", 400, { body: { no: "such field" } }],
  "POST /account/subscription/resume/": ["account user", 400, { body: { no: "such field" } }],
  "POST /account/subscription/change-plan/": ["account user", 400, { body: {} }],
  "POST /account/billing-portal/": ["account user", 400, { body: { no: "such field" } }],
  "POST /account/payment-method/": ["account user", 503],
  "GET /account/auto-top-up/": ["account user", 200],
  "PATCH /account/auto-top-up/": ["account user", 400, { body: {} }],
  "GET /api/v1/accounts/:id/entitlements/": ["secret key", 404],
  "POST /api/v1/payments/:id/refund/": ["admin", 400, { body: {} }],

  "POST /accounts/invoices/": ["admin", 400, { body: {} }],
  "GET /accounts/invoices/": ["member", 200],
  "GET /accounts/invoices/:id/": ["member", 404],
  "POST /accounts/invoices/:id/void/": ["admin", 404],
  "POST /accounts/invoices/:id/send/": ["admin", 404],

  "GET /account/": ["account user", 200],
  "GET /account/credit-packs/": ["account user", 200],
  "POST /account/purchase-credits/": ["account user", 400, { body: {} }],
  "GET /account/purchases/": ["account user", 200],
  "GET /account/credits/ledger/": ["account user", 200],
  "GET /account/invoices/": ["account user", 200],
  "GET /api/v1/accounts/:id/purchases/": ["member", 404],
  "GET /api/v1/accounts/:id/invoices/": ["member", 404],
  "POST /api/v1/accounts/:id/session/": ["secret key", 404],

  // Whoever has the status_url is let in by its token.
  "GET /api/v1/status/:id/": ["account user", 404, { id: "cs_none_such" }],
  "PATCH /api/v1/admin/tenants/:id/": ["operator", 400, { body: {} }],
  "GET /api/v1/accounts/": ["member", 200],
  "POST /api/v1/accounts/": ["admin", 400, { body: { no: "such field" } }],
  "GET /api/v1/accounts/:id/": ["member", 404],
  "PATCH /api/v1/accounts/:id/": ["admin", 404, { body: {} }],
  "POST /api/v1/accounts/:id/credits/spend/": ["admin", 400, { body: {} }],
  "POST /api/v1/accounts/:id/credits/grant/": ["admin", 400, { body: {} }],
  "POST /api/v1/accounts/:id/credits/refund/": ["admin", 400, { body: {} }],
  "GET /api/v1/accounts/:id/credits/ledger/": ["member", 404],
  "GET /api/v1/admin/tenants/": ["operator", 200],
  "GET /api/v1/admin/tenants/:id/": ["operator", 404],
  "GET /api/v1/admin/users/": ["operator", 200],
  "GET /api/v1/admin/users/:id/": ["operator", 404],
  "GET /api/v1/admin/credit-purchases/": ["operator", 200],
  "GET /api/v1/admin/credit-purchases/:id/": ["operator", 404],
  "GET /api/v1/admin/accounts/": ["operator", 400],
  "GET /api/v1/admin/credit-packs/": ["operator", 200],
  "GET /api/v1/admin/credit-packs/:id/": ["operator", 404],
  "POST /api/v1/admin/credit-packs/sync/": ["operator", 400, { body: { no: "such field" } }],
  "GET /api/v1/admin/plans/": ["operator", 200],
  "GET /api/v1/admin/plans/:id/": ["operator", 404],
  "POST /api/v1/admin/plans/sync/": ["operator", 400, { body: { no: "such field" } }],
  "GET /api/v1/credit-packs/": ["member", 200],
  "POST /api/v1/credit-packs/": ["admin", 400, { body: {} }],
  "GET /api/v1/credit-packs/:id/": ["member", 404],
  "PATCH /api/v1/credit-packs/:id/": ["admin", 404, { body: {} }],
  "GET /api/v1/plans/": ["plan reader", 200],
  "POST /api/v1/plans/": ["admin", 400, { body: {} }],
  "GET /api/v1/plans/:id/": ["member", 404],
  "PATCH /api/v1/plans/:id/": ["admin", 404, { body: {} }],

  "GET /api/v1/admin/stripe-events/": ["operator", 200],
  "GET /api/v1/admin/stripe-events/:id/": ["operator", 404],
  "POST /api/v1/admin/stripe-events/:id/replay/": ["operator", 404],
  "POST /api/v1/admin/stripe-events/replay/": ["operator", 400, { body: {} }],
  "GET /api/v1/admin/customers/": ["operator", 200],
  "GET /api/v1/admin/customers/:id/": ["operator", 404],
  "GET /api/v1/admin/customers/:id/timeline/": ["operator", 404],
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
  "GET /api/v1/admin/mails/": ["operator", 200],
  "GET /api/v1/admin/mails/:id/": ["operator", 404],
  "POST /api/v1/admin/mails/:id/retry/": ["operator", 404],
  "GET /api/v1/admin/mail-templates/": ["operator", 200],
  "GET /api/v1/admin/unmatched-purchases/": ["operator", 200],
  "GET /api/v1/admin/unmatched-purchases/:id/": ["operator", 404],
  "POST /api/v1/admin/unmatched-purchases/:id/assign/": ["operator", 404, { body: { account_id: "acc_none" } }],
  "POST /api/v1/admin/unmatched-purchases/:id/dismiss/": ["operator", 404],
  "GET /api/v1/search/": ["member", 400],
  "GET /api/v1/admin/events/:id/": ["operator", 404],
  "GET /api/v1/admin/deliveries/:id/": ["operator", 404],
  "GET /api/v1/admin/webhook-endpoints/:id/": ["operator", 404],
  "GET /api/v1/admin/connected-invoices/:id/": ["operator", 404],
  "GET /api/v1/admin/search/": ["operator", 400],
  "GET /api/v1/admin/jobs/": ["operator", 200],
  "GET /api/v1/admin/doctor/": ["operator", 200],
  "GET /api/v1/admin/background/": ["operator", 200],
  "GET /api/v1/admin/overview/series/": ["operator", 200],
  "GET /api/v1/admin/overview/": ["operator", 200],
  "GET /api/v1/admin/backup/": ["operator's token", 200],
  // These scenes have nowhere to move from, which is said after it is looked who asks.
  "POST /api/v1/admin/move/": ["operator's token", 409, { body: { move: "0".repeat(32) } }],
  "POST /api/v1/admin/move/:id/": ["operator's token", 409, { body: { step: "renew" } }],
  "POST /api/v1/admin/rebuild/": ["operator", 400, { body: {} }],
  "POST /api/v1/admin/drift/": ["operator", 400, { body: {} }],
  "POST /api/v1/admin/import/": ["operator", 400, { body: { types: ["unicorn"] } }],
  "POST /api/v1/admin/catch-up/": ["operator", 400, { body: { since: "soon" } }],
  "POST /api/v1/admin/ledger/verify/": ["operator", 200],
};

it("every route has a row, and every row a route", () => {
  expect(Object.keys(ROWS).sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
});

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  let callers: Record<CallerName, Headers>;

  beforeAll(async () => {
    const wide = { tries: 100_000, seconds: 60 };
    const limit = { address: wide, source: wide };
    door = await openDoor(kind, {
      deps: { tryLimits: { sign_in: limit, reset: limit, invitation: limit, registration: limit, token: limit } },
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
