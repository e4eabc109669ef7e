// The background work that lets go of what is older than its retention, whole months where the database is cut by month.
import type { BackgroundParts } from "./app-background.ts";
import { type Retained, letGo } from "./inbox/retention.ts";
import { dropOldAttempts, dropOldEvents, type OldMonth } from "./outbox/outbox-partitions.ts";
import { takeTokens } from "./work/token-bucket.ts";
import { every, type Schedule } from "./work/schedule.ts";

/** Seconds between looks, on all nodes together, and how often a node asks for its turn. */
const LOOK_EVERY = 3600;
const TURN_EVERY = 600;

/** One node looks at a time. What is deleted row by row of events and deliveries `deliverySchedules` sees to. */
export function retentionSchedule(parts: BackgroundParts): Schedule {
  const { database, onError } = parts;
  let stopping = false;
  const look = async (): Promise<void> => {
    const turn = { key: "retention", rate: 1 / LOOK_EVERY, burst: 1, tokens: 1 };
    if ((await takeTokens(database, [turn])).get(turn.key) !== 1) return;
    await applyRetention(parts, () => !stopping);
  };
  const schedule = every(TURN_EVERY, look, onError("retention"));
  return {
    stop: () => {
      stopping = true;
      return schedule.stop();
    },
  };
}

/** One look at all that is cut by month. */
export async function applyRetention(
  { config, clock, database, log }: Pick<BackgroundParts, "config" | "clock" | "database" | "log">,
  goesOn: () => boolean,
): Promise<{ stripeEvents: Retained; months: OldMonth[] }> {
  const { stripeEventsRetentionDays, eventsRetentionDays, deliveriesRetentionDays } = config;
  // Deliveries before their events: one that is pending keeps both.
  const attempts = await dropOldAttempts(database, clock.now(), deliveriesRetentionDays);
  const events = await dropOldEvents(database, clock.now(), eventsRetentionDays);
  const months = [...attempts, ...events];
  for (const { partition: object, kept: reason } of months) {
    if (reason === null) log.info("a month that is older than its retention was dropped", { object });
    else log.warn("a month that is older than its retention is kept", { object, reason });
  }
  const stripeEvents = await letGo({ database, clock, log, days: stripeEventsRetentionDays, goesOn });
  return { stripeEvents, months };
}
