// Idempotency keys: the first call's answer is kept for a day, and given again to the same call.
import { createHash } from "node:crypto";

import { idempotencyConflict, idempotencyInUse, invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";

const KEPT_SECONDS = 24 * 3600;
const LONGEST_KEY = 255;

export interface KeptAnswer {
  status: number;
  body: string;
  /** The call that it answered first. */
  request?: string | undefined;
}

/** What must be the same for a key to be used again. */
export function fingerprintOf(method: string, path: string, parameters: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([method, path, sorted(parameters)]))
    .digest("hex");
}

/** The answer that this key already has; undefined when it is new. Ends the call when the key had other parameters. */
export function keptAnswer(tx: Transaction, key: string, fingerprint: string): KeptAnswer | undefined {
  if (key.length > LONGEST_KEY) {
    throw invalidRequest(`Idempotency keys must be at most ${LONGEST_KEY} characters long.`);
  }
  const kept = tx.find("_idempotency", key);
  if (kept === undefined || kept.created <= tx.world.now() - KEPT_SECONDS) return undefined;
  if (kept.fingerprint !== fingerprint) throw idempotencyConflict(key);
  return { status: kept.status, body: kept.body, request: kept.request };
}

export function keepAnswer(tx: Transaction, key: string, fingerprint: string, answer: KeptAnswer): void {
  tx.put("_idempotency", { id: key, object: "_idempotency", created: tx.world.now(), fingerprint, ...answer });
}

/**
 * Whether an answer is the key's from now on. Parameters that were refused are not: they may be mended and sent with
 * the same key. What failed at work (a declined card, a state that forbids it, a 500) is.
 */
export function isKept({ status, body }: KeptAnswer): boolean {
  if (status !== 400) return status !== 401 && status !== 403 && status !== 409 && status !== 429;
  return (JSON.parse(body) as { error: { param?: string } }).error.param === undefined;
}

/** Keys older than a day may be used anew. */
export function dropOldAnswers(tx: Transaction): void {
  const old = tx.world.now() - KEPT_SECONDS;
  for (const { id } of tx.where("_idempotency", ({ created }) => created <= old)) tx.remove("_idempotency", id);
}

/** Calls that have begun and are not answered: a second one with the same key is refused, not run. */
export class KeysInUse {
  readonly #keys = new Set<string>();

  /** Returns how to give the key back. Ends the call with 409 when it is taken. */
  take(scope: string, key: string): () => void {
    const name = `${scope} ${key}`;
    if (this.#keys.has(name)) throw idempotencyInUse(key);
    this.#keys.add(name);
    return () => void this.#keys.delete(name);
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
