// What runs in the background, on one page: loops that claim work, and schedules.
import type { Clock } from "./base/clock.ts";
import { newId } from "./base/ids.ts";
import type { Log } from "./base/log.ts";
import type { Metrics } from "./app-metrics.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { keepUp, keepUpAll } from "./db/upkeep.ts";
import { enqueueRoutable } from "./inbox/event-tables.ts";
import { fetchOnce } from "./inbox/fetch.ts";
import { isReceiving, mayWork, type Pace, restAfter } from "./inbox/pace.ts";
import { ensurePartitions } from "./inbox/partitions.ts";
import { type Processed, processOnce, type ProcessOptions } from "./inbox/process.ts";
import type { Receiver } from "./inbox/receive.ts";
import type { Recent } from "./inbox/recent.ts";
import { deleteOldMails } from "./mail/mail-tables.ts";
import { MAIL_ATTEMPTS, sendOnce } from "./mail/send-mail.ts";
import { smtpSender } from "./mail/smtp.ts";
import { stripeClient } from "./stripe/client.ts";
import { retrieveObject } from "./stripe/retrieve.ts";
import { type ClaimLoop, claimLoop } from "./work/claim-loop.ts";
import { every, type Schedule } from "./work/schedule.ts";
import { listener } from "./work/wake-ups.ts";

export interface Background {
  /** There are events in the queue: look now. */
  wake(): void;
  /** Finishes what is claimed, and starts nothing any more. */
  stop(): Promise<void>;
}

export interface BackgroundParts {
  config: Config;
  clock: Clock;
  log: Log;
  database: Database;
  platformTenant: string;
  metrics: Metrics;
  recent: Recent;
  receiving: Receiver;
  onError: (what: string) => (error: unknown) => void;
}

/** The channel on which nodes tell each other of new events. */
export const CHANNEL = "billhook_events";

const BATCH_SIZE = { server: 200, embedded: 100 } as const;
/** One backend works while the other's answer is folded. */
const WORKERS = { server: 2, embedded: 1 } as const;
const ROUTE_EVERY = 5;
const UPKEEP_EVERY = 30;
const PARTITIONS_EVERY = 6 * 3600;
const DAY = 86_400;
const MAILS_KEPT_DAYS = 30;

export function startBackground(parts: BackgroundParts): Background {
  const { config, database, clock, onError } = parts;
  const events = eventLoops(parts);
  const wake = (): void => {
    for (const loop of events) loop.wake();
  };
  const loops = [...events, ...fetchLoops(parts, wake), mailLoop(parts)];
  const route = async (): Promise<void> => {
    if ((await enqueueRoutable(database, 1000)) > 0) wake();
  };
  const schedules: Schedule[] = [
    every(ROUTE_EVERY, route, onError("routing")),
    every(UPKEEP_EVERY, () => keepUp(database), onError("upkeep")),
    every(DAY, () => keepUpAll(database), onError("upkeep")),
    every(DAY, () => deleteOldMails(database, MAILS_KEPT_DAYS), onError("old mails")),
    every(PARTITIONS_EVERY, () => ensurePartitions(database, clock), onError("partitions")),
  ];
  const url = config.databaseDirectUrl;
  const wakeUps = url === undefined ? undefined : listener(url.reveal(), CHANNEL, wake, onError("listen"));
  return {
    wake,
    stop: async () => {
      await Promise.all([...loops, ...schedules].map((one) => one.stop()));
      await wakeUps?.stop();
    },
  };
}

const newLease = (): string => newId("node");

/** The workers on the event queue. While a burst is answered only the first of them works. */
function eventLoops(parts: BackgroundParts): ClaimLoop[] {
  const { config, clock, log, database, platformTenant, metrics, recent, receiving, onError } = parts;
  const batchSize = BATCH_SIZE[database.kind];
  const options: ProcessOptions = {
    database,
    clock,
    log,
    context: { kind: database.kind, platformTenant, recent },
    metrics: metrics.process,
    leaseSeconds: config.workLeaseSeconds,
    maxAttempts: config.workMaxAttempts,
    batchSize,
    newLease,
  };
  let lag = 0;
  let backlog = false;
  // Each worker takes its own objects off a backlog, so that they never wait for each other's; whoever finds none of its own takes any.
  const processNext = async (worker: number): Promise<Processed> => {
    const lane = { number: worker, of: WORKERS[database.kind] };
    const own = backlog && mayWork(1, pace()) ? await processOnce(options, lane) : undefined;
    return own === undefined || own.claimed === 0 ? processOnce(options) : own;
  };
  let ended = 0;
  const pace = (): Pace => ({ receiving: isReceiving(receiving.waiting()), lag, rested: clock.monotonic() - ended });
  return Array.from({ length: WORKERS[database.kind] }, (_, worker) =>
    claimLoop({
      name: `stripe events ${worker}`,
      run: async () => {
        // The end of a burst wakes nobody: it is looked for, which asks the database nothing.
        if (!mayWork(worker, pace())) return "some";
        const { claimed, oldestAge, full } = await processNext(worker);
        lag = oldestAge;
        backlog = full;
        ended = clock.monotonic();
        return claimed === 0 ? "none" : full ? "full" : "some";
      },
      concurrency: 1,
      pollEvery: 500,
      gatherFor: (found) => restAfter(found === "full"),
      pauseAfterError: 1000,
      onError: onError("stripe events"),
    }),
  );
}

/** Without a Stripe key there is nobody to ask: fetches wait. */
function fetchLoops(parts: BackgroundParts, onObserved: () => void): ClaimLoop[] {
  const { config, clock, log, database, platformTenant, metrics, onError } = parts;
  const secretKey = config.stripeSecretKey?.reveal();
  if (secretKey === undefined) return [];
  const client = stripeClient({
    secretKey,
    ...(config.stripeApiBase === undefined ? {} : { apiBase: config.stripeApiBase }),
  });
  const run = (): Promise<boolean> =>
    fetchOnce({
      database,
      clock,
      log,
      platformTenant,
      livemode: config.livemode,
      retrieve: (wanted) => retrieveObject(client, wanted, clock),
      leaseSeconds: config.workLeaseSeconds,
      newLease,
      onObserved,
      metrics: metrics.fetch,
    });
  return [
    claimLoop({
      name: "stripe fetches",
      run: async () => ((await run()) ? "full" : "none"),
      concurrency: 1,
      pollEvery: 1000,
      gatherFor: () => 0,
      pauseAfterError: 5000,
      onError: onError("stripe fetches"),
    }),
  ];
}

/** Without a mail server it keeps what is queued, to be read in the mailbox. */
function mailLoop({ config, clock, log, database, metrics, onError }: BackgroundParts): ClaimLoop {
  const sender = config.mail === undefined ? undefined : smtpSender(config.mail);
  const { workLeaseSeconds: leaseSeconds } = config;
  const options = {
    database,
    clock,
    log,
    sender,
    leaseSeconds,
    maxAttempts: MAIL_ATTEMPTS,
    newLease,
    metrics: metrics.mail,
  };
  return claimLoop({
    name: "mails",
    run: () => sendOnce(options),
    concurrency: 1,
    pollEvery: 1000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("mails"),
  });
}
