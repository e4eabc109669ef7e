// The metrics of one process, in Prometheus' terms. What is counted and why an operator looks at it, on one page.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { QueueState } from "./inbox/event-tables.ts";
import type { FetchOptions } from "./inbox/fetch.ts";
import type { ProcessMetrics } from "./inbox/process.ts";
import type { ReceiveMetrics } from "./inbox/receive.ts";

export interface Metrics {
  receive: ReceiveMetrics;
  process: ProcessMetrics;
  fetch: FetchOptions["metrics"];
  /** `queue` is what the database says now; absent when it cannot be asked. */
  expose(queue: QueueState | undefined, waiting: number): Promise<{ contentType: string; text: string }>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const EVENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Every metric starts at 0, so that a rate can be taken from the first scrape. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string): Counter => new Counter({ name: `billhook_${name}`, help, registers });
  const labelled = <Label extends string>(name: string, help: string, label: Label): Counter<Label> =>
    new Counter({ name: `billhook_${name}`, help, labelNames: [label], registers });
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: `billhook_${name}`, help, buckets, registers });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `billhook_${name}`, help, registers });

  const received = counter("events_received_total", "Verified Stripe events answered 200, duplicates included.");
  const duplicates = counter("events_duplicate_total", "Events that were already stored.");
  const refused = labelled("events_refused_total", "Webhook requests that were not answered 200, by error code.", "code");
  const receiveBatch = histogram("receive_batch_events", "Events per group commit.", EVENTS);
  const receiveSeconds = histogram("receive_commit_seconds", "Seconds per group commit.", SECONDS);
  const processed = labelled("events_processed_total", "Events taken off the queue, by outcome.", "outcome");
  const processBatch = histogram("process_batch_events", "Events per processed batch.", EVENTS);
  const processSeconds = histogram("process_batch_seconds", "Seconds per processed batch.", SECONDS);
  const lag = histogram("event_lag_seconds", "Seconds from an event's receipt to its commit in the projections, of each batch's oldest.", SECONDS);
  const retried = counter("events_retried_total", "Attempts that failed and will be repeated.");
  const failed = counter("events_failed_total", "Events given up after their last attempt.");
  const unread = labelled("unread_fields_total", "Required fields that could not be read: a shape that Billhook does not know.", "column");
  const ambiguous = counter("order_ambiguous_total", "Heads that the set of observations could not decide; fetched from Stripe.");
  const facts = counter("facts_total", "Facts yielded by observations, known ones included.");
  const fetched = labelled("objects_fetched_total", "Objects asked of Stripe, by outcome.", "outcome");
  const pendingNow = gauge("events_pending", "Events in the queue.");
  const oldestNow = gauge("oldest_unprocessed_age_seconds", "Age of the oldest event in the queue; 0 when it is empty.");
  const failedNow = gauge("events_failed", "Events that failed and are kept for replay.");
  const unroutedNow = gauge("events_unrouted", "Events of connected accounts that no tenant owns.");
  const waitingNow = gauge("receive_waiting", "Requests that wait for their group commit.");
  for (const outcome of ["processed", "ignored", "unrouted"]) processed.inc({ outcome }, 0);

  return {
    receive: {
      received: (count, known) => {
        received.inc(count);
        duplicates.inc(known);
      },
      batch: (events, seconds) => {
        receiveBatch.observe(events);
        receiveSeconds.observe(seconds);
      },
      refused: (code) => {
        refused.inc({ code });
      },
    },
    process: {
      batch: (result, seconds, oldest) => {
        processed.inc({ outcome: "processed" }, result.processed);
        processed.inc({ outcome: "ignored" }, result.ignored);
        processed.inc({ outcome: "unrouted" }, result.unrouted);
        processBatch.observe(result.processed + result.ignored + result.unrouted);
        processSeconds.observe(seconds);
        lag.observe(oldest);
        for (const column of result.unread) unread.inc({ column });
        ambiguous.inc(result.ambiguous);
        facts.inc(result.facts);
      },
      retried: () => {
        retried.inc();
      },
      failed: () => {
        failed.inc();
      },
    },
    fetch: {
      fetched: (outcome) => {
        fetched.inc({ outcome });
      },
    },
    expose: async (queue, waiting) => {
      waitingNow.set(waiting);
      if (queue !== undefined) {
        pendingNow.set(queue.pending);
        oldestNow.set(queue.oldestAge);
        failedNow.set(queue.failed);
        unroutedNow.set(queue.unrouted);
      }
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
