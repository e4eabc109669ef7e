// Recoveries in the background: what endpoints missed, queued for them again at a rate.
import type { BackgroundParts } from "./app-background.ts";
import { recoverDue } from "./outbox/recoveries.ts";
import { type ClaimLoop, claimLoop } from "./work/claim-loop.ts";

/** `wake`: there are deliveries in the queue. */
export function recoveryLoop({ database, clock, onError }: BackgroundParts, wake: () => void): ClaimLoop {
  return claimLoop({
    name: "recoveries",
    run: () => recoverDue({ database, clock, wake }),
    concurrency: 1,
    pollEvery: 500,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("recoveries"),
  });
}
