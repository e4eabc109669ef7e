// The form of API keys: random, checked, branded, masked.
import { describe, expect, it } from "vitest";

import { formOfType, KEY_TYPES, keyTypeOf, maskedKey, newKey, readKey } from "./key-format.ts";

describe("a key", () => {
  it.each(KEY_TYPES)("%s tells its kind and mode, with and without a brand", (type) => {
    for (const brand of ["", "acme"]) {
      const made = newKey(formOfType(type), brand);
      expect(made.key).toMatch(/^(acme_)?[sp]k_(live|test)_[0-9A-Za-z]{32}$/);
      expect(readKey(made.key)).toEqual(formOfType(type));
      expect(keyTypeOf(made)).toBe(type);
    }
  });

  it("that was mistyped is told from a wrong one without a look-up", () => {
    const { key } = newKey({ kind: "secret", livemode: true }, "");
    for (let place = 0; place < key.length; place += 1) {
      const other = key[place] === "x" ? "y" : "x";
      expect(readKey(key.slice(0, place) + other + key.slice(place + 1))).toBeUndefined();
    }
    for (const bad of ["", key.slice(1), `${key}0`, key.toUpperCase(), ` ${key}`]) expect(readKey(bad)).toBeUndefined();
  });

  it("never comes twice", () => {
    const made = Array.from({ length: 500 }, () => newKey({ kind: "public", livemode: false }, "").key);
    expect(new Set(made).size).toBe(500);
  });

  it("is masked as the seed has it", () => {
    const { key, prefix, last4 } = newKey({ kind: "secret", livemode: false }, "");
    expect(maskedKey({ prefix, last4 })).toBe(`sk_test_****...${key.slice(-4)}`);
  });
});
