// What was received a moment ago, still parsed: the processor of the same process need not read and parse it again. Bounded.
import type { ReadObservation } from "./stored-observation.ts";

export interface Recent {
  put: (key: string, read: ReadObservation, bytes: number) => void;
  /** Gives it out once. */
  take: (key: string) => ReadObservation | undefined;
}

/** Keeps the newest up to `maxBytes` of payload; parsed JSON takes about four times its text. */
export function recentObservations(maxBytes: number): Recent {
  const kept = new Map<string, { read: ReadObservation; bytes: number }>();
  let total = 0;

  function drop(key: string): ReadObservation | undefined {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    kept.delete(key);
    total -= found.bytes;
    return found.read;
  }

  return {
    put: (key, read, bytes) => {
      drop(key);
      kept.set(key, { read, bytes });
      total += bytes;
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break;
        drop(oldest);
      }
    },
    take: drop,
  };
}
