// Bodies on their way in, before anyone has proved who sends them: one buffer each, and a limit over all of them together.
import type { IncomingMessage } from "node:http";

import { declaredLength, MAX_BODY_BYTES } from "./refusal.ts";

/** As much as may wait for its commit (RECEIVE_MAX_WAITING_BYTES by default). */
export const MAX_COLLECTING_BYTES = 64 * 1024 * 1024;

/** The least that a body in several pieces takes: a growth for every few bytes would be work for nothing. */
const FIRST_BYTES = 1024;

export type Collected = Buffer | "too large" | "overloaded";

/** Calls back once. Not at all when the body breaks off. */
export type CollectBody = (request: IncomingMessage, done: (collected: Collected) => void) => void;

/** `maxBytes` limits what all unfinished bodies hold together; only what has arrived counts, never what a header announces. */
export function bodyCollector(maxBytes: number = MAX_COLLECTING_BYTES): CollectBody {
  let held = 0;
  return (request, done) => {
    const declared = declaredLength(request);
    let body: Buffer = EMPTY;
    let size = 0;
    /** What this body has of `held`. */
    let share = 0;
    const release = (): void => {
      held -= share;
      share = 0;
      body = EMPTY;
    };
    const stop = (why: Collected): void => {
      request.off("data", take);
      request.off("end", end);
      release();
      done(why);
    };
    const take = (piece: Buffer): void => {
      const needed = size + piece.length;
      if (needed > MAX_BODY_BYTES) {
        stop("too large");
        return;
      }
      // Whole in one piece, as almost all are: it ends in this turn, and others' halves cannot keep it out.
      if (size === 0 && piece.length === declared) {
        body = piece;
        size = needed;
        return;
      }
      if (needed > body.length) {
        const capacity = grown(body.length, needed, declared);
        if (held - share + capacity > maxBytes) {
          stop("overloaded");
          return;
        }
        held += capacity - share;
        share = capacity;
        const larger = Buffer.allocUnsafeSlow(capacity);
        body.copy(larger, 0, 0, size);
        body = larger;
      }
      piece.copy(body, size);
      size = needed;
    };
    const end = (): void => {
      const whole = body.subarray(0, size);
      release();
      done(whole);
    };
    request.on("data", take);
    request.on("end", end);
    // The sender is gone: there is nobody to answer, and what came is nothing.
    request.on("error", () => undefined);
    request.on("close", release);
  };
}

const EMPTY = Buffer.alloc(0);

/** At most twice what has arrived, and no more than the body can have. */
function grown(capacity: number, needed: number, declared: number): number {
  const most = declared > 0 ? declared : MAX_BODY_BYTES;
  return Math.max(needed, Math.min(most, Math.max(2 * capacity, FIRST_BYTES)));
}
