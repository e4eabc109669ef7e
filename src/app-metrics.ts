// The metrics of one process, in Prometheus' terms. What is counted and why an operator looks at it, on one page.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { ErrorCode } from "./base/errors.ts";
import type { QueueState } from "./inbox/queue-state.ts";
import type { FetchOptions } from "./inbox/fetch.ts";
import type { SendOptions } from "./mail/send-mail.ts";
import type { ProcessMetrics } from "./inbox/process.ts";
import type { ReceiveMetrics } from "./inbox/receive.ts";
import type { DeliveryMetrics } from "./outbox/deliver.ts";
import { type DeliveryQueueState, MOST_PENDING } from "./outbox/delivery-reads.ts";
import type { DriftMetrics } from "./operations/drift.ts";
import type { StripeMetrics } from "./stripe/call-guard.ts";

export interface Metrics {
  receive: ReceiveMetrics & { refused: (code: ErrorCode) => void };
  process: ProcessMetrics;
  fetch: FetchOptions["metrics"];
  mail: SendOptions["metrics"];
  stripe: StripeMetrics;
  drift: DriftMetrics;
  deliver: DeliveryMetrics;
  /** `queue` and `deliveries` are what the database says now; absent when it cannot be asked. */
  expose(
    queue: QueueState | undefined,
    waiting: number,
    deliveries?: DeliveryQueueState,
    unmatched?: { open: number },
  ): Promise<{ contentType: string; text: string }>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const EVENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

interface Makers {
  counter(name: string, help: string): Counter;
  labelled<Label extends string>(name: string, help: string, label: Label): Counter<Label>;
  histogram(name: string, help: string, buckets: number[]): Histogram;
  gauge(name: string, help: string): Gauge;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const makers: Makers = {
    counter: (name, help) => new Counter({ name: `billhook_${name}`, help, registers }),
    labelled: (name, help, label) => new Counter({ name: `billhook_${name}`, help, labelNames: [label], registers }),
    histogram: (name, help, buckets) => new Histogram({ name: `billhook_${name}`, help, buckets, registers }),
    gauge: (name, help) => new Gauge({ name: `billhook_${name}`, help, registers }),
  };
  const setGauges = queueGauges(makers);
  const openPurchases = makers.gauge(
    "unmatched_purchases_open",
    "Paid sessions whose buyer nobody knows: a person must decide.",
  );
  const setDeliveryGauges = deliveryGauges(makers, registers);
  const mails = makers.labelled("mails_attempted_total", "Mails handed to the mail server, by its answer.", "outcome");
  const fetched = makers.labelled("objects_fetched_total", "Objects asked of Stripe, by outcome.", "outcome");
  return {
    receive: receiveMetrics(makers),
    process: processMetrics(makers),
    fetch: {
      fetched: (outcome) => {
        fetched.inc({ outcome });
      },
    },
    mail: {
      attempted: (outcome) => {
        mails.inc({ outcome });
      },
    },
    stripe: stripeMetrics(makers),
    drift: driftMetrics(makers),
    deliver: deliveryMetrics(makers),
    expose: async (queue, waiting, deliveries, unmatched) => {
      if (unmatched !== undefined) openPurchases.set(unmatched.open);
      setGauges(queue, waiting);
      setDeliveryGauges(deliveries);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function receiveMetrics(make: Makers): Metrics["receive"] {
  const received = make.counter("events_received_total", "Verified Stripe events answered 200, duplicates included.");
  const duplicates = make.counter("events_duplicate_total", "Events that were already stored.");
  const refused = make.labelled(
    "events_refused_total",
    "Webhook requests that were not answered 200, by error code.",
    "code",
  );
  const events = make.histogram("receive_batch_events", "Events per group commit.", EVENTS);
  const seconds = make.histogram("receive_commit_seconds", "Seconds per group commit.", SECONDS);
  return {
    received: (count, known) => {
      received.inc(count);
      duplicates.inc(known);
    },
    batch: (count, took) => {
      events.observe(count);
      seconds.observe(took);
    },
    refused: (code) => {
      refused.inc({ code });
    },
  };
}

function processMetrics(make: Makers): ProcessMetrics {
  const processed = make.labelled("events_processed_total", "Events taken off the queue, by outcome.", "outcome");
  const events = make.histogram("process_batch_events", "Events per processed batch.", EVENTS);
  const seconds = make.histogram("process_batch_seconds", "Seconds per processed batch.", SECONDS);
  const lag = make.histogram(
    "event_lag_seconds",
    "Seconds from an event's receipt to its commit in the projections, of each batch's oldest.",
    SECONDS,
  );
  const retried = make.counter("events_retried_total", "Attempts that failed and will be repeated.");
  const failed = make.counter("events_failed_total", "Events given up after their last attempt.");
  const unread = make.labelled(
    "unread_fields_total",
    "Required fields that could not be read: a shape that Billhook does not know.",
    "column",
  );
  const ambiguous = make.counter(
    "order_ambiguous_total",
    "Heads that the set of observations could not decide; fetched from Stripe.",
  );
  const facts = make.counter("facts_total", "Facts yielded by observations, known ones included.");
  // A series that starts at 0 has a rate from its first scrape.
  for (const outcome of ["processed", "ignored", "unrouted"]) processed.inc({ outcome }, 0);
  return {
    batch: (result, took, oldest) => {
      processed.inc({ outcome: "processed" }, result.processed);
      processed.inc({ outcome: "ignored" }, result.ignored);
      processed.inc({ outcome: "unrouted" }, result.unrouted);
      events.observe(result.processed + result.ignored + result.unrouted);
      seconds.observe(took);
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
  };
}

function driftMetrics(make: Makers): DriftMetrics {
  const count = (what: string, help: string): Counter<"kind"> => make.labelled(`drift_${what}_total`, help, "kind");
  const checked = count("checked", "Local rows held against Stripe's objects, by kind.");
  const differing = count("differing", "Local rows that differed from Stripe's objects, by kind.");
  const repaired = count("repaired", "Objects that differed and were taken anew from Stripe, by kind.");
  return {
    compared: (kind, counts) => {
      checked.inc({ kind }, counts.checked);
      differing.inc({ kind }, counts.differing);
      repaired.inc({ kind }, counts.repaired);
    },
  };
}

function stripeMetrics(make: Makers): StripeMetrics {
  const calls = make.labelled(
    "stripe_calls_total",
    "Calls to Stripe with all their retries, by outcome: `ok`, or the code of the failure.",
    "outcome",
  );
  const took = make.histogram(
    "stripe_call_seconds",
    "Seconds per call to Stripe, waiting and retries included.",
    SECONDS,
  );
  const open = make.gauge("stripe_circuits_open", "Stripe accounts that do not answer, and to which nothing is sent.");
  calls.inc({ outcome: "ok" }, 0);
  return {
    called: (outcome, seconds) => {
      calls.inc({ outcome });
      took.observe(seconds);
    },
    circuitsOpen: (count) => {
      open.set(count);
    },
  };
}

/** Seconds from an event to its delivery: retries take up to three days. */
const DELIVERY_SECONDS = [...SECONDS, 60, 600, 3600, 6 * 3600, 24 * 3600, 3 * 24 * 3600];

function deliveryMetrics(make: Makers): DeliveryMetrics {
  const attempts = make.labelled(
    "delivery_attempts_total",
    "Attempts to post webhooks, by what came of them; unsigned: nothing was posted, SECRET_KEY does not open the secret.",
    "outcome",
  );
  const ended = make.labelled("deliveries_ended_total", "Webhooks that have ended, by status.", "status");
  const took = make.histogram("delivery_attempt_seconds", "Seconds per exchange with a receiver.", SECONDS);
  const lag = make.histogram(
    "delivery_lag_seconds",
    "Seconds from an event's commit to its delivery; resends and recoveries left out.",
    DELIVERY_SECONDS,
  );
  attempts.inc({ outcome: "delivered" }, 0);
  for (const status of ["delivered", "failed", "canceled"]) ended.inc({ status }, 0);
  return {
    attempted: (outcome, seconds) => {
      attempts.inc({ outcome });
      if (seconds !== undefined) took.observe(seconds);
    },
    ended: (status, seconds) => {
      ended.inc({ status });
      if (status === "delivered" && seconds !== undefined) lag.observe(seconds);
    },
    canceled: (count) => {
      ended.inc({ status: "canceled" }, count);
    },
  };
}

function deliveryGauges(make: Makers, registers: Registry[]): (deliveries: DeliveryQueueState | undefined) => void {
  const pending = make.gauge(
    "deliveries_pending",
    `Webhooks that wait for their next attempt, or are under way; counted to ${MOST_PENDING} at most.`,
  );
  const oldest = make.gauge("oldest_undelivered_age_seconds", "Age of the oldest undelivered event; 0 without one.");
  const byTenant = new Gauge({
    name: "billhook_tenant_oldest_undelivered_age_seconds",
    help: "Age of a tenant's oldest undelivered event: of the hundred tenants for whom it is the oldest.",
    labelNames: ["tenant"],
    registers,
  });
  return (deliveries) => {
    if (deliveries === undefined) return;
    pending.set(deliveries.pending);
    oldest.set(deliveries.oldestAge);
    byTenant.reset();
    for (const { tenantId: tenant, oldestAge } of deliveries.tenants) byTenant.set({ tenant }, oldestAge);
  };
}

/** What the database and the process say at the moment of the scrape. */
function queueGauges(make: Makers): (queue: QueueState | undefined, waiting: number) => void {
  const pending = make.gauge("events_pending", "Events in the queue.");
  const oldest = make.gauge(
    "oldest_unprocessed_age_seconds",
    "Age of the oldest event in the queue; 0 when it is empty.",
  );
  const failed = make.gauge("events_failed", "Events that failed and are kept for replay.");
  const unrouted = make.gauge("events_unrouted", "Events of connected accounts that no tenant owns.");
  const waitingNow = make.gauge("receive_waiting", "Requests that wait for their group commit.");
  return (queue, waiting) => {
    waitingNow.set(waiting);
    if (queue === undefined) return;
    pending.set(queue.pending);
    oldest.set(queue.oldestAge);
    failed.set(queue.failed);
    unrouted.set(queue.unrouted);
  };
}
