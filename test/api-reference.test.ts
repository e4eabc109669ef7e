// The API reference: generated from the routes, current in the repository, and readable as a page without a script.
import { afterAll, beforeAll, expect, it } from "vitest";

import type { ReferenceDocument } from "../src/api/reference-page.ts";
import { securityOf } from "../src/api/reference.ts";
import { ROUTES } from "../src/api/routes.ts";
import { openDoor } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";

let door: Door;
beforeAll(async () => {
  door = await openDoor("embedded");
});
afterAll(async () => door.close());

it("names every route, its errors and who may call it", async () => {
  const { json } = await door.call("GET", "/api/openapi.json");
  expect(json.openapi).toBe("3.1.0");
  const document = json as unknown as ReferenceDocument;
  for (const { method, path, who, summary } of ROUTES) {
    const operation = document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    expect(operation?.summary).toBe(summary);
    expect(operation?.responses?.default?.content?.["application/json"]?.schema).toEqual({
      $ref: "#/components/schemas/Error",
    });
    expect(operation?.security).toEqual(securityOf(who));
    expect(operation?.security === undefined).toBe(who === "anyone" || who === "stripe");
  }
  const named = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g);
  for (const [, name] of named) expect(document.components?.schemas).toHaveProperty(name ?? "");
});

it("is a page that lists every route and runs no script", async () => {
  const { text, headers } = await door.call("GET", "/api/docs");
  expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  expect(text).not.toMatch(/<script|https?:\/\/(?!localhost)/);
  for (const { path } of ROUTES) expect(text).toContain(path.replace(/:(\w+)/g, "{$1}"));
});
