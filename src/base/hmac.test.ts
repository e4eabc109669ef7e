import { createHmac } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { hmacKey, hmacSha256, hmacSha256Text } from "./hmac.ts";

const secret = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.uint8Array({ maxLength: 200 }));
const prefix = fc.string({ unit: "grapheme-ascii", maxLength: 80 });
/** Around the edge of what is laid out in the scratch buffer, too. */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc.integer({ min: 64 * 1024 - 150, max: 64 * 1024 + 150 }).map((size) => new Uint8Array(size).fill(size)),
);

test("a MAC is the one that node:crypto makes, of any key, prefix and body, and whatever was signed before", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(secret, prefix, body), { minLength: 1, maxLength: 4 }), (messages) => {
      const keys = messages.map(([one]) => hmacKey(one));
      for (const [index, [one, head, bytes]] of messages.entries()) {
        const key = keys[index] ?? hmacKey("");
        const expected = createHmac("sha256", one).update(head).update(bytes).digest();
        expect(hmacSha256(key, head, bytes)).toEqual(expected);
        expect(hmacSha256Text(key, head, bytes, "hex")).toBe(expected.toString("hex"));
        expect(hmacSha256Text(key, head, bytes, "base64")).toBe(expected.toString("base64"));
      }
    }),
    { numRuns: 300 },
  );
});
