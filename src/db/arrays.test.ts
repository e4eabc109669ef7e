import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bigintArray, booleanArray, textArray } from "./arrays.ts";

/** The format as PostgreSQL documents it, element by element. */
function reference(elementType: number, elements: readonly (Buffer | null)[]): Buffer {
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const header = [1, elements.includes(null) ? 1 : 0, elementType, elements.length, 1].map(int32);
  const body = elements.flatMap((element) => (element === null ? [int32(-1)] : [int32(element.length), element]));
  return Buffer.concat([...header, ...body]);
}

const nullable = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<(Value | null)[]> =>
  fc.array(fc.option(values, { nil: null }), { maxLength: 20 });

function bigintOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

describe("arrays in PostgreSQL's binary format", () => {
  it("are the format's bytes for every text: of any length, in any script, as string or as bytes", () => {
    const texts = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: "binary", maxLength: 60 }));
    const longer = texts.map((text) => text.repeat(50));
    fc.assert(
      fc.property(nullable(fc.oneof(texts, longer)), fc.boolean(), (values, asBytes) => {
        const bytes = values.map((text) => (text === null ? null : Buffer.from(text, "utf8")));
        expect(textArray(asBytes ? bytes : values).equals(reference(25, bytes))).toBe(true);
      }),
    );
  });

  it("are the format's bytes for every safe integer and every boolean", () => {
    const edges = [0, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    fc.assert(
      fc.property(nullable(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges))), (values) => {
        const elements = values.map((value) => (value === null ? null : bigintOf(value)));
        expect(bigintArray(values).equals(reference(20, elements))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(nullable(fc.boolean()), (values) => {
        const elements = values.map((value) => (value === null ? null : Buffer.from([value ? 1 : 0])));
        expect(booleanArray(values).equals(reference(16, elements))).toBe(true);
      }),
    );
    expect(() => bigintArray([1.5])).toThrow(RangeError);
    expect(() => bigintArray([2 ** 53])).toThrow(RangeError);
  });

  it("are the caller's own: the next one changes none that was made before, also beyond the shared space", () => {
    const first = textArray(["one", null, "ä"]);
    const before = Buffer.from(first);
    const large = textArray(["x".repeat(300_000), "y"]);
    expect(large.equals(reference(25, [Buffer.from("x".repeat(300_000)), Buffer.from("y")]))).toBe(true);
    textArray(["another", "text"]);
    expect(first.equals(before)).toBe(true);
  });
});
