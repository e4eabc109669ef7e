// Text and JSON that PostgreSQL can store.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MAX_DEPTH, storableJson, storableText, TOO_DEEP } from "./text.ts";
import type { Json } from "./text.ts";

/** Texts with many NULs and halves of surrogate pairs. */
const raw = fc.string({
  unit: fc.oneof(fc.constantFrom("\0", "\uD800", "\uDC00", "😀", "é"), fc.string({ maxLength: 2 })),
});
const json = fc.jsonValue({ stringUnit: "binary" }) as fc.Arbitrary<Json>;

describe("storableText", () => {
  it("holds no NUL and no lone surrogate, and changes nothing else", () => {
    fc.assert(
      fc.property(raw, (text) => {
        const stored = storableText(text);
        expect(stored.isWellFormed()).toBe(true);
        expect(stored).not.toContain("\0");
        expect(stored).toHaveLength(text.length);
        for (let index = 0; index < text.length; index += 1) {
          if (stored[index] !== text[index]) expect(stored[index]).toBe("\uFFFD");
        }
        expect(storableText(stored)).toBe(stored);
      }),
    );
  });

  it("keeps pairs and replaces halves", () => {
    expect(storableText("Zoë 😀")).toBe("Zoë 😀");
    expect(storableText("a\0b\uD83Dc\uDE00")).toBe("a\uFFFDb\uFFFDc\uFFFD");
  });
});

describe("storableJson", () => {
  it("cleans every string and key at every level, and keeps the rest", () => {
    fc.assert(
      fc.property(json, (value) => {
        const stored = storableJson(value);
        // JSON.stringify writes a lone surrogate and a NUL as \u escapes: the two things that jsonb refuses.
        expect(JSON.stringify(stored)).not.toMatch(/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/);
        const clean = JSON.stringify(value).replace(/(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})/g, "$1\uFFFD");
        expect(JSON.stringify(stored)).toBe(JSON.stringify(JSON.parse(clean)));
      }),
      { numRuns: 300 },
    );
  });

  it("gives a value that needs nothing back itself", () => {
    const value: Json = { items: [{ id: "si_1", price: { amount: 1 } }], metadata: {}, none: null };
    expect(storableJson(value)).toBe(value);
  });

  it("takes any depth, and says where it cut", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      for (const depth of [MAX_DEPTH - 1, MAX_DEPTH, 10_000, 200_000]) {
        const value = JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`) as Json;
        const text = JSON.stringify(storableJson(value));
        expect(text.includes(TOO_DEEP)).toBe(depth > MAX_DEPTH);
      }
    }
  });

  it("does not lose a number that is too large for a double, and sets no prototype", () => {
    const value = JSON.parse('{"n":1e400,"__proto__":{"x":"\\u0000"}}') as Json;
    const stored = storableJson(value);
    expect(JSON.stringify(stored)).toBe('{"n":"Infinity","__proto__":{"x":"\uFFFD"}}');
    expect(Object.getPrototypeOf(stored)).toBe(Object.prototype);
  });
});
