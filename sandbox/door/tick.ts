// The real clock's work: what falls due on it in every account, and a way to set it forward.
import { advanceSome } from "../core/advance.ts";
import { invalidRequest } from "../core/errors.ts";
import { scopeOf } from "../core/kinds.ts";
import type { World } from "../core/world.ts";
import { dropOldAnswers } from "./idempotency.ts";

/** After a long sleep much is due: so much at a time, that calls are answered in between. */
const MOMENTS_A_TICK = 50;
const MOST_ROUNDS = 10_000;
const LONGEST_SECONDS = 366 * 24 * 3600;

/** True when nothing is due any more. */
export function tick(world: World): boolean {
  const ends = world.scopes().map((key) =>
    world.run((tx) => {
      dropOldAnswers(tx);
      return advanceSome(tx, null, tx.now, MOMENTS_A_TICK);
    }, scopeOf(key)),
  );
  return ends.every((isEnd) => isEnd);
}

/** @throws Error when it does not come to an end */
export function tickThrough(world: World): void {
  for (let round = 0; !tick(world); round += 1) {
    if (round === MOST_ROUNDS) throw new Error("what falls due on the real clock does not come to an end");
  }
}

/** Sets the world's clock forward, for good, and does what falls due on the way. Returns its time, in unix seconds. */
export function advanceClock(world: World, seconds: number | undefined): number {
  if (seconds === undefined || !Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_SECONDS) {
    throw invalidRequest(`seconds must be a whole number from 1 to ${LONGEST_SECONDS}.`, { param: "seconds" });
  }
  world.setForward(seconds);
  tickThrough(world);
  return world.now();
}
