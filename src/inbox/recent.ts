// What was received a moment ago: the processor of the same process need not read it from the table again. Bounded.
import type { Clock } from "../base/clock.ts";
import type { StripeObject } from "../projections/observation.ts";
import type { StoredEvent } from "./load-events.ts";
import { observationOf, type ReadObservation } from "./stored-observation.ts";

/** A stored event without its payload's text, which is at hand in bytes. */
export interface RecentEvent {
  stored: Omit<StoredEvent, "payload">;
  payload: Buffer;
  parsed: StripeObject;
}

export interface Recent {
  put: (key: string, event: RecentEvent) => void;
  /** Gives it out once. */
  take: (key: string) => ReadObservation | undefined;
}

/** Another process has taken it, if it is still here after this long (milliseconds). */
const STALE_AFTER = 30_000;
/** Parsed JSON takes about four times its text: beyond this many events only the bytes are kept, and parsed once more. */
const MAX_PARSED = 4000;

/**
 * Keeps payloads of up to `maxBytes` together. When it is full the oldest stay: they are processed next, and what finds no
 * room is read from the table when its turn comes.
 */
export function recentObservations(maxBytes: number, clock: Clock): Recent {
  const kept = new Map<
    string,
    { event: Omit<RecentEvent, "parsed">; parsed: StripeObject | undefined; since: number }
  >();
  let bytes = 0;
  let parsedCount = 0;

  function remove(key: string): { event: Omit<RecentEvent, "parsed">; parsed: StripeObject | undefined } | undefined {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    kept.delete(key);
    bytes -= found.event.payload.length;
    if (found.parsed !== undefined) parsedCount--;
    return found;
  }

  function dropStale(now: number): void {
    for (const [key, { since }] of kept) {
      if (now - since < STALE_AFTER) break;
      remove(key);
    }
  }

  return {
    put: (key, { stored, payload, parsed }) => {
      // A replaced payload must not stay behind.
      remove(key);
      const now = clock.monotonic();
      if (bytes + payload.length > maxBytes) dropStale(now);
      if (bytes + payload.length > maxBytes) return;
      const keepParsed = parsedCount < MAX_PARSED;
      kept.set(key, { event: { stored, payload }, parsed: keepParsed ? parsed : undefined, since: now });
      bytes += payload.length;
      if (keepParsed) parsedCount++;
    },
    take: (key) => {
      const found = remove(key);
      if (found === undefined) return undefined;
      const parsed = found.parsed ?? (JSON.parse(found.event.payload.toString("utf8")) as StripeObject);
      return observationOf(found.event.stored, parsed);
    },
  };
}

/** For a process that receives and leaves the work to others. */
export const keepNothing: Recent = { put: () => undefined, take: () => undefined };
