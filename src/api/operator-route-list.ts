// The operator's half of the surface: over all tenants, for OPERATOR_TOKEN and the platform's owners and admins.
import { readBackground } from "./background-routes.ts";
import { readBillingLog, readObject } from "./billing-log-routes.ts";
import { backupRoute, beginMoveRoute, goOnWithMoveRoute } from "./backup-routes.ts";
import { catchUpRoute } from "./catch-up-routes.ts";
import { verifyLedgerRoute } from "./ledger-routes.ts";
import { importRoute } from "./import-routes.ts";
import { readAnyInvoice } from "./connected-invoice-routes.ts";
import { readAnyDeliveryRoute } from "./delivery-routes.ts";
import { doctorRoute } from "./doctor-routes.ts";
import { driftRoute } from "./drift-routes.ts";
import { readAnyEndpointRoute } from "./endpoint-routes.ts";
import { readAnyEventRoute } from "./event-routes.ts";
import { listOperation, readOperation } from "./projection-routes.ts";
import { listMailsRoute, listMailTemplates, readMailRoute, retryMailRoute } from "./mail-routes.ts";
import { listOffersOperation, readOfferOperation, syncOffersOperation } from "./offer-admin-routes.ts";
import { findAccountsRoute, operatorListOperation, operatorReadOperation } from "./operator-list-routes.ts";
import { readOverview } from "./overview-routes.ts";
import { rebuildProjections } from "./rebuild-routes.ts";
import { listJobsRoute } from "./recovery-routes.ts";
import { listEvents, readEvent, replayEvents, replayOneEvent } from "./stripe-event-routes.ts";
import { searchEverything } from "./search-routes.ts";
import { readSeries } from "./series-routes.ts";
import { readTimeline } from "./timeline-routes.ts";
import { changeTenantTerms } from "./tenant-fee-routes.ts";
import {
  assignUnmatchedRoute,
  dismissUnmatchedRoute,
  listUnmatchedRoute,
  readUnmatchedRoute,
} from "./unmatched-purchase-routes.ts";
import { at, type Route } from "./route.ts";

export const OPERATOR_ROUTES: readonly Route[] = [
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
  at("GET", "/api/v1/admin/customers/:id/timeline/", "operator", readTimeline, "One customer's story, newest first"),
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

  at("GET", "/api/v1/admin/credit-packs/", "operator", listOffersOperation("credit_pack"), "List a tenant's packs"),
  at(
    "GET",
    "/api/v1/admin/credit-packs/:id/",
    "operator",
    readOfferOperation("credit_pack"),
    "Retrieve a credit pack of any tenant",
  ),
  at(
    "POST",
    "/api/v1/admin/credit-packs/sync/",
    "operator",
    syncOffersOperation("credit_pack"),
    "Sync packs with Stripe",
  ),
  at("GET", "/api/v1/admin/plans/", "operator", listOffersOperation("plan"), "List a tenant's plans"),
  at("GET", "/api/v1/admin/plans/:id/", "operator", readOfferOperation("plan"), "Retrieve a plan of any tenant"),
  at("POST", "/api/v1/admin/plans/sync/", "operator", syncOffersOperation("plan"), "Sync plans with Stripe"),
  at("GET", "/api/v1/admin/tenants/", "operator", operatorListOperation("tenants"), "List tenants, newest first"),
  at("GET", "/api/v1/admin/tenants/:id/", "operator", operatorReadOperation("tenants"), "Retrieve a tenant"),
  at("PATCH", "/api/v1/admin/tenants/:id/", "operator", changeTenantTerms, "Change a tenant's application fee"),
  at("GET", "/api/v1/admin/users/", "operator", operatorListOperation("users"), "List people, newest first"),
  at("GET", "/api/v1/admin/users/:id/", "operator", operatorReadOperation("users"), "Retrieve a person"),
  at(
    "GET",
    "/api/v1/admin/credit-purchases/",
    "operator",
    operatorListOperation("credit-purchases"),
    "List purchases of credits, newest first",
  ),
  at(
    "GET",
    "/api/v1/admin/credit-purchases/:id/",
    "operator",
    operatorReadOperation("credit-purchases"),
    "Retrieve a purchase of credits",
  ),
  at("GET", "/api/v1/admin/accounts/", "operator", findAccountsRoute, "Find the accounts of an e-mail address"),
  at("GET", "/api/v1/admin/objects/:id/", "operator", readObject, "Retrieve any Stripe object with its story"),
  at("GET", "/api/v1/admin/billing-log/", "operator", readBillingLog, "What happened, with what each event changed"),
  at("GET", "/api/v1/admin/mails/", "operator", listMailsRoute, "List mails, newest first"),
  at("GET", "/api/v1/admin/mails/:id/", "operator", readMailRoute, "Retrieve a mail with its attempts"),
  at("POST", "/api/v1/admin/mails/:id/retry/", "operator", retryMailRoute, "Try a failed or kept mail again"),
  at("GET", "/api/v1/admin/mail-templates/", "operator", listMailTemplates, "List every mail with an example"),

  at("GET", "/api/v1/admin/unmatched-purchases/", "operator", listUnmatchedRoute, "List payments that need a decision"),
  at(
    "GET",
    "/api/v1/admin/unmatched-purchases/:id/",
    "operator",
    readUnmatchedRoute,
    "Retrieve a payment that no purchase has",
  ),
  at(
    "POST",
    "/api/v1/admin/unmatched-purchases/:id/assign/",
    "operator",
    assignUnmatchedRoute,
    "Give a payment's credits to an account",
  ),
  at(
    "POST",
    "/api/v1/admin/unmatched-purchases/:id/dismiss/",
    "operator",
    dismissUnmatchedRoute,
    "Decide that a payment brings no credits",
  ),

  at("GET", "/api/v1/admin/events/:id/", "operator", readAnyEventRoute, "Retrieve an event of any tenant"),
  at("GET", "/api/v1/admin/deliveries/:id/", "operator", readAnyDeliveryRoute, "Retrieve a delivery of any tenant"),
  at(
    "GET",
    "/api/v1/admin/webhook-endpoints/:id/",
    "operator",
    readAnyEndpointRoute,
    "Retrieve a webhook endpoint of any tenant",
  ),
  at(
    "GET",
    "/api/v1/admin/connected-invoices/:id/",
    "operator",
    readAnyInvoice,
    "Retrieve an invoice on any tenant's connected account",
  ),
  at("GET", "/api/v1/admin/search/", "operator", searchEverything, "Find anything by an id or an e-mail address"),
  at("GET", "/api/v1/admin/jobs/", "operator", listJobsRoute, "List background jobs, newest first"),
  at("GET", "/api/v1/admin/doctor/", "operator", doctorRoute, "Find what is wrong, with its cause and how to mend it"),
  at("GET", "/api/v1/admin/background/", "operator", readBackground, "How imports, catch-ups and scheduled work stand"),
  at("GET", "/api/v1/admin/overview/series/", "operator", readSeries, "Events, money and credits over time"),
  at("GET", "/api/v1/admin/overview/", "operator", readOverview, "Counts, lag and what needs a look"),
  at(
    "POST",
    "/api/v1/admin/drift/",
    "operator",
    driftRoute,
    "Compare local rows with Stripe's objects, or repair them",
  ),
  at("GET", "/api/v1/admin/backup/", "operator", backupRoute, "The whole database as a backup"),
  at("POST", "/api/v1/admin/move/", "operator", beginMoveRoute, "Give the whole database away, and hold all else"),
  at("POST", "/api/v1/admin/move/:id/", "operator", goOnWithMoveRoute, "Go on with a move, finish it or give it up"),
  at("POST", "/api/v1/admin/import/", "operator", importRoute, "Fetch every object that Stripe has"),
  at("POST", "/api/v1/admin/catch-up/", "operator", catchUpRoute, "Fetch the events that no webhook brought"),
  at(
    "POST",
    "/api/v1/admin/rebuild/",
    "operator",
    rebuildProjections,
    "Recompute all projections from the inbox, or compare them",
  ),
  at(
    "POST",
    "/api/v1/admin/ledger/verify/",
    "operator",
    verifyLedgerRoute,
    "Prove that balances are what their entries say",
  ),
];
