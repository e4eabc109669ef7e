// Fetching from a Stripe that is a loopback server: what is found, as of when, and what each failure means.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manualClock } from "../base/clock.ts";
import { STRIPE_API_VERSION, STRIPE_TIMEOUT, stripeClient } from "./client.ts";
import { RETRIEVABLE_OBJECTS, type Retrieved, retrieveObject, retrievePath, stripeFailure } from "./retrieve.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const DATE = "Fri, 20 Nov 2026 10:00:00 GMT";
const SECOND = Date.UTC(2026, 10, 20, 10) / 1000;
const clock = manualClock();
const requests: IncomingMessage[] = [];
let answer: Answer = () => undefined;
let server: Server;
let base = "";

beforeAll(async () => {
  server = createServer((request, response) => {
    response.sendDate = false;
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

/** Answers with this; `stripe-should-retry: false` keeps the SDK from trying again by itself. */
function respond(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { date: DATE, "stripe-should-retry": "false", "request-id": "req_1", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

async function fetchFrom(
  reply: Answer,
  wanted: Partial<Parameters<typeof retrieveObject>[1]> = {},
): Promise<Retrieved> {
  answer = reply;
  requests.length = 0;
  const client = stripeClient({ secretKey: "sk_test_1", apiBase: base });
  return retrieveObject(client, { account: "", objectType: "customer", objectId: "cus_1", ...wanted }, clock);
}
const failure = (type: string, code?: string, message = "no"): object => ({ error: { type, code, message } });
const CUSTOMER = { id: "cus_1", object: "customer", name: "\u0000\ud800" };

describe("an object of Stripe's", () => {
  it("is found as received, in our API version, with the second that it includes", async () => {
    const text = `{"id":"cus_1", "object":"customer","name":"\\u0000\\ud800","balance":1e400}`;
    const found = await fetchFrom(respond(200, text, { "stripe-version": "2026-10-28.endive" }));
    expect(found).toEqual({
      outcome: "found",
      object: { ...CUSTOMER, balance: Infinity },
      text,
      asOf: SECOND - 1,
      apiVersion: "2026-10-28.endive",
    });
    expect(requests.map(({ method, url }) => `${String(method)} ${String(url)}`)).toEqual(["GET /v1/customers/cus_1"]);
    expect(requests[0]?.headers).toMatchObject({
      authorization: "Bearer sk_test_1",
      "stripe-version": STRIPE_API_VERSION,
    });
    expect(requests[0]?.headers).not.toHaveProperty("stripe-account");
    expect(requests[0]?.headers).not.toHaveProperty("x-stripe-client-telemetry");
    expect(requests[0]?.headers["user-agent"]).toContain("billhook");
  });

  it.each([
    [0, 1],
    [1, 2],
    [999, 2],
    [1_000, 2],
    [1_001, 3],
    [7_400, 9],
  ])("that took %i ms is as old as Stripe's clock less %i s", async (roundTrip, behind) => {
    const slow: Answer = (request, response) => {
      clock.advance(roundTrip);
      respond(200, CUSTOMER)(request, response);
    };
    expect(await fetchFrom(slow)).toMatchObject({ outcome: "found", asOf: SECOND - behind });
  });

  it("is never dated later than the question, whatever our own clock says", async () => {
    const asked = Math.floor(Date.now() / 1000);
    const found = await fetchFrom((request, response) =>
      respond(200, CUSTOMER, { date: new Date().toUTCString() })(request, response),
    );
    expect(found.outcome === "found" && found.asOf).toBeLessThan(asked + 1);
    expect(found.outcome === "found" && found.asOf).toBeGreaterThan(asked - 5);
  });

  it("is asked for on its connected account, but a connected account itself by the platform", async () => {
    await fetchFrom(respond(200, CUSTOMER), { account: "acct_1" });
    expect(requests[0]?.headers["stripe-account"]).toBe("acct_1");
    await fetchFrom(respond(200, { id: "acct_1", object: "account" }), {
      account: "acct_1",
      objectType: "account",
      objectId: "acct_1",
    });
    expect([requests[0]?.url, requests[0]?.headers["stripe-account"]]).toEqual(["/v1/accounts/acct_1", undefined]);
    await fetchFrom(respond(200, { id: "card_payments", object: "capability" }), {
      account: "acct_1",
      objectType: "capability",
      objectId: "card_payments",
    });
    expect(requests[0]?.url).toBe("/v1/accounts/acct_1/capabilities/card_payments");
  });

  it("that was deleted is found as its stub, or missing", async () => {
    const stub = { id: "cus_1", object: "customer", deleted: true };
    expect(await fetchFrom(respond(200, stub))).toMatchObject({ outcome: "found", object: stub });
    expect(await fetchFrom(respond(404, failure("invalid_request_error", "resource_missing")))).toEqual({
      outcome: "missing",
    });
  });

  it("may have an id with any characters", async () => {
    const id = "gold/plan ü?#";
    expect(await fetchFrom(respond(200, { id, object: "plan" }), { objectType: "plan", objectId: id })).toMatchObject({
      outcome: "found",
    });
    expect(requests[0]?.url).toBe("/v1/plans/gold%2Fplan%20%C3%BC%3F%23");
  });

  it("is not asked for when its kind has no route by id alone", async () => {
    const kinds: [string, string, string][] = [
      ["", "application", "ca_1"],
      ["", "source", "card_1"],
      ["", "discount", "di_1"],
      ["", "capability", "card_payments"],
      ["", "constructor", "x"],
      ["", "nothing.known", "x_1"],
      ["", "customer", ""],
      ["", "coupon", ".."],
    ];
    for (const [account, objectType, objectId] of kinds) {
      expect(await fetchFrom(respond(200, {}), { account, objectType, objectId })).toEqual({ outcome: "unsupported" });
      expect(requests).toEqual([]);
    }
  });
});

describe("a fetch that fails", () => {
  it("is tried again later when the cause may pass, and says how long to wait", async () => {
    const cases: [Answer, object][] = [
      [
        respond(429, failure("invalid_request_error", "rate_limit"), { "retry-after": "7" }),
        { after: 7, reason: "HTTP 429 rate_limit (req_1)" },
      ],
      [respond(429, failure("invalid_request_error", "lock_timeout")), { reason: "HTTP 429 lock_timeout (req_1)" }],
      [respond(429, failure("invalid_request_error"), { "retry-after": "999999" }), { after: 3_600 }],
      [respond(400, failure("invalid_request_error", "rate_limit")), {}],
      [respond(500, failure("api_error"), { "retry-after": "soon" }), { reason: "HTTP 500 api_error (req_1)" }],
      [respond(409, failure("idempotency_error")), {}],
      [respond(503, "<html>down</html>"), {}],
      [respond(502, '"Bad gateway"'), {}],
      [respond(502, "7"), {}],
      [respond(502, { message: "no error field" }), { reason: "HTTP 502 without an error" }],
      [respond(302, "", { location: "https://elsewhere.test/" }), { reason: "HTTP 302" }],
      [respond(200, "{"), {}],
      [respond(200, "null"), {}],
      [respond(200, { ...CUSTOMER, id: "cus_2" }), { reason: "the answer is not the object that was asked for" }],
      [respond(200, CUSTOMER, { date: "yesterday" }), { reason: "the answer has no valid Date header" }],
      [
        respond(200, CUSTOMER, { date: "Fri, 99 Nov 2026 10:00:00 GMT" }),
        { reason: "the answer has no valid Date header" },
      ],
      [
        (_request, response) => response.end(JSON.stringify(CUSTOMER)),
        { reason: "the answer has no valid Date header" },
      ],
      [
        (_request, response) =>
          response.writeHead(200, { date: DATE, "content-length": "99" }).write("{", () => response.destroy()),
        {},
      ],
    ];
    for (const [reply, expected] of cases)
      expect(await fetchFrom(reply)).toMatchObject({ outcome: "retry", ...expected });
  });

  it("is tried twice more by the SDK before it counts as failed", async () => {
    let left = 2;
    const found = await fetchFrom((request, response) => {
      clock.advance(400);
      const reply =
        left-- > 0 ? respond(500, failure("api_error"), { "stripe-should-retry": "true" }) : respond(200, CUSTOMER);
      reply(request, response);
    });
    expect(found).toMatchObject({ outcome: "found", asOf: SECOND - 3 });
    expect(requests.length).toBe(3);
  });

  it("is refused when only a person can help: a wrong key, an account that left, a wrong request", async () => {
    const cases: [Answer, string][] = [
      [respond(401, failure("invalid_request_error")), "HTTP 401 invalid_request_error (req_1)"],
      [respond(403, failure("invalid_request_error", "account_invalid")), "HTTP 403 account_invalid (req_1)"],
      [respond(400, failure("invalid_request_error", "parameter_unknown")), "HTTP 400 parameter_unknown (req_1)"],
      [
        respond(404, failure("invalid_request_error", undefined, "Unrecognized request URL (GET: /v1/x).")),
        "HTTP 404 invalid_request_error (req_1)",
      ],
    ];
    for (const [reply, reason] of cases) expect(await fetchFrom(reply)).toEqual({ outcome: "refused", reason });
  });

  it("does not wait for ever for a body that comes drop by drop, nor keep one without end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const dripping = fetchFrom((_request, response) => {
        response
          .writeHead(200, { date: DATE })
          .write('{"id":', () => setImmediate(() => void vi.advanceTimersByTimeAsync(STRIPE_TIMEOUT)));
      });
      expect(await dripping).toMatchObject({ outcome: "retry", reason: "the answer took too long" });
    } finally {
      vi.useRealTimers();
    }
    const endless: Answer = (_request, response) => {
      response.writeHead(200, { date: DATE });
      const pour = (): void => {
        while (!response.destroyed && response.write(" ".repeat(2 ** 20)));
      };
      response.on("drain", pour);
      pour();
    };
    expect(await fetchFrom(endless)).toMatchObject({ outcome: "retry", reason: "the answer is too large" });
  });

  it("and was no answer at all is tried again", async () => {
    const client = stripeClient({ secretKey: "sk_test_1", apiBase: "http://127.0.0.1:1" });
    const wanted = { account: "", objectType: "customer", objectId: "cus_1" };
    expect(await retrieveObject(client, wanted, clock)).toMatchObject({
      outcome: "retry",
      reason: "StripeConnectionError",
    });
    expect(stripeFailure("anything")).toEqual({ outcome: "retry", reason: "unknown failure" });
  });
});

describe("the path in a thin event", () => {
  const follow = async (path: string, context = "acct_1"): Promise<Retrieved> => {
    answer = respond(200, { id: "in_1", object: "invoice" });
    requests.length = 0;
    return retrievePath(
      stripeClient({ secretKey: "sk_test_1", apiBase: base }),
      { context, path, objectId: "in_1" },
      clock,
    );
  };

  it("is followed under /v1/ and /v2/ in the event's context", async () => {
    for (const path of ["/v1/invoices/in_1", "/v2/core/accounts/acct_1", "/v1/plans/gold%20plan"]) {
      expect(await follow(path)).toMatchObject({ outcome: "found", asOf: SECOND - 1 });
      expect([requests[0]?.url, requests[0]?.headers["stripe-context"]]).toEqual([path, "acct_1"]);
    }
    await follow("/v1/invoices/in_1", "");
    expect(requests[0]?.headers).not.toHaveProperty("stripe-context");
  });

  it("is never followed anywhere else", async () => {
    const paths = [
      "",
      "/",
      "/v1",
      "/v1/",
      "/v3/x",
      "v1/x",
      "//evil.test/v1/x",
      "https://evil.test/v1/x",
      "/v1//x",
      "/v1/../x",
      "/v1/./x",
    ];
    const odd = [
      "/v1/%2e%2E/x",
      "/v1/a%2f..%2Fb",
      "/v1/a%00",
      "/v1/%zz",
      "/v1/x?expand[]=y",
      "/v1/x#y",
      "/v1/x\r\nHost: y",
      "/v1\\x",
      "/v1/é",
      "/v1@evil.test/x",
    ];
    for (const path of [...paths, ...odd]) {
      expect([path, await follow(path)]).toEqual([path, { outcome: "unsupported" }]);
      expect(requests).toEqual([]);
    }
  });
});

describe("the table of kinds", () => {
  /** Every GET by one id that the SDK knows, found by calling each resource's `retrieve`. */
  async function sdkPaths(): Promise<Set<string>> {
    const paths = new Set<string>();
    const http = Stripe.createNodeHttpClient();
    http.makeRequest = (_host, _port, path) => {
      paths.add(path);
      return Promise.reject(new Error("no network here"));
    };
    const client = new Stripe("sk_test_1", { httpClient: http, maxNetworkRetries: 0 });
    const calls: Promise<unknown>[] = [];
    const visit = (resource: unknown, depth: number): void => {
      if (typeof resource !== "object" || resource === null || depth > 2) return;
      for (const [name, member] of Object.entries(resource)) if (!name.startsWith("_")) visit(member, depth + 1);
      const { retrieve } = resource as { retrieve?: unknown };
      if (typeof retrieve === "function")
        calls.push(Promise.resolve(retrieve.call(resource, "id_1")).catch(() => undefined));
    };
    visit(client, 0);
    await Promise.all(calls);
    return paths;
  }

  it("asks where the SDK asks", async () => {
    const known = await sdkPaths();
    const unknown: string[] = [];
    for (const objectType of RETRIEVABLE_OBJECTS.filter((kind) => kind !== "capability" && kind !== "person")) {
      const objectId = objectType === "source" ? "src_1" : "id_1";
      await fetchFrom(respond(200, { id: objectId, object: objectType }), { objectType, objectId });
      const path = String(requests[0]?.url).replace("src_1", "id_1");
      if (!known.has(path)) unknown.push(path);
    }
    expect(unknown).toEqual([]);
    expect(known.size).toBeGreaterThan(80);
  });

  it("is in the API version of the SDK", () => {
    expect(new Stripe("sk_test_1").getApiField("version")).toBe(STRIPE_API_VERSION);
  });
});
