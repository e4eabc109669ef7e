// A database that can be held: whoever holds it has it alone, and all others are refused until it is given back.
import type { Database } from "./database.ts";

export interface HeldDatabase {
  /** For the holder alone. */
  database: Database;
  /** Lets everybody in again. */
  release(): void;
}

export interface HoldableDatabase extends Database {
  /**
   * Waits until what runs has ended; from the call on everybody else is refused with what `refusal` makes, before any of
   * their statements is sent: nothing is written behind the holder's back, and nothing was answered that was not.
   */
  hold(refusal: () => Error): Promise<HeldDatabase>;
}

export function isHoldable(database: Database): database is HoldableDatabase {
  return "hold" in database;
}

export function holdable(database: Database): HoldableDatabase {
  let refusing: (() => Error) | undefined;
  let running = 0;
  let ended: (() => void) | undefined;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (refusing !== undefined) throw refusing();
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      if (running === 0) ended?.();
    }
  };
  return {
    kind: database.kind,
    connections: database.connections,
    query: (statement) => guarded(() => database.query(statement)),
    transaction: (work, options) => guarded(() => database.transaction(work, options)),
    close: () => database.close(),
    hold: async (refusal) => {
      if (refusing !== undefined) throw new Error("the database is held already");
      refusing = refusal;
      if (running > 0) await new Promise<void>((resolve) => (ended = resolve));
      ended = undefined;
      return { database, release: () => (refusing = undefined) };
    },
  };
}
