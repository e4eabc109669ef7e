// When API keys were used last: gathered in memory and written every few seconds, so that a request writes nothing.
import type { Clock } from "../base/clock.ts";
import type { Queryable } from "../db/database.ts";
import { recordUse } from "./api-keys.ts";

export interface KeyUse {
  used(keyId: string): void;
  /** Writes what has gathered. What a failing write had stays for the next one. */
  flush(): Promise<void>;
}

export function keyUse(database: Queryable, clock: Clock): KeyUse {
  let gathered = new Map<string, number>();
  return {
    used: (keyId) => void gathered.set(keyId, clock.now()),
    flush: async () => {
      const writing = gathered;
      gathered = new Map();
      await recordUse(database, writing).catch((error: unknown) => {
        gathered = new Map([...writing, ...gathered]);
        throw error;
      });
    },
  };
}
