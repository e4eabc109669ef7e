// The one place that imports the `stripe` package: the client for calls to Stripe's API.
import type { IncomingMessage } from "node:http";

import Stripe from "stripe";

import { beforeRequest, whenOver } from "./call-context.ts";

export type StripeClient = Stripe;
export type RequestOptions = Stripe.RequestOptions;

/** What every failed call to Stripe throws, a lost connection included. */
export const StripeError: typeof Stripe.errors.StripeError = Stripe.errors.StripeError;
export type StripeError = Stripe.errors.StripeError;

/** The API version that we ask in, whatever the account's default is. Readers take older shapes as well. */
export const STRIPE_API_VERSION = "2026-10-28.endive";

/** How long a call may stand still, in milliseconds. */
export const STRIPE_TIMEOUT = 20_000;

/** How often the SDK tries a call again after a lost connection, a 5xx or a 409. */
export const NETWORK_RETRIES = 2;

export interface StripeClientOptions {
  secretKey: string;
  /** Scheme, host and port, for the local sandbox and for tests. Stripe's own when absent. */
  apiBase?: string;
  /** Instead of NETWORK_RETRIES, for calls that do not say it themselves. */
  networkRetries?: number;
}

/** A client for one secret key, and so for one mode. Throws when `apiBase` is not a URL. */
export function stripeClient({
  secretKey,
  apiBase,
  networkRetries = NETWORK_RETRIES,
}: StripeClientOptions): StripeClient {
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    maxNetworkRetries: networkRetries,
    timeout: STRIPE_TIMEOUT,
    telemetry: false,
    appInfo: { name: "billhook" },
    httpClient: bound(objectsOnly(Stripe.createNodeHttpClient())),
    ...(apiBase === undefined ? {} : addressOf(apiBase)),
  });
}

function addressOf(apiBase: string): { protocol: "http" | "https"; host: string; port: string } {
  const url = new URL(apiBase);
  const protocol = url.protocol === "http:" ? "http" : "https";
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""), // Node takes an IPv6 address without its brackets.
    port: url.port || (protocol === "http" ? "80" : "443"),
  };
}

/** Each request keeps to the call that it belongs to: see call-context.ts. */
function bound(client: HttpClient): HttpClient {
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (host, port, path, method, headers, body, protocol, timeout) => {
    const milliseconds = beforeRequest({ method, path, headers }, timeout);
    const response = await makeRequest(host, port, path, method, headers, body, protocol, milliseconds);
    whenOver(() => (response.getRawResponse() as IncomingMessage).destroy());
    return response;
  };
  return client;
}

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

/**
 * The SDK (23.1.0) dies of an unhandled rejection when an answer is JSON but no object, such as a gateway's `"Bad gateway"`.
 * Refused here, it becomes the API error that other broken answers are.
 */
function objectsOnly(client: HttpClient): HttpClient {
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    const response = await makeRequest(...request);
    const toJSON = response.toJSON.bind(response);
    response.toJSON = async () => {
      const json: unknown = await toJSON();
      if (typeof json !== "object" || json === null) throw new SyntaxError("the answer is not a JSON object");
      return json;
    };
    return response;
  };
  return client;
}
