// The whole surface: every address, who may call it, and what it is for. The operator's is in operator-route-list.ts.
import {
  changeOwnAccount,
  changeOwnPassword,
  forgotPassword,
  readOwnAccount,
  resendVerification,
  resetForgottenPassword,
  verifyEmail,
} from "./account-routes.ts";
import { changeAccountRoute, createAccountRoute, listAccountsRoute } from "./account-admin-routes.ts";
import { listAccountInvoices, listAccountPurchases, readAccountRoute } from "./account-detail-routes.ts";
import { createAccountSession } from "./account-session-routes.ts";
import { listApiKeys, regenerateApiKeys, revokeApiKeys } from "./api-key-routes.ts";
import {
  createTenantRoute,
  jwks,
  login,
  logout,
  refresh,
  registerPersonRoute,
  registerTenantRoute,
} from "./auth-routes.ts";
import { connectCallback, connectStatus, disconnectAccount, renewAccountLink, startConnect } from "./connect-routes.ts";
import {
  acceptInvitationRoute,
  changeMemberRoute,
  inviteMemberRoute,
  listAuditLog,
  listMembersRoute,
  removeMemberRoute,
} from "./member-routes.ts";
import { grantCreditsRoute, readLedgerRoute, refundCreditsRoute, spendCreditsRoute } from "./credit-routes.ts";
import { health, metrics, readiness } from "./probe-routes.ts";
import { createInvoice, listInvoices, readInvoice, sendInvoice, voidInvoice } from "./connected-invoice-routes.ts";
import { changePackRoute, createPackRoute, listPacksRoute, readPackRoute } from "./pack-routes.ts";
import { createPlanRoute, listPlansRoute, readPlanRoute, updatePlanRoute } from "./plan-routes.ts";
import {
  listOwnInvoices,
  listOwnPacks,
  listOwnPurchases,
  purchaseCredits,
  readOwnBilling,
  readOwnLedger,
} from "./own-billing-routes.ts";
import { listDeliveriesRoute, readDeliveryRoute, retryDeliveryRoute } from "./delivery-routes.ts";
import {
  changeEndpointRoute,
  createEndpointRoute,
  deleteEndpointRoute,
  disableEndpointRoute,
  enableEndpointRoute,
  endpointStatisticsRoute,
  listEndpointsRoute,
  readEndpointRoute,
  rotateSecretRoute,
} from "./endpoint-routes.ts";
import { cancelRecoveryRoute, listRecoveriesRoute, readRecoveryRoute, recoverRoute } from "./recovery-routes.ts";
import { configureWebhook, readWebhookConfig, removeWebhookConfig } from "./webhook-config-routes.ts";
import { apiReference, openApi } from "./reference-routes.ts";
import { listEventsRoute, listEventTypes, readEventRoute, resendEventRoute } from "./event-routes.ts";
import { searchOwn } from "./search-routes.ts";
import { endSessionRoute, listSessionsRoute } from "./session-routes.ts";
import { signInByLinkRoute } from "./sign-in-link-routes.ts";
import { readStatus } from "./status-routes.ts";
import { refundPaymentRoute } from "./refund-routes.ts";
import {
  addPaymentMethodRoute,
  billingPortalRoute,
  cancelSubscriptionRoute,
  changeOwnPlanRoute,
  createSubscriptionRoute,
  readEntitlementsRoute,
  resumeSubscriptionRoute,
} from "./subscription-routes.ts";
import { changeTopUpRoute, readTopUpRoute } from "./top-up-routes.ts";
import { readTenantTerms } from "./tenant-fee-routes.ts";
import { receiveWebhook } from "./webhook-routes.ts";
import { testWebhook } from "./webhook-test-routes.ts";
import { OPERATOR_ROUTES } from "./operator-route-list.ts";
import { at, type Route, uniqueRoutes } from "./route.ts";

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
  at("POST", "/api/v1/auth/tenants/", "user", createTenantRoute, "Make another tenant, as its owner"),
  at("POST", "/api/v1/auth/register/", "anyone", registerPersonRoute, "Register a person"),
  at("POST", "/api/v1/auth/login/", "anyone", login, "Sign in"),
  at("POST", "/api/v1/auth/sign-in-link/", "anyone", signInByLinkRoute, "Sign in by the link that a start prints"),
  at("POST", "/api/v1/auth/refresh/", "anyone", refresh, "Go on with a session; each refresh token works once"),
  at("POST", "/api/v1/auth/logout/", "anyone", logout, "End a session"),
  at("GET", "/api/v1/auth/sessions/", "user", listSessionsRoute, "List where the own person is signed in"),
  at("DELETE", "/api/v1/auth/sessions/:id/", "user", endSessionRoute, "End one of the own sessions"),
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

  at("POST", "/api/v1/auth/tenants/stripe/connect/", "owner", startConnect, "Begin to connect a Stripe account"),
  at(
    "GET",
    "/api/v1/auth/tenants/stripe/callback/",
    "anyone",
    connectCallback,
    "Where Stripe sends people back to: the state says who they are",
  ),
  at(
    "GET",
    "/api/v1/auth/tenants/stripe/refresh/",
    "anyone",
    renewAccountLink,
    "Where Stripe sends people whose link was used: makes a new one",
  ),
  at("GET", "/api/v1/auth/tenants/stripe/status/", "admin", connectStatus, "How the tenant's Stripe account stands"),
  at("GET", "/api/v1/auth/tenants/terms/", "admin", readTenantTerms, "The platform's share of the tenant's payments"),
  at("POST", "/api/v1/auth/tenants/stripe/disconnect/", "owner", disconnectAccount, "Disconnect the Stripe account"),

  at("GET", "/api/v1/auth/tenants/api-keys/", "admin", listApiKeys, "List API keys, secret ones masked"),
  at("POST", "/api/v1/auth/tenants/api-keys/regenerate/", "owner", regenerateApiKeys, "Replace API keys"),
  at("POST", "/api/v1/auth/tenants/api-keys/revoke/", "owner", revokeApiKeys, "Revoke API keys at once"),

  at("GET", "/api/v1/auth/tenants/webhooks/config/", "admin", readWebhookConfig, "Retrieve the first webhook endpoint"),
  at(
    "POST",
    "/api/v1/auth/tenants/webhooks/config/",
    "admin",
    configureWebhook,
    "Set the first webhook endpoint's URL",
  ),
  at(
    "DELETE",
    "/api/v1/auth/tenants/webhooks/config/",
    "owner",
    removeWebhookConfig,
    "Remove the first webhook endpoint's URL",
  ),
  at("POST", "/api/v1/auth/tenants/webhooks/test/", "admin", testWebhook, "Send a test event, and see what comes back"),
  at(
    "GET",
    "/api/v1/event-types/",
    "anyone",
    listEventTypes,
    "List every type of event, with its schema and an example",
  ),
  at("GET", "/api/v1/events/", "member", listEventsRoute, "List what happened in the tenant's billing, newest first"),
  at(
    "GET",
    "/api/v1/events/:id/",
    "member",
    readEventRoute,
    "Retrieve an event as it is delivered, with its deliveries",
  ),
  at("POST", "/api/v1/events/:id/resend/", "admin", resendEventRoute, "Deliver an event again"),
  at("GET", "/api/v1/webhook-endpoints/", "member", listEndpointsRoute, "List webhook endpoints, newest first"),
  at("POST", "/api/v1/webhook-endpoints/", "admin", createEndpointRoute, "Create a webhook endpoint"),
  at("GET", "/api/v1/webhook-endpoints/:id/", "member", readEndpointRoute, "Retrieve a webhook endpoint"),
  at("PATCH", "/api/v1/webhook-endpoints/:id/", "admin", changeEndpointRoute, "Update a webhook endpoint"),
  at("DELETE", "/api/v1/webhook-endpoints/:id/", "admin", deleteEndpointRoute, "Delete a webhook endpoint"),
  at("POST", "/api/v1/webhook-endpoints/:id/rotate-secret/", "admin", rotateSecretRoute, "Replace its signing secret"),
  at("POST", "/api/v1/webhook-endpoints/:id/enable/", "admin", enableEndpointRoute, "Enable a webhook endpoint"),
  at("POST", "/api/v1/webhook-endpoints/:id/disable/", "admin", disableEndpointRoute, "Disable a webhook endpoint"),
  at("GET", "/api/v1/webhook-endpoints/:id/stats/", "member", endpointStatisticsRoute, "How its deliveries go"),
  at("POST", "/api/v1/webhook-endpoints/:id/recover/", "admin", recoverRoute, "Deliver what it missed, or count it"),
  at("GET", "/api/v1/deliveries/", "member", listDeliveriesRoute, "List deliveries, newest first"),
  at("GET", "/api/v1/deliveries/:id/", "member", readDeliveryRoute, "Retrieve a delivery with every attempt"),
  at("POST", "/api/v1/deliveries/:id/retry/", "admin", retryDeliveryRoute, "Try a delivery again, now"),
  at("GET", "/api/v1/recoveries/", "member", listRecoveriesRoute, "List recoveries, newest first"),
  at("GET", "/api/v1/recoveries/:id/", "member", readRecoveryRoute, "Retrieve a recovery with its progress"),
  at("POST", "/api/v1/recoveries/:id/cancel/", "admin", cancelRecoveryRoute, "Cancel a recovery"),

  at("POST", "/accounts/invoices/", "admin", createInvoice, "Create and send an invoice on the connected account"),
  at("GET", "/accounts/invoices/", "member", listInvoices, "List invoices on the connected account, newest first"),
  at("GET", "/accounts/invoices/:id/", "member", readInvoice, "Retrieve an invoice on the connected account"),
  at("POST", "/accounts/invoices/:id/void/", "admin", voidInvoice, "Void an invoice on the connected account"),
  at("POST", "/accounts/invoices/:id/send/", "admin", sendInvoice, "Send an invoice to its customer again"),

  at("GET", "/account/", "account user", readOwnBilling, "Retrieve the own account: balance, status, subscription"),
  at("GET", "/account/credit-packs/", "account user", listOwnPacks, "List the credit packs that can be bought"),
  at("POST", "/account/purchase-credits/", "account user", purchaseCredits, "Buy credits on Stripe's Checkout page"),
  at("GET", "/account/purchases/", "account user", listOwnPurchases, "List the own purchases, newest first"),
  at("GET", "/account/credits/ledger/", "account user", readOwnLedger, "List the own credit entries, newest first"),
  at("GET", "/account/invoices/", "account user", listOwnInvoices, "List the own invoices, newest first"),

  at(
    "GET",
    "/api/v1/status/:id/",
    "anyone",
    readStatus,
    "How a payment stands: at once, by a long poll or as a stream",
  ),

  at("POST", "/account/subscription/", "account user", createSubscriptionRoute, "Begin a subscription"),
  at("POST", "/account/subscription/cancel/", "account user", cancelSubscriptionRoute, "Cancel the own subscription"),
  at("POST", "/account/subscription/resume/", "account user", resumeSubscriptionRoute, "Resume the own subscription"),
  at("POST", "/account/subscription/change-plan/", "account user", changeOwnPlanRoute, "Change to another plan"),
  at("POST", "/account/billing-portal/", "account user", billingPortalRoute, "Open Stripe's billing portal"),
  at("POST", "/account/payment-method/", "account user", addPaymentMethodRoute, "Add a payment method"),
  at("GET", "/account/auto-top-up/", "account user", readTopUpRoute, "Whether credits are bought when they run low"),
  at("PATCH", "/account/auto-top-up/", "account user", changeTopUpRoute, "Buy credits when they run low, or stop that"),
  at("GET", "/api/v1/accounts/:id/entitlements/", "secret key", readEntitlementsRoute, "What an account may use now"),
  at("POST", "/api/v1/payments/:id/refund/", "admin", refundPaymentRoute, "Refund a payment, whole or in part"),

  at("GET", "/api/v1/accounts/", "member", listAccountsRoute, "List accounts, newest first"),
  at("POST", "/api/v1/accounts/", "admin", createAccountRoute, "Create an account"),
  at("GET", "/api/v1/accounts/:id/", "member", readAccountRoute, "Retrieve an account with its balance"),
  at("PATCH", "/api/v1/accounts/:id/", "admin", changeAccountRoute, "Update an account"),
  at(
    "GET",
    "/api/v1/accounts/:id/purchases/",
    "member",
    listAccountPurchases,
    "List an account's purchases, newest first",
  ),
  at(
    "GET",
    "/api/v1/accounts/:id/invoices/",
    "member",
    listAccountInvoices,
    "List an account's invoices, newest first",
  ),
  at("POST", "/api/v1/accounts/:id/session/", "secret key", createAccountSession, "Let a customer in, for 15 minutes"),
  at("POST", "/api/v1/accounts/:id/credits/spend/", "admin", spendCreditsRoute, "Spend credits"),
  at("POST", "/api/v1/accounts/:id/credits/grant/", "admin", grantCreditsRoute, "Grant credits"),
  at("POST", "/api/v1/accounts/:id/credits/refund/", "admin", refundCreditsRoute, "Give spent credits back"),
  at("GET", "/api/v1/accounts/:id/credits/ledger/", "member", readLedgerRoute, "List credit entries, newest first"),

  at("GET", "/api/v1/credit-packs/", "member", listPacksRoute, "List credit packs, newest first"),
  at("POST", "/api/v1/credit-packs/", "admin", createPackRoute, "Create a credit pack, here and at Stripe"),
  at("GET", "/api/v1/credit-packs/:id/", "member", readPackRoute, "Retrieve a credit pack"),
  at("PATCH", "/api/v1/credit-packs/:id/", "admin", changePackRoute, "Update a credit pack, here and at Stripe"),
  at("GET", "/api/v1/plans/", "anyone", listPlansRoute, "List plans: those that are sold, or all of the own tenant's"),
  at("POST", "/api/v1/plans/", "admin", createPlanRoute, "Create a plan, here and at Stripe"),
  at("GET", "/api/v1/plans/:id/", "member", readPlanRoute, "Retrieve a plan"),
  at("PATCH", "/api/v1/plans/:id/", "admin", updatePlanRoute, "Update a plan, here and at Stripe"),

  at("GET", "/api/v1/search/", "member", searchOwn, "Find what is the tenant's by an id or an e-mail address"),

  ...OPERATOR_ROUTES,
]);
