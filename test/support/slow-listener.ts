// Somebody who is told things one by one and takes a moment for each: notes whether the next came before that was over.
import { setTimeout as sleep } from "node:timers/promises";

export interface SlowListener {
  hear: () => Promise<void>;
  /** `heard`: those that were heard to their end. `atOnce`: the most that were told at the same time. */
  noted: () => { heard: number; atOnce: number };
}

export function slowListener(): SlowListener {
  let [heard, listening, atOnce] = [0, 0, 0];
  return {
    hear: async () => {
      listening += 1;
      atOnce = Math.max(atOnce, listening);
      await sleep(5);
      listening -= 1;
      heard += 1;
    },
    noted: () => ({ heard, atOnce }),
  };
}
