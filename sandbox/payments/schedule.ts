// What payments have coming: debits that settle, refunds that end, balances that become available, payouts that arrive.
import type { DueWork } from "../core/hooks.ts";
import type { Transaction } from "../core/transaction.ts";

export type Task = (tx: Transaction, target: string) => void;

const TASKS = new Map<string, Task>();

/** Says what `task` does; a name has one meaning. */
export function defineTask(name: string, task: Task): void {
  TASKS.set(name, task);
}

/** Money moves in real time, also for customers on a test clock: `seconds` from now on the real clock. */
export function schedule(tx: Transaction, task: string, target: string, seconds: number): void {
  const at = tx.world.now() + seconds;
  tx.put("_due", { id: entryId(task, target), object: "_due", created: tx.now, at, task, target });
}

/** Nothing is done when it is not scheduled. */
export function unschedule(tx: Transaction, task: string, target: string): void {
  const id = entryId(task, target);
  if (tx.find("_due", id) !== undefined) tx.remove("_due", id);
}

export const paymentsDue: DueWork = {
  next: (tx, clock) => {
    if (clock !== null) return undefined;
    let earliest: number | undefined;
    for (const { at } of tx.all("_due")) if (earliest === undefined || at < earliest) earliest = at;
    return earliest;
  },
  run: (tx) => {
    for (const { id, at, task, target } of tx.all("_due")) {
      if (at > tx.now) continue;
      tx.remove("_due", id);
      const act = TASKS.get(task);
      if (act === undefined) throw new Error(`nobody does the task ${task}`);
      act(tx, target);
    }
  },
};

const entryId = (task: string, target: string): string => `${task} ${target}`;
