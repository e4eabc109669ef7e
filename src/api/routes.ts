// The whole surface on one page: every address, who may call it, and what it is for.
import { readBillingLog, readObject } from "./billing-log-routes.ts";
import { health, metrics, readiness } from "./probe-routes.ts";
import { listOperation, readOperation } from "./projection-routes.ts";
import { readOverview } from "./overview-routes.ts";
import { rebuildProjections } from "./rebuild-routes.ts";
import { apiReference, openApi } from "./reference-routes.ts";
import type { Operation, Route, Who } from "./route.ts";
import { uniqueRoutes } from "./route.ts";
import { listEvents, readEvent, replayEvents, replayOneEvent } from "./stripe-event-routes.ts";
import { receiveWebhook } from "./webhook-routes.ts";

const at = (method: "GET" | "POST", path: string, who: Who, operation: Operation, summary: string): Route => ({
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
