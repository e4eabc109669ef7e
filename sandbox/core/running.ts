// The transaction that is running. Work on the world is synchronous, so there is one at most.
import type { Transaction } from "./transaction.ts";

let running: Transaction | undefined;

export function whileRunning<T>(tx: Transaction, act: (tx: Transaction) => T): T {
  const outer = running;
  running = tx;
  try {
    return act(tx);
  } finally {
    running = outer;
  }
}

export function runningTransaction(): Transaction | undefined {
  return running;
}
