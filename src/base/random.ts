// Random numbers from the system's generator, drawn from a pool: one call into it for 4096 bytes.
import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A whole number from 0 to 2^(8·bytes) − 1, all equally likely; at most 6 bytes. */
export function randomBits(bytes: 1 | 2 | 3 | 4 | 5 | 6): number {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const value = pool.readUIntBE(used, bytes);
  // A drawn number is wiped, so that a dump of the pool tells nothing about ids that were given out.
  pool.fill(0, used, used + bytes);
  used += bytes;
  return value;
}

/** From 0 (included) to 1 (excluded). */
export function randomFraction(): number {
  return randomBits(6) / 2 ** 48;
}
