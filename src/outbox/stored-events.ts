// Commits in which events were stored, heard by whoever delivers: what the API tells waits for no poll.
import type { Database, Queryable } from "../db/database.ts";

const storing = new WeakSet<Queryable>();

/** Called in the transaction that stores them. */
export function noteStored(tx: Queryable): void {
  storing.add(tx);
}

/** The same database; `onStored` is called behind each of its commits in which events were stored. */
export function hearingDatabase(database: Database, onStored: () => void): Database {
  return {
    ...database,
    transaction: async (work, options) => {
      const { result, stored } = await database.transaction(async (tx) => {
        const done = await work(tx);
        return { result: done, stored: storing.has(tx) };
      }, options);
      if (stored) onStored();
      return result;
    },
  };
}
