// The rules that hold for every route (API.md): slashes, request ids, one error shape, methods, content types, who may call.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { methodsOf, uniqueRoutes } from "../src/api/route.ts";
import type { Route } from "../src/api/route.ts";
import { ROUTES } from "../src/api/routes.ts";
import { openDoor, OPERATOR_TOKEN } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";

let door: Door;
let broken = false;
beforeAll(async () => {
  door = await openDoor("embedded", {
    deps: {
      readiness: async () =>
        broken ? { ready: false, checks: { database: "unreachable" } } : { ready: true, checks: {} },
      metrics: async () => {
        if (broken) throw new Error("postgres://user:secret@host/ is gone");
        return { contentType: "text/plain; version=0.0.4", text: "billhook_up 1\n" };
      },
    },
  });
});
afterAll(async () => door.close());

const operator = ROUTES.filter(({ who }) => who === "operator");
/** What a route asks for always. */
const NEEDED: Record<string, string> = {
  "/api/v1/admin/accounts/": "?email=nobody@people.example",
  "/api/v1/admin/search/": "?q=nobody",
};
const concrete = (path: string): string => path.replace(":id", "in_none");

describe("every operator's route", () => {
  it.each(operator.map((route) => [route.method, route.path]))(
    "%s %s wants the operator's token",
    async (method, path) => {
      for (const authorization of [
        undefined,
        "Bearer wrong",
        `Basic ${OPERATOR_TOKEN}`,
        "Bearer ",
        OPERATOR_TOKEN,
        `Bearer ${OPERATOR_TOKEN}x`,
      ]) {
        const answer = await door.call(
          method,
          concrete(path),
          authorization === undefined ? {} : { headers: { authorization } },
        );
        expect([answer.status, answer.json.code]).toEqual([401, "unauthorized"]);
        expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      }
    },
  );

  it.each(operator.filter(({ method }) => method === "GET").map(({ path }) => path))(
    "GET %s answers with and without a slash, and refuses unknown parameters",
    async (path) => {
      const headers = { authorization: `bearer ${OPERATOR_TOKEN}` };
      const bare = concrete(path).replace(/\/$/, "");
      const [with_, without] = [
        await door.call("GET", `${bare}/${NEEDED[path] ?? ""}`, { headers }),
        await door.call("GET", `${bare}${NEEDED[path] ?? ""}`, { headers }),
      ];
      expect(with_.status).toBe(without.status);
      expect([200, 404]).toContain(with_.status);
      const unknown = await door.call("GET", `${bare}/${NEEDED[path] ?? "?"}&nonsense=1`, { headers });
      expect([unknown.status, unknown.json.code, unknown.json.param]).toEqual([400, "invalid_request", "nonsense"]);
    },
  );
});

describe("every answer", () => {
  it.each([
    ["GET", "/healthz", 200],
    ["HEAD", "/healthz", 200],
    ["GET", "/readyz/", 200],
    ["GET", "/metrics", 200],
    ["GET", "/healthz?from=probe&from=again", 200],
    ["GET", "/readyz/?cachebuster=1", 200],
    ["GET", "/metrics?collect[]=cpu", 200],
    ["GET", "/nowhere", 404],
    ["GET", "/", 404],
    ["GET", "/healthz/more", 404],
    ["DELETE", "/nowhere/", 404],
    ["POST", "/healthz", 405],
    ["DELETE", "/api/v1/admin/invoices/", 405],
    ["PUT", "/api/v1/admin/stripe-events/evt_1/", 405],
    ["GET", "/api/v1/admin/rebuild", 405],
    ["OPTIONS", "/api/v1/admin/rebuild", 405],
  ])("of %s %s is %d, with a request id", async (method, path, status) => {
    const answer = await door.call(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_[0-9a-z]{26}$/);
    if (status >= 400) {
      expect(Object.keys(answer.json).sort()).toEqual(["code", "error", "message", "request_id"]);
      expect(answer.json.request_id).toBe(answer.headers.get("x-request-id"));
    }
    if (status === 405) expect(answer.headers.get("allow")).toMatch(/GET, HEAD|POST/);
  });

  it("names no id of the caller's", async () => {
    const answer = await door.call("GET", "/healthz", { headers: { "x-request-id": "mine" } });
    expect(answer.headers.get("x-request-id")).not.toBe("mine");
  });

  it("to an address that cannot be decoded is 400", async () => {
    for (const path of ["/%zz", "/api/v1/admin/invoices/%ff%fe/", "/%"]) {
      const answer = await door.call("GET", path, { headers: { authorization: `Bearer ${OPERATOR_TOKEN}` } });
      expect([answer.status, answer.json.code]).toEqual([400, "invalid_request"]);
      expect(answer.headers.get("x-request-id")).toBe(answer.json.request_id);
    }
  });

  it("to an id with NUL, or of a thousand letters, is 4xx", async () => {
    const refused = ["in%00", "in%0A1", "%20in", "a".repeat(999), "a".repeat(5000)];
    // What could be one, since owners of plans and coupons choose theirs.
    const unknown = ["%E2%82%AC", "in%201"];
    for (const [status, ids] of [
      [400, refused],
      [404, unknown],
    ] as const) {
      for (const id of ids) {
        const answer = await door.admin("GET", `invoices/${id}/`);
        expect([id.slice(0, 20), answer.status]).toEqual([id.slice(0, 20), status]);
        expect(answer.json.request_id).toMatch(/^req_/);
      }
    }
  });
});

describe("a body", () => {
  const path = "/api/v1/admin/rebuild/";
  const authorization = `Bearer ${OPERATOR_TOKEN}`;
  it.each<[string, string | Buffer, string | undefined, number, string, string | undefined]>([
    ["that is not JSON", "{check", "application/json", 400, "invalid_json", undefined],
    ["in Latin-1", Buffer.from('{"check":"\xe9"}', "latin1"), "application/json", 400, "invalid_json", undefined],
    ["with an unknown field", '{"check":true,"chekc":1}', "application/json", 400, "invalid_request", "chekc"],
    ["with __proto__", '{"check":true,"__proto__":{"a":1}}', "application/json", 400, "invalid_request", "__proto__"],
    ["of the wrong type", '{"check":"yes"}', "application/json", 400, "invalid_request", "check"],
    ["that lacks a field", "{}", "application/json", 400, "invalid_request", "check"],
    ["that is a list", "[]", "application/json", 400, "invalid_request", undefined],
    ["that is empty", "", "application/json", 400, "invalid_request", undefined],
    [
      "that nests deep",
      "[".repeat(200_000) + "]".repeat(200_000),
      "application/json",
      400,
      "invalid_request",
      undefined,
    ],
    ["that is text", '{"check":true}', "text/plain", 415, "unsupported_media_type", undefined],
    ["that is a form", "check=true", "application/x-www-form-urlencoded", 415, "unsupported_media_type", undefined],
  ])("%s is refused", async (_, body, type, status, code, param) => {
    const headers = { authorization, ...(type === undefined ? {} : { "content-type": type }) };
    const answer = await door.call("POST", path, { body: new Uint8Array(Buffer.from(body)), headers });
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([status, code, param]);
  });
});

it("what fails inside is told without its cause", async () => {
  broken = true;
  const answer = await door.call("GET", "/metrics");
  const ready = await door.call("GET", "/readyz");
  broken = false;
  expect([answer.status, answer.json.code]).toEqual([500, "internal"]);
  expect(answer.text).not.toMatch(/secret|postgres/);
  expect([ready.status, ready.json]).toEqual([503, { ready: false, checks: { database: "unreachable" } }]);
  expect(ready.headers.get("retry-after")).toBe("1");
});

it("a request is one line of the log, with the route's pattern and not the address", async () => {
  door.lines.length = 0;
  await door.admin("GET", "invoices/in_private/?livemode=true");
  await door.call("GET", "/healthz");
  const told = door.lines.map(({ level, message, route, method, status, code }) => ({
    level,
    message,
    route,
    method,
    status,
    code,
  }));
  expect(told).toEqual([
    {
      level: "unit",
      message: "request.answered",
      route: "/api/v1/admin/invoices/:id/",
      method: "GET",
      status: 404,
      code: "not_found",
    },
    { level: "debug", message: "request.answered", route: "/healthz", method: "GET", status: 200, code: undefined },
  ]);
});

describe("the table of routes", () => {
  it("refuses the same route twice, whatever its parameter is called", () => {
    const [first] = ROUTES as [Route];
    expect(() =>
      uniqueRoutes([
        { ...first, path: "/a/:id/" },
        { ...first, path: "/a/:key" },
      ]),
    ).toThrow(/twice/);
  });

  it("knows the methods of a path", () => {
    expect(methodsOf(ROUTES, "/api/v1/admin/stripe-events/evt_1/replay")).toEqual(["POST"]);
    expect(methodsOf(ROUTES, "/healthz")).toEqual(["GET", "HEAD"]);
    expect(methodsOf(ROUTES, "/api/v1/admin")).toEqual([]);
  });
});
