// Time passing: what falls due on a clock is done in the order in which it falls due, each at its own moment.
import { hooks } from "./hooks.ts";
import type { Transaction } from "./transaction.ts";

/** A clock that finds more than this due between two moments does not come to an end: the work repeats itself. */
const MOST_STEPS = 10_000;

/** Does all that falls due on `clock` (a test clock's id; null: the real clock) up to and including `to`, in unix seconds. */
export function advance(tx: Transaction, clock: string | null, to: number): void {
  if (!advanceSome(tx, clock, to, MOST_STEPS)) {
    throw new Error(`more than ${MOST_STEPS} things fell due on one clock before ${to}`);
  }
}

/** The same, but for `most` moments at a time. True when nothing is due any more. */
export function advanceSome(tx: Transaction, clock: string | null, to: number, most: number): boolean {
  for (let step = 0; step < most; step += 1) {
    const moments = hooks.due.map((work) => work.next(tx, clock) ?? Infinity);
    const moment = Math.min(...moments);
    if (moment > to) return true;
    const at = atMoment(tx, clock, Math.min(moment, to));
    for (const [index, work] of hooks.due.entries()) if (moments[index] === moment) work.run(at, clock);
  }
  return false;
}

/** A test clock stands at the moment while its work is done: whoever asks a customer for the time is told it. */
function atMoment(tx: Transaction, clock: string | null, moment: number): Transaction {
  if (clock === null) return tx.at(Math.max(moment, 0));
  const found = tx.get("test_helpers.test_clock", clock);
  const frozen_time = Math.max(moment, found.frozen_time);
  if (frozen_time !== found.frozen_time) tx.put("test_helpers.test_clock", { ...found, frozen_time });
  return tx.at(frozen_time);
}
