// What runs in the background, on one page: loops that claim work, and schedules.
import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "./base/clock.ts";
import { resolveDueBuyers } from "./billing/buyers.ts";
import { dueInvoicePool } from "./billing/due-invoices.ts";
import { useNewMethods } from "./billing/payment-method.ts";
import { withdrawLost } from "./billing/subscription-release.ts";
import { purgeStatusGrants } from "./billing/status-grants.ts";
import { topUpDue, topUpRound } from "./billing/top-ups.ts";
import { followConnections, syncDueOffers } from "./billing/pack-sync.ts";
import { newId } from "./base/ids.ts";
import type { Log } from "./base/log.ts";
import type { KeyRing } from "./base/key-ring.ts";
import { prompt, type PromptOptions } from "./app-database.ts";
import { deliveryLoops, deliverySchedules } from "./app-deliveries.ts";
import type { Metrics } from "./app-metrics.ts";
import { driftSchedule, operationLoops } from "./app-operations.ts";
import { recoveryLoop } from "./app-recoveries.ts";
import { DELIVERIES, type Told } from "./app-told.ts";
import { retentionSchedule } from "./app-retention.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { expireCredits, tellLowCredits } from "./credits/ledger-upkeep.ts";
import { cancelUnseenPurchases } from "./credits/purchase-table.ts";
import { keepUp, keepUpAll } from "./db/upkeep.ts";
import { eventLoops } from "./inbox/event-loops.ts";
import { enqueueRoutable } from "./inbox/event-tables.ts";
import { fetchPool } from "./inbox/fetch.ts";
import type { BillingMails } from "./inbox/billing-mails.ts";
import { tellExpiringCards } from "./inbox/card-expiries.ts";
import { HEAD_CHECKS } from "./inbox/mail-checks.ts";
import { ensurePartitions } from "./inbox/partitions.ts";
import type { ProcessOptions } from "./inbox/process.ts";
import type { Receiver } from "./inbox/receive.ts";
import { deleteOldMails } from "./mail/mail-tables.ts";
import { MAIL_ATTEMPTS, sendOnce } from "./mail/send-mail.ts";
import type { MailSender } from "./mail/mail-sender.ts";
import { mailgunSender } from "./mail/mailgun.ts";
import { smtpSender } from "./mail/smtp.ts";
import type { StripeAccess } from "./stripe/access.ts";
import { type ClaimLoop, claimLoop } from "./work/claim-loop.ts";
import type { WorkPool } from "./work/work-pool.ts";
import { every, type Schedule, type WatchedErrors } from "./work/schedule.ts";
import { listener } from "./work/wake-ups.ts";

export interface Background {
  /** There are events in the queue: look now. */
  wake(): void;
  /** There are deliveries in the queue: look now. */
  wakeDeliveries(): void;
  /** Finishes what is claimed, and starts nothing any more. */
  stop(): Promise<void>;
}

export interface BackgroundParts {
  config: Config;
  clock: Clock;
  log: Log;
  database: Database;
  platformTenant: string;
  stripe: StripeAccess;
  metrics: Metrics;
  /** What secrets are sealed with; undefined: nothing can be signed, and no webhooks are delivered. */
  ring?: KeyRing | undefined;
  receiving: Receiver;
  /** Whom commits with events wake. */
  told?: Told;
  options?: PromptOptions & {
    /** Milliseconds between two looks for what is to be delivered: long where a test shows that nobody waits for them. */
    pollDeliveriesMs?: number;
  };
  /** After a commit of the reducer: see ProcessOptions. */
  committed?: ProcessOptions["committed"];
  onError: (what: string) => WatchedErrors;
}

/** The channel on which nodes tell each other of new events. */
export const CHANNEL = "billhook_events";

const ROUTE_EVERY = 5;
const UPKEEP_EVERY = 30;
const EXPIRY_EVERY = 60;
const LOW_CREDITS_EVERY = 2;
const FOLLOW_CONNECTIONS_EVERY = 60;
const PARTITIONS_EVERY = 6 * 3600;
/** The first look comes after this: a process that is restarted every day must not miss them. */
const CARDS_EVERY = 3 * 3600;
const UNSEEN_EVERY = 3600;
/** Stripe keeps a session open for 24. */
const UNSEEN_HOURS = 26;
/** How long a stop waits for Stripe. */
const LAST_CALLS_MS = 5_000;
/** Seconds: longer than a call to Stripe may take. */
const FETCH_LEASE = 40;
const DAY = 86_400;
const MAILS_KEPT_DAYS = 30;

export function startBackground(parts: BackgroundParts): Background {
  const { config, database, clock, onError } = parts;
  // Upkeep may take its time; a queue's loop must not.
  const working = { ...parts, database: prompt(database, parts.options) };
  const deliveries = deliveryLoops(working);
  const wakeDeliveries = (): void => {
    for (const loop of deliveries) loop.wake();
  };
  parts.told?.deliverBy(wakeDeliveries);
  const events = workersOnEvents(working, wakeDeliveries);
  const wake = (): void => {
    for (const loop of events) loop.wake();
  };
  const loops = [
    ...events,
    ...fetchLoops(working, wake),
    mailLoop(working),
    invoiceLoop(working, wake),
    buyerLoop(working),
    offerLoop(working, wake),
    methodLoop(working, wake),
    lostSubscriptionLoop(working, wake),
    topUpLoop(working, wake),
    ...operationLoops(working, wake),
    ...deliveries,
    recoveryLoop(working, wakeDeliveries),
  ];
  const route = async (): Promise<void> => {
    if ((await enqueueRoutable(working.database, 1000)) > 0) wake();
  };
  const schedules: Schedule[] = [
    every(ROUTE_EVERY, route, onError("routing")),
    every(UPKEEP_EVERY, () => keepUp(database), onError("upkeep")),
    every(DAY, () => keepUpAll(database), onError("upkeep")),
    every(DAY, () => deleteOldMails(database, MAILS_KEPT_DAYS), onError("old mails")),
    every(DAY, () => purgeStatusGrants(database), onError("old status grants")),
    every(EXPIRY_EVERY, () => expireCredits(working.database), onError("credit expiry")),
    every(LOW_CREDITS_EVERY, () => tellLowCredits(working.database), onError("low credits")),
    every(FOLLOW_CONNECTIONS_EVERY, () => followConnections(working), onError("packs and plans of new connections")),
    every(
      CARDS_EVERY,
      () => tellExpiringCards({ database, mails: mailsOf(config), now: new Date(clock.now()) }),
      onError("expiring cards"),
    ),
    every(UNSEEN_EVERY, () => cancelUnseenPurchases(working.database, UNSEEN_HOURS), onError("unseen purchases")),
    every(PARTITIONS_EVERY, () => ensurePartitions(database, clock), onError("partitions")),
    ...deliverySchedules(parts),
    retentionSchedule(parts),
  ];
  schedules.push(...driftSchedule(parts, wake));
  const url = config.databaseDirectUrl;
  const heard = (said?: string): void => {
    // Something may have been missed, or it says what.
    if (said === undefined || said === DELIVERIES) wakeDeliveries();
    if (said !== DELIVERIES) wake();
  };
  const wakeUps = url === undefined ? undefined : listener(url.reveal(), CHANNEL, heard, onError("listen"));
  return {
    wake,
    wakeDeliveries,
    stop: async () => {
      await Promise.all([...loops, ...schedules].map((one) => one.stop()));
      await wakeUps?.stop();
    },
  };
}

const newLease = (): string => newId("node");

/** The workers on the event queue. */
function workersOnEvents(parts: BackgroundParts, onProjected: () => void): ClaimLoop[] {
  const { config, clock, log, database, platformTenant, metrics, receiving, committed, onError } = parts;
  return eventLoops({
    process: {
      database,
      clock,
      log,
      context: { kind: database.kind, platformTenant, mails: mailsOf(config) },
      metrics: metrics.process,
      leaseSeconds: config.workLeaseSeconds,
      maxAttempts: config.workMaxAttempts,
      newLease,
      committed: (objects) => {
        committed?.(objects);
        onProjected();
      },
    },
    receiving,
    onError: onError("stripe events"),
  });
}

/** One for each mode that has a key: without one there is nobody to ask, and its fetches wait. */
function fetchLoops(parts: BackgroundParts, onObserved: () => void): ClaimLoop[] {
  const { stripe } = parts;
  return [true, false]
    .filter((livemode) => stripe.has(livemode))
    .map((livemode) => fetchLoop(parts, livemode, onObserved));
}

function fetchLoop(parts: BackgroundParts, livemode: boolean, onObserved: () => void): ClaimLoop {
  const { config, clock, log, database, platformTenant, metrics, onError, stripe } = parts;
  const pool = fetchPool({
    database,
    clock,
    log,
    platformTenant,
    livemode,
    retrieve: (wanted) => stripe.retrieve(livemode, wanted),
    paused: () => stripe.paused(livemode),
    leaseSeconds: Math.max(config.workLeaseSeconds, FETCH_LEASE),
    newLease,
    onObserved,
    onFinished: () => {
      loop.wake();
    },
    metrics: metrics.fetch,
  });
  const loop = claimLoop({
    name: `stripe fetches ${livemode ? "live" : "test"}`,
    run: () => pool.run(),
    concurrency: 1,
    pollEvery: 1000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("stripe fetches"),
  });
  return withPool(loop, pool);
}

/** What Stripe does not answer by then is gone on with when its lease has ended. */
function withPool(loop: ClaimLoop, pool: WorkPool): ClaimLoop {
  return {
    wake: () => {
      loop.wake();
    },
    stop: async () => {
      await loop.stop();
      await Promise.race([pool.idle(), sleep(LAST_CALLS_MS)]);
    },
  };
}

/** Goes on with invoices on connected accounts whose making was interrupted. */
function invoiceLoop(parts: BackgroundParts, wake: () => void): ClaimLoop {
  const { database, stripe, clock, log, platformTenant, onError } = parts;
  const making = { database, stripe, clock, log, platformTenant, wake, newLease };
  const pool = dueInvoicePool(making, () => {
    loop.wake();
  });
  const loop = claimLoop({
    name: "connected-account invoices",
    run: () => pool.run(),
    concurrency: 1,
    pollEvery: 2000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("connected-account invoices"),
  });
  return withPool(loop, pool);
}

/** Brings packs and plans to Stripe that it was not told of yet. */
function offerLoop(parts: BackgroundParts, wake: () => void): ClaimLoop {
  const { database, stripe, clock, log, platformTenant, onError } = parts;
  const syncing = { database, stripe, clock, log, platformTenant, wake, newLease };
  return claimLoop({
    name: "packs and plans",
    run: () => syncDueOffers(syncing),
    concurrency: 1,
    pollEvery: 2000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("packs and plans"),
  });
}

/** Finds the buyers of what was sold without a purchase of ours. */
function buyerLoop(parts: BackgroundParts): ClaimLoop {
  const { config, database, stripe, log, platformTenant, onError } = parts;
  const { frontendUrl, trialCredits } = config;
  const context = { database, stripe, log, platformTenant, frontendUrl, trialCredits, newLease };
  return claimLoop({
    name: "buyers",
    run: () => resolveDueBuyers(context),
    concurrency: 1,
    pollEvery: 1000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("buyers"),
  });
}

const mailsOf = ({ frontendUrl, paymentFailedMails }: Config): BillingMails => ({
  frontendUrl,
  paymentFailed: paymentFailedMails,
});

/** Makes what people have set up the method that is charged. */
function methodLoop({ database, stripe, log, platformTenant, onError }: BackgroundParts, wake: () => void): ClaimLoop {
  return claimLoop({
    name: "payment methods",
    run: () => useNewMethods({ database, stripe, log, platformTenant, wake }),
    concurrency: 1,
    pollEvery: 2000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("payment methods"),
  });
}

/** Withdraws subscriptions that lost their place while Stripe was making them. */
function lostSubscriptionLoop(parts: BackgroundParts, wake: () => void): ClaimLoop {
  const { database, stripe, log, platformTenant, onError } = parts;
  return claimLoop({
    name: "lost subscriptions",
    run: () => withdrawLost({ database, stripe, log, platformTenant, wake }),
    concurrency: 1,
    pollEvery: 5000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("lost subscriptions"),
  });
}

/** Buys credits for accounts that have asked for it, when they run low. */
function topUpLoop(parts: BackgroundParts, wake: () => void): ClaimLoop {
  const { config, clock, database, stripe, log, platformTenant, onError } = parts;
  const { platformFeePercent } = config;
  const context = { database, stripe, clock, log, platformTenant, platformFeePercent, wake, mails: mailsOf(config) };
  const round = topUpRound(database.kind);
  return claimLoop({
    name: "automatic top-ups",
    run: () => topUpDue(context, round),
    concurrency: 1,
    pollEvery: 2000,
    gatherFor: () => 0,
    pauseAfterError: 5000,
    onError: onError("automatic top-ups"),
  });
}

/** Without a mail server it keeps what is queued, to be read in the mailbox. */
function mailLoop({ config, clock, log, database, metrics, onError }: BackgroundParts): ClaimLoop {
  const { workLeaseSeconds: leaseSeconds, productName: product } = config;
  const options = {
    database,
    clock,
    log,
    sender: senderOf(config, clock),
    checks: HEAD_CHECKS,
    product,
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

function senderOf({ mail }: Config, clock: Clock): MailSender | undefined {
  if (mail === undefined) return undefined;
  return mail.kind === "smtp" ? smtpSender(mail) : mailgunSender(mail, clock);
}
