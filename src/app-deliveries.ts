// The background work that tells tenants: the loop that delivers webhooks, and the end of what is kept of them.
import { setTimeout as sleep } from "node:timers/promises";

import type { BackgroundParts } from "./app-background.ts";
import type { Clock } from "./base/clock.ts";
import { newId } from "./base/ids.ts";
import { policyOf } from "./outbox/address-policy.ts";
import { deliverer } from "./outbox/deliver.ts";
import { CANCELED_AT_ONCE, cancelInPieces, strandedEndpoints } from "./outbox/delivery-cancel.ts";
import { deleteOldDeliveries } from "./outbox/delivery-tables.ts";
import { deleteOldEvents } from "./outbox/event-table.ts";
import { closeConnections } from "./outbox/guarded-post.ts";
import { deleteOldRecoveries } from "./outbox/recoveries.ts";
import { type ClaimLoop, claimLoop } from "./work/claim-loop.ts";
import { every, type Schedule } from "./work/schedule.ts";

const HOUR = 3600;
/** How long a stop waits for receivers. */
const LAST_EXCHANGES_MS = 5_000;
/** What falls due again is found within this; what is new wakes the loop. */
const POLL_MS = 250;
/** Deliveries gather for so long, and share what a claim costs. */
const GATHER_MS = 2;
/** Rows of one transaction that deletes old ones. */
const DELETED_AT_ONCE = { server: 2000, embedded: 100 } as const;
/** Milliseconds between two of them: others have their turn. */
const PAUSE_MS = 20;
/** How long one look for old ones may go on. */
const LONGEST_MS = 50 * 60_000;
/** Seconds between looks for what a kill left behind of canceled deliveries. */
const STRANDED_SECONDS = 60;
const STRANDED_AT_ONCE = 100;

/** Nothing where there is no key to sign with: a command's own process. */
export function deliveryLoops(parts: BackgroundParts): ClaimLoop[] {
  const { config, clock, log, database, ring, metrics, onError } = parts;
  if (ring === undefined) return [];
  const policy = policyOf(config);
  const worker = deliverer({
    ...{ database, clock, log, ring, policy, metrics: metrics.deliver, frontendUrl: config.frontendUrl },
    limits: { all: config.webhookConcurrency, perEndpoint: config.webhookEndpointConcurrency },
    leaseSeconds: config.workLeaseSeconds,
    newLease: () => newId("clm"),
    onError: onError("webhooks"),
    onFree: () => {
      loop.wake();
    },
  });
  const loop = claimLoop({
    name: "webhooks",
    run: () => worker.run(),
    concurrency: 1,
    pollEvery: parts.options?.pollDeliveriesMs ?? POLL_MS,
    gatherFor: (found) => (found === "full" ? GATHER_MS : 0),
    pauseAfterError: 1000,
    onError: onError("webhooks"),
  });
  return [
    {
      wake: () => {
        loop.wake();
      },
      stop: async () => {
        await Promise.all([worker.stop(LAST_EXCHANGES_MS), loop.stop()]);
        await closeConnections(policy);
      },
    },
  ];
}

/** Deletes what is older than its retention, and ends what waits for endpoints that do not take it any more. */
export function deliverySchedules({
  config,
  clock,
  database,
  metrics,
  onError,
}: Pick<BackgroundParts, "config" | "clock" | "database" | "metrics" | "onError">): Schedule[] {
  let stopping = false;
  const limit = DELETED_AT_ONCE[database.kind];
  const { deliveriesRetentionDays: days, eventsRetentionDays } = config;
  const goesOn = (): boolean => !stopping;
  const deleteOld = async (): Promise<void> => {
    await whileMore(limit, clock, goesOn, () => deleteOldDeliveries(database, days, limit));
    await whileMore(limit, clock, goesOn, () => deleteOldRecoveries(database, days, limit));
  };
  const deleteEvents = (): Promise<void> =>
    whileMore(limit, clock, goesOn, () => deleteOldEvents(database, eventsRetentionDays, limit));
  const cancelStranded = async (): Promise<void> => {
    const { canceled } = metrics.deliver;
    for (const key of await strandedEndpoints(database, STRANDED_AT_ONCE))
      await cancelInPieces(database, key, { limit: CANCELED_AT_ONCE[database.kind], goesOn, canceled });
  };
  const schedules = [
    every(HOUR, deleteOld, onError("old deliveries")),
    every(HOUR, deleteEvents, onError("old events")),
    every(STRANDED_SECONDS, cancelStranded, onError("deliveries that their endpoints do not take")),
  ];
  return schedules.map((schedule) => ({
    stop: () => {
      stopping = true;
      return schedule.stop();
    },
  }));
}

/** Until a piece is not full: an hour's deletions must keep up with an hour's deliveries, whatever their number. */
export async function whileMore(
  limit: number,
  clock: Clock,
  goesOn: () => boolean,
  piece: () => Promise<number>,
): Promise<void> {
  const until = clock.monotonic() + LONGEST_MS;
  while (goesOn() && clock.monotonic() < until && (await piece()) >= limit) await sleep(PAUSE_MS);
}
