// Keys derived from SECRET_KEY, and sealed secrets.
import { describe, expect, it } from "vitest";

import { keyRing } from "./key-ring.ts";
import { Secret } from "./secret.ts";

const [OLD, NEW] = [new Secret("o".repeat(40)), new Secret("n".repeat(40))];

describe("a sealed secret", () => {
  it("opens with the key that sealed it, also after a rotation, and never the same twice", () => {
    const sealed = keyRing([OLD]).seal("whsec_ä", "ten_1");
    expect(sealed).not.toContain("whsec");
    expect(keyRing([NEW, OLD]).open(sealed, "ten_1")).toBe("whsec_ä");
    expect(keyRing([OLD]).seal("whsec_ä", "ten_1")).not.toBe(sealed);
  });

  it("does not open with another key, in another place, or changed", () => {
    const ring = keyRing([OLD]);
    const sealed = ring.seal("whsec_x", "ten_1");
    expect(() => keyRing([NEW]).open(sealed, "ten_1")).toThrow("SECRET_KEY");
    expect(() => ring.open(sealed, "ten_2")).toThrow("SECRET_KEY");
    for (const bad of ["", "v1.", "v1.AAAA", `${sealed.slice(0, -2)}AA`, sealed.replace("v1", "v2")])
      expect(() => ring.open(bad, "ten_1")).toThrow("SECRET_KEY");
  });
});

it("derives other keys for other purposes, the same each time, the newest first", () => {
  const ring = keyRing([NEW, OLD]);
  expect(ring.keysFor("a")).toEqual(keyRing([NEW, OLD]).keysFor("a"));
  expect(ring.keysFor("a")[0]).not.toEqual(ring.keysFor("b")[0]);
  expect(ring.keysFor("a")[1]).toEqual(keyRing([OLD]).keysFor("a")[0]);
  expect(() => keyRing([])).toThrow("no secret key");
});
