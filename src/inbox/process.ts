// Processing: claims what is due, projects it in batches, isolates what fails, and retries it alone.
import { backoff } from "../base/backoff.ts";
import { type Clock } from "../base/clock.ts";
import { describeError, type Log } from "../base/log.ts";
import { randomFraction } from "../base/random.ts";
import { traced } from "../base/trace.ts";
import type { Database, Queryable } from "../db/database.ts";
import { databaseFailure, isLostConnection } from "../db/failure.ts";
import { CLAIM_LIMIT_MS } from "../work/claim-loop.ts";
import {
  claimEvents,
  type Claimed,
  claimObjects,
  giveUp,
  type Lane,
  LeaseLost,
  releaseEvents,
  renewEvents,
  retryLater,
} from "./event-tables.ts";
import { MAX_REFOLDED } from "./claim-order.ts";
import { failedAttempts } from "./failed-attempts.ts";
import { type BatchContext, type BatchResult, projectBatch } from "./project-batch.ts";

export interface ProcessOptions {
  database: Database;
  context: BatchContext;
  log: Log;
  clock: Clock;
  metrics: ProcessMetrics;
  /** Seconds that a claim holds; longer than any batch takes. */
  leaseSeconds: number;
  maxAttempts: number;
  /** Events that are claimed and projected together. */
  batchSize: number;
  /** Makes a name for one claim, unique among all processes. */
  newLease: () => string;
  /** Heard after each commit: the objects that may have changed, as objectKeyText() names them. */
  committed?: ((objects: readonly string[]) => void) | undefined;
  /** Heard when a batch lost the connection that it worked on: smaller ones may not. */
  broke?: (() => void) | undefined;
}

export interface ProcessMetrics {
  /** `lag`: seconds from being queued to the commit, of the batch's oldest event. */
  batch: (result: BatchResult, seconds: number, lag: number) => void;
  retried: () => void;
  failed: () => void;
}

const BACKOFF = { first: 500, factor: 3, max: 600_000, jitter: 0.2 };
/**
 * Attempts that may come to no end, not even an error, before the event itself is blamed. Far above `maxAttempts`: a process
 * that is killed again and again leaves such counts on events that did nothing (20 kills under load: more than 8).
 */
export const MAX_UNFINISHED = 50;
/** The same batch meets a deadlock or a lost lock race this often before its parts are tried alone. */
const CONFLICT_TRIES = 3;
/** One event loses its connection this often, while others get one, before it is blamed: once may be a failover. */
const BREAK_TRIES = 3;

/** How much one look at the queue found. */
export interface Processed {
  /** 0: nothing was due. */
  claimed: number;
  /** Seconds that the oldest of them had waited. */
  oldestAge: number;
  /** There may be more at once. */
  full: boolean;
}

/**
 * Claims one batch, of all objects or of one lane, and processes it.
 * Throws when the database is not there: what was claimed falls due again when its lease ends.
 */
export async function processOnce(options: ProcessOptions, lane?: Lane): Promise<Processed> {
  const lease = options.newLease();
  const claimed = await options.database.transaction(
    (tx) => claim(tx, options, lease, lane),
    // A lost claim is only claimed again.
    { durable: false, limitMs: CLAIM_LIMIT_MS },
  );
  // From its second attempt an event runs alone: one that takes the process with it takes nothing else.
  const together = claimed.filter((event) => event.attempts === 1);
  // In random order: behind one that kills us, half of the others come to their end at each start.
  const alone = shuffled(claimed.filter((event) => event.attempts > 1));
  try {
    if (together.length > 0) await processTogether(options, together, lease);
    for (const event of alone) await processAlone(options, event, lease);
  } catch (error) {
    // Nothing was wrong with the events. If even this cannot be written, their lease ends by itself.
    await options.database.transaction((tx) => releaseEvents(tx, claimed, lease)).catch(() => undefined);
    throw error;
  }
  return {
    claimed: claimed.length,
    oldestAge: Math.max(0, ...claimed.map((event) => event.age)),
    full: claimed.length >= options.batchSize || alone.length > 0 || refolded(claimed) >= MAX_REFOLDED,
  };
}

/**
 * Twice as many events as objects: an event more of an object that is at hand anyway needs no lock and no row of its own.
 * Embedded the time of a batch counts, and all wait for it.
 */
const EVENTS_TO_OBJECTS = { server: 2, embedded: 1 } as const;

function claim(tx: Queryable, options: ProcessOptions, lease: string, lane: Lane | undefined): Promise<Claimed[]> {
  const { database, leaseSeconds, batchSize } = options;
  if (lane === undefined) return claimEvents(tx, lease, leaseSeconds, batchSize);
  const limit = { objects: batchSize, events: batchSize * EVENTS_TO_OBJECTS[database.kind] };
  return claimObjects(tx, lease, leaseSeconds, limit, lane);
}

function refolded(events: readonly Claimed[]): number {
  return events.filter(({ refold }) => refold).length;
}

function shuffled(events: readonly Claimed[]): Claimed[] {
  return events
    .map((event) => ({ event, place: randomFraction() }))
    .sort((a, b) => a.place - b.place)
    .map(({ event }) => event);
}

async function processAlone(options: ProcessOptions, event: Claimed, lease: string): Promise<void> {
  if (await cameToNoEnd(options, event))
    await setBack(options, event, lease, new Error("no attempt on this event came to an end"), true);
  else await processTogether(options, [event], lease);
}

/** Each attempt was counted before it began, and too many of them did not even fail: the event ends whoever works on it. */
async function cameToNoEnd({ database, maxAttempts }: ProcessOptions, event: Claimed): Promise<boolean> {
  const before = event.attempts - 1;
  const most = Math.max(MAX_UNFINISHED, maxAttempts);
  return before >= most && before - (await failedAttempts(database, event)) >= most;
}

/** A batch that throws is bisected, until what fails stands alone; of one that lost claims, what is still ours goes on. */
async function processTogether(options: ProcessOptions, claimed: readonly Claimed[], lease: string): Promise<void> {
  let ours = claimed;
  for (let attempt = 1; ; attempt++) {
    try {
      await projectAndTell(options, ours, lease);
      return;
    } catch (error) {
      const fate = fateOf(error);
      if (fate === "unavailable") throw error;
      if (fate === "conflict" && attempt < CONFLICT_TRIES) continue;
      if (fate === "broken") tellOfBreak(options, ours, error);
      const before = ours.length;
      // Behind a lost connection also the question whether the database answers others: where it does not, nobody is blamed.
      ours = await stillOurs(options, ours, lease);
      const [first] = ours;
      if (first === undefined) return;
      if (ours.length < before || (fate === "broken" && before === 1 && attempt < BREAK_TRIES)) continue;
      if (ours.length > 1) {
        const half = Math.ceil(ours.length / 2);
        await processTogether(options, ours.slice(0, half), lease);
        await processTogether(options, ours.slice(half), lease);
      } else if (fate !== "lost") {
        await setBack(options, first, lease, error);
      }
      return;
    }
  }
}

/** Asked before more is done of a batch: what follows takes longer than a batch, and what is lost would only be rolled back. */
function stillOurs({ database, leaseSeconds }: ProcessOptions, claimed: readonly Claimed[], lease: string) {
  return database.transaction((tx) => renewEvents(tx, claimed, lease, leaseSeconds), { durable: false });
}

function tellOfBreak({ log, broke }: ProcessOptions, claimed: readonly Claimed[], error: unknown): void {
  broke?.();
  log.warn("a batch lost its connection to the database: what is left of it is tried in parts", {
    events: claimed.length,
    stripe_event: claimed.length === 1 ? claimed[0]?.eventId : undefined,
    error,
  });
}

type Fate = "lost" | "unavailable" | "broken" | "conflict" | "failed";

/** The one place that decides what an error means for the events that met it. */
function fateOf(error: unknown): Fate {
  // Another worker has them now, or their payload was replaced: they are in the queue again.
  if (error instanceof LeaseLost) return "lost";
  if (error instanceof ConnectionBroken) return "broken";
  const failure = databaseFailure(error);
  return failure === "content" ? "failed" : failure;
}

/** The connection was there when the batch began, and is not any more: perhaps the batch is what the server, or a proxy, ended it for. */
class ConnectionBroken extends Error {
  constructor(cause: Error) {
    super(`the connection to the database broke under this work: ${cause.message}`, { cause });
    this.name = "ConnectionBroken";
  }
}

async function projectAndTell(options: ProcessOptions, claimed: readonly Claimed[], lease: string): Promise<void> {
  const started = options.clock.monotonic();
  const result = await traced("events.process", { events: claimed.length }, () => projectOn(options, claimed, lease));
  options.committed?.(claimed.flatMap(({ objectKey }) => (objectKey === null ? [] : [objectKey])));
  const milliseconds = options.clock.monotonic() - started;
  const lag = Math.max(...claimed.map((event) => event.age)) + milliseconds / 1000;
  options.metrics.batch(result, milliseconds / 1000, lag);
  const [only] = claimed;
  options.log.unit("batch.processed", {
    events: claimed.length,
    stripe_event: claimed.length === 1 ? only?.eventId : undefined,
    objects: result.rows,
    facts: result.facts,
    ignored: result.ignored,
    unrouted: result.unrouted,
    waiting: result.released,
    duration_ms: Math.round(milliseconds),
    lag_ms: Math.round(lag * 1000),
    outcome: "done",
  });
  if (result.unread.length > 0) {
    options.log.warn("required fields could not be read: the row's unread_fields names them", {
      object: [...new Set(result.unread)].join(" "),
      count: result.unread.length,
    });
  }
}

async function projectOn(
  { database, context }: ProcessOptions,
  claimed: readonly Claimed[],
  lease: string,
): Promise<BatchResult> {
  const work = { hasBegun: false };
  try {
    return await database.transaction(
      (tx) => {
        work.hasBegun = true;
        return projectBatch(tx, claimed, lease, context);
      },
      { planOnce: true, unhurried: true },
    );
  } catch (error) {
    throw work.hasBegun && isLostConnection(error) ? new ConnectionBroken(error) : error;
  }
}

/** One event failed alone: again later, or given up, after its last attempt or `forGood`. */
async function setBack(
  options: ProcessOptions,
  event: Claimed,
  lease: string,
  error: unknown,
  forGood = false,
): Promise<void> {
  const { type, message } = describeError(error);
  const reason = `${type}: ${message}`.slice(0, 2000);
  const { failures, last, delaySeconds } = await options.database.transaction(async (tx) => {
    // Those that a kill of the process ended say nothing of the event, and are bounded by MAX_UNFINISHED.
    const failures = 1 + (await failedAttempts(tx, event));
    const last = forGood || failures >= options.maxAttempts;
    const delaySeconds = backoff(failures, BACKOFF) / 1000;
    await (last ? giveUp(tx, event, lease, reason) : retryLater(tx, event, lease, reason, delaySeconds));
    return { failures, last, delaySeconds };
  });
  (last ? options.metrics.failed : options.metrics.retried)();
  const fields = { stripe_event: event.eventId, attempt: failures, max_attempts: options.maxAttempts, error };
  if (last)
    options.log.error("event failed for good: it is kept and can be replayed", { ...fields, outcome: "failed" });
  else
    options.log.warn("event failed and is set back", {
      ...fields,
      outcome: "retry",
      retry_in_ms: Math.round(delaySeconds * 1000),
    });
}
