// A transaction that met another one (a deadlock, say) is tried again: the same work then succeeds.
import type { Database, Queryable } from "./database.ts";
import { databaseFailure } from "./failure.ts";

const TRIES = 4;

/** `work` must do nothing outside of its transaction: it may run several times. */
export async function retried<T>(
  database: Pick<Database, "transaction">,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (tried === TRIES || databaseFailure(error) !== "conflict") throw error;
    }
  }
}
