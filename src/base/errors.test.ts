// What callers see of an error.
import { describe, expect, it } from "vitest";

import { asPublicError, ERROR_CODES, errorBody, PublicError, publicError } from "./errors.ts";

describe("public errors", () => {
  it("each code has a true HTTP status, a title and a sentence that says what to do", () => {
    for (const code of ERROR_CODES) {
      const error = publicError(code);
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.status).toBeLessThan(600);
      // The contract: a validation failure is 400.
      expect(error.status).not.toBe(422);
      expect(error.title).not.toBe("");
      expect(error.message).toMatch(/^[A-Z`].+\.$/);
    }
  });

  it("goes on the wire with its code, message and request id, and never with its cause", () => {
    const error = publicError("invalid_request", {
      message: "limit must be from 1 to 100.",
      param: "limit",
      cause: new Error("internal detail"),
    });
    const body = errorBody(error, "req_1");
    expect(body).toEqual({
      error: "Invalid request",
      code: "invalid_request",
      message: "limit must be from 1 to 100.",
      param: "limit",
      request_id: "req_1",
    });
    expect(errorBody(publicError("not_found"), "req_1")).not.toHaveProperty("param");
  });

  it("whatever else is thrown is an internal error that tells nothing", () => {
    for (const thrown of [new Error("password=hunter2"), "text", undefined, null, { status: 200 }]) {
      const error = asPublicError(thrown);
      expect([error.status, error.code]).toEqual([500, "internal"]);
      expect(JSON.stringify(errorBody(error, "req_1"))).not.toContain("hunter2");
    }
    const known = publicError("not_found");
    expect(asPublicError(known)).toBe(known);
    expect(known).toBeInstanceOf(PublicError);
  });

  it("503 and 429 always say when to come back", () => {
    for (const code of ERROR_CODES.filter((each) => [429, 503].includes(publicError(each).status))) {
      expect(publicError(code).retryAfter).toBe(1);
      expect(publicError(code, { retryAfter: 7 }).retryAfter).toBe(7);
    }
    expect(publicError("internal").retryAfter).toBeUndefined();
  });
});
