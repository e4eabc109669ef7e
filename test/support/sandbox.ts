// The sandbox for tests: on a free port, driven by the official SDK, every answer checked against the SDK's types.
import { request } from "node:http";

import Stripe from "stripe";
import { expect } from "vitest";

import { shapeProblems } from "../../sandbox/core/conform.ts";
import { scopeOf, type Kind, type Kinds } from "../../sandbox/core/kinds.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/sandbox.ts";

export const SANDBOX_KEY = "sk_test_sandbox_of_the_tests";

export interface OpenSandbox extends Sandbox {
  stripe: Stripe;
  /** The SDK with another key, version or account. */
  client(options?: { key?: string; apiVersion?: string; account?: string }): Stripe;
  /** Every event so far in every account, the oldest first; of one type if told. */
  events(type?: string): Stripe.Event[];
  /** Every object of the kind in every account, the oldest first. */
  objects<K extends Kind>(kind: K): Kinds[K][];
  /** A call without the SDK: for what the SDK would not send. */
  call(method: string, path: string, form?: string, headers?: Record<string, string>): Promise<RawAnswer>;
}

export interface SandboxTestOptions extends SandboxOptions {
  /** Hears of every answer of the API that the SDK gets. */
  onAnswer?: (answer: ApiAnswer) => void;
}

export interface ApiAnswer {
  /** "POST /v1/customers/cus_1" */
  call: string;
  status: number;
  body: unknown;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** {} for what is not JSON. */
  json: Record<string, never>;
  text: string;
}

export async function openSandbox({ onAnswer, ...options }: SandboxTestOptions = {}): Promise<OpenSandbox> {
  const sandbox = await startSandbox({ port: 0, seed: 1, ...options });
  const objects = <K extends Kind>(kind: K): Kinds[K][] =>
    sandbox.world.scopes().flatMap((key) => sandbox.world.run((tx) => tx.all(kind), scopeOf(key)));
  const client: OpenSandbox["client"] = (given = {}) => sdkClient(sandbox.port, given, onAnswer);
  return {
    ...sandbox,
    stripe: client(),
    client,
    objects,
    events: (type) => objects("event").filter((event) => type === undefined || event.type === type),
    call: (method, path, form, headers) => rawCall(sandbox.port, method, path, form, headers),
  };
}

function sdkClient(
  port: number,
  { key = SANDBOX_KEY, apiVersion, account }: Parameters<OpenSandbox["client"]>[0] & object,
  onAnswer: SandboxTestOptions["onAnswer"],
): Stripe {
  const stripe = new Stripe(key, {
    host: "127.0.0.1",
    port,
    protocol: "http",
    telemetry: false,
    maxNetworkRetries: 0,
    httpClient: apiVersion === undefined ? checkedClient(onAnswer) : Stripe.createNodeHttpClient(),
    ...(apiVersion === undefined ? {} : { apiVersion: apiVersion as never }),
    ...(account === undefined ? {} : { stripeAccount: account }),
  });
  return stripe;
}

/** The SDK's own client, with each answer's body held against the generated shapes. */
function checkedClient(onAnswer: SandboxTestOptions["onAnswer"]): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient();
  const plain = client.makeRequest.bind(client);
  client.makeRequest = async (...call) => {
    const response = await plain(...call);
    const toJson = response.toJSON.bind(response);
    response.toJSON = async () => {
      const body: unknown = await toJson();
      const status = response.getStatusCode();
      // A copy: the SDK makes Decimals of some texts in place.
      onAnswer?.({ call: `${call[3]} ${call[2]}`, status, body: structuredClone(body) });
      if (status < 400) expect(shapeProblems(body), `${call[3]} ${call[2]}`).toEqual([]);
      return body;
    };
    return response;
  };
  return client;
}

function rawCall(
  port: number,
  method: string,
  path: string,
  form = "",
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: {
        authorization: `Bearer ${SANDBOX_KEY}`,
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.once("error", reject);
      response.once("end", () => {
        const json = (response.headers["content-type"] ?? "").includes("json")
          ? (JSON.parse(text) as Record<string, never>)
          : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, json, text });
      });
    });
    sent.end(form);
  });
}
