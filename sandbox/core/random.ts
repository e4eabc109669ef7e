// Chance that can be repeated: one seeded source for ids, secrets of the sandbox and chaos.
import { randomInt } from "node:crypto";

export interface Random {
  /** An integer from 0 to `below` − 1. */
  integer(below: number): number;
  /** A number from 0 to 1, 1 left out. */
  share(): number;
  /** So many characters of 0-9A-Za-z. */
  text(length: number): string;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** With a seed every run draws the same; without one nothing can be foretold. */
export function openRandom(seed?: number): Random {
  const integer = seed === undefined ? (below: number) => randomInt(below) : seededIntegers(seed);
  return {
    integer,
    share: () => integer(2 ** 30) / 2 ** 30,
    text: (length) => Array.from({ length }, () => ALPHABET.charAt(integer(ALPHABET.length))).join(""),
  };
}

/** splitmix32: small, and good enough to shuffle and to name. */
function seededIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}
