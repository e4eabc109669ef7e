// The whole surface on one page: every address, who may call it, and what it is for.
import {
  changeOwnAccount,
  changeOwnPassword,
  forgotPassword,
  readOwnAccount,
  resendVerification,
  resetForgottenPassword,
  verifyEmail,
} from "./account-routes.ts";
import { listApiKeys, regenerateApiKeys, revokeApiKeys } from "./api-key-routes.ts";
import { jwks, login, logout, refresh, registerPersonRoute, registerTenantRoute } from "./auth-routes.ts";
import { readBillingLog, readObject } from "./billing-log-routes.ts";
import {
  acceptInvitationRoute,
  changeMemberRoute,
  inviteMemberRoute,
  listAuditLog,
  listMembersRoute,
  removeMemberRoute,
} from "./member-routes.ts";
import { health, metrics, readiness } from "./probe-routes.ts";
import { listOperation, readOperation } from "./projection-routes.ts";
import { readOverview } from "./overview-routes.ts";
import { rebuildProjections } from "./rebuild-routes.ts";
import { apiReference, openApi } from "./reference-routes.ts";
import type { Method, Operation, Route, Who } from "./route.ts";
import { uniqueRoutes } from "./route.ts";
import { listEvents, readEvent, replayEvents, replayOneEvent } from "./stripe-event-routes.ts";
import { receiveWebhook } from "./webhook-routes.ts";

const at = (method: Method, path: string, who: Who, operation: Operation, summary: string): Route => ({
  method,
  path,
  who,
  operation,
  summary,
});

export const ROUTES: readonly Route[] = uniqueRoutes([
  at("POST", "/stripe/webhook/", "stripe", receiveWebhook, "Take an event from Stripe"),
  at("POST", "/account/stripe-webhook/", "stripe", receiveWebhook, "Take an event from Stripe (second address)"),
  at("POST", "/api/webhooks/stripe/", "stripe", receiveWebhook, "Take an event from Stripe (third address)"),

  at("GET", "/healthz", "anyone", health, "Whether the process lives"),
  at("GET", "/readyz", "anyone", readiness, "Whether the process can work: database reachable, schema current"),
  at("GET", "/metrics", "anyone", metrics, "Metrics for Prometheus"),
  at("GET", "/api/docs", "anyone", apiReference, "This reference as a page"),
  at("GET", "/api/openapi.json", "anyone", openApi, "This reference as an OpenAPI document"),

  at("GET", "/.well-known/jwks.json", "anyone", jwks, "The keys that access tokens are signed with"),

  at("POST", "/api/v1/auth/tenants/register/", "anyone", registerTenantRoute, "Register a tenant and its first owner"),
  at("POST", "/api/v1/auth/register/", "anyone", registerPersonRoute, "Register a person"),
  at("POST", "/api/v1/auth/login/", "anyone", login, "Sign in"),
  at("POST", "/api/v1/auth/refresh/", "anyone", refresh, "Go on with a session; each refresh token works once"),
  at("POST", "/api/v1/auth/logout/", "anyone", logout, "End a session"),
  at("POST", "/api/v1/auth/password/forgot/", "anyone", forgotPassword, "Ask for a link to a new password"),
  at(
    "POST",
    "/api/v1/auth/password/reset/",
    "anyone",
    resetForgottenPassword,
    "Choose a new password by a mailed link",
  ),
  at("POST", "/api/v1/auth/password/change/", "user", changeOwnPassword, "Change the own password"),
  at("POST", "/api/v1/auth/email/verify/", "anyone", verifyEmail, "Verify an address by a mailed link"),
  at("POST", "/api/v1/auth/email/resend/", "user", resendVerification, "Mail the link that verifies the address again"),
  at("GET", "/api/v1/auth/me/", "user", readOwnAccount, "Retrieve the own account, with its tenants and roles"),
  at("PATCH", "/api/v1/auth/me/", "user", changeOwnAccount, "Change the own account"),

  at("GET", "/api/v1/auth/tenants/members/", "member", listMembersRoute, "List members and open invitations"),
  at("POST", "/api/v1/auth/tenants/members/", "admin person", inviteMemberRoute, "Invite somebody by mail"),
  at(
    "POST",
    "/api/v1/auth/tenants/members/accept/",
    "anyone",
    acceptInvitationRoute,
    "Accept an invitation by its token",
  ),
  at("PATCH", "/api/v1/auth/tenants/members/:id/", "owner", changeMemberRoute, "Change a member's role"),
  at(
    "DELETE",
    "/api/v1/auth/tenants/members/:id/",
    "owner",
    removeMemberRoute,
    "Remove a member, or take an invitation back",
  ),
  at("GET", "/api/v1/auth/tenants/audit-log/", "admin", listAuditLog, "List who did what, newest first"),

  at("GET", "/api/v1/auth/tenants/api-keys/", "admin", listApiKeys, "List API keys, secret ones masked"),
  at("POST", "/api/v1/auth/tenants/api-keys/regenerate/", "owner", regenerateApiKeys, "Replace API keys"),
  at("POST", "/api/v1/auth/tenants/api-keys/revoke/", "owner", revokeApiKeys, "Revoke API keys at once"),

  at("GET", "/api/v1/admin/stripe-events/", "operator", listEvents, "List received events, newest first"),
  at(
    "GET",
    "/api/v1/admin/stripe-events/:id/",
    "operator",
    readEvent,
    "Retrieve an event with its payload, attempts and changes",
  ),
  at("POST", "/api/v1/admin/stripe-events/:id/replay/", "operator", replayOneEvent, "Process an event again"),
  at(
    "POST",
    "/api/v1/admin/stripe-events/replay/",
    "operator",
    replayEvents,
    "Process a range of events again, or count it",
  ),

  at("GET", "/api/v1/admin/customers/", "operator", listOperation("customers"), "List customers"),
  at("GET", "/api/v1/admin/customers/:id/", "operator", readOperation("customers"), "Retrieve a customer"),
  at("GET", "/api/v1/admin/subscriptions/", "operator", listOperation("subscriptions"), "List subscriptions"),
  at("GET", "/api/v1/admin/subscriptions/:id/", "operator", readOperation("subscriptions"), "Retrieve a subscription"),
  at("GET", "/api/v1/admin/invoices/", "operator", listOperation("invoices"), "List invoices"),
  at("GET", "/api/v1/admin/invoices/:id/", "operator", readOperation("invoices"), "Retrieve an invoice"),
  at("GET", "/api/v1/admin/payments/", "operator", listOperation("payments"), "List payments (payment intents)"),
  at("GET", "/api/v1/admin/payments/:id/", "operator", readOperation("payments"), "Retrieve a payment"),
  at("GET", "/api/v1/admin/refunds/", "operator", listOperation("refunds"), "List refunds"),
  at("GET", "/api/v1/admin/refunds/:id/", "operator", readOperation("refunds"), "Retrieve a refund"),
  at("GET", "/api/v1/admin/disputes/", "operator", listOperation("disputes"), "List disputes"),
  at("GET", "/api/v1/admin/disputes/:id/", "operator", readOperation("disputes"), "Retrieve a dispute"),

  at("GET", "/api/v1/admin/objects/:id/", "operator", readObject, "Retrieve any Stripe object with its story"),
  at("GET", "/api/v1/admin/billing-log/", "operator", readBillingLog, "What happened, with what each event changed"),
  at("GET", "/api/v1/admin/overview/", "operator", readOverview, "Counts, lag and what needs a look"),
  at(
    "POST",
    "/api/v1/admin/rebuild/",
    "operator",
    rebuildProjections,
    "Recompute all projections from the inbox, or compare them",
  ),
]);
