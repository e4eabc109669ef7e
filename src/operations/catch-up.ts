// Catching up: what happened while nothing listened is read from Stripe's list of events, and received like a webhook.
import { setTimeout as sleep } from "node:timers/promises";

import { backoff } from "../base/backoff.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import type { Log, LogFields } from "../base/log.ts";
import { databaseFailure } from "../db/failure.ts";
import { type IncomingEvent, insertEvents } from "../inbox/event-tables.ts";
import { incomingEvent } from "../inbox/receive.ts";
import type { StripeObject, UnixSeconds } from "../projections/observation.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { readEnvelope } from "../stripe/envelope.ts";
import {
  type CatchUpFilter,
  CatchUpLost,
  catchUpStanding,
  type CatchUpStanding,
  claimCatchUp,
  type ClaimedCatchUp,
  ensureCatchUps,
  failCatchUp,
  finishCatchUp,
  notePage,
  releaseCatchUp,
  requestCatchUps,
} from "./catch-up-table.ts";
import { type ListContext, listPage, type ListScope, type StripePage } from "./stripe-lists.ts";

export interface CatchUpContext extends ListContext {
  log: Log;
  platformTenant: string;
  /** There is something in the queue: look now. */
  wake: () => void;
  newLease: () => string;
  /** Seconds between two runs of an account. */
  everySeconds: number;
}

/** What a run has done so far. `events` is an estimate of all that it will read, and grows true towards its end. */
export interface CatchUpProgress extends ListScope {
  read: number;
  estimate: number;
}

export interface CatchUpOptions {
  onProgress?: (progress: CatchUpProgress) => void;
  signal?: AbortSignal | undefined;
}

/** Stripe lists events for so long. */
export const EVENTS_KEPT_SECONDS = 30 * 86_400;

/** Longer than a page may take with its retries and its turn. */
const LEASE_SECONDS = 90;
/** Accounts that one command reads at once. */
const AT_ONCE = 4;
const LOOK_AGAIN_MS = 250;
const BACKOFF = { first: 30_000, factor: 2, max: 3_600_000, jitter: 0.2 };
/** What Stripe answers when the last event that was stored has left its list. */
const CURSOR_GONE = "resource_missing";

/** The modes that there is a key for. */
export function modesOf({ stripe }: Pick<ListContext, "stripe">): boolean[] {
  return [true, false].filter((livemode) => stripe.has(livemode));
}

/** `not_found`, with what there is not: the mode's key, or the account. */
export function nothingChosen(modes: readonly boolean[], { livemode, account = "" }: CatchUpFilter): PublicError {
  const mode = livemode === true ? "live mode" : "test mode";
  if (livemode !== undefined && !modes.includes(livemode)) {
    const message = `There is no Stripe key for ${mode} here: set one, or leave the mode out.`;
    return publicError("not_found", { message, param: "livemode" });
  }
  const where = livemode === undefined ? "" : ` in ${mode}`;
  const message = `There is no Stripe account ${account === "" ? "of the platform" : account}${where} here: check its id, or leave it out for all.`;
  return publicError("not_found", { message, param: "account" });
}

/**
 * Runs one account's catch-up that is due; false: none was. What fails is recorded with it and tried again later. Each page
 * is one commit with the place where the next one begins, so that a killed run goes on there.
 */
export async function catchUpNext(context: CatchUpContext, options: CatchUpOptions = {}): Promise<boolean> {
  const modes = modesOf(context);
  if (modes.length === 0) return false;
  await ensureCatchUps(context.database, modes);
  const run = await claimCatchUp(context.database, modes, context.newLease(), LEASE_SECONDS);
  if (run === undefined) return false;
  try {
    await readToTheEnd(context, run, options);
  } catch (error) {
    if (error instanceof CatchUpLost) return true;
    await fail(context, run, error);
  }
  return true;
}

/**
 * Catches up now with all accounts that the filter chooses, on this node or whichever holds them, and waits for the end.
 * Throws `not_found` when it chooses none, and `stripe_not_configured` without a key.
 */
export async function catchUpNow(
  context: CatchUpContext,
  { since, ...filter }: CatchUpFilter & { since?: UnixSeconds | undefined },
  options: CatchUpOptions = {},
): Promise<CatchUpStanding[]> {
  const { database } = context;
  const modes = modesOf(context);
  if (modes.length === 0) throw publicError("stripe_not_configured");
  await ensureCatchUps(database, modes);
  const requested = await requestCatchUps(database, modes, filter, since);
  const standing = (): Promise<CatchUpStanding[]> => catchUpStanding(database, modes, filter, requested);
  if ((await standing()).length === 0) throw nothingChosen(modes, filter);
  const work = async (): Promise<void> => {
    while (options.signal?.aborted !== true && (await catchUpNext(context, options)));
  };
  for (;;) {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const now = await standing();
    if (options.signal?.aborted === true || now.every(({ finished }) => finished)) return now;
    // Another node has it.
    await sleep(LOOK_AGAIN_MS);
  }
}

async function readToTheEnd(context: CatchUpContext, run: ClaimedCatchUp, options: CatchUpOptions): Promise<void> {
  let { cursor, windowUntil } = run;
  let [read, stored, skipped, pages] = [0, 0, 0, 0];
  for (;;) {
    const page = await listPage(context, run, "/v1/events", {
      "created[gte]": run.windowSince,
      starting_after: cursor ?? undefined,
    });
    windowUntil ??= page.asOf;
    const kept = await storePage(context, run, page, windowUntil);
    if (kept.newEvents > 0) context.wake();
    [read, stored, pages] = [read + page.objects.length, stored + kept.newEvents, pages + 1];
    skipped += kept.skipped;
    options.onProgress?.({ ...scopeOf(run), read, estimate: estimate(run.windowSince, windowUntil, page, read) });
    if (!page.hasMore) break;
    cursor = page.cursor ?? null;
    if (options.signal?.aborted === true) {
      await releaseCatchUp(context.database, run);
      return;
    }
  }
  const oldest = windowUntil - EVENTS_KEPT_SECONDS;
  await finishCatchUp(context.database, run, oldest, context.everySeconds);
  if (run.coveredSince !== null && run.coveredUntil < oldest)
    context.log.warn("events older than 30 days were missed and Stripe lists them no longer: run `billhook import`", {
      ...fieldsOf(run),
      reason: `nothing is known from ${isoOf(run.coveredUntil)} until ${isoOf(oldest)}`,
    });
  context.log.unit("events.caught_up", {
    ...fieldsOf(run),
    count: pages,
    events: read,
    duplicates: read - stored - skipped,
    skipped,
    outcome: "done",
  });
}

/** The events of a page and the run's place behind them, in one commit. Returns how many were new, and how many are no events. */
async function storePage(
  context: CatchUpContext,
  run: ClaimedCatchUp,
  page: StripePage,
  until: UnixSeconds,
): Promise<{ newEvents: number; skipped: number }> {
  const events = page.objects.flatMap((object) => incomingOf(context, run, object) ?? []);
  const skipped = page.objects.length - events.length;
  const store = (): Promise<{ newEvents: number; skipped: number }> =>
    context.database.transaction(async (tx) => {
      const { size } = await insertEvents(tx, events);
      const noted = { until, cursor: page.cursor ?? null, events: page.objects.length, newEvents: size, skipped };
      await notePage(tx, run, noted, LEASE_SECONDS);
      return { newEvents: size, skipped };
    });
  return store().catch((error: unknown) => {
    // A webhook of the same events was stored meanwhile; the second try finds it.
    if (databaseFailure(error) === "conflict") return store();
    throw error;
  });
}

/** As the webhook would have brought it; undefined for what is no event. */
function incomingOf(
  { platformTenant, log }: CatchUpContext,
  run: ListScope,
  object: StripeObject,
): IncomingEvent | undefined {
  // A list that is read in an account's name does not always say whose it is; a webhook does.
  const told = run.account === "" ? object : { ...object, account: run.account };
  const reading = readEnvelope(JSON.stringify(told));
  if (!reading.ok || reading.envelope.livemode !== run.livemode) {
    log.warn("an event of Stripe's list could not be read", {
      ...fieldsOf(run),
      reason: reading.ok ? "the other mode's" : reading.detail,
    });
    return undefined;
  }
  return incomingEvent(reading.envelope, Buffer.from(reading.text, "utf8"), platformTenant);
}

async function fail(context: CatchUpContext, run: ClaimedCatchUp, error: unknown): Promise<void> {
  const failure = error instanceof StripeCallError ? error : undefined;
  const fromTheStart = failure?.stripeCode === CURSOR_GONE && run.cursor !== null;
  await failCatchUp(context.database, run, {
    error: failure === undefined ? "internal" : `${failure.code}: ${failure.message}`,
    againAfter: fromTheStart ? 0 : backoff(run.failures + 1, BACKOFF) / 1000,
    fromTheStart,
  });
  context.log.unit("events.caught_up", {
    ...fieldsOf(run),
    outcome: "failed",
    ...(failure === undefined ? { error } : { code: failure.code }),
  });
}

/** How many events the window holds, if the rest of its time is as dense as what was read. */
function estimate(since: UnixSeconds, until: UnixSeconds, page: StripePage, read: number): number {
  const at = page.objects.at(-1)?.created;
  if (!page.hasMore || typeof at !== "number" || at >= until) return read;
  return Math.max(read, Math.round((read * (until - since)) / (until - at)));
}

const scopeOf = ({ livemode, account }: ListScope): ListScope => ({ livemode, account });

const fieldsOf = ({ livemode, account }: ListScope): LogFields => ({
  livemode,
  stripe_account: account === "" ? undefined : account,
});

const isoOf = (seconds: UnixSeconds): string => new Date(seconds * 1000).toISOString();
