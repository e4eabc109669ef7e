// Webhook endpoints: /v1/webhook_endpoints.
import type Stripe from "stripe";

import { APPLICATION } from "../connect/connection.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { changeDestination, keepDestination, newSecret } from "./destination.ts";

export const webhookEndpointRoutes: Route[] = [
  route<Stripe.WebhookEndpointCreateParams>()("POST /v1/webhook_endpoints", (tx, given) => {
    const secret = newSecret(tx);
    return { ...createWebhookEndpoint(tx, given, secret), secret };
  }),
  route<Stripe.WebhookEndpointRetrieveParams>()("GET /v1/webhook_endpoints/*", (tx, _given, id) =>
    tx.get("webhook_endpoint", id),
  ),
  route<Stripe.WebhookEndpointUpdateParams>()("POST /v1/webhook_endpoints/*", (tx, given, id) =>
    updateWebhookEndpoint(tx, id, given),
  ),
  route<Stripe.WebhookEndpointListParams>()("GET /v1/webhook_endpoints", (tx, given) =>
    listOf(tx.all("webhook_endpoint"), "/v1/webhook_endpoints", given),
  ),
  route<Stripe.WebhookEndpointDeleteParams>()("DELETE /v1/webhook_endpoints/*", (tx, _given, id) => {
    tx.get("webhook_endpoint", id);
    tx.remove("webhook_endpoint", id);
    tx.remove("_destination", id);
    return { id, object: "webhook_endpoint", deleted: true };
  }),
];

/** Without the secret: Stripe tells it once, when the endpoint is made. */
export function createWebhookEndpoint(
  tx: Transaction,
  given: Omit<Stripe.WebhookEndpointCreateParams, "api_version" | "enabled_events"> & {
    api_version?: string;
    enabled_events: readonly string[];
  },
  secret: string,
): Stripe.WebhookEndpoint {
  const isConnect = given.connect === true;
  const endpoint: Stripe.WebhookEndpoint = {
    id: tx.newId("webhook_endpoint"),
    object: "webhook_endpoint",
    api_version: given.api_version ?? null,
    application: isConnect ? APPLICATION.id : null,
    created: tx.now,
    description: given.description || null,
    enabled_events: [...given.enabled_events],
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, given.metadata),
    status: "enabled",
    url: given.url,
  };
  keepDestination(tx, endpoint.id, {
    url: endpoint.url,
    enabled_events: endpoint.enabled_events,
    from: [isConnect ? "accounts" : "self"],
    is_thin: false,
    api_version: endpoint.api_version,
    is_enabled: true,
    secrets: [{ secret, until: null }],
    v2: null,
  });
  return tx.put("webhook_endpoint", endpoint);
}

export function updateWebhookEndpoint(
  tx: Transaction,
  id: string,
  given: Omit<Stripe.WebhookEndpointUpdateParams, "enabled_events"> & {
    enabled_events?: readonly string[];
    api_version?: string;
  },
): Stripe.WebhookEndpoint {
  const old = tx.get("webhook_endpoint", id);
  const endpoint: Stripe.WebhookEndpoint = {
    ...old,
    api_version: given.api_version ?? old.api_version,
    description: given.description === undefined ? old.description : given.description || null,
    enabled_events: [...(given.enabled_events ?? old.enabled_events)],
    metadata: mergeMetadata(old.metadata, given.metadata),
    status: given.disabled === undefined ? old.status : given.disabled ? "disabled" : "enabled",
    url: given.url ?? old.url,
  };
  changeDestination(tx, id, {
    url: endpoint.url,
    enabled_events: endpoint.enabled_events,
    api_version: endpoint.api_version,
    is_enabled: endpoint.status === "enabled",
  });
  return tx.put("webhook_endpoint", endpoint);
}
