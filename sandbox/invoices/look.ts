// Trying something out: all that it changes is undone, and what it came to is returned.
import { StripeFailure } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";

/** Ends a look with what was seen. */
class Looked<T> extends Error {
  readonly seen: T;

  constructor(seen: T) {
    super("only a look");
    this.seen = seen;
  }
}

/** Does what `act` does, and undoes it: objects, events and deliveries. */
export function lookAt<T>(tx: Transaction, act: (inner: Transaction) => T): T {
  try {
    return tx.world.run((inner): T => {
      throw new Looked(whole(inner.at(tx.now), act));
    }, tx.scope);
  } catch (error) {
    if (error instanceof Looked) return error.seen as T;
    throw error;
  }
}

/** What a failed look left must not stay, unlike after a declined card. */
function whole<T>(tx: Transaction, act: (inner: Transaction) => T): T {
  try {
    return act(tx);
  } catch (error) {
    throw error instanceof StripeFailure ? new StripeFailure(error.status, error.body) : error;
  }
}
