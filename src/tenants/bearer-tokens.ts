// Random tokens that are given out once and stored hashed: refresh tokens, invitations, mailed links. Pure but for chance.
import { hash, randomBytes } from "node:crypto";

const TOKEN_BYTES = 32;

/** What a token may look like: longer ones are not ours. */
export const MAX_TOKEN = 100;

export function newToken(): { token: string; hash: Buffer } {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return { token, hash: hashOf(token) };
}

/** 256 random bits need no salt and no slow hash. */
export function hashOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
