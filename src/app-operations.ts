// The background work that looks at Stripe by itself: catching up, and samples of drift.
import type { BackgroundParts } from "./app-background.ts";
import { newId } from "./base/ids.ts";
import { catchUpNext } from "./operations/catch-up.ts";
import { dueAtStart } from "./operations/catch-up-table.ts";
import { sampleDrift } from "./operations/drift.ts";
import { type ClaimLoop, claimLoop } from "./work/claim-loop.ts";
import { every, type Schedule } from "./work/schedule.ts";

/** Nothing where no key is set, or the setting says that only commands shall. */
export function operationLoops(parts: BackgroundParts, wake: () => void): ClaimLoop[] {
  const { config, stripe } = parts;
  if (!stripe.has(true) && !stripe.has(false)) return [];
  return config.catchUpEverySeconds > 0 ? [catchUpLoop(parts, wake)] : [];
}

const TURN_EVERY_SECONDS = 60;

/** The first look comes soon after the start; which node takes a turn the database says. */
export function driftSchedule(parts: BackgroundParts, wake: () => void): Schedule[] {
  const { config, clock, database, stripe, log, platformTenant, metrics, onError } = parts;
  const { driftEverySeconds } = config;
  if (driftEverySeconds === 0 || !(stripe.has(true) || stripe.has(false))) return [];
  const context = {
    ...{ database, stripe, log, clock, platformTenant, wake, metrics: metrics.drift },
    ...{ everySeconds: config.catchUpEverySeconds, newLease: () => newId("node"), settleMs: 30_000 },
  };
  const look = (): Promise<unknown> => sampleDrift(context, driftEverySeconds);
  return [every(Math.min(driftEverySeconds, TURN_EVERY_SECONDS), look, onError("drift sample"))];
}

const CATCH_UPS_AT_ONCE = 2;

/** At the start, whose downtime nobody has measured, and from then on whenever an account is due. */
function catchUpLoop(parts: BackgroundParts, wake: () => void): ClaimLoop {
  const { config, database, stripe, log, platformTenant, onError } = parts;
  const everySeconds = config.catchUpEverySeconds;
  const context = { ...{ database, stripe, log, platformTenant, wake, everySeconds }, newLease: () => newId("node") };
  const stop = new AbortController();
  let begun: Promise<void> | undefined;
  const loop = claimLoop({
    name: "catch-up",
    run: async () => {
      begun ??= dueAtStart(database);
      await begun.catch((error: unknown) => {
        begun = undefined;
        throw error;
      });
      return (await catchUpNext(context, { signal: stop.signal })) ? "full" : "none";
    },
    concurrency: CATCH_UPS_AT_ONCE,
    pollEvery: 10_000,
    gatherFor: () => 0,
    pauseAfterError: 30_000,
    onError: onError("catch-up"),
  });
  return {
    wake: () => {
      loop.wake();
    },
    stop: async () => {
      stop.abort();
      await loop.stop();
    },
  };
}
