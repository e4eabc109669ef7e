// Delivers events to webhook endpoints: at least once, signed, tried again on a schedule.
import type { Server } from "node:http";

import type { World } from "../core/world.ts";
import { type ChaosOptions, NO_CHAOS, readChaos } from "./chaos.ts";
import { DeliveryRunner } from "./delivery-runner.ts";
import { liveOf } from "./live.ts";
import type { RetrySchedule } from "./schedule.ts";

export interface DeliveryOptions {
  /** By name, or the seconds from each failed attempt to the next. Default "local": 1 s, 5 s, 30 s, 5 min, 1 h, … */
  retrySchedule?: RetrySchedule;
  /** How many times as fast as the real clock the schedule runs. Default 1. */
  deliverySpeed?: number;
  /** A clock of one's own in milliseconds, looked at every 20 ms; `deliverySpeed` is then of no use. */
  deliveryClock?: () => number;
  /** An attempt without an answer ends after so long, in real milliseconds. Default 20,000. */
  deliveryTimeoutMs?: number;
  /** Attempts under way to one endpoint at once. Default 16. */
  deliveryConcurrency?: number;
  /** What befalls deliveries from the start; POST /_sandbox/chaos changes it. */
  chaos?: ChaosOptions;
}

export interface Deliveries {
  /** Ends what is on its way, after a moment; what was not answered is sent again by the next start. */
  stop(): Promise<void>;
  /** True when nothing is left to attempt, endpoints that are disabled set aside; false when the time is over first. */
  idle(timeoutMs?: number): Promise<boolean>;
  /** Makes all that waits due now. Returns how many. */
  flush(): number;
  /** `parked`: for endpoints that are disabled. */
  counts(): { pending: number; under_way: number; parked: number };
}

/** Starts with what an earlier run left undelivered. `server`: hears CLIs that listen. */
export function startDeliveries(world: World, server: Server, options: DeliveryOptions = {}): Deliveries {
  const live = liveOf(world);
  if (options.chaos !== undefined) live.chaos = readChaos({ ...options.chaos }, NO_CHAOS);
  const runner = new DeliveryRunner(world, options);
  live.deliveries = runner;
  server.on("upgrade", (request, socket, head) => live.listeners.upgrade(request, socket, head));
  return {
    stop: async () => {
      live.listeners.close();
      await runner.stop();
    },
    idle: (timeoutMs) => runner.idle(timeoutMs),
    flush: () => runner.flush(),
    counts: () => runner.counts(),
  };
}
