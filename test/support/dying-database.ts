// A database as a process sees it that is killed in the middle of its transaction.
import type { Database, Queryable } from "../../src/db/database.ts";

/** Killed behind so many statements of each transaction, or before its commit. */
export function dyingAfter(database: Database, statements: number): Database {
  return {
    ...database,
    transaction: async (work, options) =>
      database.transaction(async (tx) => {
        let asked = 0;
        const dying: Queryable = {
          query: async (statement) => {
            asked += 1;
            if (asked > statements) throw new Error("killed");
            return tx.query(statement);
          },
        };
        const result = await work(dying);
        // Before the commit.
        if (asked === statements) throw new Error("killed");
        return result;
      }, options),
  };
}
