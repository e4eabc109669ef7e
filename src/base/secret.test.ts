// Secrets are not printed, and compared whole.
import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sameSecret, Secret } from "./secret.ts";

describe("Secret", () => {
  it("is printed as [secret] however it is printed", () => {
    const secret = new Secret("hidden-value");
    const nested = { deep: [secret], error: new Error("failed with " + String(secret)) };
    for (const text of [
      String(secret),
      JSON.stringify(nested),
      inspect(nested, { depth: 9, showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
    ]) {
      expect(text).not.toContain("hidden");
    }
    expect(secret.reveal()).toBe("hidden-value");
  });

  it.each(["", " ", "\n\t"])("is never made of nothing (%j)", (text) => {
    expect(() => new Secret(text)).toThrow("must not be empty");
  });
});

describe("sameSecret", () => {
  it("is true for equal texts only, of any length, and never for an empty one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(sameSecret(a, a)).toBe(a !== "");
        const equal = Buffer.from(a).equals(Buffer.from(b));
        expect(sameSecret(a, b)).toBe(equal && a !== "");
      }),
    );
    expect(sameSecret("", "")).toBe(false);
    expect(sameSecret(new Secret("same"), "same")).toBe(true);
  });
});
